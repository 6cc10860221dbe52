"""Which networks a GAN's spec stands for."""

from typing import assert_never

import torch
from torch import nn

from ganaug.gans import cgan, infogan, projection
from ganaug.randomness import seeded
from ganaug.specs import AnyGan, CganSpec, InfoGanSpec, ProjectionSpec


def build(spec: AnyGan, n_classes: int, shape: tuple[int, int, int], seed: int) -> tuple[nn.Module, nn.Module]:
    """A freshly initialised generator and discriminator on the CPU, the same for the same seed."""

    def both() -> tuple[nn.Module, nn.Module]:
        match spec:
            case CganSpec():
                return cgan.Generator(spec, n_classes, shape), cgan.Discriminator(spec, n_classes, shape)
            case ProjectionSpec() | InfoGanSpec():
                kind = projection if isinstance(spec, ProjectionSpec) else infogan
                g, d = kind.Generator(spec, n_classes, shape), kind.Discriminator(spec, n_classes, shape)
                return g.to(memory_format=torch.channels_last), d.to(memory_format=torch.channels_last)
            case _:
                assert_never(spec)

    return seeded(both, seed, "gan", "init")
