"""scikit-learn's bundled digits: 1,797 images of 8 x 8 pixels, no download, no patience needed.

They are the test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak 1998);
scikit-learn names no test images within them.
"""

from pathlib import Path

import numpy as np

from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary


def missing_digits(data_dir: Path) -> list[Path]:
    """Nothing: the images come with scikit-learn."""
    return []


def summarize_digits(data_dir: Path) -> Summary:
    """What `load_digits` would load."""
    dataset = load_digits(data_dir)
    counts = np.bincount(dataset.labels)
    return Summary(
        "digits",
        "scikit-learn",
        dataset.classes,
        per_class=(int(counts.min()), int(counts.max())),
        size=dataset.images.shape[-1],
    )


def load_digits(data_dir: Path) -> Dataset:
    """(1797, 1, 8, 8) uint8, no official test. `data_dir` is not read."""
    from sklearn import datasets  # half a second that the other data sets need not wait for

    digits = datasets.load_digits()
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)  # 0..16 ink counts -> 0..255
    return Dataset("digits", tuple("0123456789"), images[:, None], digits.target.astype(np.int64))
