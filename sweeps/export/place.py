"""A new folder that is there whole or not at all: filled under a temporary name beside its place, then renamed."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from ganaug.errors import UserError
from ganaug.failpoints import failpoint


def require_new(to: Path) -> None:
    """Raise UserError unless `to` is free: absent, or an empty folder."""
    try:
        taken = to.is_symlink() or (to.exists() and (not to.is_dir() or any(to.iterdir())))
    except OSError as error:
        raise UserError(f"--to {to}: cannot be read: {error.strerror}") from None
    if os.path.abspath(to) == os.getcwd():  # it is replaced, and whoever stands in it would see nothing
        raise UserError(f"--to {to}: must not be the folder you are in; name one to be made")
    if taken:
        raise UserError(f"--to {to}: must be a new or an empty folder, got one that is taken; name another")


def fill_new(to: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder beside `to`, then give it that name.

    Whatever goes wrong, nothing is left at `to`. Raises UserError where `to` is taken or the disk refuses.
    """
    require_new(to)
    to = Path(os.path.abspath(to))
    temporary = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
    try:
        failpoint("export.begun")
        temporary.mkdir(parents=True)
        fill(temporary)
        failpoint("export.filled")
        os.replace(temporary, to)  # takes the place of an empty folder, never of one that holds something
    except OSError as error:
        raise UserError(f"--to {to}: cannot be written: {error.strerror or error}; nothing is left there") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    failpoint("export.placed")
