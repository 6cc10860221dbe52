"""Two feature sets against each other by every metric; what few images do not define is null, with the reason."""

from collections.abc import Callable

import numpy as np

from ganaug.metrics.checks import Random, TooFewImages
from ganaug.metrics.frechet import frechet_distance
from ganaug.metrics.kernel import balanced_mmd2, half_sample_error
from ganaug.metrics.neighbours import Neighbourhood, neighbourhood


def first_of_each(labels: np.ndarray, n: int) -> np.ndarray:
    """Places (classes, n) of the first `n` images of every class there is, each with at least so many."""
    return np.stack([np.flatnonzero(labels == label)[:n] for label in np.unique(labels)])


def compare(
    generated: np.ndarray, real: np.ndarray, neighbours: int, rng: Random | None
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Metrics by name, of features (classes, n, d) against (classes, m, d), and why some of them are null.

    fid, kid, kid_error, precision, recall, density, coverage. `kid` uses all images at once; `kid_error` is its
    standard error, for which `rng` draws halves; without one it is left out. Neighbours' ties are inside.
    """
    flat = [x.reshape(-1, x.shape[2]) for x in (generated, real)]
    values: dict[str, float | None] = {}
    missing: dict[str, str] = {}

    def attempt(names: tuple[str, ...], compute: Callable[[], tuple[float, ...]]) -> None:
        try:
            values.update(zip(names, compute(), strict=True))
        except TooFewImages as few:
            values.update(dict.fromkeys(names))
            missing.update(dict.fromkeys(names, str(few)))

    attempt(("fid",), lambda: (frechet_distance(*flat),))
    attempt(("kid",), lambda: (balanced_mmd2(generated, real),))
    if rng is not None:
        attempt(("kid_error",), lambda: (half_sample_error(generated, real, rng),))
    attempt(Neighbourhood._fields, lambda: neighbourhood(flat[0], flat[1], neighbours))
    return values, missing
