"""The real command line on a real Ray: what a run leaves, and that whatever happens to it the records are the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file
from tiny_run import COMMAND, N_CELLS, Ganaug, Place, environment

from ganaug.records import FACTORS
from sweeps.store import Store


def assert_same_results(one: Place, other: Place) -> None:
    pd.testing.assert_frame_equal(one.records(), other.records(), check_exact=True)
    pd.testing.assert_frame_equal(
        *(pd.read_parquet(p.folder / "per_class.parquet") for p in (one, other)), check_exact=True
    )
    predictions = [load_file(p.folder / "predictions.safetensors") for p in (one, other)]
    assert {k: v.tolist() for k, v in predictions[0].items()} == {k: v.tolist() for k, v in predictions[1].items()}


def test_a_run_ends_well(place: Place) -> None:
    assert place.done.returncode == 0, place.done.stderr
    assert "Traceback" not in place.done.stderr
    assert "computed 4 GANs" in place.done.stdout
    assert f"Report: {Path('runs/tiny/report/index.html')}" in place.done.stdout
    assert not list(place.store.rglob(".*"))


def test_the_run_folder_keeps_its_contract(place: Place) -> None:
    """docs/run-folder.md, file by file."""
    assert {p.name for p in place.folder.iterdir()} == {
        "study.yaml", "records.parquet", "per_class.parquet", "predictions.safetensors", "samples.safetensors",
        "curves.json", "failures.json", "summary.json", "report", "generators.parquet", "generator_classes.parquet",
    } | ({"tracking"} if find_spec("tensorboardX") else set())  # fmt: skip
    whole, text, number = "int64", "string", "double"
    factors = dict(zip(FACTORS, (whole, whole, number, text, whole, text, whole), strict=True))
    counts = dict.fromkeys(("n_generated", "n_candidates", "n_accepted"), whole)
    stages = ("split", "augment", "gan", "pool", "judge", "judged", "select", "classifier", "measure")
    records = pq.read_table(place.folder / "records.parquet")
    columns = {f.name: str(f.type) for f in records.schema}
    assert list(columns)[: 3 + len(FACTORS)] == ["cell", "arm", *FACTORS, "generator"]
    assert columns == (
        {"cell": text, "arm": text, "generator": text} | factors
        | dict.fromkeys(("accuracy", "accuracy_sd", "balanced_accuracy"), number)
        | dict.fromkeys(("validation_accuracy", "train_accuracy"), number)
        | {"n_test": whole, "n_train": whole} | counts | {"classifier_seeds": whole, "status": text, "reason": text}
        | {"dataset": text, "stands_in_for": text}
        | dict.fromkeys(("coverage", "coverage_unfiltered", "gan_diversity", "calibration_slope"), number)
        | {f"seconds_{s}": number for s in stages}
    )  # fmt: skip
    assert records.num_rows == N_CELLS
    per_class = pq.read_table(place.folder / "per_class.parquet")
    assert {f.name: str(f.type) for f in per_class.schema} == (
        {"cell": text, "arm": text} | factors | {"class": text, "correct": whole, "total": whole} | counts
    )
    assert per_class.num_rows == N_CELLS * 10
    generators = pq.read_table(place.folder / "generators.parquet").to_pandas()
    assert set(generators["generator"]) == set(records["generator"].to_pylist()) - {None}
    assert {"fid", "kid", "precision", "coverage", "recognised", "taught", "floor_fid"} <= set(generators)
    assert set(generators["status"]) == {"ok"}
    classes = pq.read_table(place.folder / "generator_classes.parquet").to_pandas()
    assert len(classes) == 4 * 10
    predictions = load_file(place.folder / "predictions.safetensors")
    assert predictions.keys() == {*records["cell"].to_pylist(), "labels"}
    assert predictions.pop("labels").shape == (700,)
    assert {(v.shape, v.dtype.name) for v in predictions.values()} == {((1, 700), "uint8")}
    curves = json.loads((place.folder / "curves.json").read_text())
    assert len({c["key"] for c in curves}) == 4
    assert all(c["losses"].keys() == {"step", "generator", "discriminator"} for c in curves)
    assert json.loads((place.folder / "failures.json").read_text()) == {}


def test_samples_are_images_with_their_scores(place: Place) -> None:
    with safe_open(place.folder / "samples.safetensors", "np") as file:
        groups = json.loads(file.metadata()["groups"])
        for i, group in enumerate(groups):
            assert {"n_real", "seed", "threshold"} <= group.keys()
            for name in ("real", "kept", "rejected"):
                images = file.get_tensor(f"{i}/{name}")
                assert images.dtype == "uint8"
                assert images.shape[0] == 10
                assert images.shape[2:] == (1, 8, 8)
            snapshots = file.get_tensor(f"{i}/snapshots")
            assert snapshots.shape[0] == len(group["snapshot_steps"])
            assert snapshots.shape[3:] == (1, 8, 8)
            assert file.get_tensor(f"{i}/nearest").shape == file.get_tensor(f"{i}/kept").shape
            known = ~np.isnan(file.get_tensor(f"{i}/kept_score"))
            assert (known == ~np.isnan(file.get_tensor(f"{i}/nearest_distance"))).all()
            for name in ("kept_score", "rejected_score"):
                assert file.get_tensor(f"{i}/{name}").dtype == "float32"
    assert groups


def test_the_summary_counts(place: Place) -> None:
    summary = place.summary
    assert summary.keys() >= {
        "study", "question", "dataset", "stand_in", "synthetic", "classes", "image", "status", "cells", "computed",
        "reused", "factors", "seconds", "command", "store", "versions", "machine", "workers", "finished",
    }  # fmt: skip
    assert summary["status"] == "complete"
    assert summary["cells"]["total"] == N_CELLS == summary["cells"]["ok"] + summary["cells"]["starved"]
    assert summary["computed"]["fit_gan"] == 4
    assert summary["computed"]["measure"] == N_CELLS
    assert summary["reused"]["measure"] == 0
    assert list(summary["factors"]) == list(FACTORS)
    assert summary["workers"] == 2
    assert summary["image"] == [1, 8, 8]


def test_a_controls_row_knows_no_generation(place: Place) -> None:
    records = place.records()
    controls = records[records["n_gen"] == 0]
    assert len(controls) == 4
    assert controls[["threshold", "gan_da", "n_da", "gan_diversity"]].isna().all(axis=None)
    assert (controls["n_generated"] == 0).all()
    assert (controls["n_train"] == 10 * controls["n_real"]).all()
    others = records[records["n_gen"] > 0]
    assert (others["n_train"] == 10 * others["n_real"] + others["n_generated"]).all()
    assert (others["n_accepted"] <= others["n_candidates"]).all()


def test_the_same_command_again_computes_nothing(place: Place, tiny: Path, ganaug: Ganaug, tmp_path: Path) -> None:
    other = Place(tmp_path, ganaug("run", tiny, "--store", place.store, cwd=tmp_path))
    assert other.done.returncode == 0, other.done.stderr
    assert set(other.summary["computed"].values()) == {0}
    assert other.summary["reused"] == {"measure": N_CELLS}
    assert_same_results(other, place)


def test_one_worker_a_grid_that_grew_and_damage_between(
    place: Place, tiny: Path, ganaug: Ganaug, tmp_path: Path
) -> None:
    """Half the grid first; two of its records damaged; then all of it: the same as in one go by two workers."""
    half = Place(tmp_path, ganaug("run", tiny, "--workers", 1, "--set", "n_real=[3]", cwd=tmp_path))
    assert half.done.returncode == 0, half.done.stderr
    wanted = place.records().query("n_real == 3").reset_index(drop=True)
    pd.testing.assert_frame_equal(half.records(), wanted, check_exact=True)

    mine = half.manifests()
    assert len(mine) == N_CELLS // 2
    mine[0].write_bytes(mine[0].read_bytes()[:-20])
    digest = json.loads(mine[1].read_text())["blob"]["sha256"]
    (half.store / "blobs" / digest[:2] / digest).write_bytes(b"")
    sharing = sum(json.loads(m.read_text())["blob"]["sha256"] == digest for m in mine[1:])

    grown = Place(tmp_path, ganaug("run", tiny, "--workers", 1, cwd=tmp_path))
    assert grown.done.returncode == 0, grown.done.stderr
    assert "set aside, it will be made again" in grown.done.stderr
    assert_same_results(grown, place)
    assert grown.summary["computed"]["measure"] == N_CELLS // 2 + 1 + sharing
    assert grown.summary["computed"]["fit_gan"] == 2, "the generators of the first half are there"
    assert len(list(Store(grown.store).damaged())) == 1 + sharing


def descendants(pid: int) -> set[int]:
    """The processes a process started, theirs, and so on; from /proc."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found, ahead = set(), [pid]
    while ahead:
        new = parents.get(ahead.pop(), [])
        found.update(new)
        ahead.extend(new)
    return found


