"""Archives: the tar file of CIFAR-10, the zip file of CelebA, and the files of the former by themselves."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from fuzz_mutators import mutated
from fuzz_target import Packed, Target, damage_gzip, put

_PER_FILE = 3


def _cifar_files() -> dict[str, bytes]:
    from ganaug.datasets.cifar10 import BINARY, CLASSES, RECORD

    rng = np.random.default_rng(0)
    out = {}
    for name in BINARY.files:
        records = rng.integers(0, 256, (_PER_FILE, RECORD), dtype=np.uint8)
        records[:, 0] %= 10
        out[name] = records.tobytes()
    return out | {BINARY.names: "\n".join(CLASSES).encode()}


def _tar(files: dict[str, bytes], how: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=how) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if how == tarfile.PAX_FORMAT:
            info = tarfile.TarInfo("ü" * 120)
            info.mtime = 1.5
            archive.addfile(info)
    return buffer.getvalue()


def _tar_files() -> dict[str, bytes]:
    files = _cifar_files()
    return {"ustar": _tar(files, tarfile.USTAR_FORMAT), "pax": _tar(files, tarfile.PAX_FORMAT),
            "gnu": _tar(files | {"n" * 150: b"x"}, tarfile.GNU_FORMAT)}  # fmt: skip


_SIZES = (b"77777777777\0", b"\x80" + bytes(3) + b"\1" * 8, b"\xff" * 12, b"-0000000001\0")
_NAMES = (b"../../evil", b"/etc/passwd", b"", b"data_batch_1.bin", b"\xff" * 9)


def _damage_tar(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Headers with right checksums, so that what they say is believed."""
    if rng.random() < 0.25:
        return damage_gzip(name, data, others, rng)
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = 512 * rng.randrange(max(1, len(out) // 512))
        if rng.random() < 0.7:  # one that is a header
            at = rng.choice([i for i in range(0, len(out) - 511, 512) if out[i + 257 : i + 262] == b"ustar"] or [0])
        head = out[at : at + 512]
        match rng.randrange(6):
            case 0:
                head[124:136] = rng.choice(_SIZES)
            case 1:
                head[156] = rng.choice(b"0123567xgLKSV\0")
            case 2:
                head[:100] = rng.choice(_NAMES).ljust(100, b"\0")
            case 3:
                head[157:257] = rng.randbytes(100)
            case 4:
                head = bytearray(mutated(bytes(head), others, rng).ljust(512, b"\0")[:512])
            case _:
                out[at:at] = out[at : at + 512]
        if len(head) == 512:
            head[148:156] = b" " * 8
            head[148:156] = f"{sum(head):06o}\0 ".encode()
        out[at : at + 512] = head
    return gzip.compress(bytes(out), 1, mtime=0)


def _read_tar(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets.cifar10 import BINARY, load_cifar10

    put(folder, BINARY.archive, data)
    return load_cifar10(folder, _PER_FILE)


def _read_cifar(name: str, data: bytes, folder: Path) -> object:
    """One file of the folder is damaged; the python version is refused by its md5 unless it is untouched."""
    from ganaug.datasets.cifar10 import BINARY, PYTHON, load_cifar10

    home = folder / BINARY.folder
    if not home.exists():
        for other, whole in _cifar_files().items():
            put(home, other, whole)
    before = (home / name).read_bytes()
    try:
        put(home, name, data)
        load_cifar10(folder, _PER_FILE)
    finally:
        put(home, name, before)
    return PYTHON


def _zip_files() -> dict[str, bytes]:
    from PIL import Image

    from ganaug.datasets.celeba import HEIGHT, WIDTH

    face = io.BytesIO()
    Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB").save(face, "JPEG", quality=20)
    out = {}
    for kind, how in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", how) as archive:
            for i in range(3):
                archive.writestr(zipfile.ZipInfo(f"img_align_celeba/{i:06}.jpg"), face.getvalue(), how)
        out[kind] = buffer.getvalue()
    return out


def _damage_zip(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Two of three in the directory, where sizes, offsets, methods and names are."""
    start = data.find(b"PK\1\2")
    if rng.randrange(3) == 0 or start < 0:
        return mutated(data, others, rng)
    return data[:start] + mutated(data[start:], [], rng)


def _read_zip(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets.celeba import load_celeba

    put(folder, "celeba/img_align_celeba.zip", data)
    return load_celeba(folder, 8, 2)


TARGETS: dict[str, Target] = {
    "tar": Packed(_tar_files, _read_tar, _damage_tar, share=0.8),
    "zip": Target(_zip_files, _read_zip, _damage_zip, share=0.8),
    "cifar": Target(_cifar_files, _read_cifar, share=0.5),
}
