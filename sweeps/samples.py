"""Images for the report's sheets: real, kept and rejected ones of a few generators, read back from the store."""

from typing import Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.filters.calibration import by_class
from ganaug.recipe import Cell
from ganaug.split import split as make_split
from ganaug.stages import FitGan, Pool
from sweeps.plan import generator_of
from sweeps.run_folder import Row
from sweeps.store import Store

PER_CLASS = 8
GROUPS = 4


def _first(images: np.ndarray, probabilities: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per class the first images under a mask, padded with black and NaN: (classes, m, C, H, W), (classes, m)."""
    shown = np.zeros((len(images), PER_CLASS, *images.shape[2:]), np.uint8)
    scores = np.full((len(images), PER_CLASS), np.nan, np.float32)
    for label in range(len(images)):
        at = np.flatnonzero(mask[label])[:PER_CLASS]
        shown[label, : len(at)] = images[label, at]
        scores[label, : len(at)] = probabilities[label, at]
    return shown, scores


def _group(store: Store, train: Artifact, generator: FitGan, cell: Cell) -> dict[str, np.ndarray] | None:
    fit, chunk = store.load(generator), store.load(Pool(generator, 0, cell.pool.chunk))
    if fit is None or chunk is None:
        return None
    images = chunk[0].arrays["images"]
    probabilities = by_class(chunk[0].arrays["scores"], fit[0].facts["calibration"])
    passed = probabilities >= cell.threshold
    kept, kept_score = _first(images, probabilities, passed)
    rejected, rejected_score = _first(images, probabilities, ~passed)
    parts = make_split(train, cell.n_real, cell.n_validation, cell.seed).arrays
    own = parts["real"].reshape(len(images), cell.n_real, *images.shape[2:])
    real = np.zeros_like(kept)
    real[:, : min(PER_CLASS, cell.n_real)] = own[:, :PER_CLASS]
    return {
        "real": real, "kept": kept, "kept_score": kept_score, "rejected": rejected, "rejected_score": rejected_score,
    }  # fmt: skip


def collect(
    rows: list[Row], cells: dict[str, Cell], measures: dict[str, Any], store: Store, train: Artifact
) -> tuple[list[tuple[dict[str, Any], dict[str, np.ndarray]]], list[dict[str, Any]]]:
    """Sheets of up to four generators of the first seed, at their highest threshold; loss curves of every generator."""
    groups: list[tuple[dict[str, Any], dict[str, np.ndarray]]] = []
    curves: dict[str, dict[str, Any]] = {}
    shown: set[str] = set()
    first_seed = min((r.factors["seed"] for r in rows), default=0)
    for row in sorted(rows, key=lambda r: -(r.factors["threshold"] or 0)):
        generator = generator_of(measures[row.key])
        if generator is None or row.record is None:
            continue
        of_generator = {k: v for k, v in row.factors.items() if k not in ("n_gen", "threshold", "clf_da")}
        if generator.key not in curves:
            fit = store.load(generator)
            if fit is None:
                continue
            curves[generator.key] = {"key": generator.key, **of_generator, "losses": fit[0].facts["losses"]}
        if len(shown) < GROUPS and generator.key not in shown and row.factors["seed"] == first_seed:
            group = _group(store, train, generator, cells[row.key])
            if group is not None:
                shown.add(generator.key)
                groups.append(({**of_generator, "threshold": row.factors["threshold"]}, group))
    return groups, list(curves.values())
