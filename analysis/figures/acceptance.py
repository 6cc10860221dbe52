"""How much a filter lets through: the share of generated images accepted, against its threshold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import factors, generation_factors, is_control, is_level, pick, thin
from analysis.figures.learning import dodged, number_axis
from analysis.figures.sheet import MARKERS, OKABE_ITO, page, styled
from analysis.figures.slices import interval_words, slices
from analysis.paired import t_intervals, usable
from analysis.run import Run, axis

MOST_LINES = 6


def acceptance_rates(run: Run) -> pd.DataFrame:
    """A row per setting but n_gen: accepted share of the images looked at, t-interval over seeds.

    Counts of one stream nest, so each seed counts once, at its largest n_gen. Columns: the factors but
    n_gen and seed, n_seeds, df, mean, sd, half, low, high (shares in [0, 1]).
    """
    found = usable(run.cells)
    found = found[~is_control(found) & found["n_candidates"].gt(0).fillna(False) & found["threshold"].notna()]
    by = [name for name in factors(found) if name not in ("n_gen", "seed")]
    found = found.sort_values("n_gen").drop_duplicates([*by, "seed"], keep="last")
    return t_intervals(found.assign(rate=found["n_accepted"] / found["n_candidates"]), by, "rate").drop(columns="p")


@styled
def acceptance(run: Run, where: Mapping[str, Any] | None = None) -> Figure | None:
    """Acceptance rate against threshold, a line per n_real. None where no filter had a threshold."""
    rates = acceptance_rates(run)
    if rates.empty:
        return None
    cut = slices(run, ("threshold", "n_real", "n_gen"), where)
    generation = generation_factors(run.cells)
    every = axis(run, "n_real")
    lines = thin(every, MOST_LINES)
    rates = rates.assign(n_gen=1)  # none of these is a control
    shown = pick(rates, cut.fixed, generation)
    looks: list[dict[str, Any]] = [{"color": OKABE_ITO[i], "marker": MARKERS[i]} for i in range(len(lines))]
    said = [cut.said] if cut.said else []
    said += [f"{len(lines)} of {len(every)} values of n_real shown"] if len(lines) < len(every) else []
    fig, axes = page(
        "How much the filter lets through",
        f"mean, bars: {interval_words(shown)}" + (f"\nat {'; '.join(said)}" if said else ""),
        len(cut.panels),
        (5.4, 3.0) if len(cut.panels) == 1 else (3.6, 2.6),
        columns=3,
        margins=(0.85, 0.3, 0.75, 0.12 + 0.22 * (cut.title(0).count("\n") + bool(cut.title(0)))),
        gap=(0.3, 1.3),
        keys=[(Line2D([], [], lw=2, ms=7, **look), f"n_real {v}") for look, v in zip(looks, lines, strict=True)],
    )
    thresholds = [v for v in axis(run, "threshold") if v is not None]
    for i, (ax, panel) in enumerate(zip(axes, cut.panels, strict=True)):
        rows = pick(shown, panel, generation)
        number_axis(ax, thresholds, "threshold")
        for k, level in enumerate(lines):
            line = rows[is_level(rows["n_real"], level)].sort_values("threshold")
            x = dodged(ax, line["threshold"].to_numpy(float), k, len(lines))
            y, half = 100 * line["mean"].to_numpy(float), 100 * line["half"].to_numpy(float)
            ax.plot(x, y, lw=2, ms=7, mec="white", mew=0.8, zorder=3, **looks[k])
            known = ~np.isnan(half)
            ax.errorbar(
                x[known],
                y[known],
                half[known],
                fmt="none",
                ecolor=looks[k]["color"],
                elinewidth=1.3,
                capsize=3,
            )
        ax.set_ylim(-3, 103)
        ax.set_title(cut.title(i), loc="left")
        if ax.get_position().x0 == axes[0].get_position().x0:
            ax.set_ylabel("accepted, % of generated")
        else:
            ax.set_yticklabels([])
    return fig
