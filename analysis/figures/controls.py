"""One contrast against everything it has to beat: real images only, classic augmentation, copies of the real images,
shuffled labels; against as many more real images, which it will hardly beat; and, filtered, against no filter.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.arms import at, pairs_against
from analysis.factors import described
from analysis.figures.sheet import OKABE_ITO, SOFT, page, styled
from analysis.figures.slices import mean_words, question
from analysis.paired import decisions
from analysis.run import Run
from analysis.words import CONTROL_NAMES, setting_names, signed
from ganaug.records import COMPARISONS


def control_seeds(run: Run, where: Mapping[str, Any]) -> pd.DataFrame:
    """A row per control of the setting `where` and seed: against, seed, delta_points (generated minus control)."""
    parts = [at(pairs_against(run, kind), dict(where)).assign(against=kind) for kind in COMPARISONS]
    kept = [part[["against", "seed", "delta_points"]] for part in parts if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["against", "seed", "delta_points"])


def draw_controls(ax: Axes, seeds: pd.DataFrame, run: Run) -> pd.DataFrame:
    """`control_seeds` as a point with its interval per control, a dot per seed; returns the points' table."""
    table = decisions(seeds, ["against"], "delta_points", run.margin_points, run.looks)
    ax.axvline(0, color=SOFT, lw=1)
    for y, row in enumerate(table.to_dict("records")):
        sure = bool(row["half"] > 0) and (row["low"] > 0 or row["high"] < 0)
        colour = SOFT if not sure else OKABE_ITO[0] if row["mean"] > 0 else OKABE_ITO[1]
        dots = seeds.loc[seeds["against"].eq(row["against"]), "delta_points"].to_numpy(float)
        ax.plot(dots, np.full(len(dots), y + 0.24), ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9)
        if row["half"] > 0:
            ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2)
        ax.plot([row["mean"]], [y], marker="o", ms=8, mec=colour, mfc=colour if sure else "white", mew=1.6)
        ax.text(row["mean"], y - 0.2, signed(row["mean"]), ha="center", va="bottom", fontsize=12)
    ax.set_ylim(len(table) - 0.5, -0.65)
    ax.set_yticks(range(len(table)), [f"against {CONTROL_NAMES[kind]}" for kind in table["against"]])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("paired change in test accuracy, points")
    return table


def control_keys() -> list[tuple[Any, str]]:
    """Legend entries of `draw_controls`."""
    return [
        (Line2D([], [], lw=2, ms=8, color=OKABE_ITO[0], marker="o"), "the interval excludes 0"),
        (Line2D([], [], lw=2, ms=8, color=SOFT, marker="o", mfc="white"), "it holds 0, or there is none"),
        (Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9), "one seed"),
    ]


@styled
def controls(run: Run, where: Mapping[str, Any] | None = None, why: str = "", least: int = 2) -> Figure | None:
    """Generated images against each control at the setting `where` (default: that of `question`; `why` that one, for
    the subtitle). None with fewer than `least` kinds of control.
    """
    if where is None:
        where, why = question(run)
    seeds = control_seeds(run, where) if where is not None else pd.DataFrame(columns=["against"])
    if where is None or seeds["against"].nunique() < least:
        return None
    n = int(seeds["against"].nunique())
    table = decisions(seeds, ["against"], "delta_points", run.margin_points, run.looks)
    fig, axes = page(
        "Generated images against what else could have been done",
        f"{mean_words(table, run.looks)}\nat {described(where, setting_names(run.grid))}"
        + (f" ({why})" if why else ""),
        1,
        (6.4, 0.72 * n + 0.2),
        margins=(3.2, 0.4, 0.7, 0.1),
        keys=control_keys(),
        note="Right of 0 generated images are better. Left of 0 against more real images is no failure: those are the "
        "most that as many images could do.",
    )
    draw_controls(axes[0], seeds, run)
    return fig
