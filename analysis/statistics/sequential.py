"""From paired differences that come seed by seed to one of the four words, looking after every seed.

The same words as in `analysis.statistics.decision`, by tests that may be looked at as often as there are seeds
(`analysis.statistics.looks`): *helps* and *hurts* by the two-sided t-test, *no effect* by two one-sided ones against
±margin (Schuirmann 1987), each with its own boundary. The interval is the repeated confidence interval of the same
boundary (Jennison & Turnbull 1989, J. R. Stat. Soc. B 51), cut to what all looks so far have in common: it lies above 0
exactly when the two-sided test has said so.

*No effect* ends a contrast only when the seeds still to come are unlikely (`FUTILE`) to turn it to helps or hurts: a
small gain inside the margin is both, and twenty seeds would call it *helps*. Waiting costs no error rate.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from analysis.statistics.looks import Looks
from analysis.statistics.moments import moments

FUTILE = 0.1
"""Chance, foreseen from the seeds at hand, that the last look says helps or hurts."""


def _prefixes(differences: np.ndarray) -> tuple[np.ndarray, ...]:
    """n, mean and sd (settings, n_seeds) of the first differences up to each place; missing ones are left out."""
    columns = [moments(differences[:, : k + 1]) for k in range(differences.shape[1])]
    return tuple(np.stack([getattr(found, name) for found in columns], 1) for name in ("n", "mean", "sd"))


def _foreseen(n: np.ndarray, mean: np.ndarray, sd: np.ndarray, looks: Looks, level: float) -> np.ndarray:
    """Chance that |mean| over all `looks.last` seeds lies beyond the last boundary, the sd staying as it is.

    The mean of all is t-distributed about the present one, with sd sqrt(1/n - 1/last); the usual flat prior.
    """
    bar = stdtrit(looks.last - 1, 1 - level / 2) * sd / np.sqrt(looks.last)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sd * np.sqrt(1 / n - 1 / looks.last)
        return stdtr(n - 1, (mean - bar) / spread) + stdtr(n - 1, (-mean - bar) / spread)


@dataclass(frozen=True)
class Course:
    """How it went, look by look: every field is (settings, n_seeds), after the first differences up to each place.

    words: text. low, high: what the intervals of all looks so far have in common; half: of this look alone. seen: where
    there was a look, and seeds that differ.
    """

    words: np.ndarray
    n: np.ndarray
    mean: np.ndarray
    half: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    p_equivalence: np.ndarray
    seen: np.ndarray


def course(differences: np.ndarray, margin: float, looks: Looks, alpha: float = 0.05) -> Course:
    """Every look at `differences` (settings, n_seeds) in the order of the seeds, NaN where a pair is missing.

    ValueError for another shape, more differences than looks, or a margin that is not positive.
    """
    if np.ndim(differences) != 2:
        raise ValueError(f"differences must be (settings, n_seeds), got {np.ndim(differences)} dimensions")
    if not margin > 0:
        raise ValueError(f"margin must be > 0, got {margin}")
    n, mean, sd = _prefixes(np.asarray(differences, float))
    if n.max(initial=0) > looks.last:
        raise ValueError(f"there must be at most {looks.last} differences, as planned, got {n.max()}")
    weight, df = looks.weights(n), np.maximum(n - 1, 1)
    seen = (weight > 0) & (sd > 0)
    level = looks.level(alpha)

    def smallest(p: np.ndarray) -> np.ndarray:
        """Over the looks so far, of p / weight; NaN where there was none."""
        best = np.minimum.accumulate(np.where(seen, p / weight, np.inf), axis=1)
        return np.where(np.isfinite(best), best, np.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        error = sd / np.sqrt(n)
        p = looks.p(smallest(2 * stdtr(df, -np.abs(mean / error))))
        sides = [looks.p(smallest(stdtr(df, (sign * mean - margin) / error)), sides=1) for sign in (1, -1)]
        p_equivalence = np.maximum(*sides)
        half = np.where(seen, stdtrit(df, 1 - level * weight / 2) * error, np.nan)
    low = np.maximum.accumulate(np.where(seen, mean - half, -np.inf), axis=1)
    high = np.minimum.accumulate(np.where(seen, mean + half, np.inf), axis=1)
    futile = (n >= looks.last) | (_foreseen(n, mean, sd, looks, level) < FUTILE)
    none = np.logical_or.accumulate(seen & (p_equivalence < alpha) & futile, axis=1)
    helps, hurts = (low > 0) & ~(high < 0), (high < 0) & ~(low > 0)
    words = np.select([helps, hurts, none], ["helps", "hurts", "no effect"], "cannot tell yet")
    return Course(words, n, mean, half, low, high, p, p_equivalence, seen)


def decide_as_they_come(differences: np.ndarray, margin: float, looks: Looks, alpha: float = 0.05) -> pd.DataFrame:
    """A row per setting of `differences`, as it stands at the last of them; arguments and ValueError of `course`.

    Columns: those of `decision.decide_all`; p, p_equivalence and [low, high] hold under these looks, and half is of the
    last look alone.
    """
    if not np.size(differences):
        differences = np.full((len(differences), 1), np.nan)
    found = course(differences, margin, looks, alpha)
    any_look = found.seen.any(axis=1)
    now = {name: getattr(found, name)[:, -1] for name in ("mean", "low", "high", "half", "p", "p_equivalence", "n")}
    ends = {name: np.where(any_look, now[name], np.nan) for name in ("low", "high")}
    return pd.DataFrame({"verdict": found.words[:, -1], **now, **ends, "df": np.maximum(now["n"] - 1, 0)})
