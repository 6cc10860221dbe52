"""Figures: the numbers in them, that they fit a slide, and that they leave nothing behind."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import analysis
from analysis.arms import at, pairs_against
from analysis.factors import thin
from analysis.figures.acceptance import acceptance, acceptance_rates
from analysis.figures.controls import control_seeds, controls
from analysis.figures.da import da_bars, da_seeds, da_table
from analysis.figures.heatmap import effective_table, heatmap
from analysis.figures.learning import learning_curve, other_settings, others_at
from analysis.figures.losses import gan_losses
from analysis.figures.per_class import class_forest, forest_table
from analysis.figures.samples import sample_sheet
from analysis.figures.slices import question, slices
from analysis.figures.snapshots import snapshots
from analysis.figures.threshold import threshold_curve
from analysis.figures.trajectories import class_trajectories, movers
from analysis.grid import heatmap_table
from analysis.run import axis
from ganaug.records import COMPARISONS, Against

PRIMARY: dict[str, Any] = {
    **{"n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"},
    "against": "real-only",
}
SETTING = {name: value for name, value in PRIMARY.items() if name != "against"}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def hatched(figure: Figure) -> int:
    """How many cells of a heatmap are hatched."""
    return sum(isinstance(p, Rectangle) and p.get_hatch() is not None for ax in figure.axes for p in ax.patches)


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    """The usual grid with a primary contrast and its controls."""
    from made_run import write_run

    return analysis.load(write_run(tmp_path_factory.mktemp("claimed"), primary=PRIMARY))


def test_a_heatmap_cell_is_the_table_row(run: analysis.Run) -> None:
    table = heatmap_table(run, "n_real", "n_gen", "delta", {"threshold": 0.5})
    deltas = analysis.deltas_over_seeds(run.cells)
    for cell in table[~table["control"]].to_dict("records"):
        here = deltas["n_real"].eq(cell["n_real"]) & deltas["n_gen"].eq(cell["n_gen"]) & deltas["threshold"].eq(0.5)
        row = deltas[here].iloc[0]
        assert cell["value"] == row["delta_points"]
        assert cell["inconclusive"] == (row["low_points"] <= 0 <= row["high_points"])
    controls = table[table["control"]].set_index("n_real")["value"]
    accuracy = run.cells[run.cells["n_gen"].eq(0)].groupby("n_real")["accuracy"].mean()
    np.testing.assert_allclose(controls.to_numpy(float), 100 * accuracy.to_numpy(float))


def test_what_is_not_decided_is_hatched_and_nothing_else(run: analysis.Run) -> None:
    deltas = analysis.deltas_over_seeds(run.grid)
    open_ = deltas["low_points"].le(0) & deltas["high_points"].ge(0)
    assert 0 < open_.sum() < len(deltas)
    assert hatched(heatmap(run, value="delta")) == open_.sum()
    assert hatched(heatmap(run, value="accuracy")) == 0


def test_one_seed_decides_nothing(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors={"seed": [0]})
    assert hatched(heatmap(run, value="delta")) == len(analysis.deltas_over_seeds(run.grid))


def test_the_control_fills_its_row_whatever_the_threshold(run: analysis.Run) -> None:
    table = heatmap_table(run, "threshold", "n_gen", "accuracy", {"n_real": 10})
    control = table[table["control"]]
    assert len(control) == 2
    assert control["value"].nunique() == 1


def test_a_heatmap_refuses_to_average_in_silence(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match="must leave one setting per cell"):
        heatmap_table(run, "n_real", "n_gen", "delta")


def test_copies_of_real_images_add_no_level_to_the_threshold(claimed: analysis.Run) -> None:
    assert axis(claimed, "threshold") == [0.0, 0.5]


def effective(run: analysis.Run) -> pd.DataFrame:
    """A made table of effective real images: one cell is a bound, one interval holds n_real, all else is decided."""
    found = analysis.deltas_over_seeds(run.grid)
    found = found[found["threshold"].eq(0.5)].drop(columns=[c for c in found if c.endswith("_points")])
    found["effective_real"] = 2.0 * found["n_real"].astype(float)
    found = found.assign(low=1.5 * found["n_real"].astype(float), high=3.0 * found["n_real"].astype(float))
    first, bound = found.index[0], found.index[-1]
    found.loc[first, "low"] = 0.5 * float(found.loc[first, "n_real"])
    flags = {name: False for name in ("below", "above", "censored_low", "censored_high")}
    found = found.assign(**flags)
    found.loc[bound, ["above", "censored_high"]] = True
    return found


def test_effective_images_are_hatched_where_they_are_a_bound_or_no_gain(run: analysis.Run) -> None:
    made = effective(run)
    cells = effective_table(run, made, "n_real", "n_gen", {"threshold": 0.5})
    shown = cells[~cells["control"]].merge(made, on=["n_real", "n_gen"], suffixes=("", "_made"))
    assert shown["value"].tolist() == shown["effective_real"].tolist()
    assert shown["low"].tolist() == shown["low_made"].tolist()
    assert cells["inconclusive"].sum() == 2
    assert cells.loc[cells["control"], "value"].tolist() == [3, 10, 30]  # a control is worth the images that it has
    figure = heatmap(run, value="effective_real", where={"threshold": 0.5}, effective=made)
    assert hatched(figure) == 2
    assert "≥ 60" in texts(figure)
    assert "45–≥90" in texts(figure)


def test_effective_images_need_their_table(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match="needs effective="):
        heatmap(run, value="effective_real")


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
    assert "diverged" in texts(heatmap(run, value="delta"))


def test_starved_cells_carry_a_dagger(make_run: Callable[..., analysis.Run]) -> None:
    def starve(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(status=table["status"].mask(table["n_gen"].eq(200), "starved"))

    run = make_run(mutate=starve)
    assert sum("†" in text for text in texts(heatmap(run))) == 6


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


def test_slices_keep_the_contrast_named_before_the_run(make_run: Callable[..., analysis.Run]) -> None:
    factors: dict[str, list[Any]] = {"threshold": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], "gan.steps": [1, 2]}
    run = make_run(factors=factors | {"clf_da": ["none", "classic"]}, primary=PRIMARY | {"gan.steps": 2})
    cut = slices(run, ("n_real", "n_gen"), most=2)
    assert {panel["threshold"] for panel in cut.panels} == {0.5}
    assert question(run) == ({**SETTING, "gan.steps": 2}, "named before the run")


def test_acceptance_counts_each_seed_once(run: analysis.Run) -> None:
    rates = acceptance_rates(run)
    assert rates["n_seeds"].eq(3).all()
    assert rates[rates["threshold"].eq(0.5)]["mean"].to_numpy(float) == pytest.approx(0.58, abs=0.01)


def test_controls_stand_beside_the_learning_curve_at_their_own_n_real(claimed: analysis.Run) -> None:
    others = other_settings(claimed)
    beside = others_at(claimed, others, {"threshold": 0.5, "clf_da": "none"})
    assert set(beside) == {"classic-da", "duplicated", "shuffled", "more-real"}
    for kind, table in beside.items():
        cells = claimed.cells[claimed.cells["arm"].eq(kind)]
        if kind != "classic-da":
            assert table["accuracy"].item() == pytest.approx(float(cells["accuracy"].mean()))
        assert table["n_real"].tolist() == [10]
    assert "shuffled" not in others_at(claimed, others, {"threshold": 0.0})  # that one has a threshold of its own
    assert "classic-da" not in others_at(claimed, others, {"threshold": 0.5, "clf_da": "classic"})


def test_a_forest_is_sorted_and_corrected(run: analysis.Run) -> None:
    where = {"n_real": 3, "n_gen": 200, "threshold": 0.5}
    table = forest_table(run, where)
    own = analysis.per_class_deltas(run, where).set_index("class")
    assert table["delta_points"].is_monotonic_increasing
    assert table.set_index("class")["delta_points"].to_dict() == own["delta_points"].to_dict()
    assert (table["p_holm"] >= table["p"]).all()
    excludes = (table["low_points"] > 0) | (table["high_points"] < 0)
    assert (table["state"].ne("open") == excludes).all()
    assert (table["state"].isin(["up", "down"]) == table["p_holm"].lt(0.05)).all()


def test_a_forest_wants_one_contrast(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match="where must name one contrast"):
        forest_table(run, {"n_real": 3})


def test_the_classes_that_move_most_are_named() -> None:
    table = pd.DataFrame({"n_gen": [1, 2] * 3, "class": ["a", "a", "b", "b", "c", "c"]})
    table["delta_points"] = [9.0, 1.0, 0.0, -5.0, 0.0, 3.0]
    assert movers(table, 2) == ["b", "c"]


def test_control_differences_are_the_paired_ones(claimed: analysis.Run) -> None:
    seeds = control_seeds(claimed, SETTING)
    for kind, rows in seeds.groupby("against"):
        pairs = at(pairs_against(claimed, cast("Against", kind)), SETTING)
        assert sorted(rows["delta_points"]) == sorted(pairs["delta_points"])
    assert set(seeds["against"]) == set(COMPARISONS) - {"with-validation", "no-da", "fewer-updates"}


def test_augmentation_bars_are_the_settings(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors={"gan_da": ["none", "hflip"], "n_real": [10], "n_gen": [0, 50], "threshold": [0.5]})
    table = da_table(da_seeds(run, "delta"), "gan_da").set_index("gan_da")["mean"]
    deltas = analysis.deltas_over_seeds(run.grid).set_index("gan_da")["delta_points"]
    assert table.to_dict() == pytest.approx(deltas.to_dict())
    bars = da_bars(run, "gan_da", "delta")
    assert bars is not None
    assert sorted(p.get_width() for p in bars.axes[0].patches) == pytest.approx(sorted(deltas))


def test_a_bar_refuses_to_average_in_silence(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match="give a level for n_real"):
        da_table(da_seeds(run, "delta"), "clf_da")


def test_no_figure_where_there_is_nothing_to_say(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors={"n_gen": [0, 50], "threshold": [0.5], "n_real": [10]})
    assert threshold_curve(run) is None
    assert class_trajectories(run) is None
    assert controls(run) is None
    assert da_bars(run, "clf_da") is None
    sheet = run.samples()[0]
    assert snapshots(run, analysis.run.SampleSheet(sheet.factors, *[sheet.real] * 3, *[sheet.kept_score] * 2)) is None
    nothing = make_run(factors={"n_gen": [0]})
    assert class_forest(nothing) is None
    (nothing.folder / "curves.json").unlink()
    assert gan_losses(nothing) is None


def test_sheets_read_what_the_run_kept(run: analysis.Run) -> None:
    sheet = run.samples()[0]
    assert "snapshot_steps" not in sheet.factors
    assert sheet.nearest is not None
    assert sheet.snapshots is not None
    assert sheet.snapshot_steps is not None
    assert sheet.nearest.shape == sheet.kept.shape
    assert sheet.snapshots.shape[:2] == (len(sheet.snapshot_steps), len(sheet.kept))
    titles = [ax.get_title(loc="left") for ax in sample_sheet(run, sheet).axes]
    assert titles == ["real", "generated, kept", "nearest real one", "generated, rejected"]


@pytest.mark.parametrize("flat", [False, True])
def test_losses_are_grouped_by_the_generator_not_by_the_seed(run: analysis.Run, flat: bool) -> None:
    curves = [c | c["factors"] | {"factors": None} if flat else c for c in run.curves()]
    other = analysis.Run(run.folder, run.cells, run.per_class, run.summary, run.study)
    other.__dict__["_curves"] = curves
    figure = gan_losses(other)
    assert figure is not None
    assert len(figure.axes) == 3
    assert all(len(ax.lines) == 6 for ax in figure.axes)  # 3 seeds of 2 networks


def test_thin_keeps_the_ends() -> None:
    assert thin(range(10), 4) == [0, 3, 6, 9]
    assert thin("abc", 4) == ["a", "b", "c"]


def test_figures_leave_matplotlib_as_it_was(run: analysis.Run) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    heatmap(run), learning_curve(run), gan_losses(run), acceptance(run)
    class_forest(run), sample_sheet(run, run.samples()[0]), threshold_curve(run)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
