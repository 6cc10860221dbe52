"""From images to what metrics are computed on: pixels, or the layers of a classifier.

Any network can stand here, Inception among them: a metric never sees more than these arrays.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch

from ganaug.classifiers.fit import EVALUATION_BATCH
from ganaug.classifiers.networks import Network
from ganaug.images import to_float


class Extracted(NamedTuple):
    features: np.ndarray  # (N, d) float32
    logits: np.ndarray | None  # (N, K) float32 of a classifier, whose softmax are its class probabilities


class Extractor(Protocol):
    """uint8 (N, C, H, W) -> features, and logits if it is a classifier."""

    @property
    def name(self) -> str:
        """What the metrics are reported over; two extractors' metrics are never compared."""

    def __call__(self, images: np.ndarray) -> Extracted: ...


@dataclass(frozen=True)
class Pixels:
    """The image itself, in [-1, 1]: d = C · H · W."""

    name: str = "pixels"

    def __call__(self, images: np.ndarray) -> Extracted:
        return Extracted(to_float(images).flatten(1).numpy(), None)


@dataclass(frozen=True)
class Penultimate:
    """The layer before the logits of a trained classifier, after its ReLU."""

    net: Network
    device: str = "cpu"
    name: str = "classifier"

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> Extracted:
        features, logits = [], []
        for i in range(0, len(images), EVALUATION_BATCH):
            layer = self.net.features(to_float(images[i : i + EVALUATION_BATCH]).to(self.device))
            features.append(layer.cpu())
            logits.append(self.net.out(layer).cpu())
        return Extracted(torch.cat(features).numpy(), torch.cat(logits).numpy())


@dataclass(frozen=True)
class Scaled:
    """An extractor's features over one number. Logits stay as they are."""

    of: Extractor
    scale: float

    @property
    def name(self) -> str:
        return self.of.name

    def __call__(self, images: np.ndarray) -> Extracted:
        features, logits = self.of(images)
        return Extracted(features / np.float32(self.scale), logits)


def unit_scaled(extractor: Extractor, images: np.ndarray) -> Scaled:
    """The extractor, such that the mean square feature of these images is 1.

    A classifier's features have no unit: two trainings differ in their scale, and with it in Fréchet distance (its
    square) and kernel distance (up to its sixth power). Neighbours do not change.
    """
    square = float((extractor(images).features.astype(np.float64) ** 2).mean())
    return Scaled(extractor, square**0.5 or 1.0)
