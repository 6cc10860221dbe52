"""What a study may say about filters, their judge, and how what passes is mixed with real images."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ganaug.specs.augmentation import parse_da
from ganaug.specs.base import PositiveInt, Spec, Strictness


class FilterSpec(Spec):
    """What all filters share: `threshold` says how strict one is, and 0 keeps every image, whichever it is."""

    threshold: Strictness | None = None  # None: the study's factor `threshold`
    also: "AnyFilter | None" = None  # another filter that an image has to pass as well

    @model_validator(mode="after")
    def _one_ranking(self) -> "FilterSpec":
        if sum(isinstance(f, RankedSpec) and f.rank for f in chain_of(self)) > 1:
            raise ValueError("only one of the filters joined by also may rank; give the others a threshold")
        return self


class RankedSpec(FilterSpec):
    """A filter whose scores may be ranked instead of compared: then threshold 0.7 keeps the best 30 % of each class."""

    rank: bool = False


class DiscriminatorFilterSpec(RankedSpec):
    """The discriminator's calibrated probability that an image is real: the founding study's filter."""

    name: Literal["discriminator"] = "discriminator"


class AgreementFilterSpec(RankedSpec):
    """The judge's probability of the class an image was made for."""

    name: Literal["agreement"] = "agreement"


class NeighboursFilterSpec(RankedSpec):
    """How deep an image lies among the real ones, in the judge's features (arXiv:1904.06991, arXiv:2002.09797)."""

    name: Literal["neighbours"] = "neighbours"
    measure: Literal["realism", "density"] = "realism"
    k: PositiveInt = 5


class MemorisationFilterSpec(RankedSpec):
    """Refuses what lies nearer to a training image than fresh real images do (Meehan et al. 2020, arXiv:2004.05675)."""

    name: Literal["memorisation"] = "memorisation"


class RejectionFilterSpec(FilterSpec):
    """Discriminator rejection sampling (Azadi et al. 2019, arXiv:1810.06758); threshold 1 is the exact method."""

    name: Literal["rejection"] = "rejection"
    burn_in: PositiveInt = 100  # candidates per class that the largest density ratio is taken from
    gamma: Strictness | None = None  # accept the more, the easier: this percentile of the ratios; None: exact


class MetropolisHastingsFilterSpec(FilterSpec):
    """Metropolis-Hastings GAN (Turner et al. 2019, arXiv:1811.11357); threshold 1 is the exact method."""

    name: Literal["metropolis-hastings"] = "metropolis-hastings"
    chain: PositiveInt = 20  # candidates a chain is offered before its state is taken


AnyFilter = Annotated[
    DiscriminatorFilterSpec
    | AgreementFilterSpec
    | NeighboursFilterSpec
    | MemorisationFilterSpec
    | RejectionFilterSpec
    | MetropolisHastingsFilterSpec,
    Field(discriminator="name"),
]


def chain_of(spec: FilterSpec) -> Iterator[FilterSpec]:
    """A filter and those joined to it by `also`, in their order."""
    at: FilterSpec | None = spec
    while at is not None:
        yield at
        at = at.also


def asks_judge(spec: FilterSpec) -> bool:
    """Whether a filter, or one joined to it, needs a judge."""
    return any(isinstance(f, AgreementFilterSpec | NeighboursFilterSpec) for f in chain_of(spec))


class JudgeSpec(Spec):
    """The classifiers that filters and soft labels ask: the study's kind, cross-fitted on the same real images."""

    folds: Annotated[int, Field(ge=2, le=20)] = 5
    steps: PositiveInt | None = None  # updates of each; None: as many as the study's classifier
    da: str = "none"  # classic augmentation they are trained under

    @field_validator("da")
    @classmethod
    def _known_da(cls, text: str) -> str:
        parse_da(text)
        return text


class MixingSpec(Spec):
    """How extra images go into a classifier's training beside the real ones."""

    weight: Annotated[float, Field(gt=0, le=100)] = 1.0  # of an extra image's loss; a real one's is 1
    ratio: Annotated[float, Field(gt=0, lt=1)] | None = None  # share of every batch that is extra; None: as there are
    soft_labels: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of an extra image's label that the judge says
