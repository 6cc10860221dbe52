"""Figures: the numbers in them, and that they leave nothing behind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import analysis
from analysis.factors import thin
from analysis.figures.acceptance import acceptance_rates
from analysis.figures.slices import slices
from analysis.grid import heatmap_table


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_a_heatmap_cell_is_the_table_row(run: analysis.Run) -> None:
    table = heatmap_table(run, "n_real", "n_gen", "delta", {"threshold": 0.5})
    deltas = analysis.deltas_over_seeds(run.cells)
    for cell in table[~table["control"]].to_dict("records"):
        at = deltas["n_real"].eq(cell["n_real"]) & deltas["n_gen"].eq(cell["n_gen"]) & deltas["threshold"].eq(0.5)
        row = deltas[at].iloc[0]
        assert cell["value"] == row["delta_points"]
        assert cell["inconclusive"] == (row["low_points"] <= 0 <= row["high_points"])
    controls = table[table["control"]].set_index("n_real")["value"]
    accuracy = run.cells[run.cells["n_gen"].eq(0)].groupby("n_real")["accuracy"].mean()
    np.testing.assert_allclose(controls.to_numpy(float), 100 * accuracy.to_numpy(float))


def test_the_control_fills_its_row_whatever_the_threshold(run: analysis.Run) -> None:
    table = heatmap_table(run, "threshold", "n_gen", "accuracy", {"n_real": 10})
    control = table[table["control"]]
    assert len(control) == 2
    assert control["value"].nunique() == 1


def test_a_heatmap_refuses_to_average_in_silence(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match="must leave one setting per cell"):
        heatmap_table(run, "n_real", "n_gen", "delta")


def test_blank_cells_say_why(make_run: Callable[..., analysis.Run]) -> None:
    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        hit = table["n_real"].eq(3) & table["n_gen"].eq(50)
        table = table.assign(accuracy=table["accuracy"].mask(hit), status=table["status"].mask(hit, "diverged"))
        return table[~(table["n_real"].eq(30) & (table["n_gen"].eq(0) | table["n_gen"].eq(200)))]

    run = make_run(mutate=mutate)
    table = heatmap_table(run, "n_real", "n_gen", "delta", {"threshold": 0.5}).set_index(["n_real", "n_gen"])
    assert table.loc[(3, 50), "state"] == "diverged"
    assert table.loc[(30, 50), "state"] == "no pair"
    assert table.loc[(30, 0), "state"] == "no control"
    assert table.loc[(30, 200), "state"] == ""
    assert "diverged" in texts(analysis.heatmap(run, value="delta"))


def test_starved_cells_carry_a_dagger(make_run: Callable[..., analysis.Run]) -> None:
    def starve(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(status=table["status"].mask(table["n_gen"].eq(200), "starved"))

    run = make_run(mutate=starve)
    assert sum("†" in text for text in texts(analysis.heatmap(run))) == 6


def test_slices_never_look_at_accuracy(make_run: Callable[..., analysis.Run]) -> None:
    factors: dict[str, list[Any]] = {"clf_da": ["none", "classic"], "gan_da": ["b", "a"], "gan.steps": [1, 2]}
    run = make_run(factors=factors)
    cut = slices(run, ("n_real", "n_gen"))
    upside_down = run.cells.assign(accuracy=1 - run.cells["accuracy"])
    assert cut == slices(
        analysis.Run(run.folder, upside_down, run.per_class, run.summary, run.study), ("n_real", "n_gen")
    )
    assert cut.fixed == {"clf_da": "none", "gan.steps": 1}
    assert "clf_da none (of 2 values)" in cut.said
    assert len(cut.panels) == 4


def test_acceptance_counts_each_seed_once(run: analysis.Run) -> None:
    rates = acceptance_rates(run)
    assert rates["n_seeds"].eq(3).all()
    assert rates[rates["threshold"].eq(0.5)]["mean"].to_numpy(float) == pytest.approx(0.58, abs=0.01)


def test_thin_keeps_the_ends() -> None:
    assert thin(range(10), 4) == [0, 3, 6, 9]
    assert thin("abc", 4) == ["a", "b", "c"]


def test_figures_leave_matplotlib_as_it_was(run: analysis.Run) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    analysis.heatmap(run), analysis.learning_curve(run), analysis.gan_losses(run), analysis.acceptance(run)
    analysis.per_class_bars(run), analysis.sample_sheet(run, run.samples()[0])
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
