"""One panel at a time, for notebooks, of filters and of a search: as `analysis.plots`, whose rules hold here too.

from analysis import load, plots_of_search
ax = plots_of_search.search_values(load("runs/quickstart-search"))
"""

from matplotlib.axes import Axes

from analysis.figures import filters as filters_figure
from analysis.figures import search_panels as panels
from analysis.figures.panel import legend_below, new_axes, titled, without_data
from analysis.figures.sheet import styled
from analysis.figures.slices import one_slice
from analysis.filters import FILTERS
from analysis.plots import Where
from analysis.run import Run
from analysis.search import Search


def _search(run: Run, what: str) -> Search:
    if run.search is None:
        raise without_data(what, "the run has no search")
    if run.search.finished.empty:
        raise without_data(what, "no step of the search has finished")
    return run.search


@styled
def filter_forest(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Every filter and threshold against keeping every image, with t-intervals, what it accepts and what it covers.

    where: levels of the other factors; filled points are decided after Holm's correction over `filters_table`.
    """
    place = one_slice(run, ("threshold", *FILTERS), where, "filter_forest")
    rows = filters_figure.filter_rows(run, place)
    if rows.empty:
        raise without_data("filter_forest", "no filtered cell stands beside one with threshold 0")
    ax = new_axes(ax, (9.5, 2.2 + 0.34 * len(rows)))
    filters_figure.draw_filters(ax, rows)
    legend_below(ax, filters_figure.filter_keys())
    return titled(ax, "What each filter does, against keeping every image", run, place)


@styled
def search_values(run: Run, path: str | None = None, ax: Axes | None = None) -> Axes:
    """Validation accuracy of every step against its value of `path` (default: the most important of the search)."""
    search = _search(run, "search_values")
    if path is None:
        path = search.paths[0]
    if path not in search.paths:
        raise ValueError(f"search_values: path must be one that was searched ({', '.join(search.paths)}), got {path!r}")
    ax = new_axes(ax, (7.0, 5.0))
    panels.draw_search_values(ax, search, path)
    ax.set_ylabel("validation accuracy, %")
    legend_below(ax, panels.search_keys(search))
    return titled(ax, "What each tried value scored on validation images", run, {})


@styled
def search_history(run: Run, ax: Axes | None = None) -> Axes:
    """Validation accuracy of every step in order, and the best so far."""
    search = _search(run, "search_history")
    ax = new_axes(ax, (7.0, 5.0))
    panels.draw_search_history(ax, search)
    ax.set_ylabel("validation accuracy, %")
    legend_below(ax, panels.history_keys(search))
    return titled(ax, "How the best grew from step to step", run, {})


@styled
def search_importances(run: Run, ax: Axes | None = None) -> Axes:
    """How much of the spread of validation accuracies each searched factor explains."""
    search = _search(run, "search_importances")
    if not search.importances:
        raise without_data("search_importances", "the search tells no importances")
    ax = new_axes(ax, (7.0, 1.6 + 0.4 * len(search.importances)))
    panels.draw_search_importances(ax, search)
    return titled(ax, "Which factor mattered", run, {})


@styled
def pareto_front(run: Run, ax: Axes | None = None) -> Axes:
    """Validation accuracy against candidate images per class; in colour the steps that no other beats in both."""
    search = _search(run, "pareto_front")
    if search.front.empty:
        raise without_data("pareto_front", "no step has a cost")
    ax = new_axes(ax, (7.0, 5.0))
    panels.draw_pareto_front(ax, search)
    ax.set_ylabel("validation accuracy, %")
    legend_below(ax, panels.front_keys(search))
    return titled(ax, "What accuracy costs", run, {})
