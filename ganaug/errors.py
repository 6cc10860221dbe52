"""Errors a person can act on: one line that names the place, the rule, the value and what to do."""


class UserError(Exception):
    """The user's mistake. The command line prints its one line and exits with code 2, without a traceback."""


class Unreachable(OSError):
    """A store's place did not answer, however often it was asked. Nobody's mistake, and later it may: the command line
    prints its one line and exits with code 1."""


class LeakError(RuntimeError):
    """Something other than the final measurement asked for test images. Always a bug, never caught."""
