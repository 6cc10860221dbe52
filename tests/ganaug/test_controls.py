import dataclasses

import numpy as np
import pytest
from tiny import CELL, InMemory, images, imported

from ganaug.artifact import Artifact
from ganaug.controls import duplicate, more_real, shuffle
from ganaug.recipe import recipe
from ganaug.split import split
from ganaug.stages import Duplicate, MoreReal, Select, Shuffle, generator_of


def per_class(artifact: Artifact) -> list[int]:
    return np.bincount(artifact.arrays["labels"], minlength=10).tolist()


@pytest.mark.parametrize("n", [1, 4, 5, 12])
def test_duplicates_are_the_real_images_in_turn(n):
    real = images(n_real=5)
    copies = duplicate(real, n)
    assert per_class(copies) == [n] * 10
    ids, times = np.unique(copies.arrays["ids"], return_counts=True)
    assert set(ids) <= set(real.arrays["real_ids"])
    assert times.max() - (times.min() if n >= 5 else 1) <= 1, "no image is copied more often than another"
    where = {identity: i for i, identity in enumerate(real.arrays["real_ids"])}
    for image, label, identity in zip(*(copies.arrays[k] for k in ("images", "labels", "ids")), strict=True):
        assert np.array_equal(image, real.arrays["real"][where[identity]])
        assert label == real.arrays["real_labels"][where[identity]]
    assert copies.facts == {"accepted": [n] * 10, "candidates": [n] * 10, "wanted": n}


def test_shuffled_labels_have_nothing_to_do_with_their_images():
    labels = np.repeat(np.arange(10), 200)
    whole = Artifact({"images": np.arange(2000), "labels": labels, "ids": np.arange(2000)}, {"accepted": [200] * 10})
    mixed = shuffle(whole, seed=0)
    assert per_class(mixed) == [200] * 10
    assert np.array_equal(mixed.arrays["images"], whole.arrays["images"])
    assert np.array_equal(mixed.arrays["labels"], labels[mixed.arrays["labels_of"]])
    kept = (mixed.arrays["labels"] == labels).mean()
    assert kept == pytest.approx(0.1, abs=0.03), "a label is right as often as by chance"
    assert np.array_equal(shuffle(whole, 0).arrays["labels"], mixed.arrays["labels"])
    assert not np.array_equal(shuffle(whole, 1).arrays["labels"], mixed.arrays["labels"])


def test_more_real_images_are_those_of_the_larger_split():
    train, _ = imported()
    more = more_real(train, 5, 4, seed=3, n=7)
    larger = split(train, 12, 4, 3).arrays
    smaller = split(train, 5, 4, 3).arrays
    assert set(more.arrays["ids"]) == set(larger["real_ids"]) - set(smaller["real_ids"])
    assert not set(more.arrays["ids"]) & set(smaller["validation_ids"])
    assert per_class(more) == [7] * 10


def test_where_there_are_no_more_real_images_the_oracle_gets_what_there_is():
    train, _ = imported()
    counts = np.bincount(train.arrays["labels"])
    more = more_real(train, 100, 4, seed=0, n=100)
    assert per_class(more) == (counts - 104).tolist()
    assert more.facts["accepted"] == per_class(more)
    assert more.facts["wanted"] == 100


@pytest.mark.parametrize(
    ("arm", "kind"),
    [("generated", Select), ("shuffled", Shuffle), ("duplicated", Duplicate), ("more-real", MoreReal)],
)
def test_an_arm_is_one_stage(arm, kind):
    extra = recipe(dataclasses.replace(CELL, arm=arm)).classifiers[0].extra
    assert type(extra) is kind
    assert (generator_of(extra) is None) == (arm in ("duplicated", "more-real"))


def test_real_images_only_have_no_extra_ones():
    assert recipe(dataclasses.replace(CELL, n_gen=0, arm="real-only")).classifiers[0].extra is None
    with pytest.raises(ValueError, match=r"^arm real-only has no extra images, got n_gen 4$"):
        recipe(dataclasses.replace(CELL, arm="real-only"))


@pytest.mark.parametrize("arm", ["duplicated", "more-real"])
def test_a_control_without_a_gan_does_not_depend_on_one(arm):
    plain = dataclasses.replace(CELL, arm=arm)
    other = dataclasses.replace(plain, threshold=0.9, gan_da=(), gan=CELL.gan.model_copy(update={"steps": 9}))
    assert recipe(plain).key == recipe(other).key
    assert recipe(dataclasses.replace(plain, n_gen=5)).key != recipe(plain).key


def test_every_arm_is_measured_on_as_many_training_images():
    memory = InMemory()
    records = {
        arm: memory.get(recipe(dataclasses.replace(CELL, arm=arm)))
        for arm in ("generated", "shuffled", "duplicated", "more-real")
    }
    n_train = {arm: record.facts["n_train"] for arm, record in records.items()}
    assert set(n_train.values()) == {10 * (CELL.n_real + CELL.n_gen)}
    assert {r.facts["status"] for r in records.values()} == {"ok"}
    assert "calibration" in records["shuffled"].facts
    assert "calibration" not in records["duplicated"].facts
