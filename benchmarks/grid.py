"""A whole grid of 150 cells end to end: `ganaug run`, its report included, beside the obvious Ray Tune script.

The obvious script runs every STRIDE-th of the same cells, evenly drawn, and its trials' seconds are taken times as many
as there are; Ray's own start is left out on its side and in on ours. `python benchmarks/grid.py` runs all of them.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)
# ruff: noqa: E402  (the imports below need that line first)

import pandas as pd

from benchmarks.pages import table
from benchmarks.sides import HEAD, Row, difference

STRIDE = 7
STUDY = """\
name: grid
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [20, 50, 80], n_gen: [0, 25, 50, 100], threshold: [0, 0.3, 0.6], seed: [0, 1, 2, 3, 4]}
gan: {name: projection, steps: 300}
pool: {chunk: 100, max_per_class: 1000}
classifier: {steps: 300}
assess: null
"""


def _python(*arguments: str) -> float:
    """Seconds of a Python process of its own, without what a user may have set for Ray or threads."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GANAUG_", "OMP_", "MALLOC_"))}
    began = time.perf_counter()
    own = {"RAY_AUTH_TOKEN": secrets.token_hex(32)}  # or Ray writes one into the home directory
    environment = kept | own | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return time.perf_counter() - began


def part(_: list[str], stride: int = STRIDE) -> list[Row]:
    """One pair; accuracies are compared cell by cell."""
    with tempfile.TemporaryDirectory(prefix="grid-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / "grid.yaml").write_text(STUDY)
        where = ["--store", str(folder / "store"), "--out", str(folder / "run"), "--data", str(folder / "data")]
        asked = ["run", str(folder / "grid.yaml"), *where, "--workers", "2", "--track", "none"]
        ours = _python("-m", "sweeps.cli", *asked)
        factors = ["n_real", "n_gen", "threshold", "seed"]
        records = pd.read_parquet(folder / "run" / "records.parquet").sort_values(factors)
        drawn = records.iloc[::stride]
        (folder / "cells.json").write_text(drawn[factors].to_json(orient="records"))
        _python(str(ROOT / "benchmarks/obvious/sweep.py"), str(folder / "cells.json"), str(folder / "obvious.json"))
        obvious = json.loads((folder / "obvious.json").read_text())
    seconds = obvious["seconds"] * len(records) / len(drawn)
    apart = difference(100 * drawn["accuracy"].to_numpy(float), obvious["accuracy"]).replace("seeds", "cells")
    sampled = "" if stride == 1 else f", from {len(drawn)} of them"
    return [
        Row(
            f"a grid of {len(records)} cells, end to end",
            "the obvious Ray Tune script",
            8.0,
            (seconds / ours,),
            f"{ours:.0f} s against {seconds:.0f} s{sampled}; {apart}",
        )
    ]


if __name__ == "__main__":
    print(table(HEAD, [row.cells() for row in part([], stride=1)]))
