"""How often chance alone crosses a boundary that is looked at after every seed: exact, for Student's t.

A contrast is looked at when it has `first` seeds, and after every further one up to `last`. At n seeds the t-test is
held to the level n / last x a: little is spent while few seeds are there, most at the end. `Looks.p` turns the
smallest of the p-values seen, each divided by its n / last, into the chance of one as small or smaller at any look.
That is a p-value however the number of seeds was chosen among the looks (the smallest over repeated looks, as
sequential p-values are defined by Maurer & Bretz 2013, Statistics in Biopharmaceutical Research 5), so Holm's
correction applies to it as to any other.

The chance is exact for normal differences of any unknown variance, and no simulation is behind it: under the null,
U_n = sum(x) / sqrt(sum(x^2)) is a Markov chain whose steps are t-distributed, so a one-dimensional recursion does
(the idea of Jennison & Turnbull 1991, "Exact calculations for sequential t, chi-square and F tests", Biometrika 78).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri, stdtrit

_LEVELS = np.geomspace(1e-9, 0.5, 12)  # values of `a` that the recursion is run for; a PCHIP through their logarithms
_STATES = np.linspace(-8, 8, 161)  # of the chain, in normal scores
_NODES = 32  # Gauss-Legendre, for every piece of the integral
_SCORES = np.linspace(0, 9, 1801)


@lru_cache(maxsize=256)
def _to_right_angle(df: int) -> np.ndarray:
    """log of pi/2 less the angle atan(t / sqrt(df)), for the t with `df` that have the normal scores `_SCORES`."""
    return np.log(np.arctan2(np.sqrt(df), -stdtrit(df, ndtr(-_SCORES))))


def _angle(score: np.ndarray, df: int) -> np.ndarray:
    """The angle of the t whose distribution function is the normal one at `score`."""
    return np.sign(score) * (np.pi / 2 - np.exp(np.interp(np.abs(score), _SCORES, _to_right_angle(df))))


def _score(angle: np.ndarray, df: int) -> np.ndarray:
    """The other way round; beyond 9 it is 9."""
    with np.errstate(divide="ignore"):
        left = -np.log(np.maximum(np.pi / 2 - np.abs(angle), 0))
    return np.sign(angle) * np.interp(left, -_to_right_angle(df), _SCORES)


def _crossing(level: float, first: int, last: int, sides: int) -> float:
    """Chance, under the null, that at some look the p-value is at most level x n / last; sides: 1 or 2."""
    boundary = {n: float(-ndtri(level * n / last / sides)) for n in range(first, last + 1)}  # as normal scores
    at, weight = np.polynomial.legendre.leggauss(_NODES)

    def integral(edges: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Of a function of a standard normal score, over the pieces (..., 2) of its range."""
        half, middle = (edges[..., 1] - edges[..., 0]) / 2, (edges[..., 1] + edges[..., 0]) / 2
        score = middle[..., None] + half[..., None] * at
        density = half[..., None] * weight * np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
        return np.sum(density * value(score), (-2, -1))

    later = np.zeros(len(_STATES))  # chance of crossing after this look, by the state at it
    for n in range(last - 1, first - 1, -1):
        # U = sqrt(n) sin(angle). The next is U cos(phi) + sin(phi) = R sin(phi + shift), phi the angle of a t with n df
        u = np.sqrt(n) * np.sin(_angle(_STATES, n - 1))
        reach, shift = np.sqrt(1 + u**2), np.arctan(u)
        edge = np.sqrt(n + 1) * np.sin(_angle(np.array(boundary[n + 1]), n))
        over = np.arcsin(np.minimum(edge / reach, 1))
        ends = np.stack([over - np.pi, -over, over, np.pi - over], 1) - shift[:, None]
        down, up = _score(np.clip(ends, -np.pi / 2, np.pi / 2), n).reshape(-1, 2, 2).swapaxes(0, 1)
        out = np.full((len(_STATES), 1), 9.0)
        pieces = [[-out, down[:, :1]], [down[:, 1:], up[:, :1]], [up[:, 1:], out]]  # of the scores that do not cross
        if sides == 1:
            pieces[:2] = [[-out, up[:, :1]]]
        now = ndtr(-up[:, 0]) - ndtr(-up[:, 1]) + (sides == 2) * (ndtr(down[:, 1]) - ndtr(down[:, 0]))
        curve = PchipInterpolator(_STATES, later)

        def after(score: np.ndarray, n: int, reach=reach, shift=shift, curve=curve) -> np.ndarray:
            share = np.sin(_angle(score, n) + shift[:, None, None]) * reach[:, None, None] / np.sqrt(n + 1)
            return curve(np.clip(_score(np.arcsin(np.clip(share, -1, 1)), n), -8, 8))

        later = now + integral(np.stack([np.concatenate(p, 1) for p in pieces], 1), lambda s, n=n, f=after: f(s, n))
    start = boundary[first]
    whole = np.array([[-start if sides == 2 else -9.0, start]])
    return float(sides * ndtr(-start) + integral(whole, PchipInterpolator(_STATES, later)))


@lru_cache(maxsize=16)
def _chance(first: int, last: int, sides: int) -> PchipInterpolator:
    """log of the chance as a function of log of the level."""
    chances = [_crossing(level, first, last, sides) for level in _LEVELS]
    return PchipInterpolator(np.log(_LEVELS), np.log(chances))


@dataclass(frozen=True)
class Looks:
    """The plan: a look at `first` seeds and after each one more, `last` at most. ValueError unless 3 <= first <= last:
    at two seeds the t-test has one degree of freedom, and its boundary is 100 standard errors away.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 3 <= self.first <= self.last:
            raise ValueError(f"looks must have 3 <= first <= last, got {self.first} and {self.last}")

    def weights(self, n: np.ndarray) -> np.ndarray:
        """The share of the level that a look at n seeds has, 0 where there is none."""
        return np.where((n >= self.first) & (n <= self.last), n / self.last, 0.0)

    def p(self, smallest: np.ndarray, sides: int = 2) -> np.ndarray:
        """The p-value of the smallest p / weight that any look has shown, NaN where that is NaN."""
        with np.errstate(invalid="ignore"):
            chance = np.exp(_chance(self.first, self.last, sides)(np.log(np.clip(smallest, *_LEVELS[[0, -1]]))))
        return np.where(smallest > _LEVELS[-1], 1.0, np.minimum(chance, 1.0))

    def level(self, alpha: float, sides: int = 2) -> float:
        """The `a` for which chance crosses with probability alpha; `nominal` is a x weight."""
        curve = _chance(self.first, self.last, sides)
        found = np.interp(np.log(alpha), curve(np.log(_LEVELS)), np.log(_LEVELS))  # near enough to begin with
        grid = np.linspace(found - 0.5, found + 0.5, 4001)
        return float(np.exp(np.interp(np.log(alpha), curve(grid), grid)))
