"""Fixtures: run folders made by hand (see `made_run`)."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_run import write_run

import analysis


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., analysis.Run]:
    """`make_run(**of write_run)` writes a folder and loads it."""
    counter = itertools.count()

    def make(**kwargs: Any) -> analysis.Run:
        return analysis.load(write_run(tmp_path / f"run{next(counter)}", **kwargs))

    return make


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    """The usual grid: 3 n_real, real only and 2 n_gen at 2 thresholds, 3 seeds: 45 cells."""
    return analysis.load(write_run(tmp_path_factory.mktemp("run")))
