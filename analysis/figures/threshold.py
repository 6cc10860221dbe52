"""What a stricter filter buys and what it costs: the change in accuracy against the threshold, and below it, on the
same axis, the share of generated images that pass.

Two panels and not two vertical axes: where lines of different units cross means nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import described, generation_factors, is_level, pick, thin, written
from analysis.figures.acceptance import acceptance_rates, draw_acceptance, line_look
from analysis.figures.learning import dodged, line_with_bars, number_axis
from analysis.figures.sheet import INK, SOFT, is_leftmost, page, styled
from analysis.figures.slices import interval_words, question, slices, spread
from analysis.filters import FILTERS, filter_labels, with_filter
from analysis.paired import deltas_over_seeds
from analysis.run import Run, axis
from analysis.words import setting_names

MOST_COLUMNS, MOST_LINES = 3, 5
NO_FILTER: dict[str, Any] = {"color": INK, "marker": "o", "ls": ""}


def draw_threshold(
    ax: Axes, deltas: pd.DataFrame, lines: list[Any], thresholds: list[float], by: str = "n_gen"
) -> None:
    """One panel of `deltas_over_seeds`: a line per level of `by` in `lines`. thresholds: those that were run.

    by: `n_gen`, or `filter` (see `analysis.filters.with_filter`); then all lines begin at the one point without
    a filter.
    """
    number_axis(ax, thresholds, "threshold")
    ax.axhline(0, color=SOFT, lw=1)
    without = deltas[deltas[by].eq("")] if by == "filter" else deltas.iloc[:0]
    for k, level in enumerate(lines):
        line = deltas[is_level(deltas[by], level)].sort_values("threshold")
        x = dodged(ax, line["threshold"].to_numpy(float), k, len(lines))
        delta, half = line["delta_points"].to_numpy(float), line["half_points"].to_numpy(float)
        line_with_bars(ax, x, delta, half, line_look(k))
        if len(without) and len(line):
            start = [float(without["threshold"].iloc[0]), float(without["delta_points"].iloc[0])]
            ax.plot([start[0], x[0]], [start[1], delta[0]], color=line_look(k)["color"], lw=2, zorder=2.5)
    if len(without):
        x, delta, half = (without[n].to_numpy(float) for n in ("threshold", "delta_points", "half_points"))
        line_with_bars(ax, x, delta, half, NO_FILTER)


def threshold_keys(lines: list[Any], by: str = "n_gen") -> list[tuple[Any, str]]:
    """Legend entries of `draw_threshold`."""
    words = [str(v) if by == "filter" else f"{v} generated per class" for v in lines]
    keys: list[tuple[Any, str]] = [(Line2D([], [], lw=2, ms=7, **line_look(i)), text) for i, text in enumerate(words)]
    return [(Line2D([], [], ms=7, **NO_FILTER), "no filter"), *keys] if by == "filter" else keys


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold every mean; a very wide interval may leave the picture."""
    delta, half = table["delta_points"].to_numpy(float), np.nan_to_num(table["half_points"].to_numpy(float))
    half = np.minimum(half, max(2.0, float(np.ptp(delta))))
    low, high = min(0.0, float((delta - half).min())), max(0.0, float((delta + half).max()))
    pad = 0.06 * max(1.0, high - low)
    return low - pad, high + pad


@styled
def threshold_curve(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Paired change in accuracy against the threshold, a line per n_gen, or per filter where the run has several;
    below, the accepted share. A column per n_real (at most 3). None where fewer than two thresholds have a pair.

    where: levels of other factors; default: those of `question`.
    """
    deltas = deltas_over_seeds(run.grid, run.margin_points, run.looks)
    deltas = deltas[deltas["threshold"].notna()]
    if deltas["threshold"].nunique() < 2:
        return None
    filters = filter_labels(run)
    by, own = ("filter", ("threshold", *FILTERS)) if filters else ("n_gen", ("threshold", "n_gen"))
    if where is None and run.primary is not None:
        asked, _ = question(run)
        where = {k: v for k, v in (asked or {}).items() if k not in ("n_real", *own)}
    if filters:
        where = {"n_gen": max(v for v in axis(run, "n_gen") if v), **(where or {})}
        deltas = with_filter(run, deltas)
    cut = slices(run, ("n_real", *own), where)
    generation = generation_factors(run.grid)
    here = {**cut.fixed, **cut.panels[0]}
    deltas = pick(deltas, here, generation)
    of_filter = {name: level for name, level in here.items() if name != "n_gen"}  # which counts once, at its largest
    rates = pick(acceptance_rates(run).assign(n_gen=1), of_filter, generation)
    if deltas.empty:
        return None
    columns = spread(run, "n_real", axis(run, "n_real"), MOST_COLUMNS)
    every: list[Any] = filters or [v for v in axis(run, "n_gen") if v]
    lines = thin(every, 2 + MOST_LINES if filters else MOST_LINES)
    thresholds = [v for v in axis(run, "threshold") if v is not None]
    said = described(here, [name for name in setting_names(run.grid) if name in here])
    few = (
        f"; {len(lines)} of {len(every)} {'filters' if filters else 'values of n_gen'} shown"
        if len(lines) < len(every)
        else ""
    )
    fig, axes = page(
        "What the filter's threshold buys, and what it costs",
        f"above: paired change against real only, below: what passes; bars: {interval_words(deltas, run.looks)}{few}"
        + (f"\nat {said}" if said else ""),
        2 * len(columns),
        (6.0 if len(columns) == 1 else 11.4 / len(columns) - 0.3, 2.0),
        columns=len(columns),
        margins=(0.95, 0.3, 0.75, 0.34),
        gap=(0.3, 0.35),
        least=8.0,
        keys=threshold_keys(lines, by),
        lowest=1.2,
    )
    limits = _reach(deltas[deltas["n_real"].isin(columns)])
    for i, level in enumerate(columns):
        above, below = axes[i], axes[i + len(columns)]
        draw_threshold(above, deltas[is_level(deltas["n_real"], level)], lines, thresholds, by)
        if filters:
            passed = with_filter(run, rates[is_level(rates["n_real"], level)])
            draw_acceptance(below, passed, lines, thresholds, by="filter")
        else:
            draw_acceptance(below, rates, [level], thresholds, {"color": SOFT, "marker": "o"})
        above.set(ylim=limits, xlabel="")
        above.set_xticklabels([])
        above.set_title(f"n_real {written(level)}", loc="left")
        if i:
            above.set_yticklabels([])
            below.set_yticklabels([])
        elif is_leftmost(above, axes):
            above.set_ylabel("change, points")
            below.set_ylabel("accepted, %")
    return fig
