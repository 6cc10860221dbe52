"""Looking on while a run goes on: counts, the time left, the live report, the end; and that nothing is disturbed."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import analysis
import analysis.report
from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.stages import Measure
from sweeps import announce
from sweeps.cli import app
from sweeps.follow import Look, Onlooker, follow
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.run_folder import RunFolder
from sweeps.store import Store

MakeGrid = Callable[..., Grid]


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing has its own tests."""
    monkeypatch.setattr(analysis.report, "pictures", lambda *arguments: [])


def said(*arguments: object) -> str:
    """What the command line prints."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def finish(grid: Grid, store: Store, measure: Measure, right: bool = True) -> None:
    """Put a record as a trial would, without the training: half of its answers are right, or all."""
    labels = grid.test.arrays["labels"]
    wrong = (labels + 1) % len(grid.test.facts["classes"])
    answers = labels.copy()
    answers[::2] = labels[::2] if right else wrong[::2]
    counts = [grid.cells[measure.key].n_gen] * len(grid.test.facts["classes"])
    facts = {
        "status": "ok", "reason": "", "n_test": len(labels), "n_train": 1, "train_accuracy": [1.0],
        "accepted": counts, "candidates": counts,
    }  # fmt: skip
    # the validation images are answered as the test images are: any labelled images will do here
    arrays = {"predictions": answers[None].astype("uint8")}
    record = Artifact(arrays | {"validation": arrays["predictions"], "validation_labels": labels}, facts)
    store.publish(measure, record, {measure.key: ("measure", 1.0)})


def files(root: Path) -> dict[str, tuple[int, int]]:
    return {str(p.relative_to(root)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def grid(make_grid: MakeGrid) -> Grid:
    return make_grid("seed=[0, 1]", "n_real=[3]", "assess=null")


@pytest.fixture
def folder(grid: Grid, store: Store, tmp_path: Path) -> RunFolder:
    """A run that has just begun."""
    out = RunFolder(tmp_path / "run")
    announce.begin(out, grid, store, done=0)
    return out


def test_a_run_that_has_begun_says_what_it_is(folder: RunFolder, grid: Grid, store: Store) -> None:
    told = announce.read(folder)
    assert told is not None
    assert (told.study, told.total, told.done, told.store) == ("tiny", 6, 0, str(store.place.root))
    assert told.alive()
    assert told.work == pytest.approx(announce.work_left(grid, store))
    assert told.work > 0
    assert folder.study.exists()
    announce.end(folder)
    assert announce.read(folder) is None


def test_it_is_followed_to_its_end(folder: RunFolder, grid: Grid, store: Store, tmp_path: Path) -> None:
    """Nothing, then half, then all and the end: the lines, the live pages, and an untouched store."""
    lines: list[str] = []
    seen: list[tuple[bool, bool]] = []
    page = folder.live / "report" / "index.html"
    halves = [list(grid.measures.values())[::2], list(grid.measures.values())[1::2]]

    def sleep(seconds: float) -> None:
        assert seconds == 7
        text = page.read_text() if page.exists() else ""
        seen.append((page.exists(), 'id="again" data-seconds="7"' in text))
        if halves:
            for measure in halves.pop(0):
                finish(grid, store, measure)
        else:
            announce.end(folder)
        before.append(files(store.place.root))

    before = [files(store.place.root)]
    follow(folder.root, tmp_path, 7, lines.append, page=True, sleep=sleep)
    assert lines[0] == "tiny: 0 of 6 cells done, 6 missing; 0 of 2 generators; time left not known yet"
    assert lines[1].startswith("tiny: 3 of 6 cells done, 3 missing; 0 of 2 generators; about ")
    assert lines[2] == f"live report: {page}"
    assert lines[-1] == "tiny: 6 of 6 cells done, 0 missing; 0 of 2 generators"
    assert seen == [(False, False), (True, True), (True, True)]
    assert "Finding so far" not in page.read_text()
    assert 'http-equiv="refresh"' not in page.read_text()
    run = analysis.load(folder.live)
    assert run.summary["status"] == "complete"
    assert run.cells["accuracy"].eq(1.0).all()
    assert files(store.place.root) == before[-1], "an onlooker writes nothing into the store"
    assert {p.name for p in folder.root.iterdir()} == {"study.yaml", "live"}, "and nothing into the folder but live/"


def test_damage_is_left_to_the_run(folder: RunFolder, grid: Grid, store: Store, tmp_path: Path) -> None:
    first, second, *_ = grid.measures.values()
    finish(grid, store, first)
    finish(grid, store, second)
    manifest = next((store.place.root / "manifests/measure").glob("??/*.json"))
    manifest.write_bytes(manifest.read_bytes()[:-9])
    before = files(store.place.root)
    rows = Onlooker(folder.root, tmp_path).rows({})
    assert [row.key for row in rows] == [key for key in (first.key, second.key) if key != manifest.stem]
    assert files(store.place.root) == before


def test_a_failed_cell_is_in_the_last_page(folder: RunFolder, grid: Grid, store: Store, tmp_path: Path) -> None:
    first, second, *_ = grid.measures.values()
    finish(grid, store, first)
    announce.end(folder)
    (folder.root / "failures.json").write_text(json.dumps({second.key: "RuntimeError: no memory\ntrace", "other": "x"}))
    announce.begin(folder, grid, store, done=1)
    there = Onlooker(folder.root, tmp_path)
    announce.end(folder)
    page = there.write(there.look(), 5)
    assert page is not None
    assert "RuntimeError: no memory" in page.read_text()
    assert analysis.load(folder.live).summary["cells"]["failed"] == 1


def test_time_left_is_told_by_the_work_done(
    folder: RunFolder, grid: Grid, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Onlooker(folder.root, tmp_path)
    assert there.look().seconds_left is None
    for measure in grid.measures.values():
        if generator_of(measure) is None:
            finish(grid, store, measure)
    left, told = announce.work_left(grid, store), there.said
    assert told is not None
    monkeypatch.setattr(announce.Announcement, "seconds", lambda self: 100.0)
    assert there.look().seconds_left == pytest.approx(100 * left / (told.work - left))
    assert Look("s", 1, 2, 0, 0, True, 5400.0).line() == "s: 1 of 2 cells done, 1 missing; about 1.5 h left"


def dead() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_driver_that_died_is_noticed(folder: RunFolder, tmp_path: Path) -> None:
    told = json.loads(folder.progress.read_text()) | {"process": dead(), "command": "ganaug run tiny.yaml"}
    folder.progress.write_text(json.dumps(told))
    lines: list[str] = []
    follow(folder.root, tmp_path, 1, lines.append, page=False, sleep=lambda seconds: pytest.fail("it is over"))
    assert lines == [
        "tiny: 0 of 6 cells done, 6 missing; 0 of 2 generators",
        "the run is no longer alive; to go on: ganaug run tiny.yaml",
    ]
    assert "to go on    ganaug run tiny.yaml" in said("status", folder.root)
    elsewhere = announce.Announcement(**(told | {"host": "another machine"}))
    assert elsewhere.alive()


def test_status_of_a_run_without_a_summary(folder: RunFolder) -> None:
    assert json.loads(folder.progress.read_text())["process"] == os.getpid()
    told = said("status", folder.root)
    assert "tiny: 0 of 6 cells done, 6 missing; 0 of 2 generators; time left not known yet" in told
    assert "running     since 20" in told


def test_a_report_before_its_time_is_refused(folder: RunFolder) -> None:
    with pytest.raises(UserError, match="its run goes on and has written no tables yet; look on with --follow"):
        said("report", folder.root)
    with pytest.raises(UserError, match="--follow: goes with neither --against nor --pdf; wait until the run is over"):
        said("report", folder.root, "--follow", "--pdf")


def test_what_is_no_run_is_refused(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no run goes on there; it has no progress\.json"):
        follow(tmp_path, tmp_path, 1, print, page=False)
    told = json.loads(folder.progress.read_text())
    folder.progress.write_text(json.dumps(told | {"store": "/nowhere/store"}))
    with pytest.raises(UserError, match="its store /nowhere/store is not here; look on where it is"):
        follow(folder.root, tmp_path, 1, print, page=False)
    folder.progress.write_text('{"study":')
    with pytest.raises(UserError, match="is not what a run writes when it begins; delete it and run the study again"):
        follow(folder.root, tmp_path, 1, print, page=False)
