"""The classifiers' networks. Each gives features and, from them, logits.

`cnn` is the small one of the tutorials: cheap, so that a grid of hundreds of cells is. `deep` has batch norm and five
convolutions on 28 pixels, and stands classic augmentation far better; a claim should be made with it.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu

from ganaug.randomness import seeded
from ganaug.specs import ClassifierSpec


class Network(nn.Module):
    """(N, C, H, H) in [-1, 1] -> logits (N, classes)."""

    out: nn.Linear

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the logits are computed from, (N, d), at least 0."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.features(x))


class Cnn(Network):
    """Halves the side to 8 pixels or fewer, then two dense layers."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int, width: int) -> None:
        super().__init__()
        channels, side, _ = shape
        layers = 0
        while side > 8 or layers < 2:
            side, layers = side // 2, layers + 1
        widths = [channels, width, *[2 * width] * (layers - 1)]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.hidden = nn.Linear(widths[-1] * side * side, 4 * width)
        self.out = nn.Linear(4 * width, n_classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = relu(max_pool2d(conv(x), 2))  # pooling first: the same numbers, a quarter of the ReLU's work
        return relu(self.hidden(x.flatten(1)))


class Deep(Network):
    """A convolution for each halving of the side down to 8 pixels or fewer, then three more around another halving."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int, width: int) -> None:
        super().__init__()
        channels, side, _ = shape
        self.halved: list[bool] = []
        while side > 8 or not self.halved:
            side = side // 2
            self.halved.append(True)
        widths = [width * min(2**i, 4) for i in range(len(self.halved))]
        last, wider = widths[-1], min(2 * widths[-1], 4 * width)
        widths, self.halved, side = (
            [channels, *widths, last, wider, wider],
            [*self.halved, False, True, False],
            side // 2,
        )
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:])
        self.out = nn.Linear(widths[-1] * side * side, n_classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        for conv, norm, halved in zip(self.convs, self.norms, self.halved, strict=True):
            x = conv(x)
            x = relu(norm(max_pool2d(x, 2) if halved else x))
        return x.flatten(1)


NETWORKS: dict[str, type[Cnn] | type[Deep]] = {"cnn": Cnn, "deep": Deep}


def build(spec: ClassifierSpec, shape: tuple[int, int, int], n_classes: int, seed: int) -> Network:
    """A freshly initialised network on the CPU, channels last; the same for the same seed."""
    net = seeded(lambda: NETWORKS[spec.name](shape, n_classes, spec.width), seed, "classifier", "init")
    return net.to(memory_format=torch.channels_last)


def restore(
    spec: ClassifierSpec, shape: tuple[int, int, int], n_classes: int, arrays: dict[str, np.ndarray], prefix: str
) -> Network:
    """A trained network on the CPU, in evaluation mode, from those arrays whose name begins with `prefix`."""
    net = build(spec, shape, n_classes, 0)  # its first weights are overwritten
    own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    kept = {k: torch.from_numpy(v).reshape(net.state_dict()[k].shape) for k, v in own.items()}
    net.load_state_dict(kept)
    return net.eval()
