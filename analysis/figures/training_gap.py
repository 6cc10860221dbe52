"""Training and test accuracy side by side: the gap that augmentation is said to close."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.by_type import panels_of, types_of, wrapped_type
from analysis.figures.sheet import OKABE_ITO, is_leftmost, page, styled
from analysis.figures.slices import mean_words
from analysis.paired import t_intervals, usable
from analysis.run import Run

PARTS = (("its training images", OKABE_ITO[5], "o"), ("test images", OKABE_ITO[1], "s"))


def _gap_seeds(run: Run) -> pd.DataFrame:
    """A row per real-only cell and part (training, test): `value`, percent."""
    found = usable(run.grid)
    found = found[found["arm"].eq("real-only")]
    if "train_accuracy" not in found or found["train_accuracy"].isna().all():
        return pd.DataFrame(columns=["clf_da", "part", "value"])
    parts = [
        found.assign(part=part, value=100 * found[column].astype(float))
        for (part, *_), column in zip(PARTS, ("train_accuracy", "accuracy"), strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


@styled
def training_gap(run: Run) -> Figure | None:
    """Training and test accuracy of every augmentation, and the gap between them. None where clf_da does not vary."""
    seeds = _gap_seeds(run)
    types = [t for t in types_of(run) if t in set(seeds["clf_da"])]
    if len(types) < 2:
        return None
    panels = panels_of(run, seeds)
    room = 0.4 + 0.1 * max(len(line) for t in types for line in wrapped_type(t).splitlines())
    lines = max(wrapped_type(t).count("\n") for t in types)
    wide = min(6.0, (12.6 - room) / len(panels) - 0.35)
    every = pd.concat([t_intervals(rows, ["clf_da", "part"], "value") for _, rows in panels])
    fig, axes = page(
        "The gap between training and test accuracy",
        f"real images only; {mean_words(every)}",
        len(panels),
        (wide, (0.62 + 0.2 * lines) * len(types) + 0.2),
        columns=len(panels),
        margins=(room, 0.4, 0.7, 0.34 if panels[0][0] else 0.1),
        least=7.6,
        keys=[(Line2D([], [], ls="", marker=m, ms=8, color=c), part) for part, c, m in PARTS],
        note="Training images as they are, not augmented. The number is the gap in points.",
        lowest=1.2,
    )
    for ax, (title, rows) in zip(axes, panels, strict=True):
        found = t_intervals(rows, ["clf_da", "part"], "value").to_dict("records")
        ends = {(str(end["clf_da"]), str(end["part"])): (float(end["mean"]), float(end["half"])) for end in found}
        for y, name in enumerate(types):
            if (name, PARTS[0][0]) not in ends:
                continue
            train, test = (ends[name, part][0] for part, *_ in PARTS)
            ax.plot([test, train], [y, y], color="#c3c8cf", lw=3, zorder=1)
            for part, colour, marker in PARTS:
                mean, half = ends[name, part]
                error = half if half > 0 else None
                ax.errorbar([mean], [y], xerr=error, color=colour, marker=marker, ms=8, capsize=3, zorder=2)
            ax.text((train + test) / 2, y - 0.16, f"{train - test:.1f}", ha="center", va="bottom", fontsize=12)
        ax.set_ylim(len(types) - 0.5, -0.6)
        ax.set_yticks(range(len(types)), [wrapped_type(t) for t in types], parse_math=False)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.set_xlabel("accuracy, %")
        ax.set_title(title, loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    low, high = min(ax.get_xlim()[0] for ax in axes), max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        ax.set_xlim(low, high)
    return fig
