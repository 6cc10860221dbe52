"""Which classes are taken for which, and how generated images change that: from the predictions of every test image.

A confusion matrix counts test images by true and predicted class. Rows are normalised to shares of the true class,
so that a shift in percentage points is a difference of recalls (diagonal) or of confusions (off it). Shifts are
paired: the same seed, split and test images, with generated images and without.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t: its distribution function and its quantile

from analysis.factors import factors, fits, generation_factors, levels, pick, unfelt, varied, written
from analysis.paired import LEVEL, paired_deltas, usable
from analysis.run import Run
from analysis.statistics.moments import moments
from ganaug.records import ARMS, Arm


def class_names(run: Run) -> list[str]:
    """The names of the classes, in the order of their numbers in the predictions."""
    named = run.summary.get("classes")
    return [str(name) for name in named or range(int(run.predictions()["labels"].max()) + 1)]


def count_matrix(predicted: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts by true (row) and predicted (column) class, (n_classes, n_classes) int64.

    predicted: (classifier_seeds, n_test) classes, each test image counted once per classifier seed. labels: (n_test,).
    """
    pairs = labels.astype(np.int64)[None] * n_classes + predicted
    return np.bincount(pairs.ravel(), minlength=n_classes**2).reshape(n_classes, n_classes)


def shares(counts: np.ndarray) -> np.ndarray:
    """Rows of counts (..., K, K) as shares of their true class, float; NaN for a class without test images."""
    total = counts.sum(-1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)


def _one_setting(table: pd.DataFrame, what: str) -> None:
    left = [name for name in varied(table) if name in factors(table)]
    if left:
        told = " and ".join(f"{name} (one of {', '.join(map(written, levels(table, name)))})" for name in left)
        raise ValueError(f"{what}: where must leave one setting; give a level for {told}")


def confusion_counts(run: Run, where: Mapping[str, Any], arm: Arm = "generated") -> np.ndarray:
    """The confusion matrix of one setting of `arm`, summed over seeds: (K, K) int64, all 0 where nothing has a result.

    where: levels of the factors that vary; ValueError where it leaves several settings, and for an unknown arm.
    """
    if arm not in ARMS:
        raise ValueError(f"arm must be one of {', '.join(ARMS)}, got {arm!r}")
    found = usable(run.cells)
    found = found[found["arm"].eq(arm)]
    if arm in ("generated", "real-only"):
        found = found[found["cell"].isin(run.grid["cell"])]
    without = unfelt(run.grid, arm)
    for name, level in where.items():
        if name in found and name not in without:
            found = found[fits(found, name, level)]
    _one_setting(found, "confusion_counts")
    made, n_classes = run.predictions(), len(class_names(run))
    matrices = [count_matrix(made[cell], made["labels"], n_classes) for cell in found["cell"] if cell in made]
    return sum(matrices, np.zeros((n_classes, n_classes), np.int64))


def confusion_shifts(run: Run, where: Mapping[str, Any]) -> pd.DataFrame:
    """How often each true class is called each class with generated images against real only, paired by seed.

    where: levels of the factors that vary; ValueError where it leaves several contrasts. A row per true and predicted
    class, the diagonal (recall) included: true, predicted, control_share, share (means over seeds, in [0, 1] of the
    true class's test images), shift_points (100 · their difference), low, high (95 % t-interval over seeds, points;
    NaN for one seed), p (paired t-test, uncorrected; NaN where seeds do not differ), n_seeds. Empty without a pair.
    """
    columns = ["true", "predicted", "control_share", "share", "shift_points", "low", "high", "p", "n_seeds"]
    pairs = pick(paired_deltas(run.grid), where, generation_factors(run.grid))
    _one_setting(pairs, "confusion_shifts")
    made, names = run.predictions(), class_names(run)
    pairs = pairs[pairs["cell"].isin(made.keys()) & pairs["control"].isin(made.keys())]
    if pairs.empty:
        return pd.DataFrame(columns=columns)
    with_generated, control = (
        shares(np.stack([count_matrix(made[cell], made["labels"], len(names)) for cell in pairs[side]]))
        for side in ("cell", "control")
    )  # (n_seeds, K, K)
    found = moments(100 * np.moveaxis(with_generated - control, 0, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(found.df > 0, stdtrit(np.maximum(found.df, 1), (1 + LEVEL) / 2) * found.error, np.nan)
        t = np.abs(found.mean / found.error)
        p = np.where(found.testable, 2 * stdtr(np.maximum(found.df, 1), -t), np.nan)
    true, predicted = np.indices(found.mean.shape).reshape(2, -1)
    values = (control.mean(0), with_generated.mean(0), found.mean, found.mean - half, found.mean + half, p, found.n)
    table = {"true": np.array(names, object)[true], "predicted": np.array(names, object)[predicted]}
    table |= {name: value.ravel() for name, value in zip(columns[2:], values, strict=True)}
    return pd.DataFrame(table)


def worst_pairs(shifts: pd.DataFrame, most: int = 8) -> pd.DataFrame:
    """The off-diagonal rows of `confusion_shifts` that grew and that shrank most, half of `most` each, grown first."""
    off = shifts[shifts["true"].ne(shifts["predicted"]) & shifts["shift_points"].notna()]
    off = off.sort_values(["shift_points", "true", "predicted"], ascending=[False, True, True], kind="stable")
    grown = off[off["shift_points"] > 0].head(-(-most // 2))
    shrunk = off[off["shift_points"] < 0].tail(most // 2)
    return pd.concat([grown, shrunk], ignore_index=True)
