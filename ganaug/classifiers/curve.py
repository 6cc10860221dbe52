"""How accuracy moves while a classifier learns: on its own images, and on validation images.

Nothing is decided by it, and test images are not looked at: those are `Measure`'s, once, at the end.
"""

from dataclasses import dataclass, field

import numpy as np

from ganaug.classifiers.fit import predict
from ganaug.classifiers.networks import Network

MOST = 2000  # training images a point of the curve is measured on


def accuracy(net: Network, images: np.ndarray, labels: np.ndarray, device: str = "cpu") -> float:
    """Share of uint8 (N, C, H, W) that are called by their labels (N,)."""
    return float((predict(net, images, device) == labels).mean())


def some(images: np.ndarray, labels: np.ndarray, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` of the images with their labels, evenly spread."""
    at = np.linspace(0, len(labels) - 1, min(most, len(labels))).round().astype(int)
    return images[at], labels[at]


@dataclass
class Watch:
    """Measures a network at `points` evenly spaced updates of `steps`, the last among them; on images as they are, not
    augmented. `curve` holds the update and the two shares right of each.
    """

    points: int
    steps: int
    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    curve: dict[str, list[float]] = field(default_factory=lambda: {"update": [], "train": [], "validation": []})

    def __post_init__(self) -> None:
        self.at = set(np.linspace(0, self.steps, min(self.points, self.steps) + 1)[1:].round().astype(int).tolist())

    def after(self, update: int, net: Network, device: str) -> None:
        """Told after every update, of which the first is 1."""
        if update not in self.at:
            return
        net.eval()
        self.curve["update"].append(update)
        self.curve["train"].append(accuracy(net, *self.train, device))
        self.curve["validation"].append(accuracy(net, *self.validation, device))
        net.train()
