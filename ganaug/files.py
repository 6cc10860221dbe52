"""Putting a file in place whole: who reads it meanwhile reads the old one or the new one, never half of one."""

import os
import secrets
from pathlib import Path

from ganaug.errors import DiskError
from ganaug.failpoints import failpoint


def put(path: Path, data: bytes, point: str | None = None) -> Path:
    """Write `path` under a temporary name, then rename it; returns the path.

    point: what this write is called in `ganaug.failpoints`; by default the file's name.
    Raises DiskError where the disk refuses; the old file, if there was one, is as it was.
    """
    name = point or path.name
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        failpoint(f"{name}.begun")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            failpoint(f"{name}.written")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        failpoint(f"{name}.placed")
    except OSError as error:
        raise DiskError.of(path, error) from None
    return path
