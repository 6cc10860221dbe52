"""The stages of one image's way through: pure steps, identified by what goes in.

A stage is a frozen value: its parameters and the stages it builds on. `key` names it by a hash of these, so that equal
work has one name in every process; `run` does the work and returns an artifact. What needs a store, a cluster or a
clock is not here.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, ClassVar, assert_never

from ganaug import specs
from ganaug.artifact import Artifact, Work


@dataclass(frozen=True)
class LocalFile:
    """A file that a stage reads: what it holds is its identity, where it lies is not."""

    path: str
    sha256: str  # 64 hex digits


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@cache
def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


@lru_cache(maxsize=4096, typed=True)  # a grid has many cells, few specs and few numbers
def _written(value: Any) -> str:
    return _canonical(value.identity() if isinstance(value, specs.Spec) else value)


def _text(value: Any) -> str:
    """A stage's parameter in canonical JSON: a parent is its key, a file its digest."""
    match value:
        case Stage():
            return f'"{value.key}"'
        case LocalFile():
            return f'"{value.sha256}"'
        case tuple():
            return f"[{','.join(map(_text, value))}]"
        case _:
            return _written(value)


@dataclass(frozen=True)
class Stage:
    """Base of the closed family below. Raise `version` whenever the same parameters would give other results."""

    version: ClassVar[int] = 1
    stored: ClassVar[bool] = False  # worth keeping: dear to make, or a result
    later: ClassVar[tuple[str, ...]] = ()  # parameters that came later: no part of the key while they are None

    @classmethod
    def kind(cls) -> str:
        """The stage's name in file names and columns: `FitGan` is `fit_gan`."""
        return _snake(cls.__name__)

    @classmethod
    @cache
    def _names(cls) -> tuple[str, ...]:
        return tuple(f.name for f in dataclasses.fields(cls))

    def canonical(self) -> str:
        """Everything the key is made of, as JSON without spaces, its names in order."""
        own = {name: getattr(self, name) for name in self._names()}
        told = [f'"{k}":{_text(v)}' for k, v in own.items() if not (v is None and k in self.later)]
        told += (f'"stage":"{self.kind()}"', f'"version":{self.version}')
        return f"{{{','.join(sorted(told))}}}"

    def describe(self) -> dict[str, Any]:
        """The same, read."""
        said: dict[str, Any] = json.loads(self.canonical())
        return said

    @cached_property
    def key(self) -> str:
        """sha256 of the canonical JSON of what this stage is; 64 hex digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def parents(self) -> Iterator["Stage"]:
        """The stages this one is built on."""
        for name in self._names():
            value = getattr(self, name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Stage):
                    yield item

    def run(self, work: Work) -> Artifact:
        """Do the work. Deterministic: same stage, same artifact."""
        raise NotImplementedError


def ancestors(stage: Stage) -> Iterator[Stage]:
    """A stage's parents, their parents, and so on, nearest first; a shared one may come more than once."""
    for parent in stage.parents():
        yield parent
        yield from ancestors(parent)


@dataclass(frozen=True)
class TrainImages(Stage):
    """Everything of a data set but its test images; put in the store by the import, never run."""

    dataset: str  # digest


@dataclass(frozen=True)
class TestImages(Stage):
    """A data set's fixed test images; only `Measure` may ask for them."""

    dataset: str  # digest
    __test__: ClassVar[bool] = False  # not a test case, whatever pytest thinks of the name


@dataclass(frozen=True)
class Split(Stage):
    """Class-balanced real and validation images. Real subsets of one seed are nested: 300 are the first 300 of 500."""

    train: TrainImages
    n_real: int
    n_validation: int
    seed: int

    def run(self, work: Work) -> Artifact:
        from ganaug.split import split

        return split(work.get(self.train), self.n_real, self.n_validation, self.seed)


@dataclass(frozen=True)
class Augment(Stage):
    """The real images and, offline, `n_da` augmented ones per class: what a GAN learns from."""

    version: ClassVar[int] = 2  # 2: another rounding of where a pixel looks; so too below
    real: Split
    types: tuple[str, ...]
    n_da: int
    strength: specs.AugmentationSpec

    def run(self, work: Work) -> Artifact:
        from ganaug.augmentation import augment

        return augment(work.get(self.real), self.types, self.n_da, self.strength, self.real.seed)


