"""Kills a search again and again and compares what is left with a search that nobody killed.

    python benchmarks/search_kills.py [--kills 20] [--seed 0] [--steps 8]

The driver and all of its Ray (a session of its own, ended by SIGKILL) die at random moments: while Ray starts, while a
step runs, while one is told. Whatever was finished before a kill must be there after it, and the history at the end
(numbers, parameters, values, the best) must be that of an uninterrupted search.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

COMMAND = str(Path(sysconfig.get_path("scripts")) / "ganaug")
STUDY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3], n_gen: [6], threshold: [0], seed: [0, 1]}
gan: {name: projection, steps: 4, width: 8, discriminator_width: 8}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 60, width: 8}
"""


def start(root: Path, steps: int, storage: str | None = None) -> "subprocess.Popen[str]":
    """A search in its own session, so that Ray can be killed with it."""
    more = ["--storage", storage] if storage else []
    return subprocess.Popen(
        [COMMAND, "search", "tiny.yaml", "--steps", str(steps), "--workers", "2", "--no-confirm", *more],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def _session(leader: int) -> list[int]:
    """Processes of a session; Ray's have groups of their own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == leader:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


def kill(process: "subprocess.Popen[str]") -> None:
    """The driver first, then whatever it had started."""
    while pids := [
        p for p in _session(process.pid) if Path(f"/proc/{p}/stat").read_text().split(")")[1].split()[0] != "Z"
    ]:
        for pid in sorted(pids, key=lambda p: p != process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.poll()
        time.sleep(0.05)
    process.wait()


def finished(root: Path) -> dict[int, Any]:
    """Steps with a value as Optuna has them, read from a copy of the journal: number -> (parameters, value)."""
    journal = root / "runs/tiny-search/search/journal.log"
    if not journal.exists():
        return {}
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "journal.log"
        copy.write_bytes(journal.read_bytes())
        storage = JournalStorage(JournalFileBackend(str(copy)))
        studies = storage.get_all_studies()
        trials = storage.get_all_trials(studies[0]._study_id) if studies else []
        return {t.number: (t.params, t.value) for t in trials if t.state.is_finished()}


def history(root: Path) -> tuple[list[dict[str, Any]], Any]:
    """What trials.parquet says but for the clock, and the best."""
    folder = root / "runs/tiny-search/search"
    table = pd.read_parquet(folder / "trials.parquet").drop(columns=["seconds"])
    table["accuracies"] = table["accuracies"].map(list)
    return table.to_dict("records"), json.loads((folder / "search.json").read_text())["best"]


def place(folder: Path) -> Path:
    """A directory with the study in it."""
    folder.mkdir(parents=True)
    (folder / "tiny.yaml").write_text(STUDY)
    return folder


def trial(root: Path, kills: int, steps: int, rng: random.Random, longest: float) -> tuple[int, int]:
    """Kill until `kills` are spent or the search is over, then let it finish; returns kills that hit, steps lost."""
    hits = lost = 0
    before = finished(root)
    for _ in range(kills):
        process = start(root, steps)
        try:
            process.wait(timeout=rng.uniform(0.5, longest))
        except subprocess.TimeoutExpired:
            kill(process)
            hits += 1
        now = finished(root)
        lost += sum(now.get(number) != step for number, step in before.items())
        before = now
        if len(now) == steps:
            break
    process = start(root, steps)
    told, _ = process.communicate(timeout=600)
    if process.returncode:
        raise SystemExit(f"the last run failed:\n{told}")
    now = finished(root)
    return hits, lost + sum(now.get(number) != step for number, step in before.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="search-kills-") as folder:
        whole = place(Path(folder) / "whole")
        began = time.monotonic()
        start(whole, given.steps).communicate(timeout=600)
        longest = time.monotonic() - began
        wanted = history(whole)
        hits, searches = 0, 0
        while hits < given.kills:
            root = place(Path(folder) / f"killed{searches}")
            own, lost = trial(root, given.kills - hits, given.steps, rng, longest)
            hits, searches = hits + own, searches + 1
            same = history(root) == wanted
            print(
                f"search {searches}: {own} kills, {lost} finished steps lost, history {'equal' if same else 'DIFFERS'}"
            )
            sys.stdout.flush()
            if lost or not same:
                raise SystemExit(f"wanted {wanted}\ngot {history(root)}")
        print(f"{hits} kills in {searches} searches of {given.steps} steps: no finished step lost, every history equal")


if __name__ == "__main__":
    main()
