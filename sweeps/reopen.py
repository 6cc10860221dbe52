"""A run folder opened again: its summary, the store it used, and its grid laid out anew."""

import json
from pathlib import Path
from typing import Any

from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.adaptive import narrowed
from sweeps.grid import Grid, open_grid
from sweeps.run_folder import RunFolder
from sweeps.store import Store, is_here


def reopen(run: Path, data: Path, store: str | None = None) -> tuple[dict[str, Any], Store, Grid]:
    """The summary, the store and the grid of the run in the folder `run`. Computes nothing.

    store: where the store is now; None is where the run had it.
    Raises UserError for a folder that is no run's, and for a store that is not there.
    """
    folder = RunFolder(run)
    if not folder.summary.exists():
        raise UserError(f"{run}: is not a run folder; it has no summary.json")
    try:
        summary = json.loads(folder.summary.read_text())
        known = summary["store"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{folder.summary}: is not JSON that names a store; run the study again") from None
    if store is None and not is_here(known):
        raise UserError(f"{folder.summary}: its store {known} is not here; say where it is with --store")
    if store is not None and not is_here(store):
        raise UserError(f"--store {store}: must be the store of {run}, got no such directory")
    place = Store(known if store is None else store)
    return summary, place, narrowed(open_grid(studies.load(str(folder.study)), data, place), folder)
