"""A classifier's stage: mix its training set, train, and hand on the weights with the ids of all it has seen."""

from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.curve import Watch, accuracy, some
from ganaug.classifiers.fit import Extras, fit, predict
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


def fit_classifier(stage: "FitClassifier", work: Work) -> Artifact:
    """Weights as arrays `net.*`; `ids` of the training images and `seen` of those that made them; `validation`, the
    predicted class of every validation image; the loss curve; `train_accuracy`, on all it was trained on as they are,
    not augmented; and, where the study asks, `curve`, see `classifiers.curve`.
    """
    split = work.get(stage.split)
    extra = work.get(stage.extra) if stage.extra else None
    spec = stage.classifier
    images, labels, ids = mix(split, extra, spec.include_real, spec.include_validation)
    watch = None
    if spec.curve:
        held_out = (split.arrays["validation"], split.arrays["validation_labels"])
        watch = Watch(spec.curve, spec.updates(len(images)), some(images, labels), held_out)
    net, curve = fit(
        spec,
        images,
        labels,
        len(split.facts["classes"]),
        derive(stage.split.seed, "member", stage.member),
        stage.da,
        stage.strength,
        work.device,
        _extras(stage, extra, work),
        _weights(work.get(stage.start)) if stage.start else None,
        watch,
    )
    if not np.isfinite(curve).all():
        raise NoResult("diverged", "the classifier's loss is not finite")
    weights = {f"net.{k}": v.cpu().numpy() for k, v in net.state_dict().items()}
    validation = predict(net, split.arrays["validation"], work.device)
    seen = extra.arrays["seen"] if extra is not None and "seen" in extra.arrays else np.empty(0, np.int64)
    facts = {
        "losses": curve,
        "shape": list(images.shape[1:]),
        "train_accuracy": accuracy(net, images, labels, work.device),
    }
    if watch is not None:
        facts["curve"] = watch.curve
    return Artifact(weights | {"ids": ids, "seen": seen, "validation": validation}, facts)
