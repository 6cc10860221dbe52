"""The single-panel API: it draws where it is told, what the tables say, and refuses what it cannot draw."""

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import analysis
from analysis import plots
from analysis.confusion import confusion_shifts

ONE: dict[str, Any] = {"n_real": 10, "n_gen": 200, "threshold": 0.5}
CALLS: dict[str, Callable[..., Axes]] = {
    "heatmap": lambda run, ax=None: plots.heatmap(run, where={"threshold": 0.5}, ax=ax),
    "learning_curve": lambda run, ax=None: plots.learning_curve(run, {"threshold": 0.5}, ax),
    "threshold_curve": lambda run, ax=None: plots.threshold_curve(run, {"n_real": 10}, ax),
    "acceptance": lambda run, ax=None: plots.acceptance(run, ax=ax),
    "forest": lambda run, ax=None: plots.forest(run, ONE, ax),
    "class_trajectories": lambda run, ax=None: plots.class_trajectories(run, {"n_real": 10, "threshold": 0.5}, ax),
    "confusion": lambda run, ax=None: plots.confusion(run, ONE, ax=ax),
    "confusion_shift": lambda run, ax=None: plots.confusion_shift(run, ONE, ax),
    "worst_pairs": lambda run, ax=None: plots.worst_pairs(run, ONE, ax=ax),
    "controls": lambda run, ax=None: plots.controls(run, ONE, ax),
    "da_bars": lambda run, ax=None: plots.da_bars(run, "clf_da", where=ONE, ax=ax),
    "metric_scatter": lambda run, ax=None: plots.metric_scatter(run, "fid", {"n_gen": 200, "threshold": 0.5}, ax),
    "alarms": lambda run, ax=None: plots.alarms(run, {"n_real": 10}, ax=ax),
}


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


@pytest.mark.parametrize("name", CALLS)
def test_it_draws_on_the_axis_it_is_given_and_returns_it(run: analysis.Run, name: str) -> None:
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    ax = Figure(figsize=(6, 4)).add_subplot()
    assert CALLS[name](run, ax) is ax
    assert plt.get_fignums() == []
    assert ax.get_title(loc="left")
    assert ax.lines or ax.collections or ax.patches
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["heatmap", "forest", "alarms"])
def test_without_an_axis_a_notebook_gets_a_figure_to_show(run: analysis.Run, name: str) -> None:
    import matplotlib.pyplot as plt

    ax = CALLS[name](run)
    assert plt.get_fignums() == [1]
    assert ax.figure is plt.gcf()


def test_every_public_plot_is_tried() -> None:
    found = {name for name, value in vars(plots).items() if getattr(value, "__module__", "") == "analysis.plots"}
    assert {name for name in found if not name.startswith("_")} == set(CALLS)


def test_a_curve_is_the_table(run: analysis.Run) -> None:
    ax = plots.threshold_curve(run, {"n_real": 10}, Figure().add_subplot())
    deltas = analysis.deltas_over_seeds(run.grid)
    wanted = deltas[deltas["n_real"].eq(10) & deltas["n_gen"].eq(200)].sort_values("threshold")["delta_points"]
    lines = [line.get_ydata() for line in ax.lines]
    assert any(len(y) == 2 and np.allclose(np.asarray(y, float), wanted.to_numpy(float)) for y in lines)


def test_a_learning_curve_is_the_table(run: analysis.Run) -> None:
    ax = plots.learning_curve(run, {"threshold": 0.5}, Figure().add_subplot())
    control = run.grid[run.grid["n_gen"].eq(0)].groupby("n_real")["accuracy"].mean()
    np.testing.assert_allclose(np.asarray(ax.lines[0].get_ydata(), float), 100 * control.to_numpy(float))


def test_the_learning_curve_has_every_size_that_real_images_were_run_at(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(factors={"n_real": [3, 10, 30]})
    planned = run.summary["factors"] | {"n_real": [3, 10]}
    generated = run.cells["n_real"].eq(30) & run.cells["arm"].eq("generated")
    beside = analysis.Run(
        run.folder, run.cells[~generated], run.per_class, run.summary | {"factors": planned}, run.study
    )
    assert set(beside.grid["n_real"]) == {3, 10}
    ax = plots.learning_curve(beside, {"threshold": 0.5}, Figure().add_subplot())
    real_only, *others = [line for line in ax.lines if line.get_linestyle() != "None"]  # the rest: caps of bars
    assert len(real_only.get_xdata()) == 3
    assert all(len(line.get_xdata()) == 2 for line in others)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["3", "10", "30"]


def test_a_shift_matrix_is_the_table(run: analysis.Run) -> None:
    ax = plots.confusion_shift(run, ONE, Figure().add_subplot())
    mesh = ax.collections[0].get_array()
    assert mesh is not None
    expected = confusion_shifts(run, ONE)["shift_points"].to_numpy(float).reshape(10, 10)
    np.testing.assert_allclose(np.asarray(mesh).reshape(10, 10), expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda run: plots.heatmap(run), r"heatmap: where must leave one setting .* threshold \(one of 0, 0.5\)"),
        (lambda run: plots.heatmap(run, where={"thresh": 0.5}), r"where must name factors of this run .* got 'thresh'"),
        (lambda run: plots.heatmap(run, where={"threshold": 0.7}), r"threshold must be one of 0, 0.5, got 0.7"),
        (lambda run: plots.heatmap(run, where={"n_real": 3}), r"where must not name n_real, which is an axis"),
        (lambda run: plots.heatmap(run, "n_reel"), r"x and y must be of n_real, .* got 'n_reel'"),
        (lambda run: plots.heatmap(run, value="gain"), r"value must be one of accuracy, delta, effective_real, got"),
        (lambda run: plots.learning_curve(run), r"learning_curve: .* threshold \(one of 0, 0.5\)"),
        (lambda run: plots.forest(run, {"n_real": 3}), r"forest: .* n_gen .* and threshold"),
        (lambda run: plots.da_bars(run, "clf_da", where={"n_real": 3}), r"da_bars: .* give a level for n_gen"),
        (lambda run: plots.metric_scatter(run, "beauty"), r"metric must be one that varies \(fid, .* got 'beauty'"),
        (lambda run: plots.alarms(run, {"n_real": 4}), r"n_real must be a level of the generators .* got 4"),
        (lambda run: plots.confusion(run, ONE, "duplicated"), r"nothing to draw, the arm 'duplicated' has no result"),
    ],
)
def test_refusals_name_what_is_open(run: analysis.Run, call: Callable[[analysis.Run], Axes], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(run)


def test_effective_images_come_from_the_run_itself(run: analysis.Run) -> None:
    ax = plots.heatmap(run, value="effective_real", where={"threshold": 0.5}, ax=Figure().add_subplot())
    assert {"3", "10", "30"} <= {text.get_text() for text in ax.texts}
