"""The short form of `python -m tests.faults`: the same laws, fewer times."""

from pathlib import Path

import pytest

from ganaug.failpoints import STORE_POINTS

from .bad_trials import bad_trials
from .command import Place, torn
from .damage import damage
from .disk import limit, on_small_disks, unclear
from .drivers import forked
from .here import ganaug
from .kills import kills
from .points import RUN, STUDY
from .writer import kill_writers


def test_a_writer_killed_anywhere_leaves_artifacts_whole_or_none(tmp_path: Path) -> None:
    tally = kill_writers(tmp_path, 2 * len(STORE_POINTS), seed=0)
    assert tally.kills >= len(STORE_POINTS)
    assert tally.artifacts > 0
    assert tally.bad() == 0, tally.line()


def test_damage_to_any_artifact_is_found_told_and_made_good(tmp_path: Path) -> None:
    tally = damage(tmp_path, 440, seed=0)
    assert tally.damaged.keys() == {
        "assess", "checkpoint", "fit_gan", "fit_judge", "fit_semi", "judged", "measure", "pool", "test_images",
        "train_images", "validate",
    }  # fmt: skip
    assert tally.bad() == 0, tally.line()


def test_bad_trials_are_labelled_and_touch_nothing_else(tmp_path: Path) -> None:
    found = bad_trials(tmp_path, seeds=6, bad=4, seed=0)
    assert found.bad == 4
    assert found.by_kind == {"nan": 1, "collapse": 1, "memory": 1, "cuda memory": 1}
    assert found.wrong() == 0, (found.line(), found.mislabelled)


@pytest.mark.parametrize("skewed", [False, True], ids=["clocks agree", "clocks an hour apart"])
def test_drivers_on_one_store_commit_each_cell_once(tmp_path: Path, skewed: bool) -> None:
    found = forked(tmp_path, 3, skewed)
    assert found.records == 12
    assert found.wrong() == 0, (found.line(), found.failed)


def test_a_small_disk(tmp_path: Path) -> None:
    found = on_small_disks(tmp_path, (64, 400))
    if not found:
        pytest.skip("no disk may be mounted here")
    assert [wrong for _, wrong in found] == [[], []]
    assert "No space left on device" in found[0][0]


def test_a_disk_that_takes_no_large_file(tmp_path: Path) -> None:
    place = Place.make(tmp_path / "limited", STUDY)
    first = ganaug(*RUN, cwd=place.root, patch=lambda: limit(60_000))
    assert first.code == 2
    assert not unclear(first.told)
    cure = "put that right, then give the same command again: nothing finished is lost"
    assert first.told.strip().splitlines()[-1].endswith(f": cannot be written: File too large; {cure}")
    assert not torn(place.store)
    assert ganaug(*RUN, cwd=place.root).code == 0


def test_sweeps_whose_driver_worker_or_raylet_is_killed_come_to_the_same(tmp_path: Path) -> None:
    tally = kills(tmp_path, 3, seed=0)
    assert sum(tally.struck.values()) + tally.missed == 3
    assert tally.bad() == 0, tally.line()
    assert None not in tally.left, "workers and raylet end with their driver"
