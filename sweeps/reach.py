"""What studies reach of a store: the keys of everything that their cells are made of."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.errors import UserError
from ganaug.stages import TestImages, TrainImages, ancestors
from sweeps import study_file as studies
from sweeps.grid import Grid, lay_out, open_grid
from sweeps.run_folder import RunFolder
from sweeps.search.folder import SearchFolder
from sweeps.store import Store
from sweeps.store.inventory import Held


@dataclass(frozen=True)
class Reach:
    """A study by the name it was asked for, and the keys of its cells, their generators and all else they build on.

    searched: a search has been there too; which settings it tried only the validations in the store tell.
    """

    name: str
    keys: frozenset[str]
    searched: bool


def _summary(folder: RunFolder) -> dict[str, Any]:
    try:
        return dict(json.loads(folder.summary.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _grid(asked: str, data: Path, store: Store) -> Grid:
    """A run folder's data set may be gone: its images are in the store, under the digest that its summary tells."""
    if not Path(asked).is_dir():
        return open_grid(studies.load(asked), data, store)
    folder = RunFolder(Path(asked))
    if not folder.study.exists():
        raise UserError(f"{asked}: is not a run folder; it has no study.yaml")
    study = studies.load(str(folder.study))
    digest = _summary(folder).get("digest")
    test = store.load(TestImages(digest)) if isinstance(digest, str) else None
    return lay_out(study, str(digest), test[0]) if test else open_grid(study, data, store)


def reach(asked: str, data: Path, store: Store) -> Reach:
    """What the study reaches that `asked` names: a file, a packaged study, or a run folder. UserError for none of them,
    and where its data set is neither in `data` nor in the store."""
    grid = _grid(asked, data, store)
    keys = {TrainImages(grid.digest).key, TestImages(grid.digest).key}
    leaves = grid.leaves()
    if grid.study.fuse == "auto" and not Path(asked).is_dir():  # its runs may have been on a GPU
        fused = grid.study.model_copy(update={"fuse": "on"})
        leaves += lay_out(fused, grid.digest, grid.test).leaves()
    for leaf in leaves:
        keys.add(leaf.key)
        keys.update(stage.key for stage in ancestors(leaf))
    searched = grid.study.search is not None or SearchFolder(Path(asked)).root.is_dir()
    return Reach(asked, frozenset(keys), searched)


def reached(held: list[Held], reach: Reach) -> set[str]:
    """The keys of those artifacts that a study reaches: its own, what its search tried, and what was drawn from either:
    a generator's images, and what judges say of them."""
    keys = set(reach.keys)
    if reach.searched:
        for one in held:
            if one.kind == "validate":
                keys |= {one.key, *one.made_from}
    keys |= {one.key for one in held if one.kind == "pool" and one.parents["generator"] in keys}
    keys |= {one.key for one in held if one.kind == "judged" and {one.parents["pool"], one.parents["judge"]} <= keys}
    return keys & {one.key for one in held}


def runs_here(store: Store) -> list[str]:
    """The run folders in `runs` that had this store."""
    folders = sorted(p.parent for p in Path("runs").glob("*/summary.json"))
    return [str(f) for f in folders if _summary(RunFolder(f)).get("store") == store.uri]
