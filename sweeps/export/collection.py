"""Images with what is known of each: the one thing that every format writes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.mix import mix
from ganaug.stages import Duplicate, Fit, FitSemi, MoreReal, Select, Shuffle, Stage, generator_of

KINDS = ("real", "validation", "generated", "shuffled", "duplicated", "more-real", "test")


@dataclass(frozen=True)
class Collection:
    """Images in their order, and where each comes from.

    images: uint8 (N, C, H, W).  labels: int64 (N,).  ids, kinds: str (N,).
    probabilities: float32 (N,), that a generated image is real, NaN for the others.
    generator: key of the GAN that drew the generated and shuffled ones, "" without any.  seed: the cell's, or the
    stream's.
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    kinds: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]
    dataset: str
    seed: int | None
    generator: str = ""
    test: "Collection | None" = field(default=None)

    @property
    def drawn(self) -> np.ndarray:
        """Which images a generator drew, (N,) bool."""
        return np.isin(self.kinds, ("generated", "shuffled"))

    def counts(self) -> dict[str, list[int]]:
        """Images per class of each kind there is."""
        n = len(self.classes)
        return {
            kind: np.bincount(self.labels[self.kinds == kind], minlength=n).tolist()
            for kind in KINDS
            if (self.kinds == kind).any()
        }


def _kind(stage: Fit) -> str:
    match stage.extra:
        case Select():
            return "generated"
        case Shuffle():
            return "shuffled"
        case Duplicate():
            return "duplicated"
        case MoreReal():
            return "more-real"
        case None:
            return ""


def training_set(stage: Fit, get: Callable[[Stage], Artifact], dataset: str) -> Collection:
    """What a cell's classifier is trained on, in its order: real, validation, extra images.

    `get` evaluates stages. Raises NoResult where the cell has nothing to train on.
    """
    if isinstance(stage, FitSemi):
        raise UserError("a semi-supervised study has no augmented training set to export")
    spec, split = stage.classifier, get(stage.split)
    extra = get(stage.extra) if stage.extra else None
    images, labels, ids = mix(split, extra, spec.include_real, spec.include_validation)
    known = [
        *["real"] * (len(split.arrays["real"]) if spec.include_real else 0),
        *["validation"] * (len(split.arrays["validation"]) if spec.include_validation else 0),
    ]
    kinds = np.array([*known, *[_kind(stage)] * (len(labels) - len(known))], np.str_)
    probabilities = np.full(len(labels), np.nan, np.float32)
    if extra is not None and "probabilities" in extra.arrays:
        probabilities[len(known) :] = extra.arrays["probabilities"]
    generator = generator_of(stage.extra)
    return Collection(
        images, labels, ids, kinds, probabilities, tuple(split.facts["classes"]), dataset, stage.split.seed,
        generator.key if generator else "",
    )  # fmt: skip


def with_test(collection: Collection, test: Artifact) -> Collection:
    """The collection with its data set's test images beside it, never among it."""
    n = len(test.arrays["labels"])
    beside = replace(
        collection,
        images=test.arrays["images"],
        labels=test.arrays["labels"],
        ids=test.arrays["ids"].astype(np.str_),
        kinds=np.full(n, "test"),
        probabilities=np.full(n, np.nan, np.float32),
        generator="",
    )
    return replace(collection, test=beside)


def generated(artifact: Artifact, classes: tuple[str, ...], dataset: str, seed: int, generator: str) -> Collection:
    """What `ganaug.gans.generate` made; ids as a study gives them: pool, class, place in the stream."""
    labels, places = artifact.arrays["labels"], artifact.arrays["places"]
    return Collection(
        images=artifact.arrays["images"],
        labels=labels,
        ids=np.array([f"{generator[:12]}/{c}/{at}" for c, at in zip(labels, places, strict=True)], np.str_),
        kinds=np.full(len(labels), "generated"),
        probabilities=artifact.arrays["probabilities"],
        classes=classes,
        dataset=dataset,
        seed=seed,
        generator=generator,
    )
