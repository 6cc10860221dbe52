import shutil
from pathlib import Path

import numpy as np
import pytest

from ganaug.datasets import mnist
from ganaug.datasets.mnist import load_mnist, missing_mnist, summarize_mnist
from ganaug.errors import UserError

COUNTS = (20, 10)
FOLDERS = {"mnist": "MNIST", "kmnist": "KMNIST", "fashion-mnist": "FashionMNIST"}


@pytest.fixture(autouse=True)
def no_debian_files(request, monkeypatch, tmp_path):
    if "fashion_mnist" not in request.keywords:
        monkeypatch.setattr(mnist, "DEBIAN_FASHION_MNIST", tmp_path / "debian")


@pytest.fixture(params=["", ".gz"])
def raw(request, tmp_path, write_split):
    """Small MNIST files in torchvision's layout, raw or gzipped."""
    folder = tmp_path / "MNIST" / "raw"
    write_split(folder, "train", np.arange(20) % 10, request.param)
    write_split(folder, "t10k", np.arange(10)[::-1], request.param)
    return folder


def refusal(name: str, data_dir: Path, counts: tuple[int, int] = COUNTS) -> str:
    with pytest.raises(UserError) as caught:
        load_mnist(name, data_dir, counts)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", FOLDERS)
def test_torchvision_reads_the_same_images_and_labels(tmp_path, write_split, name):
    datasets = pytest.importorskip("torchvision.datasets")
    folder = tmp_path / FOLDERS[name] / "raw"
    write_split(folder, "train", np.arange(20) % 10, "")
    write_split(folder, "t10k", np.arange(10), "")
    ours = load_mnist(name, tmp_path, COUNTS)
    for train in (True, False):
        theirs = getattr(datasets, FOLDERS[name])(tmp_path, train=train)
        np.testing.assert_array_equal(ours.images[ours.test != train, 0], theirs.data.numpy())
        np.testing.assert_array_equal(ours.labels[ours.test != train], theirs.targets.numpy())
    assert [c.split(" - ")[0] for c in theirs.classes] == list(ours.classes)


def test_raw_and_gzipped_files_are_one_data_set(tmp_path, raw):
    dataset = load_mnist("mnist", tmp_path, COUNTS)
    assert dataset.images.shape == (30, 1, 28, 28)
    assert dataset.test.tolist() == [False] * 20 + [True] * 10
    assert dataset.labels[-10:].tolist() == list(range(10))[::-1]
    assert missing_mnist("mnist", tmp_path) == []
    found = summarize_mnist("mnist", tmp_path, COUNTS)
    assert (found.present, found.per_class, found.size, found.where) == (True, (3, 3), 28, str(raw))


def test_one_pixel_changes_the_digest(tmp_path, raw, write_idx):
    before = load_mnist("mnist", tmp_path, COUNTS)
    assert before.digest() == load_mnist("mnist", tmp_path, COUNTS).digest()
    images = before.images[:20, 0].copy()
    images[7, 3, 4] ^= 1
    for path in raw.glob("train-images*"):
        write_idx(path, images)
    assert load_mnist("mnist", tmp_path, COUNTS).digest() != before.digest()


def test_absent_files_are_named_with_their_folder(tmp_path, raw):
    assert refusal("kmnist", tmp_path) == (
        "kmnist needs 4 more of its 4 files: run `ganaug data get kmnist`, or put train-images-idx3-ubyte.gz, "
        "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz "
        f"(or gunzipped, without .gz) into {tmp_path / 'KMNIST' / 'raw'}"
    )
    next(raw.glob("t10k-labels*")).unlink()
    assert missing_mnist("mnist", tmp_path) == [raw / "t10k-labels-idx1-ubyte.gz"]
    assert not summarize_mnist("mnist", tmp_path).present


def test_counts_other_than_the_publishers_are_refused(tmp_path, raw):
    path = next(raw.glob("train-labels*"))
    assert refusal("mnist", tmp_path, (60_000, 10_000)) == (
        f"{path}: must hold 60000 labels, got 20; replace it with the publisher's file"
    )


def test_ten_images_with_thirty_labels_are_refused(tmp_path, raw, write_idx):
    path = next(raw.glob("train-images*"))
    write_idx(path, np.zeros((10, 28, 28), np.uint8))
    assert refusal("mnist", tmp_path) == (
        f"{path}: must hold 20 images of 28 x 28 pixels, one per label, got 10 x 28 x 28; "
        "replace it with the publisher's file"
    )


def test_labels_out_of_range_are_refused(tmp_path, raw, write_idx):
    path = next(raw.glob("train-labels*"))
    write_idx(path, np.full(20, 10, np.uint8))
    assert refusal("mnist", tmp_path) == (
        f"{path}: labels must lie in 0 to 9, got 10 to 10; replace it with the publisher's file"
    )


def test_debians_package_is_found_but_complete_files_of_ones_own_come_first(tmp_path, raw):
    with pytest.raises(UserError, match="FashionMNIST"):
        load_mnist("fashion-mnist", tmp_path, COUNTS)
    shutil.copytree(raw, mnist.DEBIAN_FASHION_MNIST)
    assert summarize_mnist("fashion-mnist", tmp_path, COUNTS).where == str(mnist.DEBIAN_FASHION_MNIST)
    assert missing_mnist("fashion-mnist", tmp_path) == []
    own = tmp_path / "FashionMNIST" / "raw"
    shutil.copytree(raw, own)
    assert summarize_mnist("fashion-mnist", tmp_path, COUNTS).where == str(own)


@pytest.mark.fashion_mnist
def test_the_real_fashion_mnist(tmp_path):
    if missing_mnist("fashion-mnist", tmp_path):
        pytest.skip("Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)")
    dataset = load_mnist("fashion-mnist", tmp_path)
    assert dataset.images.shape == (70_000, 1, 28, 28)
    assert dataset.test.sum() == 10_000
    assert np.bincount(dataset.labels[~dataset.test]).tolist() == [6_000] * 10
    assert np.bincount(dataset.labels[dataset.test]).tolist() == [1_000] * 10
    # The training pixels' mean and deviation that the field uses to normalise: 0.2860 and 0.3530.
    train = dataset.images[~dataset.test] / np.float32(255)
    assert train.mean(dtype=np.float64) == pytest.approx(0.2860, abs=1e-4)
    assert train.std(dtype=np.float64) == pytest.approx(0.3530, abs=1e-4)
    assert [dataset.classes[label] for label in dataset.labels[:3]] == [
        "Ankle boot",
        "T-shirt/top",
        "T-shirt/top",
    ]
