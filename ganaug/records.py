"""What a run records: names of the factors and of the columns, shared by those who write and those who read.

Imports nothing heavy: an analysis reads records without torch.
"""

from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

Status = Literal["ok", "starved", "diverged", "failed"]

FACTORS = ("n_real", "n_gen", "threshold", "gan_da", "n_da", "clf_da", "seed")
"""The factors every study has, in the order of their columns; dotted paths follow them."""

Arm = Literal[
    "real-only",
    "generated",
    "duplicated",
    "shuffled",
    "more-real",
    "with-validation",
    "semi-supervised",
    "fewer-updates",
]

ARMS: tuple[Arm, ...] = get_args(Arm)
"""What a cell's classifier learns from beside its real images; all but the first two are controls.

`semi-supervised` takes the place of `generated` in a study of methods that learn from unlabelled images: its real-only
control is the supervised fit of the same body with as many updates, and `fewer-updates` the same with fewer of them."""

TREATED: tuple[Arm, ...] = ("generated", "semi-supervised")
"""The arms that a study is about."""

Control = Literal["real-only", "classic-da", "duplicated", "shuffled", "more-real", "with-validation"]

CONTROLS: tuple[Control, ...] = get_args(Control)
"""What a claim is measured against. `classic-da` is the arm `real-only` under the study's classic augmentation;
`with-validation` learns from the validation images too, whose labels the generated images were chosen by."""

NEEDED: tuple[Control, ...] = ("real-only", "duplicated", "classic-da")
"""The controls without which nobody may say that generated images help."""

UNFILTERED: Final = "unfiltered"
NO_DA: Final = "no-da"
Against = Literal[Control, "unfiltered", "no-da", "fewer-updates"]

COMPARISONS: tuple[Against, ...] = get_args(Against)
"""What a contrast may be against: every control, the same generated cell with every image kept (threshold 0), the same
cell whose classifier is not augmented (clf_da none), and for a semi-supervised cell the supervised fit with fewer
updates."""

SEMI_AGAINST: tuple[Against, ...] = ("real-only", "fewer-updates")
"""Those of them that a semi-supervised cell may be against."""

GENERATION = ("threshold", "gan_da", "n_da")
GENERATION_PATHS = ("gan.", "pool.", "filter.", "judge.", "mixing.")
"""Factors that cannot change a cell without generated images: null where `n_gen` is 0."""

EXTRA_PATHS = ("judge.", "mixing.")
"""Those of them that a cell with other extra images can feel as well: copies, or more real ones."""

AFTER_PATHS = ("pool.", "filter.", "judge.", "mixing.", "classifier.")
"""Factors that come after the generator: they do not tell one generator from another."""

SEMI_PATHS = ("semi.method", "semi.n_unlabelled", "semi.batch", "semi.gan.", "semi.fixmatch.")
"""Factors that a classifier without unlabelled images cannot feel."""

SECONDS = ("split", "augment", "fit_gan", "pool", "fit_judge", "judged", "select", "fit_classifier", "measure")
"""Stages whose seconds a record tells, by the snake-case names of the stages."""


def is_generation_factor(name: str) -> bool:
    """Whether a factor acts only through generated images."""
    return name in GENERATION or name.startswith(GENERATION_PATHS)


@cache
def felt_by(name: str, arm: Arm) -> bool:
    """Whether a factor can change a cell of this arm."""
    if arm in ("semi-supervised", "fewer-updates"):
        without = (*SEMI_PATHS, "semi.steps") if arm == "fewer-updates" else ("n_gen",)
        return not (is_generation_factor(name) or name.startswith(without))
    if arm == "real-only" and name.startswith(SEMI_PATHS):
        return False
    if arm in ("generated", "shuffled") or not is_generation_factor(name):
        return True
    return arm in ("duplicated", "more-real") and name.startswith(EXTRA_PATHS)


def validation_accuracy(said: "np.ndarray", labels: "np.ndarray") -> float:
    """Share of right ones among predictions (classifiers, N) of labels (N,)."""
    return float((said == labels).mean())
