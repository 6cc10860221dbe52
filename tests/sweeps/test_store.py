"""The store gives back what was put in, or nothing: never something else."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_run import environment

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.failpoints import STORE_POINTS, VARIABLE
from ganaug.stages import TestImages, TrainImages
from sweeps.store import Store

STAGE, OTHER = TrainImages("a" * 64), TrainImages("b" * 64)


def made(seed: int = 0) -> Artifact:
    rng = np.random.default_rng(seed)
    arrays = {"images": rng.integers(0, 256, (4, 1, 5, 3), np.uint8), "scores": rng.normal(size=7).astype(np.float32)}
    arrays |= {"step": np.array(seed), "none": np.empty((0, 3)), "turned": np.arange(6).reshape(2, 3).T}
    return Artifact(arrays, {"classes": ["ä", "b"], "slope": 0.1 + seed, "why": ""})


def same(found: tuple[Artifact, object] | None, artifact: Artifact) -> bool:
    if found is None or found[0].facts != artifact.facts or found[0].arrays.keys() != artifact.arrays.keys():
        return False
    pairs = [(found[0].arrays[k], artifact.arrays[k]) for k in artifact.arrays]
    return all(np.array_equal(a, b) and a.dtype == b.dtype and a.shape == b.shape for a, b in pairs)


def files(store: Store, kind: str) -> list[Path]:
    return sorted(p for p in (store.place.root / kind).rglob("*") if p.is_file())


def test_what_is_published_is_loaded(store: Store) -> None:
    cost = {STAGE.key: ("train_images", 1.5)}
    assert store.load(STAGE) is None
    assert not store.has(STAGE)
    store.publish(STAGE, made(), cost)
    assert store.has(STAGE)
    assert same(store.load(STAGE), made())
    assert store.load(STAGE)[1] == cost
    assert store.keys("train_images") == {STAGE.key}
    assert store.load(OTHER) is None
    assert same(Store(store.place.root).load(STAGE), made())


def test_the_first_writer_wins(store: Store) -> None:
    store.publish(STAGE, made(0), {})
    before = [(p, p.stat().st_ino) for p in files(store, "manifests")]
    store.publish(STAGE, made(1), {})
    assert same(store.load(STAGE), made(0))
    assert [(p, p.stat().st_ino) for p in files(store, "manifests")] == before


def test_equal_arrays_are_kept_once(store: Store) -> None:
    store.publish(STAGE, made(), {})
    store.publish(OTHER, made(), {})
    assert len(files(store, "blobs")) == 1


def truncated(data: bytes, at: int) -> bytes:
    return data[: at % len(data)]


def flipped(data: bytes, at: int) -> bytes:
    i, bit = (at // 8) % len(data), 1 << at % 8
    return data[:i] + bytes([data[i] ^ bit]) + data[i + 1 :]


def swapped(data: bytes, at: int) -> bytes:
    i, j = at % len(data), (at * 7 + 1) % len(data)
    out = bytearray(data)
    out[i], out[j] = out[j], out[i]
    return bytes(out)


def zeroed(data: bytes, at: int) -> bytes:
    i = at % len(data)
    return data[:i] + bytes(min(16, len(data) - i)) + data[i + 16 :]


def lengthened(data: bytes, at: int) -> bytes:
    return data + bytes(1 + at % 40)


DAMAGE = [truncated, flipped, swapped, zeroed, lengthened]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(harm=st.sampled_from(DAMAGE), at=st.integers(0, 1 << 20), where=st.sampled_from(["blobs", "manifests"]))
def test_damage_is_never_read_and_can_be_repaired(
    tmp_path_factory: pytest.TempPathFactory, harm: Callable[[bytes, int], bytes], at: int, where: str
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.publish(STAGE, made(), {})
    (path,) = files(store, where)
    whole = path.read_bytes()
    path.write_bytes(harm(whole, at))
    found = store.load(STAGE)
    if path.exists() and path.read_bytes() == whole:
        assert same(found, made())
    elif found is not None:  # JSON can be spelt in other ways; the checksum is over what it says
        assert where == "manifests"
        assert same(found, made())
    else:
        assert not store.has(STAGE), "planned again"
        assert len(list(store.damaged())) == 1
    store.publish(STAGE, made(), {})
    assert same(store.load(STAGE), made())


@pytest.mark.parametrize(
    "junk", [b"", b"[]", b"[1]", b"3", b'"x"', b"null", b"{}", b'{"check": 1}', b"\xff", b"[" * 100_000]
)
def test_a_manifest_that_is_none_is_set_aside(store: Store, junk: bytes) -> None:
    store.publish(STAGE, made(), {})
    (path,) = files(store, "manifests")
    path.write_bytes(junk)
    assert store.load(STAGE) is None
    assert not path.exists()


def test_artifacts_in_each_others_place_are_not_taken(store: Store) -> None:
    store.publish(STAGE, made(0), {})
    store.publish(OTHER, made(1), {})
    mine, others = files(store, "manifests")
    mine.write_bytes(others.read_bytes())
    assert store.load(STAGE) is None
    mine, others = files(store, "blobs")
    mine.write_bytes(others.read_bytes())
    assert not same(store.load(OTHER), made(0))


def test_a_missing_blob_is_damage(store: Store) -> None:
    store.publish(STAGE, made(), {})
    files(store, "blobs")[0].unlink()
    assert store.load(STAGE) is None
    store.publish(STAGE, made(), {})
    assert same(store.load(STAGE), made())


def test_leftovers_are_not_artifacts(store: Store) -> None:
    store.publish(STAGE, made(), {})
    for path in [*files(store, "manifests"), *files(store, "blobs")]:
        path.with_name(f".{path.name}.0123456789ab").write_bytes(path.read_bytes()[:10])
    assert store.keys("train_images") == {STAGE.key}
    assert same(store.load(STAGE), made())


def test_publishing_leaves_no_temporary_files_and_no_pickle(store: Store) -> None:
    store.publish(STAGE, made(), {})
    store.save_progress(STAGE.key, {"step": np.array(3)})
    names = [p.name for p in store.place.root.rglob("*") if p.is_file()]
    assert not [n for n in names if n.startswith(".")]
    for path in (p for p in store.place.root.rglob("*") if p.is_file()):
        data = path.read_bytes()
        assert not data.startswith((b"\x80\x04", b"\x80\x05", b"PK")), path


def test_progress_is_kept_replaced_and_dropped_once_published(store: Store) -> None:
    assert store.load_progress(STAGE.key) is None
    for step in (1, 2):
        store.save_progress(STAGE.key, {"step": np.array(step), "weights": np.full(3, step, np.float32)})
    state = store.load_progress(STAGE.key)
    assert int(state["step"]) == 2
    assert state["weights"].tolist() == [2, 2, 2]
    store.publish(STAGE, made(), {})
    assert store.load_progress(STAGE.key) is None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(harm=st.sampled_from(DAMAGE), at=st.integers(0, 1 << 20))
def test_damaged_progress_is_no_progress(
    tmp_path_factory: pytest.TempPathFactory, harm: Callable[[bytes, int], bytes], at: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.save_progress("k", {"step": np.array(7)})
    (path,) = files(store, "checkpoints")
    whole = path.read_bytes()
    path.write_bytes(harm(whole, at))
    found = store.load_progress("k")
    assert found is None if path.read_bytes() != whole else int(found["step"]) == 7


WRITER = """
import sys, time
import numpy as np
from ganaug.artifact import Artifact
from ganaug.stages import TrainImages
from sweeps.store import Store
store, seed, start = Store(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
time.sleep(max(0, start - time.time()))
for i in range(100):
    store.publish(TrainImages(str(i)), Artifact({"a": np.full(50, seed)}, {"seed": seed}), {})
"""


def test_two_processes_that_publish_the_same(store: Store) -> None:
    import time

    start = time.time() + 2
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store.place.root, str(seed), str(start)], env=environment())
        for seed in (1, 2)
    ]
    assert [w.wait(60) for w in writers] == [0, 0]
    for i in range(100):
        artifact, _ = store.load(TrainImages(str(i)))
        assert set(artifact.arrays["a"].tolist()) == {artifact.facts["seed"]}
    assert not list(store.damaged())
    assert not [p for p in store.place.root.rglob(".*") if p.is_file()]


def test_a_kind_of_its_own(store: Store) -> None:
    store.publish(STAGE, made(), {})
    assert store.load(TestImages("a" * 64)) is None
    assert store.keys("test_images") == set()


def test_places_that_cannot_be_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, told in (
        (
            "gs://me:secret@bucket/x",
            "--store gs://…: must be a directory that every node can reach, e.g. an NFS mount, file:///directory, or "
            "s3://bucket/prefix",
        ),
        (str(tmp_path / "file"), f"--store {tmp_path / 'file'}: cannot be made: File exists"),
    ):
        with pytest.raises(UserError) as error:
            Store(place)
        assert str(error.value) == told


@pytest.mark.parametrize("point", STORE_POINTS)
def test_a_writer_killed_at_any_point_leaves_an_artifact_whole_or_none(point: str, tmp_path: Path) -> None:
    """And what it left stands in nobody's way."""
    code = """\
import sys
sys.path.insert(0, sys.argv[2])
from test_store import STAGE, made
from sweeps.store import Store
store = Store(sys.argv[1])
store.save_progress(STAGE.key, {"weights": made().arrays["images"]})
store.publish(STAGE, made(), {})
"""
    command = [sys.executable, "-c", code, tmp_path, Path(__file__).parent]
    killed = subprocess.run(command, env=environment() | {VARIABLE: f"{point}=kill"})
    assert killed.returncode == -signal.SIGKILL, "the writer passes every point"
    store = Store(tmp_path)
    found = store.load(STAGE)
    assert found is None or same(found, made())
    assert (found is not None) == (point in ("manifests.placed", "manifests.kept"))
    assert list(store.damaged()) == []
    store.publish(STAGE, made(), {})
    assert same(store.load(STAGE), made())
