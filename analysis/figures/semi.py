"""A study of unlabelled images in pictures: accuracies by labels and method, what the updates make of a gain, losses,
and what the generator drew as training went on.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.factors import described, thin, varied, written
from analysis.figures.samples import picture
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, is_leftmost, page, styled
from analysis.figures.slices import mean_words
from analysis.run import Course, Run
from analysis.semi import MATCHED, gains, method_column, semi_accuracies, semi_means, settings_of

MOST_PANELS, MOST_SHEETS, IMAGES = 4, 3, 20
GREYS = ("#8b929c", "#d3d7dc")  # the supervised controls: with as many updates, with fewer
LOSSES = (("labelled", "labels"), ("discriminator", "real or generated"), ("consistency", "consistency"),
          ("generator", "generator"))  # fmt: skip


def _looks(methods: list[str]) -> dict[str, str]:
    """A colour per method: greys for the controls."""
    colours = iter(OKABE_ITO)
    greys = {MATCHED: GREYS[0]} | {name: GREYS[1] for name in methods if name.startswith(f"{MATCHED},")}
    return {name: greys.get(name) or next(colours) for name in methods}


def _methods(table: pd.DataFrame) -> list[str]:
    """The methods of a table, controls first, those with fewer updates before the matched one."""
    names = [str(name) for name in table["method"].drop_duplicates()]
    return sorted(names, key=lambda name: (not name.startswith(f"{MATCHED},"), name != MATCHED))


def _panels(table: pd.DataFrame, names: list[str]) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """One slice per combination of the settings that vary beside labels and method."""
    if not names:
        return [({}, table)]
    groups = table.groupby(names, dropna=False, sort=False)
    found = [
        (dict(zip(names, level if isinstance(level, tuple) else (level,), strict=True)), rows) for level, rows in groups
    ]
    return [(level, rows.reset_index(drop=True)) for level, rows in found]


def _draw_bars(ax: Axes, table: pd.DataFrame, seeds: pd.DataFrame, looks: dict[str, str]) -> None:
    counts = sorted(table["n_real"].unique())
    wide = 0.84 / len(looks)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5}
    for k, (method, colour) in enumerate(looks.items()):
        for group, n_real in enumerate(counts):
            here = table[table["method"].eq(method) & table["n_real"].eq(n_real)]
            if here.empty:
                continue
            x, mean, half = group + (k - (len(looks) - 1) / 2) * wide, here["mean"].iloc[0], here["half"].iloc[0]
            ax.bar(x, mean, width=0.92 * wide, color=colour, zorder=1)
            if half > 0:
                ax.errorbar([x], [mean], yerr=[half], fmt="none", ecolor=INK, elinewidth=1.3, capsize=3, zorder=3)
            dots = seeds.loc[seeds["method"].eq(method) & seeds["n_real"].eq(n_real), "value"].to_numpy(float)
            beside = x + 0.25 * wide
            ax.plot(np.full(len(dots), beside), dots, ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9, zorder=2)
            ax.text(x, 1.5, f"{mean:.1f}", ha="center", va="bottom", fontsize=12, rotation=90, zorder=4, bbox=box)
    ax.set_xticks(range(len(counts)), [f"{int(n)}" for n in counts])
    ax.set_xlim(-0.5, len(counts) - 0.5)
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(0, 100)
    ax.grid(axis="y")
    ax.set_xlabel("labels per class")


@styled
def semi_bars(run: Run) -> Figure | None:
    """Test accuracy by labels per class and method, a panel per further setting (at most 4). None without a result."""
    seeds = semi_accuracies(run)
    if seeds.empty:
        return None
    names = settings_of(run)
    names = [name for name in names if seeds[name].notna().all()]
    panels = _panels(semi_means(run), names)[:MOST_PANELS]
    looks = _looks(_methods(seeds))
    table = semi_means(run)
    columns = min(2, len(panels))
    fig, axes = page(
        "Accuracy with and without unlabelled images",
        f"{mean_words(table)}; one network, same labels; updates are equal unless a name says fewer",
        len(panels),
        (10.4 if columns == 1 else 5.6, 3.6),
        columns=columns,
        margins=(0.85, 0.3, 0.65, 0.34),
        gap=(0.35, 1.05),
        lowest=1.7,
        keys=[*((Patch(color=colour), name) for name, colour in looks.items()),
              (Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9), "one seed")],
    )  # fmt: skip
    for ax, (level, rows) in zip(axes, panels, strict=True):
        own = seeds
        for name, value in level.items():
            own = own[own[name].eq(value)]
        _draw_bars(ax, rows, own, looks)
        ax.set_title(described(level, level), loc="left")
        if is_leftmost(ax, axes):
            ax.set_ylabel("test accuracy, %")
        else:
            ax.set_yticklabels([])
    return fig


@styled
def update_gap(run: Run) -> Figure | None:
    """Each gain against the control of fewer updates, cut into what updates make and what unlabelled images do. None
    where the run has no such control.
    """
    table = gains(run)
    table = table[table["fewer"].notna()].reset_index(drop=True)
    if table.empty:
        return None
    names = [name for name in settings_of(run) if table[name].nunique() > 1]
    rows = [
        f"{row['method']}, {row['n_real']} labels" + "".join(f", {written(row[name])}" for name in names)
        for row in table.to_dict("records")
    ]
    steps = (run.semi or {}).get("steps"), (run.semi or {}).get("fewer_steps")
    fig, axes = page(
        "How much of the gain do the updates make?",
        f"{steps[0]} updates with unlabelled images against {steps[1]} without; mean over seeds, line: 95 % t-interval "
        "of the whole",
        1,
        (6.6, max(1.2, 0.42 * len(rows) + 0.3)),
        margins=(0.5 + 0.1 * max(map(len, rows)), 0.4, 0.65, 0.1),
        keys=[(Patch(color=GREYS[0]), "updates alone, labelled images only"),
              (Patch(color=OKABE_ITO[0]), "unlabelled images, updates being equal")],
        lowest=1.2,
        note="Bars left of 0 take away. Where grey is most of a row, the comparison measured updates.",
    )  # fmt: skip
    ax = axes[0]
    for y, row in enumerate(table.to_dict("records")):
        same_side = np.sign(row["updates"]) == np.sign(row["equal"])
        ax.barh(y, row["updates"], height=0.6, color=GREYS[0])
        ax.barh(y, row["equal"], height=0.6, left=row["updates"] if same_side else 0, color=OKABE_ITO[0])
        if row["fewer_high"] > row["fewer_low"]:
            ax.plot([row["fewer_low"], row["fewer_high"]], [y, y], color=INK, lw=1.5)
    ax.axvline(0, color=SOFT, lw=1)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("gain in test accuracy, points")
    return fig


def _courses(run: Run) -> list[tuple[str, Course]]:
    """Courses of the first seed at the smallest and the largest number of labels, under their methods' names."""
    if not run.courses:
        return []
    frame = pd.DataFrame([course.factors for course in run.courses])
    named = method_column(run, frame).tolist()
    n_real = {int(frame["n_real"].min()), int(frame["n_real"].max())}
    first = frame["seed"].min()
    vary = [name for name in varied(frame, besides=("semi.method", "n_gen", "n_real")) if frame[name].notna().all()]
    found = []
    for name, course in zip(named, run.courses, strict=True):
        own = course.factors
        if own["seed"] == first and own["n_real"] in n_real and own["arm"] == "semi-supervised":
            more = "".join(f", {written(own[factor])}" for factor in vary)
            found.append((f"{name}, {own['n_real']} labels{more}", course))
    return found


