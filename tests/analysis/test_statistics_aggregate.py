"""Interquartile mean and probability of improvement: rliable's numbers, scipy's, and the intervals' laws."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, trim_mean

from analysis.statistics.aggregate import interquartile_mean, probability_of_improvement

ARM = np.random.default_rng(0).normal(0.2, 1, (5, 4)).round(1)
CONTROL = np.random.default_rng(1).normal(0, 1, (5, 4)).round(1)


def test_the_estimates_are_rliables() -> None:
    # rliable 1.2.0: metrics.aggregate_iqm(ARM), metrics.probability_of_improvement(ARM, CONTROL)
    assert ARM[0].tolist() == [0.3, 0.1, 0.8, 0.3]  # the numbers that rliable was given
    assert CONTROL[0].tolist() == [0.3, 0.8, 0.3, -1.3]
    assert interquartile_mean(ARM).value == pytest.approx(0.03999999999999999, rel=1e-12)
    assert probability_of_improvement(ARM, CONTROL).value == pytest.approx(0.485, rel=1e-12)


@pytest.mark.parametrize("shape", [(3, 1), (4, 3), (7, 5)])
def test_the_estimates_are_scipys(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    arm, control = rng.normal(size=shape).round(1), rng.normal(size=shape).round(1)
    assert interquartile_mean(arm).value == trim_mean(arm, 0.25, axis=None)
    wins = [mannwhitneyu(a, c).statistic / len(a) ** 2 for a, c in zip(arm.T, control.T, strict=True)]
    assert probability_of_improvement(arm, control).value == pytest.approx(np.mean(wins))


def test_the_interquartile_interval_moves_and_scales_with_the_scores() -> None:
    found, other = interquartile_mean(ARM), interquartile_mean(10 * ARM + 3)
    assert found.low < found.value < found.high
    assert (other.low, other.high) == pytest.approx((10 * found.low + 3, 10 * found.high + 3))
    outlier = ARM.copy()
    outlier[0, 2] = 1e6  # already in the upper quarter: the estimate must not see how far out it is
    assert interquartile_mean(outlier).value == pytest.approx(found.value)


def test_copied_settings_add_no_certainty() -> None:
    one = ARM[:, :1]
    copies = np.repeat(one, 12, axis=1)
    control = np.repeat(CONTROL[:, :1], 12, axis=1)
    single, many = probability_of_improvement(one, CONTROL[:, :1]), probability_of_improvement(copies, control)
    assert many.value == pytest.approx(single.value)
    assert many.high - many.low > 0.5 * (single.high - single.low)
    spread = interquartile_mean(copies)
    assert spread.high - spread.low > copies[:, 0].std(ddof=1) / np.sqrt(5)


def test_improvement_of_the_other_is_the_complement() -> None:
    ours, theirs = probability_of_improvement(ARM, CONTROL), probability_of_improvement(CONTROL, ARM)
    assert (ours.value, ours.low, ours.high) == pytest.approx((1 - theirs.value, 1 - theirs.high, 1 - theirs.low))
    assert 0 < ours.low < ours.value < ours.high < 1
    assert probability_of_improvement(ARM, ARM).value == 0.5


def test_three_seeds_that_all_win_prove_little() -> None:
    found = probability_of_improvement(ARM[:3, :1] + 99, CONTROL[:3, :1])
    assert (found.value, found.high) == (1, 1)
    assert found.low < 0.5
    assert probability_of_improvement(ARM + 99, CONTROL).low > 0.5  # five seeds in four settings do


def test_one_seed_has_no_interval() -> None:
    assert np.isnan(interquartile_mean(ARM[:1]).low)
    found = probability_of_improvement(ARM[:1], CONTROL[:1])
    assert (found.value, np.isnan(found.low), np.isnan(found.high)) == (pytest.approx(0.625), True, True)


def test_wrong_tables_are_told() -> None:
    with pytest.raises(ValueError, match=r"scores must be finite numbers \(n_seeds, n_settings\), got shape \(4,\)"):
        interquartile_mean(ARM[0])
    with pytest.raises(ValueError, match="control must be finite"):
        probability_of_improvement(ARM, np.where(CONTROL > 0.5, np.nan, CONTROL))
    with pytest.raises(ValueError, match=r"one shape, got \(5, 4\) and \(4, 4\)"):
        probability_of_improvement(ARM, CONTROL[:4])


def test_many_runs_leave_no_point_of_the_grid_within_the_interval() -> None:
    """190 seeds by 400 settings: the interval is narrower than the grid that it is looked for on."""
    arm, control = np.random.default_rng(0).normal(size=(2, 190, 400))
    found = probability_of_improvement(arm, control)
    assert found.low <= found.value <= found.high
    assert found.high - found.low < 0.01
