"""The store's writer alone, killed at random moments and at every point; no Ray, so that thousands are cheap.

A child publishes artifacts one after the other and says over a pipe which are done; it is killed; whatever it said is
there must be there, whole, and by the same file ever after. SIGKILL leaves what the kernel was given: that a loss of
power finds no more than that is what the writer's fsyncs are for, and no test here pulls a plug.
"""

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganaug.artifact import Artifact
from ganaug.failpoints import STORE_POINTS, VARIABLE
from ganaug.stages import TrainImages
from sweeps.store import Store

from .command import torn

BATCH = 40  # artifacts a child publishes if it lives
LIVES = 50  # kills of one store, before the next one is begun


def stage(i: int) -> TrainImages:
    return TrainImages(f"{i:064d}")


def artifact(i: int) -> Artifact:
    """Different for every number, and now and then too large for one write."""
    rng = np.random.default_rng(i)
    size = 300_000 if i % 7 == 0 else 2_000
    return Artifact({"images": rng.integers(0, 256, size, np.uint8), "score": rng.normal(size=5)}, {"i": i})


def publish(store: Store, i: int) -> None:
    store.save_progress(stage(i).key, {"step": np.array(i)})
    store.publish(stage(i), artifact(i), {stage(i).key: ("train_images", 1.0)})


def _child(root: Path, first: int, told: int) -> None:
    store = Store(root)
    for i in range(first, first + BATCH):
        publish(store, i)
        os.write(told, i.to_bytes(4, "little"))


def struck(root: Path, first: int, seconds: float | None, failpoint: str | None) -> tuple[list[int], bool]:
    """Start a writer and kill it after some seconds, or at a point; what it said is done, and whether it was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            if failpoint:
                os.environ[VARIABLE] = failpoint
            _child(root, first, writing)
        finally:
            os._exit(0)
    os.close(writing)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    data = b""
    while piece := os.read(reading, 1 << 16):
        data += piece
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    done = [int.from_bytes(data[k : k + 4], "little") for k in range(0, len(data) - 3, 4)]
    return done, os.WIFSIGNALED(status)


@dataclass
class Tally:
    kills: int = 0
    at_points: set[str] = field(default_factory=set)
    artifacts: int = 0
    lost: int = 0
    torn: int = 0
    replaced: int = 0

    def bad(self) -> int:
        return self.lost + self.torn + self.replaced

    def line(self) -> str:
        return (
            f"{self.kills} kills of the store's writer, at {len(self.at_points)} of {len(STORE_POINTS)} points and "
            f"between; {self.artifacts} artifacts: {self.lost} finished lost, {self.torn} torn, "
            f"{self.replaced} put twice"
        )


def _same(store: Store, i: int) -> bool:
    found = store.load(stage(i))
    wanted = artifact(i)
    return (
        found is not None
        and found[0].facts == wanted.facts
        and all(np.array_equal(found[0].arrays[k], v) for k, v in wanted.arrays.items())
    )


def kill_writers(folder: Path, kills: int, seed: int) -> Tally:
    """Half of the kills by the clock, half at a point, which every point is by turns."""
    tally, rng = Tally(), random.Random(seed)
    while tally.kills < kills:
        root = folder / f"store{tally.kills}"
        store, first = Store(root), 0
        kept: dict[int, int] = {}  # artifact -> inode of its manifest
        for life in range(min(LIVES, kills - tally.kills)):
            point = STORE_POINTS[tally.kills % len(STORE_POINTS)] if life % 2 else None
            told = f"{point}=kill@{rng.randrange(1, 6)}" if point else None
            done, was = struck(root, first, None if point else rng.uniform(0.0, 0.12), told)
            tally.kills += was
            if point and was:
                tally.at_points.add(point)
            tally.torn += len(torn(root))
            kept |= {i: _inode(root, i) for i in done}
            tally.lost += sum(_inode(root, i) != inode for i, inode in kept.items())
            last = max(done, default=first - 1)
            publish(store, last + 1)  # what was under way, once more: it finds its own work, or does it
            kept[last + 1] = kept.get(last + 1) or _inode(root, last + 1)
            tally.lost += not _same(store, last + 1)
            first = last + 2
        for i, inode in kept.items():
            tally.lost += not _same(store, i)
            tally.replaced += _inode(root, i) != inode
        tally.artifacts += len(kept)
    return tally


def _inode(root: Path, i: int) -> int:
    key = stage(i).key
    path = root / "manifests/train_images" / key[:2] / f"{key}.json"
    return path.stat().st_ino if path.exists() else 0
