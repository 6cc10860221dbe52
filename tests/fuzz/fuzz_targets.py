"""What is attacked: every reader of what comes from outside, from files that are right and made here."""

import gzip
import hashlib
import io
import json
import logging
import os
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz_mutators import mutated, mutated_json, mutated_text

ROOT = Path(__file__).parents[2]
for _folder in (ROOT, ROOT / "tests" / "datasets", ROOT / "tests" / "analysis", ROOT / "tests" / "ganaug"):
    sys.path.insert(0, str(_folder))

from ganaug.errors import UserError  # noqa: E402
from sweeps.store.reading import Damaged  # noqa: E402

Refusal = (UserError, Damaged)
Run = Callable[[Path], object]
"""Reads one input, which it first writes below a folder."""


@dataclass
class Target:
    """A reader. `make` gives files that are right; `read` reads one of them, whole or damaged, by its name.

    share: of the numbers that a run is asked for; less for readers of many milliseconds.
    """

    make: Callable[[], dict[str, bytes]]
    read: Callable[[str, bytes, Path], object]
    damage: Callable[[str, bytes, Sequence[bytes], Random], bytes] = lambda name, data, others, rng: mutated(
        data, others, rng
    )
    share: float = 1.0
    files: dict[str, bytes] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the files."""
        logging.disable(logging.CRITICAL)
        self.files = self.make()

    def whole(self) -> list[Run]:
        """Every file as it should be."""
        return [partial(self.read, name, data) for name, data in self.files.items()]

    def input(self, rng: Random) -> Run:
        """A damaged one."""
        name = rng.choice(list(self.files))
        others = [data for other, data in self.files.items() if other != name]
        return partial(self.read, name, self.damage(name, self.files[name], others, rng))


def _put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# IDX


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
    return read_idx(_put(folder, f"x{suffix}", data), ndim, dtype)


def _damage_gzip(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Half of them inside, so that damage is met behind gzip's checksum too."""
    if rng.random() < 0.5:
        return gzip.compress(mutated(data, others, rng), 1, mtime=0)
    return mutated(gzip.compress(data, 1, mtime=0), [gzip.compress(other, 1, mtime=0) for other in others], rng)


def _read_idx_gz(name: str, data: bytes, folder: Path) -> object:
    return _read_idx(name, data, folder, ".gz")


class _Packed(Target):
    """Files that are packed as they should be, unless damaged."""

    def whole(self) -> list[Run]:
        return [partial(self.read, name, gzip.compress(data, 1, mtime=0)) for name, data in self.files.items()]


# the ETL Character Database


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
    path = _put(folder, "etl", data)
    found = records.read_records(path, layout[name], only_hiragana=name == "M")
    check_type(path, found)
    return found.images(np.arange(len(found.raw)))


# images


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

    path = _put(folder, "image", data)
    is_grey(path)
    return read_image(path, 16, 1 if len(data) % 2 else 3)


# archives and CIFAR-10

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
        return _damage_gzip(name, data, others, rng)
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

    _put(folder, BINARY.archive, data)
    return load_cifar10(folder, _PER_FILE)


def _read_cifar(name: str, data: bytes, folder: Path) -> object:
    """One file of the folder is damaged; the python version is refused by its md5 unless it is untouched."""
    from ganaug.datasets.cifar10 import BINARY, PYTHON, load_cifar10

    home = folder / BINARY.folder
    if not home.exists():
        for other, whole in _cifar_files().items():
            _put(home, other, whole)
    before = (home / name).read_bytes()
    try:
        _put(home, name, data)
        load_cifar10(folder, _PER_FILE)
    finally:
        _put(home, name, before)
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

    _put(folder, "celeba/img_align_celeba.zip", data)
    return load_celeba(folder, 8, 2)


# lists of names, fonts


def _list_files() -> dict[str, bytes]:
    line = b"".join(b"pomeranian_%d 26 2 18\nbeagle_%d 5 2 3\n" % (i, i) for i in range(4))
    return {"trainval.txt": b"# a note\n" + line, "test.txt": line.replace(b"_", b"_9")}


