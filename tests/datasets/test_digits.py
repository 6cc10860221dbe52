from pathlib import Path

import numpy as np

from ganaug.datasets.digits import load_digits, summarize_digits


def test_sixteen_grey_values_fill_the_byte():
    from sklearn import datasets

    dataset = load_digits(Path("nowhere"))
    ink = datasets.load_digits().images
    assert dataset.images.shape == (1797, 1, 8, 8)
    assert dataset.test is None
    assert dataset.images.min() == 0
    assert dataset.images.max() == 255
    # The scaling loses nothing: the seventeen ink counts come back.
    np.testing.assert_array_equal(np.rint(dataset.images[:, 0] * (16 / 255)), ink)


def test_summary_counts_the_classes():
    found = summarize_digits(Path("nowhere"))
    assert (found.present, found.per_class, found.size) == (True, (174, 183), 8)
