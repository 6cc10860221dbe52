"""GAN losses on raw discriminator scores (N,), as (discriminator, generator) pairs; of stacked members (K, N) each its
own, (K,).

hinge: Lim & Ye 2017, arXiv:1705.02894.  bce: Goodfellow et al. 2014, arXiv:1406.2661, non-saturating.
least-squares: Mao et al. 2016, arXiv:1611.04076. `mode_seeking` is a term for the generator: Mao et al. 2019,
arXiv:1903.05628.
"""

from collections.abc import Callable

import torch
from torch.nn.functional import relu, softplus


def _hinge_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return relu(1 - real).mean(-1) + relu(1 + fake).mean(-1)


def _hinge_g(fake: torch.Tensor) -> torch.Tensor:
    return -fake.mean(-1)


def _bce_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return softplus(-real).mean(-1) + softplus(fake).mean(-1)


def _bce_g(fake: torch.Tensor) -> torch.Tensor:
    return softplus(-fake).mean(-1)


def _least_squares_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return ((real - 1) ** 2).mean(-1) + (fake**2).mean(-1)


def _least_squares_g(fake: torch.Tensor) -> torch.Tensor:
    return ((fake - 1) ** 2).mean(-1)


DiscriminatorLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
GeneratorLoss = Callable[[torch.Tensor], torch.Tensor]

LOSSES: dict[str, tuple[DiscriminatorLoss, GeneratorLoss]] = {
    "hinge": (_hinge_d, _hinge_g),
    "bce": (_bce_d, _bce_g),
    "least-squares": (_least_squares_d, _least_squares_g),
}


def mode_seeking(images: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
    """Mean |z - z'| / |G(z, y) - G(z', y)|: large where different latent vectors give the same image of a class.

    images (N, C, H, W) in [-1, 1] and latent (N, D); the two halves of the batch hold the same labels.
    """
    n = images.shape[-4]
    half = n // 2
    apart = (images.narrow(-4, 0, half) - images.narrow(-4, n - half, half)).abs().mean((-3, -2, -1))
    latent_apart = (latent.narrow(-2, 0, half) - latent.narrow(-2, n - half, half)).abs().mean(-1)
    return (latent_apart / (apart + 1e-3)).mean(-1)
