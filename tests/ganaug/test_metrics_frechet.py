import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import ortho_group
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from ganaug.metrics.checks import TooFewImages
from ganaug.metrics.frechet import frechet_distance


def features(n, d, seed, shift=0.0):
    """Correlated, of unequal scales."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift


def fidelity(one, other):
    stats = (fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other))
    return fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]


@pytest.mark.parametrize(("n", "m", "d"), [(200, 200, 16), (300, 150, 40), (70, 90, 64)])
def test_it_is_torch_fidelitys(n, m, d):
    one, other = features(n, d, 0), features(m, d, 1, shift=0.5)
    assert frechet_distance(one, other) == pytest.approx(fidelity(one, other), rel=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(20, 20, 64), (10, 300, 32)])
def test_it_is_torch_fidelitys_where_covariances_are_singular(n, m, d):
    one, other = features(n, d, 0), features(m, d, 1, shift=0.5)
    assert frechet_distance(one, other) == pytest.approx(fidelity(one, other), rel=1e-6)


def test_it_is_the_formula_with_a_matrix_root():
    one, other = features(100, 8, 0), features(120, 8, 1)
    s1, s2 = (np.cov(x, rowvar=False) for x in (one, other))
    by_formula = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    assert frechet_distance(one, other) == pytest.approx(by_formula, rel=1e-9)


SIZES = st.tuples(st.integers(2, 30), st.integers(1, 20))


@given(SIZES, st.integers(0, 99))
def test_nothing_is_away_from_itself(size, seed):
    x = features(*size, seed)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-11 * (x**2).sum())


@given(SIZES, st.integers(2, 30), st.integers(0, 99))
def test_it_is_symmetric_and_never_negative(size, m, seed):
    one, other = features(*size, seed), features(m, size[1], seed + 1)
    there, back = frechet_distance(one, other), frechet_distance(other, one)
    assert there == pytest.approx(back, abs=1e-9)
    assert there >= 0


@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 99))
def test_rotating_both_changes_nothing(n, d, seed):
    one, other = features(n, d, seed), features(n + 3, d, seed + 1)
    turn = ortho_group.rvs(d, random_state=seed)
    assert frechet_distance(one @ turn, other @ turn) == pytest.approx(frechet_distance(one, other), rel=1e-8)


@pytest.mark.parametrize(("n", "d"), [(50, 6), (5, 40)])
def test_a_shift_is_its_square_even_where_the_covariance_is_singular(n, d):
    x = features(n, d, 0)
    assert frechet_distance(x, x + 0.01) == pytest.approx(d * 0.01**2, rel=1e-7)


def test_a_scaling_is_known_exactly():
    x = features(50, 6, 0)
    x -= x.mean(0)
    assert frechet_distance(x, 3 * x) == pytest.approx(4 * np.cov(x, rowvar=False).trace())


def test_features_that_never_fire_add_nothing():
    one, other = features(20, 5, 0), features(30, 5, 1)
    padded = (np.pad(x, ((0, 0), (0, 40))) for x in (one, other))
    assert frechet_distance(*padded) == pytest.approx(frechet_distance(one, other))


def test_it_is_biased_upwards_by_few_images():
    means = [
        np.mean([frechet_distance(*np.random.default_rng(s).normal(size=(2, n, 4))) for s in range(40)])
        for n in (10, 40, 160)
    ]
    assert means[0] > 2 * means[1] > 4 * means[2] > 0


def test_refusals():
    with pytest.raises(TooFewImages, match=r"^a Fréchet distance needs at least 2 images of each kind, got 1$"):
        frechet_distance(np.ones((1, 3)), np.ones((9, 3)))
    with pytest.raises(ValueError, match=r"^features must have the same width, got 3 and 4$"):
        frechet_distance(np.ones((9, 3)), np.ones((9, 4)))
    with pytest.raises(ValueError, match=r"^a Fréchet distance takes arrays \(N, d\), got shape \(9,\)$"):
        frechet_distance(np.ones(9), np.ones((9, 4)))
    with pytest.raises(ValueError, match=r"^a Fréchet distance takes finite numbers, got NaN or infinity$"):
        frechet_distance(np.full((9, 4), np.nan), np.ones((9, 4)))
