"""Power and seeds needed, against statsmodels and by simulation."""

import numpy as np
import pytest

from analysis.statistics.decision import decide_all
from analysis.statistics.planning import (
    equivalence_power,
    minimum_detectable_effect,
    power,
    seeds_for_equivalence,
    seeds_needed,
)

PILOT = np.array([0.2, 0.5, 1.1, -0.3, 0.6])


# statsmodels 0.15.0: TTestPower().solve_power(nobs=n, alpha=.05, power=.8), TTestPower().power(1.0, n, .05)
@pytest.mark.parametrize(
    ("n", "detectable", "power_at_one_sd"),
    [
        (3, 3.264043552819638, 0.1792553937765517),
        (5, 1.6819970833232674, 0.4013899173717948),
        (10, 0.9960019107624178, 0.8030968566327218),
        (30, 0.5292357045238948, 0.9995636009612033),
    ],
)
def test_power_is_statsmodels(n: int, detectable: float, power_at_one_sd: float) -> None:
    assert minimum_detectable_effect(0.4, n) == pytest.approx(0.4 * detectable, rel=1e-6)
    assert power(-0.4, 0.4, n) == pytest.approx(power_at_one_sd, rel=1e-9)


# statsmodels 0.15.0: TTestPower().solve_power(effect_size=e, alpha=.05, power=.8) is 33.367, 9.938 and 4.221
@pytest.mark.parametrize(("effect_in_sds", "n"), [(0.5, 34), (1.0, 10), (2.0, 5)])
def test_seeds_needed_is_statsmodels_rounded_up(effect_in_sds: float, n: int) -> None:
    found = seeds_needed(PILOT, effect_in_sds * PILOT.std(ddof=1))
    assert found is not None
    assert (found.n, found.more) == (n, n - 5)


def test_the_chance_of_each_word_is_the_simulated_one() -> None:
    draws = np.random.default_rng(0).normal(0, 0.6, (40_000, 5))
    null, shifted = decide_all(draws, 1.0), decide_all(draws + 0.8, 1.0)
    assert (null["p_equivalence"] < 0.05).mean() == pytest.approx(equivalence_power(1.0, 0.6, 5), abs=0.01)
    assert (shifted["p"] < 0.05).mean() == pytest.approx(power(0.8, 0.6, 5), abs=0.01)


@pytest.mark.parametrize("plan", [seeds_needed, seeds_for_equivalence])
def test_laws_of_a_plan(plan) -> None:  # type: ignore[no-untyped-def]
    one, half = plan(PILOT, 1.0), plan(PILOT, 0.5)
    assert one.low <= one.n <= one.high
    assert half.n > one.n
    assert plan(10 * PILOT, 10.0) == one  # units do not matter
    assert plan(PILOT + 7, 1.0) == one  # nor does the pilot's mean
    assert plan(np.append(PILOT, np.nan), 1.0) == one
    assert plan(PILOT, 1.0, power_wanted=0.95).n > one.n
    assert plan(PILOT, 100.0).more == 0
    assert plan(PILOT, 1e-6).n == 1_000_000


@pytest.mark.parametrize("pilot", [[], [1.0], [1.0, 1.0, 1.0], [np.nan, 2.0]])
def test_no_spread_is_no_pilot(pilot: list[float]) -> None:
    assert seeds_needed(np.array(pilot), 1.0) is None
    assert seeds_for_equivalence(np.array(pilot), 1.0) is None


def test_the_interval_is_that_of_the_standard_deviation() -> None:
    """Chi-square quantiles of 4 degrees of freedom from a printed table: 0.484 and 11.143."""
    found = seeds_needed(PILOT, 0.5)
    ends = [PILOT.std(ddof=1) * np.sqrt(4 / q) for q in (11.143, 0.484)]
    low, high = (seeds_needed(np.array([-sd, sd]) / np.sqrt(2), 0.5) for sd in ends)
    assert found is not None
    assert low is not None
    assert high is not None
    assert (found.low, found.high) == (low.n, pytest.approx(high.n, rel=0.01))


def test_wrong_wishes_are_told() -> None:
    with pytest.raises(ValueError, match="effect must not be 0"):
        seeds_needed(PILOT, 0)
    with pytest.raises(ValueError, match=r"power lie in \(1 - level, 1\), got 1.0, 1.5"):
        seeds_needed(PILOT, 1.0, 1.5)
    with pytest.raises(ValueError, match="margin must be > 0"):
        seeds_for_equivalence(PILOT, 0)
    with pytest.raises(ValueError, match="n_seeds ≥ 2"):
        minimum_detectable_effect(1.0, 1)
