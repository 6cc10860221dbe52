"""What a study of unlabelled images may say about its training."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from ganaug.specs.augmentation import StrengthSpec, parse_da
from ganaug.specs.base import PositiveInt, Precision, Rate, Spec


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
    strong: StrengthSpec = StrengthSpec(rotation=25, zoom=0.2, shear=15, contrast=0.5)
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.35  # side of the square cut out of a strong view


SemiMethod = Literal["sgan", "sgan-published", "fixmatch", "sgan-fixmatch"]
"""`sgan`: K logits and feature matching (Salimans et al. 2016, arXiv:1606.03498). `sgan-published`: a sigmoid and a
softmax head on one body. `fixmatch`: no GAN. `sgan-fixmatch`: the losses of `sgan` and of `fixmatch` together."""


class SemiSpec(Spec):
    """A classifier that learns from few labelled and many unlabelled images; its control sees the labelled ones alone.

    `n_real` is the number of labels per class. All methods and the control train one body, from the same first weights,
    for `steps` updates, and see labelled images under the same shifts and the same classic augmentation.
    """

    later: ClassVar[tuple[str, ...]] = ("da", "augmentation", "precision")

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
    da: str = "none"  # classic augmentation of labelled images, before shift and noise
    augmentation: StrengthSpec = StrengthSpec()  # how strong that is
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998  # of the body's weights; 0 keeps the last ones
    precision: Precision = "float32"
    gan: SemiGanSpec = SemiGanSpec()
    fixmatch: FixMatchSpec = FixMatchSpec()

    @field_validator("da")
    @classmethod
    def _known_da(cls, text: str) -> str:
        parse_da(text)
        return text
