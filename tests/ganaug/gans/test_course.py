"""R1, generators kept on the way, flips inside training, and 128 pixels in colour."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import CGAN, PROJECTION, images

from ganaug.artifact import Work
from ganaug.gans.diffaugment import diffaugment
from ganaug.gans.fit import fit_gan, generator_at, networks
from ganaug.gans.training import Trainer, checkpoint_steps, train
from ganaug.randomness import torch_rng
from ganaug.specs import DiffAugmentSpec

SPLIT = images()
X, Y = torch.from_numpy(SPLIT.arrays["real"]), torch.from_numpy(SPLIT.arrays["real_labels"])


def trainer(**changes):
    return Trainer(PROJECTION.model_copy(update=changes), X, Y, 10, 0, "cpu")


def test_r1_is_the_squared_slope_of_the_score_at_real_images():
    """Against the definition, by finite differences along the penalty's own gradient."""
    made = trainer(r1=3.0, r1_every=2)
    real, labels = made.real[:6], made.labels[:6]
    made.discriminator.double().eval()  # spectral norm takes its power iterations in training only
    made.optimise_d.zero_grad()
    made._penalise(real.double(), labels)
    weight = made.discriminator.score.parametrizations.weight.original
    gradient = weight.grad.clone()

    def penalty():
        x = real.double().requires_grad_()
        (slope,) = torch.autograd.grad(made.discriminator(x, labels).sum(), x)
        return 3.0 / 2 * 2 * slope.square().sum((1, 2, 3)).mean()

    step = 1e-5 * gradient / gradient.norm()
    with torch.no_grad():
        weight += step
        above = penalty_at(penalty)
        weight -= 2 * step
        below = penalty_at(penalty)
    assert float((above - below) / 2e-5) == pytest.approx(float(gradient.norm()), rel=1e-4)


def penalty_at(penalty):
    with torch.enable_grad():
        return penalty().detach()


def test_r1_comes_seldom_and_changes_only_its_steps():
    plain, lazy = trainer(), trainer(r1=50.0, r1_every=2)
    plain.step = lazy.step = 1
    plain.advance(), lazy.advance()
    same = [
        torch.equal(a, b)
        for a, b in zip(plain.discriminator.parameters(), lazy.discriminator.parameters(), strict=True)
    ]
    assert all(same), "no penalty at step 1"
    plain.advance(), lazy.advance()
    same = [
        torch.equal(a, b)
        for a, b in zip(plain.discriminator.parameters(), lazy.discriminator.parameters(), strict=True)
    ]
    assert not all(same), "a penalty at step 2"


@pytest.mark.parametrize("spec", [PROJECTION, CGAN], ids=["projection", "cgan"])
def test_generators_are_kept_on_the_way_and_the_last_is_the_one(spec):
    spec = spec.model_copy(update={"checkpoints": 3})
    fit = fit_gan(spec, SPLIT, SPLIT, 0, Work(lambda stage: SPLIT))
    assert fit.facts["checkpoint_steps"] == checkpoint_steps(spec) == [2, 4, 6]
    last, first = generator_at(spec, fit, 6), generator_at(spec, fit, 2)
    final = networks(spec, fit)[0].state_dict()
    assert all(torch.equal(v, final[k]) for k, v in last.state_dict().items())
    assert not all(torch.equal(v, final[k]) for k, v in first.state_dict().items())


def test_a_shorter_training_is_the_beginning_of_a_longer_one():
    """What makes a checkpoint the true answer of a training of so many steps."""
    long = train(PROJECTION.model_copy(update={"checkpoints": 3}), X, Y, 10, 0)
    short = train(PROJECTION.model_copy(update={"steps": 4}), X, Y, 10, 0)
    for name, value in short.generator.state_dict().items():
        assert torch.equal(long.checkpoints[4][name], value)


def test_a_training_goes_on_with_the_generators_it_has_kept():
    spec = PROJECTION.model_copy(update={"checkpoints": 3})
    one = Trainer(spec, X, Y, 10, 0, "cpu")
    for _ in range(3):
        one.advance()
    other = Trainer(spec, X, Y, 10, 0, "cpu")
    other.load({k: torch.from_numpy(v.numpy().copy()) for k, v in one.state().items()})
    for made in (one, other):
        while made.step < spec.steps:
            made.advance()
    assert one.checkpoints.keys() == other.checkpoints.keys() == {2, 4, 6}
    for step, weights in one.checkpoints.items():
        assert all(torch.equal(v, other.checkpoints[step][k]) for k, v in weights.items())


def test_flips_inside_training_are_as_frequent_as_stated():
    batch = torch.full((4000, 1, 8, 8), -1.0)
    batch[:, :, 0, 0] = 0.5
    spec = DiffAugmentSpec(translation=0, cutout=0, types="negative", probability=0.25)
    seen = diffaugment(batch, spec, torch.tensor([-1.0]), torch_rng(0, "test"))
    share = float((seen[:, 0, 4, 4] == 1.0).float().mean())
    assert share == pytest.approx(0.25, abs=0.03)
    rising = spec.model_copy(update={"rise": 0.5})
    for progress, wanted in ((0.0, 0.0), (0.25, 0.125), (0.5, 0.25), (1.0, 0.25)):
        seen = diffaugment(batch, rising, torch.tensor([-1.0]), torch_rng(0, "test"), progress)
        assert float((seen[:, 0, 4, 4] == 1.0).float().mean()) == pytest.approx(wanted, abs=0.03)
    untouched = spec.model_copy(update={"types": "none"})
    assert torch.equal(diffaugment(batch, untouched, torch.tensor([-1.0]), torch_rng(0, "test")), batch)


BIG = """
import numpy as np, torch
torch.set_num_threads(1)
from ganaug.gans.training import train
from ganaug.specs import ProjectionSpec
def peak():  # KiB; ru_maxrss would be that of the process which started this one, where it was larger
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak()
images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 3, 128, 128), dtype=np.uint8))
spec = ProjectionSpec(name="projection", steps=2, batch=8, r1=1.0, r1_every=1)
made = train(spec, images, torch.zeros(12, dtype=torch.int64), 1, 0)
drawn = made.generator(torch.randn(2, spec.latent), torch.zeros(2, dtype=torch.int64))
assert drawn.shape == (2, 3, 128, 128) and torch.isfinite(drawn).all() and not made.diverged
print((peak() - before) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux' /proc")
def test_128_pixels_in_colour_train_within_a_gibibyte():
    done = subprocess.run([sys.executable, "-c", BIG], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) < 1024  # MiB


def test_a_snapshot_is_what_the_checkpoint_of_its_step_draws():
    spec = PROJECTION.model_copy(update={"checkpoints": 3})
    fit = fit_gan(spec, SPLIT, SPLIT, 0, Work(lambda stage: SPLIT))
    assert fit.facts["snapshot_steps"][-1] == fit.facts["checkpoint_steps"][-1]
    assert np.isfinite(fit.arrays["checkpoint.2.out.weight"]).all()
