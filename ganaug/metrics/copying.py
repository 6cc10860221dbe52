"""Does a generator draw new images, or the ones it was shown? Nearest training images, by pixels.

What a copy is cannot be said of a distance by itself, so that of generated images is held against that of validation
images, which come from the same source and which no update has seen (Meehan et al. 2020, arXiv:2004.05675).
"""

import numpy as np
from scipy.stats import mannwhitneyu

CHUNK_VALUES = 1 << 22  # float64 held at a time: 32 MiB


def nearest(images: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) in grey levels, Euclidean, and place (N,) of each image's nearest training image.

    uint8 (N, C, H, W) and (M, C, H, W), M at least 1. Every number in x² + y² - 2xy is a whole one below 2^53, so
    the fast form is exact. Of equally near ones the first is named.
    """
    if not len(training):
        raise ValueError("there must be at least one training image, got 0")
    y = training.reshape(len(training), -1).astype(np.float64)
    squares = (y**2).sum(1)
    rows = max(1, CHUNK_VALUES // max(y.shape))
    distance, place = np.empty(len(images)), np.empty(len(images), np.int64)
    for i in range(0, len(images), rows):
        x = images[i : i + rows].reshape(-1, y.shape[1]).astype(np.float64)
        squared = (x**2).sum(1)[:, None] + squares - 2 * x @ y.T
        place[i : i + rows] = squared.argmin(1)
        distance[i : i + rows] = np.sqrt(squared.min(1))
    return distance, place


def nearest_ratio(generated: np.ndarray, validation: np.ndarray) -> float | None:
    """Median nearest distance of generated images over that of validation images; near 0 says copies.

    None where more than half of the validation images are themselves in the training set.
    """
    fresh = float(np.median(validation))
    return float(np.median(generated)) / fresh if fresh else None


def data_copying(
    generated: np.ndarray, generated_labels: np.ndarray, validation: np.ndarray, validation_labels: np.ndarray
) -> float:
    """Meehan's C_T with the classes as cells: the mean z score of the Mann-Whitney test, weighted by validation images.

    Nearest distances and labels, (N,) and (M,). Far below 0: generated images lie closer to the training images than
    fresh ones do. Far above: further away. Ties count half. It grows with the number of images; only `nearest_ratio`
    can be compared between studies.
    """
    scores, weights = [], []
    for label in np.intersect1d(generated_labels, validation_labels):
        x, y = generated[generated_labels == label], validation[validation_labels == label]
        n, m = len(x), len(y)
        u = mannwhitneyu(x, y, method="asymptotic").statistic
        scores.append((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
        weights.append(m)
    return float(np.average(scores, weights=weights))
