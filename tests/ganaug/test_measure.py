"""The end of the way, run by a trial's own evaluator: records, honest statuses, and the guard of the test images."""

import dataclasses
import json

import numpy as np
import pytest
from tiny import CELL, CGAN, CLASSIFIER, FILTERS, GANS, InMemory, imported

import ganaug.filters.select
from ganaug.gans import fit
from ganaug.recipe import recipe, validation
from ganaug.records import validation_accuracy
from ganaug.specs import (
    MixingSpec,
)
from ganaug.stages import (
    TestImages,
    TrainImages,
)
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
    monkeypatch.setattr(ganaug.filters.select, "_passed", lambda spec, scores, ask: np.zeros(scores.shape, bool))
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


@pytest.fixture
def untouched(monkeypatch):
    """So short a training as the tests' is not held to have collapsed."""
    monkeypatch.setattr(fit, "COLLAPSED", 0)


@pytest.mark.parametrize("one", FILTERS, ids=lambda f: f.name)
def test_a_cell_of_every_filter_is_measured_and_is_the_same_again(untouched, evaluator, one):
    measure = cell(filter=one, threshold=0.3, mixing=MixingSpec(weight=0.5, ratio=0.4, soft_labels=0.3))
    record = evaluator.get(measure)
    assert (record.facts["status"], record.facts["n_train"]) == ("ok", 10 * (5 + 4))
    assert record.facts["accepted"] == [4] * 10
    assert min(record.facts["candidates"]) >= 4
    assert record.arrays["taken"].shape == (10, 10)
    assert record.arrays["taken"].sum() <= 40
    alone = InMemory().get(measure)
    assert json.loads(json.dumps(alone.facts)) == record.facts
    assert all(np.array_equal(v, record.arrays[k]) for k, v in alone.arrays.items())


def test_a_record_knows_its_validation_images_as_a_search_does(untouched, evaluator):
    settings = {"classifier_seeds": 2, "mixing": MixingSpec(weight=0.5)}
    record = evaluator.get(cell(**settings))
    seen = evaluator.get(validation(dataclasses.replace(CELL, **settings)))
    assert record.arrays["validation"].shape == (2, 40)
    assert np.array_equal(record.arrays["validation"], seen.arrays["validation"])
    assert np.array_equal(record.arrays["validation_labels"], seen.arrays["validation_labels"])
    right = validation_accuracy(record.arrays["validation"], record.arrays["validation_labels"])
    assert seen.facts["accuracy"] == right
    told = ("status", "reason", "accepted", "candidates", "wanted", "coverage")
    assert {k: seen.facts[k] for k in told} == {k: record.facts[k] for k in told}


def test_a_search_is_told_why_there_is_no_accuracy(evaluator):
    for changed in ({"n_gen": 41}, {"gan": CGAN.model_copy(update={"discriminator_learning_rate": 1e30})}):
        starved = dataclasses.replace(CELL, **changed)
        seen, record = evaluator.get(validation(starved)), evaluator.get(recipe(starved))
        assert (seen.facts["status"], seen.facts["reason"]) == (record.facts["status"], record.facts["reason"])
        assert seen.facts["status"] in ("starved", "diverged")
        assert ("accuracy" in seen.facts) == bool(record.arrays)
