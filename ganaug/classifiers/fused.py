"""Training several classifiers of one spec together. Here one after the other, as a batched model would."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganaug.classifiers.fit import Extras, fit
from ganaug.classifiers.networks import Network
from ganaug.specs import AugmentationSpec, ClassifierSpec

if TYPE_CHECKING:
    from ganaug.classifiers.curve import Watch


@dataclass(frozen=True)
class Member:
    """What `fit` takes of each classifier: uint8 (N, C, H, H), int64 (N,), and what may differ beside them."""

    images: np.ndarray
    labels: np.ndarray
    seed: int
    da: tuple[str, ...] = ()
    augmentation: AugmentationSpec | None = None
    extras: Extras | None = None
    start: dict[str, np.ndarray] | None = None
    watch: "Watch | None" = None


def fit_together(
    spec: ClassifierSpec, members: Sequence[Member], n_classes: int, device: str = "cpu"
) -> list[tuple[Network, list[float]]]:
    """A network and 20 losses for every member, as `fit` gives them."""
    return [
        fit(spec, m.images, m.labels, n_classes, m.seed, m.da, m.augmentation, device, m.extras, m.start, m.watch)
        for m in members
    ]
