import numpy as np
import pytest
import torch
from scipy import stats
from tiny import CGAN, GANS, images, imported
from torch import nn
from torch.nn.utils import parametrize

from ganaug import precision
from ganaug.classifiers.fit import fit, predict
from ganaug.classifiers.networks import build
from ganaug.errors import UserError
from ganaug.gans.training import Trainer, train
from ganaug.precision import arithmetic, has_bfloat16
from ganaug.semi.fit import Trainer as SemiTrainer
from ganaug.semi.fit import fit as fit_semi
from ganaug.specs import AugmentationSpec, ClassifierSpec, PreprocessingSpec, SemiSpec, judging

hardware = pytest.mark.skipif(not has_bfloat16("cpu"), reason="this machine's CPU has no bfloat16")
SPLIT = images(30, 1)
REAL, LABELS = SPLIT.arrays["real"], SPLIT.arrays["real_labels"]
REFUSED = (
    "classifier.precision: bfloat16 is not in this machine's CPU (it needs AVX-512 BF16, AMX or ARM's BF16, or a GPU "
    "from Ampere on); take float32, which gives other results under other keys"
)


def trainer(name, kind, steps=3):
    spec = GANS[name].model_copy(update={"precision": kind, "r1": 1.0, "r1_every": 2})
    made = Trainer(spec, torch.from_numpy(REAL), torch.from_numpy(LABELS), 10, 0, "cpu")
    losses = [made.advance() for _ in range(steps)]
    return made, losses[-1] if losses else ()


def tensors(made):
    return {k: v for k, v in made.state().items() if v.is_floating_point() and k != "history"}


def without_bfloat16(monkeypatch):
    monkeypatch.setattr(precision.torch.cpu, "get_capabilities", lambda: {"avx512_f": True, "architecture": "x86_64"})


def test_bfloat16_without_hardware_is_refused(monkeypatch):
    without_bfloat16(monkeypatch)
    with pytest.raises(UserError) as told:
        fit(ClassifierSpec(steps=1, precision="bfloat16"), REAL, LABELS, 10, 0)
    assert str(told.value) == REFUSED
    with pytest.raises(UserError, match=r"^gan\.precision: bfloat16 is not in this machine's CPU"):
        train(
            CGAN.model_copy(update={"precision": "bfloat16"}), torch.from_numpy(REAL), torch.from_numpy(LABELS), 10, 0
        )
    with pytest.raises(UserError, match=r"^semi\.precision: bfloat16 is not in this machine's CPU"):
        fit_semi(SemiSpec(steps=1, precision="bfloat16"), REAL, LABELS, REAL, 10, 0)
    fit(ClassifierSpec(steps=1), REAL, LABELS, 10, 0)


def test_float32_is_no_part_of_a_key_and_bfloat16_is():
    for spec in (ClassifierSpec(), CGAN, SemiSpec()):
        assert "precision" not in spec.identity()
        assert spec.model_copy(update={"precision": "bfloat16"}).identity()["precision"] == "bfloat16"


def test_a_judge_learns_in_float32():
    assert judging(ClassifierSpec(precision="bfloat16")) == judging(ClassifierSpec())


@hardware
@pytest.mark.parametrize("name", GANS)
def test_everything_a_gan_keeps_is_float32(name):
    made, losses = trainer(name, "bfloat16")
    assert {v.dtype for v in tensors(made).values()} == {torch.float32}
    assert {loss.dtype for loss in losses} == {torch.float32}
    assert all(torch.isfinite(v).all() for v in tensors(made).values())


@hardware
@pytest.mark.parametrize("name", GANS)
def test_a_gan_in_bfloat16_is_near_one_in_float32(name):
    (_, plain), (_, other) = trainer(name, "float32", 1), trainer(name, "bfloat16", 1)
    assert any(a != b for a, b in zip(plain, other, strict=True))
    for a, b in zip(plain, other, strict=True):
        assert b.item() == pytest.approx(a.item(), abs=0.02)


