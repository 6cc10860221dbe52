"""A run of a thousand cheap cells: memory and descriptors of driver and workers as it goes, and what it leaves.

The memory's slope is that of a line (least squares) through the second half of a process's samples, over the cells
finished: what a cell adds once everything is loaded.
"""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .command import Place, end, members

STUDY = """\
dataset: {{name: digits, test_per_class: 70, validation_per_class: 10}}
factors: {{n_real: [2], n_gen: [0, 2], threshold: [0], seed: {seeds}}}
gan: {{name: projection, steps: 2, batch: 8, width: 8, discriminator_width: 8}}
pool: {{chunk: 10, max_per_class: 10}}
classifier: {{steps: 1, width: 8}}
assess: null
"""
EVERY = 1.0  # seconds between samples


@dataclass
class Process:
    """Samples of one process: cells finished, MiB of memory, open descriptors."""

    name: str
    samples: list[tuple[int, float, int]] = field(default_factory=list)

    def slope(self) -> float:
        """MiB per 100 cells over the second half."""
        late = self.samples[len(self.samples) // 2 :]
        cells, memory = np.array([s[0] for s in late]), np.array([s[1] for s in late])
        return float(100 * np.polyfit(cells, memory, 1)[0]) if len(set(cells.tolist())) > 2 else float("nan")

    def line(self) -> str:
        memory, open_files = [s[1] for s in self.samples], [s[2] for s in self.samples]
        half = len(memory) // 2
        return (
            f"{self.name}: {memory[half]:.0f} MiB in the middle, {memory[-1]:.0f} at the end, "
            f"at most {max(memory):.0f}, {self.slope():+.2f} MiB per 100 cells in the second half; "
            f"descriptors {open_files[half]} to {open_files[-1]}"
        )


@dataclass
class Soak:
    cells: int
    seconds: float
    code: int | None
    processes: list[Process]
    left: list[str]

    def line(self) -> str:
        kept = [p.line() for p in self.processes if len(p.samples) >= 10]
        gone = "; ".join(self.left) or "no process, no shared memory, no temporary folder"
        return f"{self.cells} cells in {self.seconds:.0f} s, exit {self.code}; {'; '.join(kept)}; left behind: {gone}"


def _sample(pid: int) -> tuple[float, int] | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None


def _name(line: str, driver: bool) -> str:
    if driver:
        return "driver"
    return "worker" if re.match("ray::(Trial|ResourceTrainable)", line) else ""


def soak(folder: Path, cells: int) -> Soak:
    """Run `cells` cells (a real-only and a generated one per seed) with two workers, and watch."""
    place = Place.make(folder / "soak", STUDY.format(seeds=list(range(cells // 2))))
    scratch = folder / "tmp"
    scratch.mkdir()
    shared = set(os.listdir("/dev/shm"))
    began, process = time.monotonic(), place.start(TMPDIR=str(scratch))
    watched: dict[int, Process] = {}
    while process.poll() is None and not (place.folder / "records.parquet").exists():
        done = place.n_records()
        for pid, line in members(process.pid).items():
            name = _name(line, pid == process.pid)
            found = _sample(pid) if name else None
            if found:
                watched.setdefault(pid, Process(name)).samples.append((done, *found))
        time.sleep(EVERY)
    seconds = time.monotonic() - began
    process.communicate()
    time.sleep(1)
    left = [f"process {line[:60]}" for line in members(process.pid).values()]
    end(process)
    left += [f"/dev/shm/{name}" for name in set(os.listdir("/dev/shm")) - shared]
    for path in scratch.iterdir():
        size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file() and not p.is_symlink())
        left.append(f"TMPDIR/{path.name} ({size / 2**20:.1f} MiB)")
    return Soak(place.n_records(), seconds, process.returncode, list(watched.values()), left)
