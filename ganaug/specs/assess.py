"""What a study may ask about its generators by themselves."""

from typing import Literal

from pydantic import field_validator

from ganaug.specs.augmentation import FLIPS
from ganaug.specs.base import PositiveInt, Spec


class AssessSpec(Spec):
    """How a generator is judged before any downstream classifier is trained (`docs/metrics.md`)."""

    images_per_class: PositiveInt = 100  # the first of the unfiltered stream, at most the pool's max_per_class
    steps: PositiveInt | None = None  # updates of the two classifiers; None: as many as the study's classifier
    neighbours: PositiveInt = 5  # k of precision, recall, density and coverage
    features: Literal["classifier", "inception"] = "classifier"  # of the study's own kind, or of ImageNet's Inception
    weights: str | None = None  # Inception's file; None: where torch-fidelity keeps it
    imagenet: str | None = None  # a file of ResNet-50's weights: what it calls the generated images; None: not asked
    leaks: tuple[str, ...] = ()  # types looked for among the samples: images nearer to a mirrored or negative real one
    references: bool = False  # the metrics also of noise and of one image repeated: what a score's orientation is worth

    later = ("features", "weights", "imagenet", "leaks", "references")

    @field_validator("leaks")
    @classmethod
    def _flips(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for name in types:
            if name not in FLIPS:
                raise ValueError(f"must be of {', '.join(FLIPS)}, got {name!r}")
        return types
