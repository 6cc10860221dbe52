import dataclasses

import pytest
from tiny import CELL, CGAN, POOL

from ganaug.recipe import recipe
from ganaug.specs import AugmentationSpec
from ganaug.stages import Augment, Measure, Split

REAL_ONLY = dataclasses.replace(CELL, n_gen=0)
STRONG = AugmentationSpec(rotation=99)


def key(cell, **changed):
    return recipe(dataclasses.replace(cell, **changed)).key


@pytest.mark.parametrize(
    "changed",
    [
        {"gan": CGAN},
        {"threshold": 0.9},
        {"gan_da": ()},
        {"gan_da": ("zoom", "shear")},
        {"n_da": 77},
        {"n_da": None},
        {"pool": POOL.model_copy(update={"chunk": 20})},
    ],
    ids=lambda c: next(iter(c)),
)
def test_without_generated_images_their_making_does_not_matter(changed):
    assert key(REAL_ONLY, **changed) == recipe(REAL_ONLY).key
    assert key(CELL, **changed) != recipe(CELL).key


def test_without_augmentation_its_strength_does_not_matter():
    assert key(REAL_ONLY, clf_da=(), augmentation=STRONG) == key(REAL_ONLY, clf_da=())
    assert key(REAL_ONLY, augmentation=STRONG) != recipe(REAL_ONLY).key
    plain = dataclasses.replace(CELL, clf_da=(), gan_da=())
    assert key(plain, augmentation=STRONG) == key(plain, n_da=77) == recipe(plain).key


@pytest.mark.parametrize("cell", [CELL, REAL_ONLY], ids=["generated", "real only"])
@pytest.mark.parametrize(
    "changed",
    [{"dataset": "other"}, {"n_real": 6}, {"clf_da": ()}, {"seed": 1}, {"n_validation": 5}, {"classifier_seeds": 2}],
    ids=lambda c: next(iter(c)),
)
def test_what_always_matters(cell, changed):
    assert key(cell, **changed) != recipe(cell).key


def generator(**changed):
    selected = recipe(dataclasses.replace(CELL, **changed)).classifiers[0].extra
    assert selected is not None
    return selected.generator


def test_cells_share_a_generator_whatever_is_taken_from_it():
    for changed in ({"n_gen": 9}, {"threshold": 0.9}, {"clf_da": ()}, {"classifier_seeds": 3}):
        assert generator(**changed).key == generator().key
    for changed in ({"n_real": 6}, {"gan_da": ()}, {"seed": 1}, {"gan": CGAN}, {"n_da": 4}):
        assert generator(**changed).key != generator().key


def test_as_many_augmented_images_as_real_ones_unless_said():
    images = generator(n_da=None).images
    assert isinstance(images, Augment)
    assert images.n_da == CELL.n_real
    assert isinstance(generator(gan_da=()).images, Split)


def test_members_differ_in_nothing_but_their_number():
    measure = recipe(dataclasses.replace(CELL, classifier_seeds=3))
    assert isinstance(measure, Measure)
    assert [c.member for c in measure.classifiers] == [0, 1, 2]
    assert len({dataclasses.replace(c, member=0).key for c in measure.classifiers}) == 1
