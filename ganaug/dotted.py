"""A user's own function, named `module:function`: found, and known by a digest of its source. Free of torch."""

import hashlib
import importlib
import inspect
from collections.abc import Callable
from typing import Any


def resolve(path: str) -> Callable[..., Any]:
    """The function that `module:function` names. ValueError says what is not there."""
    module, colon, name = path.partition(":")
    if not (colon and module and name):
        raise ValueError(f"function must be module:function, e.g. mine.images:sharpen, got {path!r}")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise ValueError(
            f"function {path}: module {module!r} cannot be imported ({error}); install it, or put its folder on "
            "PYTHONPATH"
        ) from None
    if not inspect.isfunction(found):
        raise ValueError(f"function {path}: module {module!r} has no function {name!r}")
    return found


def source_digest(path: str) -> str:
    """sha256 of the function's own source, 64 hex digits; what it calls is not in it. ValueError as `resolve`."""
    try:
        return hashlib.sha256(inspect.getsource(resolve(path)).encode()).hexdigest()
    except OSError:
        raise ValueError(f"function {path}: has no source to tell its versions apart; put it into a file") from None
