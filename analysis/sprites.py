"""Sample images for a page: one picture per sheet and kind, a row per class, cut up again by the style sheet."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from analysis.factors import described
from analysis.page import data_uri
from analysis.run import SampleSheet

MOST_IMAGES = 6
MOST_PIXELS = 64
MOST_BYTES = 4_000_000  # of all sheets in a page; what does not fit is left out

PARTS = {"real": "real", "kept": "generated, kept", "nearest": "the real image nearest to it", "rejected": "rejected"}


def _mosaic(images: np.ndarray) -> Image.Image:
    """(classes, m, C, H, W) uint8 as one picture, a class a row."""
    classes, m, channels, height, width = images.shape
    grid = images.transpose(0, 3, 1, 4, 2).reshape(classes * height, m * width, channels)
    picture = Image.fromarray(np.ascontiguousarray(grid[..., 0] if channels == 1 else grid[..., :3]))
    side = max(height, width)
    if side > MOST_PIXELS:
        shrink = MOST_PIXELS / side
        size = (m * max(1, round(width * shrink)), classes * max(1, round(height * shrink)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return picture


def _sprite(images: np.ndarray) -> bytes:
    out = BytesIO()
    _mosaic(images[:, :MOST_IMAGES]).save(out, "PNG", optimize=True)
    return out.getvalue()


def sprites(sheets: Sequence[SampleSheet]) -> tuple[list[dict[str, Any]], list[int]]:
    """The sheets that fit, and each given sheet's place among them (-1: left out).

    A sheet: `title`, `across` (images in a row), `shape` (height, width of one) and `parts`, a list of `name` and
    `uri`, a PNG of all classes.
    """
    found: list[dict[str, Any]] = []
    at, room = [], MOST_BYTES
    for sheet in sheets:
        named = {name: getattr(sheet, name, None) for name in PARTS}
        drawn = {PARTS[name]: _sprite(images) for name, images in named.items() if images is not None}
        room -= sum(map(len, drawn.values())) * 4 // 3
        at.append(len(found) if room >= 0 else -1)
        if room >= 0:
            names = [name for name in sheet.factors if not isinstance(sheet.factors[name], list | dict)]
            found.append(
                {
                    "title": described(sheet.factors, names),
                    "across": min(MOST_IMAGES, sheet.real.shape[1]),
                    "shape": list(sheet.real.shape[-2:]),
                    "parts": [{"name": name, "uri": data_uri(data)} for name, data in drawn.items()],
                }
            )
    return found, at
