"""The augmentation recipe: one image's way from a data set to a record, as stages. The whole story on one screen."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, assert_never

from ganaug import specs
from ganaug.records import Arm
from ganaug.stages import (
    Augment,
    AugmentGenerated,
    Duplicate,
    Extra,
    Fit,
    FitClassifier,
    FitGan,
    FitJudge,
    FitSemi,
    Measure,
    MoreReal,
    RandomLabels,
    Select,
    Shuffle,
    Split,
    Stage,
    TestImages,
    TrainImages,
    Unlabelled,
    Validate,
)

AStage = TypeVar("AStage", bound=Stage)
ASpec = TypeVar("ASpec", bound=specs.Spec)

_PLAIN, _UNMIXED = specs.AugmentationSpec(), specs.MixingSpec()


@dataclass(frozen=True)
class Cell:
    """One value of every factor, with the specs they act on; and the arm, which says what its extra images are."""

    dataset: str  # digest of the imported images
    n_real: int
    n_gen: int
    threshold: float
    gan_da: tuple[str, ...]
    n_da: int | None
    clf_da: tuple[str, ...]
    seed: int
    n_validation: int
    gan: specs.AnyGan
    pool: specs.PoolSpec
    filter: specs.AnyFilter  # `threshold` is the strictness of those that state none
    judge: specs.JudgeSpec
    mixing: specs.MixingSpec
    augmentation: specs.AugmentationSpec
    classifier: specs.ClassifierSpec
    classifier_seeds: int = 1
    arm: Arm = "generated"
    fused: bool = False  # GANs and classifiers are trained as members of batched models
    semi: specs.SemiSpec | None = None  # of a study about unlabelled images; then arm says if this cell has them


@lru_cache(maxsize=1 << 14)
def shared(stage: AStage) -> AStage:
    """The stage equal to this one that other cells have: its key is made once, and it is held once."""
    return stage


def _but(spec: ASpec, **changes: Any) -> ASpec:
    """The spec with these settings; itself where it has them."""
    same = all(getattr(spec, name) == value for name, value in changes.items())
    return spec if same else spec.model_copy(update=changes)


@lru_cache(maxsize=1024, typed=True)
def strict(spec: specs.AnyFilter, threshold: float) -> specs.AnyFilter:
    """A filter with every threshold written out: those it leaves open are the cell's.

    Filters that keep everything are dropped, so that a cell without a filter is the same under every one.
    """
    also = spec.also and strict(spec.also, threshold)
    own = threshold if spec.threshold is None else spec.threshold
    if not own:
        return also or specs.DiscriminatorFilterSpec(threshold=0.0)
    passes_all = also is not None and not also.threshold
    return spec.model_copy(update={"threshold": own, "also": None if passes_all else also})


def _judge(cell: Cell, split: Split) -> FitJudge:
    classifier = specs.judging(cell.classifier)
    classifier = classifier.model_copy(update={"steps": cell.judge.steps or cell.classifier.steps})
    da = specs.parse_da(cell.judge.da)
    return shared(FitJudge(split, classifier, cell.judge.folds, da, cell.augmentation if da else _PLAIN))


@lru_cache(maxsize=1 << 14)
def real_split(dataset: str, n_real: int, n_validation: int, seed: int) -> Split:
    """The real images that all cells of these values share: made once, like what is `shared`."""
    return Split(TrainImages(dataset), n_real, n_validation, seed)


def _split(cell: Cell) -> Split:
    return real_split(cell.dataset, cell.n_real, cell.n_validation, cell.seed)


def generator(cell: Cell) -> FitGan:
    """A cell's generator: load → split → augment → fit GAN. `generated` images come from a first one, without any."""
    split = _split(cell)
    n_da = cell.n_real if cell.n_da is None else cell.n_da
    images: Split | Augment | AugmentGenerated = split
    if specs.GENERATED in cell.gan_da:
        first = FitGan(split, cell.gan, cell.seed, cell.fused or None)
        images = AugmentGenerated(first, cell.pool, cell.gan_da, n_da, cell.augmentation)
    elif cell.gan_da:
        images = Augment(split, cell.gan_da, n_da, cell.augmentation)
    return shared(FitGan(images, cell.gan, cell.seed, cell.fused or None))


