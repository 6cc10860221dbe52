"""A tiny study, a tiny data set, and the command line as a person uses it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganaug.stages import Measure
from sweeps import study as studies
from sweeps.run import Grid, open_grid
from sweeps.store import Store

TINY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3, 5], n_gen: [0, 6], threshold: [0, 0.5], seed: [0, 1]}
gan: {name: projection, steps: 4}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 5}
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file that most of these tests run or bend."""
    path = tmp_path_factory.mktemp("study") / "tiny.yaml"
    path.write_text(TINY)
    return path


Ganaug = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def ganaug() -> Ganaug:
    """Runs the command line in a process of its own, as a user would: `ganaug("run", study, cwd=folder)`."""

    def call(*arguments: Any, cwd: Path, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "sweeps.cli", *map(str, arguments)],
            cwd=cwd, capture_output=True, text=True, timeout=timeout, env=environment(),
        )  # fmt: skip

    return call


def environment() -> dict[str, str]:
    """This process's, without what a user may have set for ganaug; `-m` finds the packages wherever it runs."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GANAUG_", "RAY_"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "120"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def make_grid(tiny: Path, store: Store, tmp_path: Path) -> Callable[..., Grid]:
    """The tiny study's grid, with `--set` assignments, imported into this test's store."""

    def make(*assignments: str) -> Grid:
        return open_grid(studies.load(str(tiny), assignments), tmp_path, store)

    return make


@pytest.fixture
def measures(make_grid: Callable[..., Grid]) -> list[Measure]:
    """Two cells of one generator and their real-only control."""
    return list(make_grid("n_real=[3]", "seed=[0]").measures.values())
