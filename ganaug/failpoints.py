"""Named places where a write can be stopped, so that tests see what a loss of power or a full disk leaves behind.

`GANAUG_FAILPOINT=manifests.placed=kill` ends the process (SIGKILL) when it comes to that point; `=enospc` and `=eio`
raise what a full or a broken disk does; `manifests.placed=kill@3` at the third time, `=enospc@all` every time. Without
the variable a point does nothing.
"""

import errno
import os
import signal
from collections import Counter

VARIABLE = "GANAUG_FAILPOINT"

KINDS = ("blobs", "manifests", "checkpoints")  # of files in a store; the first part of their names
MOMENTS = ("begun", "written", "synced", "placed", "kept")  # of putting a file into a store

FILES = (  # that are written elsewhere, by `ganaug.files.put`
    "study.yaml", "progress.json", "summary.json", "records.parquet", "per_class.parquet", "generators.parquet",
    "generator_classes.parquet", "predictions.safetensors", "samples.safetensors", "semi.safetensors", "curves.json",
    "classifier_curves.json", "failures.json", "seeds.json",  # a run folder
    "trials.parquet", "search.json",  # a search's part of it
    "figure", "drawn.json", "index.html", "against.html",  # a report
)  # fmt: skip
FILE_MOMENTS = ("begun", "written", "placed")
EXPORT_MOMENTS = ("begun", "filled", "placed")  # of an exported folder

STORE_POINTS = tuple(f"{kind}.{moment}" for kind in KINDS for moment in MOMENTS)
FILE_POINTS = tuple(f"{name}.{moment}" for name in FILES for moment in FILE_MOMENTS)
EXPORT_POINTS = tuple(f"export.{moment}" for moment in EXPORT_MOMENTS)
POINTS = (*STORE_POINTS, *FILE_POINTS, *EXPORT_POINTS)
"""Every point there is: `failpoint` refuses another name, and tests/faults stops the project at each of these."""

_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Stop here if the environment says so; OSError for `enospc` and `eio`."""
    assert name in POINTS, name
    said = os.environ.get(VARIABLE)
    if not said:
        return
    point, _, action = said.partition("=")
    if point != name:
        return
    action, _, nth = action.partition("@")
    _passed[name] += 1
    if nth != "all" and _passed[name] != int(nth or 1):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(_ERRORS[action], os.strerror(_ERRORS[action]))


def put_point(name: str, moment: str) -> None:
    """The point of putting a file of a store; what is no artifact (a mark, a probe) has none."""
    if (kind := name.partition("/")[0]) in KINDS:
        failpoint(f"{kind}.{moment}")
