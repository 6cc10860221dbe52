"""The Inception Score's formula (Salimans et al. 2016, arXiv:1606.03498) over any classifier's class probabilities.

It is high where each image is surely of one class and the images together are of all classes. It never looks at a
real image, and its value depends on the classifier: Barratt & Sharma (2018, arXiv:1801.01973) show what it does not
mean. It is called Inception Score only with the ImageNet Inception network; from a classifier of our own it is
`classifier_is`.
"""

from itertools import pairwise

import numpy as np
from scipy.special import rel_entr

from ganaug.metrics.checks import Random, TooFewImages, checked


def _score(p: np.ndarray) -> float:
    """exp E_x KL(p(y|x) || p(y)), with p(y) the mean of the (N, K) given; 0 log 0 is 0."""
    return float(np.exp(rel_entr(p, p.mean(0)).sum(1).mean()))


def inception_score(probabilities: np.ndarray, splits: int = 10, rng: Random | None = None) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) over `splits` parts of class probabilities (N, K); in [1, K].

    Logits go through `scipy.special.softmax(logits, axis=1)` first. `rng` shuffles the images before they are split;
    `np.random.RandomState(2020)` gives torch-fidelity's parts. With one split the deviation is 0. The spread over
    splits is no interval, and small parts lower the mean (Barratt & Sharma, section 4.1).

    Raises TooFewImages if N < splits, ValueError unless each row is a distribution.
    """
    p = checked(probabilities, 1, "a score of class probabilities")
    if splits < 1:
        raise ValueError(f"splits must be at least 1, got {splits}")
    if len(p) < splits:
        raise TooFewImages(f"{splits} splits need as many images, got {len(p)}")
    if p.min() < 0 or not np.allclose(p.sum(1), 1, atol=1e-4):
        raise ValueError("class probabilities must be at least 0 and sum to 1 in every row")
    if rng is not None:
        p = p[rng.permutation(len(p))]
    edges = [i * len(p) // splits for i in range(splits + 1)]
    scores = [_score(p[a:b]) for a, b in pairwise(edges)]
    return float(np.mean(scores)), float(np.std(scores))
