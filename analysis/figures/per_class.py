"""Class by class: sorted bars of the paired change in recall, for one contrast."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.classes import per_class_deltas
from analysis.factors import described
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, page, styled
from analysis.figures.slices import interval_words
from analysis.paired import verdict
from analysis.run import Run
from analysis.verdict import contrast_of, setting_names

MOST_ROWS = 24
HELPS, HURTS, UNSURE = OKABE_ITO[0], OKABE_ITO[1], "#b9bec6"


@styled
def per_class_bars(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Bars per class, best first, for the contrast `where` (default: the headline's). None where nothing is
    paired.
    """
    chosen = where is None
    where = contrast_of(run) if where is None else where
    if where is None:
        return None
    table = per_class_deltas(run, where)
    if table.empty:
        return None
    if table["class"].duplicated().any():
        raise ValueError("per_class_bars: where must name one contrast; give a level for every factor but seed")
    table = table.sort_values(["delta_points", "class"], ascending=[True, False])
    columns = -(-len(table) // MOST_ROWS)
    rows = -(-len(table) // columns)
    parts = [table.iloc[max(0, len(table) - (c + 1) * rows) : len(table) - c * rows] for c in range(columns)]
    delta, half = table["delta_points"].to_numpy(float), np.nan_to_num(table["half_points"].to_numpy(float))
    cap = max(2.0, 2.5 * float(np.abs(delta).max()))  # a very wide interval leaves the picture, a bar never
    left = -1.05 * max(0.5, float(np.minimum(half - delta, cap).max()))
    right = 1.05 * max(0.5, float(np.minimum(half + delta, cap).max()))
    found = {verdict(*bounds) for bounds in zip(table["low_points"], table["high_points"], strict=True)}
    keys: list[tuple[Any, str]] = []
    if "helps" in found:
        keys.append((Patch(color=HELPS), "interval above 0"))
    if "hurts" in found:
        keys.append((Patch(color=HURTS), "interval below 0"))
    if found - {"helps", "hurts"}:
        keys.append((Patch(color=UNSURE), "no evidence: the interval holds 0, one seed, or seeds all alike"))
    names = max(len(str(name)) for name in table["class"])
    why = ", the headline's contrast, chosen after looking" if chosen else ""
    fig, axes = page(
        "Change in recall, class by class",
        f"points against real only, whiskers: {interval_words(table)}\nat "
        f"{described(where, setting_names(run.cells))}{why}",
        len(parts),
        (6.4 if columns == 1 else 4.8, max(1.2, 0.27 * rows + 0.2)),
        columns=columns,
        margins=(0.5 + 0.09 * min(names, 24), 0.3, 0.65, 0.1),
        gap=(0.5 + 0.09 * min(names, 24), 0.6),
        least=7.6,
        keys=keys,
        note=f"{len(table)} classes, each looked at by itself: at 95 % one in 20 stands out by luck alone.",
    )
    for ax, part in zip(axes, parts, strict=True):
        value, bar = part["delta_points"].to_numpy(float), part["half_points"].to_numpy(float)
        at = np.arange(len(part)) + rows - len(part)
        words = [verdict(*bounds) for bounds in zip(part["low_points"], part["high_points"], strict=True)]
        colours = [{"helps": HELPS, "hurts": HURTS}.get(word, UNSURE) for word in words]
        ax.barh(at, value, color=colours, height=0.72, zorder=2)
        known = ~np.isnan(bar) & (bar > 0)
        ax.errorbar(
            value[known],
            at[known],
            xerr=bar[known],
            fmt="none",
            ecolor=INK,
            elinewidth=1,
            capsize=2,
            zorder=3,
        )
        ax.axvline(0, color=SOFT, lw=1)
        ax.set(xlim=(left, right), ylim=(-0.6, rows - 0.4))
        ax.set_yticks(at, [shortened(str(name)) for name in part["class"]], fontsize=10.5, parse_math=False)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.set_xlabel("paired change in recall, points")
    return fig


def shortened(text: str, most: int = 24) -> str:
    """A class name that fits beside an axis; its middle gives way."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"
