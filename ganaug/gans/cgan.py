"""`cgan`: the conditional GAN of the classic tutorials, two multi-layer perceptrons told the class by an embedding.

Mirza & Osindero 2014, arXiv:1411.1784. Kept as the historical baseline that the convolutional GAN is measured against.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from ganaug.specs import CganSpec


class Generator(nn.Module):
    """(N, latent), labels (N,) -> (N, C, H, H) in [-1, 1]."""

    def __init__(self, spec: CganSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(n_classes, n_classes)
        widths = [spec.latent + n_classes, *(spec.width * k for k in (1, 2, 4, 8))]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm1d(b) for b in widths[2:])  # none after the first layer
        self.out = nn.Linear(widths[-1], shape[0] * shape[1] * shape[2])

    def forward(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = torch.cat([latent, self.embed(labels)], -1)
        x = leaky_relu(self.hidden[0](x), 0.2)
        for linear, norm in zip(self.hidden[1:], self.norms, strict=True):
            x = leaky_relu(norm(linear(x)), 0.2)
        return self.out(x).tanh().unflatten(-1, self.shape)


class Discriminator(nn.Module):
    """(N, C, H, H), labels (N,) -> raw scores (N,). Dropout only where it is told what to keep."""

    def __init__(self, spec: CganSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        width = 4 * spec.width
        self.rate, self.width = spec.dropout, width
        self.embed = nn.Embedding(n_classes, n_classes)
        self.first = nn.Linear(n_classes + shape[0] * shape[1] * shape[2], width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def draw_kept(self, n: int, rng: torch.Generator) -> list[torch.Tensor]:
        """What dropout keeps of n images, for `forward`: (n, width) bool after two layers each, or nothing."""
        return [torch.rand((n, self.width), generator=rng) >= self.rate for _ in range(2)] if self.rate else []

    def forward(self, images: torch.Tensor, labels: torch.Tensor, kept: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        def drop(x: torch.Tensor, layer: int) -> torch.Tensor:
            return x * kept[layer] / (1 - self.rate) if kept else x

        x = torch.cat([images.flatten(-3), self.embed(labels)], -1)
        x = leaky_relu(self.first(x), 0.2)
        x = leaky_relu(drop(self.second(x), 0), 0.2)
        x = leaky_relu(drop(self.third(x), 1), 0.2)
        return self.out(x).squeeze(-1)