@dataclass(frozen=True)
class FitGan(Stage):
    """A trained GAN, its calibration on the validation images, and whether it diverged."""

    stored: ClassVar[bool] = True
    version: ClassVar[int] = 2  # 2: pictures of the training's course; the calibration's middle lies at 1/2
    later: ClassVar[tuple[str, ...]] = ("fused",)
    images: "Split | Augment | AugmentGenerated"
    gan: specs.AnyGan
    seed: int
    fused: bool | None = None  # trained as a member of a batched model; None: by itself

    @property
    def split(self) -> Split:
        return self.images if isinstance(self.images, Split) else self.images.real

    def run(self, work: Work) -> Artifact:
        from ganaug.gans.fit import fit_gan

        return fit_gan(self.gan, work.get(self.images), work.get(self.split), self.seed, work, bool(self.fused))


@dataclass(frozen=True)
class Pool(Stage):
    """One chunk of a generator's endless stream: `size` images per class with their raw discriminator scores."""

    stored: ClassVar[bool] = True
    generator: FitGan
    index: int
    size: int

    def run(self, work: Work) -> Artifact:
        from ganaug.pool import draw_chunk

        fit = self.generator
        return draw_chunk(fit.gan, work.get(fit), fit.seed, self.index, self.size)


@dataclass(frozen=True)
class AugmentGenerated(Stage):
    """The real images and, offline, `n_da` others per class, among them the images of a first generator."""

    version: ClassVar[int] = 2
    generator: FitGan  # trained on the real images alone
    pool: specs.PoolSpec
    types: tuple[str, ...]  # `generated` among them
    n_da: int
    strength: specs.AugmentationSpec

    @property
    def real(self) -> Split:
        return self.generator.split

    def run(self, work: Work) -> Artifact:
        from ganaug.generated_da import augment_generated

        return augment_generated(self, work)


@dataclass(frozen=True)
class FitJudge(Stage):
    """Classifiers cross-fitted on a split's real images, for filters and soft labels to ask; one per split."""

    stored: ClassVar[bool] = True
    version: ClassVar[int] = 2
    split: Split
    classifier: specs.ClassifierSpec
    folds: int
    da: tuple[str, ...]
    strength: specs.AugmentationSpec

    def run(self, work: Work) -> Artifact:
        from ganaug.filters.judge import fit_judge

        return fit_judge(self, work)


@dataclass(frozen=True)
class Judged(Stage):
    """What the judge says of one chunk of a pool."""

    stored: ClassVar[bool] = True
    pool: Pool
    judge: FitJudge

    def run(self, work: Work) -> Artifact:
        from ganaug.filters.judge import judged

        return judged(self, work)


@dataclass(frozen=True)
class Select(Stage):
    """The first `n_gen` images per class of a generator's stream that pass the filter; fewer if the cap comes first."""

    version: ClassVar[int] = 2  # 2: any filter
    generator: FitGan
    pool: specs.PoolSpec
    filter: specs.AnyFilter  # every threshold written out
    n_gen: int
    judge: FitJudge | None = None  # for the filters that ask it

    def run(self, work: Work) -> Artifact:
        from ganaug.filters.select import select

        return select(self, work)


@dataclass(frozen=True)
class Shuffle(Stage):
    """A control: the same generated images under each other's labels. What they teach beyond it is in their labels."""

    generated: Select
    seed: int

    def run(self, work: Work) -> Artifact:
        from ganaug.controls import shuffle

        return shuffle(work.get(self.generated), self.seed)


@dataclass(frozen=True)
class Duplicate(Stage):
    """A control, the placebo: `n` copies per class of the real images themselves."""

    split: Split
    n: int

    def run(self, work: Work) -> Artifact:
        from ganaug.controls import duplicate

        return duplicate(work.get(self.split), self.n)


@dataclass(frozen=True)
class MoreReal(Stage):
    """A control, the oracle: `n` further real images per class, the ones that follow those of the split."""

    split: Split
    n: int

    def run(self, work: Work) -> Artifact:
        from ganaug.controls import more_real

        s = self.split
        return more_real(work.get(s.train), s.n_real, s.n_validation, s.seed, self.n)


Extra = Select | Shuffle | Duplicate | MoreReal
"""What a classifier may learn from beside the real images: all give images, labels, ids and counts per class."""


def generator_of(extra: Extra | None) -> FitGan | None:
    """The generator that extra images come from, if any."""
    match extra:
        case Select():
            return extra.generator
        case Shuffle():
            return extra.generated.generator
        case Duplicate() | MoreReal() | None:
            return None
        case _:
            assert_never(extra)


def judges_of(fit: "Fit") -> Iterator[FitJudge]:
    """The judges that a classifier's filter and its soft labels ask."""
    if isinstance(fit, FitClassifier):
        chosen = fit.extra.generated if isinstance(fit.extra, Shuffle) else fit.extra
        asked = (fit.judge, chosen.judge if isinstance(chosen, Select) else None)
        yield from (judge for judge in asked if judge is not None)


