"""Intervals and tests that resample: over seeds and test images together, and sign flips over seeds.

**Seeds and images.** A t-interval over seeds takes the test set as given: all seeds are judged by the same
images, so what those images favour does not show in the spread over seeds. The difference of image i in seed
s is taken as mean + seed_s + image_i + rest_si, all independent, with the variances by mean squares (Owen 2007,
"The pigeonhole bootstrap", Annals of Applied Statistics 1; negative ones count as 0). What the mean may be off
by is then drawn as seed error + image error:

- seed error: the standard error over seeds times a draw of Student's t with n_seeds - 1 degrees of freedom.
  This is the studentised root itself; resampling 3 to 10 seeds cannot reproduce its tails (a bootstrap that
  resamples both covers too much, see `docs/statistics.md`).
- image error: the images' mean differences resampled with replacement and shrunk to the part that is the
  images' own (Davison & Hinkley 1997, section 3.8), since the rest is in the seed error already.

The sum of a t and an independent second error is the Behrens-Fisher pivot (Fisher 1935): exact where one of
both dominates, a little wide between.

**Sign flips.** If the arm does nothing, a seed's difference is as likely to be negative as positive (Fisher
1935, The Design of Experiments, section 21). No distribution is assumed, but n seeds have only 2^(n-1) distinct
two-sided outcomes: with 5 the smallest p is 0.0625.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.moments import moments

_MOST_FLIPPED = 24  # 2^23 sums, 64 MiB


@dataclass(frozen=True)
class HierarchicalInterval:
    """Percentage points: mean difference, the interval [low, high] for new seeds *and* new test images, and
    the two standard errors it is made of. NaN with one seed, or where the seeds do not differ at all.
    """

    mean: float
    low: float
    high: float
    seed_error: float
    image_error: float
    n_seeds: int
    n_test: int


@dataclass(frozen=True)
class SignFlip:
    """p, two-sided; smallest_p, 2^(1-n): what n seeds that all agree would give. NaN without seeds."""

    p: float
    smallest_p: float
    n: int

    def can_reach(self, level: float = 0.95) -> bool:
        """Whether so few seeds can be significant at all."""
        return self.smallest_p <= 1 - level


def _points_per_image(correct: np.ndarray, name: str) -> np.ndarray:
    found = np.asarray(correct)
    if found.dtype != bool or found.ndim not in (2, 3) or 0 in found.shape:
        raise ValueError(
            f"{name} must be bool (n_seeds, n_test) or (n_seeds, members, n_test), got {found.dtype} {found.shape}"
        )
    return 100.0 * (found if found.ndim == 2 else found.mean(axis=1))


def _variances(differences: np.ndarray) -> tuple[float, float]:
    """Variance of the mean of (n_seeds, n_test) that is due to seeds (the rest included) and to images."""
    n_seeds, n_test = differences.shape
    of_seed, of_image, mean = differences.mean(1), differences.mean(0), differences.mean()
    rest = ((differences - of_seed[:, None] - of_image + mean) ** 2).sum() / ((n_seeds - 1) * (n_test - 1))
    return of_seed.var(ddof=1) / n_seeds, max(of_image.var(ddof=1) / n_test - rest / differences.size, 0.0)


def hierarchical_bootstrap(
    correct: np.ndarray,
    control_correct: np.ndarray,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = 10_000,
) -> HierarchicalInterval:
    """Studentised interval for the mean difference in accuracy over new seeds and new test images.

    `correct`, `control_correct`: bool (n_seeds, n_test) or (n_seeds, members, n_test), whether each test image
    was classified right; seeds are paired and the images are the same in both. Several classifiers of a seed
    are averaged (the number of members may differ between the two). ValueError for other shapes or dtypes,
    fewer than 2 test images, a level outside (0, 1).
    """
    if not 0 < level < 1 or n_resamples < 1:
        raise ValueError(f"level must lie in (0, 1) and n_resamples be ≥ 1, got {level} and {n_resamples}")
    arm, control = _points_per_image(correct, "correct"), _points_per_image(control_correct, "control_correct")
    if arm.shape != control.shape or arm.shape[1] < 2:
        raise ValueError(f"both must have the same seeds and ≥ 2 test images, got {arm.shape} and {control.shape}")
    differences = arm - control
    n_seeds, n_test = differences.shape
    mean = float(differences.mean())
    if not moments(differences.mean(1)).testable:
        nan = float("nan")
        return HierarchicalInterval(mean, nan, nan, nan, nan, n_seeds, n_test)
    seed_error, image_error = np.sqrt(_variances(differences))
    # Images take few distinct values (a handful of seeds right or wrong), so a resample is a multinomial count.
    values, counts = np.unique(differences.mean(0).round(9), return_counts=True)
    spread = np.sqrt((counts / n_test) @ (values - mean) ** 2 / n_test)
    shrink = image_error / spread if spread > 0 else 0.0
    drawn = rng.multinomial(n_test, counts / n_test, n_resamples) @ (values - mean) / n_test
    off = seed_error * rng.standard_t(n_seeds - 1, n_resamples) + shrink * drawn
    high, low = mean - np.quantile(off, [(1 - level) / 2, (1 + level) / 2])
    return HierarchicalInterval(mean, float(low), float(high), float(seed_error), float(image_error), n_seeds, n_test)


def sign_flip(differences: np.ndarray) -> SignFlip:
    """Exact two-sided sign-flip test of the mean of `differences` (n_seeds,) float, NaN where a pair is missing.

    ValueError beyond 24 seeds, where the paired t-test serves as well and enumeration no longer does.
    """
    values = np.asarray(differences, float)
    values = values[~np.isnan(values)]
    if np.ndim(differences) != 1 or values.size > _MOST_FLIPPED:
        raise ValueError(f"differences must be (n_seeds,) with at most {_MOST_FLIPPED} seeds, got {values.size}")
    if not values.size:
        return SignFlip(float("nan"), float("nan"), 0)
    sums = values[:1]  # the first sign is fixed: turning all signs round leaves |sum| as it is
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    rounding = 1e-9 * np.abs(values).sum()  # a flip that ties must count as one
    p = float(np.mean(np.abs(sums) >= abs(values.sum()) - rounding))
    return SignFlip(p, 2.0 ** (1 - values.size), int(values.size))
