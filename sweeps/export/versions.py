"""Which command made an export, when, and with which versions."""

import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def made_by() -> dict[str, Any]:
    """The values `command`, `versions` and `made`."""
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in ("ganaug", "torch", "numpy")},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
