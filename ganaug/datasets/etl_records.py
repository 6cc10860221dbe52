"""The binary records of the ETL Character Database: fixed length, big-endian, no header and no control words.

Layouts after the publisher's format pages (etlcdb.db.aist.go.jp: M-type for ETL1, 6 and 7, C-type for 3, 4 and 5,
B-type for 8B and 9B, G-type for 8G and 9G). Bytes are counted from 0:

    type  record  character        sheet      image
    M     2052    6, JIS X 0201    4 to 6     32 to 2048    64 x 63, 16 levels
    C     2952    9, JIS X 0201    4.5 to 9   216 to 2952   72 x 76, 16 levels; fields of 36 bits, of 6-bit characters
    8G    8199    2, JIS X 0208    0 to 2     60 to 8188    128 x 127, 16 levels
    9G    8199    2, JIS X 0208    0 to 2     64 to 8192    128 x 127, 16 levels
    8B    512     2, JIS X 0208    0 to 2     8 to 512      64 x 63, 1 bit; record 0 holds no image
    9B    576     2, JIS X 0208    0 to 2     8 to 512      64 x 63, 1 bit; record 0 holds no image

Two pixels of 16 levels share a byte, the left one in its high half; eight of 1 bit, the left one highest. Ink is high.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ganaug.errors import UserError

COPY = "put the publisher's file there again"


@dataclass(frozen=True)
class Layout:
    """One type of record; where its fields begin, in bytes."""

    kind: str
    size: int
    code: int
    image: int
    width: int
    height: int
    bits: int
    dummy: bool = False

    @property
    def image_bytes(self) -> int:
        return self.width * self.height * self.bits // 8


M = Layout("M", 2052, 6, 32, 64, 63, 4)
C = Layout("C", 2952, 9, 216, 72, 76, 4)
G8 = Layout("8G", 8199, 2, 60, 128, 127, 4)
G9 = Layout("9G", 8199, 2, 64, 128, 127, 4)
B8 = Layout("8B", 512, 2, 8, 64, 63, 1, dummy=True)
B9 = Layout("9B", 576, 2, 8, 64, 63, 1, dummy=True)

_HIRAGANA = 0x60  # katakana stand this far above their hiragana in Unicode
_SMALL = {"ィ": "ヰ", "ェ": "ヱ"}  # two kana that JIS X 0201 lacks are written by small ones
_H_OF_T56 = 24  # the letter H, which marks hiragana in the C-type's character code


@cache
def kana(code: int) -> str | None:
    """A character of JIS X 0201, half-width katakana as the full-width one; None for a code that has none."""
    if 0x21 <= code <= 0x7E:
        return {0x5C: "¥", 0x7E: "‾"}.get(code, chr(code))
    if 0xA1 <= code <= 0xDF:
        # half-width forms lie at U+FF61; Python knows their order, and NFKC would join nothing here
        half = bytes([code]).decode("shift_jis")
        full = _FULL.get(half, half)
        return _SMALL.get(full, full)
    return None


def _full_width() -> dict[str, str]:
    import unicodedata

    halves = [bytes([code]).decode("shift_jis") for code in range(0xA1, 0xE0)]
    return {half: {"ﾞ": "゛", "ﾟ": "゜"}.get(half, unicodedata.normalize("NFKC", half)) for half in halves}


_FULL = _full_width()


@cache
def kanji(code: int) -> str | None:
    """A character of JIS X 0208 from its two bytes; None for a code that has none."""
    try:
        found = (b"\x1b$B" + code.to_bytes(2, "big") + b"\x1b(B").decode("iso2022_jp")
    except UnicodeDecodeError:
        return None
    return found if len(found) == 1 else None


def hiragana(character: str | None) -> str | None:
    """The hiragana that a katakana stands for; sound marks stay, anything else is None."""
    if character is not None and "ァ" <= character <= "ヶ":
        return chr(ord(character) - _HIRAGANA)
    return character if character in ("゛", "゜") else None


@dataclass(frozen=True)
class Records:
    """The records of one file.

    raw: (N, bytes) uint8, the dummy left out.  characters: (N,) str, "" for a record without a code.
    writers: (N,) bytes, equal for what may be of one hand.
    """

    layout: Layout
    raw: np.ndarray
    characters: np.ndarray
    writers: np.ndarray

    def images(self, which: np.ndarray) -> np.ndarray:
        """Those of the records at places `which` (n,), (n, height, width) uint8 with ink at 255 where it is full."""
        at = self.layout
        packed = self.raw[which, at.image : at.image + at.image_bytes]
        if at.bits == 1:
            pixels = np.unpackbits(packed, axis=1) * np.uint8(255)
        else:
            pixels = np.stack([packed >> 4, packed & 15], axis=2) * np.uint8(17)
        return pixels.reshape(len(which), at.height, at.width)


def _read(path: Path, layout: Layout) -> np.ndarray:
    """The file as (records, bytes) uint8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; {COPY}") from None
    whole, rest = divmod(len(data), layout.size)
    if rest:
        raise UserError(
            f"{path}: must be a multiple of {layout.size} bytes, the length of a {layout.kind}-type record, got "
            f"{len(data)}: the last record, at offset {whole * layout.size}, ends after {rest} bytes; {COPY}"
        )
    if whole <= layout.dummy:
        raise UserError(f"{path}: holds no images, got {len(data)} bytes; {COPY}")
    return np.frombuffer(data, np.uint8).reshape(whole, layout.size)