class Squared(nn.Module):
    """A parametrisation with a matrix product in it, as spectral norm has; on some devices autocast would take it."""

    def forward(self, weight):
        return weight @ weight


@hardware
def test_parametrised_weights_are_computed_in_float32_before_a_pass():
    net = parametrize.register_parametrization(nn.Linear(8, 8), "weight", Squared())
    with arithmetic("bfloat16", "cpu", net):
        assert net.weight.dtype == torch.float32
        assert net(torch.zeros(1, 8)).dtype == torch.bfloat16


@hardware
@pytest.mark.parametrize("name", ["cnn", "deep", "keras"])
def test_a_classifier_in_bfloat16_keeps_float32_and_is_asked_in_it(name):
    (plain, _), (net, losses) = (
        fit(ClassifierSpec(name=name, steps=3, width=8, precision=kind), REAL, LABELS, 10, 0)
        for kind in ("float32", "bfloat16")
    )
    state = net.state_dict()
    assert {v.dtype for v in state.values()} <= {torch.float32, torch.int64}
    assert any(not torch.equal(v, plain.state_dict()[k]) for k, v in state.items())
    assert net(torch.zeros(2, 1, 8, 8)).dtype == torch.float32
    assert np.isfinite(losses).all()


@hardware
@pytest.mark.parametrize("method", [None, "sgan", "sgan-published", "fixmatch", "sgan-fixmatch"])
def test_a_semi_supervised_fit_in_bfloat16_keeps_float32_and_is_near_one_in_it(method):
    trainers = [
        SemiTrainer(
            SemiSpec(method=method or "sgan", steps=9, width=8, precision=kind),
            REAL, LABELS, REAL if method else None, 10, 0, "cpu",
        )
        for kind in ("float32", "bfloat16")
    ]  # fmt: skip
    plain, other = (trainer.advance() for trainer in trainers)
    assert plain.keys() == other.keys()
    assert any(plain[k] != other[k] for k in plain)
    for name, loss in other.items():
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(plain[name].item(), rel=0.03, abs=0.03), name
    state = trainers[1].net.state_dict() | (trainers[1].generator.state_dict() if method and "sgan" in method else {})
    assert {v.dtype for v in state.values()} <= {torch.float32, torch.int64}


@hardware
def test_preprocessing_is_in_float32():
    spec = ClassifierSpec(preprocessing=PreprocessingSpec(featurewise_center=True, featurewise_std=True))
    net = build(spec, (1, 8, 8), 10, 0)
    x = torch.randn(5, 1, 8, 8)
    net.learn_preprocessing(x)
    with arithmetic("bfloat16", "cpu"):
        inside = net.prepare(x)
        assert net.body(inside).dtype == torch.bfloat16
    assert torch.equal(inside, net.prepare(x))


@hardware
def test_batches_and_augmentation_are_those_of_float32():
    """Both precisions see the same images, so that they can be compared seed by seed."""
    first = [
        fit(ClassifierSpec(steps=1, width=8, precision=kind), REAL, LABELS, 10, 0, ("rotation",), AugmentationSpec())[1]
        for kind in ("float32", "bfloat16")
    ]
    assert first[0] == pytest.approx(first[1], abs=0.01)


@hardware
def test_accuracy_in_bfloat16_is_that_in_float32():
    """Paired seeds: the 95 % interval of the difference lies inside 0.3 points; `benchmarks/` has it at full size."""
    every = [np.concatenate([part.arrays[k] for part in imported()]) for k in ("images", "labels")]
    (own, own_labels), (x, y) = ([a[:900] for a in every], [a[900:] for a in every])
    differences = []
    for seed in range(12):
        accuracy = {}
        for kind in ("float32", "bfloat16"):
            net, _ = fit(ClassifierSpec(steps=200, width=16, precision=kind), own, own_labels, 10, seed)
            accuracy[kind] = 100 * float((predict(net, x) == y).mean())
        differences.append(accuracy["bfloat16"] - accuracy["float32"])
    half = stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences)
    assert abs(np.mean(differences)) + half < 0.3
    assert accuracy["float32"] > 75