def _read_list(name: str, data: bytes, folder: Path) -> object:
    from ganaug.datasets.pomeranian import summarize_pomeranian

    home = folder / "oxford-iiit-pet"
    (home / "images").mkdir(parents=True, exist_ok=True)
    for other, whole in _list_files().items():
        _put(home / "annotations", other, data if other == name else whole)
    return summarize_pomeranian(folder)


# studies


def _study_files() -> dict[str, bytes]:
    wanted = ("quickstart", "best", "emnist-augment", "sgan-mnist", "cifar10-da", "infogan-etl-kanji10")
    return {name: (ROOT / "sweeps" / "studies" / f"{name}.yaml").read_bytes() for name in wanted}


def _damage_study(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if rng.randrange(4) == 0:
        return mutated(data, others, rng)
    return mutated_text(data.decode(), [other.decode() for other in others], rng).encode("utf-8", "replace")


def _read_study(name: str, data: bytes, folder: Path) -> object:
    from sweeps import study_file

    study = study_file.load(str(_put(folder, "study.yaml", data)))
    return study_file.to_yaml(study)


def _set_files() -> dict[str, bytes]:
    asked = (
        "n_real=[3,10]", "gan.steps=500", "seed=[0,1]", "primary.n_gen=50", "factors.threshold=[0.5]", "assess=null",
        "classifier.preprocessing.rescale=0.5", "search.space.gan.steps=[1,2]", "dataset={name: digits}",
        "filter.also.name=rejection", "semi={method: fixmatch}", "augmentation.fill=edge", "variant=published",
    )  # fmt: skip
    return {f"{i}": text.encode() for i, text in enumerate(asked)}


def _damage_set(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if rng.randrange(3) == 0:
        return mutated(data, others, rng)
    key, _, value = data.decode().partition("=")
    other_key, _, other_value = rng.choice(others).decode().partition("=")
    match rng.randrange(5):
        case 0:
            return f"{key}={other_value}".encode()
        case 1:
            return f"{key}.{other_key}={value}".encode()
        case 2:
            return f"{'.'.join([key] * rng.choice((2, 40, 3000)))}={value}".encode()
        case 3:
            return f"{other_key}={mutated_text(value, [], rng)}".encode("utf-8", "replace")
        case _:
            return f"{key}={mutated_text(value, [], rng)}".encode("utf-8", "replace")


def _read_set(name: str, data: bytes, folder: Path) -> object:
    """As the system hands arguments over: bytes that are no UTF-8 arrive as lone surrogates."""
    from sweeps import study_file

    return study_file.load("quickstart", [os.fsdecode(data)])


# the store


def _store(folder: Path) -> Any:
    from sweeps.store import Store

    return Store(folder / "store")


def _store_files() -> dict[str, bytes]:
    import tempfile

    from ganaug.artifact import Artifact
    from ganaug.stages import TrainImages

    out = {}
    with tempfile.TemporaryDirectory() as name:
        store, stage = _store(Path(name)), TrainImages("ab")
        arrays = {"images": np.zeros((3, 1, 4, 4), np.uint8), "labels": np.arange(3), "x": np.ones(2, np.float32)}
        store.publish(stage, Artifact(arrays, {"classes": ["a", "b"], "n": 3, "loss": 0.5}), {"k": ("split", 0.1)})
        store.save_progress("ab" * 32, arrays)
        for path in Path(name).rglob("*"):
            if path.is_file():
                out[path.relative_to(name).as_posix()] = path.read_bytes()
    return out


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _damage_store(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Two of three with a checksum that is right for what is wrong."""
    if rng.randrange(3) == 0:
        return mutated(data, others, rng)
    if "manifests" in name:
        out = mutated_json(data, others, rng)
        try:
            value = json.loads(out)
            value.pop("check", None)
            return _canonical(value | {"check": hashlib.sha256(_canonical(value)).hexdigest()})
        except (ValueError, AttributeError, TypeError, RecursionError):
            return out
    body = mutated(data[64:] if "checkpoints" in name else data, others, rng)
    return hashlib.sha256(body).hexdigest().encode() + body if "checkpoints" in name else body


def _read_store(name: str, data: bytes, folder: Path) -> object:
    """`_read` refuses with Damaged; `load` sets the damaged manifest aside. A blob is met under its own new digest."""
    from ganaug.stages import TrainImages

    files = _store_files_once()
    for other, whole in files.items():
        _put(folder, other, data if other == name else whole)
    if "blobs" in name:
        _readdress(folder, files, data)
    store, stage = _store(folder), TrainImages("ab")
    store.load_progress("ab" * 32)
    store.load(stage)
    if "manifests" not in name:
        return None
    _put(folder, name, data)
    return store._read(name.removeprefix("store/"), stage.key)


_KEPT: dict[str, bytes] = {}


def _store_files_once() -> dict[str, bytes]:
    if not _KEPT:
        _KEPT.update(_store_files())
    return _KEPT


def _readdress(folder: Path, files: dict[str, bytes], blob: bytes) -> None:
    """A damaged blob and the manifest that names it by its true digest: what a forger would write."""
    digest = hashlib.sha256(blob).hexdigest()
    _put(folder, f"store/blobs/{digest[:2]}/{digest}", blob)
    name = next(n for n in files if "manifests" in n)
    value = json.loads(files[name])
    value.pop("check")
    value["blob"] = {"sha256": digest, "bytes": len(blob)}
    _put(folder, name, _canonical(value | {"check": hashlib.sha256(_canonical(value)).hexdigest()}))


# run folders


def _run_files() -> dict[str, bytes]:
    import tempfile

    from made_run import write_run

    with tempfile.TemporaryDirectory() as name:
        small = {"n_real": [3], "n_gen": [0, 50], "threshold": [0.0, 0.5], "seed": [0, 1]}
        run = write_run(Path(name) / "run", small, names=["a", "b"], n_test=20, search={})
        (run / "progress.json").write_bytes(_canonical(_announced(Path(name))))
        found = {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if len(data) < 200_000}


def _announced(store: Path) -> dict[str, Any]:
    return {
        "study": "x", "started": "2026-11-21T06:00:00+00:00", "total": 4, "done": 1, "work": 3.5, "command": "ganaug",
        "store": str(store), "process": 1, "host": "nowhere",
    }  # fmt: skip


def _damage_run(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if name.endswith(".json"):
        return mutated_json(data, others, rng)
    if name.endswith(".safetensors") and rng.random() < 0.6:  # the header, which is JSON
        size = int.from_bytes(data[:8], "little")
        head = mutated_json(data[8 : 8 + size], [], rng)
        return len(head).to_bytes(8, "little") + head + data[8 + size :]
    return _damage_study(name, data, [], rng) if name.endswith(".yaml") else mutated(data, others, rng)


_RUN_KEPT: dict[str, bytes] = {}


def _read_run(name: str, data: bytes, folder: Path) -> object:
    import analysis
    from sweeps import announce
    from sweeps.run_folder import RunFolder

    home = folder / "run"
    if not home.exists():
        _RUN_KEPT.update(_run_files())
        for other, whole in _RUN_KEPT.items():
            _put(home, other, whole)
    try:
        _put(home, name, data)
        told = announce.read(RunFolder(home))
        if told is not None:
            told.seconds(), told.alive()
        run = analysis.load(home)
        run.predictions(), run.samples(), run.curves(), run.classifier_curves()
        return run.name, run.search
    finally:
        _put(home, name, _RUN_KEPT[name])


# exported generators, weights


def _bundle_files() -> dict[str, bytes]:
    import tempfile

    import tiny
    import torch

    from ganaug.artifact import Artifact
    from ganaug.gans.bundle import Bundle, save_bundle
    from ganaug.gans.networks import build

    torch.set_num_threads(1)
    nets = zip(("generator", "discriminator"), build(tiny.CGAN, 3, (1, 8, 8), seed=0), strict=True)
    arrays = {f"{name}.{k}": v.numpy() for name, net in nets for k, v in net.state_dict().items()}
    facts = {"shape": [1, 8, 8], "n_classes": 3, "calibration": [1.0, [0.0] * 3], "diverged": ""}
    with tempfile.TemporaryDirectory() as name:
        save_bundle(Bundle(tiny.CGAN, ("a", "b", "c"), 0, 10, Artifact(arrays, facts)), Path(name))
        return {p.name: p.read_bytes() for p in Path(name).iterdir()}


def _damage_bundle(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if not name.endswith(".json"):
        return mutated(data, [], rng)
    out = mutated_json(data, [], rng)
    try:
        value = json.loads(out)
        value.pop("check", None)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return json.dumps(value | {"check": hashlib.sha256(text.encode()).hexdigest()}).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return out


_BUNDLE_KEPT: dict[str, bytes] = {}


def _read_bundle(name: str, data: bytes, folder: Path) -> object:
    """Damaged weights go with a config that names their new digest."""
    from ganaug.gans.bundle import load_bundle

    if not _BUNDLE_KEPT:
        _BUNDLE_KEPT.update(_bundle_files())
    for other, whole in _BUNDLE_KEPT.items():
        _put(folder, other, data if other == name else whole)
    if name.endswith(".safetensors"):
        value = json.loads(_BUNDLE_KEPT["generator.json"])
        value.pop("check")
        value["weights_sha256"] = hashlib.sha256(data).hexdigest()
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        check = hashlib.sha256(text.encode()).hexdigest()
        _put(folder, "generator.json", json.dumps(value | {"check": check}).encode())
    return load_bundle(folder)


def _weight_files() -> dict[str, bytes]:
    import torch

    def saved(value: Any, **options: Any) -> bytes:
        buffer = io.BytesIO()
        torch.save(value, buffer, **options)
        return buffer.getvalue()

    tensors = {"a.weight": torch.zeros(3, 4), "a.bias": torch.ones(3), "n": torch.tensor(5)}
    return {"new": saved(tensors), "old": saved(tensors, _use_new_zipfile_serialization=False)}


def _read_weights(name: str, data: bytes, folder: Path) -> object:
    from ganaug.metrics.imagenet import _state
    from ganaug.stages import LocalFile

    path = _put(folder, "weights.pth", data)
    return _state(LocalFile(str(path), hashlib.sha256(data).hexdigest()), "assess.weights")


# readers that are known to be bad, so that a test can see that the harness sees it


def _planted(name: str, data: bytes, folder: Path) -> object:
    match int(data):
        case 3:
            raise KeyError("planted")
        case 5:
            bytearray(1 << 32)
        case 7:
            try:
                bytearray(1 << 32)
            except MemoryError as error:
                raise UserError("no memory is no refusal") from error
        case 11:
            os._exit(9)
        case 13:
            raise UserError("two\nlines")
        case 17:
            began = time.process_time()
            while time.process_time() - began < 1.2:
                pass
        case even if even % 2 == 0:
            raise UserError("even")
    return None


TARGETS: dict[str, Target] = {
    "idx": Target(_idx_files, _read_idx),
    "idx-gz": _Packed(_idx_files, _read_idx_gz, _damage_gzip),
    "etl": Target(_etl_files, _read_etl),
    "image": Target(_image_files, _read_image, _damage_image),
    "tar": _Packed(_tar_files, _read_tar, _damage_tar, share=0.8),
    "zip": Target(_zip_files, _read_zip, _damage_zip, share=0.8),
    "cifar": Target(_cifar_files, _read_cifar, share=0.5),
    "list": Target(_list_files, _read_list, share=0.4),
    "study": Target(_study_files, _read_study, _damage_study, share=0.6),
    "set": Target(_set_files, _read_set, _damage_set, share=0.4),
    "store": Target(_store_files, _read_store, _damage_store, share=0.6),
    "run": Target(_run_files, _read_run, _damage_run, share=0.2),
    "bundle": Target(_bundle_files, _read_bundle, _damage_bundle, share=0.3),
    "weights": Target(_weight_files, _read_weights, share=0.4),
    "planted": Target(
        lambda: {"x": b"0"}, _planted, lambda name, data, others, rng: str(rng.randrange(20)).encode()
    ),
}  # fmt: skip
