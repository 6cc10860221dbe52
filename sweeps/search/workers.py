"""Ray actors that outlive a step. A Tune run for each step would import torch anew each time: 5 s for a step of 3 s.

They run the same jobs as a Tune trial does (`sweeps/trial.py`) and, like it, publish to the store and report failures.
"""

import platform
import traceback
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from sweeps.cluster.placement import Placement
from sweeps.engine import Outcome
from sweeps.plan import Job

LOOK = 5.0  # seconds to wait for an actor or a job before looking at the cluster again


class Worker:
    """The actor: evaluates a job's stages, one after the other."""

    def __init__(self, store: str, placement: Placement) -> None:
        import torch

        from sweeps.execute import Evaluator
        from sweeps.sizes import sizes_of
        from sweeps.store import Store

        torch.set_num_threads(1)  # as in a trial: the same sums in the same order
        self.evaluator = Evaluator(Store(store), placement.device, sizes=sizes_of(placement))

    def ready(self) -> None:
        """Returns once the actor has a place: only then is it given a job."""

    def run(self, job: Job) -> tuple[dict[str, int], dict[str, str]]:
        """What ran, by kind; and why leaves failed, by key. A leaf that fails leaves the others alone."""
        from ganaug.errors import DiskError, LeakError, Unreachable

        self.evaluator.take_up(job)
        self.evaluator.ran.clear()
        failures: dict[str, str] = {}
        stages = job.stages
        for i, stage in enumerate(stages):
            try:
                if not self.evaluator.store.has(stage):
                    self.evaluator.get(stage)
            except LeakError:
                raise
            except Exception as error:
                where = f"on {platform.node()}\n{traceback.format_exc()}"
                told = f"{type(error).__name__}: {error}\n\n{where}"
                if isinstance(error, DiskError | Unreachable):
                    # the others would train their generator again, for nothing
                    return dict(self.evaluator.ran), failures | {s.key: told for s in stages[i:]}
                failures[stage.key] = told
        return dict(self.evaluator.ran), failures


class Workers:
    """As many actors as fit, made when first needed. `idle(busy)` is called every few seconds of waiting for them."""

    def __init__(self, store: str, placement: Placement, idle: Callable[[bool], None] = lambda busy: None) -> None:
        import ray

        self.placement, self.idle = placement, idle
        options: Any = {"num_cpus": placement.cpus, "num_gpus": placement.gpus}
        actor: Any = ray.remote(**options)(Worker)
        self._make = lambda: actor.remote(store, placement)
        self._all: list[Any] = []

    def run_wave(self, jobs: list[Job], outcome: Outcome) -> None:
        """Run every job, the longest first; adds to `outcome`.

        A job whose actor is lost with its process or node goes to another one. Actors that have found no place when
        nothing is left to begin are given up, so that no node is started for them.
        """
        import ray

        waiting, free = deque(jobs), list(self._all)
        tries: Counter[int] = Counter()
        running: dict[Any, tuple[Any, Job]] = {}
        coming: dict[Any, Any] = {}
        while waiting or running:
            while waiting and free:
                actor, job = free.pop(), waiting.popleft()
                running[actor.run.remote(job)] = (actor, job)
            self._ask_for_more(len(waiting), coming)
            done, _ = ray.wait([*running, *coming], timeout=LOOK)
            if not done:
                self.idle(bool(running))
                continue
            if done[0] in coming:
                actor = coming.pop(done[0])
                try:
                    ray.get(done[0])
                except ray.exceptions.RayError as error:
                    if waiting:
                        self._lost(waiting.popleft(), str(error), tries, waiting, outcome)
                    continue
                self._all.append(actor)
                free.append(actor)
                continue
            actor, job = running.pop(done[0])
            try:
                ran, failures = ray.get(done[0])
            except ray.exceptions.RayActorError as error:
                self._all.remove(actor)
                self._lost(job, str(error), tries, waiting, outcome)
                continue
            except ray.exceptions.RayError as error:
                ran, failures = {}, {leaf.key: str(error) for leaf in job.leaves}
            free.append(actor)
            outcome.ran.update(Counter(ran))
            outcome.failures.update(failures)
        for actor in coming.values():
            ray.kill(actor)

    def _ask_for_more(self, waiting: int, coming: dict[Any, Any]) -> None:
        """Make actors until there is one for every job that waits, or as many as may run at a time."""
        room = waiting if self.placement.limit is None else self.placement.limit - len(self._all)
        while len(coming) < min(waiting, room):
            actor = self._make()
            coming[actor.ready.remote()] = actor

    def _lost(self, job: Job, why: str, tries: "Counter[int]", waiting: "deque[Job]", outcome: Outcome) -> None:
        """A job's actor died: try it again, if not too often."""
        tries[id(job)] += 1
        if tries[id(job)] <= self.placement.retries:
            waiting.append(job)
        else:
            outcome.failures.update({leaf.key: why for leaf in job.leaves})
