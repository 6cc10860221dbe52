"""Ray Tune as the engine: a wave of jobs in, counts and failures out. Its own experiment state is thrown away."""

import contextlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganaug.errors import UserError
from sweeps.plan import Job
from sweeps.study import Resources

if TYPE_CHECKING:
    from ray.tune import Callback

Progress = Callable[[int], None]
"""Called with how many more cells are finished."""

WORKER_ENVIRONMENT = {
    # glibc gives freed memory back to the kernel and page-faults it in again at every step; keeping it makes a training
    # step about a quarter faster. 32 MiB is the largest threshold glibc takes.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "OMP_NUM_THREADS": "1",
}


@dataclass
class Outcome:
    """What a run of jobs did: how many stages of each kind it ran, and why cells failed, by their key."""

    ran: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    slots: int = 0  # trials at a time
    counts: str = "cells"  # what progress is told of: cells, or in a study of generators assessments


@contextlib.contextmanager
def cluster(address: str | None, cpus: int, environment: dict[str, str]) -> Iterator[dict[str, float]]:
    """Join the cluster at `address`, or start Ray on this machine alone with `cpus` CPUs, on the loopback.

    `environment` holds further variables for this process and every worker. Yields what there is in all: Ray's
    resources by name, `CPU` and `GPU` among them.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # a local Ray listens on 127.0.0.1 only
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # Ctrl-C reaches us as KeyboardInterrupt
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    os.environ.update(environment)
    import ray

    runtime = {"env_vars": WORKER_ENVIRONMENT | environment}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": runtime}
    if address:
        ray.init(address=address, **quiet)
    else:
        os.environ.pop("RAY_ADDRESS", None)
        ray.init(
            address="local",  # a Ray of its own even where somebody's `ray start` runs on this machine
            num_cpus=cpus,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            object_store_memory=256 << 20,
            **quiet,
        )
    try:
        yield ray.cluster_resources()
    finally:
        ray.shutdown()


@dataclass(frozen=True)
class Placement:
    """How trials lie on what there is."""

    slots: int  # trials at a time
    cpus: float  # per trial
    gpus: float  # per trial; a fraction lets trials share one
    device: str

    @classmethod
    def of(cls, resources: Resources, there: dict[str, float]) -> "Placement":
        """Place trials on a cluster's resources. `auto` uses GPUs where there are some, shared by trials."""
        cpus, gpus = resources.cpus_per_trial, resources.gpus_per_trial
        n_gpus = there.get("GPU", 0.0)
        by_cpu = max(1, int(there.get("CPU", 1) / cpus))
        if resources.device == "cpu":
            gpus = 0.0
        elif gpus is None:
            gpus = min(1.0, n_gpus / min(by_cpu, resources.workers or by_cpu))
        if gpus > n_gpus or (resources.device == "cuda" and not gpus):
            raise UserError(f"resources.gpus_per_trial: {gpus:g} asked for, the cluster has {n_gpus:g} GPUs")
        slots = min(by_cpu, int(n_gpus / gpus + 1e-6)) if gpus else by_cpu
        return cls(min(slots, resources.workers or slots), cpus, gpus, "cuda" if gpus else "cpu")


def run_wave(
    jobs: list[Job],
    store: str,
    scratch: Path | None,
    placement: Placement,
    progress: Progress,
    outcome: Outcome,
    listeners: Iterable["Callback"] = (),
) -> None:
    """Run every job as a Tune trial, the longest first; adds to `outcome`.

    `scratch` is where Tune keeps its own state meanwhile: a folder that all nodes reach, None on one machine.
    `listeners` hear of every trial too.
    """
    from ray import tune

    from sweeps.trial import Trial
    from sweeps.watch import Watch

    trainable = tune.with_resources(
        tune.with_parameters(Trial, jobs=jobs, store=store, device=placement.device),
        {"cpu": placement.cpus, "gpu": placement.gpus},
    )
    with tempfile.TemporaryDirectory(prefix="ganaug-tune-", dir=scratch) as state:
        results = tune.Tuner(
            trainable,
            param_space={"job": tune.grid_search(list(range(len(jobs))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=placement.slots),
            run_config=tune.RunConfig(
                name="wave",
                storage_path=state,
                verbose=0,
                callbacks=[Watch(outcome, progress), *listeners],
                failure_config=tune.FailureConfig(max_failures=3),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    for result in (results[i] for i in range(len(results))):
        if result.error is not None:
            job = jobs[result.config["job"]] if result.config else None
            for leaf in job.leaves if job else ():
                outcome.failures.setdefault(leaf.key, str(result.error))
