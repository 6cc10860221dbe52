"""When a study will be finished and what that costs: its stages' seconds, laid on the slots as the plan lays its jobs.

What a stage takes is told by three things. A step of each kind of training is timed (`estimate`). One cell is
rehearsed: run whole on the study's images with trainings of two steps, into a store of its own that is thrown away, for
what is no training. And where the study has stored artifacts, each kind's seconds are scaled by what those really took,
beside other trials and on the machines that made them.
"""

import dataclasses
import heapq
import math
import tempfile
from collections.abc import Iterable, Iterator

from ganaug import specs
from ganaug.recipe import Cell, generator, recipe
from ganaug.stages import (
    Assess,
    FitClassifier,
    FitSemi,
    Measure,
    Pool,
    Select,
    Stage,
    TestImages,
    TrainImages,
    Validate,
    ancestors,
)
from sweeps.grid import Grid
from sweeps.plan import Job, Leaf, Seconds
from sweeps.store import Cost, Store

SHORT = 2  # steps of a rehearsed training
SAMPLE = 48  # stored artifacts whose costs are read
PER_TRIAL = 0.15  # seconds that Tune takes to hand a job to an actor that is there
PER_CELL = 0.004  # seconds that a cell is on its way from trial to driver, and from the store into the tables
ALONE = (FitClassifier, FitSemi, Select, Measure, Validate)  # kinds that a trial does not keep in memory


def chunks_of(stage: Select | Assess) -> Iterator[Pool]:
    """The chunks of a pool that a selection or an assessment will draw: if a filter keeps `1 - threshold` of them."""
    pool = stage.pool
    if isinstance(stage, Assess):
        images = stage.assess.images_per_class
    else:
        kept = math.prod(1 - (f.threshold or 0.0) for f in specs.chain_of(stage.filter))
        images = math.ceil(stage.n_gen / kept) if kept else pool.max_per_class
    for index in range(-(-min(images, pool.max_per_class) // pool.chunk)):
        yield Pool(stage.generator, index, pool.chunk)


def below(stage: Stage) -> Iterator[Stage]:
    """What a stage asks for: its parents, and the chunks that it draws."""
    yield from stage.parents()
    if isinstance(stage, Select | Assess):
        yield from chunks_of(stage)


class Forecast:
    """Seconds of stages, and of waves of jobs."""

    def __init__(self, step_seconds: Seconds, stored: set[str], device: str = "cpu") -> None:
        """step_seconds: of a stage's own training on `device`. stored: the keys of all that is there."""
        self.step_seconds, self.stored, self.device = step_seconds, stored, device
        self.read = 0  # stored artifacts whose costs were read
        self.rest: dict[str, float] = {}  # seconds beside training steps, by kind
        self.scale: dict[str, float] = {}  # what stored artifacts took over what was thought, by kind

    def own(self, stage: Stage) -> float:
        """Seconds of a stage itself, without those that it asks for."""
        kind = stage.kind()
        return (self.step_seconds(stage) + self.rest.get(kind, 0.0)) * self.scale.get(kind, 1.0)

    def rehearse(self, grid: Grid, cell: Cell, images: Store) -> None:
        """Run one cell with short trainings, and take from its cost what its trainings do not explain."""
        cell = dataclasses.replace(
            cell,
            threshold=0.0,
            gan=cell.gan.model_copy(update={"steps": SHORT}),
            classifier=cell.classifier.model_copy(update={"steps": SHORT, "epochs": None}),
            semi=cell.semi and cell.semi.model_copy(update={"steps": SHORT}),
            classifier_seeds=1,
        )
        asked: list[Leaf] = [] if grid.study.measure == "generators" else [recipe(cell)]
        like = next(iter(grid.assessments.values()), None)
        if like is not None and (cell.n_gen or not asked):
            short = like.classifier.model_copy(update={"steps": SHORT, "epochs": None})
            brief = like.assess.model_copy(update={"steps": SHORT})
            asked.append(dataclasses.replace(like, generator=generator(cell), classifier=short, assess=brief))
        from sweeps.execute import Evaluator

        with tempfile.TemporaryDirectory(prefix="ganaug-rehearsal-") as folder:
            store = Store(folder)
            for kind in (TrainImages, TestImages):
                found = images.load(kind(grid.digest))
                assert found is not None  # `open_grid` has put them there
                store.publish(kind(grid.digest), *found)
            for leaf in asked:
                Evaluator(store, self.device).get(leaf)
                again = store.load(leaf)
                if again is not None:
                    self._learn(leaf, again[1])

    def _learn(self, leaf: Leaf, cost: Cost) -> None:
        known = {s.key: s for s in (leaf, *ancestors(leaf))}
        for key, (kind, seconds) in cost.items():
            steps = self.step_seconds(known[key]) if key in known else 0.0
            self.rest[kind] = max(0.0, seconds - steps)

    def correct(self, leaves: Iterable[Leaf], store: Store) -> None:
        """Scale every kind by what stored artifacts of these leaves took."""
        found = [leaf for leaf in leaves if leaf.key in self.stored]
        found = found[:: max(1, len(found) // SAMPLE)]
        took: dict[str, tuple[str, float]] = {}
        stages: dict[str, Stage] = {}
        for leaf in found:
            artifact = store.load(leaf)
            if artifact is not None:
                self.read += 1
                took |= artifact[1]
                stages |= {s.key: s for one in (leaf, *ancestors(leaf)) for s in (one, *below(one))}
        for kind in {kind for kind, _ in took.values()}:
            both = [
                (seconds, self.own(stages[key])) for key, (k, seconds) in took.items() if k == kind and key in stages
            ]
            thought = sum(expected for _, expected in both)
            if thought > 0:
                self.scale[kind] = sum(seconds for seconds, _ in both) / thought

    def of_job(self, job: Job, done: set[str]) -> float:
        """Seconds of a job when `done` is stored; adds to it what the job will store."""
        kept: set[str] = set()
        total = PER_TRIAL

        def need(stage: Stage) -> None:
            nonlocal total
            if stage.key in done or stage.key in kept:
                return
            for other in below(stage):
                need(other)
            total += self.own(stage)
            if stage.stored:
                done.add(stage.key)
            elif not isinstance(stage, ALONE):
                kept.add(stage.key)

        for stage in (*((job.shared,) if job.shared is not None else ()), *job.others, *job.leaves):
            need(stage)
        return total + PER_CELL * len(job.leaves)

    def of_waves(self, waves: list[list[Job]], slots: int) -> tuple[float, float]:
        """Seconds until the last wave has ended, and seconds of all slots together."""
        done = set(self.stored)
        wall = total = 0.0
        for wave in waves:
            free = [0.0] * slots
            for job in wave:
                seconds = self.of_job(job, done)
                total += seconds
                heapq.heapreplace(free, free[0] + seconds)
            wall += max(free)
        return wall, total


def forecast(grid: Grid, store: Store, step_seconds: Seconds, device: str) -> Forecast:
    """What this machine and the store tell of a study's stages."""
    stored = grid.stored(store).union(*(store.keys(kind) for kind in ("pool", "judged")))
    made = Forecast(step_seconds, stored, device)
    missing = [leaf for leaf in grid.asked.values() if leaf.key not in stored]
    if missing:
        cells = [grid.cells[leaf.key] for leaf in missing]
        made.rehearse(grid, max(cells, key=lambda cell: cell.n_gen), store)
        made.correct(grid.leaves(), store)
    return made
