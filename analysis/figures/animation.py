"""The training's course as a moving picture: the same latent vectors, a frame per snapshot."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from analysis.figures.samples import picture
from analysis.run import SampleSheet
from ganaug.files import put

MILLISECONDS, LAST = 600, 2400  # a frame stands this long, the last one longer
GAP, LEAST = 2, 40  # pixels between images; small images are enlarged to about this


def save_gif(sheet: SampleSheet, path: Path) -> Path:
    """Write the snapshots of a sheet, which must have some, as a GIF: a row per class, the frames in training's order.

    Classes stand side by side where there are many, so that the picture is about as wide as high.
    """
    assert sheet.snapshots is not None
    _, n, m, _, height, width = sheet.snapshots.shape
    blocks = max(1, round((n / m) ** 0.5))
    rows = -(-n // blocks)
    by = max(1, round(LEAST / max(height, width)))
    frames = []
    for snapshot in sheet.snapshots:
        page = np.full((rows * (height + GAP), blocks * (m * (width + GAP) + 3 * GAP), 3), 255, np.uint8)
        for label, place in np.ndindex(n, m):
            block, row = divmod(label, rows)
            top, left = row * (height + GAP), block * (m * (width + GAP) + 3 * GAP) + place * (width + GAP)
            page[top : top + height, left : left + width] = picture(snapshot[label, place])
        large = page.repeat(by, axis=0).repeat(by, axis=1)
        frames.append(Image.fromarray(large).quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
    stands = [MILLISECONDS] * (len(frames) - 1) + [LAST]
    made = BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=stands, loop=0, optimize=False)
    return put(path, made.getvalue(), "figure")
