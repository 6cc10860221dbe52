"""The interval over seeds and images, and sign flips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.resampling import hierarchical_bootstrap, sign_flip


def arms(rng: np.random.Generator, n_seeds: int, n_test: int, image_sd: float, seed_sd: float) -> list[np.ndarray]:
    difficulty, of_image = rng.normal(1.5, 2, n_test), rng.normal(0, image_sd, n_test)
    of_seed = rng.normal(0, seed_sd, (n_seeds, 1))
    noise = rng.normal(size=(2, n_seeds, n_test))
    return [difficulty + of_image + of_seed + noise[0] > 0, difficulty + noise[1] > 0]


def test_where_images_do_not_matter_it_is_the_t_interval() -> None:
    rng = np.random.default_rng(0)
    arm = np.zeros((5, 1000), bool)
    for seed, right in enumerate((10, 25, 40, 5, 30)):  # all images alike: only the seed decides how many are right
        arm[seed, rng.permutation(1000)[:right]] = True
    found = hierarchical_bootstrap(arm, np.zeros_like(arm), rng=rng, n_resamples=200_000)
    ends = stats.ttest_1samp(100 * arm.mean(1), 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.05 * (ends.high - ends.low))
    assert found.seed_error == pytest.approx(stats.sem(100 * arm.mean(1)))
    assert found.image_error < 0.2 * found.seed_error


def test_where_seeds_agree_it_is_the_interval_over_images() -> None:
    rng = np.random.default_rng(1)
    right = rng.random(2000) < 0.1
    arm = np.repeat(right[None], 6, 0)
    arm[0, :2], arm[1, :2] = True, False  # a spread over seeds, tiny
    found = hierarchical_bootstrap(arm, np.zeros_like(arm), rng=rng)
    half = 100 * 1.96 * right.std() / np.sqrt(2000)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_variance_components_by_analysis_of_variance() -> None:
    """Against the textbook's expected mean squares, written out by sums of squares."""
    arm, control = arms(np.random.default_rng(2), 4, 300, 1.0, 0.3)
    d = 100 * (arm.astype(float) - control)
    total, by_seed = ((d - d.mean()) ** 2).sum(), 300 * ((d.mean(1) - d.mean()) ** 2).sum()
    by_image = 4 * ((d.mean(0) - d.mean()) ** 2).sum()
    rest = (total - by_seed - by_image) / (3 * 299)
    found = hierarchical_bootstrap(arm, control, rng=np.random.default_rng(0))
    assert found.seed_error**2 == pytest.approx(by_seed / 3 / 1200)
    assert found.image_error**2 == pytest.approx((by_image / 299 - rest) / 1200)


def test_it_is_wider_than_over_seeds_alone_and_turns_with_the_sign() -> None:
    arm, control = arms(np.random.default_rng(3), 5, 500, 1.0, 0.1)
    found = hierarchical_bootstrap(arm, control, rng=np.random.default_rng(0))
    ends = stats.ttest_1samp(100 * (arm.mean(1) - control.mean(1)), 0).confidence_interval(0.95)
    assert found.low < ends.low < found.mean < ends.high < found.high
    back = hierarchical_bootstrap(control, arm, rng=np.random.default_rng(0))
    assert back.mean == -found.mean
    assert (-back.high, -back.low) == pytest.approx((found.low, found.high), rel=0.1)
    assert hierarchical_bootstrap(arm, control, rng=np.random.default_rng(0)) == found  # the generator is all


def test_members_of_a_seed_are_averaged() -> None:
    arm, control = arms(np.random.default_rng(4), 4, 200, 0.5, 0.3)
    once = hierarchical_bootstrap(arm, control, rng=np.random.default_rng(0))
    copies = hierarchical_bootstrap(np.stack([arm, arm], 1), control[:, None], rng=np.random.default_rng(0))
    assert copies == once
    others = np.stack([arm, ~arm], 1)  # half right on every image
    assert hierarchical_bootstrap(others, control, rng=np.random.default_rng(0)).mean == pytest.approx(
        50 - 100 * control.mean()
    )


def test_coverage_holds_where_the_t_interval_fails() -> None:
    """A lasting small version of benchmarks/statistics.py: images dominate, 10 seeds."""
    rng, hits, t_hits, repeats = np.random.default_rng(5), 0, 0, 150
    for _ in range(repeats):
        arm, control = arms(rng, 10, 400, 1.5, 0.02)
        truth = 100 * (stats.norm.sf(-1.5 / np.sqrt(5 + 1.5**2 + 0.02**2)) - stats.norm.sf(-1.5 / np.sqrt(5)))
        found = hierarchical_bootstrap(arm, control, rng=rng, n_resamples=500)
        ends = stats.ttest_1samp(100 * (arm.mean(1) - control.mean(1)), 0).confidence_interval(0.95)
        hits += found.low <= truth <= found.high
        t_hits += ends.low <= truth <= ends.high
    assert hits / repeats > 0.88  # 0.95, less four standard errors
    assert t_hits < hits


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_without_a_spread_there_is_no_interval(n_seeds: int) -> None:
    arm = np.ones((n_seeds, 10), bool)
    found = hierarchical_bootstrap(arm, ~arm, rng=np.random.default_rng(0))
    assert found.mean == 100
    assert np.isnan([found.low, found.high, found.seed_error, found.image_error]).all()


def test_wrong_arrays_are_told() -> None:
    rng, right = np.random.default_rng(0), np.ones((3, 10), bool)
    with pytest.raises(ValueError, match="correct must be bool"):
        hierarchical_bootstrap(right.astype(int), right, rng=rng)
    with pytest.raises(ValueError, match="control_correct must be bool"):
        hierarchical_bootstrap(right, right[0], rng=rng)
    with pytest.raises(ValueError, match=r"the same seeds .* got \(3, 10\) and \(2, 10\)"):
        hierarchical_bootstrap(right, right[:2], rng=rng)
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\)"):
        hierarchical_bootstrap(right, right, rng=rng, level=95)


@settings(deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=2, max_size=9).map(lambda v: np.array(v, float)))
def test_sign_flips_are_scipys_permutation_test(values: np.ndarray) -> None:
    # whole numbers, so that sums are exact: scipy's tolerance is relative to the observed mean, which may be 0
    test = stats.permutation_test(
        (values,), lambda v, axis: v.mean(axis), permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    assert sign_flip(values).p == pytest.approx(min(test.pvalue, 1.0))


@pytest.mark.parametrize(("n", "smallest", "reaches"), [(3, 0.25, False), (5, 0.0625, False), (6, 0.03125, True)])
def test_few_seeds_cannot_reach_five_percent(n: int, smallest: float, reaches: bool) -> None:
    found = sign_flip(np.arange(1.0, n + 1))
    assert found.p == found.smallest_p == smallest
    assert found.can_reach(0.95) is reaches
    assert found.can_reach(0.7)


def test_a_flip_that_ties_counts_in_spite_of_rounding() -> None:
    values = np.array([0.1, 0.2, -0.3])  # their sum is 0 on paper: no flip is nearer to it
    assert values.sum() != 0
    assert sign_flip(values).p == 1
    assert sign_flip(np.array([0.1, 0.2, -0.3, 0.4])).p == sign_flip(np.array([1.0, 2.0, -3.0, 4.0])).p


def test_sign_flips_of_little() -> None:
    assert sign_flip(np.array([2.0, np.nan])).p == 1
    assert np.isnan(sign_flip(np.array([np.nan])).p)
    assert not sign_flip(np.array([])).can_reach()
    with pytest.raises(ValueError, match="at most 24 seeds, got 25"):
        sign_flip(np.ones(25))
