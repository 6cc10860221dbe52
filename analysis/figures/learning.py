"""Learning curves: accuracy against the number of real images; real only, with generated images beside them, and
with what else could have been done: classic augmentation, copies, shuffled labels, more real images.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import (
    factors,
    fits,
    generation_factors,
    is_control,
    is_level,
    label,
    pick,
    thin,
    unfelt,
    written,
)
from analysis.figures.sheet import INK, MARKERS, OKABE_ITO, is_leftmost, page, styled
from analysis.figures.slices import mean_words, slices
from analysis.paired import accuracy_over_seeds, usable
from analysis.run import Run, axis
from ganaug.records import Arm

MOST_LINES = 6
CLASSIC_LOOK: dict[str, Any] = {"color": OKABE_ITO[0], "marker": "s", "ls": (0, (1, 1.5))}
POINTS: dict[str, tuple[str, str]] = {  # arm: marker, words
    "duplicated": ("<", "copies of the real images instead"),
    "shuffled": ("X", "generated, labels shuffled"),
    "more-real": ("*", "as many further real images instead"),
}


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


def dodged(ax: Axes, values: np.ndarray, i: float, n: int) -> np.ndarray:
    """`values` moved aside a little, so that the bars of line i of n do not hide each other."""
    share = min(0.022, 0.09 / n) * (i - (n - 1) / 2)
    low, high = ax.get_xlim()
    if ax.get_xscale() == "log":
        return np.asarray(values * (high / low) ** share)
    return np.asarray(values + share * (high - low))


def line_with_bars(ax: Axes, x: np.ndarray, y: np.ndarray, half: np.ndarray, look: dict[str, Any]) -> None:
    """Means joined by a line, and around each the bar of its interval where there is one."""
    ax.plot(x, y, **{"lw": 2, "ms": 7, "mec": "white", "mew": 0.8, "zorder": 3, **look})
    known = ~np.isnan(half)
    ax.errorbar(x[known], y[known], half[known], fmt="none", ecolor=look["color"], elinewidth=1.3, capsize=3, zorder=2)


def _look(i: int, level: Any) -> dict[str, Any]:
    if level == 0:
        return {"color": INK, "marker": "o", "ls": (0, (4, 2))}
    return {"color": OKABE_ITO[i % 6], "marker": MARKERS[1 + i % 6], "ls": "-"}


def _point_look(arm: str) -> dict[str, Any]:
    return {"color": INK, "marker": POINTS[arm][0], "ls": "", "mfc": "white", "mec": INK, "mew": 1.4, "ms": 9}


def other_settings(run: Run) -> dict[str, pd.DataFrame]:
    """What a generated image competes with beside real ones alone: settings per kind, over seeds."""
    found = usable(run.cells)
    classic = (run.summary.get("controls") or {}).get("classic_da")
    kinds = {arm: found["arm"].eq(arm) for arm in POINTS}
    if classic and classic != "none":
        kinds = {"classic-da": found["arm"].eq("real-only") & found["clf_da"].eq(classic), **kinds}
    return {kind: accuracy_over_seeds(found[keep]) for kind, keep in kinds.items() if keep.any()}


def others_at(run: Run, others: Mapping[str, pd.DataFrame], where: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Per kind the rows of `other_settings` that belong beside the slice `where`; empty kinds are left out.

    Classic augmentation stands beside cells without it. A control of several n_gen stands there once per n_gen.
    """
    found = {}
    for kind, table in others.items():
        rows, arm = table, cast("Arm", "real-only" if kind == "classic-da" else kind)
        without = unfelt(run.grid, arm) | ({"clf_da"} if kind == "classic-da" else set())
        for name in where:
            if name in rows and name not in without:
                rows = rows[fits(rows, name, where[name])]
        if kind == "classic-da" and where.get("clf_da", _only(run.grid["clf_da"])) != "none":
            continue
        rows = rows.drop_duplicates([name for name in factors(rows) if not name.startswith("augmentation.")])
        if kind == "classic-da":
            rows = rows.drop_duplicates("n_real")
        if len(rows):
            found[kind] = rows.sort_values(["n_real", "n_gen"])
    return found


def _only(column: pd.Series) -> Any:
    values = column.dropna().unique()
    return values[0] if len(values) == 1 else "none"


def draw_learning(
    ax: Axes, rows: pd.DataFrame, others: Mapping[str, pd.DataFrame], levels: list[Any], values: list[Any]
) -> None:
    """One panel: `rows` of accuracy_over_seeds, a line per n_gen of `levels` (0: real only), `others` beside them.

    values: the n_real that were run.
    """
    number_axis(ax, values, "n_real")
    n = len(levels) + len(others)
    for k, level in enumerate(levels):
        line = rows[is_level(rows["n_gen"], level)].sort_values("n_real")
        _placed(ax, line, k, n, _look(k, level))
    for k, (kind, table) in enumerate(others.items(), len(levels)):
        _placed(ax, table, k, n, CLASSIC_LOOK if kind == "classic-da" else _point_look(kind))


