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
from ganaug.stages import Assess, Measure, TrainImages
from sweeps import announce, engine, samples, trackers
from sweeps.imports import import_dataset
from sweeps.plan import Leaf, generator_of, plan
from sweeps.run_folder import GeneratorRow, Row, RunFolder, of_generator, write, write_json
from sweeps.scalars import Ledger
from sweeps.store import Store
from sweeps.study import Study
from sweeps.study_file import to_yaml

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
    assessments: dict[str, Assess] = field(default_factory=dict)  # by their generator's key

    def leaves(self) -> list[Leaf]:
        """All that is asked for: records, and what the generators are worth by themselves."""
        return [*self.measures.values(), *self.assessments.values()]

    def stored(self, store: Store) -> set[str]:
        """Keys of the records, assessments and generators that need no work."""
        return store.keys("measure") | store.keys("fit_gan") | store.keys("assess")

    def unassessed(self, store: Store) -> list[Assess]:
        have = store.keys("assess")
        return [a for a in self.assessments.values() if a.key not in have]

    def missing(self, store: Store) -> list[Measure]:
        have = store.keys("measure")
        return [m for k, m in self.measures.items() if k not in have]


def open_grid(study: Study, data: Path, store: Store) -> Grid:
    """Import the study's data set and lay out its cells; UserError where a class has too few images."""
    digest, test = import_dataset(study.dataset, data, store)
    grid = Grid(study, digest, test)
    _check_counts(study, store, digest)
    # whatever the cells' classifiers learn from, a generator's judge learns from real images
    judge = study.classifier.model_copy(update={"include_real": True, "include_validation": False})
    for factors, cell in study.cells(digest):
        if cell.n_gen and isinstance(cell.gan, ProjectionSpec):
            _check_side(test.facts["shape"][1])
        measure = recipe(cell)
        grid.factors[measure.key], grid.cells[measure.key], grid.measures[measure.key] = (
            factors,
            cell,
            measure,
        )
        generator = generator_of(measure)
        if generator is not None and study.assess is not None:
            grid.assessments.setdefault(generator.key, Assess(generator, study.pool, judge, study.assess))
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
        split(found[0], max([*study.factors["n_real"], *study.controls.curve]), study.dataset.validation_per_class, 0)


def local_cpus(study: Study) -> int:
    """CPUs a local Ray is told of: the machine's, or as many as the stated number of workers needs."""
    workers, cpus = study.resources.workers, study.resources.cpus_per_trial
    return max(1, round(workers * cpus)) if workers else os.cpu_count() or 1


def slots(study: Study) -> int:
    """Trials that can run at a time on this machine's CPUs."""
    return max(1, int(local_cpus(study) / study.resources.cpus_per_trial))


def _execute(
    grid: Grid, store: Store, address: str | None, progress: Callable[[int], None], track: tuple[str, ...], told: Path
) -> engine.Outcome:
    """One round over what is missing; the trackers of `track` keep what they are told of it in the folder `told`."""
    outcome = engine.Outcome()
    with engine.cluster(address, local_cpus(grid.study), trackers.environment(track)) as there:
        from sweeps.tell import Tell

        ledger = Ledger(grid, Store(store.root, read_only=True))
        placement = engine.Placement.of(grid.study.resources, there)
        outcome.slots = placement.slots
        try:
            for wave in plan(grid.leaves(), grid.stored(store), placement.slots):
                listeners = [Tell(track, told, ledger, wave)] if track else []
                scratch = store.root if address else None
                engine.run_wave(wave, store.root, scratch, placement, progress, outcome, listeners)
        except KeyboardInterrupt:
            outcome.interrupted = True
    return outcome


def _generator_key(measure: Measure) -> str | None:
    generator = generator_of(measure)
    return generator.key if generator else None


def _rows(grid: Grid, store: Store, failures: dict[str, str]) -> list[Row]:
    rows = []
    for key, measure in grid.measures.items():
        found = store.load(measure)
        if found is not None:
            rows.append(Row(key, grid.factors[key], *found, generator=_generator_key(measure)))
        elif key in failures:
            rows.append(Row(key, grid.factors[key], None, {}, failures[key], _generator_key(measure)))
    return rows


def _generator_rows(grid: Grid, store: Store) -> list[GeneratorRow]:
    """What is known of every generator, under the factors that made it."""
    rows = {}
    for key, measure in grid.measures.items():
        generator = generator_of(measure)
        if generator is not None and generator.key not in rows and generator.key in grid.assessments:
            found = store.load(grid.assessments[generator.key])
            if found is not None:
                rows[generator.key] = GeneratorRow(generator.key, of_generator(grid.factors[key]), found[0].facts)
    return list(rows.values())


def write_folder(grid: Grid, store: Store, folder: RunFolder, rows: list[Row], extra: dict[str, Any]) -> dict[str, Any]:
    """The run folder's files but the report; returns the summary."""
    study, test = grid.study, grid.test
    write(folder.study, to_yaml(study).encode())
    folder.write_tables(rows, test.arrays["labels"], test.facts["classes"], [*FACTORS, *study.paths])
    folder.write_generators(_generator_rows(grid, store), test.facts["classes"], [*FACTORS, *study.paths])
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
        "digest": grid.digest,
        "stand_in": None,
        "synthetic": test.facts["synthetic"],
        "classes": test.facts["classes"],
        "image": test.facts["shape"],
        "status": "partial" if missing or counts["failed"] else "complete",
        "cells": {"total": len(grid.measures)}
        | {s: counts[s] for s in ("ok", "starved", "diverged", "failed")}
        | {"missing": missing},
        "factors": study.factors,
        "primary": study.primary,
        "controls": {
            "arms": list(study.controls.wanted(study.primary is not None)),
            "of": study.controls.of,
            "classic_da": study.controls.classic(study.factors["clf_da"]),
        },
        "margin_points": study.margin_points,
        "validation_per_class": study.dataset.validation_per_class,
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
    track: tuple[str, ...] = (),
) -> tuple[dict[str, Any], bool]:
    """Run what is missing of a study and write its run folder; the summary, and whether the user interrupted.

    `watch(total, missing)` is called once planning is done and returns the function that is told of finished cells.
    `track` names experiment trackers, as `trackers.chosen` gives them.
    """
    began = time.monotonic()
    grid = open_grid(study, data, store)
    ran: Counter[str] = Counter()
    failures: dict[str, str] = {}
    outcome = engine.Outcome()
    rows = _rows(grid, store, failures)  # reading verifies: a damaged record is set aside here and made again below
    missing = len(grid.measures) - len(rows)
    announce.begin(RunFolder(out), grid, store, done=len(rows))
    progress = watch(len(grid.measures), missing)
    for _ in range(ATTEMPTS):
        assessed = all(a.key in failures for a in grid.unassessed(store))
        if outcome.interrupted or (assessed and len(rows) == len(grid.measures)):
            break
        outcome = _execute(grid, store, address, progress, track, RunFolder(out).tracking)
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
    summary = write_folder(grid, store, RunFolder(out), rows, extra)
    announce.end(RunFolder(out))
    return summary, outcome.interrupted
