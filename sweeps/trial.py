"""A Ray Tune trial: one job, a cell a step. Actors are reused, so torch is imported once per worker."""

import platform
import traceback
from typing import Any

from ray import tune

from ganaug.errors import DiskError, LeakError, Unreachable
from ganaug.stages import Assess, Measure
from sweeps.cluster.placement import Placement
from sweeps.plan import Job


class Trial(tune.Trainable):
    """Runs the job its config names; publishes to the store and reports counts, never data."""

    def setup(  # type: ignore[override]  # with_parameters gives the rest
        self, config: dict[str, Any], jobs: list[Job], store: str, placement: Placement
    ) -> None:
        import torch

        from sweeps.execute import Evaluator
        from sweeps.sizes import sizes_of
        from sweeps.store import Store

        torch.set_num_threads(1)  # one thread a trial: the same sums in the same order on any machine
        self.jobs = jobs
        self.evaluator = Evaluator(Store(store), placement.device, sizes=sizes_of(placement))
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take up another job in the same process."""
        self.job: Job = self.jobs[new_config["job"]]
        self.at = 0
        self.evaluator.take_up(self.job)
        return True

    def step(self) -> dict[str, Any]:
        """One cell, or a generator of a job that has no cells. A cell that fails is reported; the others go on."""
        self.evaluator.ran.clear()
        failures: dict[str, str] = {}
        stages = self.job.stages
        at = self.at
        stage = stages[at]
        try:
            if not (self.job.leaves and self.evaluator.store.has(stage)):
                self.evaluator.get(stage)
        except LeakError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            told = f"{reason}\n\non {platform.node()}\n{traceback.format_exc()}"
            # a full disk, or a store that is away, would have every further cell train its generator again, for nothing
            after = stages[at + 1 :] if isinstance(error, DiskError | Unreachable) else ()
            failures = {stage.key: told} | {s.key: told for s in after if not self.evaluator.store.has(s)}
            self.at += len(after)
        self.at += 1
        return {
            "at": at,
            "cells": 1 if isinstance(stage, Measure) else 0,
            "assessments": 1 if isinstance(stage, Assess) else 0,
            "ran": dict(self.evaluator.ran),
            "failures": failures,
            "done": self.at >= len(stages),
        }

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Nothing: what a trial has done is in the store, and a trial that starts again finds it there."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Nothing to load, for the same reason."""
