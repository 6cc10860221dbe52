"""Filters side by side: what each does to accuracy against keeping every image, what it lets through, and how much of
the real images its choice still reaches.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.factors import described, levels, pick, thin
from analysis.figures.per_class import DOWN, UNSURE, UP, forest_limits, mark
from analysis.figures.sheet import SOFT, page, shortened, styled
from analysis.figures.slices import interval_words, question, slices
from analysis.filters import FILTERS, filter_label, filters_table
from analysis.run import Run
from analysis.words import setting_names

MOST_ROWS = 18
WORDS = {"better": UP, "worse": DOWN}
BESIDE = 2.9  # inches for what a filter lets through, right of the panel


def filter_rows(run: Run, where: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of `filters_table` at the levels `where`, with `label`; beyond `MOST_ROWS` thresholds are left out
    evenly. Its p_holm and verdict stay those of the whole table.
    """
    table = filters_table(run)
    table = pick(table, {k: v for k, v in where.items() if k in table}, ()) if len(table) else table
    if table.empty:
        return table.assign(label=[])
    rows: list[Any] = table.to_dict("records")
    table = table.assign(filter=[filter_label(row) for row in rows])
    room = max(1, MOST_ROWS // table["filter"].nunique())
    table = table[table["threshold"].isin(thin(levels(table, "threshold"), room))]
    table = table.assign(place=pd.Categorical(table["filter"], table["filter"].unique()))
    table = table.sort_values(["place", "threshold"], kind="stable").drop(columns="place")
    return table.assign(label=[f"{row.filter}, {row.threshold:g}" for row in table.itertuples()]).reset_index(drop=True)


def _share(value: float) -> str:
    return "—" if np.isnan(value) else f"{100 * value:.0f} %"


def draw_filters(ax: Axes, rows: pd.DataFrame) -> None:
    """`filter_rows` as points with their t-intervals, the first on top; what each lets through is written beside it."""
    n = len(rows)
    ax.axvline(0, color=SOFT, lw=1)
    for y, row in enumerate(rows.to_dict("records")):
        colour = WORDS.get(row["verdict"], UNSURE)
        decided = row["verdict"] in WORDS
        if row["half_points"] > 0:
            ax.plot([row["low_points"], row["high_points"]], [y, y], color=colour, lw=1.6, zorder=2)
        fill = colour if decided else "white"
        point: dict[str, Any] = {"ms": 7, "mec": colour, "mfc": fill, "mew": 1.4, "zorder": 3, "ls": ""}
        ax.plot([row["delta_points"]], [y], marker="o" if row["delta_points"] > 0 else "s", **point)
        known = not np.isnan(row["coverage"])
        reach = f"{_share(row['coverage_unfiltered'])} → {_share(row['coverage'])}" if known else "—"
        starved = f" †{row['n_starved']}" if row["n_starved"] else ""
        beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 12}
        ax.text(1.03, y, _share(row["acceptance"]) + starved, **beside)
        ax.text(1.22, y, reach, **beside)
    heads: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 12, "color": SOFT}
    ax.text(1.03, -1, "accepted", **heads)
    ax.text(1.22, -1, "coverage", **heads)
    ax.set(xlim=forest_limits(rows), ylim=(n - 0.4, -1.5))
    ax.set_yticks(range(n), [shortened(str(label), 34) for label in rows["label"]], fontsize=12, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("paired change in test accuracy against no filter, points")


def filter_keys() -> list[tuple[Any, str]]:
    """Legend entries of `draw_filters`."""
    return [
        (mark(UP, True, "o"), "better than no filter, corrected"),
        (mark(DOWN, True, "s"), "worse"),
        (mark(UNSURE, False, "o"), "not decided"),
    ]


@styled
def filters(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Every filter and threshold against no filter at one level of every other factor: that of the contrast named
    before the run, else with the largest n_gen. None where there are not two such rows: one is among the controls.
    """
    table = filters_table(run)
    if table.empty:
        return None
    axes_of = ("threshold", *FILTERS)
    if where is None:
        asked = question(run)[0] if run.primary is not None else None
        where = {"n_gen": table["n_gen"].max()} | {k: v for k, v in (asked or {}).items() if k not in axes_of}
    cut = slices(run, axes_of, where, most=1)
    here = {**cut.fixed, **cut.panels[0]}
    rows = filter_rows(run, here)
    if len(rows) < 2:
        return None
    said = described(here, [name for name in setting_names(run.grid) if name in here])
    left = 0.5 + 0.1 * min(34, max(len(label) for label in rows["label"]))
    few = "" if len(rows) == len(pick(table, here, ())) else f"; {len(rows)} settings shown"
    fig, axes = page(
        "What each filter does, against keeping every image",
        f"rows: filter and threshold; points: mean change, bars: {interval_words(rows, run.looks)}{few}"
        + (f"\nat {said}" if said else ""),
        1,
        (5.4, 0.34 * (len(rows) + 1) + 0.2),
        margins=(left, BESIDE, 0.7, 0.1),
        keys=filter_keys(),
        note=f"Filled points are decided after Holm's correction over the {len(table)} filtered settings of the run. "
        "Accepted: share of the images looked at. Coverage: share of real images near a chosen one, without the filter "
        "and with it. †: seeds in which too few images passed.",
    )
    draw_filters(axes[0], rows)
    return fig
