import math

import pytest
import torch

from ganaug.gans.losses import LOSSES, mode_seeking

REAL, FAKE = [2.0, -0.5, 0.25], [-3.0, 0.5, 1.5]


def mean(values):
    return sum(values) / len(values)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


CLOSED_FORMS = {
    "hinge": (
        mean([max(0, 1 - r) for r in REAL]) + mean([max(0, 1 + f) for f in FAKE]),
        -mean(FAKE),
    ),
    "bce": (
        -mean([math.log(sigmoid(r)) for r in REAL]) - mean([math.log(1 - sigmoid(f)) for f in FAKE]),
        -mean([math.log(sigmoid(f)) for f in FAKE]),
    ),
    "least-squares": (
        mean([(r - 1) ** 2 for r in REAL]) + mean([f**2 for f in FAKE]),
        mean([(f - 1) ** 2 for f in FAKE]),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_their_closed_forms(name):
    discriminator, generator = LOSSES[name]
    of_d, of_g = CLOSED_FORMS[name]
    assert discriminator(torch.tensor(REAL), torch.tensor(FAKE)).item() == pytest.approx(of_d)
    assert generator(torch.tensor(FAKE)).item() == pytest.approx(of_g)


@pytest.mark.parametrize("name", LOSSES)
def test_the_two_networks_pull_a_generated_score_in_opposite_directions(name):
    discriminator, generator = LOSSES[name]
    fake = torch.tensor([0.5], requires_grad=True)
    (down,) = torch.autograd.grad(discriminator(torch.tensor([0.0]), fake), fake)
    (up,) = torch.autograd.grad(generator(fake), fake)
    assert down > 0 > up


def test_bce_stays_finite_for_scores_beyond_a_float_exponential():
    discriminator, generator = LOSSES["bce"]
    assert discriminator(torch.tensor([-1e4]), torch.tensor([1e4])).item() == pytest.approx(2e4)
    assert generator(torch.tensor([-1e4])).item() == pytest.approx(1e4)


def test_mode_seeking_is_the_mean_ratio_of_distances():
    images = torch.tensor([0.0, 0.5, 0.2, 0.9]).view(4, 1, 1, 1)  # halves: (0, 0.5) and (0.2, 0.9)
    latent = torch.tensor([[0.0, 1.0], [2.0, 2.0], [1.0, 1.0], [2.0, 0.0]])
    expected = mean([(1 + 0) / 2 / (0.2 + 1e-3), (0 + 2) / 2 / (0.4 + 1e-3)])
    assert mode_seeking(images, latent).item() == pytest.approx(expected, rel=1e-5)


def test_mode_seeking_falls_as_the_images_of_a_class_move_apart():
    latent = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    near, far = (scale * torch.arange(8.0).view(8, 1, 1, 1) / 8 for scale in (0.1, 1.0))
    assert mode_seeking(far, latent) < mode_seeking(near, latent)
