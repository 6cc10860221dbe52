"""Errors a person can act on: one line that names the place, the rule, the value and what to do."""


class UserError(Exception):
    """The user's mistake. The command line prints its one line and exits with code 2, without a traceback."""


class LeakError(RuntimeError):
    """Something other than the final measurement asked for test images. Always a bug, never caught."""