def _codes(raw: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.kind in ("M", "C"):
        return raw[:, layout.code].astype(np.int64)
    return raw[:, layout.code].astype(np.int64) << 8 | raw[:, layout.code + 1]


def _character(code: int, mark: int, layout: Layout, only_hiragana: bool) -> str | None:
    """The character of one record: "" where ETL1 and ETL6 state none, None where nothing can be meant."""
    if layout.kind not in ("M", "C"):
        return kanji(code)
    if layout.kind == "M" and not only_hiragana and code == 0:
        return ""
    found = kana(code)
    if only_hiragana or (layout.kind == "C" and mark == _H_OF_T56):
        return hiragana(found)
    return found


def _writers(raw: np.ndarray, layout: Layout) -> np.ndarray:
    """Per record the bytes that are the same for all that one person wrote, (N,) bytes.

    In the M-type a person's sheets are several, so it is sex, age, industry, occupation and date; else the sheet.
    """
    match layout.kind:
        case "M":
            own = raw[:, [10, 11, *range(16, 22)]]
        case "C":  # 36 bits, from the middle of byte 4 on
            own = np.concatenate([raw[:, 4:5] & 15, raw[:, 5:9]], axis=1)
        case _:
            own = raw[:, :2]
    return np.array([w.tobytes() for w in own], object)


def read_records(path: Path, layout: Layout, only_hiragana: bool = False) -> Records:
    """Read and check a file of the ETL Character Database.

    only_hiragana: ETL7, whose codes are katakana and stand for hiragana.
    Raises UserError, one line with the file, the offset and what to do, for a truncated file, a record of another
    type and a code that stands for no character.
    """
    raw = _read(path, layout)[int(layout.dummy) :]
    codes = _codes(raw, layout)
    marks = raw[:, 18] >> 2 if layout.kind == "C" else np.zeros(len(raw), np.uint8)
    characters = np.empty(len(raw), object)
    for code, mark in {(int(c), int(m)) for c, m in zip(codes, marks, strict=True)}:
        here = (codes == code) & (marks == mark)
        found = _character(code, mark, layout, only_hiragana)
        if found is None:
            offset = (int(np.flatnonzero(here)[0]) + layout.dummy) * layout.size + layout.code
            table = "JIS X 0208" if layout.kind not in ("M", "C") else "JIS X 0201"
            kind = f"a hiragana of {table}" if only_hiragana else f"a character of {table}"
            raise UserError(
                f"{path}: the code at offset {offset} must be {kind}, got {code:#0{4 + 2 * (table[-1] == '8')}x}: "
                f"damaged, or a file of another set; {COPY}"
            )
        characters[here] = found
    return Records(layout, raw, characters.astype(str), _writers(raw, layout))
