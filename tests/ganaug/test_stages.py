import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import pytest
from tiny import CELL, CGAN, CLASSIFIER, POOL, PROJECTION

from ganaug.recipe import real_split, recipe, shared
from ganaug.specs import (
    AgreementFilterSpec,
    AssessSpec,
    AugmentationSpec,
    DiscriminatorFilterSpec,
    MemorisationFilterSpec,
    MetropolisHastingsFilterSpec,
    MixingSpec,
    NeighboursFilterSpec,
    RejectionFilterSpec,
    SemiSpec,
)
from ganaug.stages import (
    Assess,
    Augment,
    AugmentGenerated,
    Duplicate,
    FitClassifier,
    FitGan,
    FitJudge,
    FitSemi,
    Judged,
    LocalFile,
    Measure,
    MoreReal,
    Pool,
    RandomLabels,
    Select,
    Shuffle,
    Split,
    Stage,
    TestImages,
    TrainImages,
    Unlabelled,
    Validate,
    ancestors,
)

TRAIN, TEST = TrainImages("a"), TestImages("a")
SPLIT = Split(TRAIN, 5, 4, 0)
AUGMENT = Augment(SPLIT, ("rotation",), 3, AugmentationSpec())
GAN = FitGan(AUGMENT, PROJECTION, 0)
HALF, OTHER = DiscriminatorFilterSpec(threshold=0.5), DiscriminatorFilterSpec(threshold=0.6)
JUDGE = FitJudge(SPLIT, CLASSIFIER, 2, ("shift",), AugmentationSpec())
SELECT = Select(GAN, POOL, HALF, 4)
CLF = FitClassifier(SPLIT, SELECT, ("shift",), AugmentationSpec(), CLASSIFIER, 0, MixingSpec())
STRONG = AugmentationSpec(rotation=99)
DRAWN = RandomLabels(SPLIT)
FURTHER = Unlabelled(SPLIT, 7)
OTHERS = {
    TRAIN: {"dataset": "b"},
    TEST: {"dataset": "b"},
    SPLIT: {"train": TrainImages("b"), "n_real": 6, "n_validation": 5, "seed": 1},
    AUGMENT: {"real": Split(TRAIN, 5, 4, 1), "types": ("rotation", "zoom"), "n_da": 4, "strength": STRONG},
    GAN: {"images": SPLIT, "gan": CGAN, "seed": 1, "fused": True},
    Pool(GAN, 0, 10): {"generator": FitGan(SPLIT, CGAN, 0), "index": 1, "size": 11},
    SELECT: {
        "generator": FitGan(SPLIT, CGAN, 0),
        "pool": POOL.model_copy(update={"max_per_class": 50}),
        "filter": OTHER,
        "n_gen": 5,
        "judge": JUDGE,
    },
    CLF: {
        "split": Split(TRAIN, 6, 4, 0),
        "extra": None,
        "da": (),
        "strength": STRONG,
        "classifier": CLASSIFIER.model_copy(update={"include_validation": True}),
        "member": 1,
        "mixing": MixingSpec(weight=0.5),
        "judge": JUDGE,
        "start": FitClassifier(SPLIT, SELECT, (), AugmentationSpec(), CLASSIFIER, 0, MixingSpec()),
        "fused": True,
    },
    JUDGE: {
        "split": Split(TRAIN, 6, 4, 0),
        "classifier": CLASSIFIER.model_copy(update={"steps": 99}),
        "folds": 3,
        "da": (),
        "strength": STRONG,
    },
    Judged(Pool(GAN, 0, 10), JUDGE): {"pool": Pool(GAN, 1, 10), "judge": dataclasses.replace(JUDGE, folds=3)},
    Shuffle(SELECT, 0): {"generated": Select(GAN, POOL, OTHER, 4), "seed": 1},
    Duplicate(SPLIT, 4): {"split": Split(TRAIN, 6, 4, 0), "n": 5},
    MoreReal(SPLIT, 4): {"split": Split(TRAIN, 6, 4, 0), "n": 5},
    Assess(GAN, POOL, CLASSIFIER, AssessSpec()): {
        "generator": FitGan(SPLIT, CGAN, 0),
        "pool": POOL.model_copy(update={"max_per_class": 50}),
        "classifier": CLASSIFIER.model_copy(update={"steps": 99}),
        "assess": AssessSpec(images_per_class=7),
        "inception": LocalFile("here", "a" * 64),
        "imagenet": LocalFile("here", "b" * 64),
    },
    AugmentGenerated(FitGan(SPLIT, PROJECTION, 0), POOL, ("generated",), 3, AugmentationSpec()): {
        "generator": FitGan(SPLIT, PROJECTION, 1),
        "pool": POOL.model_copy(update={"max_per_class": 50}),
        "types": ("generated", "hflip"),
        "n_da": 4,
        "strength": STRONG,
    },
    DRAWN: {"split": Split(TRAIN, 6, 4, 0)},
    FURTHER: {"labelled": DRAWN, "n": 8},
    FitSemi(SPLIT, FURTHER, SemiSpec(), 0): {
        "labelled": DRAWN,
        "unlabelled": None,
        "semi": SemiSpec(steps=99),
        "member": 1,
    },
    Validate((CLF,)): {"classifiers": (CLF, CLF)},
    Measure((CLF,), TEST): {"classifiers": (CLF, CLF), "test": TestImages("b")},
}
CASES = [(stage, name, other) for stage, others in OTHERS.items() for name, other in others.items()]


