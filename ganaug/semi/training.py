"""A semi-supervised fit's stage: labelled and unlabelled images in, weights and the course of training out."""

from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.curve import accuracy
from ganaug.classifiers.fit import predict
from ganaug.randomness import derive
from ganaug.semi.fit import fit

if TYPE_CHECKING:
    from ganaug.stages import FitSemi


def fit_semi(stage: "FitSemi", work: Work) -> Artifact:
    """Weights as arrays `net.*`; `ids` of the labelled images and `seen` of the unlabelled ones; `validation`, the
    predicted class of every validation image; `snapshots` uint8 (T, m, C, H, H), what a generator made of the same
    latent vectors after each of `snapshot_steps`; `course`, the loss curves; `train_accuracy`, on the labelled images.
    """
    labelled = work.get(stage.labelled)
    further = work.get(stage.unlabelled) if stage.unlabelled else None
    images = labelled.arrays["real"]
    fitted = fit(
        stage.semi,
        images,
        labelled.arrays["real_labels"],
        further.arrays["images"] if further else None,
        len(labelled.facts["classes"]),
        derive(stage.split.seed, "member", stage.member),
        work.device,
    )
    if fitted.diverged:
        raise NoResult("diverged", fitted.diverged)
    weights = {f"net.{k}": v.numpy() for k, v in fitted.net.state_dict().items()}
    arrays = {
        "ids": labelled.arrays["real_ids"],
        "seen": further.arrays["ids"] if further else np.empty(0, np.int64),
        "validation": predict(fitted.net, labelled.arrays["validation"]),
        "snapshots": fitted.snapshots,
    }
    facts = {
        "losses": fitted.losses["labelled"],
        "course": fitted.losses,
        "snapshot_steps": fitted.snapshot_steps,
        "n_unlabelled": len(arrays["seen"]),
        "train_accuracy": accuracy(fitted.net, images, labelled.arrays["real_labels"]),
        "classes_labelled": len(np.unique(labelled.arrays["real_labels"])),
        "shape": list(images.shape[1:]),
    }
    return Artifact(weights | arrays, facts)
