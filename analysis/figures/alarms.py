"""Which classes a generator has lost: per class, what is recognised in its generated images and what they teach."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.alarms import BELOW, alarms
from analysis.factors import factors, thin, written
from analysis.figures.sheet import INK, OKABE_ITO, is_leftmost, page, shortened, styled
from analysis.run import Run

MOST_PANELS, MOST_CLASSES = 4, 18
LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "real_recognised": ({"color": "#8b919b", "marker": "D"}, "validation images, judged by real ones"),
    "recognised": ({"color": OKABE_ITO[0], "marker": "o"}, "generated images, judged by real ones"),
    "taught": ({"color": OKABE_ITO[1], "marker": "s"}, "validation images, judged by generated ones"),
}


def worst_classes(table: pd.DataFrame, most: int = MOST_CLASSES) -> list[str]:
    """At most `most` classes of `run.generator_classes`: those whose lowest rate is lowest, in the table's order."""
    lowest = table[["recognised", "taught"]].astype(float).min(axis=1).groupby(table["class"], sort=False).min()
    kept = set(lowest.sort_values(kind="stable").index[:most])
    return [str(name) for name in lowest.index if name in kept]


def draw_alarms(ax: Axes, table: pd.DataFrame, names: list[str], raised: set[str], below: float) -> None:
    """Rates in percent of one or more generators, a row per class of `names`, a dot per generator and rate; the rows
    of the classes in `raised` are shaded.
    """
    ax.axvline(100 * below, color=INK, lw=1, ls=(0, (4, 2)))
    place = {name: i for i, name in enumerate(names)}
    shown = table[table["class"].isin(names)]
    for k, (rate, (look, _)) in enumerate(LOOKS.items()):
        y = shown["class"].map(place).to_numpy(float) + 0.22 * (k - 1)
        x = 100 * shown[rate].to_numpy(float, na_value=np.nan)
        ax.plot(x, y, ls="", ms=6, mec="white", mew=0.6, clip_on=False, **look)
    ax.set(xlim=(0, 100), ylim=(len(names) - 0.4, -0.6))
    ax.set_yticks(range(len(names)), [shortened(name, 16) for name in names], parse_math=False)
    for name in (name for name in names if name in raised):
        ax.axhspan(place[name] - 0.5, place[name] + 0.5, color="#fbe3d6", lw=0, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.set_xticks([0, 50, 100])
    ax.grid(axis="y")
    ax.set_xlabel("called by the right name, %")


def alarm_keys(below: float) -> list[tuple[Any, str]]:
    """Legend entries of `draw_alarms`."""
    dots: list[tuple[Any, str]] = [(Line2D([], [], ls="", ms=7, **look), words) for look, words in LOOKS.values()]
    line = Line2D([], [], color=INK, lw=1, ls=(0, (4, 2)))
    return [*dots, (line, f"alarm below {100 * below:.0f} %: shaded")]


@styled
def collapse_alarms(run: Run, below: float = BELOW) -> Figure | None:
    """A row per class (at most 18, the worst), a panel per setting of the generator (at most 4), a dot per generator
    and rate. None without assessed generators.
    """
    table = run.generator_classes
    if table.empty or not table["recognised"].notna().any():
        return None
    by = [name for name in factors(table) if name != "seed" and table[name].map(written).nunique() > 1]
    groups = [(key, rows) for key, rows in table.groupby(by or ["class"], dropna=False, sort=True)] if by else []
    picked = thin(groups, MOST_PANELS) if by else [((), table)]
    every = pd.concat([rows for _, rows in picked])
    names = worst_classes(every)
    found = alarms(run, below)
    serious = found[found["kind"].ne("cannot say")]
    n_classes = every["class"].nunique()
    some = f"; {len(names)} of {n_classes} classes, those with the lowest rates" if len(names) < n_classes else ""
    some += f"; {len(picked)} of {len(groups)} settings" if by and len(picked) < len(groups) else ""
    room = 0.3 + 0.1 * min(16, max(map(len, names)))
    wide = min(5.5, (12.6 - room) / len(picked) - 0.35)
    raised = f"{len(serious)} of {len(table)}" if len(serious) else f"None of {len(table)}"
    titles = [_title(by, key) for key, _ in picked]
    fig, axes = page(
        "Has the generator lost a class?",
        f"{raised} pairs of generator and class raise an alarm; a dot per generator (seed){some}",
        len(picked),
        (wide, max(1.0, 0.235 * len(names) + 0.2)),
        columns=len(picked),
        margins=(room, 0.35, 0.7, 0.12 + 0.22 * max(t.count("\n") + bool(t) for t in titles)),
        gap=(0.35, 1.0),
        least=8.0,
        keys=alarm_keys(below),
        lowest=0.2 * len(names),
        note="Two small classifiers judge, one trained on real and one on generated images; no test image is used.",
    )
    for ax, (_, rows), title in zip(axes, picked, titles, strict=True):
        here = set(serious.loc[serious["generator"].isin(rows["generator"]), "class"].astype(str))
        draw_alarms(ax, rows, names, here, below)
        ax.set_title(title, loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    return fig


def _title(by: list[str], key: Any) -> str:
    values = key if isinstance(key, tuple) else (key,)
    return "\n".join(f"{name} {written(value)}" for name, value in zip(by, values, strict=False))
