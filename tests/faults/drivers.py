"""Several drivers on one store at once, some with a clock that is an hour off.

In one process each (`forked`), or as whole `ganaug run` with a Ray each (`whole`). A record is committed once if its
manifest is one file from the moment it is there to the end, and no driver fails.
"""

import time
from dataclasses import dataclass
from datetime import datetime as real_datetime
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any

from .command import Place, end, torn
from .here import start

HOUR = 3600.0


@dataclass
class Found:
    """What came of it; all but the first two should be 0 or empty. shared: records of each driver's own making."""

    drivers: int
    records: int
    failed: list[str]
    twice: int
    torn: list[str]
    different: int
    made: list[int]

    def wrong(self) -> int:
        return len(self.failed) + self.twice + len(self.torn) + self.different

    def line(self) -> str:
        return (
            f"{self.drivers} drivers on one store: {self.records} records, {self.twice} committed twice, "
            f"{len(self.failed)} drivers failed, {len(self.torn)} artifacts torn, {self.different} tables differ "
            f"(computed by each: {', '.join(map(str, self.made))})"
        )


def skew(seconds: float) -> Any:
    """A patch that sets this process's clock off: all that Python asks the time of day of."""

    def patch() -> None:
        import sweeps.announce
        import sweeps.collect

        now = time.time

        class Skewed(real_datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> real_datetime:  # type: ignore[override]
                return real_datetime.now(tz) + timedelta(seconds=seconds)

        time.time = lambda: now() + seconds
        sweeps.announce.datetime = Skewed  # type: ignore[misc]
        sweeps.collect.datetime = Skewed  # type: ignore[attr-defined,misc]

    return patch


def _judged(places: list[Place], codes: list[tuple[int | None, str]], seen: dict[Path, int], wanted: Any) -> Found:
    store = places[0].store
    records = {m: m.stat().st_ino for m in (store / "manifests/measure").glob("??/*.json")}
    return Found(
        drivers=len(places),
        records=len(records),
        failed=[f"exit {code}: {told}" for code, told in codes if code],
        twice=sum(records.get(m) != inode for m, inode in seen.items()),
        torn=torn(store),
        different=sum(p.tables() != wanted for p in places if p.folder.exists()),
        made=[p.summary()["computed"]["measure"] for p in places if (p.folder / "summary.json").exists()],
    )


@dataclass
class Own(Place):
    """A driver's own run folder beside the others', over a store in common."""

    name: str = ""

    @property
    def folder(self) -> Path:
        return self.root / "runs" / self.name


def _note(store: Path, seen: dict[Path, int]) -> None:
    for manifest in (store / "manifests/measure").glob("??/*.json"):
        seen.setdefault(manifest, manifest.stat().st_ino)


def forked(folder: Path, drivers: int, skewed: bool) -> Found:
    """`drivers` at once without Ray; with `skewed`, clocks are an hour late, right and an hour early by turns."""
    whole = Place.make(folder / "whole")
    assert start("run", "tiny.yaml", "--track", "none", cwd=whole.root).wait().code == 0
    root = Place.make(folder / "shared").root
    places = [Own(root, f"driver{i}") for i in range(drivers)]
    children = [
        start(
            "run", "tiny.yaml", "--track", "none", "--out", f"runs/{place.name}", cwd=root,
            patch=skew((i % 3 - 1) * HOUR) if skewed else None,
        )
        for i, place in enumerate(places)
    ]  # fmt: skip
    done = [child.wait() for child in children]
    seen: dict[Path, int] = {}
    _note(places[0].store, seen)
    return _judged(places, [(d.code, d.told) for d in done], seen, whole.tables())


def whole(folder: Path, drivers: int) -> Found:
    """`drivers` whole runs at once, with one worker each; looked at until all have their tables."""
    alone = Place.make(folder / "whole")
    alone.tabled()
    root, began = Place.make(folder / "shared").root, time.time()
    places = [Own(root, f"driver{i}") for i in range(drivers)]
    running = [place.start("--workers", "1", "--out", f"runs/{place.name}") for place in places]
    seen: dict[Path, int] = {}
    codes: list[tuple[int | None, str]] = []
    for place, process in zip(places, running, strict=True):
        while process.poll() is None and not _tabled(place, began):
            _note(place.store, seen)
            time.sleep(0.2)
    for place, process in zip(places, running, strict=True):
        code = 0 if process.poll() is None or _tabled(place, began) else process.returncode
        codes.append((code, ""))
        end(process)
    return _judged(places, codes, seen, alone.tables())


def _tabled(place: Place, began: float) -> bool:
    summary = place.folder / "summary.json"
    there = summary.exists() and summary.stat().st_mtime > began
    return there and not (place.folder / "progress.json").exists()
