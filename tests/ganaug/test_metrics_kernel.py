import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group
from torch_fidelity.metric_kid import kid_features_to_metric

from ganaug.metrics.checks import TooFewImages
from ganaug.metrics.kernel import balanced_mmd2, half_sample_error, kernel_distance, mmd2


def features(n, d=6, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


@pytest.mark.parametrize("seed", [2020, 7])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_it_is_torch_fidelitys_subset_by_subset(seed, shift):
    one, other = features(120), features(90, seed=1, shift=shift)
    theirs = kid_features_to_metric(
        torch.from_numpy(one),
        torch.from_numpy(other),
        kid_subsets=20,
        kid_subset_size=50,
        rng_seed=seed,
        verbose=False,
    )
    ours = kernel_distance(one, other, np.random.RandomState(seed), subsets=20, subset_size=50)
    assert ours == pytest.approx(tuple(theirs.values()), rel=1e-9)


def test_by_hand():
    # d = 1: kernel (xy + 1)^3; within 0, 1: (0 + 1)^3 = 1; within 1, 2: 27; across: (1 + 1 + 8 + 27) / 4
    assert mmd2(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == 1 + 27 - 2 * (1 + 1 + 8 + 27) / 4


@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 99))
def test_it_is_symmetric_and_does_not_change_when_both_are_rotated(n, m, seed):
    one, other = features(n, seed=seed), features(m, seed=seed + 1)
    turn = ortho_group.rvs(6, random_state=seed)
    assert mmd2(one, other) == pytest.approx(mmd2(other, one), abs=1e-9)
    assert mmd2(one @ turn, other @ turn) == pytest.approx(mmd2(one, other), abs=1e-9)


@pytest.mark.parametrize("n", [5, 50])
def test_it_is_unbiased_however_few_images(n):
    draws = np.random.default_rng(0)
    values = [mmd2(*draws.normal(size=(2, n, 6))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20
    assert min(values) < 0


def test_subsets_average_to_what_all_images_say():
    one, other = features(60), features(60, seed=1, shift=0.4)
    mean, spread = kernel_distance(one, other, np.random.default_rng(0), subsets=400, subset_size=30)
    assert abs(mean - mmd2(one, other)) < 4 * spread / 20
    assert kernel_distance(one, other, np.random.default_rng(0), 5, 60) == pytest.approx((mmd2(one, other), 0))


def of_classes(n, seed, shift=0.0, classes=3):
    """(classes, n, 4), the classes well apart."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(classes, n, 4)) + 3 * np.eye(4)[:classes, None] + shift


def test_one_class_is_the_plain_estimate():
    one, other = of_classes(9, 0, classes=1), of_classes(7, 1, classes=1)
    assert balanced_mmd2(one, other) == pytest.approx(mmd2(one[0], other[0]))


def test_classes_that_are_balanced_by_design_bias_the_plain_estimate_and_not_this_one():
    pairs = [(of_classes(6, s), of_classes(6, 1000 + s)) for s in range(300)]
    plain = [mmd2(*(x.reshape(-1, 4) for x in pair)) for pair in pairs]
    balanced = [balanced_mmd2(*pair) for pair in pairs]
    assert abs(np.mean(balanced)) < 4 * np.std(balanced) / np.sqrt(300)
    assert np.mean(plain) < -8 * np.std(plain) / np.sqrt(300)


def test_it_estimates_what_drawn_labels_would():
    """With labels drawn at random the plain estimate is unbiased; both must agree on average."""

    def drawn(n, seed, shift):
        labels = np.random.default_rng(10_000 + seed).integers(0, 3, n)
        return of_classes(n, seed, shift)[labels, np.arange(n)]

    plain = [mmd2(drawn(30, s, 0), drawn(30, 1000 + s, 0.5)) for s in range(300)]
    balanced = [balanced_mmd2(of_classes(10, s), of_classes(10, 1000 + s, 0.5)) for s in range(300)]
    error = np.sqrt((np.var(plain) + np.var(balanced)) / 300)
    assert abs(np.mean(plain) - np.mean(balanced)) < 4 * error
    assert np.std(balanced) < np.std(plain)


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_its_error_is_that_of_new_images_and_too_large_rather_than_too_small(shift):
    def pair(seed):
        return of_classes(24, seed), of_classes(24, 1000 + seed, shift)

    true = np.std([balanced_mmd2(*pair(s)) for s in range(300)])
    said = np.mean([half_sample_error(*pair(s), np.random.default_rng(s)) for s in range(20)])
    assert 0.85 * true < said < (1.3 if shift else 2.5) * true


def test_refusals():
    with pytest.raises(TooFewImages, match=r"^subset_size 10 needs as many images, got 9 and 20$"):
        kernel_distance(features(9), features(20), np.random.default_rng(0), subset_size=10)
    with pytest.raises(TooFewImages, match=r"^a kernel distance needs at least 2 images of each kind, got 1$"):
        mmd2(features(1), features(20))
    with pytest.raises(
        TooFewImages, match=r"^a kernel distance's error needs at least 4 images of each class and kind, got 3$"
    ):
        half_sample_error(of_classes(9, 0), of_classes(3, 0), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"^classes and width must be the same, got \(3, 9, 4\) and \(2, 9, 4\)$"):
        balanced_mmd2(of_classes(9, 0), of_classes(9, 0, classes=2))
    with pytest.raises(ValueError, match=r"^a kernel distance takes arrays \(classes, n, d\), got shape \(9, 6\)$"):
        balanced_mmd2(features(9), features(9))
    with pytest.raises(ValueError, match=r"^subset_size must be at least 2, got 1$"):
        kernel_distance(features(9), features(20), np.random.default_rng(0), subset_size=1)
