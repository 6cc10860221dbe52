"""One PNG or JPEG file to one square array. The file may be anybody's, so it may be anything."""

import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageOps

from ganaug.errors import UserError

T = TypeVar("T")
POLICIES = ("refuse", "skip")

MAX_PIXELS = 64_000_000  # a few kilobytes of PNG can unpack to gigabytes; a good camera makes 60 megapixels
# What the formats can reach at all. A JPEG codes every block of 64 pixels with at least one bit, and deflate makes of
# a byte at most 1,032, each of which is at most 8 pixels.
PIXELS_PER_BYTE = {"JPEG": 512, "PNG": 8 * 1032}
MAX_BYTES = 512 << 20  # of a file: 64 million pixels of 16 bits and four channels
ROWS = 256  # of a 16-bit image that are scaled at a time
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit grey at 255 when asked for 8 bits, which leaves a white picture: scale instead."""
    if not image.mode.startswith("I"):
        return image
    deep = np.asarray(image)
    out = np.empty(deep.shape, np.uint8)
    for at in range(0, len(deep), ROWS):
        out[at : at + ROWS] = np.rint(deep[at : at + ROWS].astype(np.float64) * 255 / 65535).clip(0, 255)
    return Image.fromarray(out)


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent pixels carry arbitrary colours; what a person sees is the picture on a white page."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _bytes_of(path: Path, most: int) -> int:
    """How many a file has. UserError where it is no file (a named pipe blocks for ever) or has more than `most`."""
    try:
        if not path.is_file():
            raise UserError(f"{path}: must be a whole PNG or JPEG image, got no file; replace or remove it")
        if (size := path.stat().st_size) > most:
            raise UserError(f"{path}: must have at most {most:,} bytes, got {size:,}; replace or remove it")
        return size
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; replace or remove it") from None


def read_file(path: Path, most: int = MAX_BYTES) -> bytes:
    """What an image's file holds. UserError where it cannot be read, is no file, or has more than `most` bytes."""
    _bytes_of(path, most)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; replace or remove it") from None


def _open(path: Path, data: bytes | None = None) -> Image.Image:
    """The header is read, the pixels are not. Only PNG and JPEG: other decoders have no business here."""
    cap = f"must have at most {MAX_PIXELS} pixels"
    size = _bytes_of(path, MAX_BYTES) if data is None else len(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path if data is None else io.BytesIO(data), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(f"{path}: {cap}, got more; shrink the image or remove it") from error
    if image.width * image.height > MAX_PIXELS:
        raise UserError(f"{path}: {cap}, got {image.width} x {image.height}; shrink the image or remove it")
    if image.width * image.height > PIXELS_PER_BYTE["PNG" if image.format == "PNG" else "JPEG"] * size:
        raise UserError(
            f"{path}: must be a whole PNG or JPEG image, got {image.width} x {image.height} pixels in {size} "
            "bytes (truncated); replace or remove it"
        )
    return image


def _unreadable(path: Path, error: Exception) -> UserError:
    # Pillow names what it was given: the path again, or a buffer's address in memory
    given = rf" (?:{re.escape(repr(str(path)))}|<_io\.BytesIO object at \w+>)"
    reason = re.sub(given, "", " ".join(str(error).split())) or type(error).__name__
    return UserError(f"{path}: must be a whole PNG or JPEG image, got “{reason}”; replace or remove it")


class Skipping:
    """What is done about a file that is no whole image: the first is refused, or all are left out and remembered.

    policy: `refuse` or `skip`. skipped: the paths of those left out.
    """

    def __init__(self, key: str, policy: str) -> None:
        if policy not in POLICIES:
            raise UserError(f"{key}: on_bad_image must be {' or '.join(POLICIES)}, got {policy!r}")
        self.policy = policy
        self.skipped: list[str] = []

    def __call__(self, act: Callable[..., T], path: Path, *options: Any) -> T | None:
        """What `act` makes of the file at `path`; None where it refuses it, and that is to be skipped."""
        try:
            return act(path, *options)
        except UserError:
            if self.policy == "refuse":
                raise
            if str(path) not in self.skipped[-1:]:
                self.skipped.append(str(path))
            return None


def is_grey(path: Path) -> bool:
    """Whether the file stores grey values (its mode, not its pixels: a grey photo stored as RGB is colour).

    Raises UserError for a file that is no image or has more than MAX_PIXELS.
    """
    try:
        with _open(path) as image:
            return image.mode in GREY_MODES
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen types on damaged bytes
        raise _unreadable(path, error) from error


def image_size(path: Path, data: bytes | None = None) -> tuple[int, int]:
    """Width and height of a PNG or JPEG file, from its header; `data` is what it holds. Raises UserError."""
    try:
        with _open(path, data) as image:
            return image.size
    except UserError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def read_image(path: Path, size: int, channels: int, data: bytes | None = None) -> np.ndarray:
    """(channels, size, size) uint8 from a PNG or JPEG file; `data` is what it holds, where that is known already.

    Turned upright as its EXIF says, transparent parts put on white, the shorter side resized to
    `size` with Pillow's antialiased bicubic (the choice of Parmar, Zhang & Zhu 2022, arXiv:2104.11222), and
    the centre cut out: in one step, so that an image one pixel wide does not become a giant in between.
    Colour becomes grey by ITU-R 601-2 luma, grey becomes colour by repetition, 16-bit grey is scaled to 8.
    Raises UserError for a file that is truncated, no image, or has more than MAX_PIXELS.
    """
    # From memory: told of a chunk of two gigabytes, a file would have as much set aside for it.
    data = read_file(path) if data is None else data
    try:
        with _open(path, data) as image:
            upright = ImageOps.exif_transpose(_to_eight_bit(image))
            pixels = _on_white(upright).convert("L" if channels == 1 else "RGB")
            square = ImageOps.fit(pixels, (size, size), Image.Resampling.BICUBIC)
            return np.asarray(square, np.uint8).reshape(size, size, channels).transpose(2, 0, 1)  # -> (C, H, W)
    except UserError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error
