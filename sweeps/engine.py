"""Ray Tune as the engine: a wave of jobs in, counts and failures out. Its own experiment state is thrown away."""

import contextlib
import logging
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ganaug.errors import UserError
from sweeps.cluster.coming import may_come
from sweeps.cluster.placement import Placement, There
from sweeps.execute import checkpoint_seconds
from sweeps.plan import Job

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
    nodes: Counter[str] = field(default_factory=Counter)  # steps of trials by the address of the node that took them
    counts: str = "cells"  # what progress is told of: cells, or in a study of generators assessments


@cache
def _own_token() -> str:
    """What a local Ray asks of everyone: other users of this machine reach its loopback too. Kept in memory alone."""
    return secrets.token_hex(32)


@contextlib.contextmanager
def cluster(address: str | None, cpus: int, environment: dict[str, str]) -> Iterator[There]:
    """Join the cluster at `address`, or start Ray on this machine alone with `cpus` CPUs, on the loopback.

    `address` is what `gate.admitted` gave. `environment` holds further variables for this process and every worker.
    Yields what there is in all, and on a cluster what may still come. UserError where a cluster cannot be joined.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # a local Ray listens on 127.0.0.1 only
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # Ctrl-C reaches us as KeyboardInterrupt
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    os.environ.update(environment)
    checkpoint_seconds()  # a worker would find a mistake in it once for every cell
    if not address:
        for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
            os.environ.pop(name, None)
        os.environ["RAY_AUTH_TOKEN"] = _own_token()  # or Ray writes one into the home directory, for all to read
    import ray

    runtime = {"env_vars": WORKER_ENVIRONMENT | environment}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": runtime}
    if address:
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError) as error:
            raise UserError(f"--address {address}: cannot be joined: {str(error).strip().splitlines()[0]}") from None
    else:
        ray.init(
            address="local",  # a Ray of its own even where somebody's `ray start` runs on this machine
            num_cpus=cpus,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            object_store_memory=256 << 20,
            **quiet,
        )
    try:
        yield There(ray.cluster_resources(), may_come() if address else None)
    finally:
        ray.shutdown()


def run_wave(
    jobs: list[Job],
    store: str,
    placement: Placement,
    progress: Progress,
    outcome: Outcome,
    listeners: Iterable["Callback"] = (),
) -> None:
    """Run every job as a Tune trial, the longest first; adds to `outcome`.

    `listeners` hear of every trial too. Tune keeps its own state in a temporary folder of the driver's: trials give it
    no checkpoint, so no other node looks for that folder.
    """
    from ray import tune

    from sweeps.trial import Trial
    from sweeps.watch import Watch

    trainable = tune.with_resources(
        tune.with_parameters(Trial, jobs=jobs, store=store, placement=placement),
        {"cpu": placement.cpus, "gpu": placement.gpus},
    )
    with tempfile.TemporaryDirectory(prefix="ganaug-tune-") as state:
        results = tune.Tuner(
            trainable,
            param_space={"job": tune.grid_search(list(range(len(jobs))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=placement.limit),
            run_config=tune.RunConfig(
                name="wave",
                storage_path=state,
                verbose=0,
                callbacks=[Watch(outcome, progress), *listeners],
                failure_config=tune.FailureConfig(max_failures=placement.retries),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    for result in (results[i] for i in range(len(results))):
        if result.error is not None:
            job = jobs[result.config["job"]] if result.config else None
            for leaf in job.leaves if job else ():
                outcome.failures.setdefault(leaf.key, str(result.error))
