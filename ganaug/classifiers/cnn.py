"""The classifier: a small convolutional network, trained for a fixed number of updates on resident tensors.

The number of updates does not depend on the size of the training set, so two arms that differ in their images are
compared at equal cost.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d, relu

from ganaug.augmentation import online
from ganaug.images import background, image_shape, to_float
from ganaug.randomness import seeded, torch_rng
from ganaug.specs import AugmentationSpec, ClassifierSpec

EVALUATION_BATCH = 500


class Cnn(nn.Module):
    """(N, C, H, H) in [-1, 1] -> logits (N, classes). Halves the side to 8 pixels or fewer, then two dense layers."""

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
        """What the logits are computed from, (N, 4 * width), at least 0."""
        x = x.contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = relu(max_pool2d(conv(x), 2))  # pooling first: the same numbers, a quarter of the ReLU's work
        return relu(self.hidden(x.flatten(1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.features(x))


def batches(n: int, batch: int, steps: int, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """Indices (batch,) into n images, `steps` times: an endless deck that is reshuffled whenever it is dealt out."""
    deck = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(deck) < batch:
            deck = torch.cat([deck, torch.randperm(n, generator=rng)])
        yield deck[:batch]
        deck = deck[batch:]


def fit(
    spec: ClassifierSpec,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    seed: int,
    da: tuple[str, ...] = (),
    augmentation: AugmentationSpec | None = None,
    device: str = "cpu",
) -> tuple[Cnn, list[float]]:
    """Train on uint8 (N, C, H, H) and int64 (N,); the network on `device` and 20 losses, evenly spaced, as means."""
    shape = image_shape(images)
    net = seeded(lambda: Cnn(shape, n_classes, spec.width), seed, "classifier", "init")
    net = net.to(device).to(memory_format=torch.channels_last)
    fill = background(images)
    x, y = to_float(images).to(device), torch.as_tensor(labels).to(device)
    optimiser = torch.optim.Adam(net.parameters(), lr=spec.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, spec.learning_rate, total_steps=spec.steps + 1)
    order, draws = torch_rng(seed, "classifier", "order"), torch_rng(seed, "classifier", "da")
    losses = []
    for at in batches(len(x), spec.batch, spec.steps, order):
        at = at.to(device)
        batch = x[at]
        if da:
            batch = online(batch, da, augmentation or AugmentationSpec(), fill, draws)
        loss = cross_entropy(net(batch), y[at])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
    curve = [float(part.mean()) for part in torch.stack(losses).tensor_split(min(20, spec.steps))]
    return net.eval(), curve


@torch.no_grad()
def predict(net: Cnn, images: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Predicted classes (N,) of uint8 images (N, C, H, H), as the smallest unsigned integer that holds them."""
    out = [
        net(to_float(images[i : i + EVALUATION_BATCH]).to(device)).argmax(1).cpu()
        for i in range(0, len(images), EVALUATION_BATCH)
    ]
    classes = torch.cat(out).numpy()
    return classes.astype(np.uint8 if net.out.out_features <= 256 else np.uint16)
