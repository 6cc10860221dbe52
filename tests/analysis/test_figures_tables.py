"""The tables behind the figures: confusions, alarms, and what metrics tell about the gain."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr, ttest_rel
from sklearn.metrics import confusion_matrix

import analysis
from analysis.alarms import alarms
from analysis.confusion import confusion_counts, confusion_shifts, count_matrix, shares, worst_pairs
from analysis.metrics_table import (
    METRICS,
    correlation_interval,
    gain_correlations,
    generator_gains,
    one_cell_per_generator,
    rank_correlation,
)

WHERE: dict[str, Any] = {"n_real": 10, "n_gen": 200, "threshold": 0.5}


def test_counts_agree_with_an_independent_implementation() -> None:
    rng = np.random.default_rng(3)
    labels, predicted = rng.integers(0, 4, 50), rng.integers(0, 4, (3, 50)).astype(np.uint8)
    expected = sum(confusion_matrix(labels, row, labels=range(4)) for row in predicted)
    np.testing.assert_array_equal(count_matrix(predicted, labels, 4), expected)


def test_a_class_without_test_images_has_no_share() -> None:
    found = shares(np.array([[3, 1], [0, 0]]))
    assert found[0].tolist() == [0.75, 0.25]
    assert np.isnan(found[1]).all()


def test_many_classes_do_not_wrap_around() -> None:
    labels = np.arange(200)
    np.testing.assert_array_equal(count_matrix(labels[None].astype(np.uint8), labels, 200), np.eye(200, dtype=int))


def test_shifts_are_the_paired_changes_of_recall(run: analysis.Run) -> None:
    shifts = confusion_shifts(run, WHERE)
    assert len(shifts) == 100
    by_row = shifts.groupby("true")[["control_share", "share", "shift_points"]].sum()
    np.testing.assert_allclose(by_row["share"], 1)
    np.testing.assert_allclose(by_row["shift_points"], 0, atol=1e-9)  # what one class loses, another gets
    diagonal = shifts[shifts["true"].eq(shifts["predicted"])]
    made, pairs = run.predictions(), analysis.paired_deltas(run.grid)
    for name, value in WHERE.items():
        pairs = pairs[pairs[name].eq(value)]
    four = made["labels"] == 4
    ours, theirs = (np.array([(made[c][0][four] == 4).mean() for c in pairs[side]]) for side in ("cell", "control"))
    row = diagonal[diagonal["true"].eq("4")].iloc[0]
    test = ttest_rel(100 * ours, 100 * theirs)
    assert row["shift_points"] == pytest.approx(100 * (ours - theirs).mean())
    assert (row["low"], row["high"]) == pytest.approx(tuple(test.confidence_interval()))
    assert row["p"] == pytest.approx(test.pvalue)
    assert row["n_seeds"] == 3


def test_shifts_want_one_contrast_and_say_which_factor_is_open(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match=r"give a level for n_gen \(one of .*50, 200\) and threshold"):
        confusion_shifts(run, {"n_real": 10})
    with pytest.raises(ValueError, match="arm must be one of real-only, generated, duplicated"):
        confusion_counts(run, WHERE, "copied")


def test_every_arm_has_its_matrix(make_run: Callable[..., analysis.Run]) -> None:
    primary = {"gan_da": "none", "n_da": None, "clf_da": "none", "against": "real-only"}
    run = make_run(primary=WHERE | primary)
    for arm in ("generated", "real-only", "duplicated", "shuffled", "more-real"):
        counts = confusion_counts(run, WHERE, arm)
        assert counts.sum() == 3 * 400
        cells = run.cells[run.cells["arm"].eq(arm) & run.cells["n_real"].eq(10) & run.cells["clf_da"].eq("none")]
        for name in ("n_gen", "threshold") if arm == "generated" else ():
            cells = cells[cells[name].eq(WHERE[name])]
        assert np.trace(counts) / counts.sum() == pytest.approx(float(cells["accuracy"].mean()))


def test_one_seed_has_no_interval(make_run: Callable[..., analysis.Run]) -> None:
    shifts = confusion_shifts(make_run(factors={"seed": [0]}), WHERE)
    assert shifts[["low", "high", "p"]].isna().all(axis=None)
    assert shifts["shift_points"].notna().all()


def test_the_worst_pairs_leave_out_the_diagonal_and_what_did_not_move() -> None:
    shifts = pd.DataFrame({"true": list("aaabbb"), "predicted": list("abcabc")})
    shifts["shift_points"] = [-9.0, 5.0, 4.0, -2.0, 0.0, 0.0]
    found = worst_pairs(shifts, 4)
    assert found["shift_points"].tolist() == [5.0, 4.0, -2.0]


def judged(rows: list[tuple[float | None, float | None, float | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["recognised", "real_recognised", "taught"]).astype("Float64")
    return pd.DataFrame({"generator": "g", "n_real": 10, "seed": 0, "class": list("abcdef")[: len(rows)]}).join(frame)


def test_each_kind_of_alarm(run: analysis.Run) -> None:
    table = judged([(0.9, 0.9, 0.9), (0.49, 0.9, 0.9), (0.9, 0.5, 0.49), (0.1, 0.49, 0.1), (0.1, None, 0.1)])
    asked = analysis.Run(run.folder, run.cells, run.per_class, run.summary, run.study, generator_classes=table)
    found = alarms(asked)
    assert list(zip(found["class"], found["kind"], strict=True)) == [
        ("b", "not recognised"),
        ("c", "does not teach"),
        ("d", "cannot say"),
        ("e", "cannot say"),
    ]
    assert alarms(asked, below=0.05).shape[0] == 1  # only the class that nobody could be asked about
    both = judged([(0.1, 0.9, 0.1)])
    asked = analysis.Run(run.folder, run.cells, run.per_class, run.summary, run.study, generator_classes=both)
    assert alarms(asked)["kind"].tolist() == ["not recognised", "does not teach"]


def test_alarms_of_the_made_run_and_refusals(run: analysis.Run) -> None:
    found = alarms(run)
    assert found["class"].eq("9").all()  # recognised 0.3 in every generator
    assert len(found) == len(run.generators)
    with pytest.raises(ValueError, match=r"below must lie in \(0, 1\], got 0"):
        alarms(run, below=0)


def test_a_run_without_assessed_generators_raises_no_alarm(run: analysis.Run) -> None:
    bare = analysis.Run(run.folder, run.cells, run.per_class, run.summary, run.study)
    assert alarms(bare).empty
    assert gain_correlations(bare).empty


def test_correlation_agrees_with_scipy_ties_included() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40).astype(float), rng.normal(size=40)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(rank_correlation(x, np.ones(40)))


def test_within_groups_only_the_order_inside_them_counts() -> None:
    group = np.repeat([0, 1, 2], 4)
    x = group * 100.0 + np.tile([1, 2, 3, 4], 3)
    y = group * 100.0 - np.tile([1, 2, 3, 4], 3)
    assert rank_correlation(x, y) > 0.7  # between the groups
    assert rank_correlation(x, y, group) == pytest.approx(-1)


def test_few_generators_have_a_wide_interval_or_none() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=30)
    y = x + rng.normal(size=30)
    seed = np.arange(30) // 3
    r, low, high = correlation_interval(x, y, seed)
    assert -1 < low < r < high < 1
    _, few_low, few_high = correlation_interval(x[:9], y[:9], seed[:9])
    assert few_high - few_low > 2 * (high - low)
    assert np.isnan(correlation_interval(x[:9], y[:9], seed[:9] * 0)[1])  # of one seed nobody knows what seeds do
    assert np.isnan(correlation_interval(x[:3], y[:3], np.arange(3))[1])


def test_intervals_of_clustered_generators_cover() -> None:
    """Half of the spread shared by a seed, 5 seeds of 3 generators: at least 92 % of the intervals hold the truth."""
    rng, truth, hits = np.random.default_rng(2), 6 / np.pi * np.arcsin(0.6 / 2), 0
    mix = np.linalg.cholesky([[1, 0.6], [0.6, 1]]).T
    for _ in range(200):
        shared, own = rng.normal(size=(5, 1, 2)) @ mix, rng.normal(size=(5, 3, 2)) @ mix
        x, y = ((shared + own) / np.sqrt(2)).reshape(-1, 2).T
        _, low, high = correlation_interval(x, y, np.repeat(np.arange(5), 3))
        hits += low <= truth <= high
    assert hits >= 184


def test_each_generator_counts_once(run: analysis.Run) -> None:
    gains = generator_gains(run)
    assert one_cell_per_generator(run) == {"n_gen": 50, "threshold": 0.0}  # of equals the first
    assert gains["generator"].is_unique
    assert len(gains) == len(run.generators) == 9
    asked = {"n_gen": 200, "threshold": 0.5}
    table = gain_correlations(run, asked).set_index("metric")
    assert set(table.index) <= set(METRICS)
    gains = generator_gains(run, asked)
    expected = spearmanr(gains["fid"].astype(float), gains["delta_points"]).statistic
    assert table.loc["fid", "spearman"] == pytest.approx(expected)
    assert table.loc["fid", ["n", "n_seeds"]].tolist() == [9, 3]
    assert table.loc["precision", "spearman"] == pytest.approx(-expected)  # made as the mirror image of fid
