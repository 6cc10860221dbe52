"""Are generated images where real ones are, and are real images where generated ones are? By k nearest neighbours.

Precision and recall: Kynkäänniemi et al. 2019, arXiv:1904.06991. Density and coverage, which one outlier moves less:
Naeem et al. 2020, arXiv:2002.09797. A ball around an image reaches to its k-th nearest neighbour among the images of
its own kind.

- precision: share of generated images in the ball of any real one
- recall: share of real images in the ball of any generated one
- density: real balls a generated image is in, over k, on average; may exceed 1
- coverage: share of real images whose ball holds a generated one

Distances are differences first, squares after (`cdist`), not the faster x² + y² - 2xy: a copy is at distance 0 to
the bit, and ties are ties.
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from ganaug.metrics.checks import checked, same_width

CHUNK_DISTANCES = 1 << 22  # held at a time: 32 MiB


class Neighbourhood(NamedTuple):
    precision: float
    recall: float
    density: float
    coverage: float


def _chunk(n: int, m: int) -> list[slice]:
    """Slices of n rows, such that a slice's distances to m images fit in memory."""
    rows = max(1, CHUNK_DISTANCES // m)
    return [slice(i, i + rows) for i in range(0, n, rows)]


def radii(features: np.ndarray, k: int) -> np.ndarray:
    """Distance (N,) of each of (N, d) to its k-th nearest neighbour, itself not counted."""
    out = np.empty(len(features))
    for rows in _chunk(len(features), len(features)):
        distances = cdist(features[rows], features)
        own = np.arange(len(distances))
        distances[own, own + rows.start] = np.inf
        out[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return out


def neighbourhood(
    generated: np.ndarray, real: np.ndarray, k: int, ties: Literal["inside", "outside"] = "inside"
) -> Neighbourhood:
    """All four for features (N, d) of generated and (M, d) of real images, more than k each.

    `ties`: whether an image at the very rim of a ball is in it. Inside, `<=`, is Kynkäänniemi's code and
    torch-fidelity's; outside, `<`, is Naeem's (the `prdc` package). They differ where images repeat: outside, an
    image that occurs more than k times is in no ball of its own.

    Raises TooFewImages where a side has k images or fewer.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    generated, real = (checked(x, k + 1, f"a metric of {k} neighbours") for x in (generated, real))
    same_width(generated, real)
    within = np.less_equal if ties == "inside" else np.less
    real_radii, generated_radii = radii(real, k), radii(generated, k)
    held = np.zeros(len(generated), np.int64)  # how many real balls a generated image is in
    recalled, covered = np.empty((2, len(real)), np.bool_)
    for rows in _chunk(len(real), len(generated)):
        distances = cdist(real[rows], generated)
        in_real = within(distances, real_radii[rows, None])
        held += in_real.sum(0)
        covered[rows] = in_real.any(1)
        recalled[rows] = within(distances, generated_radii).any(1)
    return Neighbourhood(
        precision=float((held > 0).mean()),
        recall=float(recalled.mean()),
        density=float(held.mean() / k),
        coverage=float(covered.mean()),
    )
