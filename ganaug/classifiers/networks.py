"""The classifiers' networks. Each gives features and, from them, logits.

`cnn` is the small one of the tutorials: cheap, so that a grid of hundreds of cells is. `deep` has batch norm and five
convolutions on 28 pixels, and stands classic augmentation far better; a claim should be made with it. `keras` is the
plain one of Keras' own CIFAR-10 tutorials: four convolutions, three poolings, two dense layers.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

from ganaug.classifiers.preprocessing import Preprocessing, preprocessing
from ganaug.members import channels_last, halved
from ganaug.randomness import seeded
from ganaug.specs import ClassifierSpec


class Network(nn.Module):
    """(N, C, H, H) in [-1, 1] -> logits (N, classes); of stacked members (`ganaug/members.py`), K of each in front."""

    out: nn.Linear

    def __init__(self) -> None:
        super().__init__()
        self.prepare: nn.Module = nn.Identity()  # preprocessing, where a study asks for it

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the logits are computed from, (N, d), at least 0."""
        return self.body(self.prepare(x))

    def body(self, x: torch.Tensor) -> torch.Tensor:
        """The features of images that are preprocessed."""
        raise NotImplementedError

    def learn_preprocessing(self, images: torch.Tensor) -> None:
        """Take what preprocessing needs to know from training images (N, C, H, H) in [-1, 1]."""
        if isinstance(self.prepare, Preprocessing):
            self.prepare.learn(images)

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

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = channels_last(x)
        for conv in self.convs:
            x = relu(halved(conv(x)))  # pooling first: the same numbers, a quarter of the ReLU's work
        return relu(self.hidden(x.flatten(-3)))


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

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = channels_last(x)
        for conv, norm, pooled in zip(self.convs, self.norms, self.halved, strict=True):
            x = conv(x)
            x = relu(norm(halved(x) if pooled else x))
        return x.flatten(-3)


class Keras(Network):
    """Convolutions of width, 2, 4 and 4 times it, a pooling after the first, the second and the last, and two dense
    layers; Keras' initial weights (Glorot & Bengio 2010). Needs 8 pixels or more.
    """

    def __init__(self, shape: tuple[int, int, int], n_classes: int, width: int) -> None:
        super().__init__()
        channels, side, _ = shape
        widths = [channels, width, 2 * width, 4 * width, 4 * width]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.hidden = nn.Linear(widths[-1] * (side // 8) ** 2, 8 * width)
        self.out = nn.Linear(8 * width, n_classes)
        for layer in (*self.convs, self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = channels_last(x)
        for conv, pooled in zip(self.convs, (True, True, False, True), strict=True):
            x = conv(x)
            x = relu(halved(x) if pooled else x)
        return relu(self.hidden(x.flatten(-3)))


NETWORKS: dict[str, type[Cnn] | type[Deep] | type[Keras]] = {"cnn": Cnn, "deep": Deep, "keras": Keras}


def build(spec: ClassifierSpec, shape: tuple[int, int, int], n_classes: int, seed: int) -> Network:
    """A freshly initialised network on the CPU, channels last; the same for the same seed."""
    net: Network = seeded(lambda: NETWORKS[spec.name](shape, n_classes, spec.width), seed, "classifier", "init")
    net.prepare = preprocessing(spec.preprocessing, shape[0])
    return net.to(memory_format=torch.channels_last)


def load_weights(net: Network, weights: dict[str, np.ndarray]) -> None:
    """Put a network's weights in place, by name; it may lie on any device."""
    own = net.state_dict()
    net.load_state_dict({k: torch.from_numpy(v).reshape(own[k].shape) for k, v in weights.items()})


def restore(
    spec: ClassifierSpec, shape: tuple[int, int, int], n_classes: int, arrays: dict[str, np.ndarray], prefix: str
) -> Network:
    """A trained network on the CPU, in evaluation mode, from those arrays whose name begins with `prefix`."""
    net = build(spec, shape, n_classes, 0)  # its first weights are overwritten
    load_weights(net, {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
    return net.eval()
