"""A tiny study, a tiny data set, and the command line as a person uses it."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_run import COMMAND, TINY, Ganaug, Place, environment

from ganaug.stages import Measure
from sweeps import study_file as studies
from sweeps.grid import Grid, open_grid
from sweeps.store import Store


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file that most of these tests run or bend."""
    path = tmp_path_factory.mktemp("study") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def ganaug() -> Ganaug:
    """Runs the command line in a process of its own, as a user would: `ganaug("run", study, cwd=folder)`."""

    def call(*arguments: Any, cwd: Path, timeout: float = 600, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [COMMAND, *map(str, arguments)],
            cwd=cwd, capture_output=True, text=True, timeout=timeout,
            env=environment() | variables,
        )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def place(tiny: Path, ganaug: Ganaug, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The tiny study, run by two workers. Nobody changes it."""
    root = tmp_path_factory.mktemp("whole")
    return Place(root, ganaug("run", tiny, "--workers", 2, cwd=root))


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
