"""Class by class: the paired change in recall of one contrast, sorted.

A forest plot shows an estimate and its interval per row (Lewis & Clarke 2001, BMJ 322). Many classes are many tests,
so a class counts as decided when its p survives Holm's correction over the classes shown.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.classes import per_class_deltas
from analysis.factors import described
from analysis.figures.sheet import OKABE_ITO, SOFT, page, shortened, styled
from analysis.figures.slices import interval_words, question
from analysis.paired import holm
from analysis.run import Run
from analysis.words import setting_names

MOST_ROWS = 22
ALPHA = 0.05
UP, DOWN, UNSURE = OKABE_ITO[0], OKABE_ITO[1], "#858b95"


def forest_table(run: Run, where: Mapping[str, Any]) -> pd.DataFrame:
    """`per_class_deltas` of one contrast, lowest change first, with p_holm and `state`: up, down (after Holm), lead
    (its own interval alone excludes 0), or open. ValueError where `where` names several contrasts.
    """
    table = per_class_deltas(run, where)
    if table["class"].duplicated().any():
        raise ValueError("class_forest: where must name one contrast; give a level for every factor but seed")
    table["p_holm"] = holm(table["p"].to_numpy(float))
    sure, alone = table["p_holm"] < ALPHA, table["p"] < ALPHA
    up = table["delta_points"] > 0
    table["state"] = np.select([sure & up, sure & ~up, alone], ["up", "down", "lead"], "open")
    return table.sort_values(["delta_points", "class"], ascending=[True, False], ignore_index=True)


def images_per_class(run: Run) -> str:
    """`40 test images per class`, or their range."""
    total = run.per_class.groupby("class", sort=False)["total"].min()
    seeds = int(run.cells["classifier_seeds"].min()) if "classifier_seeds" in run.cells else 1
    low, high = int(total.min()) // max(1, seeds), int(total.max()) // max(1, seeds)
    return f"{low if low == high else f'{low} to {high}'} test images per class"


def forest_limits(table: pd.DataFrame) -> tuple[float, float]:
    delta, half = table["delta_points"].to_numpy(float), np.nan_to_num(table["half_points"].to_numpy(float))
    cap = max(2.0, 2.5 * float(np.abs(delta).max()))  # a very wide interval leaves the picture, a point never
    return (
        -1.05 * max(0.5, float(np.minimum(half - delta, cap).max())),
        1.05 * max(0.5, float(np.minimum(half + delta, cap).max())),
    )


def _colour(state: str, delta: float) -> str:
    return UNSURE if state == "open" else UP if delta > 0 else DOWN


def draw_forest(ax: Axes, table: pd.DataFrame, rows: int, limits: tuple[float, float]) -> None:
    """A part of `forest_table` on an axis with room for `rows` classes."""
    at = np.arange(len(table)) + rows - len(table)
    ax.axvline(0, color=SOFT, lw=1)
    for y, row in zip(at, table.to_dict("records"), strict=True):
        colour, decided = _colour(row["state"], row["delta_points"]), row["state"] in ("up", "down")
        if row["half_points"] > 0:
            ax.plot([row["low_points"], row["high_points"]], [y, y], color=colour, lw=1.6, zorder=2)
        marker: dict[str, Any] = {
            "ms": 7,
            "mec": colour,
            "mfc": colour if decided else "white",
            "mew": 1.4,
            "zorder": 3,
        }
        ax.plot([row["delta_points"]], [y], marker="o" if row["delta_points"] > 0 else "s", ls="", **marker)
    ax.set(xlim=limits, ylim=(-0.7, rows - 0.3))
    ax.set_yticks(at, [shortened(str(name)) for name in table["class"]], fontsize=12, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("paired change in recall, points")


def mark(colour: str, filled: bool, marker: str) -> Line2D:
    """A point with its interval, as a legend shows it."""
    look: dict[str, Any] = {"color": colour, "mfc": colour if filled else "white", "marker": marker}
    return Line2D([], [], lw=1.6, ms=7, mew=1.4, **look)


def forest_keys(table: pd.DataFrame) -> list[tuple[Any, str]]:
    """Legend entries of `draw_forest`: what fill and colour mean, where they occur."""
    states = set(table["state"])
    keys: list[tuple[Any, str]] = []
    family = f"after Holm's correction over {len(table)} classes" if len(table) > 1 else "95 %"
    if "up" in states:
        keys.append((mark(UP, True, "o"), f"gains, {family}"))
    if "down" in states:
        keys.append((mark(DOWN, True, "s"), f"loses, {family}"))
    leads = table.loc[table["state"].eq("lead"), "delta_points"]
    if len(leads):
        up = bool((leads > 0).any())
        keys.append((mark(UP if up else DOWN, False, "o" if up else "s"), "a lead: its own interval alone excludes 0"))
    if "open" in states:
        keys.append((mark(UNSURE, False, "o"), "not decided"))
    return keys


@styled
def class_forest(run: Run, where: Mapping[str, Any] | None = None, why: str = "") -> Figure | None:
    """A point and its 95 % t-interval per class, best first, for the contrast `where` (default: the one named before
    the run, else the headline's). None where nothing is paired. why: why this one, for the subtitle.
    """
    if where is None:
        where, why = question(run)
    if where is None:
        return None
    table = forest_table(run, where)
    if table.empty:
        return None
    columns = -(-len(table) // MOST_ROWS)
    rows = -(-len(table) // columns)
    parts = [table.iloc[max(0, len(table) - (c + 1) * rows) : len(table) - c * rows] for c in range(columns)]
    names = 0.45 + 0.1 * min(24, max(len(str(name)) for name in table["class"]))
    wide = min(7.0, (12.9 - columns * names) / columns - 0.2)
    fig, axes = page(
        "Change in recall, class by class",
        f"generated against real only; bars: {interval_words(table)}; {images_per_class(run)}\nat "
        f"{described(where, setting_names(run.grid))}" + (f" ({why})" if why else ""),
        len(parts),
        (wide, max(1.0, min(0.3, 5.0 / rows) * rows + 0.2)),
        columns=columns,
        margins=(names, 0.3, 0.65, 0.1),
        gap=(names, 0.6),
        least=7.6,
        keys=forest_keys(table),
    )
    for ax, part in zip(axes, parts, strict=True):
        draw_forest(ax, part, rows, forest_limits(table))
    return fig
