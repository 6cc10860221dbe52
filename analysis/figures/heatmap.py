"""Heatmaps of accuracy, of paired delta and of effective real images over two factors, the real-only control
included as the bottom row.

Every cell is one setting: mean over its seeds, ± the half-width of the 95 % t-interval; effective real images with
the ends of their interval. Delta maps diverge around 0. A cell is hatched where its colour is no evidence: its
interval holds 0 (its own n_real), it has none, or the number of images is only a bound (≥, ≤).
"""

import textwrap
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from analysis.factors import generation_factors, is_control, label, wrapped_label, written
from analysis.figures.sheet import INK, RULE, SLIDE, SOFT, axes_inches, is_leftmost, page, shade, styled
from analysis.figures.slices import MOST_PANELS, Slices, interval_words, slices
from analysis.grid import BASELINE, panel_table, settings_table
from analysis.paired import accuracy_over_seeds
from analysis.run import Run, axis
from analysis.statistics.looks import Looks
from analysis.words import signed

HeatmapValue = Literal["accuracy", "delta", "effective_real"]
TITLES: dict[str, str] = {
    "accuracy": "Accuracy, %",
    "delta": "Paired change against real only, points",
    "effective_real": "Effective real images per class",
}
UNITS = {"accuracy": "%", "delta": "points", "effective_real": "images"}
SIZES = (
    (1.05, 0.66),
    (0.95, 0.6),
    (0.82, 0.54),
    (0.72, 0.5),
    (0.64, 0.46),
)  # of a cell in inches, the largest that fits


BOUNDS = ("below", "above", "censored_low", "censored_high")


def effective_table(run: Run, effective: pd.DataFrame, x: str, y: str, where: Mapping[str, Any]) -> pd.DataFrame:
    """The cells of one panel from `effective` (`analysis.effective.effective_real`): as `panel_table`, and the columns
    low, high, below, above, censored_low, censored_high. A control is worth its own n_real.

    inconclusive: the number is a bound, it has no interval, or the interval holds n_real.
    """
    controls = accuracy_over_seeds(run.grid)
    controls = controls[is_control(controls)]
    controls = controls.drop(columns=["low", "high"]).assign(effective_real=controls["n_real"].astype(float))
    settings = pd.concat([effective, controls], ignore_index=True)
    flags = {name: settings[name].eq(True).fillna(False).astype(bool) for name in BOUNDS}
    settings = settings.assign(**flags, n_starved=0, half=np.nan, value=settings["effective_real"].astype(float))
    holds = settings["low"].le(settings["n_real"]) & settings["high"].ge(settings["n_real"])
    open_ = settings["below"] | settings["above"] | settings["low"].isna() | holds
    settings["inconclusive"] = open_.astype(bool) & ~is_control(settings)
    cells = panel_table(run, settings, x, y, where)
    for name in ("low", "high", *BOUNDS):
        own = panel_table(run, settings.assign(value=settings[name]), x, y, where)["value"]
        cells[name] = own.eq(True).fillna(False).astype(bool) if name in BOUNDS else pd.to_numeric(own)
    return cells


def heatmap_cells(
    run: Run, x: str, y: str, value: HeatmapValue, places: list[dict[str, Any]], effective: pd.DataFrame | None
) -> list[pd.DataFrame]:
    """The numbers of every panel: those of `analysis.grid.heatmap_table` at each of `places`."""
    if value == "effective_real":
        if effective is None:
            raise ValueError("heatmap: value='effective_real' needs effective=analysis.effective.effective_real(run)")
        return [effective_table(run, effective, x, y, place) for place in places]
    settings = settings_table(run, value)
    return [panel_table(run, settings, x, y, place) for place in places]


def _ink(rgba: Any) -> str:
    return "white" if 0.299 * rgba[0] + 0.587 * rgba[1] + 0.114 * rgba[2] < 0.52 else INK


