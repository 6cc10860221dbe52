"""A classifier that goes on from another's weights, a watched one, and the accuracy on a classifier's own images."""

import numpy as np
import pytest
from tiny import CELL, CLASSIFIER, InMemory

from ganaug.classifiers.curve import Watch, accuracy, some
from ganaug.classifiers.fit import fit
from ganaug.recipe import classifiers, recipe
from ganaug.stages import FitClassifier

PLAIN = CELL.__class__(**{**vars(CELL), "n_gen": 0, "arm": "real-only", "gan_da": ()})


def cell(clf_da=("shift",), **classifier):
    spec = CLASSIFIER.model_copy(update=classifier)
    return PLAIN.__class__(**{**vars(PLAIN), "clf_da": clf_da, "classifier": spec})


def weights(artifact):
    return {k: v for k, v in artifact.arrays.items() if k.startswith("net.")}


def test_a_warm_start_depends_on_the_classifier_without_augmentation():
    (continued,) = classifiers(cell(warm_start=True))
    (first,) = classifiers(cell(clf_da=()))
    assert continued.start.key == first.key
    assert first in list(continued.parents())


def test_without_augmentation_there_is_no_warm_start_and_the_cell_is_the_same():
    assert recipe(cell(clf_da=(), warm_start=True)).key == recipe(cell(clf_da=())).key
    assert recipe(cell(warm_start=True)).key != recipe(cell()).key


def test_it_goes_on_from_the_others_weights():
    work = InMemory()
    (continued,) = classifiers(cell(warm_start=True))
    went_on, first, split = (work.get(stage) for stage in (continued, continued.start, continued.split))
    start = {k.removeprefix("net."): v for k, v in weights(first).items()}
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    again, _ = fit(
        continued.classifier, real, labels, 10, _seed(continued), continued.da, continued.strength, start=start
    )
    assert all(np.array_equal(v.numpy(), went_on.arrays[f"net.{k}"]) for k, v in again.state_dict().items())
    fresh = work.get(classifiers(cell())[0])
    assert any(not np.array_equal(v, fresh.arrays[k]) for k, v in weights(went_on).items())
    assert went_on.facts["losses"][0] != fresh.facts["losses"][0]


def test_a_record_tells_the_accuracy_on_the_classifiers_own_images():
    work = InMemory()
    spec = {"steps": 60, "learning_rate": 1e-2}
    (stage,) = classifiers(cell(**spec))
    fitted = work.get(stage)
    split = work.get(stage.split)
    again, _ = fit(
        stage.classifier, split.arrays["real"], split.arrays["real_labels"], 10, _seed(stage), stage.da, stage.strength
    )
    assert fitted.facts["train_accuracy"] == accuracy(again, split.arrays["real"], split.arrays["real_labels"])
    assert fitted.facts["train_accuracy"] > 0.2  # chance is 0.1
    assert work.get(recipe(cell(**spec))).facts["train_accuracy"] == [fitted.facts["train_accuracy"]]


def _seed(stage: FitClassifier) -> int:
    from ganaug.randomness import derive

    return derive(stage.split.seed, "member", stage.member)


@pytest.mark.parametrize("name", ["deep", "keras"])
def test_watching_changes_nothing_but_tells_the_course(name):
    work = InMemory()
    unwatched = work.get(classifiers(cell(name=name, steps=12))[0])
    watched = work.get(classifiers(cell(name=name, steps=12, curve=4))[0])
    assert all(np.array_equal(v, watched.arrays[k]) for k, v in weights(unwatched).items())
    curve = watched.facts["curve"]
    assert curve["update"] == [3, 6, 9, 12]
    assert curve["train"][-1] == watched.facts["train_accuracy"]
    right = watched.arrays["validation"] == work.get(classifiers(cell())[0].split).arrays["validation_labels"]
    assert curve["validation"][-1] == right.mean()
    assert work.get(recipe(cell(name=name, steps=12, curve=4))).facts["curves"] == [curve]


def test_a_curve_has_no_more_points_than_there_are_updates_and_looks_at_some_images():
    assert Watch(10, 3, None, None).at == {1, 2, 3}
    images, labels = some(np.arange(5000), np.arange(5000), 2000)
    assert len(images) == 2000
    assert images[0] == 0
    assert images[-1] == 4999
    assert np.array_equal(images, labels)


def test_the_constant_schedule_is_another_training():
    one, other = (classifiers(cell(schedule=s))[0] for s in ("one-cycle", "constant"))
    work = InMemory()
    assert any(not np.array_equal(v, work.get(other).arrays[k]) for k, v in weights(work.get(one)).items())
