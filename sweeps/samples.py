"""Images for the report's sheets: real, kept and rejected ones of a few generators, read back from the store."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.filters.calibration import by_class
from ganaug.recipe import Cell
from ganaug.split import split as make_split
from ganaug.stages import Measure, Pool
from sweeps.plan import generator_of
from sweeps.run_folder import GeneratorRow, Row, of_generator
from sweeps.store import Store

if TYPE_CHECKING:
    from sweeps.grid import Grid

PER_CLASS = 8
GROUPS = 4
CODES = ("code_of", "matched_from", "matching", "information")
GENERATORS = 24  # of a study that measures them
AT_LEAST = 40  # images shown of a generator of few classes
TOLD = ("steps", "references", "imagenet")  # facts of an assessment that go with the losses


def _first(images: np.ndarray, probabilities: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per class the first images under a mask, padded with black and NaN: (classes, m, C, H, W), (classes, m)."""
    shown = np.zeros((len(images), PER_CLASS, *images.shape[2:]), np.uint8)
    scores = np.full((len(images), PER_CLASS), np.nan, np.float32)
    for label in range(len(images)):
        at = np.flatnonzero(mask[label])[:PER_CLASS]
        shown[label, : len(at)] = images[label, at]
        scores[label, : len(at)] = probabilities[label, at]
    return shown, scores


