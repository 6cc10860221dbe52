"""Generators of known worth, judged: perfect, copying, stuck in one class, and noise."""

import json
from functools import cache

import numpy as np
import pytest
import torch
from tiny import CLASSIFIER, POOL, PROJECTION, InMemory, imported, same

from ganaug.artifact import Artifact, Work
from ganaug.classifiers.fit import fit
from ganaug.metrics.assess import assess
from ganaug.specs import AssessSpec, ClassifierSpec, PoolSpec
from ganaug.stages import Assess, FitGan, Pool, Split, TestImages, TrainImages

TRAIN = imported()[0]
LEARNS = ClassifierSpec(steps=150, batch=32, width=8, learning_rate=1e-2)
CHUNK, PER_CLASS = 16, 40  # the last chunk is not used up


def asked(n_real=20, n_validation=10, seed=0, classifier=LEARNS, **spec):
    generator = FitGan(Split(TrainImages("digits"), n_real, n_validation, seed), PROJECTION, seed)
    pool = PoolSpec(chunk=CHUNK, max_per_class=5 * CHUNK)
    return Assess(generator, pool, classifier, AssessSpec(**{"images_per_class": PER_CLASS} | spec))


def fresh(split):
    """Images that are neither real nor validation ones of the split, a stream per class."""
    seen = np.concatenate([split.arrays["real_ids"], split.arrays["validation_ids"]])
    rest = np.random.default_rng(0).permutation(np.flatnonzero(~np.isin(TRAIN.arrays["ids"], seen)))
    labels = TRAIN.arrays["labels"][rest]
    return np.stack([TRAIN.arrays["images"][rest[labels == c][: 5 * CHUNK]] for c in range(10)])


def copies(split):
    real = split.arrays["real"]
    return np.stack([np.resize(real[split.arrays["real_labels"] == c], (5 * CHUNK, 1, 8, 8)) for c in range(10)])


def one_class(split):
    return np.stack([np.roll(fresh(split)[3], 7 * c, axis=0) for c in range(10)])


def noise(split):
    return np.random.default_rng(0).integers(0, 256, (10, 5 * CHUNK, 1, 8, 8), np.uint8)


def work(stage, draw, diverged=""):
    """Answers for a generator that draws these; whoever asks for test images, or anything else, is refused."""
    split = stage.generator.split.run(Work(lambda train: TRAIN))
    stream = draw(split)

    def get(needed):
        match needed:
            case Split():
                return split
            case FitGan():
                return Artifact({}, {"diverged": diverged, "diversity": 1.0})
            case Pool():
                at = needed.index * needed.size
                return Artifact({"images": stream[:, at : at + needed.size]})
        raise AssertionError(f"an assessment may not ask for {needed.kind()}")

    return Work(get)


@cache
def judged(draw):
    stage = asked()
    return assess(stage, work(stage, draw))


def mean(artifact, name):
    return np.mean(artifact.facts[name])


def test_a_perfect_generator():
    out = judged(fresh)
    assert (out.facts["status"], out.facts["reason"], out.facts["missing"]) == ("ok", "", {})
    assert mean(out, "recognised") > 0.85
    assert mean(out, "real_recognised") > 0.85
    assert mean(out, "taught") > 0.8
    assert min(out.facts[k] for k in ("precision", "recall", "coverage")) > 0.85
    assert out.facts["density"] == pytest.approx(1, abs=0.2)
    assert abs(out.facts["kid"]) < 4 * out.facts["kid_error"]
    assert abs(out.facts["floor"]["kid"]) < 4 * out.facts["floor"]["kid_error"]
    assert out.facts["nearest_ratio"] == pytest.approx(1, abs=0.15)
    assert abs(out.facts["data_copying"]) < 1.5
    assert out.facts["classifier_is"] > 7