def _tick(text: str, inches: float) -> str:
    """A level under a column of this width: broken after its plus signs where it is too long for one line."""
    if 0.1 * len(text) <= inches:
        return text
    room = int(inches / 0.095)
    return textwrap.fill(text.replace("+", "+ "), max(room, 6)).replace("+ ", "+")


def _words(cell: Mapping[str, Any], value: HeatmapValue, grey: bool, most: int) -> tuple[str, str]:
    """What stands in a cell: its number, and under it how sure that is."""
    n = "" if cell["n_seeds"] == most else f" n={cell['n_seeds']}"
    dagger = "†" * bool(cell["n_starved"])
    if value == "effective_real":
        bound = "≥ " * cell["above"] + "≤ " * cell["below"]
        low, high = "≤" * cell["censored_low"], "≥" * cell["censored_high"]
        span = "" if np.isnan(cell["low"]) else f"{low}{cell['low']:.0f}–{high}{cell['high']:.0f}"
        return f"{bound}{cell['value']:.0f}", (span + n).strip()
    percent = " %" * (grey and cell["value"] < 99.95)
    main = signed(cell["value"]) if value == "delta" and not grey else f"{cell['value']:.1f}{percent}"
    half = "" if np.isnan(cell["half"]) else "alike" if cell["half"] == 0 else f"±{cell['half']:.1f}"
    return main + dagger, (half + n).strip()


def _fill(ax: Axes, cell: Mapping[str, Any], at: tuple[int, int, int], colour: Any, hatched: bool) -> None:
    column, row, wide = at
    if colour is not None:
        ax.add_patch(Rectangle((column + 0.01, row + 0.015), wide - 0.02, 0.97, fc=colour, ec="white", lw=1.5))
    if hatched:
        ax.add_patch(Rectangle((column, row), 1, 1, fill=False, hatch="////", ec=(*([0.35] * 3), 0.35), lw=0))


def draw_heatmap(
    ax: Axes,
    cells: pd.DataFrame,
    x: str,
    y: str,
    value: HeatmapValue,
    scale: dict[str, Any],
    font: float,
    most: int,
    joined: bool,
) -> None:
    """One panel of `cells`; `joined`: the control is one setting whatever x is, so one wide cell, written once.

    most: the seeds of a complete cell; fewer are said in the cell.
    """
    columns, rows = list(dict.fromkeys(cells[x].map(written))), list(dict.fromkeys(cells[y].map(written)))
    plain = value != "accuracy"  # the control's number is of another kind than those that are coloured
    found = cells["value"].where(~(cells["control"] & plain)).to_numpy(float, na_value=np.nan)
    coloured = found.reshape(len(rows), len(columns))
    mesh = shade(ax, coloured, scale)
    records: Any = cells.to_dict("records")
    for k, cell in enumerate(records):
        row, column = divmod(k, len(columns))
        grey = cell["control"] and plain
        if joined and cell["control"] and column:
            continue
        wide = len(columns) if joined and cell["control"] else 1
        centre: dict[str, Any] = {"ha": "center", "va": "center"}
        if np.isnan(cell["value"]):
            edge = Rectangle((column + 0.04, row + 0.05), wide - 0.08, 0.9, fill=False, ec=RULE, lw=1, ls=(0, (3, 3)))
            ax.add_patch(edge)
            ax.text(column + wide / 2, row + 0.5, cell["state"], fontsize=font, color=SOFT, **centre)
            continue
        colour = "#eceef0" if grey else mesh.cmap(mesh.norm(cell["value"]))
        _fill(ax, cell, (column, row, wide), colour if grey or wide > 1 else None, bool(cell["inconclusive"]))
        ink = INK if grey else _ink(colour)
        main, second = _words(cell, value, grey, most)
        text: dict[str, Any] = {"fontsize": font, "color": ink, **centre}
        ax.text(column + wide / 2, row + (0.65 if second else 0.5), main, weight="normal" if grey else "bold", **text)
        ax.text(column + wide / 2, row + 0.27, second, **text)
    inches = axes_inches(ax)[0] / len(columns)
    ax.set_xticks(np.arange(len(columns)) + 0.5, [_tick(name, inches) for name in columns])
    names = [f"0\n{BASELINE}" if r == "0" and y == "n_gen" else r for r in rows]
    ax.set_yticks(np.arange(len(rows)) + 0.5, names, rotation=0)
    ax.tick_params(length=0, labelsize=font)
    ax.set(xlabel="", ylabel="")
    ax.invert_yaxis()  # the control at the bottom, more above it
    for side in ax.spines.values():
        side.set_visible(False)


