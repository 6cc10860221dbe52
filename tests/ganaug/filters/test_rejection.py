"""Rejection sampling against its paper, and on a mixture whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixture import REAL, STATES, WRONG, distance, drawn, perfect

from ganaug.filters.rejection import EPSILON, accept, largest, log_ratio

RNG = np.random.default_rng(0)


def acceptance(probabilities, threshold=1.0, burn_in=10, gamma=None):
    """The probability of acceptance itself, (classes, N), found from the draws that pass: to 2^-40."""
    low, high = np.zeros(probabilities.shape), np.ones(probabilities.shape)
    for _ in range(40):
        middle = (low + high) / 2
        passed = accept(probabilities, threshold, middle, burn_in, gamma)
        low, high = np.where(passed, middle, low), np.where(passed, high, middle)
    return low


def by_hand(row, threshold, burn_in, gamma):
    """Azadi et al.'s Algorithm 1, candidate by candidate, in the paper's own symbols."""
    d = [threshold * float(np.log(p) - np.log1p(-p)) for p in row.astype(np.float64)]
    m, exact, f = max(d[:burn_in]), [], []
    for value in d:
        m = max(m, value)
        exact.append(np.exp(value) / np.exp(m))
        f.append(value - m - np.log(1 - np.exp(value - m - EPSILON)))
    return exact if gamma is None else 1 / (1 + np.exp(-(np.array(f) - np.percentile(f[:burn_in], 100 * gamma))))


@pytest.mark.parametrize("threshold", [0.3, 1.0])
@pytest.mark.parametrize("gamma", [None, 0.0, 0.5, 0.8, 1.0])
def test_acceptance_is_the_papers_formula(threshold, gamma):
    p = RNG.uniform(0.02, 0.98, (3, 40)).astype(np.float32)
    expected = [by_hand(row, threshold, 10, gamma) for row in p]
    np.testing.assert_allclose(acceptance(p, threshold, 10, gamma), expected, rtol=1e-5, atol=1e-9)


def test_acceptance_is_the_ratio_over_the_largest():
    p = np.array([[0.5, 0.8, 0.2]])  # ratios 1, 4, 1/4
    np.testing.assert_allclose(acceptance(p), [[1 / 4, 1, 1 / 16]], rtol=1e-9)
    np.testing.assert_allclose(acceptance(p, threshold=0.5), [[1 / 2, 1, 1 / 4]], rtol=1e-9)


def test_a_larger_ratio_after_the_burn_in_is_the_largest_from_then_on():
    p = np.array([[0.5, 0.2, 0.5, 0.8, 0.5]])  # ratios 1, 1/4, 1, 4, 1
    np.testing.assert_allclose(acceptance(p, burn_in=2), [[1, 1 / 4, 1, 1, 1 / 4]], rtol=1e-9)
    assert largest(np.array([[0.0, 3.0, 1.0, 5.0, 2.0]]), 3).tolist() == [[3.0, 3.0, 3.0, 5.0, 5.0]]
    assert largest(np.array([[0.0, 3.0, 1.0]]), 99).tolist() == [[3.0, 3.0, 3.0]]


@given(st.integers(0, 99), st.integers(1, 30), st.sampled_from([None, 0.0, 0.8]), st.floats(0, 1))
def test_no_word_changes_when_the_stream_grows(seed, burn_in, gamma, threshold):
    rng = np.random.default_rng(seed)
    p, draws = rng.random((2, 40)), rng.random((2, 40))
    whole = accept(p, threshold, draws, burn_in, gamma)
    for n in range(burn_in, 40, 5):
        assert np.array_equal(accept(p[:, :n], threshold, draws[:, :n], burn_in, gamma), whole[:, :n])


@given(st.integers(0, 99), st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_threshold_passes_a_subset(seed, a, b):
    rng, (low, high) = np.random.default_rng(seed), sorted((a, b))
    p, draws = rng.random((2, 40)), rng.random((2, 40))
    assert np.all(accept(p, low, draws, 10) | ~accept(p, high, draws, 10))
    assert accept(p, 0.0, draws, 10, 0.5).all()


def test_a_larger_gamma_is_stricter_and_a_smaller_one_laxer():
    p = RNG.random((1, 400))
    shares = [acceptance(p, burn_in=100, gamma=gamma).mean() for gamma in (0.1, 0.5, 0.9)]
    assert shares[0] > shares[1] > shares[2]


def test_certainty_is_finite():
    p = np.array([[0.0, 1.0, 0.5]], np.float32)
    assert np.isfinite(log_ratio(p)).all()
    for gamma in (None, 0.8):
        assert np.isfinite(acceptance(p, gamma=gamma)).all()
    assert accept(np.full((1, 9), 0.5), 1.0, np.full((1, 9), 0.999), 5).all()  # one that tells nothing keeps all


def test_a_perfect_discriminator_gives_back_the_real_distribution():
    states, rng = drawn(WRONG, 60_000), np.random.default_rng(1)
    kept = states[accept(perfect(states)[None], 1.0, rng.random((1, len(states))), 100)[0]]
    assert distance(states, REAL) > 0.2
    assert distance(kept, REAL) < 0.02
    assert len(kept) == pytest.approx(len(states) / max(REAL / WRONG), rel=0.05)
    tempered = states[accept(perfect(states)[None], 0.5, rng.random((1, len(states))), 100)[0]]
    half = np.sqrt(REAL * WRONG) / np.sqrt(REAL * WRONG).sum()  # generated * (real / generated) ** 0.5
    assert distance(tempered, half) < 0.02
    assert len(np.unique(kept)) == STATES
