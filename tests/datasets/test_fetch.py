import gzip
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from ganaug.datasets import download, load
from ganaug.errors import UserError

mnist_module = pytest.importorskip("torchvision.datasets.mnist")


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    def fail(*arguments: object, **options: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(mnist_module, "download_and_extract_archive", fail)
    monkeypatch.setattr("ganaug.datasets.mnist.DEBIAN_FASHION_MNIST", tmp_path / "debian")


def refusal(name: str, data_dir: Path, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        download(name, data_dir, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST"), ("kmnist", "KMNIST"), ("fashion-mnist", "FashionMNIST")]
)
def test_no_network_is_one_line_with_the_files_to_put_there(tmp_path, name, folder):
    message = refusal(name, tmp_path)
    assert message.startswith(
        f"{name} could not be downloaded (Error downloading train-images-idx3-ubyte.gz: Tried http"
    )
    assert message.endswith(
        "<urlopen error no network>); get train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        f"t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz elsewhere "
        f"and put them into {tmp_path / folder / 'raw'}"
    )


def test_emnist_names_the_files_of_its_protocol(tmp_path):
    assert refusal("emnist", tmp_path, protocol="letters").startswith(
        "emnist could not be downloaded (<urlopen error no network>); get emnist-letters-train-images-idx3-ubyte.gz, "
    )
    assert "protocol must be one of" in refusal("emnist", tmp_path, protocol="capitals")


@pytest.mark.parametrize("protocol", ["balanced-upper", "byclass-upper"])
def test_the_command_that_a_missing_protocol_names_is_understood(tmp_path, protocol):
    with pytest.raises(UserError) as absent:
        load("emnist", tmp_path, protocol=protocol)
    name = str(absent.value).split("`ganaug data get ")[1].split("`")[0]
    assert name == f"emnist-{protocol}"
    assert refusal(name, tmp_path) == refusal("emnist", tmp_path, protocol=protocol)


def test_what_is_there_is_not_downloaded_again(tmp_path, write_split):
    write_split(tmp_path / "MNIST" / "raw", "train", np.arange(10))
    write_split(tmp_path / "MNIST" / "raw", "t10k", np.arange(10))
    download("mnist", tmp_path)
    download("digits", tmp_path)


def test_ones_own_images_cannot_be_downloaded(tmp_path):
    assert refusal("folder", tmp_path, path="pets") == (
        "folder has nothing to download; put your images where `path` says"
    )


def test_torchvision_puts_the_files_where_we_look(tmp_path, monkeypatch, to_idx):
    """The mirrors stood in for, everything else is torchvision's: names, folders, unpacking."""

    def mirror(url: str, download_root: str, filename: str, md5: str) -> None:
        array = np.zeros((10, 28, 28) if "images" in filename else 10, np.uint8)
        (Path(download_root) / filename).write_bytes(gzip.compress(to_idx(array)))
        (Path(download_root) / filename.removesuffix(".gz")).write_bytes(to_idx(array))

    monkeypatch.setattr(mnist_module, "download_and_extract_archive", mirror)
    for name in ("mnist", "kmnist", "fashion-mnist"):
        download(name, tmp_path)