def test_a_generator_that_copies():
    out = judged(copies)
    assert out.facts["nearest_ratio"] == 0
    assert out.facts["data_copying"] < -4
    assert (out.facts["precision"], out.facts["recall"], out.facts["coverage"]) == (1, 1, 1)
    assert out.facts["fid"] == pytest.approx(0, abs=1e-9)  # the first 20 generated are the 20 real ones
    split = asked().generator.split.run(Work(lambda train: TRAIN)).arrays
    assert np.array_equal(split["real"][out.arrays["nearest"]], copies(Artifact(split))[:, :8])


def test_a_generator_that_knows_one_class():
    out = judged(one_class)
    recognised = out.facts["recognised"]
    assert recognised[3] > 0.85
    assert max(recognised[:3] + recognised[4:]) < 0.1
    assert out.arrays["confusion"].argmax(1).tolist() == [3] * 10
    assert mean(out, "taught") < 0.35
    assert out.facts["recall"] < 0.4
    assert out.facts["classifier_is"] < 2
    assert out.facts["kid"] > 10 * out.facts["kid_error"]


def test_a_generator_of_noise():
    out, perfect = judged(noise), judged(fresh)
    assert out.facts["precision"] < 0.6 < perfect.facts["precision"]
    assert out.facts["density"] < 0.4
    assert out.facts["recall"] < 0.3
    assert out.facts["fid"] > 5 * perfect.facts["fid"]
    assert out.facts["nearest_ratio"] > 2
    assert out.facts["data_copying"] > 4
    assert mean(out, "recognised") == pytest.approx(0.1, abs=0.1)


def test_what_it_counts_adds_up():
    for draw in (fresh, copies, one_class, noise):
        out = judged(draw)
        facts = out.facts
        assert out.arrays["confusion"].sum(1).tolist() == [PER_CLASS] * 10
        assert facts["recognised"] == pytest.approx(np.diag(out.arrays["confusion"]) / PER_CLASS)
        assert (facts["generated_per_class"], facts["compared_per_class"], facts["seed"]) == (PER_CLASS, 20, 0)
        assert (facts["validation_per_class"], facts["floor"]["compared_per_class"]) == ([10] * 10, 10)
        assert all(len(facts[k]) == 10 for k in ("recognised", "real_recognised", "taught"))
        assert out.arrays["nearest"].shape == (10, 8)
        json.dumps(facts, allow_nan=False)


def test_one_judge_for_all_generators_of_a_split():
    assert judged(fresh).facts["real_recognised"] == judged(noise).facts["real_recognised"]
    assert judged(fresh).facts["floor"] == judged(copies).facts["floor"]


def test_nothing_that_went_before_changes_it():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    stage = asked(steps=20)
    other = asked(seed=1, steps=20)
    one = assess(stage, work(stage, fresh))
    torch.rand(5)
    assess(other, work(other, noise))
    assert same(one, assess(stage, work(stage, fresh)))
    assert not same(one, assess(other, work(other, fresh)))


