"""The end of the way, run by a trial's own evaluator: records, honest statuses, and the guard of the test images."""

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest
from tiny import CELL, CGAN, CLASSIFIER, GANS, InMemory, imported

import ganaug.pool
from ganaug.artifact import Artifact
from ganaug.errors import LeakError
from ganaug.gans import fit
from ganaug.recipe import recipe
from ganaug.stages import Augment, FitClassifier, FitGan, Measure, Pool, Select, Split, TestImages, TrainImages
from sweeps.execute import Evaluator
from sweeps.store import Store

TEST = TestImages("digits")


def cell(**changed):
    return recipe(dataclasses.replace(CELL, **changed))


def with_classifier(**changed):
    return CLASSIFIER.model_copy(update=changed)


@pytest.fixture
def evaluator(tmp_path):
    store = Store(tmp_path)
    for stage, artifact in zip((TrainImages("digits"), TEST), imported(), strict=True):
        store.publish(stage, artifact, {})
    return Evaluator(store)


@pytest.mark.parametrize("name", GANS)
def test_a_record_tells_every_prediction_and_what_led_to_it(evaluator, name, monkeypatch):
    monkeypatch.setattr(fit, "COLLAPSED", 0)  # so short a training is let pass
    record = evaluator.get(cell(gan=GANS[name], classifier_seeds=2))
    assert record.arrays["predictions"].shape == (2, len(imported()[1].arrays["labels"]))
    assert record.arrays["predictions"].dtype == np.uint8
    assert record.arrays["predictions"].max() < 10
    facts = record.facts
    assert (facts["status"], facts["reason"]) == ("ok", "")
    assert (facts["n_train"], facts["n_test"]) == (10 * (5 + 4), 200)
    assert facts["accepted"] == facts["candidates"] == [4] * 10
    assert facts["wanted"] == 4
    assert len(facts["losses"]) == 2
    json.dumps(facts, allow_nan=False)


def test_the_same_cell_gives_the_same_record_whatever_was_there_before(evaluator):
    measures = [cell(n_gen=12, threshold=0.3), cell(n_gen=4), cell(n_gen=0), cell(n_gen=12, threshold=0.3, seed=1)]
    for measure in measures:  # the generator of the second is in memory, with a longer stream than it needs
        evaluator.get(measure)
    again = Evaluator(evaluator.store)
    again.get(cell(n_gen=5))  # the generator comes from the store
    assert "fit_gan" not in again.ran
    for measure in measures:
        record, alone = evaluator.get(measure), InMemory().get(measure)
        assert json.loads(json.dumps(alone.facts)) == record.facts
        assert np.array_equal(record.arrays["predictions"], alone.arrays["predictions"])


def test_a_cell_without_generated_images_runs_no_gan(evaluator):
    record = evaluator.get(cell(n_gen=0))
    assert record.facts["n_train"] == 50
    assert set(evaluator.ran) == {"split", "fit_classifier", "measure"}


def test_generated_images_alone(evaluator):
    record = evaluator.get(cell(classifier=with_classifier(include_real=False)))
    assert (record.facts["status"], record.facts["n_train"]) == ("ok", 40)


def test_validation_images_count_where_they_are_used(evaluator):
    record = evaluator.get(cell(n_gen=0, classifier=with_classifier(include_validation=True)))
    assert record.facts["n_train"] == 10 * (5 + 4)


def test_a_stream_that_ends_too_soon_is_said_and_measured(evaluator):
    record = evaluator.get(cell(n_gen=41))
    assert record.facts["status"] == "starved"
    assert record.facts["reason"] == "10 of 10 classes got fewer than 41 images"
    assert record.facts["accepted"] == record.facts["candidates"] == [40] * 10
    assert record.facts["n_train"] == 10 * (5 + 40)
    assert len(record.arrays["predictions"]) == 1


def test_nothing_to_train_on_is_a_record_without_predictions(evaluator, monkeypatch):
    monkeypatch.setattr(ganaug.pool, "accept", lambda p, threshold: np.zeros(p.shape, bool))
    record = evaluator.get(cell(classifier=with_classifier(include_real=False)))
    assert record.facts["status"] == "starved"
    assert record.facts["reason"] == "nothing to train on: no generated image passed the filter"
    assert record.facts["accepted"] == [0] * 10
    assert record.facts["candidates"] == [40] * 10
    assert record.arrays == {}
    assert Evaluator(evaluator.store).get(cell(classifier=with_classifier(include_real=False))).facts == record.facts


