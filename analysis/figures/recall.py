"""Recall of every class under every setting, as one map: which class a setting can tell at all, and which it loses."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from analysis.confusion import class_names
from analysis.factors import factors, levels, thin, written
from analysis.figures.sheet import page, shade, shortened, styled
from analysis.paired import usable
from analysis.run import Run
from analysis.words import CONTROL_NAMES, plural

MOST_SETTINGS, MOST_CLASSES = 14, 50
DARK = 0.55  # above this share a cell's number is white


def recall_table(run: Run) -> pd.DataFrame:
    """Mean recall over seeds: a row per setting, in the order of the study, a column per class.

    The index holds `arm` and every factor but the seed that varies among the run's cells.
    """
    cells = usable(run.cells)
    names = [n for n in factors(cells) if n != "seed" and len(levels(cells, n)) > 1]
    shares = run.per_class[["cell", "class"]].assign(share=run.per_class["correct"] / run.per_class["total"])
    both = cells[["cell", "arm", *names]].merge(shares, on="cell")
    mean = both.groupby(["arm", *names, "class"], dropna=False, sort=False)["share"].mean().unstack("class")
    order = {arm: i for i, arm in enumerate(dict.fromkeys(["real-only", "duplicated", *cells["arm"]]))}
    index = mean.index.to_frame(index=False)
    keys = index.assign(arm=index["arm"].map(order)).sort_values(
        list(index.columns), kind="stable", na_position="first"
    )
    return mean.iloc[keys.index][[c for c in class_names(run) if c in mean.columns]]


def _called(arm: str, setting: dict[str, Any]) -> str:
    """A setting in words: what varies within its arm; a factor that is a name stands without its path."""
    kind = [] if arm == "generated" else [CONTROL_NAMES.get(arm, arm)]
    told = [written(v) if name.endswith(".name") else f"{name} {written(v)}" for name, v in setting.items()]
    return ", ".join([*kind, *told]) or "generated images"


def _rows(table: pd.DataFrame) -> list[str]:
    index = table.index.to_frame(index=False)
    called = []
    for row in index.to_dict("records"):
        same = index[index["arm"] == row["arm"]]
        varies = [n for n in index if n != "arm" and same[n].map(written).nunique() > 1 and written(row[n]) != "—"]
        called.append(shortened(_called(str(row["arm"]), {str(n): row[n] for n in varies}), 44))
    return called


@styled
def recall_map(run: Run) -> Figure | None:
    """Recall, %, of every class (columns) under every setting (rows, at most 14, evenly chosen); None with one class,
    or more than 50."""
    if run.per_class.empty or not len(usable(run.cells)):
        return None
    table = recall_table(run)
    every = len(table)
    if not 1 < table.shape[1] <= MOST_CLASSES:
        return None
    table = table.iloc[thin(range(every), MOST_SETTINGS)]
    rows = _rows(table)
    names = [shortened(str(c), 12) for c in table.columns]
    upright = max(map(len, names)) > 3
    cell = (0.52, 0.36)
    left = 0.35 + 0.088 * max(map(len, rows))
    note = f"{len(table)} of {every} settings shown." if len(table) < every else ""
    fig, (ax,) = page(
        "Recall of every class, %",
        f"share of the class's test images called right; mean over {plural(run.cells['seed'].nunique(), 'seed')}",
        1,
        (cell[0] * len(names), cell[1] * len(rows)),
        margins=(left, 0.4, 0.2 + (0.1 * max(map(len, names)) if upright else 0.25), 0.2),
        note=note,
    )
    values = 100 * table.to_numpy(float)
    shade(ax, values, {"cmap": colormaps["Blues"], "norm": Normalize(0, 125)})
    for (y, x), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "white" if value > 100 * DARK + 15 else "#1d1f24"
            ax.text(x + 0.5, y + 0.5, f"{value:.0f}", ha="center", va="center", fontsize=11, color=colour)
    ax.set_xticks(np.arange(len(names)) + 0.5, names, rotation=90 if upright else 0)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig
