"""GANs that train together are the GANs that train alone."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny import CGAN, GANS, PROJECTION
from tiny import images as split_images

from ganaug.gans import training
from ganaug.gans.fused import GanMember, train_together
from ganaug.gans.training import train
from ganaug.precision import has_bfloat16
from ganaug.specs import DiffAugmentSpec, ViewsSpec

CLOSE = 1e-10
hardware = pytest.mark.skipif(not has_bfloat16("cpu"), reason="this CPU has no bfloat16 in hardware")
ARRAYS = split_images(8).arrays
STEPS = 7


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(training, "CHECK_EVERY", 3)


@pytest.fixture
def float64():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def of(n, seed, dark=False):
    """A member trained on n images of all classes, or on their negatives."""
    at = np.linspace(0, len(ARRAYS["real"]) - 1, n).astype(int)
    images = torch.from_numpy(ARRAYS["real"][at])
    return GanMember(255 - images if dark else images, torch.from_numpy(ARRAYS["real_labels"][at]), seed)


MEMBERS = [of(80, 0), of(80, 1), of(33, 0), of(9, 2), of(50, 3, dark=True)]


def alone(spec, one, save=None):
    return train(spec, one.images, one.labels, 10, one.seed, "cpu", one.state, save)


def weights(trained):
    nets = (("generator", trained.generator), ("discriminator", trained.discriminator))
    return {f"{name}.{k}": v for name, net in nets for k, v in net.state_dict().items()}


def apart(one, other):
    """The largest difference in weights, running statistics, kept generators and losses."""
    mine, theirs = ([weights(t), *t.checkpoints.values(), {k: torch.tensor(v) for k, v in t.losses.items()}]
                    for t in (one, other))  # fmt: skip
    assert [m.keys() for m in mine] == [t.keys() for t in theirs]
    assert list(one.checkpoints) == list(other.checkpoints)
    assert list(one.snapshots) == list(other.snapshots)
    assert one.diverged == other.diverged
    assert not one.generator.training
    for step, images in one.snapshots.items():  # rounded: a last bit may tip a grey level
        assert int((images.int() - other.snapshots[step].int()).abs().max()) <= 1
    pairs = [(m[k].double(), t[k].double()) for m, t in zip(mine, theirs, strict=True) for k in m]
    return max(float((a - b).abs().max()) for a, b in pairs if a.numel())


def same(one, other):
    mine, theirs = weights(one), weights(other)
    return one.losses == other.losses and all(torch.equal(v, theirs[k]) for k, v in mine.items())


OPTIONS = {
    "as it is": {},
    "least-squares": {"loss": "least-squares", "ema": 0.0},
    "penalised": {"loss": "hinge", "r1": 1.0, "r1_every": 2, "ema": 0.9, "checkpoints": 2},
    "bce": {"loss": "bce", "ema": 0.5},
}
OWN = {
    "cgan": {"no dropout": {"dropout": 0.0}},
    "projection": {
        "flips": {"diffaugment": DiffAugmentSpec(types="hflip+contrast+negative", rise=0.5, cutout=0.5)},
        "no mode seeking": {"mode_seeking": 0.0, "diffaugment": DiffAugmentSpec(translation=0, cutout=0)},
    },
    "infogan": {
        "guided": {"guidance": 0.5},
        "softmax": {"information": "softmax", "continuous": 0},
        "views": {"views": ViewsSpec(weight=2.0, images=12)},
        "own body": {"views": ViewsSpec(weight=2.0, images=12), "q_body": "own", "guidance": 0.5},
    },
}
CASES = [(name, option) for name in GANS for option in (*OPTIONS, *OWN[name])]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("how", ["grouped", "unfold"])
@pytest.mark.parametrize(("name", "option"), CASES, ids=lambda case: case)
def test_together_is_alone(name, option, how):
    spec = GANS[name].model_copy(update={"steps": STEPS} | (OPTIONS | OWN[name])[option])
    for one, trained in zip(MEMBERS, train_together(spec, MEMBERS, 10, how=how), strict=True):
        assert apart(trained, alone(spec, one)) < CLOSE


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", GANS)
def test_a_member_does_not_depend_on_its_neighbours(name):
    spec = GANS[name].model_copy(update={"steps": STEPS})
    whole = train_together(spec, MEMBERS, 10)
    for chosen in ([2], [4, 0, 1]):
        some = train_together(spec, [MEMBERS[k] for k in chosen], 10)
        assert all(apart(trained, whole[k]) < CLOSE for k, trained in zip(chosen, some, strict=True))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("name", GANS)
def test_either_way_of_training_goes_on_from_the_others_state(name, ema):
    spec = GANS[name].model_copy(update={"steps": 10, "ema": ema, "checkpoints": 3})
    whole = [alone(spec, one) for one in MEMBERS]
    by_alone, by_together = [], []
    for one in MEMBERS:
        alone(spec, one, save=lambda state: by_alone.append(state()))
    train_together(spec, MEMBERS, 10, save=lambda states: by_together.append(states()))
    assert [[int(s["step"]) for s in states] for states in by_together] == [[k] * 5 for k in (3, 6, 9)]
    assert by_together[0][0].keys() == by_alone[0].keys()
    for k, one in enumerate(MEMBERS):
        found = alone(spec, dataclasses.replace(one, state=by_together[1][k]))
        assert apart(found, whole[k]) < CLOSE
    # at different steps: one at the start, others after 3, 6 and 9
    states = [None, *(by_alone[3 * k + at] for k, at in ((1, 0), (2, 1), (3, 2), (4, 0)))]
    going_on = [dataclasses.replace(one, state=s) for one, s in zip(MEMBERS, states, strict=True)]
    kept = [s and {k: v.clone() for k, v in s.items()} for s in states]
    found = train_together(spec, going_on, 10)
    assert all(apart(trained, whole[k]) < CLOSE for k, trained in enumerate(found))
    assert all(torch.equal(s[k], v) for s, own in zip(states, kept, strict=True) if s for k, v in own.items())


@pytest.mark.parametrize("name", GANS)
def test_a_member_that_diverges_stops_and_leaves_the_others_as_they_are_to_the_bit(name):
    spec = GANS[name].model_copy(update={"steps": STEPS, "ema": 0.5})
    states = []
    for one in MEMBERS:
        alone(spec, one, save=lambda state: states.append(state()))
    begun = [dataclasses.replace(one, state=states[2 * k]) for k, one in enumerate(MEMBERS)]
    broken = {k: torch.full_like(v, np.nan) if "generator.out" in k else v for k, v in begun[2].state.items()}
    ill_one = dataclasses.replace(begun[2], state=broken)
    fine = train_together(spec, begun, 10)
    saved = []
    ill = train_together(spec, [*begun[:2], ill_one, *begun[3:]], 10, save=lambda states: saved.append(states()))
    assert ill[2].diverged == "a loss is not finite at step 6"
    assert alone(spec, ill_one).diverged == ill[2].diverged
    assert ill[2].losses["step"] == [3, 6]
    assert [state is None for state in saved[-1]] == [False, False, True, False, False]
    for k in (0, 1, 3, 4):
        assert fine[k].diverged == ""
        assert same(fine[k], ill[k])


def test_when_all_have_diverged_nothing_goes_on():
    spec = CGAN.model_copy(update={"steps": 50, "loss": "least-squares", "learning_rate": 1e30,
                                   "discriminator_learning_rate": 1e30})  # fmt: skip
    for trained in train_together(spec, MEMBERS[:2], 10):
        assert trained.diverged == f"a loss is not finite at step {trained.losses['step'][-1]}"
        assert trained.losses["step"][-1] < 50


def test_in_float32_it_is_alone_within_its_rounding():
    for one, trained in zip(MEMBERS, train_together(CGAN, MEMBERS, 10), strict=True):
        assert apart(trained, alone(CGAN, one)) < 1e-3


@hardware
@pytest.mark.parametrize("name", GANS)
def test_in_bfloat16_it_is_near_alone_and_keeps_float32(name):
    spec = GANS[name].model_copy(update={"steps": 2, "precision": "bfloat16"})
    plain = train_together(GANS[name].model_copy(update={"steps": 2}), MEMBERS, 10)
    for one, trained, other in zip(MEMBERS, train_together(spec, MEMBERS, 10), plain, strict=True):
        assert apart(trained, alone(spec, one)) < 0.05
        assert not same(trained, other)
        assert {v.dtype for v in weights(trained).values()} <= {torch.float32, torch.int64}


def test_members_of_several_shapes_are_refused():
    small = dataclasses.replace(MEMBERS[0], images=MEMBERS[0].images.repeat(1, 3, 1, 1))
    with pytest.raises(
        ValueError, match=r"^GANs train together with one image shape, got \[\(1, 8, 8\), \(3, 8, 8\)\]$"
    ):
        train_together(PROJECTION, [MEMBERS[0], small], 10)
