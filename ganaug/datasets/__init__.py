"""Labelled images by name: `load("fashion-mnist", data_dir)` and its relatives. Loads no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganaug.datasets.catalog import DATASETS, Entry, load, missing, summary
    from ganaug.datasets.dataset import Dataset
    from ganaug.datasets.describe import Summary
    from ganaug.datasets.fetch import download

_HOME = {
    "DATASETS": "catalog",
    "Dataset": "dataset",
    "Entry": "catalog",
    "Summary": "describe",
    "download": "fetch",
    "load": "catalog",
    "missing": "catalog",
    "summary": "catalog",
}

__all__ = ["DATASETS", "Dataset", "Entry", "Summary", "download", "load", "missing", "summary"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
