"""Filters against none: which cell is whose, the table beside numbers made by hand, and where it shows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from made_run import write_run
from matplotlib.figure import Figure
from scipy import stats
from statsmodels.stats.multitest import multipletests

import analysis
from analysis import plots, report
from analysis.arms import at, pairs_against
from analysis.contrasts import contrasts
from analysis.factors import levels, pick
from analysis.figures.filters import filter_rows, filters
from analysis.figures.slices import slices
from analysis.figures.threshold import threshold_curve
from analysis.filters import filter_labels, filters_table
from analysis.finding import headline
from analysis.grid import heatmap_table
from analysis.run import axis

Make = Callable[..., analysis.Run]
NAMES = ["discriminator", "agreement", "memorisation"]
FACTORS: dict[str, Any] = {
    "n_real": [3, 10], "n_gen": [0, 50, 200], "threshold": [0.0, 0.5, 0.75], "seed": [0, 1, 2, 3],
    "filter.name": NAMES, "judge.folds": [2],
}  # fmt: skip
SETTING: dict[str, Any] = {
    "n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none",
    "filter.name": "agreement", "judge.folds": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    folder = tmp_path_factory.mktemp("filters")
    return analysis.load(write_run(folder, factors=FACTORS, primary=SETTING | {"against": "real-only"}))


def by_hand(run: analysis.Run, **where: Any) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies by seed of one setting, and of the same without a filter, in points."""
    cells = run.cells[run.cells["arm"].eq("generated")]
    common = {"n_real": where["n_real"], "n_gen": where["n_gen"]}
    pair = (at(cells, where), at(cells, common | {"threshold": 0.0}))
    ours, theirs = (100 * rows.set_index("seed")["accuracy"].sort_index().to_numpy(float) for rows in pair)
    return ours, theirs


def test_the_unfiltered_cell_is_the_same_cell_with_threshold_0(run: analysis.Run) -> None:
    pairs = pairs_against(run, "unfiltered")
    cells = run.cells.set_index("cell")
    control = cells.loc[pairs["control"]].reset_index()
    assert len(pairs) == run.cells["threshold"].gt(0).fillna(False).sum() - 4, "all but the shuffled ones"
    assert control["arm"].eq("generated").all()
    assert control["threshold"].eq(0).all()
    assert control[["filter.name", "judge.folds"]].isna().all(axis=None)
    for name in ("n_real", "n_gen", "gan_da", "clf_da", "seed"):
        assert pairs[name].eq(control[name]).all(), name


def test_a_threshold_of_0_needs_no_comparison_with_itself(run: analysis.Run) -> None:
    assert pairs_against(run, "unfiltered")["threshold"].gt(0).all()
    unfiltered = SETTING | {"threshold": 0.0, "filter.name": None, "judge.folds": None}
    assert "unfiltered" not in set(analysis.against_controls(run, unfiltered)["against"])


def test_what_only_one_of_them_feels_is_no_bar(make_run: Make) -> None:
    """Soft labels ask the judge at threshold 0 as well: then its folds must agree."""

    def soft(table: pd.DataFrame) -> pd.DataFrame:
        table["judge.folds"] = table["judge.folds"].mask(table["mixing.soft_labels"].eq(0.5), 2)
        return table

    factors = FACTORS | {"mixing.soft_labels": [0.0, 0.5], "judge.folds": [2, 3], "n_real": [10], "n_gen": [0, 50]}
    run = make_run(factors=factors, mutate=soft)
    pairs = pairs_against(run, "unfiltered")
    control = run.cells.set_index("cell").loc[pairs["control"]].reset_index()
    assert pairs["mixing.soft_labels"].eq(control["mixing.soft_labels"]).all()
    both = control["judge.folds"].notna()
    assert both.any()
    assert not both.all()
    assert pairs.loc[both, "judge.folds"].eq(control.loc[both, "judge.folds"]).all()


def test_the_table_is_scipys_paired_t_test(run: analysis.Run) -> None:
    table = filters_table(run)
    assert len(table) == 2 * 2 * 2 * 3
    row = at(table, SETTING).iloc[0]
    ours, theirs = by_hand(run, n_real=10, n_gen=200, threshold=0.5, **{"filter.name": "agreement"})
    test = stats.ttest_rel(ours, theirs)
    bounds = test.confidence_interval(0.95)
    assert row["delta_points"] == pytest.approx((ours - theirs).mean())
    assert (row["low_points"], row["high_points"]) == (pytest.approx(bounds.low), pytest.approx(bounds.high))
    assert row["p"] == pytest.approx(test.pvalue)
    np.testing.assert_allclose(table["p_holm"], multipletests(table["p"].to_numpy(float), method="holm")[1])
    helped = table["by_itself"].eq("better")
    assert table.loc[helped & table["p_holm"].lt(0.05), "verdict"].eq("better").all()
    assert table.loc[helped & ~table["p_holm"].lt(0.05), "verdict"].eq("cannot tell yet").all()