@styled
def semi_losses(run: Run) -> Figure | None:
    """A panel per method (at most 6, first seed), in it each loss over updates. None where the run kept none."""
    found = thin(_courses(run), 6)
    if not found:
        return None
    kept = {key for _, course in found for key in course.losses}
    shown = [(key, name, OKABE_ITO[i]) for i, (key, name) in enumerate(LOSSES) if key in kept]
    fig, axes = page(
        "Losses while training",
        "means since the point before; first seed; fewest and most labels per class",
        len(found),
        (3.5, 2.3),
        columns=min(3, len(found)),
        margins=(0.85, 0.3, 0.7, 0.34),
        gap=(0.3, 1.05),
        lowest=1.2,
        keys=[(Line2D([], [], color=colour, lw=2), name) for _, name, colour in shown],
        note="The scale is logarithmic and ends at 0.0001. A labels’ loss near 0 says that few labels are known "
        "by heart, not that the classifier is good.",
    )
    highest = max((max(c.losses[key]) for _, c in found for key, *_ in shown if c.losses.get(key)), default=1.0)
    for ax, (title, course) in zip(axes, found, strict=True):
        step = np.array(course.losses["step"], float)
        for key, _, colour in shown:
            loss = course.losses.get(key)
            if loss:
                ax.plot(step, np.maximum(np.array(loss, float), 1e-4), color=colour, lw=1.5)
        ax.set_yscale("log")
        ax.set_ylim(1e-4 / 1.5, highest * 1.5)
        ax.set_title(title, loc="left")
        ax.set_xlabel("update")
        ax.grid(axis="y")
        if is_leftmost(ax, axes):
            ax.set_ylabel("loss")
        else:
            ax.set_yticklabels([])
    return fig


