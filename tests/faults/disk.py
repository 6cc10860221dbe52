"""A disk that is really full: a small tmpfs where one may be mounted; a limit on files' sizes anywhere."""

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .command import Place, torn
from .here import ganaug
from .points import RUN, STUDY

SIZES = (
    64,
    200,
    300,
    400,
    560,
    600,
    620,
    640,
    660,
    700,
)  # KiB: for no data set, for no generator, ...


@contextlib.contextmanager
def small(folder: Path, kib: int) -> Iterator[bool]:
    """Mount a disk of so many KiB at `folder`; False where that is not allowed."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(folder: Path, mib: int = 256) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", f"remount,size={mib}m", str(folder)], check=True)


def unclear(told: str) -> bool:
    """Whether a full disk was told as something else than one line, or than so many cells that failed."""
    last = told.strip().splitlines()[-1] if told.strip() else ""
    return "Traceback" in told or not (last.startswith("error: ") or "cells failed (" in last)


def on_small_disks(folder: Path, sizes: tuple[int, ...] = SIZES) -> list[tuple[str, list[str]]]:
    """A run on each disk, and the same command when there is room; per disk how it ended and what was wrong."""
    whole = Place.make(folder / "whole", STUDY)
    assert ganaug(*RUN, cwd=whole.root).code == 0
    wanted, found = whole.tables(), []
    for kib in sizes:
        with small(folder / f"disk{kib}", kib) as mounted:
            if not mounted:
                return []
            place, wrong = Place.make(folder / f"disk{kib}" / "run", STUDY), []
            first = ganaug(*RUN, cwd=place.root)
            if first.code:
                wrong += [f"not told: {first.told}"] if unclear(first.told) else []
                wrong += [f"exit {first.code}"] if first.code not in (1, 2) else []
            wrong += torn(place.store)
            before = place.finished()
            enlarge(folder / f"disk{kib}")
            again = ganaug(*RUN, cwd=place.root)
            wrong += [f"the same command again: {again.told}"] if again.code else []
            now = place.finished()
            wrong += [f"lost: {m}" for m, file in before.items() if now.get(m) != file]
            wrong += torn(place.store) + (["other tables"] if not again.code and place.tables() != wanted else [])
            last = (first.told.strip().splitlines() or [""])[-1].replace(f"{folder}/", "")
            found.append((f"{kib} KiB: {len(before)} artifacts, exit {first.code}: {last}", wrong))
    return found


def limit(size: int) -> None:
    """From here on this process cannot write a file of more bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
