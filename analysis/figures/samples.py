"""Sheets of real, kept and rejected images, class by class, with the scores that decided."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.factors import described, thin
from analysis.figures.per_class import shortened
from analysis.figures.sheet import SOFT, page, styled
from analysis.run import Run, SampleSheet

MOST_CLASSES, MOST_IMAGES = 10, 6
STEP_X, STEP_Y = 1.1, 1.34  # an image and the room beside and below it, in images


def _mosaic(ax: Axes, images: np.ndarray, scores: np.ndarray | None, picked: list[int]) -> None:
    """Draw images, uint8 (classes, m, C, H, W), as one picture; a NaN score leaves its place empty."""
    chosen = images[picked][:, :MOST_IMAGES]
    n, m, channels, height, width = chosen.shape
    side = max(height, width)
    side *= max(1, round(80 / side))  # small images keep their square pixels when the page is scaled
    rows, columns = np.arange(side) * height // side, np.arange(side) * width // side
    step_y, step_x = round(STEP_Y * side), round(STEP_X * side)
    canvas = np.full((n * step_y, m * step_x, 3), 255, np.uint8)
    for row in range(n):
        for column in range(m):
            score = None if scores is None else float(scores[picked[row], column])
            left, top = column * step_x, row * step_y
            if score is not None and np.isnan(score):
                ax.text(left + side / 2, top + side / 2, "—", ha="center", va="center", color=SOFT)
                continue
            image = chosen[row, column, : 3 if channels >= 3 else 1]  # → (1 or 3, H, W)
            canvas[top : top + side, left : left + side] = image.transpose(1, 2, 0)[rows][:, columns]
            if score is not None:
                ax.text(
                    left + side / 2,
                    top + 1.04 * side,
                    f"{score:.2f}",
                    ha="center",
                    va="top",
                    fontsize=8.5,
                    color=SOFT,
                )
    ax.imshow(canvas, extent=(0, m * step_x, n * step_y, 0), aspect="auto")
    ax.set_axis_off()


@styled
def sample_sheet(run: Run, sheet: SampleSheet) -> Figure:
    """Three columns, real / kept / rejected, a row per class (at most 10, evenly spread)."""
    names = [str(name) for name in run.summary.get("classes") or range(len(sheet.real))]
    picked = thin(range(len(sheet.real)), MOST_CLASSES)
    m = min(MOST_IMAGES, sheet.real.shape[1])
    size = 0.52
    few = f"{len(picked)} of {len(names)} classes; " if len(picked) < len(names) else ""
    longest = max(len(shortened(names[c])) for c in picked)
    fig, axes = page(
        "Real, kept and rejected images",
        f"{described(sheet.factors, sheet.factors)}\n{few}under each generated image its calibrated "
        "score, 0 to 1; — where there is no such image",
        3,
        (m * STEP_X * size, len(picked) * STEP_Y * size),
        columns=3,
        margins=(0.35 + 0.095 * longest, 0.25, 0.1, 0.3),
        gap=(0.35, 0.3),
    )
    parts = ((sheet.real, None, "real"), (sheet.kept, sheet.kept_score, "generated, kept"))
    for ax, (images, scores, title) in zip(
        axes, (*parts, (sheet.rejected, sheet.rejected_score, "generated, rejected")), strict=True
    ):
        _mosaic(ax, images, scores, picked)
        ax.set_title(title, loc="left", fontsize=11)
    for row, c in enumerate(picked):
        at = 1 - (row + 0.5 / STEP_Y) / len(picked)
        name = shortened(names[c])
        axes[0].text(
            -0.02,
            at,
            name,
            ha="right",
            va="center",
            fontsize=10.5,
            parse_math=False,
            transform=axes[0].transAxes,
        )
    return fig