def wanted_of(extra: Extra | None) -> int:
    """How many extra images per class are asked for; a filter may find fewer."""
    match extra:
        case Select():
            return extra.n_gen
        case Shuffle():
            return extra.generated.n_gen
        case Duplicate() | MoreReal():
            return extra.n
        case None:
            return 0
        case _:
            assert_never(extra)


@dataclass(frozen=True)
class FitClassifier(Stage):
    """A classifier trained on real images, extra ones, or both; its weights, in memory only."""

    version: ClassVar[int] = (
        4  # 2: predictions for validation images, mixing; 3: accuracy on its own images; 4: rounding
    )
    later: ClassVar[tuple[str, ...]] = ("fused",)
    split: Split
    extra: Extra | None
    da: tuple[str, ...]
    strength: specs.AugmentationSpec
    classifier: specs.ClassifierSpec
    member: int  # which of the classifiers nested under one split and one GAN
    mixing: specs.MixingSpec
    judge: FitJudge | None = None  # whom soft labels are asked of
    start: "FitClassifier | None" = None  # whose weights it goes on from; None: its own fresh ones
    fused: bool | None = None  # trained as a member of a batched model; None: by itself

    @property
    def per_class(self) -> int:
        """Training images per class, if none is starved."""
        spec = self.classifier
        own = self.split.n_real * spec.include_real + self.split.n_validation * spec.include_validation
        return own + wanted_of(self.extra)

    def run(self, work: Work) -> Artifact:
        from ganaug.classifiers.training import fit_classifier

        return fit_classifier(self, work)


@dataclass(frozen=True)
class RandomLabels(Stage):
    """As many labelled images as a split has, drawn from all classes together; its validation images as they are."""

    split: Split

    def run(self, work: Work) -> Artifact:
        from ganaug.semi.images import random_labels

        return random_labels(work.get(self.split.train), work.get(self.split), self.split.seed)


@dataclass(frozen=True)
class Unlabelled(Stage):
    """`n` further training images without their labels, neither labelled ones nor validation images among them."""

    labelled: Split | RandomLabels
    n: int

    def run(self, work: Work) -> Artifact:
        from ganaug.semi.images import unlabelled

        s = split_of(self.labelled)
        return unlabelled(work.get(s.train), work.get(self.labelled), self.n, s.seed)


def split_of(labelled: Split | RandomLabels) -> Split:
    """The split whose validation images labelled images go with."""
    return labelled.split if isinstance(labelled, RandomLabels) else labelled


@dataclass(frozen=True)
class FitSemi(Stage):
    """A classifier trained on labelled and unlabelled images; without these, its supervised control."""

    stored: ClassVar[bool] = True
    version: ClassVar[int] = 2
    labelled: Split | RandomLabels
    unlabelled: Unlabelled | None
    semi: specs.SemiSpec
    member: int  # which of the classifiers nested under one split

    @property
    def split(self) -> Split:
        return split_of(self.labelled)

    @property
    def extra(self) -> None:
        """Unlabelled images are no further labelled ones."""
        return None

    def run(self, work: Work) -> Artifact:
        from ganaug.semi.training import fit_semi

        return fit_semi(self, work)


Fit = FitClassifier | FitSemi
"""What gives a classifier: weights `net.*`, ids of its training images, predictions for the validation images."""


@dataclass(frozen=True)
class Assess(Stage):
    """What a generator's images are worth by themselves, judged on real and validation images: metrics and alarms."""

    stored: ClassVar[bool] = True
    later: ClassVar[tuple[str, ...]] = ("inception", "imagenet")
    generator: FitGan
    pool: specs.PoolSpec
    classifier: specs.ClassifierSpec
    assess: specs.AssessSpec  # its paths null: the files below say what they hold
    inception: LocalFile | None = None
    imagenet: LocalFile | None = None

    def run(self, work: Work) -> Artifact:
        from ganaug.metrics.assess import assess

        return assess(self, work)


@dataclass(frozen=True)
class Validate(Stage):
    """A cell's accuracy on its split's validation images: what a search may know. Test images are never asked for."""

    stored: ClassVar[bool] = True
    classifiers: tuple[Fit, ...]

    def run(self, work: Work) -> Artifact:
        from ganaug.validate import validate

        return validate(self, work)


@dataclass(frozen=True)
class Measure(Stage):
    """A cell's record: the predicted class of every test image, by every classifier, and what led to it."""

    stored: ClassVar[bool] = True
    version: ClassVar[int] = 2  # 2: predictions for the validation images beside them
    classifiers: tuple[Fit, ...]
    test: TestImages

    def run(self, work: Work) -> Artifact:
        from ganaug.measure import measure

        return measure(self, work)
