"""The one place that opens the test images: every classifier's prediction for each of them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.cnn import Cnn, predict
from ganaug.mix import refuse_test_images
from ganaug.randomness import seeded
from ganaug.stages import generator_of

if TYPE_CHECKING:
    from ganaug.stages import FitClassifier, Measure


def _load(fitted: Artifact, stage: "FitClassifier", n_classes: int) -> Cnn:
    channels, height, width = fitted.facts["shape"]
    # its first weights are overwritten; seeded, because not even those may draw from the global generator
    net = seeded(lambda: Cnn((channels, height, width), n_classes, stage.classifier.width), 0, "classifier", "init")
    net.load_state_dict(
        {k.removeprefix("net."): torch.from_numpy(v) for k, v in fitted.arrays.items() if k.startswith("net.")}
    )
    return net.eval()


def measure(stage: "Measure", work: Work) -> Artifact:
    """Predicted classes (classifiers, n_test) and the counts that led to them; or the reason why there are none.

    facts: status, reason, seed, n_train, n_test, counts per class of candidates, accepted and used images, curves.
    """
    first = stage.classifiers[0]
    facts: dict[str, Any] = {"status": "ok", "reason": "", "seed": first.split.seed}
    try:
        if first.extra is not None:
            selection = work.get(first.extra).facts
            facts |= {k: selection[k] for k in ("accepted", "candidates", "wanted")}
            if (generator := generator_of(first.extra)) is not None:
                gan = work.get(generator).facts
                facts |= {"diversity": gan["diversity"], "calibration": gan["calibration"]}
            short = sum(n < selection["wanted"] for n in selection["accepted"])
            if short:
                facts["status"] = "starved"
                facts["reason"] = (
                    f"{short} of {len(selection['accepted'])} classes got fewer than {selection['wanted']} images"
                )
        fitted = [work.get(c) for c in stage.classifiers]
    except NoResult as none:
        return Artifact({}, facts | {"status": none.status, "reason": none.reason})
    test = work.get(stage.test)
    classes = test.facts["classes"]
    predictions = []
    for c, artifact in zip(stage.classifiers, fitted, strict=True):
        refuse_test_images(artifact.arrays["ids"], test.arrays["ids"])
        net = _load(artifact, c, len(classes)).to(work.device)
        predictions.append(predict(net, test.arrays["images"], work.device))
    facts |= {
        "n_train": len(fitted[0].arrays["ids"]),
        "n_test": len(test.arrays["labels"]),
        "losses": [a.facts["losses"] for a in fitted],
    }
    return Artifact({"predictions": np.stack(predictions)}, facts)
