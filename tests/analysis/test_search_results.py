"""A search read back: its numbers, what is said of them, its figures, and its part of the report."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_run import write_run
from made_search import CONTRASTS
from matplotlib.figure import Figure
from scipy import stats

import analysis
from analysis import report
from analysis.figures.search import (
    pareto_front,
    search_history,
    search_importances,
    search_values,
    shown_of_search,
)
from analysis.finding import headline
from analysis.found import NOT_SHOWN_BETTER, WORSE
from analysis.pictures import _inputs
from analysis.search import Search
from ganaug.errors import UserError

SMALL: dict[str, Any] = {"n_real": [10], "n_gen": [0, 200], "threshold": [0.0, 0.5], "seed": [5, 6, 7]}
BOTH = {"objectives": ["accuracy", "cost"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    return analysis.load(write_run(tmp_path_factory.mktemp("searched"), factors=SMALL, search=BOTH))


@pytest.fixture
def searched(tmp_path: Path) -> Callable[..., analysis.Run]:
    """`searched(**of write_search)` writes a run with a search and loads it."""
    return lambda **search: analysis.load(write_run(tmp_path / "run", factors=SMALL, search=search))


def of(run: analysis.Run) -> Search:
    assert run.search is not None
    return run.search


def test_a_run_without_a_search_has_none(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors=SMALL)
    assert run.search is None
    assert analysis.search_finding(run) == []
    assert list(shown_of_search(run)) == []
    with pytest.raises(ValueError, match=r"^search_values: there is nothing to draw, the run has no search$"):
        analysis.search_values(run)


def test_the_finished_steps_with_their_intervals(run: analysis.Run) -> None:
    search = of(run)
    rows = search.finished
    assert len(search.trials) == 17
    assert len(rows) == 15, "one failed, one runs"
    assert rows["number"].is_monotonic_increasing
    values = search.trials.loc[search.trials["number"].eq(4), "accuracies"].item()
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    row = rows[rows["number"].eq(4)].iloc[0]
    assert (row["low"], row["high"]) == (pytest.approx(100 * low), pytest.approx(100 * high))
    assert row["accuracy"] == pytest.approx(100 * np.mean(values))
    best = [max(rows["accuracy"][: i + 1]) for i in range(len(rows))]
    np.testing.assert_allclose(rows["best"], best)


def test_one_seed_has_no_interval() -> None:
    trials = pd.DataFrame([{"number": 0, "state": "complete", "source": "search", "value": 0.8, "accuracies": [0.8]}])
    assert np.isnan(Search(trials, {}).finished["low"].item())


def test_the_front_is_what_no_other_beats(run: analysis.Run) -> None:
    search = of(run)
    rows, front = search.finished, search.front
    pairs = rows[["cost", "accuracy"]].to_numpy(float)
    beaten = [((pairs <= [cost, np.inf]) & (pairs >= [0, accuracy])).all(1).sum() > 1 for cost, accuracy in pairs]
    assert set(front["number"]) == set(rows.loc[~np.array(beaten), "number"])
    assert 1 < len(front) < len(rows)


def test_paths_come_by_importance(searched: Callable[..., analysis.Run]) -> None:
    search = of(searched(importances={"threshold": 0.1, "filter.name": 0.9}))
    assert search.paths == ["filter.name", "threshold"]
    assert list(search.importances) == ["filter.name", "threshold"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("search.json", "search: search.json is missing; run the study again to write the folder anew"),
        ("trials.parquet", "search: trials.parquet is missing; run the study again to write the folder anew"),
    ],
)
def test_half_a_search_says_what_is_missing(run: analysis.Run, tmp_path: Path, name: str, words: str) -> None:
    shutil.copytree(run.folder, tmp_path / "half")
    (tmp_path / "half" / "search" / name).unlink()
    with pytest.raises(UserError) as refusal:
        _ = analysis.load(tmp_path / "half").search
    assert str(refusal.value) == f"{tmp_path / 'half'}/{words}"


def test_damage_names_the_file(run: analysis.Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "torn")
    own = tmp_path / "torn" / "search"
    (own / "search.json").write_text("[]")
    with pytest.raises(UserError, match=r"search\.json: must hold a mapping, got list$"):
        _ = analysis.load(tmp_path / "torn").search
    pd.DataFrame({"number": [0]}).to_parquet(own / "trials.parquet")
    with pytest.raises(UserError, match=r"must have the columns number, state, .*; state, source, value, .* missing$"):
        _ = analysis.load(tmp_path / "torn").search


def unfiltered(low: float, high: float) -> dict[str, Any]:
    found = {"delta_points": (low + high) / 2, "interval": [low, high], "verdict": "", "n_seeds": 5}
    return {"contrasts": CONTRASTS | {"unfiltered": found}}


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (unfiltered(-0.5, 1.1), NOT_SHOWN_BETTER),
        (unfiltered(0.0, 1.1), NOT_SHOWN_BETTER),
        (unfiltered(float("nan"), float("nan")), NOT_SHOWN_BETTER),
        (unfiltered(0.2, 1.1), "The best threshold is better than none."),
        (unfiltered(-2.0, -0.1), WORSE),
        (unfiltered(0.2, 1.1) | {"best": {"threshold": 0.0}}, NOT_SHOWN_BETTER),
    ],
)
def test_the_first_sentence_is_whether_a_filter_is_worth_it(
    searched: Callable[..., analysis.Run], search: dict[str, Any], words: str
) -> None:
    assert analysis.search_finding(searched(**search))[0] == words


def test_the_winner_is_told_with_its_warning_and_its_confirmation(run: analysis.Run) -> None:
    best = of(run).best
    assert best is not None
    said = analysis.search_finding(run)
    assert said[1] == (
        f"Best setting: threshold {best['params']['threshold']:.4g}, filter.name agreement, with "
        f"{100 * best['value']:.1f} % of the validation images right over 3 seeds (80.3 % with threshold 0). "
        "Validation images chose it, and the highest of many is flattered: this number is optimistic."
    )
    assert said[2] == (
        "Confirmed on 5 fresh seeds and on the test images, none of which any step saw: +2.1 points [+0.8, +3.4] "
        "against real images only; +1.4 points [+0.2, +2.6] against classic augmentation; +0.3 points [−0.5, +1.1] "
        "against unfiltered generated images; +1.9 points [+0.6, +3.2] against duplicated real images."
    )
    assert (
        said[3]
        == "12 steps (tpe) over threshold, filter.name, and 3 settings that a grid had run already; 1 step failed."
    )


def test_what_is_not_confirmed_is_not_claimed(searched: Callable[..., analysis.Run]) -> None:
    said = analysis.search_finding(searched(contrasts={}, finished=False, steps=12))
    assert said[1] == "It has not been confirmed on fresh seeds yet, so nothing is claimed of it."
    assert said[-1].endswith("; the search is not finished, it is to have 12 steps.")


def test_a_search_without_a_finished_step_says_so(run: analysis.Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "young")
    own = tmp_path / "young" / "search"
    trials = pd.read_parquet(own / "trials.parquet")
    trials[trials["state"].ne("complete")].to_parquet(own / "trials.parquet")
    facts = json.loads((own / "search.json").read_text())
    (own / "search.json").write_text(json.dumps(facts | {"best": None, "none": None, "importances": None}))
    summary = json.loads((own.parent / "summary.json").read_text())
    (own.parent / "summary.json").write_text(json.dumps(summary | {"best": None}))
    young = analysis.load(own.parent)
    assert analysis.search_finding(young) == [
        "No step has finished yet.",
        "0 steps (tpe) over threshold, filter.name; 1 step failed.",
    ]
    assert search_values(young) is search_history(young) is search_importances(young) is pareto_front(young) is None
    with pytest.raises(ValueError, match=r"nothing to draw, no step of the search has finished$"):
        analysis.search_history(young)


def test_the_values_are_the_steps(run: analysis.Run) -> None:
    ax = analysis.search_values(run, "threshold", Figure().add_subplot())
    rows = of(run).finished
    drawn = {
        (round(float(line.get_xdata()[0]), 9), round(float(line.get_ydata()[0]), 9)): line.get_marker()
        for line in ax.lines
        if line.get_marker() in ("o", "s")
    }
    wanted = {
        (round(t, 9), round(a, 9)): "s" if source == "grid" else "o"
        for t, a, source in zip(rows["threshold"], rows["accuracy"], rows["source"], strict=True)
    }
    assert drawn == wanted
    star = [line for line in ax.lines if line.get_marker() == "*"]
    best = of(run).best
    assert best is not None
    assert [float(line.get_xdata()[0]) for line in star] == [pytest.approx(best["params"]["threshold"])]


def test_names_stand_on_an_axis_too(run: analysis.Run) -> None:
    ax = analysis.search_values(run, "filter.name", Figure().add_subplot())
    assert [text.get_text() for text in ax.get_xticklabels()] == ["agreement", "discriminator"]
    with pytest.raises(ValueError, match=r"path must be one that was searched \(threshold, filter.name\), got 'n_gen'"):
        analysis.search_values(run, "n_gen")


def test_the_history_is_the_best_so_far(run: analysis.Run) -> None:
    ax = analysis.search_history(run, Figure().add_subplot())
    assert any(np.array_equal(np.asarray(line.get_ydata(), float), of(run).finished["best"]) for line in ax.lines)


def test_importances_and_front_are_drawn_where_there_are_some(
    run: analysis.Run, searched: Callable[..., analysis.Run]
) -> None:
    bars = analysis.search_importances(run, Figure().add_subplot()).patches
    assert [round(bar.get_width()) for bar in bars] == [83, 17]  # type: ignore[attr-defined]
    ax = analysis.pareto_front(run, Figure().add_subplot())
    assert any(len(line.get_xdata()) == len(of(run).front) for line in ax.lines)
    one = searched(space={"threshold": [0.0, 1.0]})
    assert search_importances(one) is None
    assert pareto_front(one) is None, "accuracy was the only objective"
    with pytest.raises(ValueError, match=r"^search_importances: .* the search tells no importances$"):
        analysis.search_importances(one)


def test_the_report_shows_the_search(run: analysis.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {name: figure for name, figure, *_ in shown_of_search(run)}
    assert list(figures) == ["search_values", "search_history", "search_importances", "pareto_front"]
    assert None not in figures.values()
    monkeypatch.setattr(report, "pictures", lambda *arguments: [])
    text = analysis.write_report(run).read_text()
    assert '<a href="#search">Search</a>' in text
    assert f"<strong>{NOT_SHOWN_BETTER}</strong>" in text
    assert "Steps of the search" in text
    assert "Search and confirmation" in text


def test_hostile_names_of_a_search_are_escaped(
    searched: Callable[..., analysis.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "pictures", lambda *arguments: [])
    evil = "<img src=x onerror=alert(1)>$\\frac{"
    run = searched(best={"filter.name": evil}, sampler=evil)
    text = analysis.write_report(run).read_text()
    assert "onerror" in text
    assert "<img" not in text
    trials = of(run).trials.assign(**{"filter.name": evil})
    drawn = analysis.search_values(renamed(run, trials), "filter.name", Figure().add_subplot())
    drawn.get_figure(root=True).savefig(run.folder / "evil.png")  # type: ignore[union-attr]  # it is no formula


def renamed(run: analysis.Run, trials: pd.DataFrame) -> analysis.Run:
    """The run with other trials."""
    trials.to_parquet(run.folder / "search" / "trials.parquet")
    return analysis.load(run.folder)


def test_figures_are_drawn_again_when_the_search_went_on(searched: Callable[..., analysis.Run]) -> None:
    run = searched()
    before = _inputs(run, headline(run))
    after = renamed(run, of(run).trials.iloc[:-3])
    assert _inputs(after, headline(after)) != before
