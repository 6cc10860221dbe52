"""CIFAR-10 in the publisher's two layouts, packed and unpacked, from small files made here."""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ganaug.datasets import cifar10, load, missing, summary
from ganaug.datasets.cifar10 import BINARY, CLASSES, PYTHON, RECORD, load_cifar10
from ganaug.errors import UserError

N = 20  # images in each of the six files


def images_of(index: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(index)
    return rng.integers(0, 256, (N, 3, 32, 32), dtype=np.uint8), rng.permutation(np.arange(N) % 10).astype(np.uint8)


def binary_files() -> dict[str, bytes]:
    """The binary version: a label, then red, green and blue row by row."""
    files = {}
    for i, name in enumerate(BINARY.files):
        images, labels = images_of(i)
        records = b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))
        files[name] = records
    return files | {BINARY.names: ("\n".join(CLASSES) + "\n\n").encode()}


def python_files() -> dict[str, bytes]:
    files = {}
    for i, name in enumerate(PYTHON.files):
        images, labels = images_of(i)
        batch = {"batch_label": name, "labels": labels.tolist(), "data": images.reshape(N, -1), "filenames": []}
        files[name] = pickle.dumps(batch, protocol=2)
    return files | {PYTHON.names: pickle.dumps({"label_names": list(CLASSES)})}


def put(root: Path, version: cifar10.Version, files: dict[str, bytes], packed: bool, below: str = "") -> Path:
    root = root / below
    root.mkdir(parents=True, exist_ok=True)
    if not packed:
        (root / version.folder).mkdir()
        for name, data in files.items():
            (root / version.folder / name).write_bytes(data)
        return root / version.folder
    with tarfile.open(root / version.archive, "w:gz") as archive:
        for name, data in {"readme.html": b"<html>", **files}.items():
            member = tarfile.TarInfo(f"{version.folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return root / version.archive


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Python files whose md5 the reader takes for the publisher's."""
    files = python_files()
    for name, data in files.items():
        monkeypatch.setitem(PYTHON.md5, name, hashlib.md5(data, usedforsecurity=False).hexdigest())
    return files


def refusal(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_cifar10(root, N)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [BINARY, PYTHON])
@pytest.mark.parametrize("below", ["", "cifar10"])
def test_every_layout_gives_the_same_images(tmp_path, known, version, packed, below):
    put(tmp_path, version, binary_files() if version is BINARY else known, packed, below)
    dataset = load_cifar10(tmp_path, N)
    expected = [images_of(i) for i in range(6)]
    assert np.array_equal(dataset.images, np.concatenate([images for images, _ in expected]))
    assert np.array_equal(dataset.labels, np.concatenate([labels for _, labels in expected]))
    assert dataset.test.tolist() == [False] * 5 * N + [True] * N
    assert dataset.classes == CLASSES
    assert not dataset.synthetic
    assert missing("cifar10", tmp_path) == []


def test_the_first_byte_is_the_label_and_red_comes_first(tmp_path):
    files = binary_files()
    red = bytes([7]) + bytes([200]) * 1024 + bytes([10]) * 1024 + bytes([90]) * 1024
    files["test_batch.bin"] = red + files["test_batch.bin"][RECORD:]
    put(tmp_path, BINARY, files, packed=False)
    dataset = load_cifar10(tmp_path, N)
    first = 5 * N
    assert dataset.labels[first] == 7
    assert dataset.images[first].mean(axis=(1, 2)).tolist() == [200, 10, 90]


def test_what_is_absent_is_named_with_the_place_to_put_it(tmp_path):
    assert refusal(tmp_path) == (
        f"cifar10 is not in {tmp_path}: run `ganaug data get cifar10`, or put cifar-10-binary.tar.gz or "
        "cifar-10-python.tar.gz there, or unpacked as cifar-10-batches-bin or cifar-10-batches-py"
    )
    assert missing("cifar10", tmp_path) == [tmp_path / "cifar-10-binary.tar.gz"]
    assert not summary("cifar10", tmp_path).present
    put(tmp_path, BINARY, binary_files(), packed=True)
    assert summary("cifar10", tmp_path).per_class == (6000, 6000)


def test_a_file_of_another_size_is_refused(tmp_path):
    files = binary_files()
    whole = files["data_batch_3.bin"]
    folder = put(tmp_path, BINARY, files, packed=False)
    for data, told in ((whole[:-1], "truncated"), (whole + b"\0", "too long"), (b"", "truncated")):
        (folder / "data_batch_3.bin").write_bytes(data)
        assert refusal(tmp_path) == (
            f"{folder}/data_batch_3.bin: must hold 20 records of 3073 bytes, got {len(data)} bytes ({told}); replace "
            "it with the publisher's file"
        )


def test_small_files_are_not_taken_for_the_real_ones(tmp_path):
    put(tmp_path, BINARY, binary_files(), packed=False)
    with pytest.raises(UserError, match=r"data_batch_1\.bin: must hold 10000 records of 3073 bytes, got 61460 bytes"):
        load("cifar10", tmp_path)


def test_a_label_beyond_9_and_other_classes_are_refused(tmp_path):
    files = binary_files()
    bad = bytearray(files["data_batch_2.bin"])
    bad[4 * RECORD] = 13
    folder = put(tmp_path, BINARY, files | {"data_batch_2.bin": bytes(bad)}, packed=False)
    assert refusal(tmp_path) == (
        f"{folder}/data_batch_2.bin: labels must lie in 0 to 9, got 13 in record 4; "
        "replace it with the publisher's file"
    )
    (folder / "data_batch_2.bin").write_bytes(files["data_batch_2.bin"])
    (folder / BINARY.names).write_text("cat dog")
    assert refusal(tmp_path).endswith("batches.meta.txt must name " + ", ".join(CLASSES) + ", got cat, dog")


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/cifar10-was-unpickled"),))


def test_a_pickle_that_is_not_the_publishers_is_never_opened(tmp_path, known, monkeypatch):
    opened = []
    monkeypatch.setattr(cifar10._Arrays, "load", lambda self: opened.append(self))
    folder = put(tmp_path, PYTHON, known | {"data_batch_1": pickle.dumps(Evil())}, packed=False)
    told = refusal(tmp_path)
    assert told.startswith(f"{folder}/data_batch_1: is a pickle and is opened only with the publisher's md5 ")
    assert told.endswith("; replace it with the publisher's file, or use cifar-10-binary.tar.gz")
    assert opened == []


def test_the_published_md5_are_torchvisions():
    from torchvision.datasets import CIFAR10

    theirs = dict([*CIFAR10.train_list, *CIFAR10.test_list]) | {"batches.meta": CIFAR10.meta["md5"]}
    assert theirs == PYTHON.md5


def test_a_damaged_archive_and_one_that_lacks_a_file_are_refused(tmp_path):
    path = put(tmp_path, BINARY, binary_files(), packed=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refusal(tmp_path).startswith(f"{path}: must be an undamaged .tar.gz archive, got “")
    path.write_bytes(b"no archive")
    assert refusal(tmp_path).startswith(f"{path}: must be an undamaged .tar.gz archive, got “")
    files = binary_files()
    del files["test_batch.bin"]
    put(tmp_path, BINARY, files, packed=True)
    assert refusal(tmp_path) == f"{path}: must hold test_batch.bin, got none; replace it with the publisher's file"
