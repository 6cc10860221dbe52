"""Two runs side by side: accuracy against accuracy, and the difference of every setting with its interval."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import described
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, page, styled
from analysis.figures.slices import seeds

MOST_ROWS = 30
LOOKS = {"higher": (OKABE_ITO[0], "^"), "lower": (OKABE_ITO[1], "v"), "no difference": (INK, "D")}
UNSURE = ("#8d939c", "o")


def _keys(table: pd.DataFrame) -> list[tuple[Line2D, str]]:
    words = {
        "higher": "higher in the first: interval above 0", "lower": "lower: interval below 0",
        "no difference": "no difference: shown to be inside the margin", "cannot tell yet": "cannot tell yet",
    }  # fmt: skip
    found = [word for word in words if table["verdict"].eq(word).any()]
    looks = [LOOKS.get(word, UNSURE) for word in found]
    filled = [word != "cannot tell yet" for word in found]
    return [
        (Line2D([], [], ls="", marker=marker, color=colour, mfc=colour if full else "white", ms=7), words[word])
        for word, (colour, marker), full in zip(found, looks, filled, strict=True)
    ]


@styled
def comparison_scatter(table: pd.DataFrame, names: tuple[str, str]) -> Figure:
    """Accuracy in the second run across, in the first one up, a mark per setting of `compare`'s table."""
    fig, axes = page(
        "Accuracy, run against run", "percent, mean over seeds; above the line the first run is better", 1, (4.6, 4.6),
        margins=(0.95, 0.3, 0.75, 0.1), keys=_keys(table), least=7.6,
    )  # fmt: skip
    ax = axes[0]
    both = table[["accuracy_a", "accuracy_b"]].to_numpy(float)
    low, high = float(both.min()), float(both.max())
    room = max(0.5, 0.06 * (high - low))
    ax.plot([low - room, high + room], [low - room, high + room], color=SOFT, lw=1, zorder=1)
    for word, rows in table.groupby("verdict", sort=True):
        colour, marker = LOOKS.get(str(word), UNSURE)
        face = "white" if word == "cannot tell yet" else colour
        ax.plot(rows["accuracy_b"], rows["accuracy_a"], ls="", marker=marker, color=colour, mfc=face, ms=7, zorder=2)
    ax.set(xlim=(low - room, high + room), ylim=(low - room, high + room), aspect="equal")
    ax.set_xlabel(names[1], parse_math=False)
    ax.set_ylabel(names[0], parse_math=False)
    ax.grid(True)
    return fig


@styled
def comparison_forest(table: pd.DataFrame, varied: list[str], names: tuple[str, str]) -> Figure:
    """The difference of every setting with its interval, largest first; of more than 30 the outermost ones."""
    rows = table.sort_values("difference_points", kind="stable", ascending=False)
    few = len(rows) > MOST_ROWS
    if few:
        rows = pd.concat([rows.iloc[: MOST_ROWS // 2], rows.iloc[-(MOST_ROWS // 2) :]])
    records: Any = rows.to_dict("records")
    told = [
        ", ".join(part for part in (row["arm"] if row["arm"] != "generated" else "", described(row, varied)) if part)
        for row in records
    ]
    longest = max(map(len, told))
    most = f"the {MOST_ROWS} outermost of {len(table)} settings; " if few else ""
    pairs = rows.rename(columns={"n_a": "n_seeds"})
    fig, axes = page(
        f"{names[0]} minus {names[1]}", f"{most}points of accuracy, whiskers: 95 % t-interval over {seeds(pairs)}",
        1, (5.2, 0.29 * len(rows) + 0.3), margins=(0.4 + 0.088 * longest, 0.3, 0.7, 0.1), keys=_keys(rows), least=7.6,
    )  # fmt: skip
    ax = axes[0]
    at = np.arange(len(rows))[::-1]
    for y, row in zip(at, records, strict=True):
        colour, marker = LOOKS.get(row["verdict"], UNSURE)
        if not np.isnan(row["low_points"]):
            ax.plot([row["low_points"], row["high_points"]], [y, y], color=colour, lw=1.4, zorder=2)
        face = "white" if row["verdict"] == "cannot tell yet" else colour
        ax.plot(row["difference_points"], y, marker=marker, color=colour, mfc=face, ms=7, zorder=3)
    ax.axvline(0, color=SOFT, lw=1, zorder=1)
    ax.set_yticks(at, told, fontsize=11, parse_math=False)
    ax.set(ylim=(-0.7, len(rows) - 0.3))
    ax.set_xlabel("difference in accuracy, points")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    return fig
