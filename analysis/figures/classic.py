"""Classic augmentation on real images: what it changes, and for which classes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.arms import at, pairs_against
from analysis.classic import classic_contrasts
from analysis.factors import factors, is_level, written
from analysis.figures.by_type import panels_of, types_of, wrapped_type
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, is_leftmost, page, shade, shortened, styled
from analysis.figures.slices import interval_words, mean_words
from analysis.figures.training import training_curves
from analysis.figures.training_gap import training_gap
from analysis.paired import t_intervals
from analysis.run import Run
from analysis.words import signed
from ganaug.records import NO_DA

Shown = tuple[str, Figure | None, str, str]


def draw_changes(ax: Axes, table: pd.DataFrame, seeds: pd.DataFrame, types: list[str]) -> None:
    """Rows of `classic_contrasts` as points with intervals, the first of `types` on top; a dot per seed of `seeds`."""
    ax.axvline(0, color=SOFT, lw=1)
    for row in table.to_dict("records"):
        y = types.index(row["clf_da"])
        sure = bool(row["half_points"] > 0) and (row["low_points"] > 0 or row["high_points"] < 0)
        colour = SOFT if not sure else OKABE_ITO[0] if row["delta_points"] > 0 else OKABE_ITO[1]
        dots = seeds.loc[seeds["clf_da"].eq(row["clf_da"]), "delta_points"].to_numpy(float)
        ax.plot(dots, np.full(len(dots), y + 0.24), ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9)
        if row["half_points"] > 0:
            ax.plot([row["low_points"], row["high_points"]], [y, y], color=colour, lw=2)
        ax.plot([row["delta_points"]], [y], marker="o", ms=8, mec=colour, mfc=colour if sure else "white", mew=1.6)
        ax.text(row["delta_points"], y - 0.16, signed(row["delta_points"]), ha="center", va="bottom", fontsize=12)
    ax.set_ylim(len(types) - 0.5, -0.6)
    ax.set_yticks(range(len(types)), [wrapped_type(t) for t in types], parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("paired change in test accuracy, points")


@styled
def classic_changes(run: Run) -> Figure | None:
    """A point per augmentation: change in test accuracy against none, paired by seed. None without such pairs."""
    table = classic_contrasts(run)
    if table.empty:
        return None
    pairs = pairs_against(run, NO_DA)
    types = [t for t in types_of(run) if t in set(table["clf_da"])]
    panels = panels_of(run, table)
    room = 0.4 + 0.1 * max(len(line) for t in types for line in wrapped_type(t).splitlines())
    lines = max(wrapped_type(t).count("\n") for t in types)
    wide = min(6.0, (12.6 - room) / len(panels) - 0.35)
    keys = [
        (Line2D([], [], lw=2, ms=8, color=OKABE_ITO[0], marker="o"), "better, the interval excludes 0"),
        (Line2D([], [], lw=2, ms=8, color=OKABE_ITO[1], marker="o"), "worse"),
        (Line2D([], [], lw=2, ms=8, color=SOFT, marker="o", mfc="white"), "it holds 0, or there is none"),
        (Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9), "one seed"),
    ]
    fig, axes = page(
        "Classic augmentation against none",
        f"{mean_words(table, run.looks)}, uncorrected",
        len(panels),
        (wide, (0.72 + 0.2 * lines) * len(types) + 0.2),
        columns=len(panels),
        margins=(room, 0.4, 0.7, 0.34 if panels[0][0] else 0.1),
        least=7.6,
        keys=keys,
        lowest=1.2,
    )
    for ax, (title, rows) in zip(axes, panels, strict=True):
        settings: list[Any] = rows.to_dict("records")
        mine = pd.concat([at(pairs, setting) for setting in settings])
        draw_changes(ax, rows, mine, types)
        ax.set_title(title, loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    low, high = min(ax.get_xlim()[0] for ax in axes), max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        ax.set_xlim(low, high)
    return fig


def classic_class_changes(run: Run) -> pd.DataFrame:
    """A row per setting, augmentation and class: mean paired change in recall, `delta_points`, over n_seeds."""
    pairs = pairs_against(run, NO_DA)
    if pairs.empty or run.per_class.empty:
        return pd.DataFrame(columns=["clf_da", "class", "delta_points"])
    counts = run.per_class.set_index(["cell", "class"])
    recall = (counts["correct"] / counts["total"]).astype(float)
    names = list(run.per_class["class"].drop_duplicates())
    by = [name for name in factors(run.grid) if name != "seed"]
    rows = [
        {**{n: pair[n] for n in by}, "class": c, "delta_points": 100 * (recall[pair["cell"], c] - recall[own, c])}
        for pair in pairs.to_dict("records")
        for c in names
        for own in (pair["control"],)
    ]
    table = t_intervals(pd.DataFrame(rows), [*by, "class"], "delta_points")
    return table.rename(columns={"mean": "delta_points"})


@styled
def classic_classes(run: Run) -> Figure | None:
    """A heatmap of the change in recall, class by augmentation, at the primary's setting or the largest n_real."""
    table = classic_class_changes(run)
    if table.empty:
        return None
    title, rows = panels_of(run, table)[-1]
    if run.primary is not None and len(asked := table[is_level(table["n_real"], run.primary["n_real"])]):
        title, rows = f"n_real {written(run.primary['n_real'])}", asked
    types = [t for t in types_of(run) if t in set(rows["clf_da"])]
    names = list(rows["class"].drop_duplicates())
    if rows.duplicated(["clf_da", "class"]).any() or len(names) > 47:
        return None  # another factor varies as well: no one setting to show
    values = rows.pivot(index="clf_da", columns="class", values="delta_points").loc[types, names].to_numpy(float)
    room = 0.4 + 0.1 * max(len(line) for t in types for line in wrapped_type(t).splitlines())
    wide = min(12.6 - room, 0.62 * len(names))
    most = max(1.0, float(np.abs(values).max()))
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("change", [OKABE_ITO[1], "#ffffff", OKABE_ITO[0]])
    fig, axes = page(
        "Which classes classic augmentation helps and hurts",
        f"change in recall against none, points; mean over {interval_words(rows).split('over ')[-1].split(' (')[0]}"
        + (f", at {title}" if title else ""),
        1,
        (wide, 0.55 * len(types)),
        margins=(room, 0.3, 0.4 if max(map(len, names)) <= 4 else 1.3, 0.1),
        note="Means without intervals, chosen after looking: they say where to look, not what is shown.",
    )
    shade(axes[0], values, {"cmap": colours, "norm": Normalize(-most, most)})
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            dark = abs(value) > 0.6 * most
            axes[0].text(x + 0.5, y + 0.5, signed(value), ha="center", va="center", color="white" if dark else INK)
    axes[0].set_yticks(np.arange(len(types)) + 0.5, [wrapped_type(t) for t in types], parse_math=False)
    turned = 60 if max(map(len, names)) > 4 else 0
    shown = [shortened(n, 14) for n in names]
    axes[0].set_xticks(np.arange(len(names)) + 0.5, shown, rotation=turned, ha="right" if turned else "center")
    axes[0].tick_params(length=0)
    for side in ("left", "bottom"):
        axes[0].spines[side].set_visible(False)
    return fig


def shown_of_classic(run: Run) -> Iterator[Shown]:
    """The figures about classic augmentation on real images: name, figure, alternative text, caption."""
    if not classic_contrasts(run).empty:
        yield (
            "classic_changes",
            classic_changes(run),
            "Points with intervals: paired change in test accuracy of each classic augmentation against none. Numbers: "
            "table of classic augmentation.",
            "Right of 0 it helps real images alone. A transform that makes images which never occur belongs left of 0.",
        )
        yield (
            "training_gap",
            training_gap(run),
            "Points: training and test accuracy of each classic augmentation, joined by a line as long as their gap.",
            "A short line is a small gap, which is worth something only if its right end has not come down to the left "
            "one: compare the squares.",
        )
        yield (
            "classic_classes",
            classic_classes(run),
            "Heatmap of the change in recall of each class under each classic augmentation.",
            "Who pays? A class that looks like another one when it is mirrored or turned.",
        )
    yield (
        "training_curves",
        training_curves(run),
        "Line charts of accuracy on training and validation images over updates, a panel per augmentation.",
        "Training images as they are, not augmented, and validation images; nothing was decided by either. The open "
        "square is the test accuracy of the finished classifier, measured once.",
    )
