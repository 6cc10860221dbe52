"""One panel at a time, for notebooks: each function draws on `ax`, or on a figure of its own, and returns the Axes.

The drawing is that of the report's figures. A panel shows one slice and averages nothing but seeds: where the run
varies a factor that is neither an axis nor in `where`, a ValueError names it and its levels.

    from analysis import load, plots
    ax = plots.heatmap(load("runs/quickstart"), where={"threshold": 0.5})
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from analysis.alarms import BELOW
from analysis.alarms import alarms as raised_alarms
from analysis.confusion import class_names, confusion_counts, confusion_shifts
from analysis.confusion import worst_pairs as pairs_that_changed
from analysis.factors import (
    factors,
    generation_factors,
    is_control,
    label,
    pick,
    thin,
    wrapped_label,
    written,
)
from analysis.figures import alarms as alarms_figure
from analysis.figures import confusion as confusion_figure
from analysis.figures import heatmap as heatmap_figure
from analysis.figures import learning as learning_figure
from analysis.figures.acceptance import MOST_LINES as MOST_RATES
from analysis.figures.acceptance import acceptance_rates, draw_acceptance, line_look
from analysis.figures.confusion_pairs import draw_pairs
from analysis.figures.controls import control_keys, control_seeds, draw_controls
from analysis.figures.da import DaFactor, DaValue, da_keys, da_seeds, draw_da
from analysis.figures.heatmap import HeatmapValue
from analysis.figures.metrics import correlation_words, draw_metric, metric_keys
from analysis.figures.panel import legend_below, new_axes, titled, without_data
from analysis.figures.per_class import draw_forest, forest_keys, forest_limits, forest_table
from analysis.figures.sheet import styled
from analysis.figures.slices import one_slice, question
from analysis.figures.threshold import MOST_LINES as MOST_CURVES
from analysis.figures.threshold import draw_threshold, threshold_keys
from analysis.figures.trajectories import draw_trajectories, movers
from analysis.filters import FILTERS, filter_labels, with_filter
from analysis.metrics_table import gain_correlations, generator_gains, one_cell_per_generator
from analysis.paired import accuracy_over_seeds, deltas_over_seeds
from analysis.run import Run, axis
from ganaug.records import Arm

plt.switch_backend(plt.get_backend())  # here, for a notebook's turns interactive when chosen, which `styled` undoes

Where = Mapping[str, Any] | None


def _one_contrast(run: Run, where: Where, what: str) -> dict[str, Any]:
    """One setting with generated images: that of `where`, else of the contrast that a report speaks of."""
    if where is not None:
        return one_slice(run, (), where, what)
    found, _ = question(run)
    if found is None:
        raise ValueError(f"{what}: the run has no pair of a cell with generated images and its real-only control")
    return found


@styled
def heatmap(
    run: Run,
    x: str = "n_real",
    y: str = "n_gen",
    value: HeatmapValue = "delta",
    where: Where = None,
    ax: Axes | None = None,
) -> Axes:
    """`value` (`accuracy` in %, `delta` in points, `effective_real` in images per class) over the factors x and y."""
    if value not in heatmap_figure.TITLES:
        raise ValueError(f"heatmap: value must be one of {', '.join(heatmap_figure.TITLES)}, got {value!r}")
    for name in (x, y):
        if name not in factors(run.grid):
            raise ValueError(f"heatmap: x and y must be of {', '.join(factors(run.grid))}, got {name!r}")
    x, y = heatmap_figure.oriented(run, x, y)
    place = one_slice(run, (x, y), where, "heatmap")
    effective = None
    if value == "effective_real":
        from analysis.effective import effective_real

        effective = effective_real(run)
    (cells,) = heatmap_figure.heatmap_cells(run, x, y, value, [place], effective)
    size = 1.5 + 0.95 * cells[x].nunique(dropna=False), 1.5 + 0.6 * cells[y].nunique(dropna=False)
    ax = new_axes(ax, (max(5.0, size[0]), size[1]))
    scale = heatmap_figure.colour_scale(cells, value)
    joined = x in generation_factors(run.grid)
    heatmap_figure.draw_heatmap(ax, cells, x, y, value, scale, 12, int(cells["n_seeds"].max()), joined)
    ax.set(xlabel=label(x), ylabel=wrapped_label(y))
    legend_below(ax, heatmap_figure.heatmap_keys(cells, value))
    return titled(ax, heatmap_figure.TITLES[value], run, place)


@styled
def learning_curve(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Accuracy against n_real: real only, a line per n_gen, and the controls at the same setting."""
    place = one_slice(run, ("n_real", "n_gen"), where, "learning_curve")
    rows = pick(accuracy_over_seeds(run.with_curve), place, generation_factors(run.grid))
    lines, _ = learning_figure.learning_levels(run, rows)
    others = learning_figure.others_at(run, learning_figure.other_settings(run), place)
    ax = new_axes(ax, (7.5, 6.5))
    learning_figure.draw_learning(ax, rows, others, lines, learning_figure.learning_sizes(run, rows))
    ax.set_ylabel("test accuracy, %")
    legend_below(ax, learning_figure.learning_keys(run, lines, [others]))
    return titled(ax, "Accuracy against the number of real images", run, place)


