"""The history of a search: what is asked follows from what is before it, and a step that was left is finished."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.search import driver
from sweeps.search.evaluate import result
from sweeps.search.folder import SearchFolder, best, without_filter
from sweeps.search.history import History, Result
from sweeps.search.run import Searcher
from sweeps.search.space import settle
from sweeps.search.storage import dashboard, hidden, open_storage

Make = Callable[..., History]
TWO = "search.space={threshold: [0, 1], n_gen: [2, 6], filter.name: {choices: [discriminator, rejection]}}"


@pytest.fixture
def make(tiny: Path, tmp_path: Path) -> Make:
    """A history of the tiny study's search, in a journal of its own unless it is given one."""
    counter = itertools.count()

    def call(*assignments: str, place: Any = None, parallel: bool = False) -> History:
        search = settle(studies.load(str(tiny), ["search.settings.n_real=3", *assignments]))
        journal = tmp_path / f"{next(counter)}.log" if place is None else place
        return History(search, "digits", open_storage(search.spec.storage, journal), parallel)

    return call


def worth(params: dict[str, Any]) -> Result:
    """A made-up objective, best at threshold 0.6; the stricter, the dearer."""
    value = 0.8 - (params["threshold"] - 0.6) ** 2
    return Result((value - 0.01, value + 0.01), "ok", cost=round(6 / (1.01 - params["threshold"]), 6))


def go_on(history: History, steps: int = 1000) -> None:
    """What the search's loop does, with the made-up objective."""
    for _ in range(steps):
        mine, _others = history.running()
        if not (mine or history.left()):
            return
        step = history.take_up(mine[0]) if mine else history.ask()
        assert step is not None
        history.tell(step, worth(step.params))


def asked(history: History) -> list[tuple[int, dict[str, Any], Any]]:
    return [(t.number, t.params, t.values) for t in history.trials()]


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
@pytest.mark.parametrize("space", ["search.space.threshold=[0, 1]", TWO])
def test_a_history_goes_on_as_if_it_had_not_been_interrupted(
    make: Make, tmp_path: Path, sampler: str, space: str
) -> None:
    assignments = (space, f"search.sampler={sampler}", "search.steps=8")
    whole = make(*assignments)
    go_on(whole)
    assert len(asked(whole)) == 8
    for stop in (6,) if sampler == "gp" else (1, 6, 7):  # GP is slow, and before step 6 it is random
        journal = tmp_path / f"stopped{stop}-{sampler}.log"
        go_on(make(*assignments, place=journal), stop)
        again = make(*assignments, place=journal)
        go_on(again)
        assert asked(again) == asked(whole)