def test_a_gan_that_diverged_is_a_record_without_predictions(evaluator):
    broken = CGAN.model_copy(update={"loss": "least-squares", "discriminator_learning_rate": 1e30})
    record = evaluator.get(cell(gan=broken))
    assert record.facts["status"] == "diverged"
    assert record.facts["reason"] == "a loss is not finite at step 6"
    assert record.arrays == {}
    # what the GAN took is the GAN's, not the measurement's
    _, cost = evaluator.store.load(cell(gan=broken))
    assert {kind for kind, _ in cost.values()} >= {"fit_gan", "measure"}
    # a result like any other: stored, not tried again
    again = Evaluator(evaluator.store)
    assert again.get(cell(gan=broken)).facts == record.facts
    assert again.ran == {}


def test_a_gan_that_collapsed_is_a_record_without_predictions(evaluator, monkeypatch):
    monkeypatch.setattr(fit, "COLLAPSED", 99)
    record = evaluator.get(cell())
    assert record.facts["status"] == "diverged"
    assert record.facts["reason"].startswith("collapsed: ")
    assert record.arrays == {}


STAGE_BEFORE = {
    Split: cell().classifiers[0].split,
    Augment: cell().classifiers[0].extra.generator.images,
    FitGan: cell().classifiers[0].extra.generator,
    Pool: Pool(cell().classifiers[0].extra.generator, 0, 10),
    Select: cell().classifiers[0].extra,
    FitClassifier: cell().classifiers[0],
}


def peeping(stage):
    """The same stage, but it asks for the test images."""

    def run(self, work):
        return work.get(TEST)

    return dataclass(frozen=True)(type(type(stage).__name__, (type(stage),), {"run": run}))(
        **{f.name: getattr(stage, f.name) for f in dataclasses.fields(stage)}
    )


@pytest.mark.parametrize("kind", STAGE_BEFORE)
def test_no_stage_but_the_last_may_see_the_test_images(evaluator, kind):
    with pytest.raises(LeakError, match=f"^only the final measurement may see test images, not {kind.kind()}$"):
        evaluator.get(peeping(STAGE_BEFORE[kind]))


def test_nor_may_a_job(evaluator):
    with pytest.raises(LeakError, match=r"not a job$"):
        evaluator.get(TEST)


def test_the_guard_holds_after_a_measurement_has_opened_them(evaluator):
    evaluator.get(cell(n_gen=0, seed=1))
    for stage in STAGE_BEFORE.values():
        with pytest.raises(LeakError):
            evaluator.get(peeping(stage))


def test_nor_may_a_stage_that_a_measurement_asks_for(evaluator):
    measure = cell(n_gen=0)
    thief = peeping(measure.classifiers[0].split)
    with pytest.raises(LeakError, match=r"not split$"):
        evaluator.get(Measure((dataclasses.replace(measure.classifiers[0], split=thief),), TEST))
    thief = peeping(measure.classifiers[0])
    with pytest.raises(LeakError, match=r"not fit_classifier$"):
        evaluator.get(Measure((thief,), TEST))
    assert not evaluator.store.keys("measure")


@dataclass(frozen=True)
class Planting(FitClassifier):
    """A classifier that has seen one test image."""

    def run(self, work):
        made = super().run(work)
        stolen = imported()[1].arrays["ids"][7].astype(np.str_)
        return Artifact(made.arrays | {"ids": np.append(made.arrays["ids"], stolen)}, made.facts)


@pytest.mark.parametrize("honest", [0, 1])
def test_a_classifier_that_saw_a_test_image_is_never_measured(evaluator, honest):
    measure = cell(n_gen=0, classifier_seeds=2)
    fields = {f.name: getattr(measure.classifiers[0], f.name) for f in dataclasses.fields(FitClassifier)}
    pair = (*measure.classifiers[:honest], Planting(**fields))
    stolen = imported()[1].arrays["ids"][7]
    with pytest.raises(LeakError, match=f"^1 test images are in the training set, the first with id {stolen}$"):
        evaluator.get(Measure(pair, TEST))
    assert not evaluator.store.keys("measure")


def test_an_import_that_did_not_set_the_test_images_apart_is_caught(tmp_path):
    train, test = imported()
    together = {k: np.concatenate([test.arrays[k], train.arrays[k]]) for k in train.arrays}
    store = Store(tmp_path)
    store.publish(TrainImages("digits"), Artifact(together, train.facts), {})
    store.publish(TEST, test, {})
    with pytest.raises(LeakError, match="test images are in the training set"):
        Evaluator(store).get(cell(n_gen=0, n_real=100))
