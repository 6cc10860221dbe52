"""Kernel distance of two feature sets (Bińkowski et al. 2018, arXiv:1801.01401): KID's formula.

The squared maximum mean discrepancy under the kernel (x·y / d + 1)³, estimated without bias: its expectation does
not depend on the number of images, and that of a perfect generator is 0, so that it may fall below.
"""

import numpy as np

from ganaug.metrics.checks import Random, TooFewImages, checked, same_width


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def _within(x: np.ndarray) -> float:
    """Mean kernel between two different images of (N, d)."""
    k = _kernel(x, x)
    return float((k.sum() - np.trace(k)) / (len(x) * (len(x) - 1)))


def mmd2(one: np.ndarray, other: np.ndarray) -> float:
    """Unbiased estimate of MMD² from all images of features (N, d) and (M, d), at least two each; may be negative."""
    one, other = (checked(x, 2, "a kernel distance") for x in (one, other))
    same_width(one, other)
    return _within(one) + _within(other) - 2 * float(_kernel(one, other).mean())


def kernel_distance(
    one: np.ndarray, other: np.ndarray, rng: Random, subsets: int = 100, subset_size: int = 1000
) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) of MMD² over random subsets of `subset_size` images from each side.

    The published protocol. Subsets overlap, so the deviation is no standard error of the mean; with subsets as large
    as the samples it is 0. `np.random.RandomState(2020)` and features in the order (generated, real) give
    torch-fidelity's subsets.

    Raises TooFewImages where a side has fewer than `subset_size` images.
    """
    one, other = (checked(x, 2, "a kernel distance") for x in (one, other))
    same_width(one, other)
    if subsets < 1:
        raise ValueError(f"subsets must be at least 1, got {subsets}")
    if subset_size < 2:
        raise ValueError(f"subset_size must be at least 2, got {subset_size}")
    if subset_size > min(len(one), len(other)):
        raise TooFewImages(f"subset_size {subset_size} needs as many images, got {len(one)} and {len(other)}")
    values = []
    for _ in range(subsets):
        x = one[rng.choice(len(one), subset_size, replace=False)]
        y = other[rng.choice(len(other), subset_size, replace=False)]
        values.append(mmd2(x, y))
    return float(np.mean(values)), float(np.std(values))


def _by_class(features: np.ndarray, least: int, metric: str) -> np.ndarray:
    """Features (classes, n, d) as float64; refused like `checked`, `least` being images of each class."""
    if features.ndim != 3:
        raise ValueError(f"{metric} takes arrays (classes, n, d), got shape {features.shape}")
    classes, n, d = features.shape
    if n < least:
        raise TooFewImages(f"{metric} needs at least {least} images of each class and kind, got {n}")
    return checked(features.reshape(-1, d), 1, metric).reshape(classes, n, d)


def _mixture(x: np.ndarray) -> float:
    """Mean kernel between two different draws from the mixture of the classes, each as likely, of (classes, n, d)."""
    classes, n, d = x.shape
    k = _kernel(x.reshape(-1, d), x.reshape(-1, d)).reshape(classes, n, classes, n)
    own = np.einsum("cicj->", k)
    among = (own - np.einsum("cici->", k)) / (classes * n * (n - 1))
    across = (k.sum() - own) / (classes * (classes - 1) * n * n) if classes > 1 else 0.0
    return float(among / classes + across * (classes - 1) / classes)


def balanced_mmd2(one: np.ndarray, other: np.ndarray) -> float:
    """Unbiased estimate of MMD² where classes are balanced by design: features (classes, n, d) and (classes, m, d).

    Two different images of a balanced sample are less often of one class than two draws from the mixture are, which
    biases `mmd2` downwards, the more the better the classes are apart. Here pairs within and across classes are
    averaged for themselves and weighted as the mixture does. At least two images of each class.
    """
    one, other = (_by_class(x, 2, "a kernel distance") for x in (one, other))
    if (one.shape[0], one.shape[2]) != (other.shape[0], other.shape[2]):
        raise ValueError(f"classes and width must be the same, got {one.shape} and {other.shape}")
    across = _kernel(one.reshape(-1, one.shape[2]), other.reshape(-1, other.shape[2])).mean()
    return _mixture(one) + _mixture(other) - 2 * float(across)


def _halves(x: np.ndarray, rng: Random) -> np.ndarray:
    """Half of every class's images, drawn without replacement."""
    return np.stack([own[rng.choice(len(own), len(own) // 2, replace=False)] for own in x])


def half_sample_error(one: np.ndarray, other: np.ndarray, rng: Random, draws: int = 100) -> float:
    """Standard error of `balanced_mmd2`: its deviation over random halves of every class on both sides.

    The delete-d jackknife with d = n / 2 (Shao & Wu 1989), whose factor (n - d) / d is then 1. It treats the statistic
    as near linear; where the two distributions are equal it is not, and the error is too large rather than too small.
    At least four images of each class.
    """
    one, other = (_by_class(x, 4, "a kernel distance's error") for x in (one, other))
    return float(np.std([balanced_mmd2(_halves(one, rng), _halves(other, rng)) for _ in range(draws)]))
