"""Planning: what of a study is not stored yet, gathered into jobs that share their dear part.

A job is a generator and the cells that use it. With fewer generators than slots the generators come first and
their cells follow, cut into slices, and so does a judge that several jobs would ask; otherwise there is one wave and no
cell waits for another job. Where a study's trainings are fused, a job has several generators of one spec, which train
together, and slices are long enough that their classifiers do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ganaug import stages
from ganaug.stages import (
    Assess,
    AugmentGenerated,
    FitClassifier,
    FitGan,
    FitJudge,
    FitSemi,
    Measure,
    Select,
    Stage,
    Validate,
)

Leaf = Measure | Validate | Assess
"""What is asked for: a cell's record, what a search may know of it, or what its generator is worth by itself."""

Seconds = Callable[[Stage], float]

AT_MOST = 64  # members of a batched model, where a study says no other number


@dataclass(frozen=True)
class Job:
    """What one trial does: make `shared` and `others` if they are not stored, then every leaf."""

    shared: FitGan | FitJudge | None
    leaves: tuple[Leaf, ...]
    seconds: float = 0.0  # estimated
    others: tuple[FitGan, ...] = ()  # further generators, trained together with `shared`

    @property
    def generators(self) -> tuple[FitGan, ...]:
        """All that its leaves draw from, or that it makes for others."""
        return (*((self.shared,) if isinstance(self.shared, FitGan) else ()), *self.others)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is asked for, one step each: the leaves; of a job without any, what is shared."""
        alone = (self.shared,) if self.shared is not None else ()
        return self.leaves or (*alone, *self.others)


def generator_of(leaf: Leaf) -> FitGan | None:
    """The generator a cell draws from, if any."""
    return leaf.generator if isinstance(leaf, Assess) else stages.generator_of(leaf.classifiers[0].extra)


def generators_of(leaf: Leaf) -> Iterator[FitGan]:
    """A leaf's generator, and those whose images it was trained on."""
    generator = generator_of(leaf)
    if generator is not None:
        yield generator
        yield from {s.key: s for s in stages.ancestors(generator) if isinstance(s, FitGan)}.values()


def judges_of(leaf: Leaf) -> Iterator[FitJudge]:
    """The judges that a leaf's filter and its soft labels ask."""
    if not isinstance(leaf, Assess):
        yield from {judge.key: judge for c in leaf.classifiers for judge in stages.judges_of(c)}.values()


def members_of(leaf: Stage) -> Iterator[FitClassifier]:
    """The classifiers of a cell that are trained as members of batched models; whom one goes on from, before it."""
    for stage in leaf.classifiers if isinstance(leaf, Measure | Validate) else ():
        if isinstance(stage, FitClassifier) and stage.fused:
            if stage.start is not None:
                yield stage.start
            yield stage


def relative_seconds(stage: Stage) -> float:
    """Without measurements: a step is a step, and images are cheap beside it."""
    match stage:
        case FitGan():
            return 5e-3 * stage.gan.steps
        case FitJudge():
            return 2e-3 * stage.classifier.steps * stage.folds
        case FitClassifier():
            before = relative_seconds(stage.start) if stage.start else 0
            return 2e-3 * stage.classifier.updates(10 * stage.per_class) + before
        case FitSemi():
            each = {"sgan": 60e-3, "sgan-published": 60e-3, "fixmatch": 40e-3, "sgan-fixmatch": 90e-3}
            return (each[stage.semi.method] if stage.unlabelled else 12e-3) * stage.semi.steps
        case Measure() | Validate():
            return sum(map(relative_seconds, stage.classifiers))
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


def _shared_judges(groups: dict[FitGan | None, list[Leaf]], stored: set[str]) -> list[FitJudge]:
    """The judges to make before the leaves that ask them: those that two jobs would otherwise both make."""
    found: dict[str, FitJudge] = {}
    asked: dict[str, int] = {}
    for own in groups.values():
        for judge in {j.key: j for leaf in own for j in judges_of(leaf)}.values():
            found[judge.key] = judge
            asked[judge.key] = asked.get(judge.key, 0) + 1
    return [judge for key, judge in found.items() if key not in stored and asked[key] > 1]


