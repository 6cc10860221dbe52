"""Ray Tune as the engine: a wave of jobs in, counts and failures out. Its own experiment state is thrown away."""

import contextlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sweeps.plan import Job
from sweeps.study import Resources

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


@contextlib.contextmanager
def cluster(address: str | None, slots: int) -> Iterator[int]:
    """Join the cluster at `address`, or start Ray on this machine alone, on the loopback; yields the CPUs there are."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # a local Ray listens on 127.0.0.1 only
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    runtime = {"env_vars": WORKER_ENVIRONMENT}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": runtime}
    if address:
        ray.init(address=address, **quiet)
    else:
        os.environ.pop("RAY_ADDRESS", None)
        ray.init(
            num_cpus=slots,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            object_store_memory=256 << 20,
            **quiet,
        )
    try:
        yield int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()


def run_wave(jobs: list[Job], store: str, resources: Resources, progress: Progress, outcome: Outcome) -> None:
    """Run every job as a Tune trial, the longest first; adds to `outcome`."""
    from ray import tune

    from sweeps.trial import Trial
    from sweeps.watch import Watch

    trainable = tune.with_resources(
        tune.with_parameters(Trial, jobs=jobs, store=store, device=resources.device),
        {"cpu": resources.cpus_per_trial, "gpu": resources.gpus_per_trial},
    )
    with tempfile.TemporaryDirectory(prefix="ganaug-tune-") as scratch:
        results = tune.Tuner(
            trainable,
            param_space={"job": tune.grid_search(list(range(len(jobs))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=resources.workers),
            run_config=tune.RunConfig(
                name="wave",
                storage_path=scratch,
                verbose=0,
                callbacks=[Watch(outcome, progress)],
                failure_config=tune.FailureConfig(max_failures=3),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    for result in (results[i] for i in range(len(results))):
        if result.error is not None:
            job = jobs[result.config["job"]] if result.config else None
            for leaf in job.leaves if job else ():
                outcome.failures.setdefault(leaf.key, str(result.error))
