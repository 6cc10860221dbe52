"""Runs a study on several Ray nodes of this machine, adds one meanwhile and kills one, and compares the records.

    python benchmarks/nodes.py [--cells 24]

Every node has an address of its own (127.0.0.2, …), a working directory of its own and one CPU; the head has none, as
in cluster.yaml. Token authentication is on. Only the store is common to them.
"""

import argparse
import ctypes
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

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


class Nodes:
    """Ray nodes on this machine's loopback, kept by a child process. Without `token` they let in everybody."""

    def __init__(self, folder: Path, token: bool = True) -> None:
        self.folder, self.token = folder, folder / "token" if token else None
        self._child: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> "Nodes":
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.token:
            self.token.touch(mode=0o600)
            self.token.write_text(secrets.token_hex(32) + "\n")
        self._child = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(self.folder / "nodes.log").open("w"),
            text=True, env=self.environment(), start_new_session=True,
        )  # fmt: skip
        self.address = self._answer()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._child is not None
        self._child.communicate(timeout=60)

    def environment(self) -> dict[str, str]:
        """What a driver needs to join: the token, if there is one."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GANAUG_"))}
        kept |= {"PYTHONPATH": str(Path(__file__).parents[1]), "RAY_USAGE_STATS_ENABLED": "0", "COLUMNS": "120"}
        if self.token is None:
            return kept | {"RAY_AUTH_MODE": "disabled"}
        return kept | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token)}

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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
