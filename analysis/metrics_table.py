"""Does a metric of the generator tell how much its images will help? Rank correlations over the generators of a run.

Spearman's correlation between a metric and the paired gain in accuracy of the one cell per generator at a common
setting. The number of real images moves both, so a second correlation takes ranks within each n_real: what the metric
tells among generators that saw equally many images.

Generators of one seed share their split and test images, so they are no independent points. The interval is a
delete-one-seed jackknife of Fisher's z with n_seeds - 1 degrees of freedom (Tukey 1958; Hinkley 1977), never narrower
than Bonett & Wright's (2000, Psychometrika 65) for n independent generators. Few generators give a wide interval, and
it is shown. Of simulated generators (3 to 10 seeds, none or half of the spread shared by a seed) 96 to 99 % of the
intervals held the truth: they err on the wide side.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit  # quantiles of the normal distribution and of Student's t
from scipy.stats import rankdata

from analysis.factors import factors, generation_factors, is_level, levels, pick, varied
from analysis.paired import LEVEL, paired_deltas
from analysis.run import Run

METRICS = ("fid", "kid", "precision", "recall", "density", "coverage", "classifier_is")
LEAST_GENERATORS, LEAST_SEEDS = 4, 3  # below them there is no interval


def _most_common(table: pd.DataFrame, name: str) -> Any:
    options = levels(table, name)
    return max(options, key=lambda value: int(is_level(table[name], value).sum()))  # max keeps the first of equals


def one_cell_per_generator(run: Run, where: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Levels of the factors that a generator does not have, so that each is left with one cell: those of `where`, else
    of the contrast named before the run, else the ones with most pairs. No accuracy is looked at.
    """
    pairs = paired_deltas(run.grid)
    own = [n for n in factors(pairs) if n != "seed" and n not in run.generators.columns]
    chosen = {name: (where or {})[name] for name in own if name in (where or {})}
    for name in varied(pairs, besides=[n for n in factors(pairs) if n not in own or n in chosen]):
        asked = (run.primary or {}).get(name)
        found = asked is not None and bool(is_level(pairs[name], asked).any())
        chosen[name] = asked if found else _most_common(pairs, name)
    return chosen


def generator_gains(run: Run, where: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row per generator that has metrics and a paired cell: its columns of `run.generators` and delta_points, the
    gain in accuracy against real only (percentage points) of its cell at `one_cell_per_generator`.
    """
    if run.generators.empty or "generator" not in run.cells:
        return pd.DataFrame(columns=[*run.generators.columns, "delta_points"])
    pairs = pick(paired_deltas(run.grid), one_cell_per_generator(run, where), generation_factors(run.grid))
    gains = pairs[["cell", "delta_points"]].merge(run.cells[["cell", "generator"]], on="cell")
    return run.generators.merge(gains.drop(columns="cell"), on="generator", how="inner")


def _ranks(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Mid-ranks within each group, centred, float (n,)."""
    out = np.empty(len(values))
    for one in np.unique(group):
        ranks = rankdata(values[group == one])
        out[group == one] = ranks - ranks.mean()
    return out


def rank_correlation(x: np.ndarray, y: np.ndarray, group: np.ndarray | None = None) -> float:
    """Spearman's correlation (ties by mid-ranks) of x and y (n,), with ranks within `group` (n,) if given.

    In [-1, 1]; NaN where one of them does not vary.
    """
    group = np.zeros(len(x), int) if group is None else group
    a, b = _ranks(x, group), _ranks(y, group)
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float(np.clip((a * b).sum() / scale, -1, 1)) if scale > 0 else np.nan


def _z(r: float, n: int) -> float:
    most = 1 - 1 / n**2  # a perfect order of few generators is not infinitely much evidence
    return float(np.arctanh(np.clip(r, -most, most)))


def correlation_interval(
    x: np.ndarray, y: np.ndarray, seed: np.ndarray, group: np.ndarray | None = None
) -> tuple[float, float, float]:
    """`rank_correlation` and the ends of its 95 % interval (see the module); ends are NaN with fewer than 4 rows beyond
    the groups or 3 seeds. x, y float (n,), seed (n,) any labels.
    """
    r = rank_correlation(x, y, group)
    groups = 1 if group is None else len(np.unique(group))
    seeds, free = np.unique(seed), len(x) - groups + 1
    if np.isnan(r) or free < LEAST_GENERATORS or len(seeds) < LEAST_SEEDS:
        return r, np.nan, np.nan
    without = [seed != one for one in seeds]
    left = [rank_correlation(x[keep], y[keep], None if group is None else group[keep]) for keep in without]
    z = np.array([_z(r if np.isnan(value) else value, free) for value in left])
    jackknife = np.sqrt((len(seeds) - 1) / len(seeds) * ((z - z.mean()) ** 2).sum())
    tail = (1 + LEVEL) / 2
    half = max(stdtrit(len(seeds) - 1, tail) * jackknife, ndtri(tail) * np.sqrt((1 + r**2 / 2) / (free - 3)))
    return r, float(np.tanh(_z(r, free) - half)), float(np.tanh(_z(r, free) + half))


def gain_correlations(run: Run, where: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row per metric that varies: metric, n (generators), n_seeds, spearman, low, high, and within_n_real,
    within_low, within_high, the same with ranks within each n_real (NaN where n_real does not vary).

    where: the setting of the cells (see `one_cell_per_generator`). Empty where no generator has a metric and a gain.
    """
    gains, rows = generator_gains(run, where), []
    for metric in METRICS:
        if metric not in gains:
            continue
        found = gains[gains[metric].notna() & gains["delta_points"].notna()]
        if found[metric].nunique() < 2:
            continue
        x, y = found[metric].to_numpy(float), found["delta_points"].to_numpy(float)
        seed, group = found["seed"].to_numpy(), found["n_real"].to_numpy()
        several = len(np.unique(group)) > 1
        within = correlation_interval(x, y, seed, group) if several else (np.nan, np.nan, np.nan)
        values = (metric, len(found), len(np.unique(seed)), *correlation_interval(x, y, seed), *within)
        rows.append(values)
    names = ["metric", "n", "n_seeds", "spearman", "low", "high", "within_n_real", "within_low", "within_high"]
    return pd.DataFrame(rows, columns=names)
