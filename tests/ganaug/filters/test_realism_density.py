"""Realism and density, image by image, against brute force and, for density, the prdc package."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prdc import compute_prdc

from ganaug.filters.neighbours import density, realism, score

RNG = np.random.default_rng(0)
REAL, GENERATED = RNG.normal(size=(40, 6)), RNG.normal(0.3, 1.2, size=(30, 6))
ON_A_GRID = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9).map(
    lambda points: np.array(points, np.float32)  # copies and ties among them
)


def radius(real, i, k):
    return sorted(float(np.linalg.norm(real[i] - real[j])) for j in range(len(real)) if j != i)[k - 1]


def realism_by_hand(x, real, k):
    k = min(k, len(real) - 1)
    own = [radius(real, i, k) for i in range(len(real))]
    ratios = []
    for r, around in zip(real, own, strict=True):
        if around <= np.median(own):
            apart = float(np.linalg.norm(x - r))
            ratios.append(around / apart if apart else np.inf)
    return max(ratios)


def density_by_hand(x, real, k):
    k = min(k, len(real) - 1)
    return sum(np.linalg.norm(x - real[i]) <= radius(real, i, k) for i in range(len(real))) / k


@pytest.mark.parametrize(("ours", "by_hand"), [(realism, realism_by_hand), (density, density_by_hand)])
@pytest.mark.parametrize("k", [1, 3, 39, 100])
def test_it_is_the_papers_formula(ours, by_hand, k):
    np.testing.assert_allclose(ours(GENERATED, REAL, k), [by_hand(x, REAL, k) for x in GENERATED], rtol=1e-12)


@given(ON_A_GRID, ON_A_GRID, st.integers(1, 9))
def test_among_copies_and_ties_too(generated, real, k):
    for ours, by_hand in ((realism, realism_by_hand), (density, density_by_hand)):
        np.testing.assert_allclose(ours(generated, real, k), [by_hand(x, real, k) for x in generated], rtol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_mean_density_is_the_prdc_packages(k):
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = compute_prdc(REAL, GENERATED, k)
    assert density(GENERATED, REAL, k).mean() == pytest.approx(theirs["density"])


def test_the_scale_of_the_features_does_not_matter():
    for measure in (realism, density):
        np.testing.assert_allclose(measure(7 * GENERATED + 3, 7 * REAL + 3, 4), measure(GENERATED, REAL, 4), rtol=1e-9)


def test_one_half_is_the_rim():
    real = np.array([[0.0], [1.0], [2.0], [3.0]])  # every ball of one neighbour has radius 1
    x = np.array([[[4.0], [3.5], [7.0], [2.0]]])
    assert score(x, real, np.zeros(4, int), "realism", 1)[0].tolist() == pytest.approx([0.5, 2 / 3, 0.2, 1.0])
    # at 4 in the ball of 3; at 3.5 in that of 3; at 7 in none; at 2 in those of 1, 2 and 3
    assert score(x, real, np.zeros(4, int), "density", 1)[0].tolist() == pytest.approx([0.5, 0.5, 0.0, 0.75])


def test_an_outliers_ball_says_little():
    real = np.array([[0.0], [0.1], [0.2], [0.3], [50.0]])
    near = np.array([[20.0]])  # in the ball of the outlier alone
    assert realism(near, real, 2)[0] < 0.02
    assert density(near, real, 2)[0] == 0.5


@pytest.mark.parametrize("measure", ["realism", "density"])
def test_each_class_is_held_against_its_own_real_images(measure):
    real, labels = np.concatenate([REAL, REAL + 90]), np.repeat([0, 1], 40)
    out = score(np.stack([GENERATED, GENERATED]), real, labels, measure, 3)
    assert out.shape == (2, 30)
    assert out.dtype == np.float32
    assert out[0].max() > 0.4
    assert out[1].max() < 0.1
    np.testing.assert_array_equal(score(np.stack([GENERATED, GENERATED + 90]), real, labels, measure, 3)[0], out[0])


@pytest.mark.parametrize("measure", ["realism", "density"])
def test_with_one_real_image_nothing_can_be_said(measure):
    out = score(GENERATED[None], REAL[:1], np.zeros(1, int), measure, 5)
    assert (out == 0.5).all()
