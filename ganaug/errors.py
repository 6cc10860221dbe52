"""Errors a person can act on: one line that names the place, the rule, the value and what to do."""

import errno


class UserError(Exception):
    """The user's mistake. The command line prints its one line and exits with code 2, without a traceback."""


class DiskError(UserError):
    """A disk that is full, broken or not to be written to. What was finished before is safe."""

    @classmethod
    def of(cls, path: object, error: OSError) -> "DiskError":
        """What happened at `path`, and what to do."""
        why = error.strerror or str(error)
        cure = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "put that right"
        again = f"{cure}, then give the same command again: nothing finished is lost"
        return cls(f"{path}: cannot be written: {why}; {again}")


class Unreachable(OSError):
    """A store's place did not answer, however often it was asked. Nobody's mistake, and later it may: the command line
    prints its one line and exits with code 1."""


class LeakError(RuntimeError):
    """Something other than the final measurement asked for test images. Always a bug, never caught."""
