"""A search's panels: what every tried value scored on validation images, how the best grew from step to step, which
factor mattered, and what accuracy costs.

Everything here is of validation images, and the highest point of many is flattered by the choice. What the winner is
worth on images that no step saw is the run's own contrast.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from analysis.factors import label, thin, written
from analysis.figures.sheet import INK, OKABE_ITO, SOFT
from analysis.search import Search, is_number

MOST_BARS, MOST_TICKS = 12, 12
ORDER = "cividis"
BEST: dict[str, Any] = {
    "marker": "*",
    "color": OKABE_ITO[1],
    "mec": "white",
    "mew": 0.8,
    "ms": 17,
    "ls": "",
    "zorder": 5,
}
NONE: dict[str, Any] = {"color": SOFT, "ls": (0, (4, 2)), "lw": 1.4}


def order_scale(search: Search) -> Normalize:
    """From the first step to the last, for colours."""
    steps = search.finished["number"].to_numpy(float)
    return Normalize(0, max(1.0, float(steps.max(initial=1))))


def _limits(ax: Axes, rows: pd.DataFrame, none: float | None) -> None:
    """Accuracies in percent that hold every mean; a very wide interval may leave the picture."""
    mean = rows["accuracy"].to_numpy(float)
    cap = max(2.0, 1.5 * float(np.ptp(mean)))
    half = np.minimum(np.nan_to_num(rows["high"].to_numpy(float) - mean), cap)
    known = np.concatenate([mean - half, mean + half, [] if none is None else [100 * none]])
    pad = 0.06 * max(0.5, float(np.ptp(known)))
    ax.set_ylim(known.min() - pad, known.max() + pad)
    ax.grid(axis="y")


def _point(row: dict[str, Any], colour: Any) -> dict[str, Any]:
    grid, starved = row["source"] == "grid", row["status"] == "starved"
    look = {"marker": "s" if grid else "o", "ms": 6.5 if grid else 8, "mec": INK if grid else colour, "mew": 1.4}
    return look | {"mfc": "white" if starved else "#cfd3d8" if grid else colour, "ls": "", "zorder": 3}


def _places(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Where a path's values stand on an axis, and the names of its ticks where they are no numbers."""
    if is_number(values):
        return values.to_numpy(float, na_value=np.nan), []
    names = sorted({written(value) for value in values})
    return np.array([names.index(written(value)) for value in values], float), names


def draw_search_values(ax: Axes, search: Search, path: str) -> None:
    """One panel: mean validation accuracy of every finished step against its value of `path`, bars the t-interval over
    seeds, colours the order; settings taken over from a grid as squares, the winner as a star, threshold 0 dashed.
    """
    rows = search.finished[search.finished[path].notna()]
    x, names = _places(rows[path])
    if names:  # side by side in the order of the steps
        x = x + 0.4 * (rows["number"].rank(pct=True).to_numpy(float) - 0.5)
    colours, scale = colormaps[ORDER], order_scale(search)
    best = search.best
    if search.none is not None:
        ax.axhline(100 * search.none, **NONE)
    records: Any = rows.to_dict("records")
    for at, row in zip(x, records, strict=True):
        colour = SOFT if row["source"] == "grid" else colours(scale(row["number"]))
        ax.plot([at, at], [row["low"], row["high"]], color=colour, lw=1.1, alpha=0.55, zorder=2)
        ax.plot([at], [row["accuracy"]], **_point(row, colour))
        if best and row["number"] == best.get("number"):
            ax.plot([at], [row["accuracy"]], **BEST)
    if names:
        shown = thin(range(len(names)), MOST_TICKS)
        ax.set_xticks(shown, [names[i] for i in shown], parse_math=False)
        ax.set_xlim(-0.5, len(names) - 0.5)
    elif (search.facts.get("space") or {}).get(path) and _is_log(search.facts["space"][path]):
        _logarithmic(ax, x)
    _limits(ax, search.finished, search.none)
    ax.set_xlabel(label(path), parse_math=False)


