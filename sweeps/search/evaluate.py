"""What a setting is worth: its cells on the validation images of every search seed, from the store or through Ray."""

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from ganaug.artifact import Artifact
from ganaug.recipe import Cell, recipe, validation
from ganaug.records import Status
from ganaug.stages import Validate
from sweeps import engine
from sweeps.cluster.placement import Placement
from sweeps.plan import plan
from sweeps.run import local_cpus
from sweeps.search.history import Result
from sweeps.search.space import Search
from sweeps.search.workers import Workers
from sweeps.store import Store

Value = dict[str, Any]

_WORST: tuple[Status, ...] = ("failed", "diverged", "starved", "ok")


def cells(search: Search, dataset: str, params: Mapping[str, Any]) -> list[Cell]:
    """A setting's cell for every search seed, in the order of the seeds."""
    found = {cell.seed: cell for _, cell in search.study_at(params, search.seeds).cells(dataset)}
    return [found[seed] for seed in search.seeds]


def known(store: Store, cell: Cell) -> Artifact | None:
    """What is stored of a cell's validation: its own artifact, or what a grid's record says of validation images."""
    found = store.load(validation(cell)) or store.load(recipe(cell))
    return None if found is None else found[0]


def result(found: list[Artifact | None], failures: list[str], seconds: float = 0.0) -> Result:
    """One setting's result from its cells' artifacts; None among them is a cell that failed, for one of the reasons."""
    from ganaug.records import validation_accuracy

    accuracies: list[float | None] = []
    statuses: list[Status] = []
    reasons = [f.splitlines()[0] for f in failures if f]
    costs: list[float] = []
    for artifact in found:
        facts: Value = artifact.facts if artifact else {"status": "failed", "reason": ""}
        arrays = artifact.arrays if artifact else {}
        has = "validation" in arrays
        accuracies.append(validation_accuracy(arrays["validation"], arrays["validation_labels"]) if has else None)
        statuses.append(facts["status"])
        reasons += [facts["reason"]] if facts["reason"] else []
        if facts.get("candidates"):
            costs.append(sum(facts["candidates"]) / len(facts["candidates"]))
    status = next(s for s in _WORST if s in statuses)
    cost = sum(costs) / len(costs) if len(costs) == len(found) else None
    return Result(tuple(accuracies), status, reasons[0] if reasons and status != "ok" else "", cost, seconds)


class Bench:
    """Evaluates settings. Ray is started by the first one that needs work, and stays until the bench is closed."""

    def __init__(self, search: Search, dataset: str, store: Store, address: str | None) -> None:
        self.search, self.dataset, self.store, self.address = search, dataset, store, address
        self.outcome = engine.Outcome()
        self._workers: Workers | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _ready(self) -> Workers:
        if self._workers is None:
            cluster = engine.cluster(self.address, local_cpus(self.search.study), {})
            there = self._stack.enter_context(cluster)
            placement = Placement.of(self.search.study.resources, there, self.search.study.fuse == "on")
            if there.grows:
                from sweeps.cluster.lookout import Lookout

                self._workers = Workers(self.store.uri, placement, Lookout(self.store, placement).look)
            else:
                self._workers = Workers(self.store.uri, placement)
        return self._workers

    def _run(self, leaves: list[Validate]) -> None:
        """Make what is missing of these leaves; adds to `outcome`."""
        stored = set().union(*(self.store.keys(kind) for kind in ("validate", "fit_gan", "fit_judge")))
        missing = [leaf for leaf in leaves if leaf.key not in stored]
        if not missing:
            return
        workers = self._ready()
        for wave in plan(missing, stored, workers.placement.slots, together=workers.placement.together):
            workers.run_wave(wave, self.outcome)

    def evaluate(self, settings: list[Value]) -> list[Result]:
        """The results of several settings, which run beside each other."""
        began = time.monotonic()
        asked = [cells(self.search, self.dataset, params) for params in settings]
        found = [[known(self.store, cell) for cell in own] for own in asked]
        self._run(
            [
                validation(c)
                for own, have in zip(asked, found, strict=True)
                for c, h in zip(own, have, strict=True)
                if h is None
            ]
        )
        results = []
        seconds = (time.monotonic() - began) / len(settings)
        for own, have in zip(asked, found, strict=True):
            now = [h or known(self.store, c) for c, h in zip(own, have, strict=True)]
            failures = [self.outcome.failures.get(validation(c).key, "") for c in own]
            results.append(result(now, failures, seconds))
        return results
