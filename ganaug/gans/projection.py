"""`projection`: a small convolutional conditional GAN that learns from a few hundred images.

Generator: class-conditional batch norm (Dumoulin et al. 2016, arXiv:1610.07629; de Vries et al. 2017,
arXiv:1707.00683). Discriminator: spectral norm (Miyato et al. 2018, arXiv:1802.05957) and a projection head
(Miyato & Koyama 2018, arXiv:1802.05637).
Both halve or double the side per layer, down to a base of 4 to 7 pixels: 8, 28, 32 or 128 px are the same code.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu
from torch.nn.utils.parametrizations import spectral_norm

from ganaug.gans.sides import check_side, halvings
from ganaug.members import channels_last
from ganaug.specs import ProjectionSpec


class ConditionalNorm(nn.Module):
    """Batch norm whose gain and bias are looked up by class."""

    def __init__(self, n_classes: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Embedding(n_classes, channels)
        self.bias = nn.Embedding(n_classes, channels)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.norm(x) * self.gain(labels)[..., None, None] + self.bias(labels)[..., None, None]


class Generator(nn.Module):
    """(N, latent), labels (N,) -> (N, C, H, H) in [-1, 1]."""

    def __init__(self, spec: ProjectionSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, side, _ = shape
        check_side(side)
        # channels from the base to half resolution: the last layer goes to full resolution and colour at once
        widths = [spec.width * min(2**i, 4) for i in range(halvings(side))][::-1]
        self.base = side >> halvings(side)
        self.embed = nn.Embedding(n_classes, spec.latent)
        self.first = nn.Linear(2 * spec.latent, widths[0] * self.base**2)
        self.norms = nn.ModuleList(ConditionalNorm(n_classes, w) for w in widths)
        self.convs = nn.ModuleList(
            # stride 2 into 4x4: four taps an output pixel, half the arithmetic of upsampling before a 3x3
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)
            for a, b in pairwise(widths)
        )
        self.out = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1)
        for layer in (self.first, *self.convs, self.out):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = self.first(torch.cat([latent, self.embed(labels)], -1))
        x = x.unflatten(-1, (-1, self.base, self.base))
        x = channels_last(x)
        x = relu(self.norms[0](x, labels))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            x = relu(norm(conv(x), labels))
        return self.out(x).tanh()


class Discriminator(nn.Module):
    """(N, C, H, H), labels (N,) -> raw scores (N,): psi(phi(x)) + embed(y) · phi(x), spectral norm throughout."""

    def __init__(self, spec: ProjectionSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, side, _ = shape
        n = halvings(side)
        widths = [spec.discriminator_width * min(2**i, 4) for i in range(n)]
        layers: list[nn.Module] = []
        if n < 2:  # a tiny image has few halvings: look at it once at full size, or the network is too shallow
            layers.append(nn.Conv2d(channels, widths[0], 3, padding=1))
            channels, widths = widths[0], [2 * widths[0]]
        for a, b in zip([channels, *widths], widths, strict=False):
            layers.append(nn.Conv2d(a, b, 4, stride=2, padding=1))
        layers.append(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.convs = nn.ModuleList(spectral_norm(layer) for layer in layers)
        self.score = spectral_norm(nn.Linear(widths[-1], 1))
        self.embed = spectral_norm(nn.Embedding(n_classes, widths[-1]))

    def forward(self, images: torch.Tensor, labels: torch.Tensor, kept: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        x = channels_last(images)
        for conv in self.convs:
            x = leaky_relu(conv(x), 0.1)
        features = x.sum((-2, -1))
        return self.score(features).squeeze(-1) + (self.embed(labels) * features).sum(-1)
