"""Paired deltas and t-intervals, against scipy and by their laws."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import analysis
from analysis.factors import generation_factors
from analysis.paired import average_delta, holm, t_intervals
from analysis.statistics.decision import decide
from ganaug.errors import UserError


def row_of(table: pd.DataFrame, **levels: object) -> pd.Series:
    found = table[np.logical_and.reduce([table[name].eq(value) for name, value in levels.items()])]
    assert len(found) == 1
    return found.iloc[0]


def test_interval_and_p_are_those_of_scipys_paired_t_test(run: analysis.Run) -> None:
    at = {"n_real": 10, "n_gen": 200, "threshold": 0.5}
    pairs = analysis.paired_deltas(run.cells)
    pairs = pairs[pairs["n_real"].eq(10) & pairs["n_gen"].eq(200) & pairs["threshold"].eq(0.5)]
    test = stats.ttest_rel(pairs["accuracy"].to_numpy(float), pairs["control_accuracy"].to_numpy(float))
    bounds = test.confidence_interval(0.95)
    row = row_of(analysis.deltas_over_seeds(run.cells), **at)
    assert row["low_points"] == pytest.approx(100 * bounds.low)
    assert row["high_points"] == pytest.approx(100 * bounds.high)
    assert row["p"] == pytest.approx(test.pvalue)
    assert (row["n_seeds"], row["df"]) == (3, 2)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=9).filter(lambda v: np.std(v) > 1e-3))
def test_t_interval_agrees_with_scipy(values: list[float]) -> None:
    row = t_intervals(pd.DataFrame({"g": 0, "v": values}), ["g"], "v").iloc[0]
    bounds = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == (pytest.approx(bounds.low), pytest.approx(bounds.high))
    assert row["df"] == len(values) - 1


def test_one_seed_has_no_interval(make_run: Callable[..., analysis.Run]) -> None:
    one = make_run(factors={"seed": [0]})
    deltas = analysis.deltas_over_seeds(one.cells)
    assert deltas[["sd_points", "half_points", "low_points", "high_points", "p", "p_holm"]].isna().all(axis=None)
    assert deltas["df"].eq(0).all()
    assert deltas["verdict"].eq("cannot tell yet").all()
    assert analysis.accuracy_over_seeds(one.cells)["half"].isna().all()
    assert analysis.headline(one).verdict == "Cannot tell yet"


def test_a_cell_against_itself_is_zero(run: analysis.Run) -> None:
    controls = run.cells[run.cells["n_gen"].eq(0)]
    twins = controls.assign(n_gen=50, cell=controls["cell"] + "twin").astype({"n_gen": "Int64"})
    deltas = analysis.paired_deltas(pd.concat([controls, twins], ignore_index=True))
    assert len(deltas) == len(controls)
    assert deltas["delta_points"].eq(0).all()


def test_pairs_share_everything_a_control_can_feel(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors={"clf_da": ["none", "classic"], "gan.steps": [10, 20], "classifier.width": [1, 2]})
    pairs = analysis.paired_deltas(run.cells)
    control = run.cells.set_index("cell").loc[pairs["control"]].reset_index()
    for name in ("n_real", "clf_da", "seed", "classifier.width"):
        assert pairs[name].eq(control[name]).all(), name
    assert control["n_gen"].eq(0).all()
    assert control[["threshold", "gan_da", "n_da", "gan.steps"]].isna().all(axis=None)
    assert len(pairs) == run.cells["n_gen"].gt(0).sum()
    assert generation_factors(run.cells) == ["n_gen", "threshold", "gan_da", "n_da", "gan.steps"]


def test_a_null_in_a_shared_factor_pairs_with_a_null(run: analysis.Run) -> None:
    cells = run.cells.assign(**{"classifier.note": pd.array([None] * len(run.cells), dtype="Int64")})
    pairs = analysis.paired_deltas(cells)
    assert len(pairs) == cells["n_gen"].gt(0).sum()


def test_a_seed_without_its_control_is_dropped(make_run: Callable[..., analysis.Run]) -> None:
    def lose(table: pd.DataFrame) -> pd.DataFrame:
        return table[~(table["n_gen"].eq(0) & table["seed"].eq(1) & table["n_real"].eq(3))]

    deltas = analysis.deltas_over_seeds(make_run(mutate=lose).cells)
    hit, whole = deltas[deltas["n_real"].eq(3)], deltas[~deltas["n_real"].eq(3)]
    assert hit["n_seeds"].eq(2).all()
    assert hit["n_dropped"].eq(1).all()
    assert whole["n_seeds"].eq(3).all()
    assert whole["n_dropped"].eq(0).all()


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_cells_without_a_result_never_enter(make_run: Callable[..., analysis.Run], status: str) -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        hit = table["seed"].eq(0)
        return table.assign(status=table["status"].where(~hit, status))  # the accuracy is left in, as a trap

    run = make_run(mutate=spoil)
    assert set(analysis.paired_deltas(run.cells)["seed"]) == {1, 2}
    assert analysis.accuracy_over_seeds(run.cells)["n_seeds"].eq(2).all()


def test_starved_cells_enter_and_are_flagged(make_run: Callable[..., analysis.Run]) -> None:
    def starve(table: pd.DataFrame) -> pd.DataFrame:
        hit = table["threshold"].eq(0.5).fillna(False) & table["seed"].eq(2)
        return table.assign(status=table["status"].where(~hit, "starved"))

    deltas = analysis.deltas_over_seeds(make_run(mutate=starve).cells)
    assert deltas["n_seeds"].eq(3).all()
    assert deltas["n_starved"].tolist() == [int(t == 0.5) for t in deltas["threshold"]]


def test_two_controls_of_one_setting_are_an_error(run: analysis.Run) -> None:
    twice = pd.concat([run.cells, run.cells[run.cells["n_gen"].eq(0)].head(1)])
    with pytest.raises(UserError, match="must have one real-only control"):
        analysis.paired_deltas(twice)


def test_holm_by_hand() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, np.nan, 0.06, 0.02])


def test_decisions_are_those_of_each_group_alone(run: analysis.Run) -> None:
    deltas = analysis.deltas_over_seeds(run.grid, margin=2.0)
    pairs = analysis.paired_deltas(run.grid)
    for row in deltas.to_dict("records"):
        own = pairs[pairs["n_real"].eq(row["n_real"]) & pairs["n_gen"].eq(row["n_gen"])]
        own = own[own["threshold"].eq(row["threshold"])]
        alone = decide(own["delta_points"].to_numpy(float), 2.0)
        assert (row["verdict"], row["n_seeds"]) == (alone.verdict, alone.n)
        assert row["p_equivalence"] == pytest.approx(alone.p_equivalence)
    assert set(deltas["verdict"]) > {"helps"}


def test_the_average_is_the_mean_of_all_settings(run: analysis.Run) -> None:
    mean = average_delta(run.cells)
    assert mean is not None
    assert mean["n_settings"] == 12
    assert mean["mean"] == pytest.approx(analysis.paired_deltas(run.cells)["delta_points"].mean())


def test_per_class_deltas_by_hand(run: analysis.Run) -> None:
    at = {"n_real": 3, "n_gen": 50, "threshold": 0.5}
    table = analysis.per_class_deltas(run, at)
    assert len(table) == 10
    pairs = analysis.paired_deltas(run.cells)
    pairs = pairs[pairs["n_real"].eq(3) & pairs["n_gen"].eq(50) & pairs["threshold"].eq(0.5)]
    recall = run.per_class[run.per_class["class"].eq("7")].set_index("cell")
    recall = recall["correct"] / recall["total"]
    by_hand = 100 * (recall[pairs["cell"]].to_numpy() - recall[pairs["control"]].to_numpy())
    assert table.set_index("class").loc["7", "delta_points"] == pytest.approx(float(by_hand.mean()))