def test_the_table_says_what_a_filter_costs(run: analysis.Run) -> None:
    row = at(filters_table(run), SETTING).iloc[0]
    cells = at(run.cells[run.cells["arm"].eq("generated")], SETTING)
    rate = (cells["n_accepted"] / cells["n_candidates"]).mean()
    assert row["acceptance"] == pytest.approx(rate)
    assert row["coverage"] == pytest.approx(0.8)
    assert row["coverage_unfiltered"] == pytest.approx(0.9)
    assert row["n_starved"] == 0


def test_starved_cells_are_counted(make_run: Make) -> None:
    def starve(table: pd.DataFrame) -> pd.DataFrame:
        hit = table["threshold"].eq(0.75).fillna(False) & table["seed"].eq(2)
        return table.assign(status=table["status"].where(~hit, "starved"))

    table = filters_table(make_run(factors=FACTORS, mutate=starve))
    assert table.loc[table["threshold"].eq(0.75), "n_starved"].eq(1).all()
    assert table.loc[~table["threshold"].eq(0.75), "n_starved"].eq(0).all()


def test_a_filter_that_is_no_factor_has_the_study_s_name(make_run: Make) -> None:
    run = make_run()
    assert set(filters_table(run)["filter.name"]) == {"discriminator"}
    (run.folder / "study.yaml").write_text(yaml.safe_dump({"name": "fixture", "filter": {"name": "neighbours"}}))
    assert set(filters_table(analysis.load(run.folder))["filter.name"]) == {"neighbours"}


@pytest.mark.parametrize("thresholds", [[0.0], [0.5, 0.75]])
def test_without_both_kinds_of_cell_there_is_nothing_to_compare(make_run: Make, thresholds: list[float]) -> None:
    run = make_run(factors={"threshold": thresholds, "n_real": [3]})
    assert filters_table(run).empty
    assert filters(run) is None
    with pytest.raises(ValueError, match=r"^filter_forest: there is nothing to draw, no filtered cell stands beside"):
        analysis.filter_forest(run, {"n_gen": 50})


def test_a_run_without_coverage_has_none(make_run: Make) -> None:
    run = make_run(mutate=lambda table: table.drop(columns=["coverage", "coverage_unfiltered"]))
    assert filters_table(run)[["coverage", "coverage_unfiltered"]].isna().all(axis=None)


def test_no_filter_is_no_level_of_the_filter(run: analysis.Run) -> None:
    assert axis(run, "filter.name") == NAMES
    assert levels(run.grid, "judge.folds") == [2]
    kept = pick(run.grid, {"filter.name": "agreement"}, ["n_gen", "threshold", "filter.name"])
    assert set(kept["threshold"].dropna()) == {0.0, 0.5, 0.75}
    assert set(kept["filter.name"].dropna()) == {"agreement"}
    assert filter_labels(run) == NAMES


def test_ranked_filters_are_filters_of_their_own(make_run: Make) -> None:
    run = make_run(factors=FACTORS | {"filter.rank": [False, True], "n_real": [10], "filter.name": NAMES[:2]})
    wanted = [f"{name}, {how}" for name in NAMES[:2] for how in ("by threshold", "ranked")]
    assert filter_labels(run) == wanted
    assert len(filters_table(run)) == 2 * 2 * 2 * 2


def test_the_unfiltered_cell_belongs_to_every_filter_of_a_heatmap(run: analysis.Run) -> None:
    cells = heatmap_table(run, "filter.name", "threshold", "delta", {"n_real": 10, "n_gen": 200})
    none = cells[cells["threshold"].eq(0) & ~cells["control"]]
    assert none["filter.name"].tolist() == NAMES
    assert none["value"].nunique() == 1
    assert none["value"].notna().all()
    assert cells.loc[~cells["control"], "value"].notna().all()


def test_no_panel_repeats_the_unfiltered_cells(run: analysis.Run) -> None:
    panels = slices(run, ("n_real", "n_gen")).panels
    assert panels.count({"threshold": 0.0}) == 1
    assert all("filter.name" in panel for panel in panels if panel["threshold"] > 0)


def test_every_filter_s_curve_begins_where_nothing_is_filtered(run: analysis.Run) -> None:
    ax = plots.threshold_curve(run, {"n_real": 10, "n_gen": 200}, Figure().add_subplot())
    deltas = analysis.deltas_over_seeds(run.grid)
    here = deltas[deltas["n_real"].eq(10) & deltas["n_gen"].eq(200)]
    start = float(here.loc[here["threshold"].eq(0), "delta_points"].item())
    lines = [line for line in ax.lines if line.get_linestyle() != "None"]  # the rest: caps of bars
    begins = [line for line in lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] == 0 and line.get_lw() == 2]
    assert len(begins) == len(NAMES)
    assert all(line.get_ydata()[0] == pytest.approx(start) for line in begins)
    wanted = here[here["filter.name"].eq("agreement")].sort_values("threshold")["delta_points"].to_numpy(float)
    assert any(
        np.allclose(np.asarray(line.get_ydata(), float), wanted) for line in ax.lines if line.get_marker() == "s"
    )
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["no filter", *NAMES]
    with pytest.raises(ValueError, match=r"threshold_curve: .* n_real \(one of 3, 10\) and n_gen"):
        plots.threshold_curve(run)


