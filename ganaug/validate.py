"""A cell as a search sees it: predictions for the validation images, and nothing of the test images."""

from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.records import validation_accuracy

if TYPE_CHECKING:
    from ganaug.stages import Validate


def validate(stage: "Validate", work: Work) -> Artifact:
    """facts: status, reason, seed; accuracy, a share in [0, 1], over classifiers and images; counts of the filter.

    arrays: `validation` (classifiers, n_validation), the predicted classes; `validation_labels`. A cell that
    honestly has no accuracy has status and reason and no arrays, as in a record.
    """
    from ganaug.measure import selected

    first = stage.classifiers[0]
    facts = {"status": "ok", "reason": "", "seed": first.split.seed}
    try:
        facts |= selected(first, work)
        fitted = [work.get(c) for c in stage.classifiers]
    except NoResult as none:
        return Artifact({}, facts | {"status": none.status, "reason": none.reason})
    labels = work.get(first.split).arrays["validation_labels"]
    said = np.stack([f.arrays["validation"] for f in fitted])
    return Artifact(
        {"validation": said, "validation_labels": labels.astype(np.int64)},
        facts | {"accuracy": validation_accuracy(said, labels)},
    )