@pytest.mark.parametrize("written", ["nothing", "one", "all"])
def test_a_step_that_a_dead_driver_left_is_finished_under_its_number(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """Left right after it was numbered, between two of its parameters, or while it ran."""
    assignments = (TWO, "search.steps=8")
    whole = make(*assignments)
    go_on(whole)
    journal = tmp_path / "left.log"
    left = make(*assignments, place=journal)
    go_on(left, 6)
    with monkeypatch.context() as m:
        m.setattr(driver, "myself", lambda: f"{driver.platform.node()}/4194305/1")  # above any process's number
        suggest = optuna.trial.Trial._suggest
        counter = itertools.count()

        def dies(self: Any, name: str, distribution: Any) -> Any:
            if next(counter) == {"nothing": 0, "one": 1, "all": 99}[written]:
                raise InterruptedError
            return suggest(self, name, distribution)

        m.setattr(optuna.trial.Trial, "_suggest", dies)
        try:
            left.ask()
        except InterruptedError:
            assert written != "all"
    again = make(*assignments, place=journal)
    mine, others = again.running()
    assert [t.number for t in mine] == [6]
    assert others == []
    go_on(again)
    assert asked(again) == asked(whole)


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_step_of_a_driver_that_lives_is_left_alone(hours: int, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hour the other machine's clock shows."""
    monkeypatch.setattr(driver, "_heard", {})
    history = make()
    with monkeypatch.context() as m:
        m.setattr(driver, "myself", lambda: "elsewhere/7/9")
        history.study.set_user_attr("alive elsewhere/7/9", driver.time.time() + hours * 3600)
        history.ask()
    assert [len(found) for found in history.running()] == [0, 1]
    now = driver.time.monotonic()
    monkeypatch.setattr(driver.time, "monotonic", lambda: now + driver.PATIENCE + 1)
    assert [len(found) for found in history.running()] == [1, 0], "no new sign of life for too long"
    history.study.set_user_attr("alive elsewhere/7/9", driver.time.time() + hours * 3600 + 1)
    assert [len(found) for found in history.running()] == [0, 1], "it was slow"


def test_a_number_that_another_process_has_now_is_not_the_driver(make: Make) -> None:
    history = make()
    host, pid, born = driver.myself().split("/")
    assert driver.alive(f"{host}/{pid}/{born}", history.study)
    assert not driver.alive(f"{host}/{pid}/{int(born) + 1}", history.study)


def test_the_first_step_is_no_filter_unless_a_grid_has_told_it(make: Make) -> None:
    fresh = make()
    go_on(fresh, 1)
    assert fresh.trials()[0].params == {"threshold": 0.0}
    warm = make()
    warm.warm_up(lambda: [({"threshold": t}, worth({"threshold": t})) for t in (0.0, 0.5)])
    go_on(warm, 1)
    assert [t.user_attrs["source"] for t in warm.trials()] == ["grid", "grid", "search"]
    assert warm.trials()[2].params["threshold"] > 0
    assert warm.left() == 14, "a grid's records are no steps"


def test_a_grid_is_told_once(make: Make, tmp_path: Path) -> None:
    def rows() -> list[Any]:
        return [({"threshold": 0.5}, worth({"threshold": 0.5}))]

    for _ in range(2):
        history = make(place=tmp_path / "one.log")
        history.warm_up(rows)
        go_on(history, 1)
    assert [t.user_attrs["source"] for t in history.trials()] == ["grid", "search", "search"]
    cold = make("search.warm_start=false")
    cold.warm_up(rows)
    assert cold.trials() == []


def test_a_step_too_many_counts_for_nobody(make: Make, tmp_path: Path) -> None:
    """Two drivers that see one step left both ask for it."""
    one = make("search.steps=1", place=tmp_path / "both.log")
    two = make("search.steps=1", place=tmp_path / "both.log")
    assert one.ask() is not None
    assert two.ask() is None
    assert len(two.trials()) == 1
    assert len(two.study.trials) == 2


def test_a_result_told_twice_is_told_once(make: Make, tmp_path: Path) -> None:
    first = make(place=tmp_path / "twice.log")
    step = first.ask()
    assert step is not None
    second = make(place=tmp_path / "twice.log")
    second.tell(second.take_up(second.trials()[0]), worth(step.params))
    first.tell(step, Result((0.0, 0.0), "ok"))
    assert [t.value for t in second.trials()] == [pytest.approx(worth(step.params).value)]


def test_a_setting_without_a_value_is_told_as_failed(make: Make, tmp_path: Path) -> None:
    history = make("search.steps=3")
    for told in (Result((0.5, None), "diverged", "the loss is not finite"), Result((0.5, 0.7), "starved", "too few")):
        step = history.ask()
        assert step is not None
        history.tell(step, told)
    assert [t.state for t in history.trials()] == [TrialState.FAIL, TrialState.COMPLETE]
    winner = best(history)
    assert winner is not None
    assert winner.values == [0.6], "starved, but measured: its value counts"


def test_a_step_that_failed_is_tried_again_by_the_next_run(make: Make, tmp_path: Path) -> None:
    """No memory, no disk: that says nothing about the setting, so nobody is told a value."""

    class Bench:
        """A machine that is out of memory for one setting."""

        def __init__(self, full: float) -> None:
            self.full = full

        def evaluate(self, settings: list[dict[str, Any]]) -> list[Result]:
            known = Artifact(
                {"validation": np.array([[1, 1]]), "validation_labels": np.array([1, 0])},
                {"status": "ok", "reason": ""},
            )
            bad = result([known, None], ["", "MemoryError: no more\n\ntraceback"])
            return [bad if s["threshold"] == self.full else worth(s) for s in settings]

    said: list[str] = []
    journal = tmp_path / "failed.log"
    first = Searcher(make("search.steps=3", place=journal), Bench(0.0), 1, said.append)
    while first.batch():
        pass
    assert first.failures == {0: "MemoryError: no more"}
    assert said[0] == "step 0 failed: MemoryError: no more"
    assert [t.state.name for t in first.history.trials()] == ["RUNNING", "COMPLETE", "COMPLETE"]
    second = Searcher(make("search.steps=3", place=journal), Bench(-1.0), 1, said.append)
    while second.batch():
        pass
    assert [t.state.name for t in second.history.trials()] == ["COMPLETE"] * 3
    assert second.history.trials()[0].params == {"threshold": 0.0}


def test_a_result_is_paired_or_none() -> None:
    ok = Artifact(
        {"validation": np.array([[1, 1], [1, 0]]), "validation_labels": np.array([1, 0])},
        {"status": "starved", "reason": "too few", "candidates": [4, 8]},
    )
    none = Artifact({}, {"status": "diverged", "reason": "the loss is not finite"})
    both = result([ok, ok], [])
    assert (both.value, both.status, both.reason, both.cost) == (0.75, "starved", "too few", 6)
    half = result([ok, none], [])
    assert (half.accuracies, half.value, half.status, half.cost) == ((0.75, None), None, "diverged", None)


def test_of_equal_values_the_lowest_threshold_wins(make: Make) -> None:
    history = make("search.warm_start=true")
    flat = Result((0.5, 0.5), "ok")
    history.warm_up(lambda: [({"threshold": t}, flat) for t in (0.7, 0.2, 0.0, 0.9)])
    winner = best(history)
    assert winner is not None
    assert winner.params == {"threshold": 0.0}
    assert without_filter(history, winner) is not None


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_two_objectives_and_several_steps_at_a_time(make: Make, tmp_path: Path, sampler: str) -> None:
    history = make("search.objectives=[accuracy, cost]", f"search.sampler={sampler}", "search.steps=6", parallel=True)
    for _ in range(2):
        steps = [history.ask() for _ in range(3)]
        for step in steps:
            assert step is not None
            history.tell(step, worth(step.params))
    assert len({t.params["threshold"] for t in history.trials()}) == 6
    folder = SearchFolder(tmp_path)
    facts = folder.write(history, journal=True, finished=True)
    winner = best(history)
    assert winner is not None
    assert facts["best"]["value"] == max(t.values[0] for t in history.trials())
    assert facts["importances"] is None, "one path explains everything there is"


def test_a_grid_sampler_takes_every_point_once(make: Make) -> None:
    space = "search.space={threshold: {low: 0, high: 0.4, step: 0.1}, n_gen: [5, 6]}"
    history = make(space, "search.sampler=grid")
    go_on(history)
    points = [(t.params["threshold"], t.params["n_gen"]) for t in history.trials()]
    assert points == [(pytest.approx(t / 10), n) for t in range(5) for n in (5, 6)]


def test_importances_name_what_matters(make: Make, tmp_path: Path) -> None:
    history = make("search.space={threshold: [0, 1], n_gen: [1, 6]}", "search.steps=20", "search.sampler=random")
    go_on(history)
    shares = SearchFolder(tmp_path).write(history, journal=True, finished=True)["importances"]
    assert shares["threshold"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)


def test_a_journal_cut_short_is_repaired(make: Make, tmp_path: Path) -> None:
    journal = tmp_path / "cut.log"
    go_on(make(place=journal), 3)
    with open(journal, "ab") as file:
        file.write(b'{"op_code":4,"worker_id":"lost with the power')
    again = make(place=journal)
    go_on(again, 1)
    assert len(again.trials()) == 4


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("search.db", "search.storage search.db: must be a URL, e.g. sqlite:///search.db or "
         "postgresql+psycopg://user@host/database"),
        ("://x", "search.storage ://x: is no URL of a database; write it like postgresql+psycopg://user@host/database"),
        ("mysql+pymysql://me:secret@there/db",
         "search.storage mysql+pymysql://me:***@there/db: needs the package pymysql, which is not installed; "
         "pip install pymysql"),
        ("sqlite:////nowhere/at/all.db",
         "search.storage sqlite:////nowhere/at/all.db: cannot be opened: unable to open database file"),
    ],
)  # fmt: skip
def test_storages_that_do_not_work_are_told_in_a_line(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        open_storage(url, tmp_path / "journal.log")
    assert str(error.value) == told


def test_a_lock_that_a_killed_driver_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a run folder is mostly a relative path
    monkeypatch.setattr("sweeps.search.storage.GRACE", 3)
    journal = Path("runs/x/journal.log")
    held = "import os, optuna.storages.journal as j; j.JournalFileOpenLock('runs/x/journal.log').acquire(); os._exit(9)"
    journal.parent.mkdir(parents=True)
    assert subprocess.run([sys.executable, "-c", held]).returncode == 9
    assert Path("runs/x/journal.log.lock").exists()
    assert open_storage(None, journal).get_all_studies() == []
    assert not Path("runs/x/journal.log.lock").exists()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "journal.log"
    journal.write_text("not a journal\n")
    with pytest.raises(UserError, match="is not the journal of a search"):
        open_storage(None, journal)


def test_passwords_are_hidden(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:se/cr:et@host:5432/db"
    assert hidden("postgresql+psycopg://me:secret@host:5432/db") == "postgresql+psycopg://me:***@host:5432/db"
    assert "secret" not in dashboard(url.replace("se/cr:et", "secret"), tmp_path)
    assert dashboard(None, Path("runs/x/journal.log")).endswith("optuna-dashboard runs/x/journal.log")
