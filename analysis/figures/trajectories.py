"""How each class moves as generated images are added: those that move most in colour, the crowd in grey."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.classes import per_class_deltas
from analysis.factors import described, written
from analysis.figures.learning import line_with_bars
from analysis.figures.sheet import MARKERS, OKABE_ITO, SLIDE, SOFT, axes_inches, is_leftmost, page, shortened, styled
from analysis.figures.slices import interval_words, question, slices, spread
from analysis.run import Run, axis
from analysis.words import setting_names

MOST_NAMED, MOST_PANELS = 6, 3


def movers(table: pd.DataFrame, most: int = MOST_NAMED) -> list[str]:
    """The classes of `per_class_deltas` whose recall moves most, up or down, at the largest n_gen of any slice."""
    last = table[table["n_gen"].eq(table["n_gen"].max())]
    reach = last.assign(reach=last["delta_points"].abs()).groupby("class", sort=False)["reach"].max()
    return [str(name) for name in reach.sort_values(ascending=False, kind="stable").index[:most]]


def _apart(values: np.ndarray, room: float) -> np.ndarray:
    """`values` moved as little as keeps them `room` apart, in their order."""
    order = np.argsort(values, kind="stable")
    placed = values[order].astype(float)
    for _ in range(60):
        short = room - np.diff(placed)
        if (short <= 1e-9).all():
            break
        push = np.maximum(short, 0) / 2
        placed[1:] += push
        placed[:-1] -= push
    out = np.empty_like(placed)
    out[order] = placed
    return out


def draw_trajectories(ax: Axes, table: pd.DataFrame, named: list[str], n_gen: list[Any], limits: Any) -> None:
    """The change of every class against n_gen: grey, the classes `named` in colour with bars, labelled at their end.

    table: `per_class_deltas` of one slice. n_gen: the levels that were run; they stand at equal steps, 0 first.
    """
    levels = [0, *(v for v in n_gen if v)]
    place = {written(v): i for i, v in enumerate(levels)}
    ax.axhline(0, color=SOFT, lw=1)
    ends = []
    for name, rows in table.sort_values("n_gen").groupby("class", sort=False):
        x = np.array([0, *(place[written(v)] for v in rows["n_gen"])], float)
        y = np.array([0, *rows["delta_points"]], float)
        if str(name) not in named:
            ax.plot(x, y, color="#c3c8cf", lw=1, zorder=1)
            continue
        k = named.index(str(name))
        look: dict[str, Any] = {"color": OKABE_ITO[k % 7], "marker": MARKERS[k % 7], "ms": 6}
        x = x + 0.025 * (k - (len(named) - 1) / 2) * (x > 0)
        half = np.array([np.nan, *rows["half_points"]], float)
        line_with_bars(ax, x, y, half, look)
        ends.append((y[-1], str(name), look))
    ax.set(xlim=(-0.15, len(levels) - 0.9), ylim=limits)
    ax.set_xticks(range(len(levels)), [written(v) for v in levels])
    ax.set_xlabel("generated images per class (n_gen)")
    ax.grid(axis="y")
    if ends:
        room = 0.19 / axes_inches(ax)[1] * (limits[1] - limits[0])
        edge = len(levels) - 0.82
        for (_, name, look), y_text in zip(ends, _apart(np.array([end[0] for end in ends]), room), strict=True):
            ax.plot([edge], [y_text], ls="", mec="white", mew=0.8, clip_on=False, **look)
            words = shortened(name, 14)
            ax.text(edge + 0.09, y_text, words, fontsize=12, va="center", clip_on=False, parse_math=False)


@styled
def class_trajectories(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Change in recall against n_gen, a line per class, a panel per n_real (at most 3). None with fewer than two n_gen.

    where: levels of other factors; default: those of `question`.
    """
    n_gen = [v for v in axis(run, "n_gen") if v]
    if where is None:
        asked, _ = question(run)
        where = {k: v for k, v in (asked or {}).items() if k not in ("n_gen", "n_real")}
    cut = slices(run, ("n_gen", "n_real"), where)
    levels = spread(run, "n_real", axis(run, "n_real"), MOST_PANELS)
    panels = [{**cut.fixed, **cut.panels[0], "n_real": level} for level in levels]
    there = [(panel, table) for panel in panels if len(table := per_class_deltas(run, panel))]
    if len(n_gen) < 2 or not there:
        return None
    every = pd.concat([table for _, table in there])
    named = movers(every)
    values = every["delta_points"].to_numpy(float)
    pad = 0.2 * max(1.0, float(np.ptp([*values, 0])))  # wide intervals may leave the picture, means never
    limits = (min(0, values.min()) - pad, max(0, values.max()) + pad)
    label_room = 0.3 + 0.1 * min(14, max(map(len, named)))
    wide = min(6.0, (SLIDE[0] - 1.3 - len(there) * label_room) / len(there))
    told = {k: v for k, v in there[0][0].items() if k != "n_real"}
    names = setting_names(run.grid)
    some = len(named) < every["class"].nunique()
    few = f"in colour the {len(named)} that move most, chosen after looking; " if some else ""
    fig, axes = page(
        "How each class moves as generated images are added",
        f"paired change in recall, a line per class; bars: {interval_words(every)}\n{few}at "
        f"{described(told, [n for n in names if n in told])}",
        len(there),
        (wide, 4.2),
        columns=len(there),
        margins=(0.9, 0.1 + label_room, 0.75, 0.34),
        gap=(0.15 + label_room, 1.0),
        least=7.6,
        note="The steps of the horizontal axis are not to scale.",
    )
    for ax, (panel, table) in zip(axes, there, strict=True):
        draw_trajectories(ax, table, named, n_gen, limits)
        ax.set_title(f"n_real {written(panel['n_real'])}", loc="left")
        if is_leftmost(ax, axes):
            ax.set_ylabel("change in recall, points")
        else:
            ax.set_yticklabels([])
    return fig