def test_the_report_s_curve_shows_what_every_filter_lets_through(run: analysis.Run) -> None:
    figure = threshold_curve(run)
    assert figure is not None
    below = figure.axes[-1]
    lines = [line for line in below.lines if line.get_linestyle() != "None"]
    rates = [np.asarray(line.get_ydata(), float) for line in lines]
    assert len(rates) == len(NAMES)
    assert all(values[0] > values[1] > values[2] for values in rates)


def test_the_forest_is_the_table(run: analysis.Run) -> None:
    rows = filter_rows(run, {"n_real": 10, "n_gen": 200})
    assert rows["label"].tolist() == [f"{name}, {t:g}" for name in NAMES for t in (0.5, 0.75)]
    ax = analysis.filter_forest(run, {"n_real": 10, "n_gen": 200}, Figure().add_subplot())
    points = [float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(points, rows["delta_points"].to_numpy(float))
    filled = [line.get_markerfacecolor() != "white" for line in ax.lines if len(line.get_xdata()) == 1]
    assert filled == rows["verdict"].isin(["better", "worse"]).tolist()


def test_a_primary_may_be_about_the_filter(make_run: Make) -> None:
    run = make_run(factors=FACTORS, primary=SETTING | {"against": "unfiltered"})
    first = contrasts(run).iloc[0]
    ours, theirs = by_hand(run, n_real=10, n_gen=200, threshold=0.5, **{"filter.name": "agreement"})
    assert first["against"] == "unfiltered"
    assert first["delta_points"] == pytest.approx((ours - theirs).mean())
    assert "points [" in headline(run).statement
    assert "against unfiltered generated images (4 paired seeds" in headline(run).statement


def test_copies_feel_how_extra_images_are_mixed(make_run: Make) -> None:
    factors = {"mixing.weight": [0.5, 1.0], "n_real": [10], "n_gen": [0, 50], "threshold": [0.5]}
    setting = {"n_real": 10, "n_gen": 50, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"}
    run = make_run(factors=factors, primary=setting | {"mixing.weight": 0.5, "against": "real-only"})
    for kind in ("duplicated", "more-real", "shuffled"):
        pairs = pairs_against(run, kind)  # type: ignore[arg-type]
        assert set(pairs["mixing.weight"]) == {0.5}, kind
        assert len(pairs) == 3, kind
    assert len(pairs_against(run, "real-only")) == 6


def test_augmentation_that_only_the_generated_cell_feels_is_no_bar(make_run: Make) -> None:
    def strengths(table: pd.DataFrame) -> pd.DataFrame:
        felt = table["gan_da"].eq("rotation").fillna(False) | table["clf_da"].ne("none")
        return table.assign(**{"augmentation.rotation": pd.Series(15.0, table.index, "Float64").where(felt)})

    factors = {"gan_da": ["none", "rotation"], "clf_da": ["none", "rotation"], "n_real": [3], "threshold": [0.5]}
    run = make_run(factors=factors, mutate=strengths)
    pairs = pairs_against(run, "real-only")
    assert len(pairs) == run.cells["n_gen"].gt(0).sum()
    control = run.cells.set_index("cell").loc[pairs["control"]].reset_index()
    assert pairs["clf_da"].eq(control["clf_da"]).all()


def test_runs_compare_where_only_one_varies_the_filter(run: analysis.Run, make_run: Make) -> None:
    other = make_run(factors={name: values for name, values in FACTORS.items() if "." not in name})
    study = {"name": "fixture", "dataset": "made-up", "filter": {"name": "agreement"}, "judge": {"folds": 2}}
    (other.folder / "study.yaml").write_text(yaml.safe_dump(study))
    one_filter = {name: values for name, values in FACTORS.items() if name != "judge.folds"}
    table = analysis.compare(make_run(factors=one_filter), analysis.load(other.folder))
    generated = table[table["arm"].eq("generated")]
    assert set(generated["filter.name"].dropna()) == {"agreement"}
    assert set(generated["threshold"]) == {0.0, 0.5, 0.75}
    assert generated.loc[generated["threshold"].eq(0), "filter.name"].isna().all()


def test_the_report_has_a_section_of_filters(run: analysis.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "pictures", lambda *arguments: [])
    text = analysis.write_report(run).read_text()
    assert "Filters, against none" in text
    assert '<th scope="col" class="words">filter</th>' in text
    assert "unfiltered generated images" in text
    assert "Change against no filter" in text
