"""A store in a bucket, against a real server on the loopback: what holds of a directory holds here."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import s3_server
from s3_server import FAULTS, Proxy
from test_store import DAMAGE, OTHER, STAGE, made, same
from tiny_run import COMMAND, N_CELLS, Place
from tiny_run import environment as clean

from ganaug.artifact import Artifact
from ganaug.errors import Unreachable, UserError
from ganaug.failpoints import VARIABLE
from ganaug.stages import TrainImages
from sweeps.store import Store, s3
from sweeps.store.s3 import MARK, Bucket

BUCKET = "laboratory"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with s3_server.serving() as endpoint:
        s3_server.make_bucket(endpoint, BUCKET)
        yield endpoint


@pytest.fixture
def uri(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A prefix of this test's own."""
    for name in [k for k in os.environ if k.startswith("AWS_") and k != "AWS_CA_BUNDLE"]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environment(server).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{abs(hash(request.node.nodeid))}"


@pytest.fixture
def bucket(uri: str) -> Store:
    return Store(uri)


@pytest.fixture
def broken(server: str, uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that breaks nothing yet; stores that are opened now stand behind it, and wait half a second."""
    monkeypatch.setenv("GANAUG_S3_TIMEOUT", "0.5")
    with Proxy(server, patience=0.5) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def numbered(i: int) -> TrainImages:
    return TrainImages(f"{i:064}")


def manifest(stage: TrainImages) -> str:
    return f"manifests/{stage.kind()}/{stage.key[:2]}/{stage.key}.json"


def test_what_is_published_is_loaded(bucket: Store) -> None:
    cost = {STAGE.key: ("train_images", 1.5)}
    assert bucket.load(STAGE) is None
    assert not bucket.has(STAGE)
    assert bucket.keys("train_images") == set()
    bucket.publish(STAGE, made(), cost)
    assert bucket.has(STAGE)
    assert same(bucket.load(STAGE), made())
    assert bucket.load(STAGE)[1] == cost
    assert bucket.keys("train_images") == {STAGE.key}
    assert same(Store(bucket.uri, read_only=True).load(STAGE), made())
    assert {name.partition("/")[0] for name in bucket.place.names("blobs")} == {"blobs"}


def test_the_first_writer_wins_and_the_second_takes_over_what_is_there(bucket: Store) -> None:
    assert same(bucket.publish(STAGE, made(0), {}), made(0))
    assert same(bucket.publish(STAGE, made(1), {}), made(0))
    assert same(bucket.load(STAGE), made(0))


@pytest.mark.parametrize("one_put", [s3.ONE_PUT, 5 << 20])
def test_an_artifact_of_many_megabytes(one_put: int, bucket: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one request, or in parts of 5 MiB and more."""
    monkeypatch.setattr(s3, "ONE_PUT", one_put)
    large = Artifact({"a": np.random.default_rng(0).integers(0, 256, 12 << 20, np.uint8)}, {})
    bucket.publish(STAGE, large, {})
    assert same(bucket.load(STAGE), large)


def test_a_listing_has_many_pages(bucket: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(10):
        bucket.publish(numbered(i), made(), {})
    monkeypatch.setattr(s3, "PAGE", 3)
    assert bucket.keys("train_images") == {numbered(i).key for i in range(10)}


@pytest.mark.parametrize("where", ["blobs", "manifests"])
@pytest.mark.parametrize("harm", DAMAGE, ids=lambda harm: harm.__name__)
def test_damage_is_never_read_and_can_be_repaired(
    bucket: Store, harm: Callable[[bytes, int], bytes], where: str
) -> None:
    bucket.publish(STAGE, made(), {})
    (name,) = bucket.place.names(where)
    bucket.place.put(name, harm(bucket.place.read(name), 1234), replace=True)
    assert bucket.load(STAGE) is None
    assert not bucket.has(STAGE), "planned again"
    assert len(list(bucket.damaged())) == 1
    assert same(bucket.publish(STAGE, made(), {}), made())
    assert same(bucket.load(STAGE), made())


def test_a_damaged_winner_is_set_aside_for_the_one_who_comes_second(bucket: Store) -> None:
    bucket.publish(STAGE, made(0), {})
    bucket.place.put(manifest(STAGE), b"{}", replace=True)
    assert same(bucket.publish(STAGE, made(1), {}), made(1))
    assert same(bucket.load(STAGE), made(1))


def test_what_another_writer_has_repaired_meanwhile_is_not_set_aside(bucket: Store, broken: Proxy) -> None:
    """A slow reader of a damaged manifest must not take away the good one that came after it."""
    slow = Store(bucket.uri)
    bucket.publish(STAGE, made(), {})
    good = bucket.place.read(manifest(STAGE))
    bucket.place.put(manifest(STAGE), b"{}", replace=True)
    copied = threading.Event()

    def repair(method: str, path: str) -> bool:
        if method == "DELETE" and not copied.is_set():
            copied.set()
            bucket.place.put(manifest(STAGE), good, replace=True)
        return False

    broken.only = repair
    assert slow.load(STAGE) is None
    assert copied.is_set()
    assert same(bucket.load(STAGE), made())


def test_progress_is_kept_replaced_and_dropped_once_published(bucket: Store) -> None:
    assert bucket.load_progress(STAGE.key) is None
    for step in (1, 2):
        bucket.save_progress(STAGE.key, {"step": np.array(step)})
    assert int(bucket.load_progress(STAGE.key)["step"]) == 2
    bucket.place.put(f"checkpoints/{STAGE.key}", b"junk", replace=True)
    assert bucket.load_progress(STAGE.key) is None
    bucket.publish(STAGE, made(), {})
    assert list(bucket.place.names("checkpoints")) == []


def test_eight_threads_that_publish_the_same(bucket: Store, broken: Proxy) -> None:
    store, got = Store(bucket.uri), {}
    ready = threading.Barrier(8)

    def write(seed: int) -> None:
        ready.wait()
        for i in range(10):
            got[seed, i] = store.publish(numbered(i), made(seed), {})

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 80
    for i in range(10):
        there = bucket.load(numbered(i))
        assert any(same(there, made(seed)) for seed in range(8))
        assert all(same(got[seed, i], there[0]) for seed in range(8)), "whoever lost has the winner's"
    of_manifests = {path: n for path, n in broken.created.items() if "/manifests/" in path}
    assert list(of_manifests.values()) == [1] * 10, "one version of each was ever put"


WRITER = """
import sys, time
sys.path.insert(0, sys.argv[4])
from test_store import made
from test_store_s3 import numbered
from sweeps.store import Store
store, seed, start = Store(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
time.sleep(max(0, start - time.time()))
for i in range(30):
    store.publish(numbered(i), made(seed), {})
"""


def child(*arguments: object, **more: str) -> "subprocess.Popen[bytes]":
    aws = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    timeout = {"GANAUG_S3_TIMEOUT": os.environ.get("GANAUG_S3_TIMEOUT", "60")}
    return subprocess.Popen([sys.executable, "-c", *map(str, arguments)], env=clean() | aws | timeout | more)


def test_two_processes_that_publish_the_same(bucket: Store, broken: Proxy) -> None:
    start = time.time() + 4
    writers = [child(WRITER, bucket.uri, seed, start, Path(__file__).parent) for seed in (1, 2)]
    assert [w.wait(60) for w in writers] == [0, 0]
    for i in range(30):
        assert any(same(bucket.load(numbered(i)), made(seed)) for seed in (1, 2))
    assert sorted(set(broken.created.values())) == [1]
    assert sum(broken.refused.values()) >= 1, "they met"


@pytest.mark.parametrize("point", ["blobs.begun", "blobs.placed", "manifests.begun", "manifests.placed"])
def test_a_writer_killed_at_any_point_leaves_an_artifact_whole_or_none(point: str, bucket: Store) -> None:
    code = WRITER.replace("range(30)", "range(1)")
    killed = child(code, bucket.uri, 0, 0, Path(__file__).parent, **{VARIABLE: f"{point}=kill"})
    assert killed.wait(60) == -signal.SIGKILL
    found = bucket.load(numbered(0))
    assert (found is not None) == (point == "manifests.placed")
    assert list(bucket.damaged()) == []
    bucket.publish(numbered(0), made(), {})
    assert same(bucket.load(numbered(0)), made())


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_overcome(fault: str, bucket: Store, broken: Proxy) -> None:
    store = Store(bucket.uri)
    broken.faults, broken.rate = (fault,), 0.35
    for i in range(4):
        assert same(store.publish(numbered(i), made(i), {}), made(i))
        store.save_progress("progress", {"step": np.array(i)})
    assert all(same(found, made(i)) for i, found in enumerate(store.load_many(map(numbered, range(4)))))
    assert int(store.load_progress("progress")["step"]) == 3
    assert store.keys("train_images") == {numbered(i).key for i in range(4)}
    broken.rate = 0.0
    assert sum(broken.done.values()) >= 3
    assert set(broken.created.values()) == {1}
    assert list(store.damaged()) == []


@pytest.mark.parametrize("fault", ["answer lost", "answer late"])
def test_a_put_whose_answer_is_lost_is_a_success(fault: str, bucket: Store, broken: Proxy) -> None:
    """The server did it; asked again it says that the manifest is there, which is what was wanted."""
    store, hit = Store(bucket.uri), []

    def first_manifest(method: str, path: str) -> bool:
        if method == "PUT" and "/manifests/" in path and not hit:
            hit.append(path)
            return True
        return False

    broken.faults, broken.rate, broken.only = (fault,), 1.0, first_manifest
    assert same(store.publish(STAGE, made(), {}), made())
    assert hit
    assert broken.created[hit[0]] == 1
    assert broken.refused[hit[0]] >= 1
    assert same(bucket.load(STAGE), made())


def test_a_server_that_is_gone_is_one_line_and_not_a_missing_artifact(
    bucket: Store, broken: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    store = Store(bucket.uri)
    store.publish(STAGE, made(), {})
    broken.faults, broken.rate = ("500",), 1.0
    for ask in (lambda: store.load(STAGE), lambda: store.has(STAGE), lambda: store.keys("train_images")):
        with pytest.raises(Unreachable, match=rf"^--store {store.uri}: no good answer, asked again and again: "):
            ask()
    with pytest.raises(Unreachable):
        store.publish(OTHER, made(), {})
    broken.rate = 0.0
    assert same(store.load(STAGE), made())
    assert store.load(OTHER) is None


def test_a_server_that_knows_no_conditions_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    real = s3fs.S3FileSystem._pipe_file

    async def replacing(*arguments: Any, **more: Any) -> Any:
        return await real(*arguments, **more | {"mode": "overwrite"})

    monkeypatch.setattr(s3fs.S3FileSystem, "_pipe_file", replacing)
    with pytest.raises(UserError) as error:
        Store(uri)
    assert str(error.value) == (
        f"--store {uri}: the server replaces what must not be replaced (If-None-Match is ignored); take one that knows "
        "conditional writes, as Amazon S3 does"
    )


def test_a_fork_makes_connections_of_its_own(bucket: Store) -> None:
    """As a worker may that was forked from a process which had used its store."""
    bucket.publish(STAGE, made(), {})
    child = os.fork()
    if not child:
        os._exit(0 if same(bucket.load(STAGE), made()) else 1)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            assert status == 0
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


RULE = "must be s3://bucket/prefix, of letters, digits and !.*'()=_-"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("s3://", f"--store s3://: {RULE}"),
        ("s3://LAB/x", f"--store s3://LAB/x: {RULE}"),
        ("s3://lab/../x", f"--store s3://lab/../x: {RULE}"),
        ("s3://lab/a?b", f"--store s3://lab/a?b: {RULE}"),
        (
            "s3://key:secret@lab/x",
            "--store s3://…@…: must hold no credentials; write s3://bucket/prefix and leave them to the environment "
            "(AWS_PROFILE, AWS_ACCESS_KEY_ID, a role)",
        ),
        ("s3://nobodys/x", "--store s3://nobodys/x: there is no bucket nobodys; make it first"),
    ],
)
def test_places_that_cannot_be_a_store(place: str, told: str, uri: str) -> None:
    with pytest.raises(UserError) as error:
        Store(place)
    assert str(error.value) == told
    assert "secret" not in str(error.value)


def test_a_bucket_that_is_gone_is_told_to_onlookers_too(uri: str) -> None:
    with pytest.raises(UserError, match=r"there is no bucket nobodys; make it first$"):
        Store("s3://nobodys/x", read_only=True).keys("measure")


def test_a_conflict_of_two_conditions_is_tried_again(bucket: Store, broken: Proxy) -> None:
    """S3 says 409 where it could not decide between two that came at once."""
    store = Store(bucket.uri)
    broken.faults, broken.rate, broken.only = ("409",), 0.5, lambda method, _: method == "PUT"
    for i in range(6):
        store.publish(numbered(i), made(i), {})
    assert broken.done["409"] >= 3
    assert all(same(found, made(i)) for i, found in enumerate(bucket.load_many(map(numbered, range(6)))))


@pytest.mark.parametrize(
    ("fault", "code", "what_to_do"),
    [
        (
            "403",
            "AccessDenied",
            "these credentials must be allowed to list the bucket and to get, put and delete its objects",
        ),
        ("expired", "ExpiredToken", "renew the credentials and give the same command again"),
        ("wrong clock", "RequestTimeTooSkewed", "set this machine's clock, which is more than 15 minutes wrong"),
    ],
)
def test_a_refusal_is_told_at_once(fault: str, code: str, what_to_do: str, bucket: Store, broken: Proxy) -> None:
    broken.faults, broken.rate = (fault,), 1.0
    with pytest.raises(UserError) as error:
        Store(bucket.uri)
    assert str(error.value) == f"--store {bucket.uri}: the server refuses it ({code}); {what_to_do}"
    assert broken.requests.total() == 1, "nothing is gained by asking again"


def test_no_credentials(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(UserError) as error:
        Store(uri)
    assert str(error.value) == (
        f"--store {uri}: Unable to locate credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or run where a role gives them"
    )


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "inf", "nan"])
def test_a_timeout_that_is_none(seconds: str, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANAUG_S3_TIMEOUT", seconds)
    with pytest.raises(UserError) as error:
        Store(uri)
    assert str(error.value) == f"GANAUG_S3_TIMEOUT: must be a number of seconds above 0, got {seconds}"


def test_without_s3fs_it_is_said_how_to_get_it(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(UserError) as error:
        Store(uri)
    assert str(error.value) == f"--store {uri}: needs the package s3fs; pip install 'ganaug[s3]'"


def test_the_mark_is_no_artifact(bucket: Store) -> None:
    assert Bucket(bucket.uri).exists(MARK)
    assert not [name for folder in ("blobs", "manifests", "checkpoints") for name in bucket.place.names(folder)]


def run(cwd: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    aws = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=600, env=clean() | aws
    )


def test_a_run_in_a_bucket_gives_the_records_of_a_run_in_a_directory(
    uri: str, tiny: Path, place: Place, tmp_path: Path
) -> None:
    """Two workers, each with connections of its own; then everything that opens a store opens this one."""
    done = run(tmp_path, "run", tiny, "--workers", 2, "--store", uri)
    assert done.returncode == 0, done.stderr
    there = Place(tmp_path, done)
    assert there.summary["store"] == uri
    assert there.records().equals(place.records())
    assert len(Store(uri).keys("measure")) == N_CELLS
    everything = (
        done.stdout + done.stderr + "".join(p.read_text(errors="ignore") for p in tmp_path.rglob("*") if p.is_file())
    )
    assert s3_server.CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in everything
    status = run(tmp_path, "status", "runs/tiny")
    assert status.stdout.startswith(f"tiny: {N_CELLS} of {N_CELLS} cells done, 0 missing")
    exported = run(tmp_path, "export", "runs/tiny", "--best", "--to", "best")
    assert exported.returncode == 0, exported.stderr
    checked = run(tmp_path, "store", "check", "--store", uri)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.startswith(f"{uri}: whole: ")


def test_a_server_that_nobody_answers_for(
    uri: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = run(tmp_path, "run", tiny, "--store", uri)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: --store {uri}: no good answer, asked again and again: ")
    assert last.endswith("; nothing finished is lost, the same command goes on from it")
    assert "Traceback" not in done.stderr
