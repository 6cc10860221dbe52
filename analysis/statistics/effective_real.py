"""How many real images an arm is worth: "300 real + 1,000 generated ≈ 352 real [318, 401]".

The yardstick is the learning curve of real images alone. The estimate is where the mean curve (isotonic, then
monotone PCHIP in log n; Barlow et al. 1972, Fritsch & Carlson 1980) reaches the arm's mean accuracy. Where the
curve is flat there, the geometric middle of the flat part.

The interval inverts a paired t-test: it holds every n at which the arm's accuracy and the *seed's own* curve,
interpolated to n, cannot be told apart over seeds. At the true n that test is an ordinary paired t-test,
whatever the curve's slope, so the interval covers as the t-test does (the argument of Fieller 1954); a bootstrap
over a handful of seeds does not, see `docs/statistics.md`. Real subsets of one seed are nested, which is why a
seed's curve, and no mean, is what its arm is compared with. Nothing is said beyond the measured sizes: an end
there is *censored* and reads "≤ 100" or "≥ 500".
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression
from scipy.special import stdtrit

from analysis.statistics.moments import moments

_GRID = 1001  # sizes looked at, evenly spaced in log n; ends are interpolated between them


@dataclass(frozen=True)
class EffectiveReal:
    """effective_real and [low, high]: real images (per class, as `n_real` is), within the measured sizes.

    `below`, `above`: the estimate is only known to be at most (at least) what `effective_real` says;
    `censored_low`, `censored_high`: the same of the interval's ends. `per_generated` with its interval is the
    exchange rate (effective_real - n_real) / n_gen, bounded by the same flags; NaN without generated images.
    Seeds: those that have the arm and a curve. With one, low and high are NaN.
    """

    effective_real: float
    low: float
    high: float
    below: bool
    above: bool
    censored_low: bool
    censored_high: bool
    per_generated: float
    per_generated_low: float
    per_generated_high: float
    n_seeds: int

    def __str__(self) -> str:
        estimate = f"{'≤ ' * self.below}{'≥ ' * self.above}{self.effective_real:,.0f}"
        if np.isnan(self.low):
            return f"{estimate} (no interval)"
        return f"{estimate} [{'≤ ' * self.censored_low}{self.low:,.0f}, {'≥ ' * self.censored_high}{self.high:,.0f}]"


def _mean_curve(log_sizes: np.ndarray, real_only: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The monotone mean curve at the grid, sizes weighted by their seeds."""
    counts = (~np.isnan(real_only)).sum(1)
    there = counts > 0
    fitted = isotonic_regression(np.nanmean(real_only[there], axis=1), weights=counts[there]).x
    return PchipInterpolator(log_sizes[there], fitted, extrapolate=False)(grid)


