"""Damage to every kind of artifact: whatever is read afterwards is what was written, or nothing.

The artifacts are those of tiny studies that together have every stored stage: data-set imports, generators, chunks of
a pool, judges, what they say, assessments, semi-supervised fits, validations, records; and checkpoints of unfinished
generators. A JSON number can be spelt in several ways: a manifest that is damaged so that it says the same is read.
"""

import json
import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.stages import Stage
from sweeps import study_file as studies
from sweeps.grid import open_grid
from sweeps.search.evaluate import validation
from sweeps.search.workers import Worker
from sweeps.store import Store

from .here import PLACEMENT
from .points import SEMI, STUDY

JUDGED = ("filter={name: agreement}", "threshold=[0.5]", "n_gen=[6]", "gan.steps=4")


def truncated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, other: bytes, rng: random.Random) -> bytes:
    at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def swapped(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Another file's bytes in this one's place."""
    return other


def zeroed(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """A block of the disk that came back empty, or the whole file."""
    at = rng.choice((0, rng.randrange(len(data))))
    size = rng.choice((16, 512, 4096, len(data)))
    return data[:at] + bytes(len(data[at : at + size])) + data[at + size :]


HARMS: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (truncated, flipped, swapped, zeroed)


@dataclass
class Tally:
    damaged: Counter[str] = field(default_factory=Counter)  # by kind of artifact
    same: int = 0  # the damage changed no byte, or only how a number is spelt
    believed: list[str] = field(default_factory=list)
    silent: int = 0  # detected, and not said with path and digest
    unrepaired: int = 0

    def bad(self) -> int:
        return len(self.believed) + self.silent + self.unrepaired

    def line(self) -> str:
        total = sum(self.damaged.values())
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.damaged.items()))
        return (
            f"{total} damaged artifacts of {len(self.damaged)} kinds ({kinds}): {total - len(self.believed)} detected, "
            f"{self.silent} of them not told, {self.unrepaired} not made again; {self.same} times the damage "
            "changed nothing that is read"
        )


@dataclass(frozen=True)
class Named(Stage):
    """Stands for a stored stage: the store asks for no more than these two."""

    named: str = ""
    of: str = ""

    @property
    def key(self) -> str:  # type: ignore[override]
        return self.named

    def kind(self) -> str:  # type: ignore[override]
        return self.of


def make_store(folder: Path) -> Store:
    """A store that holds artifacts of every stored kind, and the checkpoint of each generator."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.yaml").write_text(STUDY)
    store = Store(folder / "store")
    worker = Worker(store.uri, PLACEMENT)
    semi = [SEMI[i + 1] for i, word in enumerate(SEMI) if word == "--set"]
    tiny = str(folder / "tiny.yaml")
    for name, settings in ((tiny, []), (tiny, [*JUDGED]), ("sgan-mnist", semi)):
        grid = open_grid(studies.load(name, settings), folder, store)
        for leaf in [*grid.leaves(), *(validation(cell) for cell in grid.cells.values())]:
            worker.evaluator.get(leaf)
    for key in store.keys("fit_gan"):
        found = store.load(Named(key, "fit_gan"))
        assert found is not None
        store.save_progress(key[::-1], found[0].arrays)  # not its own: what is published drops its checkpoint
    return store


def _equal(a: Artifact | dict[str, np.ndarray] | None, b: Artifact | dict[str, np.ndarray]) -> bool:
    if a is None:
        return False
    mine, yours = (x.arrays if isinstance(x, Artifact) else x for x in (a, b))
    facts = not isinstance(a, Artifact) or not isinstance(b, Artifact) or a.facts == b.facts
    return facts and mine.keys() == yours.keys() and all(
        np.array_equal(mine[k], yours[k], equal_nan=mine[k].dtype.kind == "f") for k in mine
    )  # fmt: skip


class Heard(logging.Handler):
    """What the store warned of."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def damage(folder: Path, n: int, seed: int) -> Tally:
    """Damage `n` times some file of the store, read the artifact, put it back by the product's own means."""
    store, root = make_store(folder), folder / "store"
    rng, tally = random.Random(seed), Tally()
    log, heard = logging.getLogger("ganaug.store"), Heard()
    log.addHandler(heard)
    log.propagate = False
    files: dict[str, list[tuple[str, Path]]] = {"checkpoint": []}  # by kind: key and path
    whole: dict[str, Any] = {}
    for path in sorted((root / "manifests").glob("*/??/*.json")):
        kind, key, digest = path.parts[-3], path.stem, json.loads(path.read_bytes())["blob"]["sha256"]
        files.setdefault(kind, []).extend([(key, path), (key, root / "blobs" / digest[:2] / digest)])
        whole[key] = store.load(Named(key, kind))
    files["checkpoint"] = [(p.name, p) for p in sorted((root / "checkpoints").iterdir())]
    progress = {key: store.load_progress(key) for key, _ in files["checkpoint"]}
    every = [path for own in files.values() for _, path in own]
    for i in range(n):
        kind = sorted(files)[i % len(files)]
        key, path = rng.choice(files[kind])
        part = path.relative_to(root).parts[0]
        alike = [p for _, p in files[kind] if p.relative_to(root).parts[0] == part and p != path]
        alike = alike or [p for p in every if p.relative_to(root).parts[0] == part and p != path]
        data, other = path.read_bytes(), rng.choice(alike).read_bytes()
        harm = HARMS[(i // len(files)) % len(HARMS)]
        broken = harm(data, other, rng)
        path.write_bytes(broken)
        heard.said.clear()
        if kind == "checkpoint":
            found = store.load_progress(key)
            right = _equal(found, progress[key])  # type: ignore[arg-type]
            store.save_progress(key, progress[key])  # type: ignore[arg-type]
            repaired = _equal(store.load_progress(key), progress[key])  # type: ignore[arg-type]
        else:
            got = store.load(Named(key, kind))
            found = None if got is None else got[0]  # type: ignore[assignment]
            artifact, cost = whole[key]
            right = _equal(found, artifact)
            if found is None:
                store.publish(Named(key, kind), artifact, cost)
            again = store.load(Named(key, kind))
            repaired = again is not None and _equal(again[0], artifact)
        if right:
            tally.same += 1
            path.write_bytes(data)
            continue
        tally.damaged[kind] += 1
        tally.unrepaired += not repaired
        if found is not None:
            tally.believed.append(f"{harm.__name__} {path}")
        elif not any(str(path) in said for said in heard.said):
            tally.silent += 1
    log.removeHandler(heard)
    log.propagate = True
    return tally
