"""What a study may say about augmentation, GANs, pools, filters and classifiers: frozen, validated where they are made.

Imports neither torch nor Ray, so that a study is checked and planned in a moment. Each model forbids unknown keys.
"""

from ganaug.specs.assess import AssessSpec
from ganaug.specs.augmentation import (
    DA_TYPES,
    DIFFERENTIABLE,
    FLIPS,
    GENERATED,
    AugmentationSpec,
    DiffAugmentSpec,
    Fill,
    StrengthSpec,
    parse_da,
    parse_gan_da,
)
from ganaug.specs.base import PositiveInt, Precision, Rate, Spec, Strictness
from ganaug.specs.classifiers import ClassifierSpec, PreprocessingSpec, judging
from ganaug.specs.filters import (
    AgreementFilterSpec,
    AnyFilter,
    DiscriminatorFilterSpec,
    FilterSpec,
    JudgeSpec,
    MemorisationFilterSpec,
    MetropolisHastingsFilterSpec,
    MixingSpec,
    NeighboursFilterSpec,
    RankedSpec,
    RejectionFilterSpec,
    asks_judge,
    chain_of,
)
from ganaug.specs.gans import AnyGan, CganSpec, GanSpec, InfoGanSpec, Loss, PoolSpec, ProjectionSpec, ViewsSpec
from ganaug.specs.semi import FixMatchSpec, SemiGanSpec, SemiMethod, SemiSpec

__all__ = [
    "DA_TYPES",
    "DIFFERENTIABLE",
    "FLIPS",
    "GENERATED",
    "AgreementFilterSpec",
    "AnyFilter",
    "AnyGan",
    "AssessSpec",
    "AugmentationSpec",
    "CganSpec",
    "ClassifierSpec",
    "DiffAugmentSpec",
    "DiscriminatorFilterSpec",
    "Fill",
    "FilterSpec",
    "FixMatchSpec",
    "GanSpec",
    "InfoGanSpec",
    "JudgeSpec",
    "Loss",
    "MemorisationFilterSpec",
    "MetropolisHastingsFilterSpec",
    "MixingSpec",
    "NeighboursFilterSpec",
    "PoolSpec",
    "PositiveInt",
    "Precision",
    "PreprocessingSpec",
    "ProjectionSpec",
    "RankedSpec",
    "Rate",
    "RejectionFilterSpec",
    "SemiGanSpec",
    "SemiMethod",
    "SemiSpec",
    "Spec",
    "StrengthSpec",
    "Strictness",
    "ViewsSpec",
    "asks_judge",
    "chain_of",
    "judging",
    "parse_da",
    "parse_gan_da",
]
