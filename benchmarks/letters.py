"""What the benchmarks train on: drawn capital letters, the same on every machine, since matplotlib brings the fonts."""

from functools import cache
from pathlib import Path

import numpy as np

from ganaug.datasets.glyphs import load_glyphs
from ganaug.randomness import numpy_rng

CLASSES, TRAIN, TEST, SIDE = 26, 300, 50, 28


@cache
def letters() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images uint8 (7800, 1, 28, 28) with labels, and test images (1300, 1, 28, 28) with labels."""
    drawn = load_glyphs(Path(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", TRAIN + TEST, SIDE)
    rng = numpy_rng(0, "benchmark", "letters")
    per_class = [rng.permutation(np.flatnonzero(drawn.labels == c)) for c in range(CLASSES)]
    train = np.concatenate([at[:TRAIN] for at in per_class])
    test = np.concatenate([at[TRAIN:] for at in per_class])
    return drawn.images[train], drawn.labels[train], drawn.images[test], drawn.labels[test]