def _generated(cell: Cell, split: Split) -> Select:
    chosen = strict(cell.filter, cell.threshold)
    judge = _judge(cell, split) if specs.asks_judge(chosen) else None
    return shared(Select(generator(cell), cell.pool, chosen, cell.n_gen, judge))


def _extra(cell: Cell, split: Split) -> Extra | None:
    if not cell.n_gen:
        return None
    match cell.arm:
        case "generated":
            return _generated(cell, split)
        case "shuffled":
            return Shuffle(_generated(cell, split), cell.seed)
        case "duplicated":
            return Duplicate(split, cell.n_gen)
        case "more-real":
            return MoreReal(split, cell.n_gen)
        case "real-only" | "with-validation" | "semi-supervised" | "fewer-updates":
            raise ValueError(f"arm {cell.arm} has no extra images, got n_gen {cell.n_gen}")
        case _:
            assert_never(cell.arm)


def supervised(spec: specs.SemiSpec, steps: int) -> specs.SemiSpec:
    """What a supervised fit feels of a semi-supervised study's settings; the others are their defaults."""
    felt = ("labelled_batch", "learning_rate", "width", "shift", "noise", "ema", "da", "augmentation", "precision")
    return specs.SemiSpec(steps=steps, **{name: getattr(spec, name) for name in felt})


def _semi(cell: Cell, spec: specs.SemiSpec) -> tuple[FitSemi, ...]:
    """label and drop labels → fit: the same body and updates for every method and for the control."""
    split = _split(cell)
    labelled = RandomLabels(split) if spec.labels == "random" else split
    if cell.arm == "semi-supervised":
        gan = specs.SemiGanSpec() if spec.method == "fixmatch" else spec.gan
        fixmatch = spec.fixmatch if "fixmatch" in spec.method else specs.FixMatchSpec()
        elsewhere = {"labels": "stratified", "n_unlabelled": 1, "fewer_steps": None}  # told by the stages before
        own = spec.model_copy(update={"gan": gan, "fixmatch": fixmatch, **elsewhere})
        unlabelled = Unlabelled(labelled, spec.n_unlabelled)
        return tuple(FitSemi(labelled, unlabelled, own, member) for member in range(cell.classifier_seeds))
    steps = spec.fewer_steps if cell.arm == "fewer-updates" else spec.steps
    assert steps is not None  # the arm is laid out only where the study says how many
    own = supervised(spec, steps)
    return tuple(FitSemi(labelled, None, own, member) for member in range(cell.classifier_seeds))


def classifiers(cell: Cell) -> tuple[Fit, ...]:
    """load → split → augment → fit GAN → pool → select → mix and fit classifiers.

    A control's extra images take the place of the selected ones. A cell without extra images has no GAN, no pool, no
    filter and no mixing: whatever they say, it is the same cell. A warm start is one only under classic augmentation:
    then each classifier goes on from the one that was trained without it.
    """
    if cell.semi is not None:
        return _semi(cell, cell.semi)
    split = _split(cell)
    extra = _extra(cell, split)
    strength = _but(cell.augmentation if cell.clf_da else _PLAIN, real_copies=1)  # they are of a GAN's training set
    mixing = cell.mixing if extra else _UNMIXED
    judge = _judge(cell, split) if mixing.soft_labels else None
    spec = cell.classifier
    if cell.arm == "with-validation":
        spec = _but(spec, include_validation=True)
    continued = spec.warm_start and bool(cell.clf_da)
    spec = _but(spec, warm_start=continued)
    fused = cell.fused or None

    def fitted(member: int) -> FitClassifier:
        if not continued:
            return FitClassifier(split, extra, cell.clf_da, strength, spec, member, mixing, judge, None, fused)
        fresh = spec.model_copy(update={"warm_start": False})
        start = FitClassifier(split, extra, (), _PLAIN, fresh, member, mixing, judge, None, fused)
        return FitClassifier(split, extra, cell.clf_da, strength, spec, member, mixing, judge, start, fused)

    return tuple(fitted(member) for member in range(cell.classifier_seeds))


def recipe(cell: Cell) -> Measure:
    """A cell's record: its classifiers, measured on the test images."""
    return Measure(classifiers(cell), TestImages(cell.dataset))


def validation(cell: Cell) -> Validate:
    """A cell as a search may see it: its classifiers, on the validation images."""
    return Validate(classifiers(cell))
