"""Every speed that docs/performance.md tells, measured side by side with the obvious way, in alternation.

    make bench        or        python benchmarks/bench.py [--only classifiers gans augment grid] [--print]

prints its tables and rewrites the generated part of docs/performance.md. Two cores, about a quarter of an hour; they
have to be quiet. A ratio is the median over pairs, and beside it stands what came out of both sides.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: its statistics.py would hide Python's own
# ruff: noqa: E402  (the imports below need that line first)

from benchmarks import augment, classifiers, gans, grid, machine
from benchmarks.pages import rewrite, table
from benchmarks.sides import HEAD, Row
from ganaug.precision import has_bfloat16

DOCUMENT = ROOT / "docs" / "performance.md"

PARTS: dict[str, Callable[[list[str]], list[Row]]] = {
    "classifiers": classifiers.part,
    "gans": gans.part,
    "augment": augment.part,
    "grid": grid.part,
}
"""Name -> rows of the table; told which precisions the machine has. A further part is a further line here."""


def versions() -> str:
    """Of what the numbers depend on; kornia only where it is installed."""
    found = [f"Python {platform.python_version()}"]
    for name in ("torch", "torchvision", "ray", "kornia"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options.add_argument("--print", action="store_true", help="leave docs/performance.md as it is")
    told = options.parse_args()
    began = time.perf_counter()
    precisions = ["float32", *(["bfloat16"] if has_bfloat16("cpu") else [])]
    peaks = machine.peaks(precisions)
    rows: list[Row] = []
    for name in told.only:
        print(f"{name} …", file=sys.stderr, flush=True)
        own = PARTS[name](precisions)
        print(table(HEAD, [row.cells() for row in own]), file=sys.stderr, flush=True)
        rows += own
    minutes = (time.perf_counter() - began) / 60
    command = "make bench" if told.only == list(PARTS) else f"python benchmarks/bench.py --only {' '.join(told.only)}"
    said = [
        f"{machine.words()}; {versions()}; `{command}`, {minutes:.0f} minutes.",
        peaks,
        table(HEAD, [row.cells() for row in rows]),
    ]
    text = "\n\n".join(said)
    print(text)
    if not told.print:
        rewrite(DOCUMENT, "bench.py", text)


if __name__ == "__main__":
    main()
