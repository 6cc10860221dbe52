"""`glyphs`: characters drawn with the fonts of this machine, distorted as hands do: a stand-in for handwriting.

No hand wrote them, and they are called synthetic wherever they appear. A family of fonts plays one writer, and the
official test images are those of families that training never shows.

Every image is one font's glyph under a random stroke width, a random affine map and an elastic distortion
(Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks"), each drawn from a generator of
the character and the font: the same fonts give the same images, whatever else is asked for.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganaug.datasets.characters import parse_characters
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.fonts import Hand, find_fonts
from ganaug.errors import UserError
from ganaug.randomness import numpy_rng

FINE = 2  # a glyph is drawn this many times larger than its image
FILLED = 0.72  # its longer side, as a share of the image's
ROTATION, SHEAR = math.radians(8), math.radians(8)  # uniform in [-r, r]
ZOOM, SHIFT = 0.12, 0.06  # scale uniform in [1 - z, 1 + z], each axis; shift as a share of the side
ELASTIC, SMOOTH = 0.035, 0.14  # displacement's standard deviation and its field's correlation, as shares of the side
PER_CLASS = 200


_COVERED: dict[Path, dict[int, str]] = {}


def _drawn(character: str, path: Path, size: int) -> np.ndarray:
    """A glyph in the middle of a fine square, ink white on black, (FINE size, FINE size) float32 in [0, 1].

    Raises UserError for a font that cannot be read or has no such glyph.
    """
    side = FINE * size
    if ord(character) not in _covered(path):
        raise UserError(f"{path}: has no glyph for {character!r}; name another font with dataset.fonts")
    try:
        font = ImageFont.truetype(str(path), 2 * side)
        page = Image.new("L", (6 * side, 6 * side))
        ImageDraw.Draw(page).text((3 * side, 3 * side), character, fill=255, font=font, anchor="mm")
    except OSError as error:
        raise UserError(f"{path}: cannot be read as a font ({error}); name another with dataset.fonts") from None
    box = page.getbbox()  # of the ink: neither em nor advance says how large a character is
    if box is None:  # listed in the font, and blank
        raise UserError(f"{path}: its glyph for {character!r} is blank; name another font with dataset.fonts")
    ink = page.crop(box)
    scale = FILLED * side / max(ink.size)
    width, height = (max(1, round(scale * length)) for length in ink.size)
    square = Image.new("L", (side, side))
    square.paste(ink.resize((width, height), Image.Resampling.BOX), ((side - width) // 2, (side - height) // 2))
    return np.asarray(square, np.float32) / 255


def _covered(path: Path) -> dict[int, str]:
    """The code points that a font has a glyph for. Raises UserError."""
    if path not in _COVERED:
        from fontTools.ttLib import TTFont

        try:
            with TTFont(path, lazy=True, fontNumber=0) as font:
                _COVERED[path] = dict(font.getBestCmap() or {})
        except Exception as error:  # fontTools says of a damaged file whatever its parts say
            raise UserError(f"{path}: cannot be read as a font ({error}); name another with dataset.fonts") from None
    return _COVERED[path]


def _widths(drawn: np.ndarray) -> np.ndarray:
    """A glyph with thinner, its own and thicker strokes, (3, side, side); smoothed against jagged edges."""
    from scipy.ndimage import gaussian_filter, grey_dilation, grey_erosion  # late: a study is read without it

    thinner: np.ndarray = np.minimum(drawn, 0.5 * drawn + 0.5 * grey_erosion(drawn, 3))  # all of a hair would vanish
    thicker: np.ndarray = grey_dilation(drawn, 3)
    three = np.array([thinner, drawn, thicker], np.float32)
    return np.asarray(gaussian_filter(three, (0, FINE / 3, FINE / 3)))


def _fields(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Elastic displacements in pixels, (n, 2, size, size) float32."""
    from scipy.ndimage import gaussian_filter

    noise = rng.standard_normal((n, 2, size, size), dtype=np.float32)
    smooth = gaussian_filter(noise, (0, 0, SMOOTH * size, SMOOTH * size), mode="reflect")
    return smooth * (ELASTIC * size / smooth.std(axis=(1, 2, 3), keepdims=True))


