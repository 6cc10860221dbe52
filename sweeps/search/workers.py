"""Ray actors that outlive a step. A Tune run for each step would import torch anew each time: 5 s for a step of 3 s.

They run the same jobs as a Tune trial does (`sweeps/trial.py`) and, like it, publish to the store and report failures.
"""

import platform
import traceback
from collections import Counter, deque
from typing import Any

from sweeps.engine import Outcome, Placement
from sweeps.plan import Job

RETRIES = 3  # of a job whose actor died with its node


class Worker:
    """The actor: evaluates a job's stages, one after the other."""

    def __init__(self, store: str, device: str) -> None:
        import torch

        from sweeps.execute import Evaluator
        from sweeps.store import Store

        torch.set_num_threads(1)  # as in a trial: the same sums in the same order
        self.evaluator = Evaluator(Store(store), device)

    def run(self, job: Job) -> tuple[dict[str, int], dict[str, str]]:
        """What ran, by kind; and why leaves failed, by key. A leaf that fails leaves the others alone."""
        from ganaug.errors import DiskError, LeakError

        self.evaluator.forget()
        self.evaluator.ran.clear()
        failures: dict[str, str] = {}
        stages = job.leaves or ((job.shared,) if job.shared else ())
        for i, stage in enumerate(stages):
            try:
                if not self.evaluator.store.has(stage):
                    self.evaluator.get(stage)
            except LeakError:
                raise
            except Exception as error:
                where = f"on {platform.node()}\n{traceback.format_exc()}"
                told = f"{type(error).__name__}: {error}\n\n{where}"
                if isinstance(error, DiskError):  # the others would train their generator again, for nothing
                    return dict(self.evaluator.ran), failures | {s.key: told for s in stages[i:]}
                failures[stage.key] = told
        return dict(self.evaluator.ran), failures


class Workers:
    """As many actors as fit, made when first needed."""

    def __init__(self, store: str, placement: Placement) -> None:
        import ray

        self.placement = placement
        options: Any = {"num_cpus": placement.cpus, "num_gpus": placement.gpus}
        actor: Any = ray.remote(**options, max_restarts=-1, max_task_retries=RETRIES)(Worker)
        self._make = lambda: actor.remote(store, placement.device)
        self._all: list[Any] = []

    def run_wave(self, jobs: list[Job], outcome: Outcome) -> None:
        """Run every job, the longest first; adds to `outcome`."""
        import ray

        while len(self._all) < min(len(jobs), self.placement.slots):
            self._all.append(self._make())
        waiting, free = deque(jobs), list(self._all)
        running: dict[Any, tuple[Any, Job]] = {}
        while waiting or running:
            while waiting and free:
                actor, job = free.pop(), waiting.popleft()
                running[actor.run.remote(job)] = (actor, job)
            done, _ = ray.wait(list(running))
            actor, job = running.pop(done[0])
            free.append(actor)
            try:
                ran, failures = ray.get(done[0])
            except ray.exceptions.RayError as error:
                ran, failures = {}, {leaf.key: str(error) for leaf in job.leaves}
            outcome.ran.update(Counter(ran))
            outcome.failures.update(failures)