def _placed(ax: Axes, line: pd.DataFrame, k: int, n: int, look: dict[str, Any]) -> None:
    x = dodged(ax, line["n_real"].to_numpy(float), k, n)
    line_with_bars(ax, x, 100 * line["accuracy"].to_numpy(float), 100 * line["half"].to_numpy(float), look)


def learning_keys(run: Run, levels: list[Any], others: Iterable[Mapping[str, pd.DataFrame]]) -> list[tuple[Any, str]]:
    """Legend entries of `draw_learning`, over all its panels."""
    there = list(others)
    kinds = [kind for kind in ("classic-da", *POINTS) if any(kind in found for found in there)]
    keys: list[tuple[Any, str]] = [
        (
            Line2D([], [], lw=2, ms=7, mec="white", **_look(i, v)),
            "real only" if v == 0 else f"{v} generated per class",
        )
        for i, v in enumerate(levels)
    ]
    for kind in kinds:
        if kind == "classic-da":
            classic = run.summary["controls"]["classic_da"]
            keys.append((Line2D([], [], lw=2, ms=7, mec="white", **CLASSIC_LOOK), f"real only, clf_da {classic}"))
        else:
            n_gen = pd.concat([found[kind]["n_gen"] for found in there if kind in found]).unique()
            at = f" (n_gen {n_gen[0]})" if len(n_gen) == 1 else ""
            keys.append((Line2D([], [], **_point_look(kind)), POINTS[kind][1] + at))
    return keys


def learning_levels(run: Run, shown: pd.DataFrame) -> tuple[list[Any], list[Any]]:
    """The n_gen that get a line, 0 first where there is a control, and all that were run."""
    every = [v for v in axis(run, "n_gen") if v]
    lines = thin(every, MOST_LINES - 1)
    return ([0] if is_control(shown).any() else []) + lines, every


def learning_sizes(run: Run, shown: pd.DataFrame) -> list[int]:
    """Every n_real of the axis: the grid's, and those of the learning curve beside it."""
    return sorted({*(int(v) for v in axis(run, "n_real")), *(int(v) for v in shown["n_real"])})


@styled
def learning_curve(run: Run, where: Mapping[str, Any] | None = None) -> Figure:
    """Accuracy against n_real: dashed real only, a line per n_gen, dotted classic augmentation, hollow points for
    the other controls; bars for the t-interval over seeds.
    """
    cut = slices(run, ("n_real", "n_gen"), where)
    generation = generation_factors(run.grid)
    shown = pick(accuracy_over_seeds(run.with_curve), cut.fixed, generation)
    levels, every = learning_levels(run, shown)
    everything_else = other_settings(run)
    others = [others_at(run, everything_else, {**cut.fixed, **panel}) for panel in cut.panels]
    lines = [v for v in levels if v]
    said = [cut.said] if cut.said else []
    said += [f"{len(lines)} of {len(every)} values of n_gen shown"] if len(lines) < len(every) else []
    columns = 2 if len(cut.panels) in (1, 2, 4) else 3
    size = (5.6 if columns == 2 else 3.7, 2.0 if len(cut.panels) > columns else 3.2)
    if len(cut.panels) == 1:
        size = (6.6, 3.4)
    fig, axes = page(
        "Accuracy against the number of real images",
        f"{mean_words(shown)}" + (f"\nat {'; '.join(said)}" if said else ""),
        len(cut.panels),
        size,
        columns=columns,
        margins=(0.85, 0.3, 0.75, cut.room(size[0])),
        gap=(0.3, 0.93 + cut.room(size[0])),
        least=8.0,
        lowest=1.1,
        keys=learning_keys(run, levels, others),
        note="Bars include the luck of the split, which pairing removes: whether a line helps is told by the "
        "paired change, not by whether bars overlap.",
    )
    for i, (ax, panel) in enumerate(zip(axes, cut.panels, strict=True)):
        draw_learning(ax, pick(shown, panel, generation), others[i], levels, learning_sizes(run, shown))
        ax.set_title(cut.title(i, size[0]), loc="left")
        if is_leftmost(ax, axes):
            ax.set_ylabel("test accuracy, %")
    _share_y(axes, [shown, *(table for found in others for table in found.values())])
    return fig


def _share_y(axes: list[Axes], tables: list[pd.DataFrame]) -> None:
    """The same accuracies in every panel; wide intervals may leave the picture, accuracies never."""
    y = 100 * np.concatenate([table["accuracy"].to_numpy(float) for table in tables])
    half = np.nan_to_num(100 * np.concatenate([table["half"].to_numpy(float) for table in tables]))
    if not len(y):
        y, half = np.array([0.0, 100.0]), np.zeros(2)
    half = np.minimum(half, max(5.0, float(np.ptp(y))))
    low, high = max(-1.0, float((y - half).min()) - 1), min(101.0, float((y + half).max()) + 1)
    for ax in axes:
        ax.set_ylim(low, high)
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
