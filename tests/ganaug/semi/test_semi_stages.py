"""Labelled, unlabelled, validation and test images never meet; and what a cell's key is made of."""

import dataclasses

import numpy as np
import pytest
from tiny import CELL, InMemory, imported

from ganaug.artifact import Artifact
from ganaug.errors import LeakError, UserError
from ganaug.recipe import Cell, recipe, validation
from ganaug.semi.images import random_labels, unlabelled
from ganaug.specs import FixMatchSpec, SemiGanSpec, SemiSpec
from ganaug.split import split
from ganaug.stages import FitSemi, TestImages

SEMI = SemiSpec(steps=4, labelled_batch=8, batch=8, width=8, n_unlabelled=100, gan=SemiGanSpec(width=8, latent=8))


def cell(arm: str = "semi-supervised", **changes: object) -> Cell:
    spec = SEMI.model_copy(update=changes)
    return dataclasses.replace(CELL, n_gen=0, clf_da=(), arm=arm, semi=spec)


def fit_of(own: Cell) -> FitSemi:
    (stage,) = recipe(own).classifiers
    assert isinstance(stage, FitSemi)
    return stage


def test_unlabelled_images_are_further_ones_in_no_class_s_favour() -> None:
    train = imported()[0]
    parts = split(train, 5, 4, 0)
    found = unlabelled(train, parts, 300, 0).arrays
    taken = np.concatenate([parts.arrays["real_ids"], parts.arrays["validation_ids"]])
    assert len(found["ids"]) == len(set(found["ids"])) == 300
    assert not np.isin(found["ids"], taken).any()
    assert "labels" not in found
    place = {i: k for k, i in enumerate(train.arrays["ids"])}
    at = np.array([place[i] for i in found["ids"]])
    assert np.array_equal(found["images"], train.arrays["images"][at])
    counts = np.bincount(train.arrays["labels"][at], minlength=10)
    assert counts.min() < counts.max(), "a balanced draw would have looked at labels"
    assert np.array_equal(unlabelled(train, parts, 50, 0).arrays["ids"], found["ids"][:50])
    assert not np.array_equal(unlabelled(train, parts, 300, 1).arrays["ids"], found["ids"])
    every = unlabelled(train, parts, 10**6, 0).arrays["ids"]
    assert len(every) == len(train.arrays["ids"]) - len(taken)


def test_where_every_image_is_labelled_none_is_left() -> None:
    train = imported()[0]
    everything = split(train, 5, 4, 0)
    everything.arrays["real_ids"] = train.arrays["ids"]
    with pytest.raises(UserError) as refusal:
        unlabelled(train, everything, 10, 0)
    assert str(refusal.value) == "n_real: no training image is left to be unlabelled; take fewer"


def test_random_labels_are_as_many_and_fall_where_they_fall() -> None:
    train = imported()[0]
    parts = split(train, 3, 4, 0)
    found = random_labels(train, parts, 0).arrays
    assert len(found["real_labels"]) == 30
    assert len(set(np.bincount(found["real_labels"], minlength=10))) > 1
    assert not np.isin(found["real_ids"], found["validation_ids"]).any()
    assert np.array_equal(found["validation_ids"], parts.arrays["validation_ids"])
    more = random_labels(train, split(train, 5, 4, 0), 0).arrays["real_ids"]
    assert np.array_equal(more[:30], found["real_ids"])


def test_the_control_is_one_cell_whatever_is_done_with_unlabelled_images() -> None:
    control = recipe(cell("real-only")).key
    changes = (
        {"method": "fixmatch"},
        {"n_unlabelled": 7},
        {"batch": 4},
        {"fewer_steps": 2},
        {"gan": SemiGanSpec()},
        {"fixmatch": FixMatchSpec(weight=2)},
    )
    assert all(recipe(cell("real-only", **change)).key == control for change in changes)
    assert recipe(cell("real-only", steps=5)).key != control
    assert recipe(cell("real-only", labels="random")).key != control
    fewer = fit_of(cell("fewer-updates", fewer_steps=2))
    assert (fewer.semi.steps, fewer.unlabelled) == (2, None)
    assert recipe(cell("fewer-updates", fewer_steps=4)).key == control, "as many updates: the same fit"


def test_a_method_s_key_holds_what_it_feels() -> None:
    assert recipe(cell(method="sgan", fixmatch=FixMatchSpec(weight=2))).key == recipe(cell(method="sgan")).key
    assert recipe(cell(method="fixmatch", gan=SemiGanSpec())).key == recipe(cell(method="fixmatch")).key
    both = [recipe(cell(method="sgan-fixmatch", fixmatch=FixMatchSpec(weight=w))).key for w in (1, 2)]
    assert both[0] != both[1]
    assert recipe(cell(n_unlabelled=7)).key != recipe(cell()).key


def test_a_record_tells_the_course_of_its_training() -> None:
    evaluator = InMemory()
    record = evaluator.get(recipe(cell()))
    assert record.facts["status"] == "ok"
    assert (record.facts["n_train"], record.facts["n_unlabelled"]) == (50, 100)
    assert record.arrays["predictions"].shape == (1, 200)
    assert record.arrays["snapshots"].shape[1:] == (40, 1, 8, 8)
    assert record.facts["course"]["step"][-1] == 4
    seen = evaluator.get(validation(cell()))
    assert np.array_equal(seen.arrays["validation"], record.arrays["validation"])


@pytest.mark.parametrize("where", ["ids", "seen"])
def test_a_test_image_among_labelled_or_unlabelled_ones_is_a_leak(where: str) -> None:
    evaluator = InMemory()
    stage = recipe(cell())
    fitted = evaluator.get(stage.classifiers[0])
    leaked = evaluator.get(TestImages("digits")).arrays["ids"][:1]
    arrays = fitted.arrays | {where: np.concatenate([fitted.arrays[where], leaked])}
    evaluator.made[stage.classifiers[0].key] = Artifact(arrays, fitted.facts)
    with pytest.raises(LeakError, match="1 test images are"):
        evaluator.get(stage)
