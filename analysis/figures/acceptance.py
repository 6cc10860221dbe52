"""How much a filter lets through: the share of generated images accepted, against its threshold."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import factors, generation_factors, is_control, is_level, pick, thin, varied
from analysis.figures.learning import dodged, line_with_bars, number_axis
from analysis.figures.sheet import MARKERS, OKABE_ITO, is_leftmost, page, styled
from analysis.figures.slices import mean_words, slices
from analysis.paired import t_intervals, usable
from analysis.run import Run, axis

MOST_LINES = 6


def acceptance_rates(run: Run) -> pd.DataFrame:
    """A row per setting but n_gen: accepted share of the images looked at, t-interval over seeds.

    Counts of one stream nest, so each seed counts once, at its largest n_gen. Columns: the factors but
    n_gen and seed, n_seeds, df, mean, sd, half, low, high (shares in [0, 1]).
    """
    found = usable(run.grid)
    found = found[~is_control(found) & found["n_candidates"].gt(0).fillna(False) & found["threshold"].notna()]
    by = [name for name in factors(found) if name not in ("n_gen", "seed")]
    found = found.sort_values("n_gen").drop_duplicates([*by, "seed"], keep="last")
    return t_intervals(found.assign(rate=found["n_accepted"] / found["n_candidates"]), by, "rate").drop(columns="p")


def line_look(i: int) -> dict[str, Any]:
    """Colour and marker of line i."""
    return {"color": OKABE_ITO[i % 7], "marker": MARKERS[i % 7]}


def draw_acceptance(
    ax: Axes,
    rates: pd.DataFrame,
    lines: list[Any],
    thresholds: list[float],
    look: dict[str, Any] | None = None,
    by: str = "n_real",
) -> None:
    """One panel of `acceptance_rates`: a line per level of `by` in `lines`. thresholds: those that were run. look: of a
    lone line that stands under others. Cells without a filter belong to every line where `by` is `filter`.
    """
    number_axis(ax, thresholds, "threshold")
    for k, level in enumerate(lines):
        line = rates[is_level(rates[by], level) | ((by == "filter") & rates[by].eq(""))].sort_values("threshold")
        x = dodged(ax, line["threshold"].to_numpy(float), k, len(lines))
        mean, half = 100 * line["mean"].to_numpy(float), 100 * line["half"].to_numpy(float)
        line_with_bars(ax, x, mean, half, look or line_look(k))
    ax.set_ylim(-3, 103)


@styled
def acceptance(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Acceptance rate against threshold, a line per n_real. None where no filter had a threshold."""
    rates = acceptance_rates(run)
    if rates.empty:
        return None
    generation = generation_factors(run.grid)
    deaf = [name for name in varied(run.grid, besides=["n_real"]) if name not in generation]  # the filter comes first
    where = {**{name: axis(run, name)[0] for name in deaf}, **(where or {})}
    cut = slices(run, ("threshold", "n_real", "n_gen"), where)
    every = axis(run, "n_real")
    lines = thin(every, MOST_LINES)
    rates = rates.assign(n_gen=1)  # none of these is a control
    shown = pick(rates, cut.fixed, generation)
    size = (5.4, 3.0) if len(cut.panels) == 1 else (3.6, 1.9 if len(cut.panels) > 3 else 2.6)
    said = [cut.said] if cut.said else []
    said += [f"{len(lines)} of {len(every)} values of n_real shown"] if len(lines) < len(every) else []
    fig, axes = page(
        "How much the filter lets through",
        f"{mean_words(shown)}" + (f"\nat {'; '.join(said)}" if said else ""),
        len(cut.panels),
        size,
        columns=3,
        margins=(0.85, 0.3, 0.75, cut.room(size[0])),
        gap=(0.3, 0.93 + cut.room(size[0])),
        keys=[(Line2D([], [], lw=2, ms=7, **line_look(i)), f"n_real {v}") for i, v in enumerate(lines)],
        lowest=1.2,
    )
    thresholds = [v for v in axis(run, "threshold") if v is not None]
    for i, (ax, panel) in enumerate(zip(axes, cut.panels, strict=True)):
        draw_acceptance(ax, pick(shown, panel, generation), lines, thresholds)
        ax.set_title(cut.title(i, size[0]), loc="left")
        if is_leftmost(ax, axes):
            ax.set_ylabel("accepted, % of generated")
        else:
            ax.set_yticklabels([])
    return fig
