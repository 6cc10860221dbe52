import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganaug.datasets.folder import load_folder, missing_folder, summarize_folder
from ganaug.errors import UserError


def picture(path: Path, value: int | tuple[int, ...] = 100, mode: str = "L", shape: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, shape, value).save(path)
    return path


@pytest.fixture
def pets(tmp_path) -> Path:
    """Two classes; file names whose natural order is not their alphabetical order."""
    for name, value in (("img10", 30), ("img2", 20), ("img1", 10)):
        picture(tmp_path / "pets" / "dog" / f"{name}.png", value)
    picture(tmp_path / "pets" / "cat" / "a.JPEG", 200)
    return tmp_path / "pets"


def refusal(path: Path, size: int = 8, channels: int | None = None) -> str:
    with pytest.raises(UserError) as caught:
        load_folder(path, size, channels)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), "PATH")


def test_classes_and_files_come_in_natural_order(pets):
    dataset = load_folder(pets, 8)
    assert dataset.name == "pets"
    assert dataset.classes == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 1, 1, 1]
    assert dataset.images[1:, 0, 0, 0].tolist() == [10, 20, 30]
    assert dataset.test is None
    assert dataset.digest() == load_folder(pets, 8).digest()
    found = summarize_folder(pets)
    assert (found.present, found.classes, found.per_class) == (True, ("cat", "dog"), (1, 3))


def test_classes_with_numbers_come_in_natural_order(tmp_path):
    for name in ("class 10", "class 9", "class 1", "٣", "3"):
        picture(tmp_path / name / "a.png")
    assert load_folder(tmp_path, 8).classes == ("3", "class 1", "class 9", "class 10", "٣")


def test_one_pixel_changes_the_digest(pets):
    before = load_folder(pets, 8).digest()
    image = Image.open(pets / "dog" / "img1.png")
    image.putpixel((3, 3), 11)
    image.save(pets / "dog" / "img1.png")
    assert load_folder(pets, 8).digest() != before


def test_one_colour_file_makes_the_data_set_colour_unless_told_otherwise(pets):
    assert load_folder(pets, 8).images.shape == (4, 1, 8, 8)
    picture(pets / "cat" / "b.png", (255, 0, 0), "RGB")
    auto = load_folder(pets, 8)
    assert auto.images.shape == (5, 3, 8, 8)
    assert auto.images[1, :, 0, 0].tolist() == [255, 0, 0]
    assert load_folder(pets, 8, 1).images[1, 0, 0, 0] == 76  # 0.299 * 255, ITU-R 601-2


def test_train_and_test_folders_are_the_official_split(tmp_path, pets):
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            picture(tmp_path / "split" / part / name / "a.png", 10 if part == "train" else 90)
    dataset = load_folder(tmp_path / "split", 8)
    assert dataset.classes == ("cat", "dog")
    assert dataset.test.tolist() == [False, False, True, True]
    assert dataset.images[:, 0, 0, 0].tolist() == [10, 10, 90, 90]
    picture(tmp_path / "split" / "test" / "emu" / "a.png")
    assert refusal(tmp_path / "split") == (
        "PATH: train/ and test/ must have the same classes, got 'emu' in one of them only"
    )


def test_photographs_of_trains_and_tests_are_two_classes(tmp_path):
    for name in ("train", "test"):
        picture(tmp_path / name / "a.png")
    dataset = load_folder(tmp_path, 8)
    assert dataset.classes == ("test", "train")
    assert dataset.test is None


def test_hidden_files_and_notes_are_no_images(pets):
    (pets / "cat" / ".DS_Store").write_bytes(b"x")
    (pets / "cat" / "notes.txt").write_text("x")
    (pets / ".git").mkdir()
    assert len(load_folder(pets, 8).images) == 4


