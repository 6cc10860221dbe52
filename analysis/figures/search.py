"""A search as pictures on a page: values, history, importances and the front of accuracy and cost."""

from collections.abc import Iterator, Sequence

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from analysis.factors import label
from analysis.figures.search_panels import (
    MOST_BARS,
    ORDER,
    draw_pareto_front,
    draw_search_history,
    draw_search_importances,
    draw_search_values,
    front_keys,
    history_keys,
    order_scale,
    search_keys,
)
from analysis.figures.sheet import RULE, is_leftmost, page, styled
from analysis.run import Run
from analysis.search import Search
from analysis.words import plural

MOST_PANELS = 4


def _counts(search: Search) -> str:
    steps, grid = search.count(source="search", state="complete"), search.count(source="grid", state="complete")
    told = [f"{plural(steps, 'finished step')}"]
    told += [f"{plural(grid, 'setting')} taken over from a grid"] if grid else []
    told += [f"{search.count(state=state)} {state}" for state in ("failed", "running") if search.count(state=state)]
    return ", ".join(told)


def _with_results(run: Run) -> Search | None:
    return run.search if run.search is not None and len(run.search.finished) else None


def _seeds(search: Search) -> str:
    n = len(search.facts.get("seeds") or [])
    return "one seed, so no interval" if n < 2 else f"95 % t-interval over {n} seeds ({n - 1} degrees of freedom)"


def _order_bar(fig: Figure, axes: Sequence[Axes], search: Search) -> None:
    box = axes[0].get_position()
    right = max(ax.get_position().x1 for ax in axes)
    width = fig.get_size_inches()[0]
    bar = fig.add_axes((right + 0.25 / width, box.y0, 0.14 / width, box.height))
    fig.colorbar(ScalarMappable(order_scale(search), colormaps[ORDER]), cax=bar)
    last = round(float(order_scale(search).vmax or 1))
    bar.set_yticks([0, last], ["0", f"{last}"])
    bar.tick_params(length=0)
    bar.set_title("step", fontsize=12, loc="left", pad=12)
    bar.spines["outline"].set_edgecolor(RULE)


@styled
def search_values(run: Run) -> Figure | None:
    """Validation accuracy against every searched factor, a panel each (at most 4, the most important). None without a
    finished step.
    """
    search = _with_results(run)
    if search is None:
        return None
    paths = [path for path in search.paths if search.finished[path].nunique() > 1][:MOST_PANELS]
    if not paths:
        return None
    columns = len(paths) if len(paths) < 4 else 2
    wide = {1: 6.4, 2: 4.9, 3: 3.3}[columns]
    few = f"; {len(paths)} of {len(search.paths)} factors shown" if len(paths) < len(search.paths) else ""
    fig, axes = page(
        "What each tried value scored on validation images",
        f"{_counts(search)}; bars: {_seeds(search)}{few}",
        len(paths),
        (wide, 3.2 if len(paths) < 4 else 1.8),
        columns=columns,
        margins=(0.85, 1.1, 0.7, 0.12),
        gap=(0.35, 0.85),
        least=8.0,
        keys=search_keys(search),
        note="Every step has the same seeds, so two steps differ less by luck than their bars say. The best of many is "
        "flattered by the choice: its gain is told by the seeds and test images that no step saw.",
        lowest=1.3,
    )
    for ax, path in zip(axes, paths, strict=True):
        draw_search_values(ax, search, path)
        if is_leftmost(ax, axes):
            ax.set_ylabel("validation accuracy, %")
        else:
            ax.set_yticklabels([])
    _order_bar(fig, axes, search)
    return fig


@styled
def search_history(run: Run) -> Figure | None:
    """The best validation accuracy so far, step by step. None with fewer than two finished steps."""
    search = _with_results(run)
    if search is None or len(search.finished) < 2:
        return None
    fig, axes = page(
        "How the best grew from step to step",
        f"{_counts(search)}; sampler {search.facts.get('sampler') or 'unknown'}; mean over seeds",
        1,
        (6.8, 2.9),
        margins=(0.85, 0.3, 0.7, 0.12),
        least=8.0,
        keys=history_keys(search),
    )
    draw_search_history(axes[0], search)
    axes[0].set_ylabel("validation accuracy, %")
    return fig


@styled
def search_importances(run: Run) -> Figure | None:
    """Which searched factor mattered. None with fewer than two that are known."""
    search = _with_results(run)
    if search is None or len(search.importances) < 2:
        return None
    found = list(search.importances)[:MOST_BARS]
    fig, axes = page(
        "Which factor mattered",
        f"share of the spread in validation accuracy that each factor explains, over {_counts(search)}",
        1,
        (5.0, 0.42 * len(found) + 0.3),
        margins=(0.5 + 0.1 * max(len(label(name)) for name in found), 0.4, 0.65, 0.1),
        least=8.0,
        note="An estimate from the steps themselves, and a rough one where they are few.",
    )
    draw_search_importances(axes[0], search)
    return fig


@styled
def pareto_front(run: Run) -> Figure | None:
    """Accuracy against cost. None unless both were objectives."""
    search = _with_results(run)
    if search is None or len(search.objectives) < 2 or search.front.empty:
        return None
    fig, axes = page(
        "What accuracy costs",
        f"{_counts(search)}; mean validation accuracy over seeds against the images a filter has to look at",
        1,
        (6.4, 3.2),
        margins=(0.85, 0.3, 0.7, 0.12),
        least=8.0,
        keys=front_keys(search),
    )
    draw_pareto_front(axes[0], search)
    axes[0].set_ylabel("validation accuracy, %")
    return fig


def shown_of_search(run: Run) -> Iterator[tuple[str, Figure | None, str, str]]:
    """The figures of a search as the report shows them: name, figure, alternative text, caption."""
    if run.search is None:
        return
    yield (
        "search_values",
        search_values(run),
        "Scatter plots of validation accuracy against each searched factor, coloured by step. Numbers: table of steps.",
        "Is there a hill, or only noise? Where the points of a plateau scatter as much as the best stands out, another "
        "search would have found another best.",
    )
    yield (
        "search_history",
        search_history(run),
        "Line chart of the best validation accuracy so far, and a dot per step.",
        "Had it stopped earlier? A line that has long been flat says that more steps would hardly help.",
    )
    yield (
        "search_importances",
        search_importances(run),
        "Bar chart of the importance of each searched factor.",
        "What is worth searching next time, and what may stay where it is?",
    )
    yield (
        "pareto_front",
        pareto_front(run),
        "Scatter plot of validation accuracy against candidate images per class; those that no other beats are joined.",
        "What does the last half point cost? Of the joined points none is both dearer and worse than another.",
    )
