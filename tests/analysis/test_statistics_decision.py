"""Moments, TOST and the four words, against scipy and statsmodels and by their laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.paired import t_intervals
from analysis.statistics.decision import decide, decide_all
from analysis.statistics.equivalence import equivalence_p
from analysis.statistics.moments import moments

PILOT = np.array([0.2, 0.5, 1.1, -0.3, 0.6])
DIFFERENCES = st.lists(st.floats(-50, 50), min_size=2, max_size=9).filter(lambda v: np.std(v) > 1e-3).map(np.array)


@settings(deadline=None)
@given(DIFFERENCES)
def test_moments_are_scipys(values: np.ndarray) -> None:
    found = moments(np.append(values, np.nan))
    assert (found.n, found.df) == (len(values), len(values) - 1)
    assert found.mean == pytest.approx(values.mean())
    assert found.sd == pytest.approx(values.std(ddof=1))
    assert found.error == pytest.approx(stats.sem(values))


def test_tost_is_statsmodels() -> None:
    # statsmodels 0.15.0: DescrStatsW([.2, .5, 1.1, -.3, .6]).ttost_mean(-margin, margin)[0]
    assert equivalence_p(PILOT, 1.0) == pytest.approx(0.03303201380691403, rel=1e-12)
    assert equivalence_p(PILOT, 0.5) == pytest.approx(0.3733200107181574, rel=1e-12)


@settings(deadline=None)
@given(DIFFERENCES, st.floats(0.1, 20))
def test_tost_is_the_larger_of_scipys_one_sided_tests(values: np.ndarray, margin: float) -> None:
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    assert equivalence_p(values, margin) == pytest.approx(max(above, below), abs=1e-12)
    assert equivalence_p(-values, margin) == pytest.approx(max(above, below), abs=1e-12)


@settings(deadline=None)
@given(DIFFERENCES, st.floats(0.1, 20))
def test_equivalence_is_the_90_percent_interval_inside_the_margin(values: np.ndarray, margin: float) -> None:
    ends = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (equivalence_p(values, margin) < 0.05) == (-margin < ends.low and ends.high < margin)


@settings(deadline=None)
@given(DIFFERENCES, st.floats(0.1, 20))
def test_a_decision_follows_its_numbers(values: np.ndarray, margin: float) -> None:
    found = decide(values, margin)
    test = stats.ttest_1samp(values, 0)
    ends = test.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((ends.low, ends.high, test.pvalue))
    assert (found.low, found.high) == pytest.approx((found.mean - found.half, found.mean + found.half))
    assert (found.verdict in ("helps", "hurts")) == (found.p < 0.05)
    if found.p >= 0.05:
        assert found.verdict == ("no effect" if found.p_equivalence < 0.05 else "cannot tell yet")
    opposite = {"helps": "hurts", "hurts": "helps"}
    assert decide(-values, margin).verdict == opposite.get(found.verdict, found.verdict)


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([1.0, 1.2, 0.8, 1.1], "helps"),
        ([-1.0, -1.2, -0.8, -1.1], "hurts"),
        ([0.1, -0.2, 0.2, -0.1], "no effect"),
        ([0.1, 0.2, 0.15, 0.12], "helps"),  # real, and smaller than the margin
        ([3.0, -2.0, 1.0, 0.5], "cannot tell yet"),
        ([2.0], "cannot tell yet"),
        ([2.0, np.nan], "cannot tell yet"),
        ([2.0, 2.0, 2.0], "cannot tell yet"),
        ([0.1 + 0.2, 0.3, 0.3], "cannot tell yet"),  # equal up to rounding
        ([0.0, 0.0], "cannot tell yet"),
        ([np.nan, np.nan], "cannot tell yet"),
        ([], "cannot tell yet"),
    ],
)
def test_the_words(differences: list[float], verdict: str) -> None:
    assert decide(np.array(differences), margin=1.0).verdict == verdict


def test_equivalence_comes_with_the_90_percent_interval_not_the_95() -> None:
    found = decide(PILOT, margin=1.0)
    assert found.verdict == "no effect"
    assert found.high > 1.0  # its 95 % interval reaches beyond the margin


def test_one_seed_has_a_mean_and_nothing_else() -> None:
    found = decide(np.array([np.nan, 2.0]), 1.0)
    assert (found.mean, found.n, found.df) == (2.0, 1, 0)
    assert np.isnan([found.low, found.high, found.half, found.p, found.p_equivalence]).all()


def test_rows_are_the_single_decisions_and_agree_with_the_tables() -> None:
    rng = np.random.default_rng(0)
    many = rng.normal(0.5, 1, (20, 6))
    many[rng.random(many.shape) < 0.3] = np.nan
    many[3] = np.nan
    many[4] = 1.0
    table = decide_all(many, 1.0)
    for row, differences in zip(table.to_dict("records"), many, strict=True):
        assert row == pytest.approx(vars(decide(differences, 1.0)), nan_ok=True)
    long = pd.DataFrame(many).melt(ignore_index=False, value_name="v").dropna().reset_index(names="row")
    theirs = t_intervals(long, ["row"], "v").sort_values("row")
    ours = table.loc[theirs["row"]]
    np.testing.assert_allclose(ours[["mean", "low", "high", "p"]], theirs[["mean", "low", "high", "p"]], rtol=1e-9)


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(ValueError, match=r"margin must be > 0, got 0"):
        decide(PILOT, 0)
    with pytest.raises(ValueError, match=r"level must lie in \(0.5, 1\), got 95"):
        decide(PILOT, 1, level=95)
    with pytest.raises(ValueError, match=r"differences must be \(settings, n_seeds\), got 1 dimensions"):
        decide_all(PILOT, 1)
    with pytest.raises(ValueError, match="finite numbers or NaN"):
        decide(np.array([1, np.inf]), 1)
