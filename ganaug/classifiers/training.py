"""A classifier's stage: mix its training set, train, and hand on the weights with the ids of all it has seen."""

from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.cnn import fit
from ganaug.mix import mix
from ganaug.randomness import derive

if TYPE_CHECKING:
    from ganaug.stages import FitClassifier


def fit_classifier(stage: "FitClassifier", work: Work) -> Artifact:
    """Weights as arrays `net.*`, ids of the training images, the loss curve."""
    split = work.get(stage.split)
    extra = work.get(stage.extra) if stage.extra else None
    spec = stage.classifier
    images, labels, ids = mix(split, extra, spec.include_real, spec.include_validation)
    net, curve = fit(
        spec,
        images,
        labels,
        len(split.facts["classes"]),
        derive(stage.split.seed, "member", stage.member),
        stage.da,
        stage.strength,
        work.device,
    )
    if not np.isfinite(curve).all():
        raise NoResult("diverged", "the classifier's loss is not finite")
    weights = {f"net.{k}": v.cpu().numpy() for k, v in net.state_dict().items()}
    return Artifact(weights | {"ids": ids}, {"losses": curve, "shape": list(images.shape[1:])})
