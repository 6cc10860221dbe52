"""Classifiers that train together are the classifiers that train alone."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny import images as split_images

from ganaug.classifiers.curve import Watch, some
from ganaug.classifiers.fit import Extras, fit
from ganaug.classifiers.fused import Member, fit_together
from ganaug.precision import has_bfloat16
from ganaug.specs import AugmentationSpec, ClassifierSpec, MixingSpec, PreprocessingSpec

CLOSE = 1e-10
hardware = pytest.mark.skipif(not has_bfloat16("cpu"), reason="this CPU has no bfloat16 in hardware")
ARRAYS = split_images(12, 4).arrays
SOFT = np.random.default_rng(0).dirichlet(np.ones(10), 30).astype(np.float32)
SPEC = ClassifierSpec(steps=6, batch=8, width=4)


@pytest.fixture
def float64():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def of(n, seed, da=(), **more):
    """A member trained on n images, evenly from all classes."""
    at = np.linspace(0, len(ARRAYS["real"]) - 1, n).astype(int)
    return Member(ARRAYS["real"][at], ARRAYS["real_labels"][at], seed, da, **more)


WRAPPED = AugmentationSpec(fill="wrap", convention="keras", rotation=40, zoom=0.3)
CONSTANT = AugmentationSpec(fill="constant", cval=90, width_shift=2)
MIXED = [
    of(120, 0),
    of(50, 1, ("rotation", "hflip")),
    of(33, 2, ("contrast", "brightness", "negative")),
    of(7, 3, ("rotation", "hflip"), augmentation=AugmentationSpec(rotation=60)),
    of(90, 3, ("rotation", "zoom"), augmentation=WRAPPED),
    of(120, 4, ("width_shift", "channel_shift"), augmentation=CONSTANT),
    of(60, 5, extras=Extras(30, MixingSpec(weight=0.3))),
    of(60, 6, ("shift",), extras=Extras(30, MixingSpec(ratio=0.4))),
    of(60, 7, extras=Extras(30, MixingSpec(weight=2, soft_labels=0.5), SOFT)),
]
PLAIN = [of(120, 0), of(50, 0), of(50, 1), of(33, 2)]


def alone(spec, one):
    return fit(
        spec, one.images, one.labels, 10, one.seed, one.da, one.augmentation, "cpu", one.extras, one.start, one.watch
    )


def apart(fitted, other):
    """The largest difference in weights, running statistics and losses."""
    (net, curve), (other_net, other_curve) = fitted, other
    mine, theirs = net.state_dict(), other_net.state_dict()
    assert mine.keys() == theirs.keys()
    assert not net.training
    weights = max(float((mine[k].double() - theirs[k].double()).abs().max()) for k in mine)
    return max(weights, float(np.abs(np.subtract(curve, other_curve)).max()))


def same(fitted, other):
    return fitted[1] == other[1] and all(
        torch.equal(v, other[0].state_dict()[k]) for k, v in fitted[0].state_dict().items()
    )


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("how", ["grouped", "unfold"])
@pytest.mark.parametrize("members", [PLAIN, MIXED], ids=["alike", "mixed"])
@pytest.mark.parametrize("name", ["cnn", "deep", "keras"])
def test_together_is_alone(name, members, how):
    spec = SPEC.model_copy(update={"name": name})
    for one, fitted in zip(members, fit_together(spec, members, 10, how=how), strict=True):
        assert apart(fitted, alone(spec, one)) < CLOSE


OPTIONS = {
    "dropout": {"dropout": 0.4},
    "smoothing": {"label_smoothing": 0.2},
    "constant": {"schedule": "constant", "weight_decay": 0.1},
    "features": {"preprocessing": PreprocessingSpec(featurewise_center=True, featurewise_std=True, rescale=0.01)},
    "samples": {"preprocessing": PreprocessingSpec(samplewise_center=True, samplewise_std=True)},
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ["cnn", "deep"])
def test_together_is_alone_under_every_setting(name, option):
    spec = SPEC.model_copy(update={"name": name} | OPTIONS[option])
    members = MIXED[::2]
    for one, fitted in zip(members, fit_together(spec, members, 10), strict=True):
        assert apart(fitted, alone(spec, one)) < CLOSE


@pytest.mark.usefixtures("float64")
def test_a_warm_start_and_a_curve_are_those_of_the_member_alone():
    first, _ = alone(SPEC, PLAIN[1])
    start = {k: v.numpy() for k, v in first.state_dict().items()}

    def watched():
        pair = some(ARRAYS["real"], ARRAYS["real_labels"], 40)
        return Watch(3, SPEC.steps, pair, pair)

    members = [dataclasses.replace(PLAIN[0], watch=watched()), dataclasses.replace(PLAIN[1], start=start), PLAIN[2]]
    together = fit_together(SPEC, members, 10)
    other = dataclasses.replace(members[0], watch=watched())
    for one, fitted in zip([other, *members[1:]], together, strict=True):
        assert apart(fitted, alone(SPEC, one)) < CLOSE
    assert members[0].watch.curve == other.watch.curve
    assert len(other.watch.curve["update"]) == 3


@pytest.mark.usefixtures("float64")
def test_a_member_does_not_depend_on_its_neighbours():
    whole = fit_together(SPEC, MIXED, 10)
    for chosen in ([4], [8, 1], [6, 5, 0, 3, 2]):
        some_of = fit_together(SPEC, [MIXED[k] for k in chosen], 10)
        assert all(apart(fitted, whole[k]) < CLOSE for k, fitted in zip(chosen, some_of, strict=True))


@pytest.mark.parametrize("name", ["cnn", "deep", "keras"])
def test_a_member_that_diverges_leaves_the_others_as_they_are_to_the_bit(name):
    spec = SPEC.model_copy(update={"name": name})
    weights = {k: v.numpy() for k, v in alone(spec, PLAIN[1])[0].state_dict().items()}
    broken = {k: np.full_like(v, np.nan) if k == "convs.0.weight" else v for k, v in weights.items()}
    fine, ill = (
        fit_together(spec, [PLAIN[0], dataclasses.replace(PLAIN[1], start=start), *PLAIN[2:]], 10)
        for start in (weights, broken)
    )
    assert not np.isfinite(ill[1][1]).any()
    assert np.isfinite(fine[1][1]).all()
    assert all(same(fine[k], ill[k]) for k in (0, 2, 3))


def test_in_float32_it_is_alone_within_its_rounding():
    for one, fitted in zip(MIXED, fit_together(SPEC, MIXED, 10), strict=True):
        assert apart(fitted, alone(SPEC, one)) < 1e-4


@hardware
@pytest.mark.parametrize("name", ["cnn", "deep", "keras"])
def test_in_bfloat16_it_is_near_alone_and_keeps_float32(name):
    spec = SPEC.model_copy(update={"name": name, "steps": 2, "precision": "bfloat16"})
    plain = fit_together(spec.model_copy(update={"precision": "float32"}), MIXED, 10)
    for one, fitted, other in zip(MIXED, fit_together(spec, MIXED, 10), plain, strict=True):
        assert apart(fitted, alone(spec, one)) < 0.05
        assert not same(fitted, other)
        assert {v.dtype for v in fitted[0].state_dict().values()} <= {torch.float32, torch.int64}


def test_an_image_of_several_members_lies_on_the_device_once():
    from ganaug.classifiers.fused import _Data

    data = _Data([of(120, 0), of(120, 1), of(50, 2)], 10, 0.0, "cpu")
    assert len(data.images) == len(np.unique(ARRAYS["real"], axis=0))
    at = torch.tensor([[3, 0], [123, 120], [240, 289]])
    assert torch.equal(data.batch(at)[0], data.batch(at)[1])


def test_members_that_cannot_train_together_are_refused():
    small = dataclasses.replace(PLAIN[0], images=ARRAYS["real"][:, :, :6, :6])
    with pytest.raises(
        ValueError, match=r"^classifiers train together with one image shape, got \[\(1, 6, 6\), \(1, 8"
    ):
        fit_together(SPEC, [PLAIN[0], small], 10)
    spec = SPEC.model_copy(update={"epochs": 1})
    with pytest.raises(ValueError, match=r"^classifiers train together with one number of updates, got \[6, 15\]$"):
        fit_together(spec, [PLAIN[0], PLAIN[1]], 10)