def _companies(generators: Iterable[FitGan], slots: int, at_most: int) -> list[tuple[FitGan, ...]]:
    """Generators that one job makes: one each; of fused ones as many of a spec as leave work for every slot."""
    alike: dict[Any, list[FitGan]] = {}
    for g in generators:
        alike.setdefault((g.gan, isinstance(g.images, AugmentGenerated)) if g.fused else g.key, []).append(g)
    found = []
    for own in alike.values():
        n = len(own)
        parts = max(-(-n // at_most), min(n, slots))
        found += [tuple(own[i * n // parts : (i + 1) * n // parts]) for i in range(parts)]
    return found


def _job(leaves: tuple[Leaf, ...], seconds: Seconds, made: tuple[FitGan, ...] = ()) -> Job:
    """A job of these leaves; `made`: the generators it makes first, else those that its leaves draw from."""
    used = made or tuple({g.key: g for leaf in leaves if (g := generator_of(leaf)) is not None}.values())
    cost = sum(map(seconds, made)) + sum(map(seconds, leaves))
    return Job(used[0] if used else None, leaves, cost, used[1:])


def plan(
    leaves: Iterable[Leaf],
    stored: set[str],
    slots: int,
    seconds: Seconds = relative_seconds,
    together: int = AT_MOST,
) -> list[list[Job]]:
    """Waves of jobs for the leaves whose keys are not stored; longest jobs first.

    `stored` holds the keys of generators, records and assessments that the store has. Generators that learn from the
    images of others come in waves of their own, after those. together: the most members of a batched model.
    """
    wanted = [leaf for leaf in leaves if leaf.key not in stored]
    built_on: dict[str, FitGan] = {}  # generators to make before others can begin
    later = []
    waits: dict[str, bool] = {}  # by generator
    for leaf in wanted:
        generator = generator_of(leaf)
        if generator is None:
            continue
        if generator.key not in waits:
            chain = () if generator.key in stored else list(generators_of(leaf))[1:]
            missing = {g.key: g for g in chain if g.key not in stored}
            waits[generator.key] = bool(missing)
            built_on |= missing
        if waits[generator.key]:
            later.append(leaf)
    if not later:
        return _waves(wanted, stored, slots, seconds, together)
    waiting = {leaf.key for leaf in later}
    before = _waves([leaf for leaf in wanted if leaf.key not in waiting], stored, slots, seconds, together) or [[]]
    there = {g.key for wave in before for job in wave for g in job.generators}
    first = _companies((g for key, g in built_on.items() if key not in there), slots, together)
    before[0] = sorted([*before[0], *(_job((), seconds, own) for own in first)], key=lambda job: -job.seconds)
    return [*before, *plan(later, stored | built_on.keys(), slots, seconds, together)]


def _waves(leaves: Iterable[Leaf], stored: set[str], slots: int, seconds: Seconds, together: int) -> list[list[Job]]:
    """The same where no generator waits for another."""
    by_key: dict[str, tuple[FitGan | None, list[Leaf]]] = {}
    for leaf in leaves:
        if leaf.key not in stored:
            generator = generator_of(leaf)
            by_key.setdefault(generator.key if generator else "", (generator, []))[1].append(leaf)
    groups = dict(by_key.values())
    if not groups:
        return []
    n_leaves = sum(map(len, groups.values()))
    leaf_seconds = sum(seconds(leaf) for own in groups.values() for leaf in own)
    target = leaf_seconds / (2 * slots)
    if any(any(members_of(leaf)) for own in groups.values() for leaf in own):
        target = max(target, min(leaf_seconds / slots, leaf_seconds / n_leaves * together))
    missing = _companies((g for g in groups if g is not None and g.key not in stored), slots, together)
    units: list[tuple[tuple[FitGan, ...], list[Leaf]]] = [(own, [x for g in own for x in groups[g]]) for own in missing]
    units += [((g,), own) for g, own in groups.items() if g is not None and g.key in stored and not g.fused]
    units.append(((), [x for g, own in groups.items() if g is not None and g.key in stored and g.fused for x in own]))
    units.append(((), groups.get(None, [])))
    first: list[Job] = []
    last: list[Job] = []
    judges = _shared_judges(groups, stored)
    early = bool(judges) or (len(missing) < slots and any(len(own) > 1 for _, own in units[: len(missing)]))
    first += [Job(judge, (), seconds(judge)) for judge in judges]
    for i, (made, own) in enumerate(units):
        if i < len(missing) and not early:
            first.append(_job(tuple(own), seconds, made))
            continue
        if i < len(missing):
            first.append(_job((), seconds, made))
        # cells that wait for nothing fill the slots that an early wave leaves empty
        waiting = {leaf.key for leaf in own if early and (generator_of(leaf) is not None or any(judges_of(leaf)))}
        for wave, part in (
            (first, [leaf for leaf in own if leaf.key not in waiting]),
            (last, [leaf for leaf in own if leaf.key in waiting]),
        ):
            wave += [_job(slice_, seconds) for slice_ in _slices(part, target, seconds)]
    return [sorted(wave, key=lambda job: -job.seconds) for wave in (first, last) if wave]
