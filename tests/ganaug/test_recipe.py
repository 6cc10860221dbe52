import dataclasses

import pytest
from tiny import CELL, CGAN, POOL

from ganaug.recipe import recipe, strict, validation
from ganaug.specs import (
    AgreementFilterSpec,
    AugmentationSpec,
    DiscriminatorFilterSpec,
    JudgeSpec,
    MemorisationFilterSpec,
    MetropolisHastingsFilterSpec,
    MixingSpec,
    NeighboursFilterSpec,
    RejectionFilterSpec,
)
from ganaug.stages import Augment, FitJudge, Measure, Split, TestImages, ancestors

REAL_ONLY = dataclasses.replace(CELL, n_gen=0)
STRONG = AugmentationSpec(rotation=99)
FILTERS = (
    DiscriminatorFilterSpec(),
    DiscriminatorFilterSpec(rank=True),
    AgreementFilterSpec(),
    NeighboursFilterSpec(measure="density", k=3),
    MemorisationFilterSpec(),
    RejectionFilterSpec(gamma=0.8),
    MetropolisHastingsFilterSpec(chain=3),
)


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
        {"filter": AgreementFilterSpec(threshold=0.3)},
        {"mixing": MixingSpec(weight=0.5)},
    ],
    ids=lambda c: next(iter(c)),
)
def test_without_generated_images_their_making_does_not_matter(changed):
    assert key(REAL_ONLY, **changed) == recipe(REAL_ONLY).key
    assert key(CELL, **changed) != recipe(CELL).key


@pytest.mark.parametrize("one", FILTERS, ids=lambda f: f.name)
def test_under_threshold_zero_a_cell_is_the_same_whatever_its_filter(one):
    assert key(CELL, filter=one, threshold=0.0) == recipe(CELL).key
    assert key(CELL, filter=one, judge=JudgeSpec(folds=7)) == recipe(CELL).key
    assert key(CELL, filter=one.model_copy(update={"also": AgreementFilterSpec()})) == recipe(CELL).key
    strict = key(CELL, filter=one, threshold=0.5)
    assert strict != recipe(CELL).key
    assert strict == key(CELL, filter=one.model_copy(update={"threshold": 0.5}))
    if one != DiscriminatorFilterSpec():
        assert strict != key(CELL, threshold=0.5)


@pytest.mark.parametrize("one", FILTERS, ids=lambda f: f.name)
def test_a_filter_that_keeps_everything_leaves_the_others_as_they_are(one):
    open_, shut = AgreementFilterSpec(threshold=0.0), MemorisationFilterSpec(threshold=0.2)
    alone = strict(shut, 0.9)
    assert strict(one.model_copy(update={"threshold": 0.0, "also": shut}), 0.9) == alone
    assert strict(shut.model_copy(update={"also": one.model_copy(update={"threshold": 0.0})}), 0.9) == alone
    three = one.model_copy(update={"also": open_.model_copy(update={"also": shut})})
    assert strict(three, 0.9) == one.model_copy(update={"threshold": 0.9, "also": alone})


def test_the_factor_is_the_threshold_of_those_that_state_none():
    pair = RejectionFilterSpec(also=AgreementFilterSpec(threshold=0.4))
    assert strict(pair, 0.7) == RejectionFilterSpec(threshold=0.7, also=AgreementFilterSpec(threshold=0.4))


def judges(**changed):
    measure = recipe(dataclasses.replace(CELL, threshold=0.5, **changed))
    return {stage for stage in ancestors(measure) if isinstance(stage, FitJudge)}


def test_a_judge_is_fitted_only_where_it_is_asked_and_once_for_all_who_ask():
    asking = [f for f in FILTERS if f.name in ("agreement", "neighbours")]
    assert not any(judges(filter=f) for f in FILTERS if f not in asking)
    assert not judges(mixing=MixingSpec(weight=0.5, ratio=0.5))
    soft = judges(mixing=MixingSpec(soft_labels=0.5))
    also = judges(filter=RejectionFilterSpec(also=AgreementFilterSpec()))
    both = judges(filter=asking[0], mixing=MixingSpec(soft_labels=1))
    assert soft == also == both == judges(filter=asking[0]) == judges(filter=asking[1], n_gen=9, classifier_seeds=3)
    assert len(soft) == 1
    (judge,) = soft
    assert (judge.folds, judge.classifier.steps) == (CELL.judge.folds, CELL.classifier.steps)
    (own,) = judges(filter=asking[0], judge=JudgeSpec(folds=3, steps=7, da="zoom"))
    assert (own.folds, own.classifier.steps, own.da) == (3, 7, ("zoom",))


@pytest.mark.parametrize("changed", [{"include_real": False}, {"include_validation": True}], ids=str)
def test_a_judge_learns_from_the_real_images_whatever_the_classifier_does(changed):
    classifier = CELL.classifier.model_copy(update=changed)
    assert judges(filter=AgreementFilterSpec(), classifier=classifier) == judges(filter=AgreementFilterSpec())


@pytest.mark.parametrize(
    "mixing", [MixingSpec(weight=0.5), MixingSpec(ratio=0.5), MixingSpec(soft_labels=0.5)], ids=str
)
@pytest.mark.parametrize("arm", ["generated", "shuffled", "duplicated", "more-real"])
def test_mixing_is_part_of_every_cell_with_extra_images(arm, mixing):
    assert key(CELL, arm=arm, mixing=mixing) != key(CELL, arm=arm)


def test_a_search_sees_the_same_classifiers_and_no_test_images():
    for cell in (CELL, REAL_ONLY):
        assert validation(cell).classifiers == recipe(cell).classifiers
        assert not any(isinstance(a, TestImages) for a in ancestors(validation(cell)))


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