def distorted(drawn: np.ndarray, n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """`n` images of one glyph (FINE size, FINE size) in [0, 1], each distorted by itself; uint8 (n, size, size)."""
    from scipy.ndimage import map_coordinates

    widths = _widths(drawn)
    angle, shear = (rng.uniform(-most, most, n) for most in (ROTATION, SHEAR))
    zoom = rng.uniform(1 - ZOOM, 1 + ZOOM, (n, 2))
    shift = rng.uniform(-SHIFT, SHIFT, (n, 2)) * size
    heavy = rng.uniform(-1, 1, n)
    fields = _fields(n, size, rng)
    middle = (size - 1) / 2
    grid = np.indices((size, size), np.float32).reshape(2, -1) - middle  # rows, columns
    out = np.empty((n, size, size), np.uint8)
    for i in range(n):
        c, s, k = math.cos(angle[i]), math.sin(angle[i]), math.tan(shear[i])
        turn = np.array([[c, -s], [s, c]]) @ np.array([[1, 0], [k, 1]]) @ np.diag(1 / zoom[i])
        where = turn @ (grid + fields[i].reshape(2, -1) - shift[i, :, None]) + middle
        side = widths[2] if heavy[i] > 0 else widths[0]
        strokes = widths[1] + abs(heavy[i]) * (side - widths[1])
        # the centre of a coarse pixel lies between FINE fine ones
        sampled = map_coordinates(strokes, FINE * where + (FINE - 1) / 2, order=1, mode="constant")
        out[i] = np.rint(255 * np.clip(sampled, 0, 1)).reshape(size, size)
    return out


def _shares(total: int, fonts: Sequence[tuple[Hand, Path]]) -> list[int]:
    """How many of a character's `total` images each font draws: as equal as can be, the first ones one more."""
    return [total // len(fonts) + (place < total % len(fonts)) for place in range(len(fonts))]


def missing_glyphs(data_dir: Path) -> list[Path]:
    """Nothing: fonts are looked for on the machine, and what is not there is said when they are loaded."""
    return []


def summarize_glyphs(data_dir: Path) -> Summary:
    """What can be said before characters and fonts are chosen."""
    return Summary("glyphs", "fonts of this machine", ())


def load_glyphs(
    data_dir: Path,
    characters: str,
    per_class: int = PER_CLASS,
    size: int = 32,
    fonts: list[str] | None = None,
) -> Dataset:
    """(N, 1, size, size) uint8, ink white on black. `data_dir` is not read.

    characters: as `parse_characters` reads them, a class each.  per_class: images of each, test images among them.
    fonts: as `find_fonts` reads them.  Raises UserError for characters, fonts or sizes that cannot be.
    """
    chosen = parse_characters("glyphs", characters)
    found = find_fonts(chosen, fonts)
    if per_class < len(found):
        raise UserError(f"glyphs: per_class must be at least the number of fonts ({len(found)}), got {per_class}")
    if not 8 <= size <= 256:
        raise UserError(f"glyphs: size must lie in [8, 256], got {size}")
    parts, labels, test = [], [], []
    for label, character in enumerate(chosen):
        for (hand, path), n in zip(found, _shares(per_class, found), strict=True):
            rng = numpy_rng(0, "glyphs", character, path.name)
            parts.append(distorted(_drawn(character, path, size), n, size, rng))
            labels += [label] * n
            test += [hand.test] * n
    held_out = np.array(test, np.bool_)
    return Dataset(
        "glyphs",
        chosen,
        np.concatenate(parts)[:, None],
        np.array(labels, np.int64),
        test=held_out if held_out.any() else None,
        synthetic=True,
    )
