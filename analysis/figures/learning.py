"""Learning curves: accuracy against the number of real images, real only and with generated images beside
them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import generation_factors, is_control, is_level, label, pick, thin, written
from analysis.figures.sheet import INK, MARKERS, OKABE_ITO, page, styled
from analysis.figures.slices import interval_words, slices
from analysis.paired import accuracy_over_seeds
from analysis.run import Run, axis

MOST_LINES = 6


def number_axis(ax: Axes, values: list[Any], name: str) -> None:
    """Ticks at the values that were run; logarithmic where they span more than a factor of 8."""
    numbers = [float(v) for v in values]
    if len(numbers) > 1 and min(numbers) > 0 and max(numbers) / min(numbers) > 8:
        ax.set_xscale("log")
        pad = (max(numbers) / min(numbers)) ** 0.08
        ax.set_xlim(min(numbers) / pad, max(numbers) * pad)
    else:
        pad = 0.08 * (max(numbers) - min(numbers)) or 1.0
        ax.set_xlim(min(numbers) - pad, max(numbers) + pad)
    ax.set_xticks(numbers, [written(v) for v in values])
    ax.minorticks_off()
    ax.set_xlabel(label(name))
    ax.grid(axis="y")


def dodged(ax: Axes, values: np.ndarray, i: int, n: int) -> np.ndarray:
    """`values` moved aside a little, so that the bars of line i of n do not hide each other."""
    share = 0.022 * (i - (n - 1) / 2)
    low, high = ax.get_xlim()
    if ax.get_xscale() == "log":
        return np.asarray(values * (high / low) ** share)
    return np.asarray(values + share * (high - low))


def _look(i: int, level: Any) -> dict[str, Any]:
    if level == 0:
        return {"color": INK, "marker": "o", "ls": (0, (4, 2))}
    return {"color": OKABE_ITO[i % 6], "marker": MARKERS[1 + i % 6], "ls": "-"}


def _line(ax: Axes, rows: pd.DataFrame, look: dict[str, Any], i: int, n: int) -> None:
    x = dodged(ax, rows["n_real"].to_numpy(float), i, n)
    y, half = 100 * rows["accuracy"].to_numpy(float), 100 * rows["half"].to_numpy(float)
    ax.plot(x, y, lw=2, ms=7, mec="white", mew=0.8, zorder=3, **look)
    known = ~np.isnan(half)
    ax.errorbar(x[known], y[known], half[known], fmt="none", ecolor=look["color"], elinewidth=1.3, capsize=3, zorder=2)


@styled
def learning_curve(run: Run, where: Mapping[str, Any] | None = None) -> Figure:
    """Accuracy against n_real: a dashed line for real only, a line per n_gen, bars for the t-interval over
    seeds.
    """
    cut = slices(run, ("n_real", "n_gen"), where)
    generation = generation_factors(run.cells)
    settings = accuracy_over_seeds(run.cells)
    every = [v for v in axis(run, "n_gen") if v]
    lines = thin(every, MOST_LINES - 1)
    shown = pick(settings, cut.fixed, generation)
    has_control = bool(is_control(shown).any())
    levels = ([0] if has_control else []) + lines
    keys = [
        (
            Line2D([], [], lw=2, ms=7, mec="white", **_look(i, v)),
            "real only" if v == 0 else f"{v} generated per class",
        )
        for i, v in enumerate(levels)
    ]
    said = [cut.said] if cut.said else []
    said += [f"{len(lines)} of {len(every)} values of n_gen shown"] if len(lines) < len(every) else []
    fig, axes = page(
        "Accuracy against the number of real images",
        f"mean, bars: {interval_words(shown)}" + (f"\nat {'; '.join(said)}" if said else ""),
        len(cut.panels),
        (4.6, 3.4) if len(cut.panels) < 3 else (3.5, 2.8),
        columns=2 if len(cut.panels) in (1, 2, 4) else 3,
        margins=(0.85, 0.3, 0.75, 0.12 + 0.22 * (cut.title(0).count("\n") + bool(cut.title(0)))),
        gap=(0.3, 1.3),
        least=8.0,
        keys=keys,
        note="Bars include the luck of the split, which pairing removes: whether a line helps is told by the "
        "paired change, not by whether bars overlap.",
    )
    for i, (ax, panel) in enumerate(zip(axes, cut.panels, strict=True)):
        rows = pick(shown, panel, generation)
        number_axis(ax, axis(run, "n_real"), "n_real")
        for k, level in enumerate(levels):
            line = rows[is_level(rows["n_gen"], level)].sort_values("n_real")
            _line(ax, line, _look(k, level), k, len(levels))
        ax.set_title(cut.title(i), loc="left")
        if ax.get_position().x0 == axes[0].get_position().x0:
            ax.set_ylabel("accuracy on the test set, %")
    _share_y(axes, shown)
    return fig


def _share_y(axes: list[Axes], shown: pd.DataFrame) -> None:
    """The same accuracies in every panel; wide intervals may leave the picture, accuracies never."""
    y = 100 * shown["accuracy"].to_numpy(float)
    half = np.nan_to_num(100 * shown["half"].to_numpy(float))
    if not len(y):
        y, half = np.array([0.0, 100.0]), np.zeros(2)
    half = np.minimum(half, max(5.0, float(np.ptp(y))))
    low, high = max(-1.0, float((y - half).min()) - 1), min(101.0, float((y + half).max()) + 1)
    for ax in axes:
        ax.set_ylim(low, high)
        if ax.get_position().x0 != axes[0].get_position().x0:
            ax.set_yticklabels([])
