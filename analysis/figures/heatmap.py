"""Heatmaps of accuracy and of paired delta over two factors, the real-only control included as the bottom
row.

Every cell is one setting: mean over its seeds, ± the half-width of the 95 % t-interval. Delta maps diverge
around 0, and a cell whose interval holds 0 (or that has no interval) is hatched: its colour is no evidence.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from analysis.factors import generation_factors, label, wrapped_label, written
from analysis.figures.sheet import INK, RULE, SOFT, page, styled
from analysis.figures.slices import MOST_PANELS, interval_words, slices
from analysis.grid import BASELINE, Value, panel_table, settings_table
from analysis.run import Run, axis
from analysis.verdict import signed


def _ink(rgba: Any) -> str:
    return "white" if 0.299 * rgba[0] + 0.587 * rgba[1] + 0.114 * rgba[2] < 0.52 else INK


def _draw(
    ax: Axes,
    cells: pd.DataFrame,
    x: str,
    y: str,
    value: Value,
    scale: dict[str, Any],
    font: float,
    most: int,
    joined: bool,
) -> None:
    columns, rows = list(dict.fromkeys(cells[x].map(written))), list(dict.fromkeys(cells[y].map(written)))
    shape = (len(rows), len(columns))
    coloured = (
        cells["value"].where(~(cells["control"] & (value == "delta"))).to_numpy(float, na_value=np.nan).reshape(shape)
    )
    sns.heatmap(coloured, ax=ax, cbar=False, mask=np.isnan(coloured), linewidths=1.5, linecolor="white", **scale)
    mesh = ax.collections[0]
    for k, cell in enumerate(cells.to_dict("records")):
        row, column = divmod(k, len(columns))
        grey = cell["control"] and value == "delta"
        if joined and cell["control"] and column:
            continue  # the control is one setting, whatever the threshold: one wide cell, written once
        wide = len(columns) if joined and cell["control"] else 1
        if np.isnan(cell["value"]):
            ax.add_patch(
                Rectangle((column + 0.04, row + 0.05), wide - 0.08, 0.9, fill=False, ec=RULE, lw=1, ls=(0, (3, 3)))
            )
            ax.text(
                column + wide / 2,
                row + 0.5,
                cell["state"],
                ha="center",
                va="center",
                fontsize=font - 2,
                color=SOFT,
            )
            continue
        colour = "#eceef0" if grey else mesh.cmap(mesh.norm(cell["value"]))
        if grey:
            ax.add_patch(Rectangle((column + 0.01, row + 0.015), wide - 0.02, 0.97, fc=colour, ec="white", lw=1.5))
        elif wide > 1:
            ax.add_patch(Rectangle((column + 0.01, row + 0.015), wide - 0.02, 0.97, fc=colour, lw=0))
        ink = INK if grey else _ink(colour)
        if cell["inconclusive"]:
            ax.add_patch(Rectangle((column, row), 1, 1, fill=False, hatch="////", ec=(*([0.35] * 3), 0.35), lw=0))
        main = signed(cell["value"]) if value == "delta" and not grey else f"{cell['value']:.1f}{' %' * grey}"
        main += "†" * bool(cell["n_starved"])
        n = "" if cell["n_seeds"] == most else f" n={cell['n_seeds']}"
        half = "" if np.isnan(cell["half"]) else "alike" if cell["half"] == 0 else f"±{cell['half']:.1f}"
        second = half + n
        ax.text(
            column + wide / 2,
            row + 0.60 if second else row + 0.5,
            main,
            ha="center",
            va="center",
            fontsize=font,
            color=ink,
            weight="bold",
        )
        ax.text(
            column + wide / 2,
            row + 0.27,
            second.strip(),
            ha="center",
            va="center",
            fontsize=font - 2.5,
            color=ink,
        )
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=0 if max(map(len, columns)) < 10 else 30)
    ax.set_yticks(
        np.arange(len(rows)) + 0.5,
        [f"0\n{BASELINE}" if r == "0" and y == "n_gen" else r for r in rows],
        rotation=0,
    )
    ax.tick_params(length=0, labelsize=font)
    ax.set(xlabel="", ylabel="")
    ax.invert_yaxis()  # the control at the bottom, more above it
    for side in ax.spines.values():
        side.set_visible(False)


def _scale(cells: pd.DataFrame, value: Value) -> dict[str, Any]:
    shown = cells.loc[~cells["control"] | (value == "accuracy"), "value"].dropna()
    if value == "accuracy":
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 100.0)
        return {"cmap": "cividis", "vmin": low - 0.5, "vmax": high + 0.5}
    reach = max(1.0, float(shown.abs().max())) if len(shown) else 1.0
    return {"cmap": sns.diverging_palette(30, 250, s=85, l=48, as_cmap=True), "vmin": -reach, "vmax": reach}


def _keys(cells: pd.DataFrame) -> list[tuple[Any, str]]:
    keys: list[tuple[Any, str]] = []
    if cells["inconclusive"].any():
        keys.append(
            (
                Patch(fc="white", ec=SOFT, hatch="////", lw=0.5),
                "no evidence: the interval holds 0, one seed, or seeds all alike",
            )
        )
    if cells["n_starved"].gt(0).any():
        keys.append((Line2D([], [], ls="", marker="$†$", color=INK, ms=8), "starved: the filter let too few through"))
    if cells["value"].isna().any():
        keys.append((Patch(fc="white", ec=SOFT, ls=(0, (3, 3)), lw=0.8), "no result (empty: not run)"))
    return keys


@styled
def heatmap(
    run: Run,
    x: str = "n_real",
    y: str = "n_gen",
    value: Value = "accuracy",
    where: Mapping[str, Any] | None = None,
) -> Figure:
    """Heatmap of `value` over the factors x and y, a panel per level of up to two other factors (see
    `slices`).
    """
    generation = generation_factors(run.cells)
    if x in generation and y not in generation:
        x, y = y, x  # the control is a row
    crowded = len(axis(run, x)) * len(axis(run, y)) > 30
    cut = slices(run, (x, y), where, most=3 if crowded else MOST_PANELS)
    settings = settings_table(run, value)
    tables = [panel_table(run, settings, x, y, {**cut.fixed, **panel}) for panel in cut.panels]
    cells = pd.concat(tables)
    n_columns, n_rows = cells[x].nunique(dropna=False), cells[y].nunique(dropna=False)
    size = float(np.clip(10.5 / n_columns, 0.62, 1.05))
    font = 12 if size > 0.85 else 9.5
    panel = (n_columns * size, n_rows * 0.66)
    found = cells[cells["value"].notna()]
    what = "Accuracy, %" if value == "accuracy" else "Paired change against real only, points"
    marks = "" if value == "accuracy" else " Bottom row: the control's own accuracy."
    longest = max(len(BASELINE), *(len(written(level)) for level in cells[y]))
    fig, axes = page(
        what,
        f"mean ± {interval_words(found)}.{marks}" + (f"\nat {cut.said}" if cut.said else ""),
        len(tables),
        panel,
        columns=max(1, int(11.5 // (panel[0] + 0.3))),
        margins=(
            0.65 + 0.092 * longest,
            1.2,
            0.62,
            0.12 + 0.22 * (cut.title(0).count("\n") + bool(cut.title(0))),
        ),
        gap=(0.3, 1.15),
        least=7.6,
        keys=_keys(cells),
    )
    scale = _scale(cells, value)
    most = int(cells["n_seeds"].max())
    for i, (ax, table) in enumerate(zip(axes, tables, strict=True)):
        _draw(ax, table, x, y, value, scale, font, most, joined=x in generation)
        ax.set_title(cut.title(i), loc="left", fontsize=12)
        ax.set_xlabel(label(x) if panel[0] > 2.6 else x)
        if ax.get_position().x0 == axes[0].get_position().x0:
            ax.set_ylabel(wrapped_label(y))
        else:
            ax.set_yticklabels([])
    _colour_bar(fig, axes, scale, "%" if value == "accuracy" else "points")
    return fig


def _colour_bar(fig: Figure, axes: list[Axes], scale: dict[str, Any], unit: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    boxes = [ax.get_position() for ax in axes]
    right, first = max(box.x1 for box in boxes), boxes[0]
    width, height = fig.get_size_inches()
    tall = min(first.height, 2.6 / height)
    bar = fig.add_axes((right + 0.25 / width, first.y1 - tall, 0.14 / width, tall))
    fig.colorbar(ScalarMappable(Normalize(scale["vmin"], scale["vmax"]), scale["cmap"]), cax=bar)
    bar.tick_params(length=0, labelsize=10)
    bar.set_title(unit, fontsize=10, loc="left")
    bar.spines["outline"].set_visible(False)