def test_layouts_that_are_not_understood_are_one_line(tmp_path, pets):
    assert refusal(tmp_path / "absent") == (
        "PATH: no such folder; `path` must name a folder with one sub-folder of images per class"
    )
    assert missing_folder(tmp_path / "absent") == [tmp_path / "absent"]
    assert not summarize_folder(tmp_path / "absent").present
    (tmp_path / "flat").mkdir()
    assert refusal(tmp_path / "flat") == "PATH: must have one sub-folder of images per class, got no sub-folders"
    picture(tmp_path / "one" / "cat" / "a.png")
    assert load_folder(tmp_path / "one", 8).classes == ("cat",), "one class is enough for a study of generators"
    for i in range(257):
        picture(tmp_path / "many" / f"c{i}" / "a.png")
    assert refusal(tmp_path / "many") == "PATH: must have at most 256 classes (sub-folders), got 257"
    (pets / "emu").mkdir()
    assert refusal(pets) == (
        "PATH/emu: a class must hold at least one PNG or JPEG image, got none; fill it or remove it"
    )
    (pets / "emu" / "a.webp").write_bytes(b"x")
    assert refusal(pets) == "PATH/emu/a.webp: images must be PNG or JPEG, got .webp; convert it or remove it"
    (pets / "emu" / "more").mkdir()
    assert refusal(pets) == (
        "PATH/emu: a class folder must hold images only, got the sub-folder 'more'; "
        "move its images up (an official split needs exactly train/ and test/ at the top)"
    )


def test_class_names_must_fit_on_a_line(pets):
    (pets / "cat").rename(pets / "c\nat")
    assert refusal(pets) == "PATH: class names must be printable, got 'c\\nat'; rename the folder"


@pytest.mark.parametrize("size", [0, 3, 1025, 8.0, True, "8"])
def test_size_is_a_whole_number_in_range(pets, size):
    assert refusal(pets, size) == f"folder: size must be a whole number of pixels from 4 to 1024, got {size!r}"


@pytest.mark.parametrize("channels", [0, 2, 4, True, "1"])
def test_channels_are_one_or_three(pets, channels):
    assert refusal(pets, 8, channels) == (
        f"folder: channels must be 1 (grey), 3 (colour) or left out, got {channels!r}"
    )


def test_an_unreadable_image_is_named(pets):
    path = pets / "cat" / "b.png"
    path.write_bytes((pets / "dog" / "img1.png").read_bytes()[:50])
    assert refusal(pets).startswith("PATH/cat/b.png: must be a whole PNG or JPEG image, got “")
    assert refusal(pets).endswith("”; replace or remove it")


def test_bad_images_are_left_out_where_that_is_asked_for(pets):
    whole = load_folder(pets, 8)
    bad = [pets / "cat" / "b.png", pets / "dog" / "zz.jpg"]
    bad[0].write_bytes((pets / "dog" / "img1.png").read_bytes()[:50])
    bad[1].write_bytes(b"no image")
    found = load_folder(pets, 8, on_bad_image="skip")
    assert found.skipped == tuple(map(str, bad))
    assert load_folder(pets, 8, 1, "skip").skipped == found.skipped
    assert (found.digest(), found.classes) == (whole.digest(), whole.classes)
    assert whole.skipped == ()
    for path in (pets / "cat").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(UserError) as caught:
        load_folder(pets, 8, on_bad_image="skip")
    assert str(caught.value) == f"{pets}: class 'cat' has no whole image left, every one was skipped"
    with pytest.raises(UserError, match=r"^folder: on_bad_image must be refuse or skip, got 'ignore'$"):
        load_folder(pets, 8, on_bad_image="ignore")


def test_a_pipe_among_the_images_does_not_block(pets):
    os.mkfifo(pets / "cat" / "pipe.png")
    assert refusal(pets) == "PATH/cat/pipe.png: must be a whole PNG or JPEG image, got no file; replace or remove it"


def test_images_are_shape_and_channel_of_the_request(pets):
    dataset = load_folder(pets, 16, 3)
    assert dataset.images.shape == (4, 3, 16, 16)
    np.testing.assert_array_equal(dataset.images[:, 0], dataset.images[:, 2])