def _nearest(shown: np.ndarray, scores: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per image shown the nearest of its class's real training images, and how far: root mean square of grey levels.

    shown: (classes, m, C, H, W), its scores NaN where there is no image. real: (classes, n_real, C, H, W).
    """
    nearest, distance = np.zeros_like(shown), np.full(shown.shape[:2], np.nan, np.float32)
    for label, place in zip(*np.nonzero(~np.isnan(scores)), strict=True):
        apart = real[label].astype(np.float32) - shown[label, place]
        each = np.sqrt((apart**2).mean(axis=(1, 2, 3)))
        nearest[label, place], distance[label, place] = real[label, each.argmin()], each.min()
    return nearest, distance


def _group(
    store: Store, train: Artifact, measure: Measure, cell: Cell
) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    generator = generator_of(measure)
    assert generator is not None
    fit, chunk, record = store.load(generator), store.load(Pool(generator, 0, cell.pool.chunk)), store.load(measure)
    if fit is None or chunk is None or record is None:
        return None
    images = chunk[0].arrays["images"]
    probabilities = by_class(chunk[0].arrays["scores"], fit[0].facts["calibration"])
    passed = record[0].arrays["taken"]
    kept, kept_score = _first(images, probabilities, passed)
    rejected, rejected_score = _first(images, probabilities, ~passed)
    parts = make_split(train, cell.n_real, cell.n_validation, cell.seed).arrays
    own = parts["real"].reshape(len(images), cell.n_real, *images.shape[2:])
    real = np.zeros_like(kept)
    real[:, : min(PER_CLASS, cell.n_real)] = own[:, :PER_CLASS]
    nearest, nearest_distance = _nearest(kept, kept_score, own)
    facts = fit[0].facts
    told: dict[str, Any] = {k: facts[k] for k in ("snapshot_steps", "traversal_values") if k in facts}
    moved = {k: v for k, v in fit[0].arrays.items() if k == "traversal"}  # of an InfoGAN's continuous codes
    return moved | {
        "nearest": nearest, "nearest_distance": nearest_distance, "snapshots": fit[0].arrays["snapshots"],
        "real": real, "kept": kept, "kept_score": kept_score, "rejected": rejected, "rejected_score": rejected_score,
    }, told  # fmt: skip


def collect(
    rows: list[Row], cells: dict[str, Cell], measures: dict[str, Measure], store: Store, train: Artifact
) -> tuple[list[tuple[dict[str, Any], dict[str, np.ndarray]]], list[dict[str, Any]]]:
    """Sheets of up to four generators of the first seed, at their highest threshold; loss curves of every generator."""
    groups: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = []
    curves: dict[str, dict[str, Any]] = {}
    shown: set[str] = set()
    first_seed = min((r.factors["seed"] for r in rows), default=0)
    for row in sorted(rows, key=lambda r: -(r.factors["threshold"] or 0)):
        generator = generator_of(measures[row.key])
        if generator is None or row.record is None or "predictions" not in row.record.arrays:
            continue
        made_by = of_generator(row.factors)
        if generator.key not in curves:
            fit = store.load(generator)
            if fit is None:
                continue
            facts = fit[0].facts
            curves[generator.key] = {"key": generator.key, **made_by, "losses": facts["losses"]}
            if "matching" in facts:  # of an InfoGAN: what is known of its codes
                curves[generator.key]["codes"] = {k: facts[k] for k in CODES}
        if len(shown) < GROUPS and generator.key not in shown and row.factors["seed"] == first_seed:
            group = _group(store, train, measures[row.key], cells[row.key])
            if group is not None:
                shown.add(generator.key)
                told = {**made_by, "threshold": row.factors["threshold"], **group[1]}
                groups.append((told, group[0]))
    return groups, list(curves.values())


def _shown(train: Artifact, grid: "Grid", key: str, store: Store) -> tuple[dict[str, np.ndarray], list[int]] | None:
    """The first images of a generator's stream beside real ones; nothing is filtered, so nothing is rejected."""
    assessment = grid.assessments[key]
    cell, generator = grid.cells[assessment.key], assessment.generator
    fit, chunk, said = store.load(generator), store.load(Pool(generator, 0, cell.pool.chunk)), store.load(assessment)
    if fit is None or chunk is None or said is None or "snapshots" not in fit[0].arrays:
        return None
    images = chunk[0].arrays["images"]
    m = min(max(PER_CLASS, -(-AT_LEAST // len(images))), images.shape[1])
    kept = np.ascontiguousarray(images[:, :m])
    score = by_class(chunk[0].arrays["scores"], fit[0].facts["calibration"])[:, :m].astype(np.float32)
    parts = make_split(train, cell.n_real, cell.n_validation, cell.seed).arrays
    own = parts["real"].reshape(len(images), cell.n_real, *images.shape[2:])
    real = np.zeros_like(kept)
    real[:, : min(m, cell.n_real)] = own[:, :m]
    nearest, distance = _nearest(kept[:, :PER_CLASS], score[:, :PER_CLASS], own)
    beside: dict[str, np.ndarray] = {k: said[0].arrays[k] for k in ("marginal", "probabilities") if k in said[0].arrays}
    return {
        "real": real, "kept": kept, "kept_score": score, "rejected": np.zeros_like(kept),
        "rejected_score": np.full_like(score, np.nan), "snapshots": fit[0].arrays["snapshots"],
        "nearest": nearest, "nearest_distance": distance, **beside,
    }, fit[0].facts["snapshot_steps"]  # fmt: skip


def of_generators(
    rows: list[GeneratorRow], grid: "Grid", store: Store, train: Artifact
) -> tuple[list[tuple[dict[str, Any], dict[str, np.ndarray]]], list[dict[str, Any]]]:
    """The same of a study that measures generators: a sheet of each of the first seed, and beside every one's losses
    what its assessment says of steps, references and ImageNet's classes.
    """
    groups: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = []
    curves = []
    first_seed = min((r.factors["seed"] for r in rows), default=0)
    for row in rows:
        fit = store.load(grid.assessments[row.key].generator)
        told = {k: row.facts[k] for k in TOLD if k in row.facts}
        losses = fit[0].facts["losses"] if fit else {}
        curves.append({"key": row.key, **row.factors, "losses": losses, "assessed": told})
        if len(groups) < GENERATORS and row.factors["seed"] == first_seed:
            found = _shown(train, grid, row.key, store)
            if found is not None:
                groups.append(({**row.factors, "snapshot_steps": found[1]}, found[0]))
    return groups, curves
