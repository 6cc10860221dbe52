"""Searching a study: ask, plan, run, tell, until the steps are done. The same command goes on where it was left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.errors import UserError
from sweeps.cluster.placement import GROWING_SLOTS
from sweeps.grid import open_grid
from sweeps.run import slots
from sweeps.search import driver, warm
from sweeps.search.evaluate import Bench
from sweeps.search.folder import SearchFolder
from sweeps.search.history import History, Result, Step
from sweeps.search.space import Search, corners, settle
from sweeps.search.storage import open_storage
from sweeps.store import Store
from sweeps.study import Study

Value = dict[str, Any]

POLL = 1.0  # seconds between looks at steps that other drivers run


@dataclass(frozen=True)
class Found:
    """What a search came to: search.json's facts, the settings that failed with their reasons, and whether the user
    stopped it."""

    facts: Value
    failures: dict[int, str]
    interrupted: bool = False


def settled(study: Study) -> Search:
    """The search of a study; UserError where it has none that works."""
    try:
        return settle(study)
    except ValueError as error:
        raise UserError(f"{study.name}: {error}") from None


def _checked_data(search: Search, data: Path, store: Store) -> str:
    """Import the data set; UserError where it is too small for some step. Returns its digest."""
    digest = ""
    for params in corners(search):
        digest = open_grid(search.study_at(params, (search.seeds[0],)), data, store).digest
    return digest


def _told(history: History, step: Step, result: Result) -> str:
    """A line about a finished step."""
    done = sum(t.state.is_finished() for t in history.trials("search"))
    what = ", ".join(
        f"{path} {value:.4g}" if isinstance(value, float) else f"{path} {value}" for path, value in step.params.items()
    )
    worth = result.status if result.value is None else f"validation {100 * result.value:.2f} %"
    odd = f" ({result.reason})" if result.status != "ok" else ""
    return f"step {done} of {history.search.steps}: {what}: {worth}{odd}, {result.seconds:.0f} s"


class Searcher:
    """One driver's loop over a search."""

    def __init__(self, history: History, bench: Bench, parallel: int, say: Callable[[str], None]) -> None:
        self.history, self.bench, self.parallel, self.say = history, bench, parallel, say
        self.failures: dict[int, str] = {}

    def _next(self) -> list[Step]:
        """Steps to run now: those that were left first, then new ones."""
        mine, _ = self.history.running()
        steps = [self.history.take_up(t) for t in mine if t.number not in self.failures][: self.parallel]
        while len(steps) < min(self.parallel, len(steps) + self.history.left()):
            step = self.history.ask()
            if step is None:
                break
            steps.append(step)
        return steps

    def batch(self) -> bool:
        """Run some steps; False where nothing is left to do for this driver or for others that live."""
        steps = self._next()
        if not steps:
            _, others = self.history.running()
            if others:
                time.sleep(POLL)
            return bool(others)
        results = self.bench.evaluate([step.params for step in steps])
        for step, result in zip(steps, results, strict=True):
            if result.status == "failed":  # no memory, no disk: it has no result, and the next run tries it again
                self.failures[step.number] = result.reason or "the trial died"
                self.say(f"step {step.number} failed: {self.failures[step.number]}")
                continue
            self.history.tell(step, result)
            self.say(_told(self.history, step, result))
        return True


def search(
    search: Search,
    out: Path,
    store: Store,
    data: Path,
    address: str | None,
    say: Callable[[str], None],
    parallel: int | None = None,
) -> Found:
    """Run what is left of a search, and write its files into the run folder `out`.

    `say` is told a line about every finished step. `parallel`: steps asked at a time, where the study does not say.
    """
    digest = _checked_data(search, data, store)
    folder = SearchFolder(out)
    storage = open_storage(search.spec.storage, folder.journal)
    trials = GROWING_SLOTS if address and not search.study.resources.workers else slots(search.study)
    at_a_time = search.spec.parallel or parallel or max(1, trials // len(search.seeds))
    history = History(search, digest, storage, at_a_time > 1)
    history.warm_up(lambda: warm.rows(search, digest, store))
    warmed = len(history.trials("grid"))
    before = sum(t.state.is_finished() for t in history.trials("search"))
    if warmed or before:
        say(f"{before} of {search.steps} steps done before, {warmed} settings known from a grid")
    journal = search.spec.storage is None
    interrupted = False
    with Bench(search, digest, store, address) as bench, driver.Alive(history.study):
        searcher = Searcher(history, bench, at_a_time, say)
        try:
            while searcher.batch():
                folder.write(history, journal, finished=False)
        except KeyboardInterrupt:
            interrupted = True
    finished = not (interrupted or searcher.failures or history.left())
    return Found(folder.write(history, journal, finished), searcher.failures, interrupted)
