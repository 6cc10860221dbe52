"""What a study may say about GANs and the pools they are asked for."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ganaug.specs.augmentation import DiffAugmentSpec, StrengthSpec, parse_da
from ganaug.specs.base import PositiveInt, Precision, Spec

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
    precision: Precision = "float32"  # of its training; images are always generated and scored in float32

    later: ClassVar[tuple[str, ...]] = ("r1", "r1_every", "checkpoints", "precision")


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


class ViewsSpec(Spec):
    """Two augmented views of each of some real images, which an InfoGAN's Q is to read the same code off.

    Classes are what outlives small turns and shifts; how thick or slanted a character is does not, or is left to the
    continuous codes.
    """

    weight: Annotated[float, Field(ge=0)] = 0.0  # of the nats that the two codes share; 0: no views
    images: Annotated[int, Field(ge=2)] = 256  # real ones in each step
    da: str = "rotation+shift+zoom+shear"  # what is done to them, each view on its own
    augmentation: StrengthSpec = StrengthSpec()  # how strong that is

    @field_validator("da")
    @classmethod
    def _known_da(cls, text: str) -> str:
        if not parse_da(text):
            raise ValueError("must name an augmentation, or both views are one, got 'none'; drop views.weight instead")
        return text


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
    guidance: Annotated[float, Field(ge=0)] = 0.0  # weight of Q's cross-entropy on them while it learns; 0: none
    views: ViewsSpec = ViewsSpec()
    q_body: Literal["shared", "own"] = "shared"  # Q reads the discriminator's features, or has convolutions of its own
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    discriminator_learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4

    later: ClassVar[tuple[str, ...]] = (*GanSpec.later, "guidance", "views", "q_body")

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
