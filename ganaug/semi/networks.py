"""The one body that every semi-supervised method and its supervised control train, and a generator without labels.

Convolutions of stride 2 down to 8 pixels or fewer, one more, and a dense layer whose outputs are the features. There is
no batch norm: labelled, unlabelled and generated images must not share their statistics.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from ganaug.classifiers.networks import Network
from ganaug.gans import projection
from ganaug.randomness import seeded
from ganaug.specs import ProjectionSpec, SemiSpec

SLOPE = 0.2


class Body(Network):
    """(N, C, H, H) in [-1, 1] -> logits (N, classes).

    `real` is the second head of the published variant, from features to one raw score; the K logits of Salimans et al.
    need none, and no other method uses it.
    """

    def __init__(self, shape: tuple[int, int, int], n_classes: int, width: int) -> None:
        super().__init__()
        channels, side, _ = shape
        widths = [channels]
        while side > 8 or len(widths) < 2:
            side = side // 2
            widths.append(width * min(2 ** (len(widths) - 1), 4))
        layers = [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths)]
        layers.append(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.convs = nn.ModuleList(layers)
        self.hidden = nn.Linear(widths[-1] * side * side, 4 * width)
        self.out = nn.Linear(4 * width, n_classes)
        self.real = nn.Linear(4 * width, 1)
        for name, weights in (*self.convs.named_parameters(), *self.hidden.named_parameters()):
            if name.endswith("weight"):
                nn.init.kaiming_normal_(weights, a=SLOPE)
            else:
                nn.init.zeros_(weights)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = leaky_relu(conv(x), SLOPE)
        return leaky_relu(self.hidden(x.flatten(1)), SLOPE)


class Generator(nn.Module):
    """(N, latent) -> (N, C, H, H) in [-1, 1]: the generator of `projection`, with one class for all images."""

    def __init__(self, latent: int, width: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.latent = latent
        self.net = projection.Generator(ProjectionSpec(name="projection", latent=latent, width=width), 1, shape)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return self.net(latent, torch.zeros(len(latent), dtype=torch.int64, device=latent.device))


def build(spec: SemiSpec, shape: tuple[int, int, int], n_classes: int, seed: int) -> Body:
    """A freshly initialised body on the CPU, channels last; the same for the same seed, whatever the method."""
    net = seeded(lambda: Body(shape, n_classes, spec.width), seed, "semi", "init")
    return net.to(memory_format=torch.channels_last)


def build_generator(spec: SemiSpec, shape: tuple[int, int, int], seed: int) -> Generator:
    """A freshly initialised generator on the CPU. ValueError for a side that doubling cannot reach."""
    net = seeded(lambda: Generator(spec.gan.latent, spec.gan.width, shape), seed, "semi", "generator")
    return net.to(memory_format=torch.channels_last)


def restore(spec: SemiSpec, shape: tuple[int, int, int], n_classes: int, arrays: dict[str, np.ndarray]) -> Body:
    """A trained body on the CPU, in evaluation mode, from the arrays `net.*` of a fit."""
    net = build(spec, shape, n_classes, 0)  # its first weights are overwritten
    own = {k.removeprefix("net."): torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith("net.")}
    net.load_state_dict(own)
    return net.eval()
