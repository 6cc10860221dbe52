"""What a study may say about augmentation, offline, online, and inside a GAN's training."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from ganaug.spans import Span, pair, shift_span, zoom_span
from ganaug.specs.base import Spec

DA_TYPES = (
    "rotation", "shift", "width_shift", "height_shift", "zoom", "shear", "hflip", "vflip", "negative", "contrast",
    "channel_shift", "brightness",
)  # fmt: skip
GENERATED = "generated"  # as augmentation for a GAN: images of a first GAN, trained on the same real ones without any
FLIPS = ("hflip", "vflip", "negative")
DIFFERENTIABLE = (*FLIPS, "contrast")


Fill = Literal["background", "nearest", "constant", "reflect", "wrap"]


class StrengthSpec(Spec):
    """How strong each kind of classic data augmentation (DA) is; which ones apply is said beside it.

    docs/augmentation.md has each setting beside Keras' own.
    """

    later: ClassVar[tuple[str, ...]] = (
        "width_shift", "height_shift", "channel_shift", "brightness", "fill", "cval", "convention",
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


class AugmentationSpec(StrengthSpec):
    """A study's augmentation; which kinds apply is `gan_da` and `clf_da`."""

    later: ClassVar[tuple[str, ...]] = (*StrengthSpec.later, "real_copies")

    # a control for the ratio of real to augmented images: how often a real one lies in an augmented GAN's training set
    real_copies: Annotated[int, Field(ge=1, le=100)] = 1


class DiffAugmentSpec(Spec):
    """Differentiable augmentation inside GAN training (Zhao et al. 2020, arXiv:2006.10738); never flips by itself.

    `types` are applied to what the discriminator sees, each to an image with `probability`. Below 1/2 a flip need not
    leak: at the optimum the generator cannot make the share of mirrored images right by drawing some of them (Karras et
    al. 2020, arXiv:2006.06676, section 2.2); at 1/2 mirrored and upright ones could not be told apart. A training that
    begins on the wrong side can still stay there; with `rise` it begins without `types`, as theirs does, and on the
    right one. `assess.leaks` tells.
    """

    translation: Annotated[float, Field(ge=0, le=0.5)] = 0.125  # of the side
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.25  # side of the square, as a share of the image's side
    types: str = "none"  # of contrast, hflip, vflip and negative, joined by +
    probability: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    rise: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of the steps in which the probability grows up from 0

    later = ("types", "probability", "rise")

    def probability_at(self, progress: float) -> float:
        """The probability of `types` after a share of the steps."""
        return self.probability * min(1.0, progress / self.rise) if self.rise else self.probability

    @field_validator("types")
    @classmethod
    def _differentiable(cls, text: str) -> str:
        for name in parse_da(text):
            if name not in DIFFERENTIABLE:
                raise ValueError(f"must be none or of {', '.join(DIFFERENTIABLE)}, joined by +, got {text!r}")
        return text


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
