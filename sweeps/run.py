"""Running a study: import, plan, execute, collect. The same command again does only what is missing."""

import os
import platform
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.gans.sides import check_side
from ganaug.recipe import Cell, recipe
from ganaug.records import FACTORS
from ganaug.specs import ProjectionSpec
from ganaug.stages import Measure, TrainImages
from sweeps import engine, samples
from sweeps.imports import import_dataset
from sweeps.plan import generator_of, plan
from sweeps.run_folder import Row, RunFolder, write, write_json
from sweeps.store import Store
from sweeps.study import Study, to_yaml

ATTEMPTS = 3  # damaged records are found when they are read, and made again in another round


@dataclass
class Grid:
    """A study's cells on its data: what is asked, and under which keys the answers lie."""

    study: Study
    digest: str
    test: Artifact
    factors: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)

    def stored(self, store: Store) -> set[str]:
        """Keys of the records and generators that need no work."""
        return store.keys("measure") | store.keys("fit_gan")

    def missing(self, store: Store) -> list[Measure]:
        have = store.keys("measure")
        return [m for k, m in self.measures.items() if k not in have]


def open_grid(study: Study, data: Path, store: Store) -> Grid:
    """Import the study's data set and lay out its cells; UserError where a class has too few images."""
    digest, test = import_dataset(study.dataset, data, store)
    grid = Grid(study, digest, test)
    _check_counts(study, store, digest)
    for factors, cell in study.cells(digest):
        if cell.n_gen and isinstance(cell.gan, ProjectionSpec):
            _check_side(test.facts["shape"][1])
        measure = recipe(cell)
        grid.factors[measure.key], grid.cells[measure.key], grid.measures[measure.key] = (
            factors,
            cell,
            measure,
        )
    return grid


def _check_side(side: int) -> None:
    try:
        check_side(side)
    except ValueError as error:
        raise UserError(f"gan: {error}; choose another dataset.size, or gan.name cgan") from None


def _check_counts(study: Study, store: Store, digest: str) -> None:
    from ganaug.split import split

    found = store.load(TrainImages(digest))
    if found is not None:
        split(found[0], max(study.factors["n_real"]), study.dataset.validation_per_class, 0)


def local_cpus(study: Study) -> int:
    """CPUs a local Ray is told of: the machine's, or as many as the stated number of workers needs."""
    workers, cpus = study.resources.workers, study.resources.cpus_per_trial
    return max(1, round(workers * cpus)) if workers else os.cpu_count() or 1


def slots(study: Study) -> int:
    """Trials that can run at a time on this machine's CPUs."""
    return max(1, int(local_cpus(study) / study.resources.cpus_per_trial))


def _execute(grid: Grid, store: Store, address: str | None, progress: Callable[[int], None]) -> engine.Outcome:
    """One round over what is missing."""
    outcome = engine.Outcome()
    with engine.cluster(address, local_cpus(grid.study)) as there:
        placement = engine.Placement.of(grid.study.resources, there)
        outcome.slots = placement.slots
        try:
            for wave in plan(grid.measures.values(), grid.stored(store), placement.slots):
                engine.run_wave(wave, store.root, store.root if address else None, placement, progress, outcome)
        except KeyboardInterrupt:
            outcome.interrupted = True
    return outcome


def _rows(grid: Grid, store: Store, failures: dict[str, str]) -> list[Row]:
    rows = []
    for key, measure in grid.measures.items():
        found = store.load(measure)
        if found is not None:
            rows.append(Row(key, grid.factors[key], *found))
        elif key in failures:
            rows.append(Row(key, grid.factors[key], None, {}, failures[key]))
    return rows


def write_folder(grid: Grid, store: Store, folder: RunFolder, rows: list[Row], extra: dict[str, Any]) -> dict[str, Any]:
    """The run folder's files but the report; returns the summary."""
    study, test = grid.study, grid.test
    write(folder.study, to_yaml(study).encode())
    folder.write_tables(rows, test.arrays["labels"], test.facts["classes"], [*FACTORS, *study.paths])
    train = store.load(TrainImages(grid.digest))
    groups, curves = samples.collect(rows, grid.cells, grid.measures, store, train[0]) if train else ([], [])
    folder.write_samples(groups)
    write_json(folder.curves, curves)
    write_json(folder.failures, {r.key: r.failure for r in rows if r.failure})
    counts = Counter(r.record.facts["status"] if r.record else "failed" for r in rows)
    missing = len(grid.measures) - len(rows)
    summary = {
        "study": study.name,
        "question": study.question,
        "dataset": study.dataset.name,
        "stand_in": None,
        "synthetic": test.facts["synthetic"],
        "classes": test.facts["classes"],
        "image": test.facts["shape"],
        "status": "partial" if missing or counts["failed"] else "complete",
        "cells": {"total": len(grid.measures)}
        | {s: counts[s] for s in ("ok", "starved", "diverged", "failed")}
        | {"missing": missing},
        "factors": study.factors,
        "store": str(store.root),
        "versions": {
            "python": platform.python_version(),
            **{p: version(p) for p in ("ganaug", "torch", "ray", "numpy")},
        },
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        **extra,
    }
    write_json(folder.summary, summary)
    return summary


def run(
    study: Study,
    out: Path,
    store: Store,
    data: Path,
    address: str | None,
    watch: Callable[[int, int], Callable[[int], None]],
) -> tuple[dict[str, Any], bool]:
    """Run what is missing of a study and write its run folder; the summary, and whether the user interrupted.

    `watch(total, missing)` is called once planning is done and returns the function that is told of finished cells.
    """
    began = time.monotonic()
    grid = open_grid(study, data, store)
    ran: Counter[str] = Counter()
    failures: dict[str, str] = {}
    outcome = engine.Outcome()
    rows = _rows(grid, store, failures)  # reading verifies: a damaged record is set aside here and made again below
    missing = len(grid.measures) - len(rows)
    progress = watch(len(grid.measures), missing)
    for _ in range(ATTEMPTS):
        if outcome.interrupted or len(rows) == len(grid.measures):
            break
        outcome = _execute(grid, store, address, progress)
        ran += outcome.ran
        failures |= outcome.failures
        rows = _rows(grid, store, failures)
    extra = {
        "computed": {k: ran[k] for k in ("fit_gan", "pool", "measure")},
        "reused": {"measure": len(grid.measures) - missing},
        "generators": len({g.key for m in grid.measures.values() if (g := generator_of(m))}),
        "seconds": round(time.monotonic() - began, 1),
        "workers": outcome.slots or slots(study),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    return write_folder(grid, store, RunFolder(out), rows, extra), outcome.interrupted
