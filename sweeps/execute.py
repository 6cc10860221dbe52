"""The body of a trial: get a stage's artifact from memory, from the store, or by running it."""

import os
import time
from collections.abc import Callable

import numpy as np

from ganaug.artifact import Artifact, NoResult, State, Work
from ganaug.errors import LeakError, UserError
from ganaug.stages import FitClassifier, FitGan, FitSemi, Measure, Select, Stage, TestImages, TrainImages, Validate
from sweeps.plan import Job
from sweeps.sizes import Sizes
from sweeps.store import Cost, Store
from sweeps.together import Together

CHECKPOINT_SECONDS = "GANAUG_CHECKPOINT_SECONDS"  # the variable for how often a long training keeps its progress
MEMORY_BYTES = 2 << 30  # what a trial keeps of artifacts it may need again


def checkpoint_seconds() -> float:
    """Seconds from one kept state of a long training to the next; UserError where the environment says none."""
    text = os.environ.get(CHECKPOINT_SECONDS, "60")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UserError(f"{CHECKPOINT_SECONDS}: must be a number of seconds, 0 or more, got {text}")
    return seconds


class Asked:
    """Gets what one running stage asks for, and notes what that cost and how long it took."""

    def __init__(self, get: Callable[[Stage, Stage], tuple[Artifact, Cost]], stage: Stage) -> None:
        self._get, self._stage = get, stage
        self.cost: Cost = {}
        self.seconds = 0.0
        self.answers: dict[str, tuple[Artifact, Cost]] = {}  # by key

    def __call__(self, needed: Stage) -> Artifact:
        start = time.perf_counter()
        try:
            self.answers[needed.key] = artifact, below = self._get(needed, self._stage)
            self.cost.update(below)
            return artifact
        except NoResult as none:
            self.cost.update(none.cost)
            raise
        finally:
            self.seconds += time.perf_counter() - start


class Evaluator:
    """Evaluates stages; publishes what is worth storing, counts what it ran."""

    def __init__(
        self, store: Store, device: str = "cpu", seconds: float | None = None, sizes: Sizes | None = None
    ) -> None:
        """seconds: between kept states of a training; None: as the environment says. sizes: of groups of members."""
        self.store, self.device = store, device
        self.checkpoint_seconds = checkpoint_seconds() if seconds is None else seconds
        self.ran: dict[str, int] = {}
        self._together = Together(self, sizes or Sizes(device))
        self.forget()

    def take_up(self, job: Job) -> None:
        """Begin a job: its stages will be asked for, in their order. What the last one left in memory is dropped."""
        self.forget()
        self._together.take_up(job.generators, job.leaves)

    def forget(self) -> None:
        """Drop what is in memory."""
        self._memory: dict[str, tuple[Artifact, Cost]] = {}
        self._selected: tuple[str, tuple[Artifact, Cost]] | None = None  # a cell asks for its selection several times
        self._bytes = 0
        self._together.take_up((), ())

    def get(self, stage: Stage) -> Artifact:
        """The artifact of a stage a job asks for."""
        self._together.begin(stage)
        try:
            return self._get(stage, asker=None)[0]
        finally:
            self._together.end()

    def asked_by(self, stage: Stage) -> Asked:
        """How a stage gets what it is built on."""
        return Asked(self._get, stage)

    def _get(self, stage: Stage, asker: Stage | None) -> tuple[Artifact, Cost]:
        if isinstance(stage, TestImages) and not isinstance(asker, Measure):
            raise LeakError(f"only the final measurement may see test images, not {asker.kind() if asker else 'a job'}")
        if stage.key in self._memory:
            return self._memory[stage.key]
        if self._selected is not None and self._selected[0] == stage.key:
            return self._selected[1]
        if (kept := self._together.found(stage, asker)) is not None:
            return kept
        is_import = isinstance(stage, TrainImages | TestImages)
        found = self.store.load(stage) if stage.stored or is_import else None
        if found is None:
            if is_import:
                raise FileNotFoundError(f"the store holds no images of data set {stage.key}; run the study again")
            found = self._trained(stage) if isinstance(stage, FitClassifier | FitGan) and stage.fused else None
        if found is None:
            found = self._run(stage)
        self.remember(stage, found)
        return found

    def _trained(self, stage: FitClassifier | FitGan) -> tuple[Artifact, Cost] | None:
        """A stage that is trained with others; raises what its training came to where that is no artifact."""
        self._together.make(stage)
        return self._together.found(stage, None) or self._memory.get(stage.key) or self.store.load(stage)

    def remember(self, stage: Stage, found: tuple[Artifact, Cost]) -> None:
        """Keep an artifact that may be asked for again, if there is room."""
        if isinstance(stage, Select):
            self._selected = (stage.key, found)
        size = sum(a.nbytes for a in found[0].arrays.values())
        if (
            not isinstance(stage, Select | FitClassifier | FitSemi | Validate | Measure)
            and self._bytes + size <= MEMORY_BYTES
        ):
            self._memory[stage.key] = found
            self._bytes += size

    def _run(self, stage: Stage) -> tuple[Artifact, Cost]:
        asked = self.asked_by(stage)
        start = time.perf_counter()
        state = self.store.load_progress(stage.key) if stage.stored else None
        try:
            artifact = stage.run(Work(asked, self.device, state, self._saver(stage) if stage.stored else None))
        except NoResult as none:
            none.cost = asked.cost
            raise
        return self.made(stage, artifact, asked.cost, time.perf_counter() - start - asked.seconds)

    def made(self, stage: Stage, artifact: Artifact, below: Cost, seconds: float) -> tuple[Artifact, Cost]:
        """Count a stage that was run, and publish what is worth it. below: what it was made from cost; seconds: its
        own."""
        cost = below | {stage.key: (stage.kind(), round(seconds, 4))}
        self.ran[stage.kind()] = self.ran.get(stage.kind(), 0) + 1
        if stage.stored:
            return self.store.publish(stage, artifact, cost)
        return artifact, cost

    def _saver(self, stage: Stage) -> Callable[[Callable[[], State]], None]:
        last = time.monotonic()

        def save(state: Callable[[], dict[str, np.ndarray]]) -> None:
            nonlocal last
            if time.monotonic() - last >= self.checkpoint_seconds:
                self.store.save_progress(stage.key, state())
                last = time.monotonic()

        return save
