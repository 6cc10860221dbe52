"""Planning: what of a study is not stored yet, gathered into jobs that share their dear part.

A job is a generator and the cells that use it. With fewer generators than slots the generators come first and
their cells follow, cut into slices; otherwise there is one wave and no cell waits for another job.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ganaug.stages import FitGan, Measure, Select, Stage

Seconds = Callable[[Stage], float]


@dataclass(frozen=True)
class Job:
    """What one trial does: make `shared` if it is not stored, then every leaf."""

    shared: FitGan | None
    leaves: tuple[Measure, ...]
    seconds: float = 0.0  # estimated


def generator_of(measure: Measure) -> FitGan | None:
    """The generator a cell draws from, if any."""
    generated = measure.classifiers[0].generated
    return generated.generator if generated else None


def relative_seconds(stage: Stage) -> float:
    """Without measurements: a step is a step, and images are cheap beside it."""
    match stage:
        case FitGan():
            return 5e-3 * stage.gan.steps
        case Measure():
            return sum(2e-3 * c.classifier.steps for c in stage.classifiers)
        case Select():
            return 1e-3 * stage.n_gen
        case _:
            return 0.0


def _slices(leaves: Iterable[Measure], target: float, seconds: Seconds) -> Iterable[tuple[Measure, ...]]:
    """Consecutive leaves, cut whenever a slice has reached the target."""
    part: list[Measure] = []
    total = 0.0
    for leaf in leaves:
        part.append(leaf)
        total += seconds(leaf)
        if total >= target:
            yield tuple(part)
            part, total = [], 0.0
    if part:
        yield tuple(part)


def plan(
    measures: Iterable[Measure], stored: set[str], slots: int, seconds: Seconds = relative_seconds
) -> list[list[Job]]:
    """Waves of jobs for the measures whose keys are not stored; longest jobs first.

    `stored` holds the keys of generators and records that the store has.
    """
    groups: dict[FitGan | None, list[Measure]] = {}
    by_key: dict[str, FitGan] = {}
    for m in measures:
        if m.key not in stored:
            generator = generator_of(m)
            if generator is not None:
                generator = by_key.setdefault(generator.key, generator)
            groups.setdefault(generator, []).append(m)
    if not groups:
        return []
    leaf_seconds = sum(seconds(m) for leaves in groups.values() for m in leaves)
    target = leaf_seconds / (2 * slots)
    missing = [g for g in groups if g is not None and g.key not in stored]
    first: list[Job] = []
    last: list[Job] = []
    early = len(missing) < slots and any(len(groups[g]) > 1 for g in missing)
    for generator, leaves in groups.items():
        if generator in missing and not early:
            cost = seconds(generator) + sum(map(seconds, leaves))
            first.append(Job(generator, tuple(leaves), cost))
            continue
        if generator in missing:
            first.append(Job(generator, (), seconds(generator)))
        # real-only cells need no generator, so they fill the slots that an early wave leaves empty
        wave = first if generator is None or not early else last
        wave += [Job(generator, s, sum(map(seconds, s))) for s in _slices(leaves, target, seconds)]
    return [sorted(wave, key=lambda job: -job.seconds) for wave in (first, last) if wave]
