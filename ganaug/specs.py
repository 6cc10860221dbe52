"""What a study may say about augmentation, GANs, pools, filters and classifiers: frozen, validated where they are made.

Imports neither torch nor Ray, so that a study is checked and planned in a moment. Each model forbids unknown keys.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ganaug.spans import Span, pair, shift_span, zoom_span

PositiveInt = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]

DA_TYPES = (
    "rotation", "shift", "width_shift", "height_shift", "zoom", "shear", "hflip", "vflip", "negative", "contrast",
    "channel_shift", "brightness",
)  # fmt: skip
GENERATED = "generated"  # as augmentation for a GAN: images of a first GAN, trained on the same real ones without any
FLIPS = ("hflip", "vflip", "negative")
DIFFERENTIABLE = (*FLIPS, "contrast")


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    later: ClassVar[tuple[str, ...]] = ()  # settings younger than results already stored

    def identity(self) -> dict[str, Any]:
        """What a key is made of, as JSON: every setting, but a `later` one only where it differs from its default."""
        told = self.model_dump(mode="json")
        for name, known in type(self).model_fields.items():
            own = getattr(self, name)
            if name in self.later and own == known.default:
                del told[name]
            elif isinstance(own, Spec):
                told[name] = own.identity()
        return told


Fill = Literal["background", "nearest", "constant", "reflect", "wrap"]


class AugmentationSpec(Spec):
    """How strong each kind of classic data augmentation (DA) is; which ones apply is `gan_da` and `clf_da`.

    docs/augmentation.md has each setting beside Keras' own.
    """

    later: ClassVar = (
        "width_shift", "height_shift", "channel_shift", "brightness", "fill", "cval", "convention", "real_copies",
    )  # fmt: skip

    rotation: Annotated[float, Field(ge=0, le=180)] = 15.0  # degrees, uniform in [-r, r]
    shift: Annotated[float, Field(ge=0, le=1)] = 0.1  # share of the side, uniform in [-s, s], each axis
    width_shift: Annotated[Span, BeforeValidator(shift_span)] = 0.1  # share of the width, pixels, or a list of either
    height_shift: Annotated[Span, BeforeValidator(shift_span)] = 0.1
    zoom: Annotated[float | tuple[float, float], BeforeValidator(zoom_span)] = 0.1  # [1 - z, 1 + z], or [low, high]
    shear: Annotated[float, Field(ge=0, lt=90)] = 10.0  # degrees, uniform in [-s, s]
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.4  # factor about the mean, uniform in [1 - c, 1 + c]
    channel_shift: Annotated[float, Field(ge=0, le=255)] = 20.0  # grey levels of 255, uniform in [-c, c], all channels
    brightness: Annotated[tuple[float, float], BeforeValidator(pair)] = (0.6, 1.4)  # factor, uniform in [low, high]
    fill: Fill = "background"  # what a geometric type shows from beyond the edge
    cval: Annotated[float, Field(ge=0, le=255)] = 0.0  # the grey level of fill constant
    convention: Literal["ganaug", "keras"] = "ganaug"  # how rotation, shifts, shear and zoom make one map
    # a control for the ratio of real to augmented images: how often a real one lies in an augmented GAN's training set
    real_copies: Annotated[int, Field(ge=1, le=100)] = 1


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


class InfoGanSpec(GanSpec):
    """GAN that learns without labels (Chen et al. 2016, arXiv:1606.03657); its codes become classes afterwards."""

    name: Literal["infogan"]
    loss: Loss = "hinge"
    latent: PositiveInt = 64  # continuous codes, then noise
    continuous: Annotated[int, Field(ge=0, le=8)] = 2  # continuous codes, uniform in (-1, 1)
    width: PositiveInt = 32  # generator's channels at half resolution; doubled at each further halving, at most twice
    discriminator_width: PositiveInt = 32  # the same of the discriminator
    information: Literal["logits", "softmax"] = "logits"  # `softmax` is a published mistake: see `gans/infogan.py`
    categorical_weight: Annotated[float, Field(ge=0)] = 1.0  # of the categorical code's cross-entropy
    continuous_weight: Annotated[float, Field(ge=0)] = 0.1  # of the continuous codes' Gaussians
    labels_per_class: PositiveInt = 5  # of the real images that say which code is which class; all where there are less
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    discriminator_learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3

    @model_validator(mode="after")
    def _some_noise(self) -> "InfoGanSpec":
        if self.latent <= self.continuous:
            raise ValueError(f"latent must be greater than continuous ({self.continuous}), got {self.latent}")
        return self


AnyGan = Annotated[CganSpec | ProjectionSpec | InfoGanSpec, Field(discriminator="name")]


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


class PreprocessingSpec(Spec):
    """What is done to every image, of training, validation and test alike, before the classifier sees it.

    Not an augmentation: nothing in it is random. Grey levels 0 to 255 go in; the order is that of the fields. With all
    of them left out an image reaches the network in [-1, 1], as everywhere else.
    """

    function: str | None = None  # the user's own, as module:function; float32 (N, C, H, W) in and out
    function_sha256: str | None = None  # of its source, filled in: part of the identity, so that an edit is seen
    rescale: Annotated[float, Field(gt=0)] | None = None  # factor, e.g. 0.00392156862745098 for [0, 1]
    samplewise_center: bool = False  # each image's own mean is taken off
    samplewise_std: bool = False  # and it is divided by its own standard deviation
    featurewise_center: bool = False  # the training images' mean per channel is taken off
    featurewise_std: bool = False  # and divided by their standard deviation per channel

    @model_validator(mode="before")
    @classmethod
    def _digest(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("function"), str):
            return data
        from ganaug.dotted import source_digest

        found, told = source_digest(data["function"]), data.get("function_sha256")
        if told not in (None, found):
            raise ValueError(
                f"the source of function {data['function']} has changed (sha256 {found[:12]}…, the study says "
                f"{told[:12]}…); results under the old one stay, leave function_sha256 out to go on with the new one"
            )
        return data | {"function_sha256": found}

    @model_validator(mode="after")
    def _whole(self) -> "PreprocessingSpec":
        for kind in ("samplewise", "featurewise"):
            if getattr(self, f"{kind}_std") and not getattr(self, f"{kind}_center"):
                raise ValueError(f"{kind}_std needs {kind}_center: true, as Keras sets it by itself, got false")
        if self.function is None and self.function_sha256 is not None:
            raise ValueError("function_sha256 is of a function, and function says none; leave it out")
        return self


class ClassifierSpec(Spec):
    """A convolutional classifier trained for a fixed number of updates, whatever the size of its training set."""

    later: ClassVar = ("epochs", "schedule", "warm_start", "curve", "preprocessing")

    name: Literal["cnn", "deep", "keras"] = "cnn"
    steps: PositiveInt = 1000
    epochs: PositiveInt | None = None  # the published way, dearer the more images there are: as often through them all
    batch: PositiveInt = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3  # peak of a one-cycle schedule, or the constant one
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    width: PositiveInt = 32  # of the first convolution; `deep` is good at 16
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0  # decoupled from the gradient (AdamW)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the features that the logits are computed from
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    include_real: bool = True  # False: trained on generated images alone
    include_validation: bool = False  # a control: validation labels are labels too
    warm_start: bool = False  # under classic DA: go on from the weights of the same classifier trained without it
    curve: Annotated[int, Field(ge=0, le=1000)] = 0  # points of the accuracy curves over training; 0: none
    preprocessing: PreprocessingSpec = PreprocessingSpec()

    def updates(self, n_images: int) -> int:
        """Updates on a training set of that size: `steps` whatever it is, unless `epochs` says otherwise."""
        return self.steps if self.epochs is None else max(1, self.epochs * n_images // self.batch)


def judging(spec: ClassifierSpec) -> ClassifierSpec:
    """The same kind of classifier as one that judges: for `steps` updates on real images alone, from fresh weights,
    unwatched."""
    alone = {"include_real": True, "include_validation": False, "warm_start": False}
    update = alone | {"curve": 0, "epochs": None}
    return spec.model_copy(update=update)


class SemiGanSpec(Spec):
    """The generator of a semi-supervised GAN, and how much its discriminator's losses count."""

    latent: PositiveInt = 64
    width: PositiveInt = 32  # generator's channels at half resolution; doubled at each further halving, at most twice
    learning_rate: Rate = 1e-3
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0  # of the real-or-generated loss beside the labels'


