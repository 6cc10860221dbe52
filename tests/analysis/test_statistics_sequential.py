"""The sequential t-test by its laws: its error rate on simulated seeds, prefixes, signs, and what one look would say."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.statistics.decision import decide_all
from analysis.statistics.looks import Looks
from analysis.statistics.sequential import course, decide_as_they_come

LOOKS = Looks(3, 20)
OPEN = "cannot tell yet"


@cache
def none(mean: float = 0.0) -> np.ndarray:
    return mean + 0.4 * np.random.default_rng(7).standard_normal((20_000, 20))


def test_chance_alone_decides_one_contrast_in_twenty_whatever_the_spread() -> None:
    """20,000 contrasts without an effect: a standard error of 0.15 points of percent around 5."""
    said = course(none(), 0.5, LOOKS).words
    wrong = np.isin(said, ["helps", "hurts"]).any(axis=1).mean()
    assert 0.044 < wrong < 0.056
    p = decide_as_they_come(none(), 0.5, LOOKS)["p"]
    assert [(p <= a).mean() for a in (0.01, 0.05, 0.2)] == pytest.approx([0.01, 0.05, 0.2], rel=0.15)
    assert decide_as_they_come(1000 * none(), 500, LOOKS)["p"].to_numpy() == pytest.approx(p.to_numpy())


def test_an_effect_as_large_as_the_margin_is_called_none_in_one_contrast_in_twenty() -> None:
    found = decide_as_they_come(none(0.5), 0.5, LOOKS)
    assert 0.040 < (found["p_equivalence"] < 0.05).mean() < 0.056


def test_the_interval_holds_the_truth_at_every_look() -> None:
    went = course(none(0.3), 0.5, LOOKS)
    kept = (~went.seen | ((went.low <= 0.3) & (went.high >= 0.3))).all(axis=1).mean()
    assert 0.944 < kept < 0.956


def test_the_ordinary_test_after_every_seed_is_wrong_twice_as_often() -> None:
    """What the boundary is for: the same seeds, each look by itself."""
    words = [decide_all(none()[:4000, :n], 0.5)["verdict"].isin(["helps", "hurts"]) for n in range(3, 21)]
    assert np.any(words, axis=0).mean() > 0.15


def test_what_is_said_of_some_seeds_does_not_depend_on_later_ones() -> None:
    whole = course(none()[:50], 0.5, LOOKS)
    for n in (1, 3, 7):
        part = course(none()[:50, :n], 0.5, LOOKS)
        assert (part.words == whole.words[:, :n]).all()
        assert part.p == pytest.approx(whole.p[:, :n], nan_ok=True)


def test_a_decided_word_stays_and_p_only_falls() -> None:
    went = course(none(0.3)[:2000], 0.5, LOOKS)
    with np.errstate(invalid="ignore"):
        assert not (np.diff(went.p[:, 2:], axis=1) > 1e-12).any()
    sure = np.isin(went.words, ["helps", "hurts"])
    assert (sure[:, :-1] <= sure[:, 1:]).mean() > 0.9999  # but for intervals that contradict each other


def test_helps_turned_round_is_hurts() -> None:
    one, other = (decide_as_they_come(sign * none(0.4)[:500], 0.5, LOOKS) for sign in (1, -1))
    turned = {"helps": "hurts", "hurts": "helps"}
    assert one["verdict"].replace(turned).tolist() == other["verdict"].tolist()
    assert one["low"].to_numpy() == pytest.approx(-other["high"].to_numpy())
    assert one[["p", "p_equivalence", "half"]].to_numpy() == pytest.approx(
        other[["p", "p_equivalence", "half"]].to_numpy()
    )


def test_the_interval_excludes_0_exactly_where_p_is_below_a_twentieth() -> None:
    found = decide_as_they_come(none(0.25)[:5000], 0.5, LOOKS)
    outside = (found["low"] > 0) | (found["high"] < 0)
    near = found["p"].between(0.0495, 0.0505)
    assert (outside == (found["p"] < 0.05))[~near].all()


def test_a_single_look_is_the_ordinary_test() -> None:
    values = none(0.2)[:200, :6]
    found, plain = decide_as_they_come(values, 0.5, Looks(6, 6)), decide_all(values, 0.5)
    assert found["verdict"].tolist() == plain["verdict"].tolist()
    for name in ("mean", "low", "high", "half", "p"):
        assert found[name].to_numpy() == pytest.approx(plain[name].to_numpy(), rel=5e-3)


def test_the_chance_over_two_looks_is_that_of_scipys_tests() -> None:
    """P(cross at 3 or 4) by brute force: scipy's own t-tests of a million contrasts."""
    values = np.random.default_rng(11).standard_normal((1_000_000, 4))
    p = [stats.ttest_1samp(values[:, :n], 0, axis=1).pvalue * 4 / n for n in (3, 4)]
    smallest = np.minimum(*p)
    for a in (0.003, 0.03):
        assert Looks(3, 4).p(np.array(a)) == pytest.approx((smallest <= a).mean(), rel=0.05)


def test_a_gain_inside_the_margin_is_waited_for() -> None:
    """0.3 is "no effect" after eight seeds by the margin alone, and "helps" after twenty."""
    rng = np.random.default_rng(2)
    values = 0.3 + 0.2 * rng.standard_normal((300, 20))
    went = course(values, 0.7, LOOKS)
    inside = went.p_equivalence < 0.05
    assert inside[:, 7].mean() > 0.9
    assert (went.words[:, 7] == "no effect").mean() < 0.05
    assert (went.words[:, -1] == "helps").mean() > 0.95


def test_missing_pairs_and_seeds_that_do_not_differ_are_no_looks() -> None:
    values = np.array([[1.0, np.nan, 1.2, 0.9, 1.1], [1, 1, 1, 1, 1], [np.nan] * 5, [0.4, 0.6, np.nan, np.nan, np.nan]])
    found = decide_as_they_come(values, 0.5, LOOKS)
    assert found["verdict"].tolist() == ["helps", OPEN, OPEN, OPEN]
    assert found["n"].tolist() == [4, 5, 0, 2]
    assert found["p"].isna().tolist() == [False, True, True, True]
    assert found[["low", "high", "half"]].isna().all(axis=1).tolist() == [False, True, True, True]
    dense = decide_as_they_come(values[:1, [0, 2, 3, 4]], 0.5, LOOKS)
    pd.testing.assert_frame_equal(dense, found[:1])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Looks(2, 20), "looks must have 3 <= first <= last, got 2 and 20"),
        (lambda: Looks(5, 4), "looks must have 3 <= first <= last, got 5 and 4"),
        (lambda: course(np.zeros(3), 0.5, LOOKS), "differences must be (settings, n_seeds), got 1 dimensions"),
        (lambda: course(np.zeros((1, 3)), 0.0, LOOKS), "margin must be > 0, got 0.0"),
        (lambda: course(np.zeros((1, 21)), 0.5, LOOKS), "there must be at most 20 differences, as planned, got 21"),
    ],
)
def test_refusals(call, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == told