@styled
def semi_snapshots(course: Course, title: str) -> Figure | None:
    """A row per snapshot: the images that the generator gives for the same latent vectors as training goes on."""
    if not len(course.snapshots):
        return None
    m = min(IMAGES, course.snapshots.shape[1])
    size = 0.5
    fig, axes = page(
        "Generated images while the body learns",
        f"{title}; the same latent vectors in every row; the generator has no labels",
        1,
        (m * size, len(course.snapshots) * size),
        margins=(1.25, 0.2, 0.1, 0.1),
    )
    ax = axes[0]
    side = max(course.snapshots.shape[-2:])
    k = max(1, round(64 / side))
    rows = [
        np.concatenate([np.pad(picture(image), ((0, 1), (0, 1), (0, 0)), constant_values=255) for image in row[:m]], 1)
        for row in course.snapshots
    ]
    ax.imshow(np.concatenate(rows).repeat(k, 0).repeat(k, 1), aspect="auto", extent=(0, m, len(rows), 0))
    ax.set_yticks(np.arange(len(rows)) + 0.5, [f"update {step}" for step in course.snapshot_steps])
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return fig


def shown_of_semi(run: Run) -> Iterator[tuple[str, Figure | None, str, str]]:
    """The figures of such a run in their order: name, figure, alternative text, caption."""
    yield (
        "semi_accuracy",
        semi_bars(run),
        "Bar chart of test accuracy by labels per class and method, with intervals and a dot per seed. Numbers: table "
        "of accuracies.",
        "Grey bars have seen labelled images only. Compare a colour with the darker grey beside it, which had as many "
        "updates of the same network.",
    )
    yield (
        "semi_updates",
        update_gap(run),
        "Bars: the gain of each method against a control with fewer updates, cut into the part of the updates and that "
        "of the unlabelled images. Numbers: table of unlabelled images.",
        "What an unmatched comparison calls the worth of unlabelled images. The grey part needs none of them.",
    )
    yield (
        "semi_losses",
        semi_losses(run),
        "Line charts of the losses over updates, a panel per method.",
        "Did training hold? Look for a loss that runs away, or one that falls to nothing at once.",
    )
    drawn = [(title, course) for title, course in _courses(run) if len(course.snapshots)]
    for i, (title, course) in enumerate(thin(drawn, MOST_SHEETS)):
        yield (
            f"samples_semi_{i}",
            semi_snapshots(course, title),
            f"Generated images after more and more updates, {title}.",
            "Feature matching does not make the best images, it makes a good classifier: do not judge the "
            "one by the other.",
        )
