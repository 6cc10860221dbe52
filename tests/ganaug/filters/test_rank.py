import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganaug.filters.rank import best, candidates


@pytest.mark.parametrize(
    ("n", "threshold", "expected"),
    [(30, 0.0, 30), (30, 0.7, 100), (300, 0.7, 1000), (30, 0.5, 60), (1, 0.9, 10), (7, 0.3, 10), (9, 1.0, 5000)],
)
def test_the_share_that_is_kept_is_what_the_threshold_leaves(n, threshold, expected):
    assert candidates(n, threshold, 5000) == expected


@given(st.integers(1, 500), st.integers(0, 99))
def test_never_more_is_kept_than_the_threshold_leaves(n, percent):
    ranked = candidates(n, percent / 100, 10**9)
    assert n <= ranked * (100 - percent) / 100 + 1e-6
    assert n > (ranked - 1) * (100 - percent) / 100 - 1e-6


def test_never_more_than_there_are():
    assert candidates(30, 0.99, 200) == 200


@given(st.integers(0, 999), st.integers(1, 10), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]))
def test_the_best_of_the_first_that_passed(seed, n, threshold):
    rng = np.random.default_rng(seed)
    scores, passed = rng.integers(0, 5, 40) / 4, rng.random(40) < 0.7
    ranked = [i for i in range(40) if passed[i]][: candidates(n, threshold, 40)]
    expected = sorted(ranked, key=lambda i: (-scores[i], i))[:n]
    assert np.flatnonzero(best(scores, passed, n, threshold, 40)).tolist() == sorted(expected)
