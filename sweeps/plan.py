"""Planning: what of a study is not stored yet, gathered into jobs that share their dear part.

A job is a generator and the cells that use it. With fewer generators than slots the generators come first and
their cells follow, cut into slices; otherwise there is one wave and no cell waits for another job.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ganaug import stages
from ganaug.stages import Assess, FitGan, Measure, Select, Stage

Leaf = Measure | Assess
"""What a run asks for: a cell's record, or what its generator is worth by itself."""

Seconds = Callable[[Stage], float]


@dataclass(frozen=True)
class Job:
    """What one trial does: make `shared` if it is not stored, then every leaf."""

    shared: FitGan | None
    leaves: tuple[Leaf, ...]
    seconds: float = 0.0  # estimated


def generator_of(leaf: Leaf) -> FitGan | None:
    """The generator a cell draws from, if any."""
    return leaf.generator if isinstance(leaf, Assess) else stages.generator_of(leaf.classifiers[0].extra)


def relative_seconds(stage: Stage) -> float:
    """Without measurements: a step is a step, and images are cheap beside it."""
    match stage:
        case FitGan():
            return 5e-3 * stage.gan.steps
        case Measure():
            return sum(2e-3 * c.classifier.steps for c in stage.classifiers)
        case Assess():
            return 2 * 2e-3 * (stage.assess.steps or stage.classifier.steps)
        case Select():
            return 1e-3 * stage.n_gen
        case _:
            return 0.0


def _slices(leaves: Iterable[Leaf], target: float, seconds: Seconds) -> Iterable[tuple[Leaf, ...]]:
    """Consecutive leaves, cut whenever a slice has reached the target."""
    part: list[Leaf] = []
    total = 0.0
    for leaf in leaves:
        part.append(leaf)
        total += seconds(leaf)
        if total >= target:
            yield tuple(part)
            part, total = [], 0.0
    if part:
        yield tuple(part)


def plan(leaves: Iterable[Leaf], stored: set[str], slots: int, seconds: Seconds = relative_seconds) -> list[list[Job]]:
    """Waves of jobs for the leaves whose keys are not stored; longest jobs first.

    `stored` holds the keys of generators, records and assessments that the store has.
    """
    groups: dict[FitGan | None, list[Leaf]] = {}
    by_key: dict[str, FitGan] = {}
    for leaf in leaves:
        if leaf.key not in stored:
            generator = generator_of(leaf)
            if generator is not None:
                generator = by_key.setdefault(generator.key, generator)
            groups.setdefault(generator, []).append(leaf)
    if not groups:
        return []
    leaf_seconds = sum(seconds(leaf) for own in groups.values() for leaf in own)
    target = leaf_seconds / (2 * slots)
    missing = [g for g in groups if g is not None and g.key not in stored]
    first: list[Job] = []
    last: list[Job] = []
    early = len(missing) < slots and any(len(groups[g]) > 1 for g in missing)
    for generator, own in groups.items():
        if generator in missing and not early:
            cost = seconds(generator) + sum(map(seconds, own))
            first.append(Job(generator, tuple(own), cost))
            continue
        if generator in missing:
            first.append(Job(generator, (), seconds(generator)))
        # real-only cells need no generator, so they fill the slots that an early wave leaves empty
        wave = first if generator is None or not early else last
        wave += [Job(generator, s, sum(map(seconds, s))) for s in _slices(own, target, seconds)]
    return [sorted(wave, key=lambda job: -job.seconds) for wave in (first, last) if wave]
