"""Importing a data set: read and checked once, put in the store as arrays, test images apart from the rest."""

import hashlib
import logging
from pathlib import Path

import numpy as np

from ganaug.artifact import Artifact
from ganaug.datasets import load
from ganaug.split import hold_out
from ganaug.stages import TestImages, TrainImages
from sweeps.store import Store
from sweeps.study import DatasetSpec

log = logging.getLogger("ganaug.data")


def import_dataset(spec: DatasetSpec, data_dir: Path, store: Store) -> tuple[str, Artifact]:
    """Read a data set, set its test images apart, and put both in the store unless they are there.

    Returns the digest that stands for the images and their division, and the test part: its labels and classes are
    needed to read records.
    """
    dataset = load(spec.name, data_dir, **spec.options)
    test = hold_out(dataset, spec.test_per_class)
    digest = hashlib.sha256(dataset.digest().encode() + np.packbits(test).tobytes()).hexdigest()
    facts = {
        "name": dataset.name,
        "classes": list(dataset.classes),
        "shape": list(dataset.images.shape[1:]),
        "synthetic": dataset.synthetic,
    }
    if dataset.skipped:
        facts["skipped"] = list(dataset.skipped)
        log.warning(
            "%s: %d damaged %s left out, as dataset.on_bad_image says: %s",
            dataset.name, len(dataset.skipped), "images" if len(dataset.skipped) > 1 else "image",
            ", ".join(dataset.skipped[:3]) + (", …" if len(dataset.skipped) > 3 else ""),
        )  # fmt: skip
    parts = {}
    for stage, mask in ((TrainImages(digest), ~test), (TestImages(digest), test)):
        ids = np.flatnonzero(mask)
        parts[stage.kind()] = Artifact(
            {"images": dataset.images[ids], "labels": dataset.labels[ids], "ids": ids}, facts
        )
        if store.load(stage) is None:
            store.publish(stage, parts[stage.kind()], {})
    return digest, parts[TestImages.kind()]
