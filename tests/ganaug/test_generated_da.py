"""Generated images as augmentation for a second GAN, copies of real ones that keep their share, and what leaks."""

import dataclasses

import numpy as np
import pytest
from tiny import CELL, POOL, PROJECTION, InMemory

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.errors import UserError
from ganaug.recipe import generator
from ganaug.specs import AugmentationSpec, DiffAugmentSpec
from ganaug.stages import AugmentGenerated, Pool, ancestors


def of(*types, n_da=6, copies=1):
    strength = AugmentationSpec(real_copies=copies)
    return generator(dataclasses.replace(CELL, gan_da=types, n_da=n_da, augmentation=strength))


@pytest.fixture(scope="module")
def memory():
    return InMemory()


def test_generated_images_come_from_a_first_gan_without_augmentation(memory):
    second = of("generated")
    first = of()
    assert isinstance(second.images, AugmentGenerated)
    assert first.key in {stage.key for stage in ancestors(second)}
    assert second.split.key == first.split.key
    made, real = memory.get(second.images).arrays, memory.get(first.split).arrays
    stream = memory.get(Pool(first, 0, POOL.chunk)).arrays["images"]
    assert np.array_equal(made["real"][: len(real["real"])], real["real"])
    for label in range(10):
        own = made["real"][len(real["real"]) :][made["real_labels"][len(real["real"]) :] == label]
        assert np.array_equal(own, stream[label, :6])
    assert (made["source"][len(real["real"]) :] == -1).all()


def test_a_pair_is_half_and_half(memory):
    made, n = memory.get(of("hflip", "generated", n_da=7).images).arrays, 50
    source, labels = made["source"][n:], made["real_labels"][n:]
    assert np.array_equal(np.bincount(labels[source == -1]), np.full(10, 3))
    assert np.array_equal(np.bincount(labels[source >= 0]), np.full(10, 4)), "the first type has the odd one"
    flipped = made["real"][n:][source >= 0]
    assert np.array_equal(flipped, made["real"][:n][source[source >= 0]][..., ::-1])


@pytest.mark.parametrize("types", [("negative",), ("generated",)])
def test_copies_of_the_real_images_keep_their_share(memory, types):
    """Twice the augmented images beside twice the real ones: twice the amount, the same ratio."""
    once, twice = (memory.get(of(*types, n_da=n, copies=k).images).arrays for n, k in ((5, 1), (10, 2)))
    assert len(twice["real"]) == 2 * len(once["real"]) == 200
    assert np.array_equal(twice["real"][:50], twice["real"][50:100])
    assert np.array_equal(twice["source"][:100], np.tile(np.arange(50), 2))


def test_without_augmentation_there_is_nothing_to_keep_a_share_of():
    assert of(copies=3).key == of().key


def test_a_pool_that_holds_too_few_is_refused(memory):
    with pytest.raises(UserError) as refused:
        memory.get(of("generated", n_da=41).images)
    assert str(refused.value) == "pool.max_per_class: n_da 41 asks for 41 images per class of the first GAN; raise it"


def test_a_first_gan_that_diverged_has_no_images_to_give(memory):
    stage = of("generated").images

    def get(needed):
        return Artifact({}, {"diverged": "a loss is not finite"}) if needed is stage.generator else memory.get(needed)

    with pytest.raises(NoResult) as none:
        stage.run(Work(get))
    assert (none.value.status, none.value.reason) == (
        "diverged", "the first GAN, whose images were to be added, diverged: a loss is not finite"
    )  # fmt: skip


def test_flips_inside_training_must_stay_below_one_half():
    with pytest.raises(ValueError, match=r"less than 0\.5"):
        DiffAugmentSpec(types="hflip", probability=0.5)
    with pytest.raises(ValueError, match="must be none or of hflip, vflip, negative, contrast, joined by"):
        DiffAugmentSpec(types="rotation")
    assert PROJECTION.diffaugment.types == "none"
