"""Looking after a store: `ganaug store check`, `gc` and `ls` say what is so, and never harm a record."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_store import OTHER, STAGE, made
from tiny_run import N_CELLS, Ganaug, Place
from typer.testing import CliRunner

from ganaug.errors import UserError
from ganaug.stages import Pool, TrainImages
from sweeps import cli
from sweeps.reach import reach, reached
from sweeps.store import Store
from sweeps.store.gc import delete, plan
from sweeps.store.inventory import RECORDS, Held, inventory
from sweeps.store.store import canonical, digest_of


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, [*map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def copy(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of the run that everybody shares, to be harmed; its run folder lies beside it in `runs/tiny`."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place.folder, "runs/tiny")
    shutil.copytree(place.store, "runs/store")
    return Store("runs/store")


def files(store: Store, folder: str) -> dict[str, bytes]:
    return {name: store.place.read(name) for name in store.place.names(folder)}


def age(store: Store, seconds: float) -> None:
    """Everything is older by so much."""
    for path in store.place.root.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_mtime - seconds,) * 2)


def held(store: Store, kind: str) -> list[Held]:
    return [one for one in inventory(store).held if one.kind == kind]


def test_a_whole_store(copy: Store) -> None:
    before = files(copy, ".")
    code, said = call("store", "check")
    artifacts = len(list(copy.place.names("manifests")))
    assert code == 0
    assert said.startswith(
        f"{copy.uri}: whole: {artifacts} artifacts, {len(list(copy.place.names('blobs')))} blobs, 0 c"
    )
    assert files(copy, ".") == before


def flip(path: Path, at: int = 30) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_every_kind_of_damage_is_named_with_path_kind_and_digests(copy: Store) -> None:
    root = copy.place.root
    records, pools, gans = (held(copy, kind) for kind in ("measure", "pool", "fit_gan"))
    copy.save_progress("f" * 64, {"step": np.array(1)})
    blob = root / copy.blob(records[0].digest)
    flip(blob)
    flip(root / records[1].file.name, at=-30)
    (root / copy.blob(pools[0].digest)).unlink()
    shutil.copy(root / gans[0].file.name, root / gans[1].file.name)
    checkpoint = root / "checkpoints" / ("f" * 64)
    flip(checkpoint, at=100)
    code, said = call("store", "check")
    lines = [line for line in said.splitlines() if line.startswith("damaged ")]
    assert code == 1
    assert (
        f"damaged measure: {blob}: differs from its sha256: expected {records[0].digest}, found "
        + digest_of(blob.read_bytes())
        + f"; named by {root / records[0].file.name}"
        in lines
    )
    assert (
        f"damaged pool: {root / copy.blob(pools[0].digest)}: is missing; named by {root / pools[0].file.name}" in lines
    )
    swapped = (
        f"damaged fit_gan: {root / gans[1].file.name}: is another's: expected key {gans[1].key}, found {gans[0].key}"
    )
    assert swapped in lines
    (record,) = (line for line in lines if records[1].key in line)
    assert record.startswith(f"damaged measure: {root / records[1].file.name}: ")
    (progress,) = (line for line in lines if str(checkpoint) in line)
    assert progress.startswith(f"damaged checkpoint: {checkpoint}: differs from its checksum: expected '")
    assert len(lines) == 5
    assert said.splitlines()[-2].startswith(f"{copy.uri}: 5 damaged, of ")
    assert said.splitlines()[-1] == (
        "The next run that needs it sets it aside and makes it again; --set-aside does the former now."
    )


def test_a_manifest_of_another_kind_or_stage_is_damage(copy: Store) -> None:
    """Whoever writes them knows the checksum; the key says what the stage must be."""
    first, second = held(copy, "pool")[:2]
    for one, change in ((first, {"kind": "measure"}), (second, {"stage": {"stage": "pool", "index": 7}})):
        path = copy.place.root / one.file.name
        manifest = json.loads(path.read_bytes()) | change
        del manifest["check"]
        path.write_bytes(canonical(manifest | {"check": digest_of(canonical(manifest))}))
    _, said = call("store", "check")
    assert f"damaged pool: {copy.place.root / first.file.name}: is another's: expected kind pool, found measure" in said
    assert (
        f"damaged pool: {copy.place.root / second.file.name}: is of another stage: expected key {second.key}, " in said
    )


@pytest.mark.parametrize("aside", [False, True])
def test_a_later_run_makes_again_what_is_damaged(
    copy: Store, place: Place, tiny: Path, ganaug: Ganaug, aside: bool
) -> None:
    record = held(copy, "measure")[0]
    flip(copy.place.root / copy.blob(record.digest))
    code, _ = call("store", "check", *(["--set-aside"] if aside else []))
    assert code == 1
    if aside:
        assert call("store", "check")[0] == 0, "nobody reads it any more"
        assert len(copy.keys("measure")) == N_CELLS - 1
    done = ganaug("run", tiny, "--workers", 1, "--track", "none", cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    again = Place(Path.cwd(), done)
    assert again.summary["computed"]["measure"] == 1
    assert again.records().equals(place.records())
    code, said = call("store", "check")
    assert code == 0
    assert "set aside as damaged before" in said


def test_everything_is_reached_by_its_study(copy: Store) -> None:
    for asked in ("runs/tiny", "runs/tiny/study.yaml"):
        one = reach(asked, Path("nowhere"), copy)
        there = inventory(copy).held
        assert reached(there, one) == {h.key for h in there}
        assert plan(inventory(copy), one.keys | reached(there, one), before=float("inf")).drops == []


def test_nothing_is_deleted_without_being_asked(copy: Store, tiny: Path) -> None:
    age(copy, 7200)
    before = files(copy, ".")
    smaller = Path("smaller.yaml")
    smaller.write_text(tiny.read_text().replace("seed: [0, 1]", "seed: [0]"))
    code, said = call("store", "gc", smaller)
    assert code == 0
    assert said.splitlines()[-1].startswith(f"{copy.uri}: would drop ")
    assert said.splitlines()[-1].endswith("; --delete does it")
    assert files(copy, ".") == before


def test_what_a_study_does_not_reach_goes_but_no_record(copy: Store, tiny: Path) -> None:
    age(copy, 7200)
    smaller = Path("smaller.yaml")
    smaller.write_text(tiny.read_text().replace("seed: [0, 1]", "seed: [0]"))
    before = inventory(copy)
    wanted = reached(before.held, reach(str(smaller), Path("nowhere"), copy))
    code, said = call("store", "gc", smaller, "--delete")
    assert code == 0
    after = inventory(copy)
    left = {one.key for one in after.held}
    gone = [one for one in before.held if one.key not in left]
    assert sorted({one.kind for one in gone}) == ["fit_gan", "pool"]
    assert len([one for one in gone if one.kind == "fit_gan"]) == 2
    assert {one.key for one in before.held if one.kind in RECORDS} <= left
    assert wanted <= left
    assert after.orphans() == []
    assert said.splitlines()[-1].startswith(f"{copy.uri}: dropped {len(gone) + len({g.digest for g in gone})} files, ")
    assert call("store", "check")[0] == 0
    assert call("store", "gc", smaller)[1] == f"{copy.uri}: nothing to drop\n"


def test_without_a_study_only_what_nobody_can_read_goes(copy: Store) -> None:
    artifacts = files(copy, ".")
    root = copy.place.root
    copy.publish(STAGE, made(), {})
    (orphan,) = (h.digest for h in held(copy, "train_images") if h.key == STAGE.key)
    copy.place.remove(copy._manifest("train_images", STAGE.key))
    copy.save_progress(held(copy, "fit_gan")[0].key, {"step": np.array(1)})
    copy.save_progress("f" * 64, {"step": np.array(1)})
    (root / "blobs" / ".abc.0123").write_bytes(b"half")
    copy.place.put("manifests/pool/ab/abc.damaged", b"x", replace=True)
    age(copy, 7200)
    copy.publish(OTHER, made(1), {})
    copy.place.remove(copy._manifest("train_images", OTHER.key))  # its writer is about to put it
    _, said = call("store", "gc", "--delete")
    assert "note: 1 file not older than 1h spared" in said
    assert said.splitlines()[-1].startswith(f"{copy.uri}: dropped 4 files, ")
    now = files(copy, ".")
    assert artifacts.items() <= now.items()
    assert f"checkpoints/{'f' * 64}" in now, "a stage that is not finished may go on"
    assert copy.blob(orphan) not in now
    assert len(now) == len(artifacts) + 2


def test_a_checkpoint_that_no_study_reaches_goes(copy: Store) -> None:
    generator = held(copy, "fit_gan")[0]
    copy.place.remove(generator.file.name)
    copy.save_progress(generator.key, {"step": np.array(1)})
    copy.save_progress("f" * 64, {"step": np.array(1)})
    age(copy, 7200)
    call("store", "gc", "runs/tiny", "--delete")
    assert list(copy.place.names("checkpoints")) == [f"checkpoints/{generator.key}"]


def test_what_is_put_anew_after_the_plan_stays(copy: Store) -> None:
    """A driver that publishes while gc is at work."""
    copy.publish(STAGE, made(), {})
    copy.place.remove(copy._manifest("train_images", STAGE.key))
    age(copy, 7200)
    made_plan = plan(inventory(copy), None, before=copy.place.now() - 3600)
    assert len(made_plan.drops) == 1
    copy.publish(STAGE, made(), {})
    assert delete(copy, made_plan) == (0, 0)
    assert copy.load(STAGE) is not None


def test_a_blob_that_goes_while_its_manifest_is_put_is_put_again(copy: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put = copy.place.put

    def slow(name: str, data: bytes, replace: bool) -> bool:
        if name.startswith("manifests"):
            for blob in [n for n in copy.place.names("blobs") if n not in before]:
                copy.place.remove(blob)
        return put(name, data, replace)

    before = set(copy.place.names("blobs"))
    monkeypatch.setattr(copy.place, "put", slow)
    copy.publish(STAGE, made(), {})
    assert copy.load(STAGE) is not None


def test_no_blob_goes_while_a_damaged_manifest_may_name_it(copy: Store) -> None:
    record = held(copy, "measure")[0]
    flip(copy.place.root / record.file.name, at=-30)
    age(copy, 7200)
    _, said = call("store", "gc", "--delete")
    assert said == (
        "note: 1 damaged manifest may name any blob, so no blob goes; `ganaug store check --set-aside` first\n"
        f"{copy.uri}: nothing to drop\n"
    )
    assert copy.place.exists(copy.blob(record.digest))


def test_a_search_keeps_what_it_tried(copy: Store) -> None:
    """Which settings that were, only its validations know."""
    from ganaug.stages import FitGan, Validate, ancestors
    from sweeps import study_file as studies
    from sweeps.grid import open_grid

    grid = open_grid(studies.load("runs/tiny/study.yaml", ["gan.steps=3", "seed=[0]"]), Path("nowhere"), copy)
    leaf = next(m for m in grid.measures.values() if any(isinstance(s, FitGan) for s in ancestors(m)))
    tried = Validate(leaf.classifiers)
    generator = next(s for s in ancestors(leaf) if isinstance(s, FitGan))
    copy.publish(generator, made(0), {generator.key: ("fit_gan", 1.0)})
    copy.publish(Pool(generator, 0, 10), made(1), {})
    copy.publish(tried, made(2), {generator.key: ("fit_gan", 1.0)})
    there = inventory(copy).held
    assert generator.key not in reached(there, reach("runs/tiny", Path("nowhere"), copy))
    Path("runs/tiny/search").mkdir()
    keys = reached(there, reach("runs/tiny", Path("nowhere"), copy))
    assert {generator.key, tried.key, Pool(generator, 0, 10).key} <= keys


def test_ls_tells_sizes_by_kind_and_by_study(copy: Store, tiny: Path) -> None:
    smaller = Path("smaller.yaml")
    smaller.write_text(tiny.read_text().replace("seed: [0, 1]", "seed: [0]"))
    copy.publish(STAGE, made(), {})
    code, said = call("store", "ls", smaller, "runs/tiny")
    lines = [line.split() for line in said.splitlines()]
    assert code == 0
    sizes = {line[0]: line[1] for line in lines[1:] if line}
    assert (sizes["measure"], sizes["fit_gan"], sizes["assess"]) == (str(N_CELLS), "4", "4")
    whole, half = (next(line for line in lines if line[0] == name) for name in ("runs/tiny", "smaller.yaml"))
    assert whole[1:3] == [str(N_CELLS + 4), "4"]
    assert half[1:3] == [str(N_CELLS // 2 + 2), "2"]
    assert half[-2:] == ["0", "bytes"], "what it reaches the other reaches too"
    assert next(line for line in lines if line[:3] == ["none", "of", "these"])[3:5] == ["0", "0"]
    assert said.startswith(f"{copy.uri}: ")


def test_ls_finds_the_runs_of_this_directory(copy: Store) -> None:
    summary = Path("runs/tiny/summary.json")
    assert "runs/tiny " not in call("store", "ls")[1], "it had another store"
    summary.write_text(summary.read_text().replace('"store": "', f'"store": "{copy.uri}", "was": "'))
    assert "runs/tiny " in call("store", "ls")[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "--store", "nowhere"), "--store nowhere: must be a store, got no such directory"),
        (("gc", "--older-than", "soon"), "--older-than soon: must be a number with s, m, h or d, e.g. 90m or 2d"),
        (("gc", "--older-than", "60"), "--older-than 60: must be a number with s, m, h or d, e.g. 90m or 2d"),
        (("gc", "runs"), "runs: is not a run folder; it has no study.yaml"),
        (("ls", "no/such.yaml"), "no/such.yaml: no such file"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], told: str, copy: Store) -> None:
    with pytest.raises(UserError) as error:
        call("store", *arguments)
    assert str(error.value) == told


def test_a_directory_keeps_its_own_time(copy: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's clock may be wrong: an hour ahead, it would call old what a driver has just put."""
    import time

    copy.publish(STAGE, made(), {})
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 7200)
    file = copy.place.file(copy._manifest("train_images", STAGE.key))
    assert 0 <= copy.place.now() - file.modified < 60
    assert not [name for name in copy.place.names(".") if name.startswith(".now")]


def test_load_many_is_load(store: Store) -> None:
    stages = [TrainImages(f"{i:064}") for i in range(5)]
    for i in (0, 2, 3):
        store.publish(stages[i], made(i), {})
    found: Callable[[int], object] = [f and f[0].facts for f in store.load_many(stages)].__getitem__
    assert [found(i) for i in range(5)] == [made(i).facts if i in (0, 2, 3) else None for i in range(5)]
