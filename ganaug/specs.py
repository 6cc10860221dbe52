"""What a study may say about augmentation, GANs, pools, filters and classifiers: frozen, validated where they are made.

Imports neither torch nor Ray, so that a study is checked and planned in a moment. Each model forbids unknown keys.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PositiveInt = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]

DA_TYPES = ("rotation", "shift", "zoom", "shear", "hflip", "vflip", "negative", "contrast")
GENERATED = "generated"  # as augmentation for a GAN: images of a first GAN, trained on the same real ones without any
FLIPS = ("hflip", "vflip", "negative")
DIFFERENTIABLE = (*FLIPS, "contrast")


class Spec(BaseModel):
    """`later` names fields that came after results had been stored under keys: no part of a key at their default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    later: ClassVar[tuple[str, ...]] = ()


class AugmentationSpec(Spec):
    """How strong each kind of classic data augmentation (DA) is; which ones apply is `gan_da` and `clf_da`."""

    rotation: Annotated[float, Field(ge=0, le=180)] = 15.0  # degrees, uniform in [-r, r]
    shift: Annotated[float, Field(ge=0, le=1)] = 0.1  # share of the side, uniform in [-s, s], each axis
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.1  # scale uniform in [1 - z, 1 + z], both axes alike
    shear: Annotated[float, Field(ge=0, lt=90)] = 10.0  # degrees, uniform in [-s, s]
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.4  # factor about the mean, uniform in [1 - c, 1 + c]
    # a control for the ratio of real to augmented images: how often a real one lies in an augmented GAN's training set
    real_copies: Annotated[int, Field(ge=1, le=100)] = 1

    later = ("real_copies",)


class DiffAugmentSpec(Spec):
    """Differentiable augmentation inside GAN training (Zhao et al. 2020, arXiv:2006.10738); never flips by itself.

    `types` are applied to what the discriminator sees, each to an image with `probability`. Below 1/2 a flip need not
    leak: at the optimum the generator cannot make the share of mirrored images right by drawing some of them (Karras et
    al. 2020, arXiv:2006.06676, section 2.2); at 1/2 mirrored and upright ones could not be told apart. A training can
    still be caught on the wrong side, the more easily the higher the probability: look at `assess.leaks`.
    """

    translation: Annotated[float, Field(ge=0, le=0.5)] = 0.125  # of the side
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.25  # side of the square, as a share of the image's side
    types: str = "none"  # of contrast, hflip, vflip and negative, joined by +
    probability: Annotated[float, Field(gt=0, lt=0.5)] = 0.25

    later = ("types", "probability")

    @field_validator("types")
    @classmethod
    def _differentiable(cls, text: str) -> str:
        for name in parse_da(text):
            if name not in DIFFERENTIABLE:
                raise ValueError(f"must be none or of {', '.join(DIFFERENTIABLE)}, joined by +, got {text!r}")
        return text


Loss = Literal["hinge", "bce", "least-squares"]


