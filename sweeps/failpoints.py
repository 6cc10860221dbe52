"""Named places where a write can be stopped, so that tests see what a loss of power or a full disk leaves behind.

`GANAUG_FAILPOINT=manifests.linked=kill` ends the process (SIGKILL) when it comes to that point; `=enospc` and `=eio`
raise what a full or a broken disk does; `manifests.linked=kill@3` at the third time. Without the variable a point does
nothing.
"""

import errno
import os
import signal
from collections import Counter

VARIABLE = "GANAUG_FAILPOINT"

KINDS = ("blobs", "manifests", "checkpoints")  # of files in a store; the first part of their names
MOMENTS = ("begun", "written", "synced", "placed", "kept")  # of putting a file

POINTS = tuple(f"{kind}.{moment}" for kind in KINDS for moment in MOMENTS)
"""Every point there is."""

_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Stop here if the environment says so; OSError for `enospc` and `eio`."""
    said = os.environ.get(VARIABLE)
    if not said:
        return
    point, _, action = said.partition("=")
    if point != name:
        return
    action, _, nth = action.partition("@")
    _passed[name] += 1
    if _passed[name] != int(nth or 1):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(_ERRORS[action], os.strerror(_ERRORS[action]))
