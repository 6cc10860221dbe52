"""EMNIST, handwritten characters from NIST Special Database 19 (Cohen, Afshar, Tapson & van Schaik 2017,
arXiv:1702.05373), under the four protocols a study may mean by "letters".

Three traps, closed here:
- Images are stored with rows and columns swapped; every loader that skips this shows letters mirrored and on
  their side.
- `balanced` folds the lower case of C I J K L M O P S U V W X Y Z into the upper-case class. Its class names
  say so: "C/c" holds both. Only `byclass` tells the cases of all letters apart.
- `letters` counts from 1 and merges both cases of every letter. The paper's table gives it 88,800 + 14,800
  images; the published files hold 124,800 + 20,800 (NIST's page: 145,600 characters), and the files decide.
"""

from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.pairs import Pair, Pairs, read_pair, require, summarize
from ganaug.errors import UserError

FOLDED = frozenset("CIJKLMOPSUVWXYZ")
_DIGITS = tuple("0123456789")
_UPPER_OF_BALANCED = tuple(f"{c}/{c.lower()}" if c in FOLDED else c for c in ascii_uppercase)


@dataclass(frozen=True)
class Protocol:
    """Which files, which of their labels, and what the classes are called.

    split: torchvision's name of the files.  allowed: the labels the files may hold.
    first: the stored label of class 0; classes follow one by one, and images with other labels are left out.
    counts: training and test images in the files, before any are left out.
    """

    split: str
    allowed: range
    first: int
    classes: tuple[str, ...]
    counts: tuple[int, int]


_BALANCED = _DIGITS + _UPPER_OF_BALANCED + tuple("abdefghnqrt")
PROTOCOLS = {
    "balanced": Protocol("balanced", range(47), 0, _BALANCED, (112_800, 18_800)),
    "balanced-upper": Protocol("balanced", range(47), 10, _UPPER_OF_BALANCED, (112_800, 18_800)),
    "byclass-upper": Protocol("byclass", range(62), 10, tuple(ascii_uppercase), (697_932, 116_323)),
    "letters": Protocol("letters", range(1, 27), 1, tuple(ascii_uppercase), (124_800, 20_800)),
}


def _protocol(name: str) -> Protocol:
    if name not in PROTOCOLS:
        raise UserError(f"emnist: protocol must be one of {', '.join(PROTOCOLS)}, got {name!r}")
    return PROTOCOLS[name]


def _pairs(data_dir: Path, name: str, counts: tuple[int, int] | None) -> Pairs:
    protocol = _protocol(name)
    train, test = (
        Pair(f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte", n, protocol.allowed)
        for prefix, n in zip(
            (f"emnist-{protocol.split}-train", f"emnist-{protocol.split}-test"),
            counts or protocol.counts,
            strict=True,
        )
    )
    return Pairs(f"emnist-{name}", data_dir / "EMNIST" / "raw", train, test)


def _read_kept(folder: Path, pair: Pair, protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    """Upright images (n, 1, 28, 28) uint8 and labels (n,) int64 from 0, of the protocol's classes only."""
    images, stored = read_pair(folder, pair)
    labels = stored.astype(np.int64) - protocol.first
    keep = (labels >= 0) & (labels < len(protocol.classes))
    upright = images[keep].transpose(0, 2, 1)  # stored column by column: (n, W, H) -> (n, H, W)
    return np.ascontiguousarray(upright)[:, None], labels[keep]


def missing_emnist(data_dir: Path, protocol: str = "balanced") -> list[Path]:
    """The files that `load_emnist` would not find. Raises UserError for an unknown protocol."""
    return _pairs(data_dir, protocol, None).missing()


def summarize_emnist(data_dir: Path, protocol: str = "balanced", counts: tuple[int, int] | None = None) -> Summary:
    """What `load_emnist` would load. Raises UserError for an unknown protocol or damaged labels."""
    chosen = _protocol(protocol)
    return summarize(_pairs(data_dir, protocol, counts), chosen.classes, chosen.first)


def load_emnist(data_dir: Path, protocol: str = "balanced", counts: tuple[int, int] | None = None) -> Dataset:
    """EMNIST, upright: (N, 1, 28, 28) uint8, training images first, then the official test.

    protocol: `balanced` (47 classes), `balanced-upper` (its A to Z, 15 of them with lower case folded in),
    `byclass-upper` (true capitals only, unbalanced) or `letters` (both cases of each letter in one class).
    counts: images that training and test files must hold: the official ones, unless a test makes small files.
    Raises UserError, one line, for an unknown protocol and for absent or damaged files.
    """
    chosen = _protocol(protocol)
    pairs = _pairs(data_dir, protocol, counts)
    require(pairs)
    train_images, train_labels = _read_kept(pairs.folder, pairs.train, chosen)
    test_images, test_labels = _read_kept(pairs.folder, pairs.test, chosen)
    labels = np.concatenate([train_labels, test_labels])
    return Dataset(
        pairs.name,
        chosen.classes,
        images=np.concatenate([train_images, test_images]),
        labels=labels,
        test=np.arange(len(labels)) >= len(train_labels),
    )
