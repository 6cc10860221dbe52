"""A classifier's stage: mix its training set, train, and hand on the weights with the ids of all it has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.curve import Watch, accuracy, some
from ganaug.classifiers.fit import Extras, fit, predict
from ganaug.classifiers.fused import Member, fit_together
from ganaug.classifiers.networks import Network
from ganaug.mix import mix
from ganaug.randomness import derive

if TYPE_CHECKING:
    from ganaug.stages import FitClassifier


def _extras(stage: "FitClassifier", extra: Artifact | None, work: Work) -> Extras:
    if extra is None:
        return Extras(0, stage.mixing)
    images, soft = extra.arrays["images"], None
    if stage.judge is not None and len(images):
        from ganaug.filters.judge import probabilities

        soft = probabilities(stage.judge, images, work)
        if "labels_of" in extra.arrays:  # a control: the labels, soft ones too, are those of other images
            soft = soft[extra.arrays["labels_of"]]
    return Extras(len(images), stage.mixing, soft)


def _weights(fitted: Artifact) -> dict[str, np.ndarray]:
    return {k.removeprefix("net."): v for k, v in fitted.arrays.items() if k.startswith("net.")}


@dataclass(frozen=True)
class Prepared:
    """A classifier before its training: what it learns from, and what it hands on beside its weights."""

    stage: "FitClassifier"
    split: Artifact
    images: np.ndarray  # uint8 (N, C, H, H), those of the mixed training set
    labels: np.ndarray
    ids: np.ndarray
    seen: np.ndarray  # ids of the images that GAN and filter learned from
    extras: Extras
    start: dict[str, np.ndarray] | None

    @property
    def n_classes(self) -> int:
        return len(self.split.facts["classes"])

    def member(self) -> Member:
        """What the training takes of it; with a watch of its own each time, for a training that is begun again."""
        stage, spec, watch = self.stage, self.stage.classifier, None
        if spec.curve:
            held_out = (self.split.arrays["validation"], self.split.arrays["validation_labels"])
            watch = Watch(spec.curve, spec.updates(len(self.images)), some(self.images, self.labels), held_out)
        seed = derive(stage.split.seed, "member", stage.member)
        return Member(self.images, self.labels, seed, stage.da, stage.strength, self.extras, self.start, watch)


@dataclass(frozen=True)
class Fitted:
    """A network, its curve of losses, and what a watch saw of it."""

    net: Network
    losses: list[float]
    watch: Watch | None


def prepare(stage: "FitClassifier", work: Work) -> Prepared:
    """Everything a classifier is trained with."""
    split = work.get(stage.split)
    extra = work.get(stage.extra) if stage.extra else None
    spec = stage.classifier
    images, labels, ids = mix(split, extra, spec.include_real, spec.include_validation)
    seen = extra.arrays["seen"] if extra is not None and "seen" in extra.arrays else np.empty(0, np.int64)
    start = _weights(work.get(stage.start)) if stage.start else None
    return Prepared(stage, split, images, labels, ids, seen, _extras(stage, extra, work), start)


def train_alone(prepared: Prepared, device: str) -> Fitted:
    """One classifier by itself."""
    m = prepared.member()
    fitted = fit(
        prepared.stage.classifier, m.images, m.labels, prepared.n_classes, m.seed, m.da, m.augmentation, device,
        m.extras, m.start, m.watch,
    )  # fmt: skip
    return Fitted(*fitted, m.watch)


def train_members(prepared: Sequence[Prepared], device: str) -> list[Fitted]:
    """Classifiers of one spec, and of as many updates, as members of one batched model."""
    first, members = prepared[0], [p.member() for p in prepared]
    fitted = fit_together(first.stage.classifier, members, first.n_classes, device)
    return [Fitted(*pair, m.watch) for pair, m in zip(fitted, members, strict=True)]


def finish(prepared: Prepared, fitted: Fitted, device: str) -> Artifact:
    """What a trained classifier hands on, see `fit_classifier`; NoResult where its loss is not finite."""
    net, images, split = fitted.net, prepared.images, prepared.split
    if not np.isfinite(fitted.losses).all():
        raise NoResult("diverged", "the classifier's loss is not finite")
    weights = {f"net.{k}": v.cpu().numpy() for k, v in net.state_dict().items()}
    validation = predict(net, split.arrays["validation"], device)
    facts = {
        "losses": fitted.losses,
        "shape": list(images.shape[1:]),
        "train_accuracy": accuracy(net, images, prepared.labels, device),
    }
    if fitted.watch is not None:
        facts["curve"] = fitted.watch.curve
    return Artifact(weights | {"ids": prepared.ids, "seen": prepared.seen, "validation": validation}, facts)


def fit_classifier(stage: "FitClassifier", work: Work) -> Artifact:
    """Weights as arrays `net.*`; `ids` of the training images and `seen` of those that made them; `validation`, the
    predicted class of every validation image; the loss curve; `train_accuracy`, on all it was trained on as they are,
    not augmented; and, where the study asks, `curve`, see `classifiers.curve`.
    """
    prepared = prepare(stage, work)
    fitted = train_members([prepared], work.device)[0] if stage.fused else train_alone(prepared, work.device)
    return finish(prepared, fitted, work.device)