def colour_scale(cells: pd.DataFrame, value: HeatmapValue) -> dict[str, Any]:
    """Colours of all panels: sequential for accuracy and (logarithmic) images, diverging around 0 for delta."""
    shown = cells.loc[~cells["control"] | (value == "accuracy"), "value"].dropna()
    if value == "delta":
        reach = max(1.0, float(shown.abs().max())) if len(shown) else 1.0
        palette = sns.diverging_palette(30, 250, s=85, l=48, as_cmap=True)
        return {"cmap": palette, "norm": Normalize(-reach, reach)}
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (1.0, 100.0)
    if value == "accuracy":
        return {"cmap": "cividis", "norm": Normalize(low - 0.5, high + 0.5)}
    return {"cmap": "cividis", "norm": LogNorm(max(low, 0.5) / 1.05, max(high, 1.0) * 1.05)}


def heatmap_keys(cells: pd.DataFrame, value: HeatmapValue) -> list[tuple[Any, str]]:
    """Legend entries: what hatching, a dagger and an empty cell mean, where there are any."""
    keys: list[tuple[Any, str]] = []
    if cells["inconclusive"].any():
        why = "no evidence: the interval holds 0, one seed, or seeds all alike"
        if value == "effective_real":
            why = "not decided: the interval holds n_real, or the number is a bound"
        keys.append((Patch(fc="white", ec=SOFT, hatch="////", lw=0.5), why))
    if cells["n_starved"].gt(0).any():
        keys.append((Line2D([], [], ls="", marker="$†$", color=INK, ms=8), "starved: the filter let too few through"))
    if cells["value"].isna().any():
        keys.append((Patch(fc="white", ec=SOFT, ls=(0, (3, 3)), lw=0.8), "no result (empty: not run)"))
    return keys


def oriented(run: Run, x: str, y: str) -> tuple[str, str]:
    """x and y, so that the control is a row: a generation factor lies upwards."""
    generation = generation_factors(run.grid)
    return (y, x) if x in generation and y not in generation else (x, y)