def listeners(pids: set[int]) -> set[str]:
    """Hexadecimal local addresses on which these processes wait for TCP connections."""
    waiting: dict[str, str] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                waiting[f"socket:[{fields[9]}]"] = fields[1].split(":")[0]
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                found.add(waiting.get(os.readlink(descriptor), ""))
            except OSError:
                continue
    return found - {""}


LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


@dataclass
class Killed:
    """What was there when a run was killed."""

    root: Path
    stored: dict[Path, tuple[int, int]]  # manifest -> inode, time of change
    addresses: set[str]


@pytest.fixture(scope="module")
def killed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """The tiny study, killed with every process it had once its first record was stored."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    root = tmp_path_factory.mktemp("killed")
    run = Place(root, subprocess.CompletedProcess([], 0))
    process = subprocess.Popen(
        [COMMAND, "run", str(tiny), "--workers", "1"], cwd=root, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    started: set[int] = set()
    addresses: set[str] = set()
    try:
        deadline = time.monotonic() + 100
        while not run.manifests() and process.poll() is None and time.monotonic() < deadline:
            started = descendants(process.pid)
            addresses |= listeners(started | {process.pid})
            time.sleep(0.02)
    finally:
        started |= descendants(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        for pid in started:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()
    time.sleep(0.2)
    yield Killed(root, {m: (m.stat().st_ino, m.stat().st_mtime_ns) for m in run.manifests()}, addresses)
    shutil.rmtree(root, ignore_errors=True)


def test_a_local_run_listens_on_the_loopback_only(killed: Killed) -> None:
    assert killed.addresses, "Ray listens somewhere"
    assert killed.addresses <= LOOPBACK


def test_a_killed_run_goes_on(killed: Killed, place: Place, tiny: Path, ganaug: Ganaug) -> None:
    assert 1 <= len(killed.stored) < N_CELLS
    resumed = Place(killed.root, ganaug("run", tiny, "--workers", 1, cwd=killed.root))
    assert resumed.done.returncode == 0, resumed.done.stderr
    assert_same_results(resumed, place)
    assert resumed.summary["computed"]["measure"] == N_CELLS - len(killed.stored)
    assert {m: (m.stat().st_ino, m.stat().st_mtime_ns) for m in killed.stored} == killed.stored
    assert len(resumed.manifests()) == N_CELLS


def test_a_cell_that_fails_leaves_the_others_alone(tiny: Path, ganaug: Ganaug, tmp_path: Path) -> None:
    """No machine has the memory for the second width."""
    widths = ("--set", "factors.classifier.width=[8, 1000000000000000]")
    one = ("--set", "n_real=[3]", "--set", "seed=[0]", "--set", "n_gen=[0]")
    run = Place(tmp_path, ganaug("run", tiny, "--workers", 1, *one, *widths, cwd=tmp_path))
    assert run.done.returncode == 1, run.done.stderr
    assert "1 cells failed" in run.done.stdout
    assert "--set 'factors.classifier.width=[8, 1000000000000000]'" in run.done.stdout, "to be pasted"
    assert "Traceback" not in run.done.stderr
    records = run.records().set_index("classifier.width")
    assert records["status"].to_dict() == {8: "ok", 10**15: "failed"}
    assert records["accuracy"].notna().tolist() == [True, False]
    assert "RuntimeError" in records.loc[10**15, "reason"]
    (why,) = json.loads((run.folder / "failures.json").read_text()).values()
    assert "Traceback" in why
    assert run.summary["status"] == "partial"
    assert run.summary["cells"]["failed"] == 1
    assert len(run.manifests()) == 1, "a failure is not a record: the same command tries again"
