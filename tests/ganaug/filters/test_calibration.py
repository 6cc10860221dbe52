import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from ganaug.filters.calibration import by_class, calibrate, platt, probability

RNG = np.random.default_rng(0)
SCORES = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20).map(lambda s: np.array(s, np.float32))


@pytest.mark.parametrize(
    ("n_real", "n_generated", "apart", "scale", "offset"),
    [(40, 40, 1.0, 1.0, 0.0), (7, 300, 0.5, 1.0, 3.0), (200, 20, 2.0, 50.0, -400.0), (30, 60, 0.3, 0.01, 5.0)],
)
def test_platt_is_logistic_regression_on_targets_smoothed_alike(n_real, n_generated, apart, scale, offset):
    real = (RNG.normal(apart, 1, n_real) * scale + offset).astype(np.float32)
    generated = (RNG.normal(-apart, 1.5, n_generated) * scale + offset).astype(np.float32)
    slope, intercept = platt(real, generated)
    # a target t of weight w is a positive of weight w t and a negative of weight w (1 - t)
    raw = np.concatenate([real, generated]).astype(np.float64)
    fewer = min(n_real, n_generated)
    target = np.array([(fewer + 1) / (fewer + 2)] * n_real + [1 / (fewer + 2)] * n_generated)
    weight = np.array([1 / n_real] * n_real + [1 / n_generated] * n_generated)
    x = ((raw - offset) / scale)[:, None]
    model = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(
        np.concatenate([x, x]),
        np.repeat([1, 0], len(raw)),
        sample_weight=np.concatenate([weight * target, weight * (1 - target)]) * 100,
    )
    assert slope * scale == pytest.approx(model.coef_[0, 0], rel=1e-3)
    np.testing.assert_allclose(probability(raw, slope, intercept), model.predict_proba(x)[:, 1], atol=1e-4)


@given(SCORES, SCORES, SCORES)
def test_probabilities_are_probabilities_and_keep_the_order(real, generated, raw):
    slope, intercept = platt(real, generated)
    assert slope >= 0
    p = probability(raw, slope, intercept)
    assert p.dtype == np.float32
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p[np.argsort(raw)]) >= 0)


@given(SCORES, SCORES, st.floats(-100, 100), st.floats(0.01, 100))
def test_the_scale_of_the_scores_does_not_matter(real, generated, offset, scale):
    real, generated = real.astype(np.float64), generated.astype(np.float64)
    both = np.concatenate([real, generated])
    assume(both.std() >= 1e-3)
    p = probability(both, *platt(real, generated))
    moved = probability(both * scale + offset, *platt(real * scale + offset, generated * scale + offset))
    np.testing.assert_allclose(p, moved, atol=1e-3)


def test_scores_that_tell_apart_are_near_certain_and_never_quite():
    # smoothed targets keep a perfect separation finite
    real, generated = np.full(100, 5.0), np.full(100, -5.0)
    slope, intercept = platt(real, generated)
    p = probability(np.array([5.0, -5.0]), slope, intercept)
    assert p[0] == pytest.approx(101 / 102, abs=1e-3)
    assert p[1] == pytest.approx(1 / 102, abs=1e-3)


@pytest.mark.parametrize(("n_real", "n_generated"), [(20, 20), (5, 500), (500, 5)])
def test_a_score_that_tells_nothing_or_the_contrary_gives_one_half(n_real, n_generated):
    raw = np.linspace(-9, 9, 7)
    backwards = platt(RNG.normal(-1, 1, n_real), RNG.normal(1, 1, n_generated))
    constant = platt(np.full(n_real, 2.5), np.full(n_generated, 2.5))
    broken = platt(np.full(n_real, np.nan), np.full(n_generated, 1.0))
    for calibration in (backwards, constant, broken):
        assert np.all(probability(raw, *calibration) == 0.5)


@pytest.mark.parametrize(("n_real", "n_generated"), [(0, 5), (5, 0)])
def test_one_kind_of_scores_is_not_enough(n_real, n_generated):
    with pytest.raises(
        ValueError, match=f"^calibration needs real and generated scores, got {n_real} and {n_generated}$"
    ):
        platt(np.zeros(n_real), np.zeros(n_generated))


def classes_of(apart, n=40):
    labels = np.tile(np.arange(3), n)
    return RNG.normal(apart, 1, 3 * n), labels, RNG.normal(-apart, 1, 3 * n), labels


def test_a_class_that_scores_higher_is_not_taken_for_more_real():
    real, labels, generated, _ = classes_of(0.8)
    raw = RNG.normal(0, 2, (3, 9))
    offset = np.array([0.0, 40.0, -7.0])
    plain = by_class(raw, calibrate(real, labels, generated, labels, 3))
    moved = calibrate(real + offset[labels], labels, generated + offset[labels], labels, 3)
    np.testing.assert_allclose(by_class(raw + offset[:, None], moved), plain, atol=1e-5)


def test_by_class_uses_each_classes_own_intercept():
    raw = np.array([[0.0, 1.0], [0.0, 1.0]])
    p = by_class(raw, (2.0, [0.0, -2.0]))
    expected = 1 / (1 + np.exp(-np.array([[0.0, 2.0], [-2.0, 0.0]])))
    np.testing.assert_allclose(p, expected, rtol=1e-6)


def test_one_class_is_plain_platt():
    real, _, generated, _ = classes_of(0.5)
    zeros = np.zeros(len(real), np.int64)
    raw = RNG.normal(0, 2, (1, 9))
    ours = by_class(raw, calibrate(real, zeros, generated, zeros, 1))
    np.testing.assert_allclose(ours[0], probability(raw[0], *platt(real, generated)), atol=1e-5)
