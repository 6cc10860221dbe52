import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganaug.datasets
from ganaug.datasets import DATASETS, load, missing, summary
from ganaug.errors import UserError


def refusal(name: str, data_dir: Path = Path("data"), **options: object) -> str:
    with pytest.raises(UserError) as caught:
        load(name, data_dir, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_torch_is_loaded_to_read_images(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "pets" / name / "a.png")
    script = (
        "import sys; from ganaug.datasets import *; import ganaug.datasets.fetch\n"
        f"load('digits', '.'); load('folder', {str(tmp_path)!r}, path='pets', size=8)\n"
        "options = {'folder': {'path': 'x'}, 'etl': {'set': 'etl7'}}\n"
        "[missing(name, '.', **options.get(name, {})) for name in DATASETS]\n"
        "assert not {'torch', 'torchvision', 'ray'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(ganaug.datasets.__file__).parents[2])


def test_an_unknown_name_lists_the_known_ones_and_guesses():
    assert refusal("fashion_mnist") == (
        f"dataset must be one of {', '.join(DATASETS)}, got 'fashion_mnist'; did you mean fashion-mnist?"
    )
    assert refusal("cifar").endswith("got 'cifar'; did you mean cifar10?")
    assert refusal("imagenet").endswith("got 'imagenet'")


def test_options_that_do_not_apply_are_refused():
    assert refusal("mnist", protocol="letters") == "mnist takes no options, got 'protocol'; leave it out"
    assert refusal("emnist", size=8) == "emnist takes protocol, got 'size'; leave it out"
    assert refusal("folder", sise=8) == "folder takes path, size, channels, on_bad_image, got 'sise'; leave it out"
    known = "path, size, channels, on_bad_image"
    assert refusal("folder", path="x") == f"folder needs the option 'size', got none; it takes {known}"
    assert refusal("folder", size=8) == f"folder needs the option 'path', got none; it takes {known}"


def test_none_is_left_out():
    assert len(load("digits", "nowhere", protocol=None, size=None, channels=None, path=None).labels) == 1797


def test_a_folder_lies_below_the_data_folder_unless_absolute(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        Image.new("L", (8, 8), 9).save(tmp_path / "pets" / name / "a.png")
    below = load("folder", tmp_path, path="pets", size=4)
    absolute = load("folder", "nowhere", path=str(tmp_path / "pets"), size=4)
    np.testing.assert_array_equal(below.images, absolute.images)
    assert missing("folder", tmp_path, path="pets", size=4) == []
    assert summary("folder", tmp_path, path="pets").per_class == (1, 1)


def test_a_folder_that_is_not_below_the_data_folder_is_looked_for_from_here(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "mine" / name / "1.png")
    monkeypatch.chdir(tmp_path)
    assert load("folder", Path("data"), path="mine", size=8).classes == ("a", "b")


def test_every_data_set_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr("ganaug.datasets.mnist.DEBIAN_FASHION_MNIST", tmp_path / "debian")
    options = {"folder": {"path": "pets"}, "etl": {"set": "etl7"}}
    lacking = {name: missing(name, tmp_path, **options.get(name, {})) for name in DATASETS}
    assert {name: len(paths) for name, paths in lacking.items()} == {
        "mnist": 4,
        "kmnist": 4,
        "fashion-mnist": 4,
        "emnist": 4,
        "digits": 0,
        "cifar10": 1,
        "celeba": 1,
        "pomeranian": 3,
        "folder": 1,
        "etl": 4,
        "glyphs": 0,
    }
    assert lacking["mnist"][0] == tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    assert lacking["emnist"][0] == tmp_path / "EMNIST" / "raw" / "emnist-balanced-train-images-idx3-ubyte.gz"
    found = summary("emnist", tmp_path, protocol="letters")
    assert not found.present
    assert found.per_class is None
    assert len(found.classes) == 26


def test_names_are_reexported():
    assert all(hasattr(ganaug.datasets, name) for name in ganaug.datasets.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'laod'"):
        _ = ganaug.datasets.laod
