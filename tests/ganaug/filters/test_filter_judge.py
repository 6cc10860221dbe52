"""The judge: balanced folds, an honest temperature, and nobody judged by who has learned them by heart."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from tiny import CELL, CLASSIFIER, InMemory, imported, same

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.fit import fit
from ganaug.filters.judge import _logits, folds_of, judged, networks, probabilities, temperature
from ganaug.images import to_float
from ganaug.randomness import derive
from ganaug.recipe import recipe
from ganaug.specs import AgreementFilterSpec
from ganaug.stages import FitJudge, Judged, Pool

SELECT = recipe(dataclasses.replace(CELL, filter=AgreementFilterSpec(), threshold=0.5)).classifiers[0].extra
JUDGE: FitJudge = dataclasses.replace(SELECT.judge, folds=3)


@given(st.integers(1, 4), st.integers(1, 17), st.integers(2, 9), st.integers(0, 99))
def test_folds_are_balanced_in_every_class_and_in_all(classes, n, folds, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(classes), n))
    fold = folds_of(labels, folds, seed)
    assert set(fold) <= set(range(folds))
    for label in range(classes):
        sizes = np.bincount(fold[labels == label], minlength=folds)
        assert sizes.max() - sizes.min() <= 1
    assert np.array_equal(fold, folds_of(labels, folds, seed))


def test_folds_of_few_images_are_not_all_the_first():
    fold = folds_of(np.arange(10), 5, 0)
    assert np.bincount(fold, minlength=5).tolist() == [2] * 5


@pytest.mark.parametrize("known", [0.2, 1.0, 3.0, 10.0])
def test_a_known_temperature_is_found_again(known):
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(20_000, 5)) * 2
    labels = np.array([rng.choice(5, p=p) for p in softmax(honest, axis=1)])
    assert temperature(honest * known, labels) == pytest.approx(known, rel=0.05)


@cache
def fitted_once():
    work = InMemory()
    work.get(JUDGE)
    return work


@pytest.fixture
def memory(one_thread):
    return fitted_once()


def test_every_classifier_learned_from_all_folds_but_its_own(memory):
    fitted, split = memory.get(JUDGE), memory.get(JUDGE.split).arrays
    fold = fitted.arrays["fold"]
    assert np.array_equal(fold, folds_of(split["real_labels"], 3, JUDGE.split.seed))
    out_of_fold = np.zeros((len(fold), 10), np.float32)
    for k, net in enumerate(networks(JUDGE, fitted, "cpu")):
        rest, seed = fold != k, derive(JUDGE.split.seed, "judge", k)
        alone, _ = fit(CLASSIFIER, split["real"][rest], split["real_labels"][rest], 10, seed)
        assert all(np.array_equal(v, alone.state_dict()[name]) for name, v in net.state_dict().items())
        out_of_fold[~rest] = _logits(net, split["real"][~rest], "cpu")
        if k == 0:
            np.testing.assert_array_equal(
                fitted.arrays["features"], net.features(to_float(split["real"])).detach().numpy()
            )
    assert fitted.facts["temperature"] == temperature(out_of_fold, split["real_labels"])
    assert fitted.facts["accuracy"] == float((out_of_fold.argmax(1) == split["real_labels"]).mean())


def test_the_judge_is_the_same_every_time_and_another_for_another_seed(memory):
    assert same(memory.get(JUDGE), InMemory().get(JUDGE))
    other = dataclasses.replace(JUDGE, split=dataclasses.replace(JUDGE.split, seed=1))
    assert not np.array_equal(memory.get(other).arrays["0.out.weight"], memory.get(JUDGE).arrays["0.out.weight"])


def test_a_copy_is_judged_by_the_classifier_that_has_not_seen_the_original(memory):
    split, fitted = memory.get(JUDGE.split).arrays, memory.get(JUDGE)
    copies = np.stack([split["real"][split["real_labels"] == label] for label in range(10)])
    pool = Pool(SELECT.generator, 0, copies.shape[1])
    made = {**memory.made, pool.key: Artifact({"images": copies})}
    out = judged(Judged(pool, JUDGE), Work(lambda stage: made[stage.key]))
    nets = networks(JUDGE, fitted, "cpu")
    for label in range(10):
        own = np.flatnonzero(split["real_labels"] == label)
        for i, at in enumerate(own):
            unseen = nets[fitted.arrays["fold"][at]]  # it learned from every fold but this one
            p = softmax(_logits(unseen, split["real"][at : at + 1], "cpu") / fitted.facts["temperature"], axis=1)
            assert out.arrays["agreement"][label, i] == pytest.approx(p[0, label], rel=1e-4)
    assert out.arrays["agreement"].dtype == np.float32
    features = nets[0].features(to_float(copies.reshape(-1, 1, 8, 8))).detach().numpy()
    np.testing.assert_allclose(out.arrays["features"].reshape(50, -1), features, atol=1e-5)


def test_together_they_say_their_mean(memory):
    test = imported()[0].arrays["images"][:20]
    said = probabilities(JUDGE, test, Work(memory.get))
    fitted = memory.get(JUDGE)
    each = [softmax(_logits(n, test, "cpu") / fitted.facts["temperature"], 1) for n in networks(JUDGE, fitted, "cpu")]
    np.testing.assert_allclose(said, np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_allclose(said.sum(1), 1, atol=1e-5)


def test_a_judge_that_has_learned_tells_right_from_wrong():
    spec = CLASSIFIER.model_copy(update={"steps": 150, "learning_rate": 1e-2})
    judge = FitJudge(dataclasses.replace(JUDGE.split, n_real=20), spec, 2, (), JUDGE.strength)
    work = InMemory()
    assert work.get(judge).facts["accuracy"] > 0.7
    train, split = imported()[0].arrays, work.get(judge.split).arrays
    fresh = ~np.isin(train["ids"], np.concatenate([split["real_ids"], split["validation_ids"]]))
    images = np.stack([train["images"][fresh & (train["labels"] == label)][:10] for label in range(10)])
    pool, turned = Pool(SELECT.generator, 0, 10), Pool(SELECT.generator, 1, 10)
    work.made |= {pool.key: Artifact({"images": images}), turned.key: Artifact({"images": np.roll(images, 1, axis=0)})}
    right, wrong = (work.get(Judged(p, judge)).arrays["agreement"] for p in (pool, turned))
    assert (right > 0.5).mean() > 0.7
    assert (wrong > 0.5).mean() < 0.1


def test_more_folds_than_images_are_judged_by_whoever_there_is():
    few = dataclasses.replace(JUDGE, split=dataclasses.replace(JUDGE.split, n_real=1), folds=4)
    fitted = InMemory().get(few)
    assert np.bincount(fitted.arrays["fold"]).tolist() == [3, 3, 2, 2]
    assert np.isfinite(fitted.facts["temperature"])


def test_no_image_left_to_learn_from_is_no_result():
    split = InMemory().get(JUDGE.split)
    one = Artifact({**split.arrays, "real": split.arrays["real"][:1], "real_labels": np.array([0])}, {"classes": ["0"]})
    with pytest.raises(NoResult, match=r"^judge.folds: 3 folds leave nothing to learn from$") as none:
        JUDGE.run(Work(lambda stage: one))
    assert none.value.status == "starved"


def test_a_judge_whose_loss_is_not_finite_is_no_result():
    broken = dataclasses.replace(JUDGE, classifier=CLASSIFIER.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(NoResult, match=r"^the loss of a judging classifier is not finite$") as none:
        InMemory().get(broken)
    assert none.value.status == "diverged"
