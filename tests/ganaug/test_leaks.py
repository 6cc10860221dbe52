"""Test images are never seen by a GAN, a filter, a judge or a search: what tries is found out, loudly."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
from tiny import CELL, CLASSIFIER, FILTERS, InMemory, imported

import ganaug.filters.select
from ganaug.artifact import Artifact
from ganaug.errors import LeakError
from ganaug.gans import fit
from ganaug.recipe import recipe, validation
from ganaug.specs import AgreementFilterSpec, AssessSpec, MixingSpec
from ganaug.stages import (
    Assess,
    Augment,
    FitClassifier,
    FitGan,
    FitJudge,
    Judged,
    Measure,
    Pool,
    Select,
    Split,
    TestImages,
    TrainImages,
    Validate,
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


@pytest.fixture
def untouched(monkeypatch):
    """So short a training as the tests' is not held to have collapsed."""
    monkeypatch.setattr(fit, "COLLAPSED", 0)


class Refusing(InMemory):
    """Whoever asks for the test images is found out, though nobody else guards them here."""

    def get(self, stage):
        if isinstance(stage, TestImages):
            raise AssertionError("the test images were asked for")
        return super().get(stage)


@pytest.mark.parametrize("changed", [{"n_gen": 0}, {}, *({"filter": f, "threshold": 0.3} for f in FILTERS)], ids=str)
def test_a_search_never_asks_for_the_test_images(untouched, changed):
    soft = {"mixing": MixingSpec(soft_labels=0.5)} if changed else {}
    seen = Refusing().get(validation(dataclasses.replace(CELL, **changed, **soft)))
    assert 0 <= seen.facts["accuracy"] <= 1
    with pytest.raises(AssertionError, match="asked for"):
        Refusing().get(cell(**changed))


JUDGED = cell(filter=AgreementFilterSpec(), threshold=0.3).classifiers[0].extra
STAGE_BEFORE = {
    Split: cell().classifiers[0].split,
    Augment: cell().classifiers[0].extra.generator.images,
    FitGan: cell().classifiers[0].extra.generator,
    Pool: Pool(cell().classifiers[0].extra.generator, 0, 10),
    Select: cell().classifiers[0].extra,
    FitJudge: JUDGED.judge,
    Judged: Judged(Pool(JUDGED.generator, 0, 10), JUDGED.judge),
    FitClassifier: cell().classifiers[0],
    Assess: Assess(JUDGED.generator, CELL.pool, CLASSIFIER, AssessSpec()),
    Validate: validation(CELL),
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


@pytest.mark.parametrize("one", FILTERS, ids=lambda f: f.name)
def test_nor_may_a_filter_that_a_measurement_leads_to(untouched, evaluator, one, monkeypatch):
    """The score of every filter is bent to look at the test images; the trial's own evaluator finds it out."""
    scores = ganaug.filters.select._scores

    def peeping_scores(spec, pool, ask):
        ask.work.get(TEST)
        return scores(spec, pool, ask)

    monkeypatch.setattr(ganaug.filters.select, "_scores", peeping_scores)
    for stage in (cell(filter=one, threshold=0.3), validation(dataclasses.replace(CELL, filter=one, threshold=0.3))):
        with pytest.raises(LeakError, match=r"^only the final measurement may see test images, not select$"):
            evaluator.get(stage)
    assert not evaluator.store.keys("measure")
    assert not evaluator.store.keys("validate")


@pytest.mark.parametrize("kind", ["fit_judge", "judged"])
def test_nor_may_a_judge_that_a_measurement_leads_to(untouched, evaluator, kind, monkeypatch):
    owner = {"fit_judge": FitJudge, "judged": Judged}[kind]
    monkeypatch.setattr(owner, "run", lambda self, work: work.get(TEST))
    with pytest.raises(LeakError, match=f"not {kind}$"):
        evaluator.get(cell(filter=AgreementFilterSpec(), threshold=0.3))
    if kind == "fit_judge":  # soft labels ask it too
        with pytest.raises(LeakError, match=f"not {kind}$"):
            evaluator.get(cell(n_gen=4, mixing=MixingSpec(soft_labels=0.5)))


@dataclass(frozen=True)
class Tainted(Split):
    """A split among whose `part` is one test image, in the place of another."""

    part: str = "real"

    def run(self, work):
        made = super().run(work)
        test, arrays = imported()[1].arrays, dict(made.arrays)
        at = int(np.flatnonzero(arrays[f"{self.part}_labels"] == test["labels"][7])[0])
        for name, own in ((self.part, "images"), (f"{self.part}_ids", "ids")):
            arrays[name] = arrays[name].copy()
            arrays[name][at] = test[own][7]
        return Artifact(arrays, made.facts)


@pytest.mark.parametrize("part", ["real", "validation"])
@pytest.mark.parametrize("arm", ["generated", "shuffled"])
def test_a_gan_or_filter_that_learned_from_a_test_image_is_never_measured(untouched, evaluator, part, arm):
    measure = cell(arm=arm, classifier=with_classifier(include_real=False))
    clf = measure.classifiers[0]
    fields = {f.name: getattr(clf.split, f.name) for f in dataclasses.fields(Split)}
    bad = Tainted(**fields, part=part)
    chosen = clf.extra if isinstance(clf.extra, Select) else clf.extra.generated
    gan = dataclasses.replace(chosen.generator, images=bad)
    select = dataclasses.replace(chosen, generator=gan)
    extra = select if isinstance(clf.extra, Select) else dataclasses.replace(clf.extra, generated=select)
    stolen = imported()[1].arrays["ids"][7]
    # the classifier's own split is clean and it learns from generated images alone: only `seen` tells
    message = f"^1 test images are among those that GAN and filter learned from, the first with id {stolen}$"
    with pytest.raises(LeakError, match=message):
        evaluator.get(Measure((dataclasses.replace(clf, extra=extra),), TEST))
    assert not evaluator.store.keys("measure")


@dataclass(frozen=True)
class Whispering(Select):
    """A selection whose filter has seen one test image, and says so in `seen` alone."""

    def run(self, work):
        made = super().run(work)
        seen = np.append(made.arrays["seen"], imported()[1].arrays["ids"][7])
        return Artifact(made.arrays | {"seen": seen}, made.facts)


def test_a_filter_that_saw_a_test_image_is_never_measured(untouched, evaluator):
    clf = cell().classifiers[0]
    thief = Whispering(**{f.name: getattr(clf.extra, f.name) for f in dataclasses.fields(Select)})
    with pytest.raises(LeakError, match=r"^1 test images are among those that GAN and filter learned from, the first"):
        evaluator.get(Measure((dataclasses.replace(clf, extra=thief),), TEST))


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
