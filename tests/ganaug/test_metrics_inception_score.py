import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from torch_fidelity.metric_isc import isc_features_to_metric

from ganaug.metrics.checks import TooFewImages
from ganaug.metrics.inception_score import inception_score


def logits(n=203, k=7, seed=0):
    return np.random.default_rng(seed).normal(size=(n, k)) * 3


@pytest.mark.parametrize("splits", [1, 4, 10])
@pytest.mark.parametrize("seed", [None, 2020])
def test_it_is_torch_fidelitys(splits, seed):
    theirs = isc_features_to_metric(torch.from_numpy(logits()), splits, shuffle=seed is not None, rng_seed=seed)
    rng = None if seed is None else np.random.RandomState(seed)
    ours = inception_score(softmax(logits(), axis=1), splits, rng)
    assert ours == pytest.approx(tuple(theirs.values()), rel=1e-10, abs=1e-12)


@given(st.integers(2, 9), st.integers(1, 5))
def test_sure_and_balanced_is_the_number_of_classes(k, each):
    assert inception_score(np.repeat(np.eye(k), each, axis=0), 1)[0] == pytest.approx(k)


@given(st.integers(1, 9), st.integers(1, 5))
def test_images_that_all_look_alike_are_worth_one(k, n):
    assert inception_score(np.full((n, k), 1 / k), 1)[0] == pytest.approx(1)
    one_class = np.zeros((n, k))
    one_class[:, 0] = 1
    assert inception_score(one_class, 1)[0] == pytest.approx(1)


@given(st.integers(0, 99))
def test_it_lies_between_one_and_the_number_of_classes(seed):
    p = softmax(logits(60, 5, seed), axis=1)
    whole, spread = inception_score(p, 1)
    assert 1 <= whole <= 5
    assert spread == 0
    assert inception_score(p[::-1], 1)[0] == pytest.approx(whole)  # the order does not matter in one piece


def test_the_same_generator_gives_the_same_parts():
    p = softmax(logits(), axis=1)
    one, two, other = (inception_score(p, 10, np.random.default_rng(s)) for s in (0, 0, 1))
    assert one == two != other


def test_refusals():
    with pytest.raises(TooFewImages, match=r"^10 splits need as many images, got 9$"):
        inception_score(np.full((9, 2), 0.5))
    with pytest.raises(ValueError, match=r"^class probabilities must be at least 0 and sum to 1 in every row$"):
        inception_score(logits())  # forgotten softmax
    with pytest.raises(ValueError, match=r"^splits must be at least 1, got 0$"):
        inception_score(np.full((9, 2), 0.5), 0)