def test_the_cases_cover_every_parameter_of_every_stage():
    family = {kind for kind in Stage.__subclasses__() if kind.__module__ == "ganaug.stages"}
    assert {type(stage) for stage in OTHERS} == family
    for stage, others in OTHERS.items():
        assert set(others) == {f.name for f in dataclasses.fields(stage)}


@pytest.mark.parametrize(("stage", "name", "other"), CASES, ids=[f"{s.kind()}.{n}" for s, n, _ in CASES])
def test_each_parameter_is_part_of_the_key(stage, name, other):
    changed = dataclasses.replace(stage, **{name: other})
    assert changed.key != stage.key
    assert dataclasses.replace(changed, **{name: getattr(stage, name)}).key == stage.key


def test_where_a_file_lies_is_no_part_of_the_key():
    here, there = (Assess(GAN, POOL, CLASSIFIER, AssessSpec(), LocalFile(place, "a" * 64)) for place in ("a", "b"))
    assert here.key == there.key


@pytest.mark.parametrize(
    "spec",
    [PROJECTION, CGAN, AugmentationSpec(), AssessSpec(), PROJECTION.diffaugment, SemiSpec()],
    ids=lambda s: type(s).__name__,
)
def test_what_came_later_is_no_part_of_a_key_at_its_default(spec):
    """Results stored before a setting existed are still found."""
    told = Assess(GAN, POOL, CLASSIFIER, AssessSpec()).describe() if isinstance(spec, AssessSpec) else None
    told = told["assess"] if told else spec.identity()
    assert spec.later
    assert not set(spec.later) & set(told)
    assert set(told) | set(spec.later) == set(type(spec).model_fields)


FILTERS = (
    DiscriminatorFilterSpec(threshold=0.5),
    AgreementFilterSpec(threshold=0.5),
    NeighboursFilterSpec(threshold=0.5),
    MemorisationFilterSpec(threshold=0.5),
    RejectionFilterSpec(threshold=0.5, gamma=0.5),
    MetropolisHastingsFilterSpec(threshold=0.5),
)


