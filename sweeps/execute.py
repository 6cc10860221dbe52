"""The body of a trial: get a stage's artifact from memory, from the store, or by running it."""

import os
import time
from collections.abc import Callable

import numpy as np

from ganaug.artifact import Artifact, NoResult, State, Work
from ganaug.errors import LeakError, UserError
from ganaug.stages import FitClassifier, FitSemi, Measure, Select, Stage, TestImages, TrainImages, Validate
from sweeps.store import Cost, Store

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


class Evaluator:
    """Evaluates stages; publishes what is worth storing, counts what it ran."""

    def __init__(self, store: Store, device: str = "cpu", seconds: float | None = None) -> None:
        """seconds: between kept states of a training; None: as the environment says."""
        self.store, self.device = store, device
        self.checkpoint_seconds = checkpoint_seconds() if seconds is None else seconds
        self.ran: dict[str, int] = {}
        self._memory: dict[str, tuple[Artifact, Cost]] = {}
        self._selected: tuple[str, tuple[Artifact, Cost]] | None = None  # a cell asks for its selection several times
        self._bytes = 0

    def forget(self) -> None:
        """Drop what the last job left in memory."""
        self._memory.clear()
        self._selected = None
        self._bytes = 0

    def get(self, stage: Stage) -> Artifact:
        """The artifact of a stage a job asks for."""
        return self._get(stage, asker=None)[0]

    def _get(self, stage: Stage, asker: Stage | None) -> tuple[Artifact, Cost]:
        if isinstance(stage, TestImages) and not isinstance(asker, Measure):
            raise LeakError(f"only the final measurement may see test images, not {asker.kind() if asker else 'a job'}")
        if stage.key in self._memory:
            return self._memory[stage.key]
        if self._selected is not None and self._selected[0] == stage.key:
            return self._selected[1]
        is_import = isinstance(stage, TrainImages | TestImages)
        found = self.store.load(stage) if stage.stored or is_import else None
        if found is None:
            if is_import:
                raise FileNotFoundError(f"the store holds no images of data set {stage.key}; run the study again")
            found = self._run(stage)
        self._remember(stage, found)
        return found

    def _remember(self, stage: Stage, found: tuple[Artifact, Cost]) -> None:
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
        cost: Cost = {}
        inner = 0.0

        def get(needed: Stage) -> Artifact:
            nonlocal inner
            start = time.perf_counter()
            try:
                artifact, below = self._get(needed, asker=stage)
                cost.update(below)
                return artifact
            except NoResult as none:
                cost.update(none.cost)
                raise
            finally:
                inner += time.perf_counter() - start

        start = time.perf_counter()
        state = self.store.load_progress(stage.key) if stage.stored else None
        try:
            artifact = stage.run(Work(get, self.device, state, self._saver(stage) if stage.stored else None))
        except NoResult as none:
            none.cost = cost
            raise
        cost[stage.key] = (stage.kind(), round(time.perf_counter() - start - inner, 4))
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