class FixMatchSpec(Spec):
    """Consistency of a strongly distorted view with what is sure of a weak one (Sohn et al. 2020, arXiv:2001.07685)."""

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.95  # least probability of a pseudo-label that is used
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0  # of the consistency beside the labels' loss
    strong: AugmentationSpec = AugmentationSpec(rotation=25, zoom=0.2, shear=15, contrast=0.5)
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.35  # side of the square cut out of a strong view


SemiMethod = Literal["sgan", "sgan-published", "fixmatch", "sgan-fixmatch"]
"""`sgan`: K logits and feature matching (Salimans et al. 2016, arXiv:1606.03498). `sgan-published`: a sigmoid and a
softmax head on one body. `fixmatch`: no GAN. `sgan-fixmatch`: the losses of `sgan` and of `fixmatch` together."""


class SemiSpec(Spec):
    """A classifier that learns from few labelled and many unlabelled images; its control sees the labelled ones alone.

    `n_real` is the number of labels per class. All methods and the control train one body, from the same first weights,
    for `steps` updates, and see labelled images under the same shifts.
    """

    method: SemiMethod = "sgan"
    n_unlabelled: PositiveInt = 8000  # in all, drawn without a look at their classes; as many as there are, if fewer
    labels: Literal["stratified", "random"] = "stratified"  # random: as many in all, whichever classes they fall on
    steps: PositiveInt = 4000
    fewer_steps: PositiveInt | None = None  # a second control with so few updates, as where the arms were not matched
    labelled_batch: PositiveInt = 32
    batch: PositiveInt = 64  # unlabelled images of an update, and generated ones
    learning_rate: Rate = 1e-3  # constant for the first half of the updates, then falls to 0
    width: PositiveInt = 24  # of the body's first convolution
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.08  # of the side: how far all images of an update are moved
    noise: Annotated[float, Field(ge=0, le=2)] = 0.15  # standard deviation of what is added to them, in [-1, 1]
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998  # of the body's weights; 0 keeps the last ones
    gan: SemiGanSpec = SemiGanSpec()
    fixmatch: FixMatchSpec = FixMatchSpec()


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
    if "shift" in types and {"width_shift", "height_shift"} & set(types):
        raise ValueError(f"shift moves both axes, so width_shift and height_shift are in it, got {text!r}; drop one")
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
