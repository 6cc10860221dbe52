"""Files of arrays and images: IDX, ETL, PNG and JPEG, lists of names."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz_mutators import mutated
from fuzz_target import Packed, Target, damage_gzip, put


def _idx(array: np.ndarray, code: int) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def _idx_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        "images": _idx(rng.integers(0, 256, (5, 28, 28), dtype=np.uint8), 8),
        "labels": _idx(np.arange(5, dtype=np.uint8), 8),
        "floats": _idx(rng.normal(size=7).astype(">f4"), 13),
    }


def _read_idx(name: str, data: bytes, folder: Path, suffix: str = "") -> object:
    from ganaug.datasets.idx import read_idx

    ndim, dtype = {"images": (3, np.uint8), "labels": (1, np.uint8), "floats": (1, np.float32)}[name]
    return read_idx(put(folder, f"x{suffix}", data), ndim, dtype)


def _read_idx_gz(name: str, data: bytes, folder: Path) -> object:
    return _read_idx(name, data, folder, ".gz")


def _etl_files() -> dict[str, bytes]:
    import etl_files as make

    rng = np.random.default_rng(0)

    def four(record: Callable[[int], bytes]) -> bytes:
        return b"".join(record(i) for i in range(4))

    def pictures(height: int, width: int, levels: int) -> np.ndarray:
        return make.picture(rng, height, width, levels)

    katakana, kanji = make.jis_x_0201("ア"), make.jis_x_0208("あ")
    return {
        "M": four(lambda i: make.m_type(pictures(63, 64, 16), katakana + i, sheet=i)),
        "C": four(lambda i: make.c_type(pictures(76, 72, 16), katakana + i, "H", sheet=i)),
        "8G": four(lambda i: make.g8_type(pictures(127, 128, 16), kanji + i, sheet=i)),
        "9G": four(lambda i: make.g9_type(pictures(127, 128, 16), kanji + i, sheet=i)),
        "8B": four(lambda i: make.b_type(pictures(63, 64, 2), kanji + i, sheet=i)),
        "9B": four(lambda i: make.b_type(pictures(63, 64, 2), kanji + i, sheet=i, tail=64)),
    }


def _read_etl(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets import etl_records as records
    from ganaug.datasets.etl_shift import check_type

    layout = {"M": records.M, "C": records.C, "8G": records.G8, "9G": records.G9, "8B": records.B8, "9B": records.B9}
    path = put(folder, "etl", data)
    found = records.read_records(path, layout[name], only_hiragana=name == "M")
    check_type(path, found)
    return found.images(np.arange(len(found.raw)))


def _image_files() -> dict[str, bytes]:
    from PIL import Image, PngImagePlugin

    grey = Image.linear_gradient("L").resize((24, 17))
    colour = Image.merge("RGB", [grey, grey.transpose(0), grey.transpose(1)])
    deep = Image.fromarray((np.arange(24 * 17).reshape(17, 24) * 150).astype(np.uint16))
    told = PngImagePlugin.PngInfo()
    told.add_text("a", "b" * 300, zip=True)
    exif = Image.Exif()
    exif[0x0112] = 6

    def saved(image: Any, kind: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return {
        "grey.png": saved(grey, "PNG"),
        "colour.png": saved(colour, "PNG", pnginfo=told),
        "alpha.png": saved(colour.convert("RGBA"), "PNG"),
        "palette.png": saved(colour.quantize(7), "PNG", transparency=1),
        "deep.png": saved(deep, "PNG"),
        "bits.png": saved(grey.convert("1"), "PNG"),
        "grey.jpg": saved(grey, "JPEG"),
        "colour.jpg": saved(colour, "JPEG", exif=exif, quality=30),
        "progressive.jpg": saved(colour, "JPEG", progressive=True),
        "cmyk.jpg": saved(colour.convert("CMYK"), "JPEG"),
    }


def _with_sums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums that their bytes ask for, so that damage gets past them."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length > len(data) - at - 12:
            break
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + length
    return bytes(out + data[at:])


def _damage_image(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if name.endswith(".png") and rng.randrange(20) == 0:  # marked as interlaced over pixels that are not
        data = data[:28] + b"\1" + data[29:]
    out = mutated(data, others, rng)
    return _with_sums(out) if name.endswith(".png") and rng.random() < 0.7 else out


def _read_image(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets.image_file import is_grey, read_image

    path = put(folder, "image", data)
    is_grey(path)
    return read_image(path, 16, 1 if len(data) % 2 else 3)


def _list_files() -> dict[str, bytes]:
    line = b"".join(b"pomeranian_%d 26 2 18\nbeagle_%d 5 2 3\n" % (i, i) for i in range(4))
    return {"trainval.txt": b"# a note\n" + line, "test.txt": line.replace(b"_", b"_9")}


def _read_list(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets.pomeranian import summarize_pomeranian

    home = folder / "oxford-iiit-pet"
    (home / "images").mkdir(parents=True, exist_ok=True)
    for other, whole in _list_files().items():
        put(home / "annotations", other, data if other == name else whole)
    return summarize_pomeranian(folder)


TARGETS: dict[str, Target] = {
    "idx": Target(_idx_files, _read_idx),
    "idx-gz": Packed(_idx_files, _read_idx_gz, damage_gzip),
    "etl": Target(_etl_files, _read_etl),
    "image": Target(_image_files, _read_image, _damage_image),
    "list": Target(_list_files, _read_list, share=0.4),
}
