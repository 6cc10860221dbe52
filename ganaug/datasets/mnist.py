"""MNIST and the two data sets made to replace it: same files, same counts, other pictures.

mnist: LeCun, Cortes & Burges.  fashion-mnist: Xiao, Rasul & Vollgraf 2017 (arXiv:1708.07747).
kmnist: Clanuwat et al. 2018 (arXiv:1812.01718).
Files lie where torchvision puts them, `DATA/MNIST/raw/…`; Debian's package of Fashion-MNIST is found too. Its
archives were packed again and differ in md5 from torchvision's, so files are judged by what is in them, never
by a checksum.
"""

from pathlib import Path

import numpy as np

from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.pairs import Pair, Pairs, read_pair, require, summarize

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
COUNTS = (60_000, 10_000)

CLASSES: dict[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "fashion-mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
}
_TORCHVISION_FOLDER = {"mnist": "MNIST", "kmnist": "KMNIST", "fashion-mnist": "FashionMNIST"}


def _pairs(name: str, data_dir: Path, counts: tuple[int, int]) -> Pairs:
    """The first complete home of the files; where none is complete, the one in `data_dir`, to be filled."""
    labels = range(len(CLASSES[name]))
    train = Pair("train-images-idx3-ubyte", "train-labels-idx1-ubyte", counts[0], labels)
    test = Pair("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", counts[1], labels)
    ours = Pairs(name, data_dir / _TORCHVISION_FOLDER[name] / "raw", train, test)
    if name == "fashion-mnist" and ours.missing():
        debian = Pairs(name, DEBIAN_FASHION_MNIST, train, test)
        return ours if debian.missing() else debian
    return ours


def missing_mnist(name: str, data_dir: Path) -> list[Path]:
    """The files that `load_mnist` would not find."""
    return _pairs(name, data_dir, COUNTS).missing()


def summarize_mnist(name: str, data_dir: Path, counts: tuple[int, int] = COUNTS) -> Summary:
    """What `load_mnist` would load. Raises UserError for damaged labels."""
    return summarize(_pairs(name, data_dir, counts), CLASSES[name])


def load_mnist(name: str, data_dir: Path, counts: tuple[int, int] = COUNTS) -> Dataset:
    """`mnist`, `kmnist` or `fashion-mnist`: (N, 1, 28, 28) uint8, training images, then official test.

    counts: images that training and test files must hold: the official ones, unless a test makes small files.
    Raises UserError, one line, for absent or damaged files.
    """
    pairs = _pairs(name, data_dir, counts)
    require(pairs)
    train_images, train_labels = read_pair(pairs.folder, pairs.train)
    test_images, test_labels = read_pair(pairs.folder, pairs.test)
    return Dataset(
        name,
        CLASSES[name],
        images=np.concatenate([train_images, test_images])[:, None],  # (N, 28, 28) -> (N, 1, 28, 28)
        labels=np.concatenate([train_labels, test_labels]).astype(np.int64),
        test=np.arange(sum(counts)) >= counts[0],
    )
