"""The one place that opens the test images: every classifier's prediction for each of them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.fit import predict
from ganaug.classifiers.networks import Network, restore
from ganaug.mix import refuse_test_images
from ganaug.stages import FitSemi, generator_of

if TYPE_CHECKING:
    from ganaug.stages import Fit, Measure


def network(stage: "Fit", fitted: Artifact, n_classes: int) -> Network:
    """A fitted classifier's network, on the CPU, in evaluation mode."""
    shape = tuple(fitted.facts["shape"])
    if isinstance(stage, FitSemi):
        from ganaug.semi.networks import restore as restore_semi

        return restore_semi(stage.semi, shape, n_classes, fitted.arrays)
    return restore(stage.classifier, shape, n_classes, fitted.arrays, "net.")


def selected(first: "Fit", work: Work) -> dict[str, Any]:
    """What is known of a cell's extra images: counts per class, coverage, its GAN's diversity; status if too few."""
    if first.extra is None:
        return {}
    selection = work.get(first.extra).facts
    told = ("accepted", "candidates", "wanted", "coverage", "coverage_unfiltered")
    facts = {k: selection[k] for k in told if k in selection}
    if (generator := generator_of(first.extra)) is not None:
        gan = work.get(generator).facts
        facts |= {"diversity": gan["diversity"], "calibration": gan["calibration"]} | noted(gan)
    short = sum(n < selection["wanted"] for n in selection["accepted"])
    if short:
        facts["status"] = "starved"
        facts["reason"] = f"{short} of {len(selection['accepted'])} classes got fewer than {selection['wanted']} images"
    return facts


def noted(*of: dict[str, Any]) -> dict[str, Any]:
    """What facts say of memory that was short where their stages were trained together."""
    notes = dict.fromkeys(note for facts in of for note in facts.get("notes", ()))
    return {"notes": list(notes)} if notes else {}


def measure(stage: "Measure", work: Work) -> Artifact:
    """Predicted classes (classifiers, n_test) and the counts that led to them; or the reason why there are none.

    facts: status, reason, seed, n_train, n_test, counts per class of candidates, accepted and used images,
    losses, train_accuracy of each classifier, and curves where the study asks for them; `notes`, where memory decided
    how many trainings ran together.
    arrays: predictions; validation (classifiers, n_validation) and validation_labels, the same of the validation
    images, by which a search may know this cell; taken (classes, size) of a selection, for the report's sheets. Of a
    semi-supervised fit: snapshots (T, m, C, H, W) of its generator's images, and in facts the `course` of its losses.
    """
    first = stage.classifiers[0]
    facts: dict[str, Any] = {"status": "ok", "reason": "", "seed": first.split.seed}
    try:
        facts |= selected(first, work)
        fitted = [work.get(c) for c in stage.classifiers]
    except NoResult as none:
        return Artifact({}, facts | {"status": none.status, "reason": none.reason})
    test = work.get(stage.test)
    classes = test.facts["classes"]
    predictions = []
    for c, artifact in zip(stage.classifiers, fitted, strict=True):
        refuse_test_images(artifact.arrays["ids"], test.arrays["ids"], "in the training set")
        refuse_test_images(artifact.arrays["seen"], test.arrays["ids"], "among those that GAN and filter learned from")
        net = network(c, artifact, len(classes)).to(work.device)
        predictions.append(predict(net, test.arrays["images"], work.device))
    facts |= {
        "n_train": len(fitted[0].arrays["ids"]),
        "n_test": len(test.arrays["labels"]),
        "losses": [a.facts["losses"] for a in fitted],
        "train_accuracy": [a.facts["train_accuracy"] for a in fitted],
    }
    facts |= noted(facts, *(a.facts for a in fitted))
    if "curve" in fitted[0].facts:
        facts["curves"] = [a.facts["curve"] for a in fitted]
    validation = {
        "validation": np.stack([a.arrays["validation"] for a in fitted]),
        "validation_labels": work.get(first.split).arrays["validation_labels"].astype(np.int64),
    }
    taken = work.get(first.extra).arrays.get("taken") if first.extra is not None else None
    shown = {} if taken is None else {"taken": taken}
    if isinstance(first, FitSemi):
        facts |= {k: fitted[0].facts[k] for k in ("course", "snapshot_steps", "n_unlabelled", "classes_labelled")}
        shown["snapshots"] = fitted[0].arrays["snapshots"]
    return Artifact({"predictions": np.stack(predictions), **validation, **shown}, facts)
