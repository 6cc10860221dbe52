"""What a study may say about classifiers and what is done to images before they see them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ganaug.specs.base import PositiveInt, Precision, Spec


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
        from ganaug.dotted import require_allowed, source_digest

        require_allowed(data["function"])
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

    later: ClassVar = ("epochs", "schedule", "warm_start", "curve", "preprocessing", "precision")

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
    precision: Precision = "float32"  # of its training; it is always asked in float32

    def updates(self, n_images: int) -> int:
        """Updates on a training set of that size: `steps` whatever it is, unless `epochs` says otherwise."""
        return self.steps if self.epochs is None else max(1, self.epochs * n_images // self.batch)


def judging(spec: ClassifierSpec) -> ClassifierSpec:
    """The same kind of classifier as one that judges: for `steps` updates on real images alone, from fresh weights,
    unwatched, in float32."""
    alone = {"include_real": True, "include_validation": False, "warm_start": False}
    update = alone | {"curve": 0, "epochs": None, "precision": "float32"}
    return spec.model_copy(update=update)
