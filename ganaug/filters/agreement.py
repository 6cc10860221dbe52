"""Score by classifiers of the same real images: do they see the class the image was made for?

A judge of generated images: Shmelkov et al. 2018, arXiv:1807.09499; confidence from cross-fitted classifiers, so that
no image is judged by one that has learned it by heart: Northcutt et al. 2021, arXiv:1911.00068. The score is what
`ganaug/filters/judge.py` calls agreement, a probability: above 1/2 the judge calls the image by its class.
"""

import numpy as np

from ganaug.artifact import Artifact


def score(judged: Artifact) -> np.ndarray:
    """Float32 (classes, N) of what the judge said of a chunk."""
    return judged.arrays["agreement"]