def test_its_own_number_of_updates(monkeypatch):
    updates = 0
    step = torch.optim.AdamW.step

    def counted(*args, **kwargs):
        nonlocal updates
        updates += 1
        return step(*args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    for steps, expected in ((7, 2 * 7), (None, 2 * CLASSIFIER.steps)):
        updates = 0
        stage = asked(classifier=CLASSIFIER, steps=steps)
        assess(stage, work(stage, fresh))
        assert updates == expected


@pytest.mark.parametrize(("n_real", "n_validation", "wanted"), [(1, 1, 1), (3, 10, 100), (2, 1, 40)])
def test_few_images_still_say_something_and_why_not_more(n_real, n_validation, wanted):
    stage = asked(n_real, n_validation, images_per_class=wanted, neighbours=12, steps=3)
    facts = assess(stage, work(stage, fresh)).facts
    n = min(n_real, wanted)
    assert (facts["generated_per_class"], facts["compared_per_class"]) == (min(wanted, 80), n)
    assert facts["fid"] > 0  # singular covariances: 10 to 30 images, 32 features
    expected = {}
    if n < 4:
        expected["kid_error"] = f"a kernel distance's error needs at least 4 images of each class and kind, got {n}"
    if n < 2:
        expected["kid"] = "a kernel distance needs at least 2 images of each class and kind, got 1"
        few = "a metric of 12 neighbours needs at least 13 images of each kind, got 10"
        expected |= dict.fromkeys(("precision", "recall", "density", "coverage"), few)
    assert facts["missing"] == expected
    assert all(facts[name] is None for name in expected)
    assert all(facts[k] is not None for k in ("fid", "classifier_is", "nearest_ratio", "data_copying"))
    json.dumps(facts, allow_nan=False)


def test_validation_images_that_are_real_ones_leave_no_ratio():
    stage = asked(3, 3, steps=3)
    get = work(stage, fresh).get
    split = get(stage.generator.split).arrays
    twins = Artifact(split | {"validation": split["real"], "validation_labels": split["real_labels"]}, TRAIN.facts)
    facts = assess(stage, Work(lambda s: twins if isinstance(s, Split) else get(s))).facts
    assert facts["nearest_ratio"] is None
    assert facts["missing"]["nearest_ratio"] == "half of the validation images are among the real ones"


def test_a_collapsed_generator_is_judged_and_a_broken_one_is_not():
    stage = asked(steps=3)
    facts = assess(stage, work(stage, fresh, diverged="collapsed: 0.01")).facts
    assert (facts["status"], facts["diverged"]) == ("ok", "collapsed: 0.01")
    assert len(facts["recognised"]) == 10
    broken = Artifact({}, {"diverged": "a loss is not finite at step 6"})
    out = assess(stage, Work(lambda needed: broken))
    assert out.facts == {
        "status": "diverged",
        "reason": "a loss is not finite at step 6",
        "seed": 0,
        "diverged": "a loss is not finite at step 6",
    }
    assert out.arrays == {}


@pytest.mark.parametrize("lost", ["judge", "pupil"])
def test_a_classifier_that_diverges_says_so(monkeypatch, lost):
    stage, trained = asked(steps=3), []

    def breaks(*args, **kwargs):
        net, curve = fit(*args, **kwargs)
        trained.append(net)
        return net, [*curve, float("nan")] if len(trained) == ["judge", "pupil"].index(lost) + 1 else curve

    monkeypatch.setattr("ganaug.metrics.assess.fit", breaks)
    out = assess(stage, work(stage, fresh))
    assert (out.facts["status"], out.arrays) == ("diverged", {})
    assert out.facts["reason"] == f"the loss of the assessment's {lost} is not finite"


def test_a_trained_gan_end_to_end_without_a_look_at_the_test_images():
    split = Split(TrainImages("digits"), 5, 4, 0)
    stage = Assess(FitGan(split, PROJECTION, 0), POOL, CLASSIFIER, AssessSpec(images_per_class=12))
    evaluator = InMemory()
    del evaluator.made[TestImages("digits").key]  # asking for them would be an error
    out = evaluator.get(stage)
    assert out.facts["status"] == "ok"
    assert out.facts["generated_per_class"] == 12
    json.dumps(out.facts, allow_nan=False)
    first, second = (evaluator.made[Pool(stage.generator, i, POOL.chunk).key].arrays["images"] for i in (0, 1))
    drawn = np.concatenate([first, second], axis=1)[:, :12]
    whole = judge_by_pixels(drawn[:, :8], split.run(Work(lambda train: TRAIN)).arrays["real"])
    assert np.array_equal(out.arrays["nearest"], whole)


def judge_by_pixels(drawn, real):
    """Place of the nearest real image, image by image."""
    flat = real.reshape(len(real), -1).astype(int)
    return [[int(((flat - x.reshape(-1).astype(int)) ** 2).sum(1).argmin()) for x in row] for row in drawn]
