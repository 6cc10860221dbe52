"""Many settings in one number: interquartile mean and probability of improvement, as rliable defines them.

Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS. Their
tasks are settings here, their runs are seeds. The estimates are theirs to the last digit; the intervals are
not: theirs resample seeds within each setting as if settings had nothing in common, but a study's settings
share seeds, hence real subsets, and such an interval covers as little as half of the time
(`docs/statistics.md`). Here a seed is one observation however many settings it has, and no random numbers are
needed.

- Interquartile mean: the error is the larger of the winsorised one (Tukey & McLaughlin 1963, Sankhyā A 25)
  and the delete-one-seed jackknife; t with one degree of freedom less than there are seeds inside the quartiles.
- Probability of improvement: a score interval on the Mann-Whitney statistic with the variance of Hanley & McNeil (1982,
  Radiology 143; Newcombe 2006, Statistics in Medicine 25, method 5), scaled by how much the settings
  tell beyond one another (DeLong et al. 1988, placements averaged per seed). It stays inside [0, 1], is no
  point when every seed agrees, and covers too much rather than too little.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from scipy.stats import trim_mean

_GRID = np.linspace(0, 1, 10_001)[1:-1]  # probabilities at which the score interval is looked up


@dataclass(frozen=True)
class Estimate:
    """value and its interval [low, high]; NaN bounds with one seed."""

    value: float
    low: float
    high: float


def _checked(scores: np.ndarray, name: str) -> np.ndarray:
    found = np.asarray(scores, float)
    if found.ndim != 2 or 0 in found.shape or not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite numbers (n_seeds, n_settings), got shape {found.shape}")
    return found


def interquartile_mean(scores: np.ndarray, level: float = 0.95) -> Estimate:
    """Mean of the middle half of `scores` (n_seeds, n_settings) float, in their units, all pooled.

    Row s is one seed in every setting. The interval is for new seeds; the settings are taken as given.
    ValueError for missing values: leave the seed or the setting out.
    """
    values = _checked(scores, "scores")
    n_seeds, cut = len(values), values.size // 4
    value = float(trim_mean(values, 0.25, axis=None))
    if n_seeds < 2:
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.sort(values, axis=None)[[cut, values.size - cut - 1]]
    winsorised = values.clip(low, high).mean(1).std(ddof=1) / np.sqrt(n_seeds) / (1 - 2 * cut / values.size)
    without = [trim_mean(np.delete(values, seed, 0), 0.25, axis=None) for seed in range(n_seeds)]
    jackknife = np.sqrt((n_seeds - 1) * np.var(without))
    inside = ((values >= low) & (values <= high)).any(1).sum()
    half = stdtrit(max(inside - 1, 1), (1 + level) / 2) * max(winsorised, jackknife)
    return Estimate(value, float(value - half), float(value + half))


def probability_of_improvement(arm: np.ndarray, control: np.ndarray, level: float = 0.95) -> Estimate:
    """Chance that a run of `arm` beats an independent run of `control`, ties half, averaged over settings.

    `arm`, `control`: float (n_seeds, n_settings), larger is better, row s being the same seed in both. The
    estimate takes every pair of runs, not only those of one seed (Mann & Whitney 1947); the interval uses that
    rows are paired. ValueError for missing values or shapes that differ.
    """
    ours, theirs = _checked(arm, "arm"), _checked(control, "control")
    if ours.shape != theirs.shape:
        raise ValueError(f"arm and control must have one shape, got {ours.shape} and {theirs.shape}")
    n_seeds, n_settings = ours.shape
    wins = (1 + np.sign(ours[:, None] - theirs[None])).mean(2) / 2  # (arm's seed, control's seed)
    value = float(wins.mean())
    if n_seeds < 2:
        return Estimate(value, float("nan"), float("nan"))
    # The variance that one setting of independent runs would have if the probability were g (Hanley & McNeil).
    g = _GRID
    one_setting = g * (1 - g) * (1 + (n_seeds - 1) * ((1 - g) / (2 - g) + g / (1 + g))) / n_seeds**2
    of_seeds = (wins.mean(1) + wins.mean(0)).var(ddof=1) / n_seeds
    settings_share = max(of_seeds / np.interp(value, g, one_setting), 1 / n_settings)
    critical = stdtrit(n_seeds - 1, (1 + level) / 2)
    inside = g[np.abs(g - value) <= critical * np.sqrt(settings_share * one_setting)]
    return Estimate(value, float(inside.min(initial=value)), float(inside.max(initial=value)))  # may be none: many runs
