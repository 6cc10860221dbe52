from itertools import product

import numpy as np
import pytest
from tiny import images as split_images

from ganaug.artifact import Artifact, NoResult
from ganaug.errors import LeakError
from ganaug.mix import mix, refuse_test_images

SPLIT = split_images(3, 2)
GENERATED = Artifact(
    {
        "images": np.full((4, 1, 8, 8), 9, np.uint8),
        "labels": np.array([0, 0, 5, 9]),
        "ids": np.array(["k/0/0", "k/0/1", "k/5/0", "k/9/2"]),
    }
)


@pytest.mark.parametrize(
    ("real", "validation", "generated"),
    [some for some in product((False, True), (False, True), (None, GENERATED)) if any(some)],
)
def test_real_then_validation_then_generated_each_with_its_id(real, validation, generated):
    images, labels, ids = mix(SPLIT, generated, real, validation)
    names = ["real"] * real + ["validation"] * validation
    assert len(images) == len(labels) == len(ids) == 30 * real + 20 * validation + 4 * (generated is not None)
    expected = [str(i) for n in names for i in SPLIT.arrays[f"{n}_ids"]]
    assert ids.tolist() == expected + (GENERATED.arrays["ids"].tolist() if generated else [])
    assert len(set(ids)) == len(ids)
    if names:
        assert np.array_equal(images[: len(expected)], np.concatenate([SPLIT.arrays[n] for n in names]))
        assert np.array_equal(labels[: len(expected)], np.concatenate([SPLIT.arrays[f"{n}_labels"] for n in names]))
    if generated:
        assert np.array_equal(images[-4:], GENERATED.arrays["images"])
        assert labels[-4:].tolist() == [0, 0, 5, 9]


def test_nothing_to_train_on_is_no_result():
    nothing = Artifact({k: v[:0] for k, v in GENERATED.arrays.items()})
    with pytest.raises(NoResult, match="nothing to train on") as none:
        mix(SPLIT, nothing, include_real=False, include_validation=False)
    assert none.value.status == "starved"


@pytest.mark.parametrize("where", ["in the training set", "among those that GAN and filter learned from"])
def test_a_test_image_in_the_training_set_is_refused(where):
    ids = np.array(["12", "k/0/1", "7"])
    refuse_test_images(ids, np.array([1, 2, 127]), where)  # as words, 12 is not in 127
    with pytest.raises(LeakError, match=f"^1 test images are {where}, the first with id 7$"):
        refuse_test_images(ids, np.array([1, 2, 7]), where)
