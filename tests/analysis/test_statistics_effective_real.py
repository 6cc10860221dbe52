"""What an arm is worth in real images: exact curves, censoring, missing cells, coverage."""

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.effective_real import effective_real, effective_real_curve

SIZES = np.array([50, 100, 200, 300, 500, 1000])


def study(rng: np.random.Generator, worth: float, n_seeds: int = 5, sd: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    curve = (95 - 90 * SIZES**-0.45)[:, None] + rng.normal(0, sd, (len(SIZES), n_seeds))
    return curve, 95 - 90 * worth**-0.45 + rng.normal(0, sd, n_seeds)


def test_a_curve_without_noise_is_inverted() -> None:
    logs = np.log(SIZES)[:, None] + np.array([0.0, 0.3, -0.2])  # straight in log n: interpolation is exact
    arm = np.log(352) + np.array([0.0, 0.3, -0.2])
    found = effective_real(SIZES, logs, arm, n_real=300, n_gen=1000)
    assert (found.effective_real, found.low, found.high) == pytest.approx((352, 352, 352), rel=1e-3)
    assert found.per_generated == pytest.approx(0.052, abs=1e-3)
    assert not any([found.below, found.above, found.censored_low, found.censored_high])


def test_an_arm_that_is_the_real_curve_is_worth_its_own_images() -> None:
    curve, _ = study(np.random.default_rng(0), 300, sd=1.0)
    found = effective_real(SIZES, curve, curve[3], n_real=300, n_gen=1000)
    assert found.low <= 300 <= found.high
    assert found.per_generated_low <= 0 <= found.per_generated_high


def test_the_interval_holds_the_sizes_that_a_paired_t_test_cannot_tell_apart() -> None:
    curve, arm = study(np.random.default_rng(1), 280)
    found = effective_real(SIZES, curve, arm, n_real=200, n_gen=1000)
    for size, accuracies in zip(SIZES, curve, strict=True):
        same = stats.ttest_rel(arm, accuracies).pvalue > 0.05
        assert same == (found.low <= size <= found.high), size
    assert found.low < found.effective_real < found.high


def test_units_of_accuracy_and_order_of_seeds_do_not_matter() -> None:
    curve, arm = study(np.random.default_rng(2), 352)
    one = effective_real(SIZES, curve, arm, 300, 1000)
    other = effective_real(SIZES, curve[:, ::-1] / 100, arm[::-1] / 100, 300, 1000)
    assert (other.effective_real, other.low, other.high) == pytest.approx((one.effective_real, one.low, one.high))
    assert one.per_generated == pytest.approx((one.effective_real - 300) / 1000)


@pytest.mark.parametrize("direction", [-1, 1])
def test_beyond_the_measured_sizes_it_is_censored(direction: int) -> None:
    curve, _ = study(np.random.default_rng(3), 300)
    found = effective_real(SIZES, curve, curve[0 if direction < 0 else -1] + 5 * direction, 300, 1000)
    assert found.effective_real == (50 if direction < 0 else 1000)
    assert (found.below, found.above) == (direction < 0, direction > 0)
    assert (found.censored_low, found.censored_high) == (direction < 0, direction > 0)
    assert str(found).startswith("≤ 50 [≤ 50" if direction < 0 else "≥ 1,000 [1,000, ≥ 1,000]")


def test_a_noisy_arm_near_the_end_is_open_on_that_side_only() -> None:
    curve, arm = study(np.random.default_rng(4), 900, n_seeds=4, sd=0.5)
    found = effective_real(SIZES, curve, arm, 300, 1000)
    assert found.censored_high
    assert not found.censored_low
    assert found.high == 1000
    assert "≥ 1,000]" in str(found)


def test_a_flat_part_is_worth_its_middle() -> None:
    curve = np.repeat(np.array([70.0, 80, 90, 90, 95, 96])[:, None], 2, axis=1)
    found = effective_real(SIZES, curve, np.array([90.0, 90.0]), 200)
    assert found.effective_real == pytest.approx(np.sqrt(200 * 300), rel=0.01)
    assert np.isnan(found.per_generated)
    dipped = np.repeat(np.array([70.0, 80, 91, 89, 95, 96])[:, None], 2, axis=1)  # a dip is luck, not a law
    assert effective_real(SIZES, dipped, np.array([90.0, 90.0]), 200).effective_real == found.effective_real


def test_missing_cells_cost_only_themselves() -> None:
    curve, arm = study(np.random.default_rng(5), 352, n_seeds=6)
    whole = effective_real(SIZES, curve[:, :5], arm[:5], 300, 1000)
    lost = curve.copy()
    lost[:, 5] = np.nan
    assert effective_real(SIZES, lost, arm, 300, 1000) == whole
    silent = np.append(arm[:5], np.nan)
    assert effective_real(SIZES, curve, silent, 300, 1000) == whole
    holes = curve.copy()
    holes[1, 0] = holes[5, 2] = np.nan
    found = effective_real(SIZES, holes, arm, 300, 1000)
    assert found.n_seeds == 6
    assert found.low < 352 < found.high


def test_one_seed_has_an_estimate_and_no_interval() -> None:
    curve, arm = study(np.random.default_rng(6), 352, n_seeds=1, sd=0.0)
    found = effective_real(SIZES, curve, arm, 300, 1000)
    assert found.effective_real == pytest.approx(352, rel=0.03)
    assert np.isnan([found.low, found.high, found.per_generated_low]).all()
    assert not any([found.censored_low, found.censored_high])
    assert str(found).endswith("(no interval)")


def test_coverage() -> None:
    """A lasting small version of benchmarks/statistics.py."""
    rng, repeats = np.random.default_rng(7), 200
    found = [effective_real(SIZES, *study(rng, 352, n_seeds=4), 300, 1000) for _ in range(repeats)]
    assert np.mean([f.low <= 352 <= f.high for f in found]) > 0.89  # 0.95, less four standard errors


def test_a_curve_of_augmentation_alone() -> None:
    rng = np.random.default_rng(8)
    curve, _ = study(rng, 300)
    better = curve + 1.0
    better[0] = np.nan  # never measured there
    table = effective_real_curve(SIZES, curve, better)
    assert table["n_real"].tolist() == [100, 200, 300, 500, 1000]
    assert (table["effective_real"][:-1] > table["n_real"][:-1]).all()
    assert table["above"].tolist() == [False] * 4 + [True]
    assert table["per_generated"].isna().all()
    alone = effective_real(SIZES, curve, better[3], 300)
    assert table.iloc[2].drop("n_real").to_dict() == pytest.approx(vars(alone), nan_ok=True)


def test_wrong_curves_are_told() -> None:
    curve, arm = study(np.random.default_rng(9), 352)
    with pytest.raises(ValueError, match=r"sizes must be two or more rising positive numbers, got \[300.0, 100.0\]"):
        effective_real(np.array([300, 100]), curve[:2], arm, 300)
    with pytest.raises(ValueError, match=r"real_only must be \(n_sizes, n_seeds\) \(6, 5\), got \(5, 6\)"):
        effective_real(SIZES, curve.T, arm, 300)
    with pytest.raises(ValueError, match="no seed has both an accuracy of the arm and a real-only curve"):
        effective_real(SIZES, curve, np.full(5, np.nan), 300)
    with pytest.raises(ValueError, match="arm must have the shape of real_only"):
        effective_real_curve(SIZES, curve, curve[:3])
