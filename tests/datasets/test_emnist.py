from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import numpy as np
import pytest

from ganaug.datasets.emnist import FOLDED, PROTOCOLS, load_emnist, missing_emnist, summarize_emnist
from ganaug.errors import UserError

# Every label of a split once in training, backwards once in the test file.
LABELS = {"balanced": np.arange(47), "byclass": np.arange(62), "letters": np.arange(1, 27)}


@pytest.fixture
def data_dir(tmp_path, write_split) -> Path:
    for split, labels in LABELS.items():
        write_split(tmp_path / "EMNIST" / "raw", f"emnist-{split}-train", labels, "")
        write_split(tmp_path / "EMNIST" / "raw", f"emnist-{split}-test", labels[::-1], "")
    return tmp_path


def counts(protocol: str) -> tuple[int, int]:
    n = len(LABELS[PROTOCOLS[protocol].split])
    return n, n


def refusal(data_dir: Path, protocol: str, sizes: tuple[int, int] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        load_emnist(data_dir, protocol, sizes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_glyph_stands_upright(tmp_path, write_idx):
    """The publisher stores a letter column by column; an L has its foot at the bottom right."""
    letter = np.zeros((28, 28), np.uint8)
    letter[4:24, 8] = 255  # the stem
    letter[23, 8:20] = 255  # the foot
    raw = tmp_path / "EMNIST" / "raw"
    for split in ("train", "test"):
        write_idx(raw / f"emnist-letters-{split}-images-idx3-ubyte.gz", letter.T[None])
        write_idx(raw / f"emnist-letters-{split}-labels-idx1-ubyte.gz", np.array([12], np.uint8))
    dataset = load_emnist(tmp_path, "letters", (1, 1))
    np.testing.assert_array_equal(dataset.images[0, 0], letter)
    assert dataset.classes[dataset.labels[0]] == "L"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_torchvision_reads_the_same_but_lying_down(data_dir, protocol):
    reference = pytest.importorskip("torchvision.datasets").EMNIST
    ours, chosen = load_emnist(data_dir, protocol, counts(protocol)), PROTOCOLS[protocol]
    for train in (True, False):
        theirs = reference(data_dir, split=chosen.split, train=train)
        labels = theirs.targets.numpy()
        kept = (labels >= chosen.first) & (labels < chosen.first + len(chosen.classes))
        mine = ours.test != train
        np.testing.assert_array_equal(ours.images[mine, 0], theirs.data.numpy()[kept].transpose(0, 2, 1))
        # torchvision's names for the same images are the law for ours: "C/c" is its "C".
        names = [theirs.classes[label] for label in labels[kept]]
        shown = [ours.classes[label].split("/")[0] for label in ours.labels[mine]]
        assert shown == ([name.upper() for name in names] if protocol == "letters" else names)


def test_class_names_say_what_is_folded_in():
    torchvision = pytest.importorskip("torchvision.datasets")
    assert {c.lower() for c in FOLDED} == torchvision.EMNIST._merged_classes
    upper = PROTOCOLS["balanced-upper"].classes
    assert upper[:4] == ("A", "B", "C/c", "D")
    assert sum("/" in name for name in upper) == 15
    balanced = PROTOCOLS["balanced"].classes
    assert len(balanced) == len(set(balanced)) == 47
    assert balanced[10:36] == upper
    # Every character is in exactly one class, merged or not.
    assert sorted("".join(balanced).replace("/", "")) == sorted("0123456789" + ascii_uppercase + ascii_lowercase)
    assert PROTOCOLS["byclass-upper"].classes == PROTOCOLS["letters"].classes == tuple(ascii_uppercase)


@pytest.mark.parametrize(
    ("protocol", "n"), [("balanced", 47), ("balanced-upper", 26), ("byclass-upper", 26), ("letters", 26)]
)
def test_a_protocol_keeps_its_classes_only(data_dir, protocol, n):
    dataset = load_emnist(data_dir, protocol, counts(protocol))
    assert dataset.name == f"emnist-{protocol}"
    assert dataset.labels[~dataset.test].tolist() == list(range(n))
    assert dataset.labels[dataset.test].tolist() == list(range(n))[::-1]
    found = summarize_emnist(data_dir, protocol, counts(protocol))
    assert (found.classes, found.per_class, found.size) == (dataset.classes, (2, 2), 28)


def test_official_counts_are_those_of_the_published_files():
    per_class = {name: (p.counts[0] / 47, p.counts[1] / 47) for name, p in PROTOCOLS.items() if p.split == "balanced"}
    assert set(per_class.values()) == {(2_400, 400)}
    assert PROTOCOLS["byclass-upper"].counts == (697_932, 116_323)
    assert sum(PROTOCOLS["byclass-upper"].counts) == 814_255
    assert sum(PROTOCOLS["letters"].counts) == 145_600


def test_ten_images_with_thirty_labels_are_refused_though_torchvision_loads_them(tmp_path, write_idx):
    raw = tmp_path / "EMNIST" / "raw"
    for split in ("train", "test"):
        write_idx(raw / f"emnist-balanced-{split}-images-idx3-ubyte", np.zeros((10, 28, 28), np.uint8))
        write_idx(raw / f"emnist-balanced-{split}-labels-idx1-ubyte", np.zeros(30, np.uint8))
    theirs = pytest.importorskip("torchvision.datasets").EMNIST(tmp_path, split="balanced")
    assert (len(theirs.data), len(theirs.targets)) == (10, 30)
    images = raw / "emnist-balanced-train-images-idx3-ubyte"
    assert refusal(tmp_path, "balanced", (30, 30)) == (
        f"{images}: must hold 30 images of 28 x 28 pixels, one per label, got 10 x 28 x 28; "
        "replace it with the publisher's file"
    )


def test_mistakes_are_one_line(data_dir, write_idx):
    raw = data_dir / "EMNIST" / "raw"
    assert refusal(data_dir, "upper") == (
        "emnist: protocol must be one of balanced, balanced-upper, byclass-upper, letters, got 'upper'"
    )
    assert "must hold 112800 labels, got 47" in refusal(data_dir, "balanced")
    write_idx(raw / "emnist-letters-train-labels-idx1-ubyte", np.arange(26, dtype=np.uint8))
    assert "labels must lie in 1 to 26, got 0 to 25" in refusal(data_dir, "letters", (26, 26))
    (raw / "emnist-byclass-test-images-idx3-ubyte").unlink()
    assert missing_emnist(data_dir, "byclass-upper") == [raw / "emnist-byclass-test-images-idx3-ubyte.gz"]
    assert refusal(data_dir, "byclass-upper").endswith(
        f"emnist-byclass-test-images-idx3-ubyte.gz (or gunzipped, without .gz) into {raw}"
    )
