"""Runs a study on several Ray nodes of this machine, adds one meanwhile and kills one, and compares the records.

    python benchmarks/nodes.py [--seeds 6] [--steps 300]

Every node has an address of its own (127.0.0.2, …), a working directory of its own and one CPU; the head has none, as
in cluster.yaml. Token authentication is on. Only the store is common to them.
"""

import argparse
import ctypes
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

STUDY = """\
dataset: {{name: digits, test_per_class: 70, validation_per_class: 10}}
factors: {{n_real: [3], n_gen: [0, 6], threshold: [0, 0.5], seed: {seeds}}}
gan: {{name: projection, steps: {steps}, width: 8, discriminator_width: 8}}
pool: {{chunk: 10, max_per_class: 20}}
classifier: {{steps: {steps}, width: 8}}
"""


def study(seeds: int, steps: int) -> str:
    """A study of three cells a seed, each of so many steps of training."""
    return STUDY.format(seeds=list(range(seeds)), steps=steps)


def clean_environment() -> dict[str, str]:
    """This process's variables, without what a user may have set for ganaug or Ray."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GANAUG_"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1]), "RAY_USAGE_STATS_ENABLED": "0", "COLUMNS": "120"}


class Nodes:
    """Ray nodes on this machine's loopback, kept by a child process. Without `token` they let in everybody."""

    def __init__(self, folder: Path, token: bool = True) -> None:
        self.folder, self.token = folder, folder / "token" if token else None
        self._child: subprocess.Popen[str] | None = None
        # in /tmp/ray they would be the cluster that others on this machine find; a socket's path must be short
        self._temporary = tempfile.TemporaryDirectory(prefix="nodes-", dir="/tmp", ignore_cleanup_errors=True)
        self.address = ""

    def __enter__(self) -> "Nodes":
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.token:
            self.token.touch(mode=0o600)
            self.token.write_text(secrets.token_hex(32) + "\n")
        self._child = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(self.folder / "nodes.log").open("w"),
            text=True, env=self.environment() | {"RAY_TMPDIR": self._temporary.name}, start_new_session=True,
        )  # fmt: skip
        self.address = self._answer()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._child is not None
        self._child.communicate(timeout=60)
        self._temporary.cleanup()

    def environment(self) -> dict[str, str]:
        """What a driver needs to join: the token, if there is one."""
        if self.token is None:
            return clean_environment() | {"RAY_AUTH_MODE": "disabled"}
        return clean_environment() | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token)}

    def _answer(self) -> str:
        assert self._child is not None
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.startswith("nodes: "):
                return line.removeprefix("nodes: ").strip()
        raise SystemExit(f"the nodes' process ended:\n{(self.folder / 'nodes.log').read_text()}")

    def _tell(self, command: str) -> str:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(command + "\n")
        self._child.stdin.flush()
        return self._answer()

    def add(self, hide: Path | None = None) -> str:
        """Start a node of one CPU; returns its address. Where the folder `hide` is, it and all later nodes see an
        empty one, as if they had not mounted it (needs root)."""
        return self._tell(f"add {hide or ''}")

    def kill(self, address: str) -> None:
        """End a node's processes at once, as a spot machine that is taken away."""
        self._tell(f"kill {address}")


