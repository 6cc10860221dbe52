"""What unlabelled images are worth: each method against the supervised fit of the same body, labels and seed, and how
much of a gain comes from unequal updates.
"""

import pandas as pd

from analysis.arms import pairs_against
from analysis.factors import factors
from analysis.paired import t_intervals, usable
from analysis.run import Run

MATCHED = "supervised"


def method_column(run: Run, cells: pd.DataFrame) -> pd.Series:
    """What each cell was trained by: a method's name, or which of the supervised controls it is."""
    semi = cells["arm"].eq("semi-supervised")
    own = cells["semi.method"] if "semi.method" in cells else (run.semi or {}).get("method")
    steps = (run.semi or {}).get("fewer_steps")
    named = cells["arm"].map({"real-only": MATCHED, "fewer-updates": f"{MATCHED}, {steps} updates"})
    return named.where(~semi, own)


def settings_of(run: Run) -> list[str]:
    """The factors, beside labels per class, method and seed, at which cells of such a run differ."""
    skip = ("n_real", "n_gen", "threshold", "gan_da", "n_da", "clf_da", "seed", "semi.method")
    names = [name for name in factors(run.cells) if name not in skip]
    return [name for name in names if run.cells[name].nunique(dropna=True) > 1]


def semi_accuracies(run: Run) -> pd.DataFrame:
    """A row per usable cell: method, n_real, the settings that vary, seed, and `value`, its accuracy in percent."""
    found = usable(run.cells)
    found = found.assign(method=method_column(run, found), value=100 * found["accuracy"].astype(float))
    return found[["method", "n_real", *settings_of(run), "seed", "value"]].reset_index(drop=True)


def semi_means(run: Run) -> pd.DataFrame:
    """`t_intervals` of `semi_accuracies` over seeds: method, n_real, the settings that vary, mean, half, n_seeds, …"""
    return t_intervals(semi_accuracies(run), ["method", "n_real", *settings_of(run)], "value")


def gains(run: Run) -> pd.DataFrame:
    """A row per method and setting: what it gains against the matched control, against the one with fewer updates, and
    the part of the latter that the updates make, in points with t-intervals over seeds.

    Columns: method, n_real, the settings that vary, n_seeds, then `equal`, `fewer` and `updates`, each with `_low` and
    `_high`; `share`, mean of updates over mean of fewer (NaN where there is no gain to share out).
    """
    matched = pairs_against(run, "real-only")
    fewer = pairs_against(run, "fewer-updates")[["cell", "delta_points"]].rename(columns={"delta_points": "fewer"})
    pairs = matched.rename(columns={"delta_points": "equal"}).merge(fewer, on="cell", how="left")
    pairs = pairs.assign(method=method_column(run, pairs.assign(arm="semi-supervised")))
    pairs = pairs.assign(updates=pairs["fewer"] - pairs["equal"])
    by = ["method", "n_real", *settings_of(run)]
    table = t_intervals(pairs, by, "equal")[[*by, "n_seeds"]]
    for name in ("equal", "fewer", "updates"):
        own = t_intervals(pairs.dropna(subset=[name]), by, name)[[*by, "mean", "low", "high"]]
        own = own.rename(columns={"mean": name, "low": f"{name}_low", "high": f"{name}_high"})
        table = table.merge(own, on=by, how="left")
    return table.assign(share=(table["updates"] / table["fewer"]).where(table["fewer"] > 0))
