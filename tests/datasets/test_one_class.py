"""CelebA and the Pomeranians in their publishers' layouts, written small; damaged and foreign files are named."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganaug.datasets import load, missing, summary
from ganaug.errors import UserError


def face(path: Path, colour: int, size: tuple[int, int] = (178, 218)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), colour, np.uint8)
    pixels[:20] = pixels[-20:] = (0, 0, 255)  # cut off: the square about the centre begins at row 20
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    for i in range(8):
        face(tmp_path / "celeba" / "img_align_celeba" / f"{i + 1:06}.jpg", 20 * i + 40)
    return tmp_path


def refusal(call) -> str:
    with pytest.raises(UserError) as refused:
        call()
    return str(refused.value)


def test_faces_are_cut_about_the_centre_and_drawn_once(faces: Path) -> None:
    found = load("celeba", faces, size=16, images=5)
    assert (found.images.shape, found.classes, found.test) == ((5, 3, 16, 16), ("face",), None)
    assert not found.synthetic
    assert (found.images.std(axis=(1, 2, 3)) < 8).all(), "no blue of the part that is cut off"
    assert np.array_equal(found.images, load("celeba", faces, size=16, images=5).images)
    levels = found.images.mean(axis=(1, 2, 3))
    assert (np.diff(levels) > 0).all(), "in the order of the files"
    assert summary("celeba", faces).per_class == (8, 8)


def test_the_publishers_zip_file_gives_the_same(faces: Path) -> None:
    folder = faces / "celeba" / "img_align_celeba"
    other = faces / "zipped" / "celeba"
    other.mkdir(parents=True)
    with zipfile.ZipFile(other / "img_align_celeba.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"img_align_celeba/{path.name}")
    one, two = (load("celeba", place, size=16, images=5) for place in (faces, faces / "zipped"))
    assert one.digest() == two.digest()


def test_faces_that_cannot_be_used_are_one_line(faces: Path, tmp_path: Path) -> None:
    folder = faces / "celeba" / "img_align_celeba"
    assert refusal(lambda: load("celeba", tmp_path / "none", size=16)) == (
        "celeba needs its aligned images: put img_align_celeba.zip or the folder img_align_celeba into "
        f"{tmp_path / 'none' / 'celeba'}"
    )
    assert missing("celeba", tmp_path / "none") == [tmp_path / "none" / "celeba" / "img_align_celeba.zip"]
    assert refusal(lambda: load("celeba", faces, size=16, images=9)) == (
        f"dataset.images: {folder} holds 8 images, got 9; ask for fewer"
    )
    assert refusal(lambda: load("celeba", faces, size=3)) == (
        "dataset.size: must be a whole number of pixels from 4 to 1024, got 3"
    )
    face(folder / "000003.jpg", 0, (64, 64))
    assert refusal(lambda: load("celeba", faces, size=16, images=8)) == (
        f"{folder / '000003.jpg'}: must be an aligned image of 178 x 218 pixels, got 64 x 64"
    )
    whole = (folder / "000002.jpg").read_bytes()
    (folder / "000002.jpg").write_bytes(whole[: len(whole) // 2])
    assert refusal(lambda: load("celeba", faces, size=16, images=8)).startswith(
        f"{folder / '000002.jpg'}: must be a whole PNG or JPEG image, got “"
    )
    (tmp_path / "bad" / "celeba").mkdir(parents=True)
    (tmp_path / "bad" / "celeba" / "img_align_celeba.zip").write_bytes(b"PK no zip")
    assert "must be an undamaged zip archive, got “File is not a zip file”" in refusal(
        lambda: load("celeba", tmp_path / "bad", size=16)
    )


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    root = tmp_path / "oxford-iiit-pet"
    (root / "annotations").mkdir(parents=True)
    lines = {
        "trainval.txt": "# Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\n"
        "pomeranian_10 26 2 18\npomeranian_2 26 2 18\n",
        "test.txt": "pomeranian_1 26 2 18\npug_3 27 2 19\n",
    }
    for name, text in lines.items():
        (root / "annotations" / name).write_text(text)
    for i, name in enumerate(("pomeranian_1", "pomeranian_2", "pomeranian_10", "pug_3", "Abyssinian_1")):
        face(root / "images" / f"{name}.jpg", 50 * i, (40 + i, 30))
    return tmp_path


def test_pomeranians_come_from_both_halves_by_number(pets: Path) -> None:
    found = load("pomeranian", pets, size=8)
    assert (found.images.shape, found.classes, found.test) == ((3, 3, 8, 8), ("pomeranian",), None)
    assert summary("pomeranian", pets).per_class == (3, 3)
    annotations = pets / "oxford-iiit-pet" / "annotations"
    both = "".join((annotations / name).read_text() for name in ("trainval.txt", "test.txt"))
    (annotations / "list.txt").write_text(both)
    (annotations / "test.txt").unlink()
    assert np.array_equal(load("pomeranian", pets, size=8).images, found.images), "the list of all is as good"


def test_pomeranians_that_are_not_there_are_one_line(pets: Path, tmp_path: Path) -> None:
    root = tmp_path / "none" / "oxford-iiit-pet"
    assert refusal(lambda: load("pomeranian", tmp_path / "none", size=8)) == (
        "pomeranian needs the Oxford-IIIT Pet data set: put annotations/trainval.txt, annotations/test.txt, images "
        f"into {root}"
    )
    (pets / "oxford-iiit-pet" / "images" / "pomeranian_2.jpg").unlink()
    assert "images/pomeranian_2.jpg: must be a whole PNG or JPEG image" in refusal(
        lambda: load("pomeranian", pets, size=8)
    )
