import dataclasses

import numpy as np
import pytest
from tiny import CELL, CLASSIFIER, InMemory, same

from ganaug.recipe import recipe
from ganaug.stages import FitClassifier

STAGE = recipe(dataclasses.replace(CELL, n_gen=0)).classifiers[0]


def stage(**changed) -> FitClassifier:
    return dataclasses.replace(STAGE, **changed)


def test_it_hands_on_its_weights_and_what_it_has_seen():
    evaluator = InMemory()
    made = evaluator.get(STAGE)
    split = evaluator.get(STAGE.split).arrays
    assert made.arrays["ids"].tolist() == split["real_ids"].astype(str).tolist()
    assert made.facts["shape"] == [1, 8, 8]
    assert len(made.facts["losses"]) == CLASSIFIER.steps
    assert same(made, InMemory().get(STAGE))


def test_validation_images_are_seen_where_asked_for():
    evaluator = InMemory()
    control = stage(classifier=CLASSIFIER.model_copy(update={"include_validation": True}))
    split = evaluator.get(control.split).arrays
    both = np.concatenate([split["real_ids"], split["validation_ids"]]).astype(str)
    assert evaluator.get(control).arrays["ids"].tolist() == both.tolist()


@pytest.mark.parametrize("changed", [{"member": 1}, {"da": ("hflip",)}, {"da": ()}])
def test_members_and_augmentations_differ(changed):
    evaluator = InMemory()
    one, other = evaluator.get(STAGE), evaluator.get(stage(**changed))
    assert not np.array_equal(one.arrays["net.out.weight"], other.arrays["net.out.weight"])


def test_members_start_apart_and_arms_start_alike():
    # with and without generated images: the same first weights and so a paired comparison; a step of 1e-9 keeps them
    spec = CLASSIFIER.model_copy(update={"learning_rate": 1e-9})
    evaluator = InMemory()
    generated = recipe(CELL).classifiers[0].extra
    first, arm, member = (
        evaluator.get(s).arrays["net.out.weight"]
        for s in (
            stage(classifier=spec),
            stage(classifier=spec, extra=generated),
            stage(classifier=spec, member=1),
        )
    )
    np.testing.assert_allclose(first, arm, atol=1e-6)
    assert not np.allclose(first, member, atol=1e-3)
