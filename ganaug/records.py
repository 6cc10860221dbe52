"""What a run records: names of the factors and of the columns, shared by those who write and those who read.

Imports nothing heavy: an analysis reads records without torch.
"""

from typing import Literal, get_args

Status = Literal["ok", "starved", "diverged", "failed"]

FACTORS = ("n_real", "n_gen", "threshold", "gan_da", "n_da", "clf_da", "seed")
"""The factors every study has, in the order of their columns; dotted paths follow them."""

Arm = Literal["real-only", "generated", "duplicated", "shuffled", "more-real"]

ARMS: tuple[Arm, ...] = get_args(Arm)
"""What a cell's classifier learns from beside its real images; all but the first two are controls."""

Control = Literal["real-only", "classic-da", "duplicated", "shuffled", "more-real"]

CONTROLS: tuple[Control, ...] = get_args(Control)
"""What a claim is measured against. `classic-da` is the arm `real-only` under the study's classic augmentation."""

NEEDED: tuple[Control, ...] = ("real-only", "duplicated", "classic-da")
"""The controls without which nobody may say that generated images help."""

GENERATION = ("threshold", "gan_da", "n_da")
GENERATION_PATHS = ("gan.", "pool.")
"""Factors that cannot change a cell without generated images: null where `n_gen` is 0."""

SECONDS = ("split", "augment", "fit_gan", "pool", "select", "fit_classifier", "measure")
"""Stages whose seconds a record tells, by the snake-case names of the stages."""


def is_generation_factor(name: str) -> bool:
    """Whether a factor acts only through generated images."""
    return name in GENERATION or name.startswith(GENERATION_PATHS)
