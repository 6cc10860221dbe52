"""The grid in a few numbers, and the primary contrast by every test."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from made_run import write_run
from scipy.stats import trim_mean, wilcoxon

import analysis
from analysis.contrasts import primary_differences
from analysis.over_settings import overall, primary_tests
from analysis.tables import over_all_settings, primary_by_every_test

Make = Callable[..., analysis.Run]
PRIMARY = {
    "n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none",
    "against": "real-only",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    factors = {"seed": list(range(5))}
    return analysis.load(write_run(tmp_path_factory.mktemp("overall"), factors=factors, primary=PRIMARY))


def test_the_estimates_are_rliables(run: analysis.Run) -> None:
    table = overall(run).set_index("measure")
    cells = run.grid
    generated = 100 * cells.loc[cells["arm"].eq("generated"), "accuracy"].to_numpy(float)
    assert table.loc["interquartile mean accuracy, generated", "value"] == pytest.approx(trim_mean(generated, 0.25))
    pairs = analysis.paired_deltas(run.grid)
    assert table.loc["mean change", "value"] == pytest.approx(pairs["delta_points"].mean())
    wins = []
    for _, own in pairs.groupby(["n_real", "n_gen", "threshold"]):
        ours, theirs = own["accuracy"].to_numpy(float), own["control_accuracy"].to_numpy(float)
        wins.append(((ours[:, None] > theirs) + 0.5 * (ours[:, None] == theirs)).mean())
    assert table.loc["probability of improvement", "value"] == pytest.approx(np.mean(wins))
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_a_setting_that_a_seed_lacks_is_left_out(make_run: Make) -> None:
    def lose(table: pd.DataFrame) -> pd.DataFrame:
        return table[~(table["n_gen"].eq(50) & table["seed"].eq(1))]

    run = make_run(mutate=lose)
    pairs = analysis.paired_deltas(run.grid)
    kept = pairs[pairs["n_gen"].eq(200)]
    assert overall(run).set_index("measure").loc["mean change", "value"] == pytest.approx(kept["delta_points"].mean())


def test_every_test_of_the_primary(run: analysis.Run) -> None:
    table = primary_tests(run).set_index("test")
    differences = primary_differences(run)["delta_points"].to_numpy(float)
    first = table.loc["paired t-test, over seeds"]
    assert first["low"] < differences.mean() < first["high"]
    flips = table.loc["sign flips, exact"]
    assert flips["p"] >= 0.0625
    assert "5 seeds cannot reach 0.05 in it" in flips["note"]
    assert (differences > 0).all()
    assert flips["p"] == pytest.approx(wilcoxon(differences).pvalue), "all of one sign: both have the smallest p"
    whole = table.loc["hierarchical, over seeds and test images"]
    assert whole["high"] - whole["low"] > first["high"] - first["low"]


def test_tables_write_them_out(run: analysis.Run, make_run: Make) -> None:
    assert next(dict(row)["test"] for row in primary_by_every_test(run).rows) == "paired t-test, over seeds"
    assert len(over_all_settings(run).rows) == 4
    alone = make_run(factors={"n_gen": [0]})
    assert not primary_by_every_test(alone).rows
    assert not over_all_settings(alone).rows
