"""The command line without Ray: in a fork of this process, where a run is a second instead of twenty.

Everything is the product's own but the engine: jobs are evaluated by `sweeps.search.workers.Worker`, the body of a
search's Ray actors, in the child itself. It keeps a generator's progress at every chance instead of once a minute.
"""

import importlib
import os
import pkgutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

import analysis
import ganaug as ganaug_package
import sweeps.run
from sweeps import cli, engine
from sweeps.cluster.placement import Placement
from sweeps.plan import plan
from sweeps.search import evaluate
from sweeps.search.workers import Worker

Patch = Callable[[], None]

_WITH_RAY = {"sweeps.cluster.lookout", "sweeps.tell", "sweeps.trial", "sweeps.watch"}
_HEAVY = ("torch._dynamo", "sklearn.datasets", "scipy.stats", "pyarrow.parquet", "pyarrow.dataset", "rich.progress")


def _import_all() -> None:
    """Import here what children would import each anew; nothing that starts a thread."""
    for package in (analysis, ganaug_package, sweeps):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in _WITH_RAY:
                importlib.import_module(module.name)
    for name in _HEAVY:
        importlib.import_module(name)


_import_all()


@dataclass(frozen=True)
class Done:
    code: int
    """Exit code; minus the signal's number for a child that was killed."""
    told: str


PLACEMENT = Placement(slots=1, cpus=1, gpus=0, device="cpu", limit=1, retries=0)


def _execute(grid: Any, store: Any, address: Any, rounds: Any, track: Any, told: Any) -> engine.Outcome:
    """As `sweeps.run._execute`, on this process alone."""
    outcome = engine.Outcome(counts="cells" if grid.measures else "assessments", slots=1)
    workers = _Workers(store.uri)
    for part, _ in rounds(1, outcome.failures):
        for wave in plan(part.leaves(), part.stored(store), 1):
            workers.run_wave(wave, outcome)
    return outcome


class _Workers:
    """As `sweeps.search.workers.Workers`."""

    placement = PLACEMENT

    def __init__(self, store: str) -> None:
        self.worker = Worker(store, PLACEMENT)
        self.worker.evaluator.checkpoint_seconds = 0

    def run_wave(self, jobs: list[Any], outcome: engine.Outcome) -> None:
        for job in jobs:
            ran, failures = self.worker.run(job)
            outcome.ran.update(ran)
            outcome.failures.update(failures)


def _bench(self: evaluate.Bench) -> Any:
    return _Workers(self.store.uri)


@dataclass(frozen=True)
class Child:
    """A command that goes on in a fork of this process."""

    pid: int
    said: IO[str]

    def wait(self) -> Done:
        _, status = os.waitpid(self.pid, 0)
        self.said.seek(0)
        with self.said:
            return Done(os.waitstatus_to_exitcode(status), self.said.read())


def start(*arguments: str, cwd: Path, report: bool = False, patch: Patch | None = None, **variables: str) -> Child:
    """`ganaug ARGUMENTS` in a fork; without the report at a run's end unless asked for, which is slow to draw.

    patch: called in the child before the command. variables: of its environment.
    """
    said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # the child's wait closes it
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid, said)
    code = 70
    try:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        sys.stdout, sys.stderr = (open(fd, "w", closefd=False) for fd in (1, 2))  # noqa: SIM115  # not pytest's own
        os.chdir(cwd)
        os.environ.update(variables)
        torch.set_num_threads(1)
        sys.argv = ["ganaug", *arguments]
        sweeps.run._execute = _execute
        evaluate.Bench._ready = _bench  # type: ignore[method-assign]
        if not report:
            cli._report = lambda folder: None
        if patch:
            patch()
        cli.main()
        code = 0
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ganaug(*arguments: str, cwd: Path, report: bool = False, patch: Patch | None = None, **variables: str) -> Done:
    """`start`, to its end."""
    return start(*arguments, cwd=cwd, report=report, patch=patch, **variables).wait()
