"""What leaked into samples, what scores say of worthless sets, and metrics over training."""

import numpy as np
import pytest
from tiny import CLASSIFIER, POOL, PROJECTION, InMemory, images

from ganaug.metrics.further import at_checkpoint, leaked, leaks, references, top_classes
from ganaug.specs import AssessSpec
from ganaug.stages import Assess, FitGan, Pool, Split, TrainImages

REAL = images().arrays["real"]


@pytest.mark.parametrize("kind", ["hflip", "vflip", "negative"])
def test_what_is_in_the_samples_is_found(kind):
    changed = {"hflip": REAL[..., ::-1], "vflip": REAL[..., ::-1, :], "negative": 255 - REAL}[kind]
    asymmetric = (changed != REAL).any(axis=(1, 2, 3))
    assert leaked(REAL, REAL, kind) == 0.0
    assert leaked(np.ascontiguousarray(changed), REAL, kind) == pytest.approx(asymmetric.mean(), abs=0.05)
    half = np.concatenate([REAL, changed])
    assert leaked(half, REAL, kind) == pytest.approx(asymmetric.mean() / 2, abs=0.03)


def test_fresh_real_images_are_the_floor():
    split = images()
    found = leaks(255 - split.arrays["validation"], REAL, split.arrays["validation"], ("negative",))
    assert found["negative"] == {"generated": 1.0, "validation": 0.0, "changed": 1.0}


def test_worthless_sets():
    found = references(REAL, 10, 4, np.random.default_rng(0))
    assert {name: len(np.unique(x.reshape(40, -1), axis=0)) for name, x in found.items()} == {
        "noise": 40, "one image": 1, "one image per class": 10,
    }  # fmt: skip
    assert set(references(REAL[:10], 1, 4, np.random.default_rng(0))) == {"noise", "one image"}


def test_classes_of_imagenet_are_told_by_mean_probability():
    said = np.array([[0.7, 0.2, 0.1], [0.0, 0.6, 0.4]])
    assert top_classes(said, ["cat", "dog", "emu"])[0] == {"class": "dog", "probability": 0.4, "first": 0.5}


def test_an_assessment_tells_what_it_is_asked_for():
    memory = InMemory()
    gan = PROJECTION.model_copy(update={"checkpoints": 2})
    generator = FitGan(Split(TrainImages("digits"), 5, 4, 0), gan, 0)
    plain = AssessSpec(images_per_class=8)
    asked = plain.model_copy(update={"leaks": ("vflip",), "references": True})
    found = memory.get(Assess(generator, POOL, CLASSIFIER, asked))
    assert [row["step"] for row in found.facts["steps"]] == [3, 6]
    last = {k: v for k, v in found.facts["steps"][-1].items() if k in ("kid", "fid", "classifier_is", "recall")}
    assert last == {k: found.facts[k] for k in last}, "the last step's generator is the generator"
    stream = memory.get(Pool(generator, 0, POOL.chunk)).arrays["images"]
    drawn = at_checkpoint(Assess(generator, POOL, CLASSIFIER, asked), memory.get(generator), 6, 8)
    assert np.array_equal(drawn, stream[:, :8].reshape(80, *stream.shape[2:]))
    worthless = found.facts["references"]
    assert worthless["one image"]["classifier_is"] == pytest.approx(1.0, abs=1e-6), "the least there is"
    assert worthless["one image"]["kid"] > found.facts["floor"]["kid"]
    assert found.arrays["probabilities"].shape == (10, 8, 10)
    assert np.allclose(found.arrays["marginal"].sum(), 1, atol=1e-5)
    unasked = memory.get(Assess(FitGan(generator.images, PROJECTION, 0), POOL, CLASSIFIER, plain)).facts
    assert not {"steps", "leaks", "references", "imagenet"} & set(unasked)
