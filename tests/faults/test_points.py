"""A kill and a full disk at every named write point; then the same command. A new point is tested by being named."""

import os

import pytest

from ganaug.failpoints import FILE_POINTS, POINTS, STORE_POINTS, VARIABLE, failpoint

from .here import PLACEMENT
from .points import Bases, stop

WRITTEN = [p for p in (*FILE_POINTS, "export.filled") if p.endswith(("written", "filled"))]


@pytest.mark.parametrize("point", POINTS)
def test_a_command_killed_at_any_point_goes_on(bases: Bases, point: str) -> None:
    assert stop(bases, point, "kill", f"kill-{point}").wrong == ()


@pytest.mark.parametrize("point", [*STORE_POINTS, *WRITTEN])
def test_a_full_disk_is_told_in_a_line_and_the_command_goes_on_when_there_is_room(bases: Bases, point: str) -> None:
    assert stop(bases, point, "enospc", f"full-{point}").wrong == ()


@pytest.mark.parametrize("action", ["kill@4", "enospc@4", "eio@4"])
def test_a_worker_s_write_is_no_other(bases: Bases, action: str) -> None:
    """The first three manifests are the driver's import and a record; the fourth is put in the middle of a job."""
    assert stop(bases, "manifests.written", action, f"inner-{action}").wrong == ()


def test_a_full_disk_fails_a_job_once_not_every_cell_anew(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that cannot be kept is not trained again for each cell that wants it."""
    from sweeps import study_file as studies
    from sweeps.grid import open_grid
    from sweeps.plan import plan
    from sweeps.search.workers import Worker
    from sweeps.store import Store

    root = bases.folder / "job"
    root.mkdir()
    study = studies.load(str(bases.nothing / "tiny.yaml"), ["n_gen=[2,4,6]", "gan.steps=2", "assess=null"])
    store = Store(root / "store")
    grid = open_grid(study, root, store)
    ((job,),) = plan(grid.leaves(), grid.stored(store), 1)
    monkeypatch.setitem(os.environ, VARIABLE, "blobs.written=enospc@all")
    worker = Worker(store.uri, PLACEMENT)
    ran, failures = worker.run(job)
    assert "fit_gan" in ran
    assert ran["fit_gan"] == 1
    assert failures.keys() == grid.measures.keys()
    assert all(why.startswith("DiskError: ") for why in failures.values())


def test_an_unnamed_point_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"^nowhere\.begun"):
        failpoint("nowhere.begun")
