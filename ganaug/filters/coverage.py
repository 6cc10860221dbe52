"""How much of the real images a selection reaches: what a filter that loves one kind of image loses.

Coverage of Naeem et al. 2020, arXiv:2002.09797, in pixels, class by class: in no classifier's features, so that all
filters are held against one measure.
"""

import numpy as np

from ganaug.metrics.neighbours import neighbourhood

NEIGHBOURS = 5
MOST = 200  # images per class and side: enough to compare two selections, and never the larger part of a cell's cost


def coverage(generated: list[np.ndarray], real: list[np.ndarray]) -> float | None:
    """Mean over classes of the share of real images whose ball of `NEIGHBOURS` neighbours holds a generated one.

    uint8 (n, C, H, W) and (m, C, H, W) per class, the first `MOST` of each. None where a class has too few of either.
    """
    shares = []
    for some, own in zip(generated, real, strict=True):
        if min(len(some), len(own)) <= NEIGHBOURS:
            return None
        flat = [x[:MOST].reshape(len(x[:MOST]), -1).astype(np.float64) for x in (some, own)]
        shares.append(neighbourhood(flat[0], flat[1], NEIGHBOURS).coverage)
    return float(np.mean(shares))
