"""What a classifier is trained on: real images, extra ones (generated, or a control's), or both, with their ids."""

import numpy as np

from ganaug.artifact import Artifact, NoResult
from ganaug.errors import LeakError


def mix(
    split: Artifact, extra: Artifact | None, include_real: bool, include_validation: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8 (N, C, H, W), labels int64 (N,) and ids str (N,): real, then validation, then extra."""
    wanted = [name for name, use in (("real", include_real), ("validation", include_validation)) if use]
    images = [split.arrays[name] for name in wanted]
    labels = [split.arrays[f"{name}_labels"] for name in wanted]
    ids = [split.arrays[f"{name}_ids"].astype(np.str_) for name in wanted]
    if extra is not None:
        images.append(extra.arrays["images"])
        labels.append(extra.arrays["labels"])
        ids.append(extra.arrays["ids"].astype(np.str_))
    if not sum(map(len, labels)):
        raise NoResult("starved", "nothing to train on: no generated image passed the filter")
    return np.concatenate(images), np.concatenate(labels), np.concatenate(ids)


def refuse_test_images(ids: np.ndarray, test_ids: np.ndarray, where: str) -> None:
    """Raise LeakError if one of the ids is a test image's; `where` says what the ids are."""
    leaked = np.intersect1d(ids.astype(np.str_), test_ids.astype(np.str_))
    if len(leaked):
        raise LeakError(f"{len(leaked)} test images are {where}, the first with id {leaked[0]}")