@pytest.mark.parametrize(
    "spec",
    [PROJECTION, CGAN, POOL, CLASSIFIER, AugmentationSpec(), MixingSpec(ratio=0.5), *FILTERS],
    ids=lambda s: type(s).__name__,
)
def test_each_number_of_a_spec_is_part_of_the_key(spec):
    def key(spec):
        match type(spec).__name__:
            case "PoolSpec":
                return Select(GAN, spec, HALF, 4).key
            case "ClassifierSpec":
                return dataclasses.replace(CLF, classifier=spec).key
            case "AugmentationSpec":
                return dataclasses.replace(AUGMENT, strength=spec).key
            case "MixingSpec":
                return dataclasses.replace(CLF, mixing=spec).key
            case name if "Filter" in name:
                return dataclasses.replace(SELECT, filter=spec).key
            case _:
                return FitGan(SPLIT, spec, 0).key

    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, bool | int | float):
            other = not value if isinstance(value, bool) else value + 1
            assert key(spec.model_copy(update={name: other})) != key(spec), name


def test_every_filter_has_a_key_of_its_own_and_so_has_every_pair():
    pairs = [one.model_copy(update={"also": other}) for one in FILTERS for other in FILTERS]
    keys = {dataclasses.replace(SELECT, filter=f).key for f in (*FILTERS, *pairs)}
    assert len(keys) == len(FILTERS) + len(FILTERS) ** 2
    realism, density = (NeighboursFilterSpec(threshold=0.5, measure=m) for m in ("realism", "density"))
    assert dataclasses.replace(SELECT, filter=realism).key != dataclasses.replace(SELECT, filter=density).key


@pytest.mark.parametrize("kind", [TrainImages, Split, Augment, FitGan, Select, FitClassifier, Measure])
def test_a_version_changes_the_keys_of_a_stage_and_of_all_that_follow(kind, monkeypatch):
    before = {type(s): s.key for s in chain()}
    monkeypatch.setattr(kind, "version", 99)
    for stage in chain():
        follows = isinstance(stage, kind) or any(isinstance(a, kind) for a in ancestors(stage))
        assert (stage.key != before[type(stage)]) == follows, stage.kind()


def chain():
    """Every stage of a cell, made anew."""
    shared.cache_clear()
    real_split.cache_clear()
    measure = recipe(CELL)
    return [measure, *ancestors(measure)]


def test_two_kinds_with_the_same_parameters_differ():
    assert TRAIN.key != TEST.key


def test_a_key_is_the_hash_of_canonical_json():
    def sha256(text):
        return hashlib.sha256(text.encode()).hexdigest()

    train = sha256(f'{{"dataset":"a","stage":"train_images","version":{TrainImages.version}}}')
    start = '{"n_real":5,"n_validation":4,"seed":0,"stage":"split","train":'
    assert TRAIN.key == train
    assert SPLIT.key == sha256(f'{start}"{train}","version":{Split.version}}}')


def test_a_key_is_the_same_in_every_process():
    code = "from tiny import CELL; from ganaug.recipe import recipe; print(recipe(CELL).key)"
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        key = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip()
        assert key == recipe(CELL).key


def test_descriptions_are_json_and_name_their_parents_by_key():
    for stage in OTHERS:
        described = stage.describe()
        assert stage.canonical() == json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False)
        assert described["stage"] == stage.kind()
        for parent in stage.parents():
            assert parent.key in json.dumps(described)


def test_parents_and_ancestors():
    measure = Measure((CLF, dataclasses.replace(CLF, member=1)), TEST)
    assert [p.kind() for p in measure.parents()] == ["fit_classifier", "fit_classifier", "test_images"]
    assert {a.kind() for a in ancestors(measure)} == {
        "fit_classifier",
        "test_images",
        "split",
        "select",
        "fit_gan",
        "augment",
        "train_images",
    }
    assert GAN.split == SPLIT
    assert FitGan(SPLIT, CGAN, 0).split == SPLIT


def test_importing_the_stages_loads_no_torch_and_no_ray():
    code = "import sys, ganaug.recipe; print([m for m in ('torch', 'ray', 'scipy', 'sklearn') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
