"""What trainings take: a few steps of each kind, timed on this machine, times how many there are."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ganaug import specs
from ganaug.stages import Assess, FitClassifier, FitGan, FitJudge, FitSemi, Measure, Select, Stage, Validate
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


def trained_seconds(shape: tuple[int, int, int], n_classes: int, device: str = "cpu") -> Seconds:
    """A function from stages to the seconds of their own training steps, on one core of this machine or its GPU, for
    images of this shape; 0 for a stage that trains nothing."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, *shape), dtype=np.uint8)
    labels = rng.integers(0, n_classes, 200)

    @cache
    def gan_step(spec: specs.AnyGan) -> float:
        from ganaug.gans.training import train

        x, y = torch.from_numpy(images), torch.from_numpy(labels)
        return _per_step(lambda steps: train(spec.model_copy(update={"steps": steps}), x, y, n_classes, 0, device))

    @cache
    def classifier_step(spec: specs.ClassifierSpec, da: tuple[str, ...]) -> float:
        from ganaug.classifiers.fit import fit

        def run(steps: int) -> object:
            return fit(spec.model_copy(update={"steps": steps}), images, labels, n_classes, 0, da, device=device)

        return _per_step(run)

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
                return one * stage.classifier.updates(n_classes * stage.per_class)
            case FitSemi():
                one_step = stage.semi.model_copy(update={"steps": 1})
                return semi_step(one_step, stage.unlabelled is not None) * stage.semi.steps
            case FitJudge():
                one = classifier_step(stage.classifier.model_copy(update={"steps": 1}), stage.da)
                return one * stage.classifier.steps * stage.folds
            case Assess():
                spec = stage.classifier.model_copy(update={"steps": 1})
                return 2 * classifier_step(spec, ()) * (stage.assess.steps or stage.classifier.steps)
            case _:
                return 0.0

    return seconds


def with_parts(own: Seconds) -> Seconds:
    """The seconds of a stage with those of the classifiers that it alone asks for, as plans are made by."""

    def seconds(stage: Stage) -> float:
        match stage:
            case Measure() | Validate():
                return own(stage) + sum(map(seconds, stage.classifiers))
            case FitClassifier(start=FitClassifier() as start):
                return own(stage) + seconds(start)
            case FitClassifier(extra=Select() as selection):
                return own(stage) + own(selection)
            case _:
                return own(stage)

    return seconds


def import_seconds() -> float:
    """Seconds that a fresh Python takes to import torch: what starting Ray and its workers is mostly made of."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - start


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