def _layout(
    run: Run, x: str, y: str, where: Mapping[str, Any] | None, least: float
) -> tuple[Slices, float, float, int]:
    """The slices that a slide has room for, the size of a cell in inches and the panels side by side."""
    n_columns, n_rows = len(axis(run, x)), len(axis(run, y)) + (y in generation_factors(run.grid) and y != "n_gen")
    wanted = len(slices(run, (x, y), where).panels)
    side = 1.9 + 0.1 * max(len(BASELINE), *(len(written(v)) for v in axis(run, y)))  # margins, in inches
    for wide, high in SIZES:
        if wide < least:
            break
        across = max(1, int((SLIDE[0] - side + 0.3) // (n_columns * wide + 0.3)))
        down = max(1, int((SLIDE[1] - 1.2) // (n_rows * high + 1.1)))
        chosen = wide, high
        if across * down >= wanted:
            break
    cut = slices(run, (x, y), where, most=min(MOST_PANELS, across * down))
    return cut, *chosen, min(across, len(cut.panels))


@styled
def heatmap(
    run: Run,
    x: str = "n_real",
    y: str = "n_gen",
    value: HeatmapValue = "accuracy",
    where: Mapping[str, Any] | None = None,
    effective: pd.DataFrame | None = None,
) -> Figure:
    """Heatmap of `value` over the factors x and y, a panel per level of up to two other factors (see `slices`).

    effective: the table of `analysis.effective.effective_real`, for value "effective_real". ValueError without it.
    """
    x, y = oriented(run, x, y)
    cut, wide, high, across = _layout(run, x, y, where, 0.82 if value == "effective_real" else 0)
    tables = heatmap_cells(run, x, y, value, [{**cut.fixed, **panel} for panel in cut.panels], effective)
    cells = pd.concat(tables)
    n_columns, n_rows = cells[x].nunique(dropna=False), cells[y].nunique(dropna=False)
    wide = min(wide, 10.6 / n_columns)
    font = 12 if wide >= SIZES[-1][0] else 9.5
    size = (n_columns * wide, n_rows * high)
    longest = max(len(BASELINE), *(len(written(level)) for level in cells[y]))
    lines = 1 + max(_tick(written(level), wide).count("\n") for level in cells[x])
    said = subtitle(cells, value, run.looks) + (f"\nat {cut.said}" if cut.said else "")
    fig, axes = page(
        TITLES[value],
        said,
        len(tables),
        size,
        columns=across,
        margins=(0.65 + 0.1 * longest, 1.25, 0.4 + 0.2 * lines, cut.room(size[0])),
        gap=(0.3, 0.55 + 0.2 * lines + cut.room(size[0])),
        least=7.6,
        keys=heatmap_keys(cells, value),
    )
    scale = colour_scale(cells, value)
    most = int(cells["n_seeds"].max())
    for i, (ax, table) in enumerate(zip(axes, tables, strict=True)):
        draw_heatmap(ax, table, x, y, value, scale, font, most, joined=x in generation_factors(run.grid))
        ax.set_title(cut.title(i, size[0]), loc="left", fontsize=12)
        ax.set_xlabel(label(x) if size[0] > 2.9 else x)
        if is_leftmost(ax, axes):
            ax.set_ylabel(wrapped_label(y))
        else:
            ax.set_yticklabels([])
    _colour_bar(fig, axes, scale, UNITS[value])
    return fig


def subtitle(cells: pd.DataFrame, value: HeatmapValue, looks: Looks | None = None) -> str:
    """How the numbers in `cells` were made; looks: those of the run."""
    found = cells[cells["value"].notna()]
    if value == "effective_real":
        return (
            "how many real images alone would be as accurate; below it the 95 % interval. Bottom row: the real "
            "images that were there."
        )
    marks = "" if value == "accuracy" else " Bottom row: the control's own accuracy."
    changes = found[found["n_gen"].ne(0)] if looks and "n_gen" in found else found
    return f"mean ± {interval_words(changes, None if value == 'accuracy' else looks)}.{marks}"


def _colour_bar(fig: Figure, axes: list[Axes], scale: dict[str, Any], unit: str) -> None:
    from matplotlib.cm import ScalarMappable

    boxes = [ax.get_position() for ax in axes]
    right, first = max(box.x1 for box in boxes), boxes[0]
    width, height = fig.get_size_inches()
    tall = min(first.height, 2.6 / height)
    bar = fig.add_axes((right + 0.25 / width, first.y1 - tall, 0.14 / width, tall))
    fig.colorbar(ScalarMappable(scale["norm"], scale["cmap"]), cax=bar)
    if isinstance(scale["norm"], LogNorm):
        low, high = float(scale["norm"].vmin or 1), float(scale["norm"].vmax or 1)
        ticks = [t * 10.0**e for e in range(6) for t in (1, 2, 5) if low <= t * 10.0**e <= high]
        bar.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
    bar.tick_params(length=0, labelsize=12)
    bar.set_xlabel(unit, fontsize=12, loc="left", labelpad=6)  # below: a narrow facet's title may reach over the bar
    bar.spines["outline"].set_visible(False)
