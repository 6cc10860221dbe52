"""Pictures of images before anything is trained: a look at a data set, and what augmentation makes of one image."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.sheet import SOFT, page, shortened, styled

LOOK_COLUMNS = 10


def _show(ax: Axes, image: np.ndarray) -> None:
    """One image, uint8 (C, H, W), grey or colour."""
    pixels = image.transpose(1, 2, 0)
    ax.imshow(pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set(visible=True, color=SOFT, linewidth=0.8)


@styled
def look(images: np.ndarray, names: Sequence[str], said: str) -> Figure:
    """Images uint8 (N, C, H, W) with the names of their classes, ten in a row."""
    fig, axes = page(
        "A look at the data set",
        said,
        len(images),
        (1.1, 1.1),
        columns=LOOK_COLUMNS,
        margins=(0.2, 0.2, 0.1, 0.32),
        gap=(0.12, 0.4),
    )
    for ax, image, name in zip(axes, images, names, strict=True):
        _show(ax, image)
        ax.set_title(shortened(name, 12), fontsize=11, pad=3, parse_math=False)
    return fig


@styled
def variant_rows(image: np.ndarray, made: Sequence[tuple[str, np.ndarray]], said: str) -> Figure:
    """One image uint8 (C, H, W) and, a row per augmentation, its variants uint8 (6, C, H, W)."""
    columns = 1 + len(made[0][1])
    fig, axes = page(
        "What augmentation makes of one image",
        f"{said}\nseed 0, drawn as for a classifier: flips and negative in about half of the variants",
        columns * len(made),
        (1.15, 1.15),
        columns=columns,
        margins=(2.3, 0.2, 0.1, 0.3),
        gap=(0.12, 0.14),
    )
    for row, (name, variants) in enumerate(made):
        own = axes[row * columns : (row + 1) * columns]
        for ax, shown in zip(own, [image, *variants], strict=True):
            _show(ax, shown)
        parts = name.split("+")
        label = "\n".join("+".join(parts[i : i + 2]) for i in range(0, len(parts), 2))
        own[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
        if row == 0:
            own[0].set_title("the image", pad=4)
    return fig
