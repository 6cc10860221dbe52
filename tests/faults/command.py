"""A tiny study through the real command line: started in a session of its own, killed there, and what it leaves."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[2]
STUDY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3, 5], n_gen: [0, 6], threshold: [0, 0.5], seed: [0, 1]}
gan: {name: projection, steps: 4, width: 8, discriminator_width: 8}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 5, width: 8}
assess: null
"""
N_CELLS = 12
IDLE = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")  # processes that only wait for others
WAIT = 600  # seconds after which a run counts as hung


def environment(**more: str) -> dict[str, str]:
    """This process's, without what a user may have set for ganaug or Ray."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GANAUG_", "RAY_"))}
    return kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "120", "RAY_worker_niceness": "0"} | more


@dataclass
class Place:
    """A directory in which the study is run."""

    root: Path

    @classmethod
    def make(cls, root: Path, study: str = STUDY) -> "Place":
        root.mkdir(parents=True)
        (root / "tiny.yaml").write_text(study)
        return cls(root)

    @property
    def folder(self) -> Path:
        return self.root / "runs/tiny"

    @property
    def store(self) -> Path:
        return self.root / "runs/store"

    def start(self, *more: str, **variables: str) -> "subprocess.Popen[str]":
        """The run as a process that leads a session, so that its Ray can be found."""
        command = [sys.executable, "-m", "sweeps.cli", "run", "tiny.yaml", "--workers", "2", "--track", "none", *more]
        return subprocess.Popen(
            command, cwd=self.root, env=environment(**variables), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *more: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """The run to its end; TimeoutExpired, with everything it started killed, if it hangs."""
        process = self.start(*more, **variables)
        try:
            told, _ = process.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired:
            end(process)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, told)

    def settle(self, process: "subprocess.Popen[str]", began: float, patience: float = WAIT) -> str:
        """Wait until the tables of a run begun at `began` are there: "tables", and the report is cut off by SIGKILL,
        for it takes longer than all the rest. What else it may come to: "exit CODE", or "hung"."""
        summary = self.folder / "summary.json"
        came_to = "hung"
        while time.time() - began < patience:
            if summary.exists() and summary.stat().st_mtime > began and not (self.folder / "progress.json").exists():
                came_to = "tables"
                break
            if process.poll() is not None:
                came_to = f"exit {process.returncode}"
                break
            time.sleep(0.05)
        end(process)
        return came_to

    def tabled(self) -> None:
        """The run until its tables are there; SystemExit where it does not come to that."""
        began = time.time()
        if (came_to := self.settle(self.start(), began)) not in ("tables", "exit 0"):
            raise SystemExit(f"{self.root}: the run came to: {came_to}")

    def manifests(self) -> list[Path]:
        return sorted((self.store / "manifests").glob("*/??/*.json"))

    def finished(self) -> dict[Path, tuple[int, int]]:
        """Every artifact that is there, and by which file: inode and time."""
        return {m: (m.stat().st_ino, m.stat().st_mtime_ns) for m in self.manifests()}

    def n_records(self) -> int:
        return len(list((self.store / "manifests/measure").glob("??/*.json")))

    def tables(self) -> dict[str, Any]:
        """What the run folder says but for the clock."""
        frames = {}
        for name in ("records", "per_class"):
            table = pd.read_parquet(self.folder / f"{name}.parquet")
            frames[name] = table.drop(columns=[c for c in table if c.startswith("seconds_")])
        files = ("predictions.safetensors", "samples.safetensors", "curves.json", "failures.json")
        digests = {f: hashlib.sha256((self.folder / f).read_bytes()).hexdigest() for f in files}
        return {name: frame.to_json(double_precision=15) for name, frame in frames.items()} | digests

    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())


def torn(store: Path) -> list[str]:
    """What in a store is not what it says, found without the store's own code; temporary files are no part of it."""
    bad = [str(p) for p in (store / "manifests").rglob("*.damaged")]
    for path in (store / "manifests").glob("*/??/*.json"):
        try:
            told = json.loads(path.read_bytes())
            check = told.pop("check")
            text = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
            digest = told["blob"]["sha256"]
            blob = (store / "blobs" / digest[:2] / digest).read_bytes()
            whole = hashlib.sha256(text).hexdigest() == check and hashlib.sha256(blob).hexdigest() == digest
        except (OSError, ValueError, KeyError):
            whole = False
        bad += [] if whole else [str(path)]
    return bad


def members(leader: int) -> dict[int, str]:
    """The living processes of a session and their command lines; Ray's are in groups of their own."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                line = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(stat.parent.name)] = line
        except OSError:
            continue
    return found


def workers(leader: int) -> list[int]:
    """Ray's worker processes that hold a trial, in a session."""
    return sorted(p for p, line in members(leader).items() if re.match(r"ray::(Trial|ResourceTrainable)", line))


def raylets(leader: int) -> list[int]:
    return sorted(p for p, line in members(leader).items() if "/raylet/raylet " in line)


def strike(pid: int) -> bool:
    """SIGKILL; False where the process is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def quiet(process: "subprocess.Popen[str]", patience: float) -> float | None:
    """Seconds until nothing of a session works any more: its workers, raylet and control store are gone, and at most
    Ray's idle agents are left, which notice a minute later; None if that takes longer than `patience`."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        process.poll()
        if all(
            line.startswith(("ray::DashboardAgent", "ray::RuntimeEnvAgent")) for line in members(process.pid).values()
        ):
            return time.monotonic() - began
        time.sleep(0.05)
    return None


def end(process: "subprocess.Popen[str]") -> None:
    """Kill the leader, then whatever it had started."""
    while found := members(process.pid):
        for pid in sorted(found, key=lambda p: p != process.pid):
            strike(pid)
        process.poll()
        time.sleep(0.05)
    process.wait()
    if process.stdout:
        process.stdout.close()
