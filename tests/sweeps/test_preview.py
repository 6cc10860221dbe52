"""`ganaug preview`: the pictures are what a study trains with, and nobody's test images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ganaug.classifiers import fit as fitting
from ganaug.datasets.digits import load_digits
from ganaug.errors import UserError
from ganaug.images import to_float, to_uint8
from ganaug.randomness import derive
from ganaug.specs import DA_TYPES, AugmentationSpec, ClassifierSpec
from ganaug.split import hold_out
from sweeps import preview
from sweeps.cli import app
from sweeps.study import Study

STUDY = Study.model_validate(
    {"name": "p", "dataset": {"name": "digits"}, "factors": {"n_real": [1]}, "gan": {"name": "cgan"}}
)


def run(*arguments: str) -> tuple[list[str], BaseException | None]:
    done = CliRunner().invoke(app, ["preview", *arguments])
    return done.output.splitlines(), done.exception


@pytest.mark.parametrize("da", ["rotation", "hflip", "rotation+hflip+brightness"])
def test_the_variants_are_those_a_classifier_of_seed_0_is_given_first(da, monkeypatch):
    seen = []
    real = fitting.online

    def watched(*arguments):
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(fitting, "online", watched)
    image = load_digits(Path()).images[3]
    six = np.repeat(image[None], 6, axis=0)
    spec = ClassifierSpec(steps=1, batch=6, width=8)
    fitting.fit(spec, six, np.zeros(6, np.int64), 10, derive(0, "member", 0), tuple(da.split("+")), AugmentationSpec())
    assert np.array_equal(preview.variants(image, da, AugmentationSpec(), six), to_uint8(seen[0]).numpy())
    assert not np.array_equal(to_uint8(seen[0]), to_uint8(to_float(six)))


def test_every_type_has_a_row_and_several_together_one_more(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert preview.rows_of("all") == list(DA_TYPES)
    assert preview.rows_of("shift+hflip") == ["shift", "hflip", "shift+hflip"]
    told, error = run("hflip+channel_shift", "--data", "digits", "--set", "augmentation.channel_shift=0.2")
    assert error is None
    assert told == [
        "digits: 10 classes, 1,797 images, no official test images",
        "offline hflip: asked for 200 new images from 100 real ones, 100 of them differ from each other and from the "
        "real ones; 200 different images in all",
        "offline channel_shift: asked for 200 new images from 100 real ones, 0 of them differ from each other and from "
        "the real ones; 100 different images in all",
        "preview-hflip+channel_shift-digits.png",
    ]
    with Image.open(told[-1]) as picture:
        assert picture.height > 400


def test_none_is_a_look_at_thirty_images_of_the_study_that_are_not_test_images(tmp_path, monkeypatch):
    import analysis.figures.preview as figures

    shown = []
    drawn = figures.look
    monkeypatch.setattr(figures, "look", lambda images, names, said: shown.append(images) or drawn(images, names, said))
    told, error = run("none", "--study", "quickstart", "--out", str(tmp_path / "look.png"))
    assert error is None
    assert told[0].startswith("digits: 10 classes, ")
    dataset = load_digits(Path())
    (images,) = shown
    assert images.shape == (30, 1, 8, 8)
    test = {image.tobytes() for image in dataset.images[hold_out(dataset, 70)]}
    assert not test & {image.tobytes() for image in images}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hflip",), "preview: needs --data NAME or --study STUDY, one of them; `ganaug data` lists the data sets"),
        (("hflip", "--data", "digit"), "preview: dataset.name: unknown data set 'digit'; did you mean 'digits'?"),
        (("zoom", "--data", "digits", "--set", "augmentation.zoom=[2, 1]"),
         "preview: augmentation.zoom: must be a number in [0, 1) or [low, high] with 0 < low <= high, got [2, 1]"),
        (("shift+width_shift", "--data", "digits"), "preview: shift moves both axes, so width_shift and height_shift "
         "are in it, got 'shift+width_shift'; drop one; or all"),
    ],
)  # fmt: skip
def test_refusals_are_prose(arguments, told):
    _, error = run(*arguments)
    assert isinstance(error, UserError)
    assert str(error) == told
