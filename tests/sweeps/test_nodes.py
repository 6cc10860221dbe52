"""Several Ray nodes on one machine (benchmarks/nodes.py): a token, a head without CPUs, only the store in common."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tiny_run import COMMAND, N_CELLS, Place

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 and further are Linux's")


def _benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("nodes", ROOT / "benchmarks/nodes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = _benchmark()
SEARCH = ("--set", "search.settings.n_real=3", "--set", "search.settings.n_gen=6", "--steps", "2", "--no-confirm")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head, and one node with a CPU; tests add and kill others."""
    with BENCHMARK.Nodes(tmp_path_factory.mktemp("nodes") / "cluster") as started:
        started.first = started.add()
        yield started


@pytest.fixture
def start(nodes: Any, tiny: Path, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `ganaug` in a folder of this test's: `start("run", ..., TOKEN=...)`, further variables by name."""
    began = []

    def begin(command: str, *arguments: Any, **variables: str) -> "subprocess.Popen[str]":
        store = ["--store", str(tmp_path / "runs/store")]
        environment = nodes.environment() | variables
        process = subprocess.Popen(
            [COMMAND, command, str(tiny), "--address", nodes.address, *store, *map(str, arguments)],
            cwd=tmp_path, env={k: v for k, v in environment.items() if v}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        began.append(process)
        return process

    yield begin
    for process in began:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ends(process: "subprocess.Popen[str]", timeout: float = 300) -> "subprocess.CompletedProcess[str]":
    told, wrong = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, told, wrong)


def refusal(process: "subprocess.Popen[str]") -> str:
    """The one line of a run that is refused; above it there may be a progress bar."""
    done = ends(process)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1].removeprefix("error: ")


def until(true: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = 240) -> None:
    """Wait for something to become true while a process runs."""
    end = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_token_is_wanted(nodes: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    here = f"--address {nodes.address}: the cluster at {nodes.address}"
    none = {"RAY_AUTH_TOKEN_PATH": "", "RAY_AUTH_MODE": "", "HOME": str(tmp_path)}
    assert refusal(start("run", **none)) == (
        f"{here} wants a token and there is none here; put its own into {tmp_path}/.ray/auth_token, mode 0600"
    )
    token = tmp_path / "token"
    token.write_text("b" * 64)
    token.chmod(0o640)
    assert refusal(start("run", RAY_AUTH_TOKEN_PATH=str(token))) == (
        f"{token}: holds the cluster's token, and others can read it (mode 0640): chmod 600 {token}"
    )
    token.chmod(0o600)
    assert refusal(start("search", *SEARCH, RAY_AUTH_TOKEN_PATH=str(token), RAY_AUTH_MODE="")) == (
        f"{here} does not take the token that is here; it must be its own"
    )


def test_a_node_that_comes_is_used_and_one_that_goes_loses_nothing(
    nodes: Any, start: Callable[..., Any], place: Place, tmp_path: Path
) -> None:
    here = Place(tmp_path, place.done)
    process = start("run")
    until(lambda: any((tmp_path / "runs/store/manifests/fit_gan").glob("??/*.json")), process)
    second = nodes.add()
    until(lambda: bool(here.manifests()), process)
    before = {path: path.read_bytes() for path in here.manifests()}
    nodes.kill(nodes.first)
    nodes.first, lost = second, nodes.first
    done = ends(process)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert len(here.manifests()) == N_CELLS
    assert set(here.summary["nodes"]) == {lost, second}
    assert not list((tmp_path / "runs/store/probes").iterdir())
    pd.testing.assert_frame_equal(here.records(), place.records(), check_exact=True)


def test_what_is_awaited_is_said(nodes: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    process = start("run", "--set", "resources.device=cuda", "--gpus-per-trial", 0.5)
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if "waiting" in line:
            break
    assert lines[-1].strip() == (
        "waiting for a worker with 1 CPU and 0.5 GPU: the cluster has workers, and none with as much (at most 0 GPU); "
        "Ctrl-C stops, nothing is lost"
    )
    process.send_signal(signal.SIGINT)
    done = ends(process)
    assert done.returncode == 130
    assert "Interrupted; nothing finished is lost." in done.stdout


def test_a_search_runs_on_the_cluster(nodes: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    done = ends(start("search", *SEARCH))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "runs/tiny-search/search/search.json").read_text())
    assert found["best"] is not None


def _may_hide() -> bool:
    """Whether this process may have a file system of its own; a child tries."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True) if shutil.which("unshare") else None
    return tried is not None and tried.returncode == 0


@pytest.mark.skipif(not _may_hide(), reason="hiding a folder from a node needs the right to mount")
def test_a_node_that_does_not_see_the_store_is_named(nodes: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    store = tmp_path / "runs/store"
    store.mkdir(parents=True)
    blind = nodes.add(hide=store)
    told = refusal(start("run"))
    assert told.startswith(f"--store {store}: node {blind} (")
    assert told.endswith(
        ") does not see what the driver writes there; give a directory that all nodes mount (NFS), or s3://…"
    )


def test_a_cluster_that_lets_in_everybody_is_refused(tiny: Path, tmp_path: Path) -> None:
    with BENCHMARK.Nodes(tmp_path / "cluster", token=False) as nodes:
        nodes.add()
        command = [COMMAND, "run", tiny, "--address", nodes.address, "--set", "n_real=[3]", "--set", "n_gen=[0]"]

        def run(*more: str) -> "subprocess.CompletedProcess[str]":
            environment = nodes.environment() | {"HOME": str(tmp_path)}
            del environment["RAY_AUTH_MODE"]
            return subprocess.run([*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True)

        refused = run()
        assert refused.returncode == 2
        assert refused.stderr == (
            f"error: --address {nodes.address}: the cluster at {nodes.address} wants no token: "
            "whoever reaches it can run code on it; restart it with RAY_AUTH_MODE=token (docs/cluster.md), "
            "or say --allow-unauthenticated-cluster\n"
        )
        assert not (tmp_path / "runs").exists()
        done = run("--allow-unauthenticated-cluster")
        assert done.returncode == 0, done.stderr


def test_where_nobody_answers(tmp_path: Path, tiny: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    for address, why in (
        ("127.0.0.9:1", "no cluster answers (Connection refused); start one (docs/cluster.md) or leave it out"),
        (
            "ray://head:10001",
            "a study runs on a node of the cluster, not through Ray Client; "
            "log in there (`ray attach`) and give --address auto",
        ),
    ):
        done = subprocess.run(
            [COMMAND, "run", tiny, "--address", address], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (2, f"error: --address {address}: {why}\n")
