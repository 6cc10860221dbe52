"""Sheets of real, kept, nearest real and rejected images, class by class, with the scores that decided and how far
the nearest training image is: whoever copies shows here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.factors import described, thin
from analysis.figures.sheet import SOFT, page, shortened, styled
from analysis.run import Run, SampleSheet

MOST_CLASSES, MOST_IMAGES = 8, 5
STEP_X, STEP_Y = 1.1, 1.48  # an image and the room beside and below it, in images
SIZE = 0.47  # inches of an image


@dataclass(frozen=True)
class Block:
    """A column of a sheet: images uint8 (classes, m, C, H, W), what it is called, and per image a number (classes, m)
    written below it in `form`; NaN leaves the image's place empty. numbers None: none is written.
    """

    title: str
    images: np.ndarray
    numbers: np.ndarray | None = None
    form: str = "{:.2f}"


def picture(image: np.ndarray) -> np.ndarray:
    """An image uint8 (C, H, W) as (H, W, 3); of other than 3 channels the first is shown in grey."""
    shown = image[:3] if len(image) >= 3 else image[:1].repeat(3, axis=0)
    return np.ascontiguousarray(shown.transpose(1, 2, 0))


def draw_mosaic(
    ax: Axes, block: Block, picked: list[int], step: float = STEP_Y, most_images: int = MOST_IMAGES
) -> None:
    """Draw the classes `picked` of a block as one picture, a row each, `step` images high."""
    chosen = block.images[picked][:, :most_images]
    n, m, _, height, width = chosen.shape
    side = max(height, width)
    side *= max(1, round(80 / side))  # small images keep their square pixels when the page is scaled
    rows, columns = np.arange(side) * height // side, np.arange(side) * width // side
    step_y, step_x = round(step * side), round(STEP_X * side)
    canvas = np.full((n * step_y, m * step_x, 3), 255, np.uint8)
    for row, column in np.ndindex(n, m):
        number = None if block.numbers is None else float(block.numbers[picked[row], column])
        left, top = column * step_x, row * step_y
        if number is not None and np.isnan(number):
            ax.text(left + side / 2, top + side / 2, "—", ha="center", va="center", color=SOFT)
            continue
        canvas[top : top + side, left : left + side] = picture(chosen[row, column])[rows][:, columns]
        if number is not None:
            words, at = block.form.format(number), (left + side / 2, top + 1.04 * side)
            ax.text(*at, words, ha="center", va="top", fontsize=12, color=SOFT)
    ax.imshow(canvas, extent=(0, m * step_x, n * step_y, 0), aspect="auto")
    ax.set_axis_off()


def name_rows(ax: Axes, names: list[str], step: float = STEP_Y) -> None:
    """Write the names of the classes beside the rows of a mosaic."""
    for row, name in enumerate(names):
        at = 1 - (row + 0.5 / step) / len(names)
        look: dict[str, Any] = {
            "ha": "right",
            "va": "center",
            "fontsize": 12,
            "parse_math": False,
            "transform": ax.transAxes,
        }
        ax.text(-0.02, at, shortened(name, 14), **look)


def _blocks(sheet: SampleSheet) -> list[Block]:
    nearest = []
    if sheet.nearest is not None:
        nearest = [Block("nearest real one", sheet.nearest, sheet.nearest_distance, "{:.0f}")]
    return [
        Block("real", sheet.real),
        Block("generated, kept", sheet.kept, sheet.kept_score),
        *nearest,
        Block("generated, rejected", sheet.rejected, sheet.rejected_score),
    ]


@styled
def sample_sheet(run: Run, sheet: SampleSheet) -> Figure:
    """Columns real / kept / nearest training image to each kept one / rejected, a row per class (at most 8, evenly
    spread). Without nearest images in the sheet there are three columns.
    """
    names = [str(name) for name in run.summary.get("classes") or range(len(sheet.real))]
    picked = thin(range(len(sheet.real)), MOST_CLASSES)
    blocks = _blocks(sheet)
    m = min(MOST_IMAGES, sheet.real.shape[1])
    few = f"; {len(picked)} of {len(names)} classes" if len(picked) < len(names) else ""
    longest = max(len(shortened(names[c], 14)) for c in picked)
    distance = "; under a nearest real image its distance, in grey levels (RMS, 0 to 255)" if len(blocks) > 3 else ""
    fig, axes = page(
        "What the generator makes, and what the filter does with it",
        f"{described(sheet.factors, sheet.factors)}{few}\nunder a generated image the discriminator's score, 0 to 1"
        f"{distance}; — where there is no such image",
        len(blocks),
        (m * STEP_X * SIZE, len(picked) * STEP_Y * SIZE),
        columns=len(blocks),
        margins=(0.35 + 0.1 * longest, 0.2, 0.1, 0.3),
        gap=(0.3, 0.3),
    )
    for ax, block in zip(axes, blocks, strict=True):
        draw_mosaic(ax, block, picked)
        ax.set_title(block.title, loc="left", fontsize=12)
    name_rows(axes[0], [names[c] for c in picked])
    return fig
