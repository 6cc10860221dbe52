"""Augmentation side by side: a bar per level of `clf_da` or `gan_da`, with its interval and a dot per seed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.factors import factors, generation_factors, is_control, is_level, levels, pick, varied, written
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, is_leftmost, page, shortened, styled
from analysis.figures.slices import mean_words, slices
from analysis.paired import paired_deltas, t_intervals, usable
from analysis.run import Run, axis

DaFactor = Literal["clf_da", "gan_da"]
DaValue = Literal["accuracy", "delta"]
MOST_PANELS = 3
ARMS = (("real only", "#c3c8cf"), ("with generated images", OKABE_ITO[5]))


def da_seeds(run: Run, value: DaValue) -> pd.DataFrame:
    """A row per cell: its factors, `value` (percent, or points against real only of the same seed and level) and
    `arm`, the name it has in the legend.
    """
    if value == "delta":
        pairs = paired_deltas(run.grid)
        return pairs.assign(value=pairs["delta_points"], arm=ARMS[1][0])
    found = usable(run.grid)
    return found.assign(value=100 * found["accuracy"], arm=np.where(is_control(found), ARMS[0][0], ARMS[1][0]))


def da_table(seeds: pd.DataFrame, factor: DaFactor) -> pd.DataFrame:
    """`t_intervals` of `da_seeds` of one slice per arm and level of `factor`. ValueError where it holds several."""
    others = [n for n in factors(seeds) if n not in ("seed", factor)]
    for _, rows in seeds.groupby(["arm", factor], dropna=False, sort=False):
        if len(rows[others].drop_duplicates()) > 1:
            raise ValueError(
                f"da_bars: where must leave one setting per bar; give a level for {', '.join(varied(rows))}"
            )
    return t_intervals(seeds, ["arm", factor], "value")


def draw_da(ax: Axes, seeds: pd.DataFrame, factor: DaFactor, names: list[Any], value: DaValue) -> None:
    """One slice of `da_seeds` as bars from 0, the first of `names` on top."""
    table = da_table(seeds, factor)
    arms = [(arm, colour) for arm, colour in ARMS if table["arm"].eq(arm).any()]
    thick = 0.74 / max(1, len(arms))
    for k, (arm, colour) in enumerate(arms):
        for row, level in enumerate(names):
            here = table[table["arm"].eq(arm) & is_level(table[factor], level)]
            if here.empty:
                continue
            y, mean, half = row + (k - (len(arms) - 1) / 2) * thick, here["mean"].iloc[0], here["half"].iloc[0]
            ax.barh(y, mean, height=0.92 * thick, color=colour, zorder=1)
            if half > 0:
                ax.errorbar([mean], [y], xerr=[half], fmt="none", ecolor=INK, elinewidth=1.3, capsize=3, zorder=3)
            dots = seeds.loc[seeds["arm"].eq(arm) & is_level(seeds[factor], level), "value"].to_numpy(float)
            ax.plot(
                dots,
                np.full(len(dots), y + 0.3 * thick),
                ls="",
                marker="o",
                ms=4.5,
                mfc="white",
                mec=SOFT,
                mew=1,
                zorder=2,
            )
    ax.axvline(0, color=SOFT, lw=1)
    ax.set_yticks(range(len(names)), [shortened(written(v)) for v in names], parse_math=False)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("test accuracy, %" if value == "accuracy" else "change against real only, points")
    if value == "accuracy":
        ax.set_xlim(0, 100)


def da_keys(value: DaValue, seeds: pd.DataFrame) -> list[tuple[Any, str]]:
    """Legend entries of `draw_da`."""
    arms = [(Patch(color=colour), arm) for arm, colour in ARMS if seeds["arm"].eq(arm).any()]
    dot = (Line2D([], [], ls="", marker="o", ms=4.5, mfc="white", mec=SOFT, mew=1), "one seed")
    return [*(arms if value == "accuracy" else []), dot]


@styled
def da_bars(
    run: Run, factor: DaFactor, value: DaValue = "accuracy", where: Mapping[str, Any] | None = None
) -> Figure | None:
    """Bars of `value` by level of `factor`, a panel per n_real (at most 3). None where `factor` does not vary.

    where: levels of other factors; default: of the contrast named before the run.
    """
    names = axis(run, factor)
    seeds = da_seeds(run, value)
    if len(names) < 2 or seeds.empty or len(levels(seeds, factor)) < 2:
        return None
    if where is None:
        where = {k: v for k, v in (run.primary or {}).items() if k in factors(run.grid) and k not in (factor, "n_real")}
    cut = slices(run, (factor,), where, most=MOST_PANELS)
    cut = replace(cut, panels=tuple(p for p in cut.panels if p.get("n_gen") != 0))  # real images stand in every panel
    generation = generation_factors(run.grid)
    shown = [pick(seeds, {**cut.fixed, **panel}, generation) for panel in cut.panels]
    if factor in generation:  # real images alone cannot feel it
        shown = [table[~is_control(table)] for table in shown]
    every = pd.concat(shown)
    if every.empty:
        return None
    room = 0.3 + 0.1 * min(24, max(len(written(v)) for v in names))
    rows = len(names) * (2 if every["arm"].nunique() > 1 else 1)
    wide = min(6.0, (12.6 - room) / len(shown) - 0.35)
    fig, axes = page(
        f"Augmentation for the {'classifier' if factor == 'clf_da' else 'GAN'} ({factor})",
        f"{mean_words(pd.concat([da_table(table, factor) for table in shown]))}"
        + (f"\nat {cut.said}" if cut.said else ""),
        len(shown),
        (wide, max(1.1, 0.36 * rows + 0.2)),
        columns=len(shown),
        margins=(room, 0.3, 0.7, cut.room(wide)),
        gap=(0.35, 1.0),
        least=7.6,
        keys=da_keys(value, every),
        lowest=1.0,
    )
    for i, (ax, table) in enumerate(zip(axes, shown, strict=True)):
        draw_da(ax, table, factor, names, value)
        ax.set_title(cut.title(i, wide), loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    low, high = min(ax.get_xlim()[0] for ax in axes), max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        ax.set_xlim(low, high)
    return fig
