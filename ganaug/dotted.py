"""A user's own function, named `module:function`: found, and known by a digest of its source. Free of torch.

To import a module is to run it, and a study file may be somebody else's. So a study's functions are imported only where
whoever runs it has named them: in the environment variable GANAUG_FUNCTIONS, modules or functions with commas between.
"""

import hashlib
import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

ALLOWED = "GANAUG_FUNCTIONS"


def resolve(path: str) -> Callable[..., Any]:
    """The function that `module:function` names. ValueError says what is not there."""
    module, colon, name = path.partition(":")
    if not (colon and module and name) or module.startswith("."):
        raise ValueError(f"function must be module:function, e.g. mine.images:sharpen, got {path!r}")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # the user's module runs, and may raise anything
        raise ValueError(
            f"function {path}: module {module!r} cannot be imported ({error}); install it, or put its folder on "
            "PYTHONPATH"
        ) from None
    if not inspect.isfunction(found):
        raise ValueError(f"function {path}: module {module!r} has no function {name!r}")
    return found


def require_allowed(path: str) -> None:
    """Raise ValueError unless GANAUG_FUNCTIONS names the function or its module. Imports nothing."""
    allowed = {name.strip() for name in os.environ.get(ALLOWED, "").split(",")}
    if path not in allowed and path.partition(":")[0] not in allowed:
        raise ValueError(
            f"function {path} is code that the study brings along, and runs only where it is allowed by name; read it, "
            f"then set {ALLOWED}={path}"
        )


def source_digest(path: str) -> str:
    """sha256 of the function's own source, 64 hex digits; what it calls is not in it. ValueError as `resolve`."""
    try:
        return hashlib.sha256(inspect.getsource(resolve(path)).encode()).hexdigest()
    except OSError:
        raise ValueError(f"function {path}: has no source to tell its versions apart; put it into a file") from None