def _own_curves(log_sizes: np.ndarray, real_only: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(grid, seeds): each seed's accuracies interpolated, NaN outside the sizes that it has."""
    curves = np.full((len(grid), real_only.shape[1]), np.nan)
    for seed, accuracies in enumerate(real_only.T):
        there = ~np.isnan(accuracies)
        if there.sum() >= 2:
            curves[:, seed] = PchipInterpolator(log_sizes[there], accuracies[there], extrapolate=False)(grid)
    return curves


def _crossing(grid: np.ndarray, values: np.ndarray, level: float) -> tuple[float, bool, bool]:
    """Where a non-decreasing curve reaches `level` (the middle of a flat part), and whether below or above it."""
    below, above = bool(level < values[0]), bool(level > values[-1])
    if below or above:
        return float(grid[0] if below else grid[-1]), below, above
    first = np.interp(level, *_strictly_rising(values, grid, keep_last=False))
    last = np.interp(level, *_strictly_rising(values, grid, keep_last=True))
    return float((first + last) / 2), False, False


def _strictly_rising(values: np.ndarray, grid: np.ndarray, keep_last: bool) -> tuple[np.ndarray, np.ndarray]:
    """One grid point for each value: the last or the first that has it."""
    order = slice(None, None, -1) if keep_last else slice(None)
    unique, at = np.unique(values[order], return_index=True)
    return unique, grid[order][at]


def _confidence_set(grid: np.ndarray, differences: np.ndarray, level: float) -> tuple[float, float, bool, bool]:
    """Hull of the grid points where arm - curve, (grid, seeds), is not significant, and which ends are open."""
    found = moments(differences)
    usable = found.n > 1
    if not usable.any():
        return float("nan"), float("nan"), False, False
    grid = grid[usable]
    half = stdtrit(found.df[usable], (1 + level) / 2) * found.error[usable]
    lower, upper = found.mean[usable] - half, found.mean[usable] + half  # of the arm's gain over n real images

    def edge(bound: np.ndarray, accepted: np.ndarray, at: int, outside: int) -> float:
        """The zero of `bound` between the outermost accepted point and its neighbour outside."""
        other = at + outside
        if not 0 <= other < len(grid) or not accepted.any():
            return float(grid[at])
        step = bound[other] / (bound[other] - bound[at])
        return float(grid[other] + step * (grid[at] - grid[other]))

    not_above, not_below = lower <= 0, upper >= 0
    first = int(np.argmax(not_above)) if not_above.any() else len(grid) - 1
    last = len(grid) - 1 - int(np.argmax(not_below[::-1])) if not_below.any() else 0
    low, high = edge(lower, not_above, first, -1), edge(upper, not_below, last, 1)
    return min(low, high), max(low, high), bool(not_above[0]), bool(not_below[-1])


def effective_real(
    sizes: np.ndarray,
    real_only: np.ndarray,
    arm: np.ndarray,
    n_real: float,
    n_gen: float = 0,
    level: float = 0.95,
) -> EffectiveReal:
    """The number of real images alone that would have given the arm's accuracy.

    `sizes` (n_sizes,) > 0, rising; `real_only` (n_sizes, n_seeds) accuracies of the real images alone, NaN
    where missing; `arm` (n_seeds,) accuracies of the arm trained on `n_real` real images (and `n_gen`
    generated ones; 0 for an arm of augmentation alone), the same seeds in the same order, NaN where missing.
    ValueError for other shapes, fewer than two sizes, or when no seed has both an arm and a curve.
    """
    sizes, real_only, arm = np.asarray(sizes, float), np.asarray(real_only, float), np.asarray(arm, float)
    if sizes.ndim != 1 or len(sizes) < 2 or (np.diff(sizes) <= 0).any() or sizes[0] <= 0:
        raise ValueError(f"sizes must be two or more rising positive numbers, got {sizes.tolist()}")
    if arm.ndim != 1 or real_only.shape != (len(sizes), len(arm)):
        raise ValueError(f"real_only must be (n_sizes, n_seeds) {(len(sizes), len(arm))}, got {real_only.shape}")
    paired = ~np.isnan(arm) & ((~np.isnan(real_only)).sum(0) >= 2)
    if not paired.any():
        raise ValueError("no seed has both an accuracy of the arm and a real-only curve of two or more sizes")
    real_only, arm = real_only[:, paired], arm[paired]
    log_sizes = np.log(sizes)
    measured = log_sizes[(~np.isnan(real_only)).any(1)]
    grid = np.linspace(measured[0], measured[-1], _GRID)
    at, below, above = _crossing(grid, _mean_curve(log_sizes, real_only, grid), float(arm.mean()))
    differences = arm - _own_curves(log_sizes, real_only, grid)
    low, high, open_low, open_high = _confidence_set(grid, differences, level)
    # The estimate is of the smoothed curve, the interval of the raw ones: keep the one inside the other.
    ends = np.exp([at, np.minimum(low, at), np.maximum(high, at)]).round(9)  # exp(log(50)) is 50 again
    rates = (ends - n_real) / n_gen if n_gen > 0 else np.full(3, np.nan)
    return EffectiveReal(
        effective_real=float(ends[0]),
        low=float(ends[1]),
        high=float(ends[2]),
        below=below,
        above=above,
        censored_low=open_low or (below and not np.isnan(low)),
        censored_high=open_high or (above and not np.isnan(low)),
        per_generated=float(rates[0]),
        per_generated_low=float(rates[1]),
        per_generated_high=float(rates[2]),
        n_seeds=len(arm),
    )


def effective_real_curve(
    sizes: np.ndarray, real_only: np.ndarray, arm: np.ndarray, n_gen: float = 0, level: float = 0.95
) -> pd.DataFrame:
    """A row per size that the arm was measured at: `n_real`, then the fields of `EffectiveReal`.

    `arm` (n_sizes, n_seeds): accuracies of one arm at each of `sizes`, NaN where missing; with `n_gen` 0, the
    curve of classic augmentation alone. The rest, and ValueError, as in `effective_real`.
    """
    if np.shape(arm) != np.shape(real_only):
        raise ValueError(f"arm must have the shape of real_only {np.shape(real_only)}, got {np.shape(arm)}")
    rows = [
        {"n_real": size, **vars(effective_real(sizes, real_only, accuracies, size, n_gen, level))}
        for size, accuracies in zip(sizes, np.asarray(arm, float), strict=True)
        if (~np.isnan(accuracies) & ((~np.isnan(real_only)).sum(0) >= 2)).any()
    ]
    return pd.DataFrame(rows)
