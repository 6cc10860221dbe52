"""Confusion matrices, and what generated images change in them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from analysis.confusion import class_names, confusion_counts, confusion_shifts, shares
from analysis.factors import described
from analysis.figures.sheet import INK, SOFT, page, shade, shortened, styled
from analysis.figures.slices import interval_words, question
from analysis.run import Run
from analysis.words import setting_names

CELL = 0.45  # inches of a cell that carries its number
LEAST_CELL = 0.33  # and the least that has room for it
SIDE = 4.9  # inches of a matrix of many classes
MOST = 5.0  # inches of a matrix and the names beside it, so that two fit a slide
LONGEST = 12  # letters of a name


def _label_axes(ax: Axes, names: list[str], inches: float) -> None:
    """Every class named on both axes; of many classes every second name stands further out, so that all can be read."""
    short, n = [shortened(name, LONGEST) for name in names], len(names)
    step = inches / n
    staggered = step < 0.17
    longest = max(map(len, short))
    far = 0.12 + 0.1 * longest
    at = np.arange(n) + 0.5
    ax.set_xticks(at, short, rotation=90 if longest > max(1, int(step / 0.1)) and longest > 1 else 0, fontsize=12)
    ax.set_yticks(at, short, rotation=0, fontsize=12)
    for text in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
        text.set_parse_math(False)
    ax.tick_params(length=0, pad=2)
    if not staggered:
        return
    for axis, room in ((ax.xaxis, max(0.2, far * (longest > 1))), (ax.yaxis, far)):
        for tick in axis.get_major_ticks()[1::2]:
            tick.set_pad(2 + 72 * room)
            tick.tick1line.set(markersize=72 * room, markeredgecolor="#d5d8dd", markeredgewidth=0.6, zorder=0)


def label_inches(names: list[str], inches: float) -> float:
    """Room for the names that `_label_axes` writes beside a matrix of this side."""
    longest = max(len(shortened(name, LONGEST)) for name in names)
    return (0.1 + 0.1 * longest) * (2.2 if inches / len(names) < 0.17 else 1.0)


def matrix_side(names: list[str]) -> float:
    """Inches of a matrix with these classes: its cells hold a number where classes are few and names are short."""
    wanted = min(max(2.4, CELL * len(names)), SIDE)
    side = min(wanted, MOST - label_inches(names, wanted))
    if carries_numbers(names, side):
        return side
    more = min(SIDE, MOST + 0.3 - label_inches(names, SIDE))  # no hatching, so no legend below
    return min(more, 0.99 * LEAST_CELL * len(names))


def carries_numbers(names: list[str], inches: float) -> bool:
    """Whether the cells of a matrix of this side are large enough to be written into."""
    return inches / len(names) >= LEAST_CELL


def _draw(ax: Axes, values: np.ndarray, names: list[str], scale: dict[str, Any], inches: float, signs: bool) -> None:
    numbers = carries_numbers(names, inches)
    mesh = shade(ax, values, scale, gaps=numbers)
    if numbers:
        for (row, column), value in np.ndenumerate(values):
            if np.isnan(value) or abs(value) < 0.5:
                continue
            rgba = mesh.cmap(mesh.norm(value))
            ink = "white" if 0.299 * rgba[0] + 0.587 * rgba[1] + 0.114 * rgba[2] < 0.52 else INK
            words = f"{value:+.0f}".replace("-", "−") if signs else f"{value:.0f}"
            ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=12, color=ink)
    _label_axes(ax, names, inches)
    ax.set(xlabel="predicted class", ylabel="true class")
    for side in ax.spines.values():
        side.set(visible=not numbers, color="#c3c8cf")


def draw_confusion(ax: Axes, counts: np.ndarray, names: list[str], inches: float = SIDE) -> dict[str, Any]:
    """A confusion matrix (K, K) of counts, rows in percent of the true class, 0 to 100; returns its colour scale."""
    scale = {"cmap": "cividis", "norm": Normalize(0, 100)}
    _draw(ax, 100 * shares(counts), names, scale, inches, signs=False)
    return scale


def undecided(shifts: pd.DataFrame) -> np.ndarray:
    """Rows of `confusion_shifts` whose own interval holds 0, or that have none, bool."""
    alike = shifts["low"].eq(shifts["high"])
    return (~((shifts["low"] > 0) | (shifts["high"] < 0)) | alike).to_numpy(bool)


def draw_confusion_shift(ax: Axes, shifts: pd.DataFrame, names: list[str], inches: float = SIDE) -> dict[str, Any]:
    """`confusion_shifts` as a matrix in points, diverging around 0; returns its colour scale.

    What is not decided is hatched where classes are few, and left white where they are many.
    """
    n = len(names)
    values = shifts["shift_points"].to_numpy(float).reshape(n, n)
    open_ = undecided(shifts).reshape(n, n)
    reach = max(1.0, float(np.nanmax(np.abs(values)))) if np.isfinite(values).any() else 1.0
    scale = {"cmap": sns.diverging_palette(30, 250, s=85, l=48, as_cmap=True), "norm": Normalize(-reach, reach)}
    numbers = carries_numbers(names, inches)
    few = numbers or not shifts["n_seeds"].gt(1).any()
    _draw(ax, values if few else np.where(open_, np.nan, values), names, scale, inches, signs=True)
    if numbers:
        for row, column in zip(*np.nonzero(open_ & (np.abs(values) > 0)), strict=True):
            look: dict[str, Any] = {"fill": False, "hatch": "////", "ec": (0.35, 0.35, 0.35, 0.35), "lw": 0}
            ax.add_patch(Rectangle((column, row), 1, 1, **look))
    return scale


def _bar(fig: Figure, ax: Axes, scale: dict[str, Any], unit: str) -> None:
    from matplotlib.cm import ScalarMappable

    box, (width, height) = ax.get_position(), fig.get_size_inches()
    tall = min(box.height, 2.6 / height)
    bar = fig.add_axes((box.x1 + 0.2 / width, box.y1 - tall, 0.14 / width, tall))
    fig.colorbar(ScalarMappable(scale["norm"], scale["cmap"]), cax=bar)
    bar.tick_params(length=0, labelsize=12)
    bar.set_title(unit, fontsize=12, loc="left")
    bar.spines["outline"].set_visible(False)


def asked(run: Run, where: Mapping[str, Any] | None, why: str) -> tuple[Mapping[str, Any] | None, str]:
    """The contrast to show, and why that one in brackets: `where`, else that of `question`."""
    found, why = (where, why) if where is not None else question(run)
    return found, f" ({why})" if why else ""


@styled
def confusion(run: Run, where: Mapping[str, Any] | None = None, why: str = "") -> Figure | None:
    """The confusion matrix with generated images, summed over seeds, beside what changed against real only.

    where: one contrast, and why that one, for the subtitle; default: that of `question`. None where nothing is paired.
    """
    where, why = asked(run, where, why)
    if where is None:
        return None
    shifts = confusion_shifts(run, where)
    if shifts.empty:
        return None
    names = class_names(run)
    inches = matrix_side(names)
    room = label_inches(names, inches)
    many = not carries_numbers(names, inches)
    n_off = int(undecided(shifts).sum())
    keys: list[tuple[Any, str]] = []
    if n_off and not many:
        keys.append((Patch(fc="white", ec=SOFT, hatch="////", lw=0.5), "not decided: its own interval holds 0"))
    white = " White: its own interval holds 0." if many and shifts["n_seeds"].gt(1).any() else ""
    fig, axes = page(
        "What is taken for what",
        f"left: % of each true class over all seeds; right: generated minus real only; {interval_words(shifts)}\nat "
        f"{described(where, setting_names(run.grid))}{why}",
        2,
        (inches, inches),
        columns=2,
        margins=(0.4 + room, 0.95, 0.4 + room, 0.34),
        gap=(1.05 + room, 0.5),
        keys=keys,
        note=f"{len(shifts)} cells, each judged by itself: at 95 % one in 20 stands out by luck alone.{white}",
    )
    left = draw_confusion(axes[0], confusion_counts(run, where), names, inches)
    right = draw_confusion_shift(axes[1], shifts, names, inches)
    axes[0].set_title("with generated images", loc="left")
    axes[1].set_title("change against real only", loc="left")
    _bar(fig, axes[0], left, "%")
    _bar(fig, axes[1], right, "points")
    return fig
