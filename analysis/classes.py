"""Paired deltas class by class: whom generated images help, and whom they hurt."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.factors import factors, generation_factors, pick
from analysis.paired import paired_deltas, t_intervals
from analysis.run import Run


def per_class_deltas(run: Run, where: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row per contrast and class: the mean paired delta of that class's recall, t-interval over seeds.

    where: levels of factors to keep, e.g. one contrast. Columns: the factors but seed, class, n_seeds, df,
    delta_points, half_points, low_points, high_points (percentage points of the class's test images), p
    (paired t-test, uncorrected), accuracy, control_accuracy (shares).
    """
    pairs = paired_deltas(run.grid)
    pairs = pick(pairs, where or {}, generation_factors(run.grid))
    shares = run.per_class[["cell", "class"]].assign(share=run.per_class["correct"] / run.per_class["total"])
    names = [name for name in factors(run.grid) if name != "seed"]
    both = pairs[["cell", "control", *names]].merge(shares, on="cell")
    control = shares.rename(columns={"cell": "control", "share": "control_accuracy"})
    both = both.rename(columns={"share": "accuracy"}).merge(control, on=["control", "class"])
    both["delta_points"] = 100 * (both["accuracy"] - both["control_accuracy"])
    both = both[both["delta_points"].notna()]  # a class without test images has no recall
    by = [*names, "class"]
    stats = t_intervals(both, by, "delta_points").drop(columns="sd").rename(columns={"mean": "delta_points"})
    stats = stats.rename(columns={name: f"{name}_points" for name in ("half", "low", "high")})
    means = both.groupby(by, dropna=False, sort=False)[["accuracy", "control_accuracy"]].mean().reset_index()
    return stats.merge(means, on=by, how="left")
