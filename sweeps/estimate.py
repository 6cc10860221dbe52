"""How long a study will take: a few steps of each kind of training, timed on this machine, times how many there are."""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ganaug import specs
from ganaug.stages import Assess, FitClassifier, FitGan, FitJudge, FitSemi, Measure, Stage, Validate
from sweeps.plan import Leaf, Seconds, generators_of, judges_of

STEPS = 10


def _per_step(train: Callable[[int], object]) -> float:
    """Seconds a step, without what a training costs once: the difference of a longer and a shorter one."""
    train(2)
    start = time.perf_counter()
    train(2)
    middle = time.perf_counter()
    train(2 + STEPS)
    return max((time.perf_counter() - middle) - (middle - start), 1e-6) / STEPS


def measured_seconds(shape: tuple[int, int, int], n_classes: int) -> Seconds:
    """A function from stages to seconds on one core of this machine, for images of this shape."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, *shape), dtype=np.uint8)
    labels = rng.integers(0, n_classes, 200)

    @cache
    def gan_step(spec: specs.AnyGan) -> float:
        from ganaug.gans.training import train

        x, y = torch.from_numpy(images), torch.from_numpy(labels)
        return _per_step(lambda steps: train(spec.model_copy(update={"steps": steps}), x, y, n_classes, 0))

    @cache
    def classifier_step(spec: specs.ClassifierSpec, da: tuple[str, ...]) -> float:
        from ganaug.classifiers.fit import fit

        return _per_step(lambda steps: fit(spec.model_copy(update={"steps": steps}), images, labels, n_classes, 0, da))

    @cache
    def semi_step(spec: specs.SemiSpec, unlabelled: bool) -> float:
        from ganaug.semi.fit import fit

        own = images if unlabelled else None
        return _per_step(lambda n: fit(spec.model_copy(update={"steps": n}), images, labels, own, n_classes, 0))

    def seconds(stage: Stage) -> float:
        match stage:
            case FitGan():
                return gan_step(stage.gan.model_copy(update={"steps": 1})) * stage.gan.steps
            case FitClassifier():
                one = classifier_step(stage.classifier.model_copy(update={"steps": 1, "epochs": None}), stage.da)
                before = seconds(stage.start) if stage.start else 0
                return one * stage.classifier.updates(n_classes * stage.per_class) + before
            case FitSemi():
                one_step = stage.semi.model_copy(update={"steps": 1})
                return semi_step(one_step, stage.unlabelled is not None) * stage.semi.steps
            case FitJudge():
                one = classifier_step(stage.classifier.model_copy(update={"steps": 1}), stage.da)
                return one * stage.classifier.steps * stage.folds
            case Measure() | Validate():
                return sum(map(seconds, stage.classifiers)) + 0.1
            case Assess():
                spec = stage.classifier.model_copy(update={"steps": 1})
                return 2 * classifier_step(spec, ()) * (stage.assess.steps or stage.classifier.steps) + 0.1
            case _:
                return 0.0

    return seconds


def totals(leaves: list[Leaf], stored: set[str], seconds: Seconds) -> tuple[float, float]:
    """Seconds of one core for what is missing, each stage once; and if every missing cell trained its own GAN."""
    shared, alone, seen = 0.0, 0.0, set()
    for leaf in leaves:
        if leaf.key in stored:
            continue
        own = seconds(leaf)
        shared, alone = shared + own, alone + own
        for judge in judges_of(leaf):
            alone += seconds(judge)
            if judge.key not in stored and judge.key not in seen:
                seen.add(judge.key)
                shared += seconds(judge)
        for generator in generators_of(leaf):
            cost = seconds(generator)
            alone += cost
            if generator.key not in stored and generator.key not in seen:
                seen.add(generator.key)
                shared += cost
    return shared, alone
