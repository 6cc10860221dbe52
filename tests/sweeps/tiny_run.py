"""The tiny study, and what a run of it leaves behind."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

TINY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3, 5], n_gen: [0, 6], threshold: [0, 0.5], seed: [0, 1]}
gan: {name: projection, steps: 4, width: 8, discriminator_width: 8}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 5, width: 8}
"""
N_CELLS = 2 * 2 * (1 + 2)  # n_real by seed; the control, and six images under two thresholds
COMMAND = str(Path(sysconfig.get_path("scripts")) / "ganaug")  # the console script, installed beside this Python
Ganaug = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Place:
    """A directory in which a study was run, and how the run went."""

    root: Path
    done: "subprocess.CompletedProcess[str]"

    @property
    def folder(self) -> Path:
        return self.root / "runs/tiny"

    @property
    def store(self) -> Path:
        return self.root / "runs/store"

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())

    def records(self) -> pd.DataFrame:
        """The records but for what the clock says."""
        table = pd.read_parquet(self.folder / "records.parquet")
        return table.drop(columns=[c for c in table if c.startswith("seconds_")])

    def manifests(self) -> list[Path]:
        return sorted((self.store / "manifests/measure").glob("??/*.json"))


def environment() -> dict[str, str]:
    """This process's, without what a user may have set for ganaug or Ray.

    Ray's workers are as nice as everybody: at its own 15 they would stand still while another test computes.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GANAUG_", "RAY_"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "120", "RAY_worker_niceness": "0"}