def _logarithmic(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis with plain numbers at its ticks."""
    low, high = float(values.min()), float(values.max())
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [t * 10.0**e for e in decades for t in (1, 2, 5) if low <= t * 10.0**e <= high]
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" if tick < 1e4 else f"{tick:,.0f}" for tick in ticks])
    ax.minorticks_off()


def _is_log(space: Any) -> bool:
    return isinstance(space, dict) and bool(space.get("log"))


def search_keys(search: Search) -> list[tuple[Any, str]]:
    """Legend entries of `draw_search_values`: of what occurs."""
    rows = search.finished
    middle = colormaps[ORDER](0.5)
    keys: list[tuple[Any, str]] = []
    if rows["source"].eq("search").any():
        keys.append((Line2D([], [], marker="o", ms=8, color=middle, lw=1.1), "a step, mean over seeds"))
    if rows["source"].eq("grid").any():
        grid: dict[str, Any] = {"mfc": "#cfd3d8", "mec": INK, "mew": 1.4, "color": SOFT}
        keys.append((Line2D([], [], marker="s", ms=6.5, lw=1.1, **grid), "taken over from a grid"))
    if rows["status"].eq("starved").any():
        keys.append((Line2D([], [], marker="o", ms=8, mfc="white", mec=middle, mew=1.4, ls=""), "starved"))
    if search.best:
        keys.append((Line2D([], [], **{**BEST, "ms": 14}), "best"))
    if search.none is not None:
        keys.append((Line2D([], [], **NONE), "the same with threshold 0"))
    return keys


def draw_search_history(ax: Axes, search: Search) -> None:
    """Every finished step's mean validation accuracy in order, and the best so far."""
    rows = search.finished
    number = rows["number"].to_numpy(float)
    if search.none is not None:
        ax.axhline(100 * search.none, **NONE)
    ax.step(number, rows["best"].to_numpy(float), where="post", color=OKABE_ITO[1], lw=2, zorder=2)
    records: Any = rows.to_dict("records")
    for at, row in zip(number, records, strict=True):
        ax.plot([at], [row["accuracy"]], **_point(row, OKABE_ITO[0]))
    ticks = thin(range(int(number.min()), int(number.max()) + 1), MOST_TICKS)
    ax.set_xticks(ticks)
    _limits(ax, rows.assign(high=rows["accuracy"]), search.none)
    ax.set_xlabel("step")


def history_keys(search: Search) -> list[tuple[Any, str]]:
    """Legend entries of `draw_search_history`."""
    rows = search.finished
    keys: list[tuple[Any, str]] = [(Line2D([], [], color=OKABE_ITO[1], lw=2), "best so far")]
    if rows["source"].eq("search").any():
        keys.append((Line2D([], [], marker="o", ms=8, ls="", color=OKABE_ITO[0]), "a step"))
    others = [key for key in search_keys(search) if key[1] in ("taken over from a grid", "starved")]
    return [*keys, *others, *([(Line2D([], [], **NONE), "the same with threshold 0")] * (search.none is not None))]


def draw_search_importances(ax: Axes, search: Search) -> None:
    """How much of the spread of values each factor explains, as bars; the largest on top."""
    found = list(search.importances.items())[:MOST_BARS]
    names, shares = [name for name, _ in found], [100 * share for _, share in found]
    ax.barh(range(len(found)), shares, color=OKABE_ITO[0], height=0.6)
    for y, share in enumerate(shares):
        ax.text(share + 1, y, f"{share:.0f} %", va="center", fontsize=12)
    ax.set_yticks(range(len(found)), [label(name) for name in names], parse_math=False)
    ax.set(xlim=(0, 112), ylim=(len(found) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("share of the spread in validation accuracy, %")


def draw_pareto_front(ax: Axes, search: Search) -> None:
    """Accuracy against cost: every finished step, and in colour those that no other beats in both."""
    rows = search.finished[search.finished["cost"].notna()]
    front = search.front
    ax.plot(rows["cost"].to_numpy(float), rows["accuracy"].to_numpy(float), ls="", marker="o", ms=7, color="#b9bec6")
    x, y = front["cost"].to_numpy(float), front["accuracy"].to_numpy(float)
    ax.step(x, y, where="post", color=OKABE_ITO[0], lw=1.6)
    ax.plot(x, y, ls="", marker="o", ms=9, color=OKABE_ITO[0], mec="white", mew=0.8)
    best = search.best
    here = rows[rows["number"].eq(best["number"])] if best and "number" in best else rows.iloc[:0]
    ax.plot(here["cost"].to_numpy(float), here["accuracy"].to_numpy(float), **BEST)
    cost = rows["cost"].to_numpy(float)
    if cost.min() > 0 and cost.max() / cost.min() > 8:
        _logarithmic(ax, cost)
    _limits(ax, rows.assign(high=rows["accuracy"]), None)
    ax.set_xlabel("candidate images drawn per class")


def front_keys(search: Search) -> list[tuple[Any, str]]:
    """Legend entries of `draw_pareto_front`."""
    keys: list[tuple[Any, str]] = [
        (Line2D([], [], marker="o", ms=9, lw=1.6, color=OKABE_ITO[0]), "no other is both cheaper and better"),
        (Line2D([], [], marker="o", ms=7, ls="", color="#b9bec6"), "beaten in both"),
    ]
    return [*keys, (Line2D([], [], **{**BEST, "ms": 14}), "best")] if search.best else keys
