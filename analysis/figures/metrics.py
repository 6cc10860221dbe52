"""Do the metrics of a generator tell whether its images will help? A scatter per metric, a point per generator."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.factors import described, thin, written
from analysis.figures.acceptance import line_look
from analysis.figures.sheet import SOFT, is_leftmost, page, styled
from analysis.metrics_table import gain_correlations, generator_gains, one_cell_per_generator
from analysis.run import Run

NAMES = {
    "fid": "Fréchet distance (low is good)",
    "kid": "kernel distance (low is good)",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "classifier_is": "classifier-IS",
}
MOST_LEVELS = 7


def correlation_words(row: Mapping[str, Any]) -> str:
    """`all −0.62 [−0.91, +0.10]`, and on a second line the same within n_real."""

    def told(r: float, low: float, high: float) -> str:
        span = "no interval" if np.isnan(low) else f"[{low:+.2f}, {high:+.2f}]"
        return f"{r:+.2f} {span}".replace("-", "−")

    words = f"all {told(row['spearman'], row['low'], row['high'])}"
    if not np.isnan(row["within_n_real"]):
        words += f"\nwithin {told(row['within_n_real'], row['within_low'], row['within_high'])}"
    return words


def draw_metric(ax: Axes, gains: pd.DataFrame, metric: str, n_real: list[Any]) -> None:
    """`generator_gains` against one metric, a look per n_real."""
    ax.axhline(0, color=SOFT, lw=1)
    for k, level in enumerate(n_real):
        rows = gains[gains["n_real"].eq(level)]
        look = {"mec": "white", "mew": 0.8, "ls": "", "ms": 7, **line_look(k)}
        ax.plot(rows[metric].to_numpy(float, na_value=np.nan), rows["delta_points"].to_numpy(float), **look)
    ax.set_xlabel(NAMES.get(metric, metric))
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.grid(axis="y")
    ax.margins(0.08, 0.1)


def metric_keys(n_real: list[Any]) -> list[tuple[Any, str]]:
    """Legend entries of `draw_metric`."""
    return [(Line2D([], [], ls="", ms=7, **line_look(k)), f"n_real {written(v)}") for k, v in enumerate(n_real)]


@styled
def metric_scatter(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Paired gain in accuracy against each metric, a point per generator. None where no metric varies.

    where: the setting of the cells, see `one_cell_per_generator`.
    """
    table, gains = gain_correlations(run, where), generator_gains(run, where)
    if table.empty:
        return None
    setting = one_cell_per_generator(run, where)
    n_real = thin(sorted(gains["n_real"].dropna().unique()), MOST_LEVELS)
    columns = min(4, len(table))
    few = int(table["n"].min()), int(table["n"].max())
    n = f"n = {few[1]} generators" if few[0] == few[1] else f"n = {few[0]} to {few[1]} generators"
    many = len(table) > columns
    fig, axes = page(
        "Do metrics of the generator tell whether its images help?",
        f"a point per generator, {n} of {int(table['n_seeds'].max())} seeds; Spearman's rank correlation over all of "
        "them, and within n_real, with 95 % intervals that leave out whole seeds"
        + (f"\ncells at {described(setting, setting)}" if setting else ""),
        len(table),
        (2.75 if columns == 4 else 3.6, 1.7 if many else 2.6),
        columns=columns,
        margins=(0.8, 0.3, 0.7, 0.56),
        gap=(0.28, 1.35),
        least=7.6,
        keys=metric_keys(n_real),
        lowest=1.1,
        note="Real images move a metric and the gain alike: among generators of equally many, only “within” tells.",
    )
    rows: Any = table.to_dict("records")
    for ax, row in zip(axes, rows, strict=True):
        draw_metric(ax, gains, row["metric"], n_real)
        ax.set_title(correlation_words(row), loc="left", fontsize=12)
        if is_leftmost(ax, axes):
            ax.set_ylabel("gain, points")
        else:
            ax.set_yticklabels([])
    low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(low, high)
    return fig