def mount_empty(folder: str) -> None:
    """Lay an empty file system over a folder, seen by this process and those that it starts from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespace, private, recursive = 0x20000, 1 << 18, 1 << 14
    for failed in (
        libc.unshare(new_namespace),
        libc.mount(b"none", b"/", None, private | recursive, None),
        libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"size=16m"),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def serve(folder: Path) -> None:
    """The child: a head without CPUs, and nodes as they are asked for on standard input."""
    from ray.cluster_utils import Cluster

    def told(text: object) -> None:
        print(f"nodes: {text}", flush=True)

    def own_directory(address: str) -> None:
        place = folder / address
        place.mkdir(exist_ok=True)
        os.chdir(place)

    own_directory("127.0.0.2")
    shared: dict[str, Any] = {"include_dashboard": False, "object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=shared | {"num_cpus": 0, "node_ip_address": "127.0.0.2"})
    told(cluster.address)
    nodes: dict[str, Any] = {}
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "add":
            address = f"127.0.0.{3 + len(nodes)}"
            own_directory(address)
            if rest:
                mount_empty(rest)
            nodes[address] = cluster.add_node(**shared, num_cpus=1, node_ip_address=address)
            told(address)
        elif command == "kill":
            cluster.remove_node(nodes[rest], allow_graceful=False)
            told(rest)
    cluster.shutdown()


class Run:
    """One run of the study on a cluster, in a folder of its own, watched while it goes on."""

    def __init__(self, folder: Path, nodes: Nodes | None) -> None:
        self.folder = folder
        at = ["--address", nodes.address] if nodes else ["--workers", "1"]
        environment = nodes.environment() if nodes else clean_environment()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sweeps.cli", "run", str(folder.parent / "nodes.yaml"), *at,
             "--store", "store", "--out", "run", "--track", "none"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def finished(self) -> dict[str, bytes]:
        """The records in the store: their manifests, by name."""
        found = (self.folder / "store/manifests/measure").glob("??/*.json")
        return {path.name: path.read_bytes() for path in found}

    def until(self, cells: int) -> None:
        """Wait until so many cells are finished."""
        while len(self.finished()) < cells:
            if self.process.poll() is not None:
                raise SystemExit(f"the run ended too early:\n{self.process.communicate()[0]}")
            time.sleep(0.1)

    def end(self) -> tuple[float, pd.DataFrame, dict[str, int]]:
        """Seconds, the records but for their clocks, and steps by node."""
        told, _ = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(f"the run failed:\n{told}")
        table = pd.read_parquet(self.folder / "run/records.parquet")
        summary = json.loads((self.folder / "run/summary.json").read_text())
        clocks = [column for column in table if column.startswith("seconds_")]
        return summary["seconds"], table.drop(columns=clocks), summary["nodes"]


def main(seeds: int, steps: int) -> None:
    """Every case in turn; ends with an error if a record differs or is lost."""
    root = Path(tempfile.mkdtemp(prefix="nodes-"))
    (root / "nodes.yaml").write_text(study(seeds, steps))
    cells = 3 * seeds

    def run(name: str, nodes: Nodes | None) -> Run:
        (root / name).mkdir()
        return Run(root / name, nodes)

    seconds, wanted, _ = run("alone", None).end()
    print(f"this machine alone, 1 trial at a time: {cells} cells, {seconds:.0f} s", flush=True)
    for case in ("one node", "two nodes", "one node, another joins", "two nodes, one is killed"):
        lost = 0
        with Nodes(root / f"cluster of {case}") as nodes:
            first = nodes.add()
            if case.startswith("two"):
                nodes.add()
            started = run(case, nodes)
            if case.endswith("joins"):
                started.until(cells // 4)
                nodes.add()
            if case.endswith("killed"):
                started.until(cells // 4)
                nodes.kill(first)
                before = started.finished()
            seconds, table, steps_by_node = started.end()
            if case.endswith("killed"):
                after = started.finished()
                lost = sum(after.get(name) != record for name, record in before.items())
        same = table.equals(wanted)
        told = ", ".join(f"{address} {n}" for address, n in steps_by_node.items())
        equal = "equal" if same else "DIFFERENT"
        print(f"{case}: {seconds:.0f} s, steps by node {told}; {lost} records lost, all {equal}", flush=True)
        if lost or not same:
            raise SystemExit(f"left in {root}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, default=6, help="three cells each")
    parser.add_argument("--steps", type=int, default=300, help="of training a GAN and a classifier")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    else:
        main(given.seeds, given.steps)
