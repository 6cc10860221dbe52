"""From the store to the run folder: what is finished, as tables, pictures and a summary."""

import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.files import put
from ganaug.records import FACTORS
from ganaug.stages import Assess, Measure, TrainImages
from sweeps import samples
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.run_folder import GeneratorRow, Row, RunFolder, of_generator, write_json
from sweeps.semi import controls as semi_controls
from sweeps.store import Cost, Store
from sweeps.study import Study
from sweeps.study_file import to_yaml


def _controls(study: Study) -> list[str]:
    """The kinds of control that a study has beside its settings."""
    return semi_controls(study) if study.semi else list(study.controls.wanted(study.primary is not None))


def claims_of(study: Study) -> dict[str, Any]:
    """What a summary says of the study's question: all that verdicts rest on, beside the records."""
    return {
        "factors": study.factors,
        "primary": study.primary,
        "controls": {
            "arms": _controls(study),
            "of": study.controls.of,
            "classic_da": study.controls.classic(study.factors["clf_da"]),
        },
        "margin_points": study.margin_points,
        **({"seeds": study.seeds.model_dump()} if study.seeds else {}),
    }


def generator_key(measure: Measure) -> str | None:
    """The key of the generator a cell draws from, if any."""
    generator = generator_of(measure)
    return generator.key if generator else None


def by_kind(cost: Cost) -> Cost:
    """A cost with the seconds of each kind of stage added up: what the tables tell, and a tenth of the memory."""
    sums: dict[str, float] = {}
    for kind, seconds in cost.values():
        sums[kind] = sums.get(kind, 0.0) + seconds
    return {kind: (kind, seconds) for kind, seconds in sums.items()}


TOLD = ("predictions", "validation", "validation_labels", "snapshots")  # a record's arrays that tables hold


def _light(record: Artifact) -> Artifact:
    """A record without what no table tells: of 10^5 cells that would be half a gigabyte."""
    arrays = {name: record.arrays[name].copy() for name in TOLD if name in record.arrays}  # a view keeps all the file
    if "validation_labels" in arrays:
        arrays["validation_labels"] = arrays["validation_labels"].astype(np.uint16)
    return Artifact(arrays, {sys.intern(k): v for k, v in record.facts.items() if k != "losses"})


def rows_of(grid: Grid, store: Store, failures: dict[str, str]) -> list[Row]:
    """A row for every cell that is finished or has failed; reading verifies, and sets damaged records aside."""
    rows = []
    for (key, measure), found in zip(grid.measures.items(), store.load_many(grid.measures.values()), strict=True):
        if found is not None:
            record, cost = found
            rows.append(Row(key, grid.factors[key], _light(record), by_kind(cost), generator=generator_key(measure)))
        elif key in failures:
            rows.append(Row(key, grid.factors[key], None, {}, failures[key], generator_key(measure)))
    return rows


def _generator_rows(grid: Grid, store: Store) -> list[GeneratorRow]:
    """What is known of every generator, under the factors that made it."""
    rows = []
    for key, factors in grid.generators.items():
        found = store.load(grid.assessments[key]) if key in grid.assessments else None
        if found is not None:
            rows.append(GeneratorRow(key, of_generator(factors), found[0].facts))
    return rows


def unreadable(grid: Grid, store: Store) -> list[Assess]:
    """The assessments that are not stored whole; reading verifies, and sets damaged ones aside."""
    asked = list(grid.assessments.values())
    return [a for a, found in zip(asked, store.load_many(asked), strict=True) if found is None]


def _classifier_curves(rows: list[Row]) -> list[dict[str, Any]]:
    """Per cell whose study watched its classifiers learn: its factors, and the curve of each classifier."""
    return [
        {"cell": row.key, "factors": row.factors, "curves": row.record.facts["curves"]}
        for row in rows
        if row.record is not None and "curves" in row.record.facts
    ]


def write_folder(
    grid: Grid, store: Store, folder: RunFolder, rows: list[Row], extra: dict[str, Any], failures: dict[str, str]
) -> dict[str, Any]:
    """The run folder's files but the report; returns the summary. `failures`: of cells and assessments, by key."""
    study, test = grid.study, grid.test
    put(folder.study, to_yaml(study).encode())
    data = {"dataset": study.dataset.name, "stands_in_for": study.stands_in_for}
    folder.write_tables(rows, test.arrays["labels"], test.facts["classes"], [*FACTORS, *study.paths], data)
    generators = _generator_rows(grid, store)
    folder.write_generators(generators, test.facts["classes"], [*FACTORS, *study.paths])
    train = store.load(TrainImages(grid.digest))
    alone = study.measure == "generators"
    groups: list[tuple[dict[str, Any], dict[str, Any]]] = []
    curves: list[dict[str, Any]] = []
    if train and alone:
        groups, curves = samples.of_generators(generators, grid, store, train[0])
    elif train:
        groups, curves = samples.collect(rows, grid.cells, grid.measures, store, train[0])
    folder.write_samples(groups)
    folder.write_semi(rows)
    write_json(folder.curves, curves)
    if watched := _classifier_curves(rows):
        write_json(folder.classifier_curves, watched)
    of_assessments = {a.key: failures[a.key] for a in grid.assessments.values() if a.key in failures}
    write_json(folder.failures, {r.key: r.failure for r in rows if r.failure} | of_assessments)
    if alone:
        counts = Counter([*(g.facts["status"] for g in generators), *("failed" for _ in of_assessments)])
        missing = len(grid.assessments) - len(generators) - len(of_assessments)
    else:
        counts = Counter(r.record.facts["status"] if r.record else "failed" for r in rows)
        missing = len(grid.measures) - len(rows)
    told = [g.facts for g in generators] if alone else [r.record.facts for r in rows if r.record]
    notes = Counter(note for facts in told for note in facts.get("notes", ()))
    summary = {
        "study": study.name,
        "question": study.question,
        "dataset": study.dataset.name,
        "digest": grid.digest,
        "stand_in": f"{study.dataset.name} for {study.stands_in_for}" if study.stands_in_for else None,
        "variant": study.variant,
        "synthetic": test.facts["synthetic"],
        **({"skipped_images": len(skipped)} if (skipped := test.facts.get("skipped")) else {}),
        **({"notes": dict(notes)} if notes else {}),
        "fuse": study.fuse,
        "classes": test.facts["classes"],
        "image": test.facts["shape"],
        "status": "partial" if missing or counts["failed"] else "complete",
        "measure": study.measure,
        "ranking": study.ranking.model_dump() if alone else None,
        "claims": [claim.model_dump(mode="json") for claim in study.claims],
        "cells": {"total": len(grid.asked)}
        | {s: counts[s] for s in ("ok", "starved", "diverged", "failed")}
        | {"missing": missing},
        **claims_of(study),
        "validation_per_class": study.dataset.validation_per_class,
        "store": store.uri,
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