@styled
def threshold_curve(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Paired change in accuracy against the filter threshold; `where` fixes what else varies.

    A line per n_gen; where the run has several filters, a line per filter, and all begin at the point without one.
    """
    filters = filter_labels(run)
    by, own = ("filter", FILTERS) if filters else ("n_gen", ("n_gen",))
    place = one_slice(run, ("threshold", *own), where, "threshold_curve")
    deltas = pick(deltas_over_seeds(run.grid, run.margin_points, run.looks), place, generation_factors(run.grid))
    deltas = deltas[deltas["threshold"].notna()]
    if deltas.empty:
        raise without_data("threshold_curve", "no cell with a threshold has a pair")
    lines = thin(filters or [v for v in axis(run, "n_gen") if v], MOST_CURVES + 2 * bool(filters))
    deltas = with_filter(run, deltas) if filters else deltas
    ax = new_axes(ax, (7.0, 5.0))
    draw_threshold(ax, deltas, lines, [v for v in axis(run, "threshold") if v is not None], by)
    ax.set_ylabel("change against real only, points")
    legend_below(ax, threshold_keys(lines, by))
    return titled(ax, "Paired change in accuracy against the filter threshold", run, place)


@styled
def acceptance(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Share of generated images that pass the filter, against its threshold, a line per n_real."""
    place = one_slice(run, ("threshold", "n_real", "n_gen"), where, "acceptance")
    rates = acceptance_rates(run)
    if rates.empty:
        raise without_data("acceptance", "no cell has a threshold")
    shown = pick(rates.assign(n_gen=1), place, generation_factors(run.grid))
    lines = thin(axis(run, "n_real"), MOST_RATES)
    ax = new_axes(ax, (7.0, 5.0))
    draw_acceptance(ax, shown, lines, [v for v in axis(run, "threshold") if v is not None])
    ax.set_ylabel("accepted, % of generated")
    legend_below(ax, [(plt.Line2D([], [], lw=2, ms=7, **line_look(k)), f"n_real {v}") for k, v in enumerate(lines)])
    return titled(ax, "How much the filter lets through", run, place)


@styled
def forest(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Paired change in recall per class, sorted, with t-intervals; filled: decided after Holm's correction.

    where: one contrast; default: the one named before the run, else the headline's.
    """
    place = _one_contrast(run, where, "forest")
    table = forest_table(run, place)
    if table.empty:
        raise without_data("forest", "this contrast has no pair")
    ax = new_axes(ax, (7.5, 1.6 + 0.27 * len(table)))
    draw_forest(ax, table, len(table), forest_limits(table))
    legend_below(ax, forest_keys(table))
    return titled(ax, "Change in recall, class by class", run, place)


@styled
def class_trajectories(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Paired change in recall against n_gen, a line per class; those that move most in colour."""
    from analysis.classes import per_class_deltas

    place = one_slice(run, ("n_gen",), where, "class_trajectories")
    table = per_class_deltas(run, place)
    if table.empty:
        raise without_data("class_trajectories", "no cell has a pair")
    values = table["delta_points"].to_numpy(float)
    pad = 0.2 * max(1.0, float(np.ptp([*values, 0])))
    ax = new_axes(ax, (7.0, 5.0))
    limits = (min(0, values.min()) - pad, max(0, values.max()) + pad)
    draw_trajectories(ax, table, movers(table), [v for v in axis(run, "n_gen") if v], limits)
    ax.set_ylabel("change in recall, points")
    return titled(ax, "How each class moves as generated images are added", run, place)


@styled
def confusion(run: Run, where: Where = None, arm: Arm = "generated", ax: Axes | None = None) -> Axes:
    """The confusion matrix of `arm` (`generated`, `real-only`, a control), all seeds, in % of each true class.

    where: one setting; default as `forest`.
    """
    place = _one_contrast(run, where, "confusion")
    counts, names = confusion_counts(run, place, arm), class_names(run)
    if not counts.any():
        raise without_data("confusion", f"the arm {arm!r} has no result there")
    side = confusion_figure.matrix_side(names)
    ax = new_axes(ax, (side + 1.5, side + 1.4))
    confusion_figure.draw_confusion(ax, counts, names, side)
    return titled(ax, f"Confusion matrix, {arm}, % of each true class", run, place)


@styled
def confusion_shift(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """What generated images change in the confusion matrix, points; hatched or (many classes) white: not decided.

    where: one contrast; default as `forest`.
    """
    place = _one_contrast(run, where, "confusion_shift")
    shifts, names = confusion_shifts(run, place), class_names(run)
    if shifts.empty:
        raise without_data("confusion_shift", "this contrast has no pair")
    side = confusion_figure.matrix_side(names)
    ax = new_axes(ax, (side + 1.5, side + 1.4))
    confusion_figure.draw_confusion_shift(ax, shifts, names, side)
    return titled(ax, "Change in confusion against real only, points", run, place)


@styled
def worst_pairs(run: Run, where: Where = None, most: int = 8, ax: Axes | None = None) -> Axes:
    """The pairs of classes whose confusion grew and shrank most, with t-intervals over seeds; default as `forest`."""
    place = _one_contrast(run, where, "worst_pairs")
    pairs = pairs_that_changed(confusion_shifts(run, place), most)
    if pairs.empty:
        raise without_data("worst_pairs", "no confusion changed")
    ax = new_axes(ax, (6.5, 1.6 + 0.36 * len(pairs)))
    draw_pairs(ax, pairs)
    return titled(ax, "The confusions that changed most", run, place)


@styled
def controls(run: Run, where: Where = None, ax: Axes | None = None) -> Axes:
    """Generated images against each control of one setting: t-intervals, and a dot per seed; default as `forest`."""
    place = _one_contrast(run, where, "controls")
    seeds = control_seeds(run, place)
    if seeds.empty:
        raise without_data("controls", "this setting has no finished control")
    ax = new_axes(ax, (9.0, 2.2 + 0.7 * seeds["against"].nunique()))
    draw_controls(ax, seeds, run)
    legend_below(ax, control_keys())
    return titled(ax, "Generated images against what else could have been done", run, place)


@styled
def da_bars(
    run: Run, factor: DaFactor = "clf_da", value: DaValue = "accuracy", where: Where = None, ax: Axes | None = None
) -> Axes:
    """Bars of `value` by level of `clf_da` or `gan_da`, with t-intervals and a dot per seed."""
    place = one_slice(run, (factor,), where, "da_bars")
    generation = generation_factors(run.grid)
    seeds = pick(da_seeds(run, value), place, generation)
    seeds = seeds[~is_control(seeds)] if factor in generation else seeds
    if seeds.empty:
        raise without_data("da_bars", "no cell has a result there")
    names = axis(run, factor)
    ax = new_axes(ax, (7.5, 2.0 + 0.6 * len(names)))
    draw_da(ax, seeds, factor, names, value)
    legend_below(ax, da_keys(value, seeds))
    return titled(ax, f"Augmentation ({factor})", run, place)


@styled
def metric_scatter(run: Run, metric: str = "fid", where: Where = None, ax: Axes | None = None) -> Axes:
    """Paired gain in accuracy against a metric of the generator, a point per generator, with its rank correlation.

    where: the setting of the cells; what it leaves open is chosen by `analysis.metrics_table.one_cell_per_generator`.
    """
    rows: Any = gain_correlations(run, where).to_dict("records")
    found = {row["metric"]: row for row in rows}
    if metric not in found:
        known = ", ".join(found) or "none here"
        raise ValueError(f"metric_scatter: metric must be one that varies ({known}), got {metric!r}")
    gains = generator_gains(run, where)
    n_real = sorted(gains["n_real"].unique())
    ax = new_axes(ax, (6.0, 4.8))
    draw_metric(ax, gains, metric, n_real)
    ax.set_ylabel("gain against real only, points")
    legend_below(ax, metric_keys(n_real))
    words = f"n = {found[metric]['n']} generators: {correlation_words(found[metric])}"
    return titled(ax, words, run, one_cell_per_generator(run, where))


@styled
def alarms(run: Run, where: Where = None, below: float = BELOW, ax: Axes | None = None) -> Axes:
    """Per class what is recognised in generated images and what they teach, a dot per generator and rate; rows with an
    alarm are shaded. where: levels of the generators' factors; they need not leave one.
    """
    table, place = run.generator_classes, dict(where or {})
    for name, value in place.items():
        known = sorted(set(table[name].map(written))) if name in table else []
        if written(value) not in known:
            raise ValueError(
                f"alarms: {name} must be a level of the generators ({', '.join(known)}), got {written(value)}"
            )
        table = table[table[name].map(written).eq(written(value))]
    if table.empty:
        raise without_data("alarms", "no generator was assessed")
    found = raised_alarms(run, below)
    found = found[found["generator"].isin(table["generator"]) & found["kind"].ne("cannot say")]
    names = alarms_figure.worst_classes(table)
    ax = new_axes(ax, (6.5, 2.4 + 0.25 * len(names)))
    alarms_figure.draw_alarms(ax, table, names, set(found["class"].astype(str)), below)
    legend_below(ax, alarms_figure.alarm_keys(below))
    return titled(ax, "Has the generator lost a class?", run, place)
