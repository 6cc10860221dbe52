"""The map of recalls and the generated images on the real-count curve: every number shown is the records'."""

from pathlib import Path

import pytest
from made_run import write_run

import analysis
from analysis.figures.counts import count_curve, counted
from analysis.figures.recall import recall_map, recall_table
from analysis.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return analysis.load(write_run(tmp_path_factory.mktemp("counts") / "run", names=list("ABCDE")))


def test_a_recall_is_the_mean_over_seeds(run: Run) -> None:
    table = recall_table(run)
    assert list(table.columns) == list("ABCDE")
    rows = run.per_class.merge(run.cells[["cell", "arm"]], on=["cell", "arm"])
    own = rows[rows["n_real"].eq(10) & rows["n_gen"].eq(50) & rows["threshold"].eq(0.5) & rows["class"].eq("C")]
    assert len(own) == 3
    shown = table.reset_index()
    here = shown[shown["n_real"].eq(10) & shown["n_gen"].eq(50) & shown["threshold"].eq(0.5)]
    assert here["C"].item() == pytest.approx((own["correct"] / own["total"]).mean())
    assert shown["arm"].iloc[0] == "real-only"


def test_the_map_shows_every_recall_and_says_what_it_leaves_out(run: Run) -> None:
    figure = recall_map(run)
    assert figure is not None
    (ax,) = figure.axes
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows[0] == "real images only, n_real 3"
    assert len(rows) == 14
    assert len(ax.texts) == 14 * 5
    assert any("14 of 15 settings shown." in text.get_text() for text in figure.texts)
    first = recall_table(run).iloc[0]
    assert [text.get_text() for text in ax.texts[:5]] == [f"{100 * share:.0f}" for share in first]


def test_images_are_counted_together(run: Run) -> None:
    table = counted(run)
    assert (table["images"] == table["n_real"] + table["n_gen"]).all()
    figure = count_curve(run)
    assert figure is not None
    (ax,) = figure.axes
    curve = next(line for line in ax.get_lines() if line.get_linestyle() == "--")
    assert list(curve.get_xdata()) == [3, 10, 30]
    real = analysis.accuracy_over_seeds(run.grid)
    real = real[real["n_gen"].eq(0)].sort_values("n_real")
    assert list(curve.get_ydata()) == pytest.approx(list(100 * real["accuracy"]))


def test_nothing_is_drawn_where_nothing_would_be_said(tmp_path: Path) -> None:
    one = analysis.load(write_run(tmp_path / "one", {"n_gen": [0, 50]}, names=["A"]))
    assert recall_map(one) is None
    assert count_curve(one) is None  # one count of generated images is a point, not a line
    size = analysis.load(write_run(tmp_path / "size", {"n_real": [10]}))
    assert count_curve(size) is None  # one real-only size is no curve
