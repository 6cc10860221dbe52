"""Small files in the ETL Character Database's own layouts, packed by `struct`, not by what the reader assumes."""

import struct
import unicodedata
from pathlib import Path

import numpy as np

T56 = "0123456789[#@:>? ABCDEFGHI&.](<  JKLMNOPQR-$*);'|/STUVWXYZ ,%=\"!"


def jis_x_0201(character: str) -> int:
    """The code of a Latin character or of a katakana."""
    small = {"ヰ": "ィ", "ヱ": "ェ", "゛": "ﾞ", "゜": "ﾟ"}.get(character, character)
    for code in (*range(0x21, 0x7F), *range(0xA1, 0xE0)):
        found = bytes([code]).decode("shift_jis")
        if small in (found, unicodedata.normalize("NFKC", found)):
            return code
    raise AssertionError(character)


def jis_x_0208(character: str) -> int:
    return int.from_bytes(character.encode("iso2022_jp")[3:5], "big")


def katakana(hiragana: str) -> str:
    return chr(ord(hiragana) + 0x60)


def nibbles(image: np.ndarray) -> bytes:
    """Levels 0 to 15, (h, w), two a byte, the left one high."""
    flat = image.reshape(-1, 2).astype(np.uint8)
    return (flat[:, 0] << 4 | flat[:, 1]).tobytes()


def m_type(image: np.ndarray, code: int, sheet: int = 1, age: int = 30) -> bytes:
    values = (1, b"A ", sheet, code, 0xC1, 0, 0, 1, age, 7, 0, 0, 8001, 8002, 1, 1, 0, 255)
    return struct.pack(">H2sH6BI4H4B4x2016s4x", *values, nibbles(image))


def g8_type(image: np.ndarray, code: int, sheet: int = 1) -> bytes:
    return struct.pack(
        ">2H8sI4B4H2B30x8128s11x", sheet, code, b"A.HIRA  ", 1, 0, 0, 1, 30, 0, 0, 8001, 8002, 1, 1, nibbles(image)
    )


def g9_type(image: np.ndarray, code: int, sheet: int = 1) -> bytes:
    return struct.pack(
        ">2H8sI4B4H2B34x8128s7x", sheet, code, b"A.HIRA  ", 1, 0, 0, 1, 30, 0, 0, 8001, 8002, 1, 1, nibbles(image)
    )


def b_type(image: np.ndarray, code: int, sheet: int = 1, tail: int = 0) -> bytes:
    return struct.pack(f">2H4s504s{tail}x", sheet, code, b"A.HI", np.packbits(image.astype(bool).ravel()).tobytes())


def c_type(image: np.ndarray, code: int, kind: str, sheet: int = 1) -> bytes:
    """Fields of 36 bits, built as one number; kind: the first letter of the character's T56 code."""
    letters = sum(T56.index(c) << 6 * (3 - i) for i, c in enumerate(f"{kind}  A"))
    fields = [(1, 36), (sheet, 36), (code << 28, 36), (0xC1 << 28, 36), (letters, 24), (0, 12)]
    number, bits = 0, 0
    for value, width in fields:
        number, bits = number << width | value, bits + width
    return (number << 288 * 6 - bits).to_bytes(216, "big") + nibbles(image)


def picture(rng: np.random.Generator, height: int, width: int, levels: int) -> np.ndarray:
    return rng.integers(0, levels, (height, width))


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name
