"""What the tests of ganaug share: digits as artifacts, tiny specs, and an evaluator without a store."""

from functools import cache
from pathlib import Path

import numpy as np

from ganaug.artifact import Artifact, Work
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.digits import load_digits
from ganaug.recipe import Cell
from ganaug.specs import (
    AgreementFilterSpec,
    AugmentationSpec,
    CganSpec,
    ClassifierSpec,
    DiscriminatorFilterSpec,
    InfoGanSpec,
    JudgeSpec,
    MemorisationFilterSpec,
    MetropolisHastingsFilterSpec,
    MixingSpec,
    NeighboursFilterSpec,
    PoolSpec,
    ProjectionSpec,
    RejectionFilterSpec,
)
from ganaug.split import hold_out, split
from ganaug.stages import Stage, TestImages, TrainImages

TEST_PER_CLASS = 20
PROJECTION = ProjectionSpec(name="projection", steps=6, batch=16, latent=8, width=8, discriminator_width=8)
CGAN = CganSpec(name="cgan", steps=6, batch=16, latent=8, width=8)
INFOGAN = InfoGanSpec(name="infogan", steps=6, batch=16, latent=8, width=8, discriminator_width=8, labels_per_class=3)
GANS = {"projection": PROJECTION, "cgan": CGAN, "infogan": INFOGAN}
POOL = PoolSpec(chunk=10, max_per_class=40)
CLASSIFIER = ClassifierSpec(steps=5, batch=16, width=8)
FILTERS = (  # all of them, such that every class of so short a stream gets its images
    DiscriminatorFilterSpec(rank=True),
    AgreementFilterSpec(rank=True),
    NeighboursFilterSpec(rank=True, also=RejectionFilterSpec(burn_in=5)),
    NeighboursFilterSpec(rank=True, measure="density"),
    MemorisationFilterSpec(rank=True),
    RejectionFilterSpec(gamma=0.5, burn_in=5),
    MetropolisHastingsFilterSpec(chain=3),
)
CELL = Cell(
    dataset="digits",
    n_real=5,
    n_gen=4,
    threshold=0.0,
    gan_da=("rotation",),
    n_da=3,
    clf_da=("shift",),
    seed=0,
    n_validation=4,
    gan=PROJECTION,
    pool=POOL,
    filter=DiscriminatorFilterSpec(),
    judge=JudgeSpec(folds=2),
    mixing=MixingSpec(),
    augmentation=AugmentationSpec(),
    classifier=CLASSIFIER,
)


@cache
def digits() -> Dataset:
    return load_digits(Path("nowhere"))


@cache
def imported() -> tuple[Artifact, Artifact]:
    """The digits' train and test images, as an import leaves them in a store."""
    dataset = digits()
    held = hold_out(dataset, TEST_PER_CLASS)
    facts = {"classes": list(dataset.classes), "shape": list(dataset.images.shape[1:])}
    train, test = (
        Artifact({"images": dataset.images[ids], "labels": dataset.labels[ids], "ids": ids}, facts)
        for ids in (np.flatnonzero(~held), np.flatnonzero(held))
    )
    return train, test


def images(n_real: int = 10, n_validation: int = 5, seed: int = 0) -> Artifact:
    """A split of the digits."""
    return split(imported()[0], n_real, n_validation, seed)


class InMemory:
    """Evaluates stages as a trial does, and keeps everything it made in `made`."""

    def __init__(self) -> None:
        train, test = imported()
        self.made = {TrainImages("digits").key: train, TestImages("digits").key: test}

    def get(self, stage: Stage) -> Artifact:
        if stage.key not in self.made:
            self.made[stage.key] = stage.run(Work(self.get))
        return self.made[stage.key]


def same(a: Artifact, b: Artifact) -> bool:
    """Equal facts, and arrays equal to the bit."""
    return (
        a.facts == b.facts
        and a.arrays.keys() == b.arrays.keys()
        and all(np.array_equal(a.arrays[k], b.arrays[k]) for k in a.arrays)
    )
