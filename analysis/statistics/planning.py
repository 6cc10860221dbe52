"""How many seeds would settle it, and what the seeds at hand could have seen.

Power of the paired t-test by the noncentral t distribution, power of TOST by integrating over the sampling
distribution of the standard deviation (Phillips 1990, J. Pharmacokinetics and Biopharmaceutics 18). The
standard deviation comes from a pilot, so the answer is as uncertain as it: n goes with its square, and five
seeds know that to a factor of about 2 (two times in three). The interval is the one of the standard deviation
(chi-square), carried through.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, nctdtr, ndtr, stdtrit

from analysis.statistics.moments import moments

_NODES = 500  # midpoints of the sd's distribution in `equivalence_power`: four digits
_MOST_SEEDS = 10**6  # beyond it no number of seeds is a plan


@dataclass(frozen=True)
class SeedsNeeded:
    """n seeds in all, its interval [low, high] (ints; `high` and n stop at 1,000,000), and how many `more`
    than those at hand.
    """

    n: int
    low: int
    high: int
    more: int


def power(effect: float, sd: float, n_seeds: int, level: float = 0.95) -> float:
    """Chance that a two-sided paired t-test over `n_seeds` ≥ 2 differences of mean `effect` and standard
    deviation `sd` > 0 is significant, either sign, in [0, 1].
    """
    df, shift = n_seeds - 1, abs(effect) / sd * np.sqrt(n_seeds)
    critical = stdtrit(df, (1 + level) / 2)
    wrong_sign = nctdtr(df, shift, -critical) if shift < 6 else 0.0  # below 1e-9 there, and scipy's may be NaN
    return float(1 - nctdtr(df, shift, critical) + wrong_sign)


def equivalence_power(margin: float, sd: float, n_seeds: int, level: float = 0.95) -> float:
    """Chance that TOST over `n_seeds` ≥ 2 differences shows "inside ±margin" where the true mean is 0."""
    df, error = n_seeds - 1, sd / np.sqrt(n_seeds)
    found = error * np.sqrt(chdtri(df, (np.arange(_NODES) + 0.5) / _NODES) / df)  # standard errors one may see
    room = np.maximum(margin - stdtrit(df, level) * found, 0)  # |mean| has to be smaller than this
    return float((2 * ndtr(room / error) - 1).mean())


def minimum_detectable_effect(sd: float, n_seeds: int, power_wanted: float = 0.8, level: float = 0.95) -> float:
    """The smallest true mean difference that a paired t-test over `n_seeds` ≥ 2 seeds finds with this power.

    `sd` > 0 of the paired differences (ddof 1); the result has its units. ValueError outside these ranges.
    """
    if not (sd > 0 and n_seeds >= 2 and 1 - level < power_wanted < 1):
        raise ValueError(
            f"sd must be > 0, n_seeds ≥ 2 and power in (1 - level, 1), got {sd}, {n_seeds} and {power_wanted}"
        )
    most = stdtrit(n_seeds - 1, (1 + level) / 2) + stdtrit(n_seeds - 1, power_wanted) + 10
    in_errors = brentq(lambda shift: power(shift / np.sqrt(n_seeds), 1.0, n_seeds, level) - power_wanted, 0, most)
    return float(in_errors * sd / np.sqrt(n_seeds))


def _smallest(enough: Callable[[float, int], bool], sd: float) -> int:
    """The smallest n in [2, _MOST_SEEDS] that is enough; more seeds never make less power."""
    below, above = 1, 2
    while above < _MOST_SEEDS and not enough(sd, above):
        below, above = above, min(2 * above, _MOST_SEEDS)
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if enough(sd, middle) else (middle, above)
    return above


def _planned(differences: np.ndarray, enough: Callable[[float, int], bool], level: float) -> SeedsNeeded | None:
    found = moments(np.asarray(differences, float).ravel())
    if not found.testable:
        return None
    df, sd = int(found.df), float(found.sd)
    squares = df * sd**2
    ends = [np.sqrt(squares / chdtri(df, tail)) for tail in ((1 - level) / 2, (1 + level) / 2)]
    n, low, high = (_smallest(enough, float(one)) for one in (sd, *ends))
    return SeedsNeeded(n, low, high, max(n - int(found.n), 0))


def seeds_needed(
    differences: np.ndarray, effect_points: float, power_wanted: float = 0.8, level: float = 0.95
) -> SeedsNeeded | None:
    """How many seeds in all would show a true effect of ±`effect_points` with this power.

    `differences` (n_seeds,) float in points, the pilot (NaN where a pair is missing); only their spread is
    used, never their mean. None with one seed or seeds that do not differ. ValueError for effect 0 or a power
    outside (1 - level, 1).
    """
    if not (abs(effect_points) > 0 and 1 - level < power_wanted < 1):
        raise ValueError(f"effect must not be 0 and power lie in (1 - level, 1), got {effect_points}, {power_wanted}")
    return _planned(differences, lambda sd, n: power(effect_points, sd, n, level) >= power_wanted, level)


def seeds_for_equivalence(
    differences: np.ndarray, margin_points: float, power_wanted: float = 0.8, level: float = 0.95
) -> SeedsNeeded | None:
    """How many seeds in all would show "no effect" (TOST inside ±`margin_points`) if there is none at all.

    Arguments, None and ValueError as in `seeds_needed`.
    """
    if not (margin_points > 0 and 0 < power_wanted < 1):
        raise ValueError(f"margin must be > 0 and power lie in (0, 1), got {margin_points} and {power_wanted}")
    return _planned(differences, lambda sd, n: equivalence_power(margin_points, sd, n, level) >= power_wanted, level)
