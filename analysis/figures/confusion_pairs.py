"""The pairs of classes whose confusion changed most, with intervals over seeds and images of both classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.confusion import class_names, confusion_shifts, worst_pairs
from analysis.factors import described, written
from analysis.figures.confusion import asked, undecided
from analysis.figures.samples import picture
from analysis.figures.sheet import OKABE_ITO, SOFT, page, shortened, styled
from analysis.figures.slices import interval_words
from analysis.run import Run, SampleSheet
from analysis.words import setting_names

MOST_PAIRS = 8


def draw_pairs(ax: Axes, pairs: pd.DataFrame) -> None:
    """`worst_pairs` as points with their t-interval over seeds, the one that grew most on top."""
    at = np.arange(len(pairs))[::-1]
    ax.axvline(0, color=SOFT, lw=1)
    for y, row, open_ in zip(at, pairs.to_dict("records"), undecided(pairs), strict=True):
        grew = row["shift_points"] > 0
        colour = OKABE_ITO[0] if grew else OKABE_ITO[1]
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=1.6)
        marker: dict[str, Any] = {"ms": 7, "mec": colour, "mfc": "white" if open_ else colour, "mew": 1.4}
        ax.plot([row["shift_points"]], [y], marker="s" if grew else "o", ls="", **marker)
    ax.set_ylim(-0.6, len(pairs) - 0.4)
    words = [f"{shortened(r['true'], 14)} → {shortened(r['predicted'], 14)}" for r in pairs.to_dict("records")]
    ax.set_yticks(at, words, fontsize=12, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.set_xlabel("change in confusion, points")


def _sheet_for(run: Run, where: Mapping[str, Any]) -> SampleSheet | None:
    """The sample sheet that agrees with `where` in most factors, none against it in n_real."""

    def agreement(sheet: SampleSheet) -> int:
        return sum(written(sheet.factors.get(k)) == written(v) for k, v in where.items() if k in sheet.factors)

    fit = [s for s in run.samples() if "n_real" not in s.factors or s.factors["n_real"] == where.get("n_real")]
    return max(fit, key=agreement) if fit else None


def _examples(fig: Figure, ax: Axes, pairs: pd.DataFrame, sheet: SampleSheet, names: list[str], left: float) -> None:
    """Beside every row of `ax` two real and two kept images of its true and of its predicted class."""
    width, height = fig.get_size_inches()
    box = ax.get_position()
    wide, tall = width - left - 0.1, box.height * height
    place = fig.add_axes((left / width, box.y0, wide / width, box.height))  # its units are inches from the top left
    place.set_axis_off()
    row = tall / len(pairs)
    side = min(0.46, row - 0.06)
    for k, title in enumerate(("true: real", "generated", "predicted: real", "generated")):
        x = k * 1.45 + 0.12 * (k > 1)
        fig.text((left + x) / width, box.y1 + 0.08 / height, title, fontsize=12, va="bottom")
        for i, pair in enumerate(pairs.to_dict("records")):
            c = names.index(pair["true" if k < 2 else "predicted"])
            images = (sheet.real if k % 2 == 0 else sheet.kept)[c, :2]
            scores = np.zeros(2) if k % 2 == 0 else sheet.kept_score[c, :2]
            for j in np.flatnonzero(~np.isnan(scores)):
                at, top = x + j * (side + 0.06), (i + 0.5) * row - side / 2
                place.imshow(picture(images[j]), interpolation="nearest", extent=(at, at + side, top + side, top))
    place.set(xlim=(0, wide), ylim=(tall, 0), aspect="auto")


@styled
def confusion_pairs(run: Run, where: Mapping[str, Any] | None = None, why: str = "") -> Figure | None:
    """The confusions that grew and shrank most, with intervals over seeds and, where the run kept samples, example
    images of both classes. None where nothing is paired or nothing changed.
    """
    where, why = asked(run, where, why)
    pairs = worst_pairs(confusion_shifts(run, where), MOST_PAIRS) if where is not None else pd.DataFrame()
    if where is None or pairs.empty:
        return None
    sheet, names = _sheet_for(run, where), class_names(run)
    words = max(len(shortened(r["true"], 14)) + len(shortened(r["predicted"], 14)) for r in pairs.to_dict("records"))
    left = 0.75 + 0.095 * words
    images = 6.2 if sheet is not None else 0.3
    wide = min(4.2, 13.3 - left - images)
    told = "; images of the first seed" if sheet is not None else ""
    keys = [
        (Line2D([], [], color=OKABE_ITO[0], mec=OKABE_ITO[0], mfc="white", marker="s", lw=1.6, ms=7), "grew"),
        (Line2D([], [], color=OKABE_ITO[1], mec=OKABE_ITO[1], mfc="white", marker="o", lw=1.6, ms=7), "shrank"),
        (Line2D([], [], color=SOFT, marker="o", ls="", ms=7), "filled: its own interval excludes 0"),
    ]
    fig, axes = page(
        "The confusions that changed most",
        f"true class → predicted class; bars: {interval_words(pairs)}{told}\nat "
        f"{described(where, setting_names(run.grid))}{why}",
        1,
        (wide, 0.56 * len(pairs)),
        margins=(left, images, 0.65, 0.34),
        least=7.6,
        keys=keys,
        note="Chosen after looking at all pairs of classes: what stands at the ends is flattered by the choice.",
    )
    draw_pairs(axes[0], pairs)
    if sheet is not None:
        _examples(fig, axes[0], pairs, sheet, names, left + wide + 0.35)
    return fig