class GanSpec(Spec):
    """What both GANs share. One step is one discriminator and one generator update."""

    steps: PositiveInt = 1000
    batch: Annotated[int, Field(ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    discriminator_learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.5
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999  # of the generator's weights; 0 keeps the last ones
    r1: Annotated[float, Field(ge=0, le=1000)] = 0.0  # weight of the gradient penalty on real images; 0: none
    r1_every: PositiveInt = 16  # steps from one penalty to the next, which then weighs as many times as much
    checkpoints: Annotated[int, Field(ge=0, le=50)] = 0  # how many generators of the training's course are kept

    later = ("r1", "r1_every", "checkpoints")


class CganSpec(GanSpec):
    """The conditional MLP GAN of the classic tutorials (Mirza & Osindero 2014, arXiv:1411.1784): the baseline."""

    name: Literal["cgan"]
    loss: Loss = "bce"
    latent: PositiveInt = 100
    width: PositiveInt = 128  # of the generator's first layer; the later ones are 2, 4 and 8 times as wide
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4  # in the discriminator
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ProjectionSpec(GanSpec):
    """Small convolutional GAN with a projection discriminator (Miyato & Koyama 2018, arXiv:1802.05637)."""

    name: Literal["projection"]
    loss: Loss = "hinge"
    latent: PositiveInt = 64
    width: PositiveInt = 64  # generator's channels at half resolution; doubled at each further halving, at most twice
    discriminator_width: PositiveInt = 32  # the same of the discriminator
    mode_seeking: Annotated[float, Field(ge=0)] = 0.1  # weight of the term that keeps a class's images apart
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-4
    discriminator_learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-4
    diffaugment: DiffAugmentSpec = DiffAugmentSpec()


AnyGan = Annotated[CganSpec | ProjectionSpec, Field(discriminator="name")]


class PoolSpec(Spec):
    """The stream a generator is asked for: chunks of `chunk` images per class, at most `max_per_class` in all."""

    chunk: PositiveInt = 100
    max_per_class: PositiveInt = 5000

    @model_validator(mode="after")
    def _whole_chunks(self) -> "PoolSpec":
        if self.max_per_class % self.chunk:
            raise ValueError(f"max_per_class must be a multiple of chunk ({self.chunk}), got {self.max_per_class}")
        return self

    @property
    def chunks(self) -> int:
        return self.max_per_class // self.chunk


Strictness = Annotated[float, Field(ge=0, le=1)]


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
    chain: PositiveInt = 10  # candidates a chain is offered before its state is taken


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


class ClassifierSpec(Spec):
    """A convolutional classifier trained for a fixed number of updates, whatever the size of its training set."""

    name: Literal["cnn", "deep"] = "cnn"
    steps: PositiveInt = 1000
    batch: PositiveInt = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3  # peak of a one-cycle schedule
    width: PositiveInt = 32  # of the first convolution; `deep` is good at 16
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0  # decoupled from the gradient (AdamW)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the features that the logits are computed from
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    include_real: bool = True  # False: trained on generated images alone
    include_validation: bool = False  # a control: validation labels are labels too


def parse_da(text: str, known: tuple[str, ...] = DA_TYPES) -> tuple[str, ...]:
    """`none` is no augmentation, `hflip` one type, `hflip+rotation` several; a repeated or unknown type is refused."""
    if text == "none":
        return ()
    types = tuple(part.strip() for part in text.split("+"))
    for name in types:
        if name not in known:
            raise ValueError(f"unknown augmentation {name!r}; known: none, {', '.join(known)}, or several joined by +")
    if len(set(types)) < len(types):
        raise ValueError(f"an augmentation is named twice in {text!r}")
    return types


def parse_gan_da(text: str) -> tuple[str, ...]:
    """The same of augmentation for a GAN, which may be `generated` as well."""
    return parse_da(text, (*DA_TYPES, GENERATED))


class AssessSpec(Spec):
    """How a generator is judged before any downstream classifier is trained (`docs/metrics.md`)."""

    images_per_class: PositiveInt = 100  # the first of the unfiltered stream, at most the pool's max_per_class
    steps: PositiveInt | None = None  # updates of the two classifiers; None: as many as the study's classifier
    neighbours: PositiveInt = 5  # k of precision, recall, density and coverage
    features: Literal["classifier", "inception"] = "classifier"  # of the study's own kind, or of ImageNet's Inception
    weights: str | None = None  # Inception's file; None: where torch-fidelity keeps it
    imagenet: str | None = None  # a file of ResNet-50's weights: what it calls the generated images; None: not asked
    leaks: tuple[str, ...] = ()  # types looked for among the samples: images nearer to a mirrored or negative real one
    references: bool = False  # the metrics also of noise and of one image repeated: what a score's orientation is worth

    later = ("features", "weights", "imagenet", "leaks", "references")

    @field_validator("leaks")
    @classmethod
    def _flips(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for name in types:
            if name not in FLIPS:
                raise ValueError(f"must be of {', '.join(FLIPS)}, got {name!r}")
        return types
