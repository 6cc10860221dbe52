"""Paired deltas against the real-only control, and t-intervals over seeds.

A cell with generated images is compared with the control of the *same* n_real, clf_da, seed and every other
factor that a real-only cell can feel, so that what the split contributes cancels (a paired t-test, Student
1908). Intervals are 95 % two-sided t-intervals over seeds, with n_seeds - 1 degrees of freedom and ddof 1;
one seed has none (NaN). They cover real subsets and training, not the choice of test images, which all
seeds share. `points` are percentage points of accuracy.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t: its distribution function and its quantile

from analysis.factors import SELDOM, factors, generation_factors, is_control
from analysis.statistics.decision import decide_all
from analysis.statistics.looks import Looks
from analysis.statistics.sequential import decide_as_they_come
from ganaug.errors import UserError
from ganaug.records import TREATED

LEVEL = 0.95
NO_EFFECT_POINTS = 1.0  # the margin where a study states none


def usable(records: pd.DataFrame) -> pd.DataFrame:
    """The cells that have an accuracy: ok and starved. Diverged and failed ones never enter a statistic."""
    return records[records["status"].isin(["ok", "starved"]) & records["accuracy"].notna()]


def t_intervals(table: pd.DataFrame, by: Sequence[str], value: str, level: float = LEVEL) -> pd.DataFrame:
    """Mean of `value` and its t-interval for every group of `by` (nulls are levels).

    Columns: `by`, then n_seeds, df, mean, sd (ddof 1), half, low, high, p (two-sided, against 0). With one
    row in a group sd, half, low, high and p are NaN; p is NaN too where the rows do not differ at all.
    """
    groups = table.groupby(list(by), dropna=False, sort=False)[value]
    stats = groups.agg(["count", "mean", "std"]).reset_index()
    n = stats["count"].to_numpy(int)
    mean, sd = stats["mean"].to_numpy(float, na_value=np.nan), stats["std"].to_numpy(float, na_value=np.nan)
    sd = np.where(sd <= 1e-12 * np.maximum(1.0, np.abs(mean)), 0.0, sd)  # equal values, up to rounding
    df = n - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        error = sd / np.sqrt(n)
        half = np.where(df > 0, stdtrit(np.maximum(df, 1), (1 + level) / 2) * error, np.nan)
        p = np.where((df > 0) & (sd > 0), 2 * stdtr(np.maximum(df, 1), -np.abs(mean / error)), np.nan)
    found = {"n_seeds": n, "df": df, "mean": mean, "sd": np.where(df > 0, sd, np.nan), "half": half}
    return stats[list(by)].assign(**found, low=mean - half, high=mean + half, p=p)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values (Holm 1979), float (k,); a NaN is no test and stays NaN."""
    adjusted = np.full(len(p), np.nan)
    order = np.flatnonzero(~np.isnan(p))
    order = order[np.argsort(p[order], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def decisions(
    table: pd.DataFrame, by: Sequence[str], value: str, margin: float, looks: Looks | None = None
) -> pd.DataFrame:
    """`t_intervals` of a delta, with p_equivalence (inside ±margin) and the verdict of each group by itself.

    looks: of a study that adds seeds until it is decided; low, high, half and p are then those that hold under them.
    """
    table = table.sort_values("seed", kind="stable") if looks and "seed" in table else table
    stats = t_intervals(table, by, value)
    group = table.groupby(list(by), dropna=False, sort=False).ngroup().to_numpy()
    place = table.groupby(group, sort=False).cumcount().to_numpy()
    differences = np.full((len(stats), place.max(initial=-1) + 1), np.nan)
    differences[group, place] = table[value].to_numpy(float)
    found = decide_as_they_come(differences, margin, looks) if looks else decide_all(differences, margin)
    if looks:
        stats = stats.assign(**{name: found[name].to_numpy() for name in ("low", "high", "half", "p")})
    return stats.assign(p_equivalence=found["p_equivalence"].to_numpy(), verdict=found["verdict"].to_numpy())


def _of_the_question(records: pd.DataFrame) -> pd.DataFrame:
    """Real-only and generated cells; other controls are compared by `analysis.arms`."""
    return records[records["arm"].isin(["real-only", *TREATED])] if "arm" in records else records


def with_controls(treated: pd.DataFrame, controls: pd.DataFrame, shared: Sequence[str]) -> pd.DataFrame:
    """`treated` with the control of each row: `control` (its cell key), control_accuracy, delta_points, starved.

    A cell and its control agree in every factor of `shared`. One of a filter, a judge or the strength of augmentation
    may be null in the control alone, for there may be none that it acts on.
    """
    seldom = [name for name in shared if name.startswith((*SELDOM, "augmentation."))]
    own = {"cell": "control", "accuracy": "control_accuracy"} | {name: f"control {name}" for name in seldom}
    right = controls[[*shared, "cell", "accuracy"]].rename(columns=own)
    pairs = treated.merge(right, on=[name for name in shared if name not in seldom], how="inner")
    for name in seldom:
        theirs = pairs.pop(f"control {name}")
        agree = theirs.isna() | theirs.eq(pairs[name]).fillna(False).astype(bool)
        pairs = pairs[agree]
    return pairs.assign(
        delta_points=100 * (pairs["accuracy"] - pairs["control_accuracy"]),
        starved=pairs["status"].eq("starved").astype(bool),
    )


def paired_deltas(records: pd.DataFrame) -> pd.DataFrame:
    """A row per cell with generated images that has a control: every seed by itself.

    Columns: cell, the factors, control (the control's cell key), accuracy, control_accuracy (shares in [0,
    1]), delta_points (accuracy - control_accuracy, percentage points), starved (the cell's filter let too
    few through). Cells without a usable control, and diverged or failed ones, have no row.
    """
    records = _of_the_question(records)
    names = factors(records)
    matched = [name for name in names if name not in set(generation_factors(records))]
    found, control = usable(records), is_control(usable(records))
    controls = found[control]
    doubled = controls.duplicated(matched)
    if doubled.any():
        raise UserError(
            f"records.parquet: a setting must have one real-only control, "
            f"cell {controls.loc[doubled, 'cell'].iloc[0]} is a second one; run the study again"
        )
    pairs = with_controls(found.loc[~control, ["cell", *names, "accuracy", "status"]], controls, matched)
    columns = ["cell", *names, "control", "accuracy", "control_accuracy", "delta_points", "starved"]
    return pairs[columns].reset_index(drop=True)


def _with_counts(stats: pd.DataFrame, table: pd.DataFrame, records: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    starved = table.groupby(by, dropna=False, sort=False)["starved"].sum().reset_index(name="n_starved")
    rows = records.groupby(by, dropna=False, sort=False).size().reset_index(name="rows")
    stats = stats.merge(starved, on=by, how="left").merge(rows, on=by, how="left")
    stats["n_dropped"] = stats.pop("rows") - stats["n_seeds"]
    return stats


def accuracy_over_seeds(records: pd.DataFrame) -> pd.DataFrame:
    """A row per arm and setting (every factor but seed): mean accuracy and its t-interval over seeds, controls
    included.

    Columns: arm, the factors but seed, n_seeds, df, accuracy, sd, half, low, high (shares in [0, 1]), n_starved
    (seeds that starved), n_dropped (records of this setting without an accuracy).
    """
    by = [name for name in ("arm", *factors(records)) if name != "seed" and name in records]
    found = usable(records).assign(starved=lambda t: t["status"].eq("starved").astype(int))
    stats = t_intervals(found, by, "accuracy").drop(columns="p").rename(columns={"mean": "accuracy"})
    return _with_counts(stats, found, records, by)


def deltas_over_seeds(
    records: pd.DataFrame, margin: float = NO_EFFECT_POINTS, looks: Looks | None = None
) -> pd.DataFrame:
    """A row per contrast (a setting with generated images against its control): the mean paired delta over
    seeds.

    Columns: the factors but seed, n_seeds (pairs), df, delta_points, sd_points, half_points, low_points,
    high_points (percentage points), p (paired t-test), p_equivalence (the mean lies inside ±margin points),
    p_holm (p corrected over all rows), accuracy, control_accuracy (means over the same seeds, shares),
    n_starved, n_dropped (records of this setting without a usable pair), verdict (of the row alone,
    uncorrected; see `statistics.decision`, and with `looks` `statistics.sequential`).
    """
    records = _of_the_question(records)
    by = [name for name in factors(records) if name != "seed"]
    pairs = paired_deltas(records)
    stats = decisions(pairs, by, "delta_points", margin, looks).rename(columns={"mean": "delta_points"})
    stats = stats.rename(columns={name: f"{name}_points" for name in ("sd", "half", "low", "high")})
    stats["p_holm"] = holm(stats["p"].to_numpy(float))
    means = pairs.groupby(by, dropna=False, sort=False)[["accuracy", "control_accuracy"]].mean().reset_index()
    return _with_counts(stats.merge(means, on=by, how="left"), pairs, records, by)


def average_delta(records: pd.DataFrame) -> dict[str, Any] | None:
    """The one contrast that nobody chose: per seed the mean delta over all settings, then a t-interval over
    seeds.

    Only settings paired in every seed enter. Keys: n_settings, n_seeds, df, mean, half, low, high (points).
    None without such settings.
    """
    pairs = paired_deltas(records)
    if pairs.empty:
        return None
    by = [name for name in factors(records) if name != "seed"]
    seen = pairs.groupby(by, dropna=False, sort=False)["seed"].transform("nunique")
    whole = pairs[seen == pairs["seed"].nunique()]
    if whole.empty:
        return None
    per_seed = whole.groupby("seed")["delta_points"].mean().reset_index().assign(all=0)
    row = t_intervals(per_seed, ["all"], "delta_points").iloc[0].to_dict()
    n_settings = len(whole) // whole["seed"].nunique()
    return {"n_settings": n_settings, **{k: row[k] for k in ("n_seeds", "df", "mean", "half", "low", "high")}}
