"""Every named write point: the command that passes it is killed there, or told that the disk is full; then given again.

Each point belongs to one command. It starts from what stands before that write: an empty folder for the store's points,
a store that is complete for a run folder's tables, a run that is complete for a report and an export.
"""

import hashlib
import shutil
import signal
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ganaug.failpoints import EXPORT_POINTS, POINTS, STORE_POINTS, VARIABLE

from .command import Place, torn
from .here import Done, ganaug

STUDY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3], n_gen: [0, 6], threshold: [0], seed: [0]}
gan: {name: projection, steps: 60, batch: 8, width: 8, discriminator_width: 8}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 5, width: 8, curve: 2}
assess: {steps: 5}
"""
_SEMI = (
    "dataset.name=digits", "dataset.test_per_class=70", "dataset.validation_per_class=5", "n_real=[3]", "seed=[0]",
    "primary.n_real=3", "semi.n_unlabelled=200", "semi.steps=12", "semi.width=8", "semi.labelled_batch=8",
    "semi.batch=8", "semi.gan.width=8", "semi.gan.latent=8", "variant=corrected",
)  # fmt: skip
RUN = ("run", "tiny.yaml", "--track", "none")
SEMI = ("run", "sgan-mnist", "--track", "none", "--out", "runs/tiny", *(p for s in _SEMI for p in ("--set", s)))
SEEDS = (*RUN, "--set", "seeds={min: 3, max: 3}")
SEARCH = ("search", "tiny.yaml", "--steps", "2", "--no-confirm", "--workers", "1")
REPORT = ("report", "runs/tiny")
AGAINST = ("report", "runs/tiny", "--against", "runs/other")
EXPORT = ("export", "runs/tiny", "--to", "out", "--best")
_OTHERS = {
    "semi.safetensors": SEMI, "trials.parquet": SEARCH, "search.json": SEARCH, "figure": REPORT, "drawn.json": REPORT,
    "index.html": REPORT, "against.html": AGAINST, "seeds.json": SEEDS,
}  # fmt: skip

FULL = "No space left on device; make room, then give the same command again: nothing finished is lost"
BROKEN = "Input/output error; put that right, then give the same command again: nothing finished is lost"
NOT_EXPORTED = "cannot be written: No space left on device; nothing is left there"


def command(point: str) -> tuple[str, ...]:
    """The command that passes a point."""
    if point in EXPORT_POINTS:
        return EXPORT
    return _OTHERS.get(point.rpartition(".")[0], RUN)


def _digests(folder: Path) -> dict[str, str]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def outcome(root: Path, asked: tuple[str, ...]) -> Any:
    """What a command is for, but for what the clock says."""
    place = Place(root)
    if asked == EXPORT:
        told = ("export.json", "README.txt", "generator.json")  # they say when, and from which folder
        return {name: digest for name, digest in _digests(root / "out").items() if name not in told}
    if asked in (REPORT, AGAINST):
        return _digests(place.folder / "report")
    if asked == SEARCH:
        table = pd.read_parquet(root / "runs/tiny-search/search/trials.parquet").drop(columns=["seconds"])
        return table.to_json(double_precision=15)
    also = [p for p in place.folder.glob("*") if p.name in ("semi.safetensors", "classifier_curves.json")]
    also += [place.folder / "generators.parquet"] if asked == RUN else []
    also += [place.folder / "seeds.json"] if asked == SEEDS else []
    return place.tables(), {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in also}


class Bases:
    """What stands before each command, made once; and what each comes to when nobody stops it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wanted: dict[tuple[str, ...], Any] = {}

    def _done(self, root: Path, asked: tuple[str, ...], report: bool = False) -> Path:
        done = ganaug(*asked, cwd=root, report=report)
        assert done.code == 0, done
        return root

    @cached_property
    def nothing(self) -> Path:
        return Place.make(self.folder / "nothing", STUDY).root

    @cached_property
    def ran(self) -> Path:
        return self._done(self._copy(self.nothing, "ran"), RUN)

    @cached_property
    def semi(self) -> Path:
        return self._done(self._copy(self.nothing, "semi"), SEMI)

    @cached_property
    def searched(self) -> Path:
        return self._done(self._copy(self.nothing, "searched"), SEARCH)

    @cached_property
    def drawn(self) -> Path:
        """A run with its report, and a second run to compare it with."""
        root = self._done(self._copy(self.ran, "drawn"), REPORT)
        shutil.copytree(root / "runs/tiny", root / "runs/other")
        return root

    def _copy(self, base: Path, name: str, without: tuple[str, ...] = ()) -> Path:
        root = self.folder / name
        shutil.copytree(base, root)
        for path in without:
            shutil.rmtree(root / path, ignore_errors=True)
        return root

    def before(self, point: str, name: str) -> Path:
        """A fresh folder, as it is before the point's command."""
        asked = command(point)
        if point in STORE_POINTS:
            return self._copy(self.nothing, name)
        if asked in (RUN, SEEDS):
            return self._copy(self.ran, name, ("runs/tiny",))
        if asked == SEMI:
            return self._copy(self.semi, name, ("runs/tiny",))
        if asked == SEARCH:
            return self._copy(self.searched, name, ("runs/tiny-search",))
        root = self._copy(self.ran if point.startswith(("figure", "drawn")) else self.drawn, name)
        (root / "runs/tiny/report/index.html").unlink(missing_ok=True)
        return root

    def wanted(self, point: str) -> Any:
        asked = command(point)
        if asked not in self._wanted:
            root = self._done(self.before(point, f"wanted-{len(self._wanted)}"), asked, report=True)
            self._wanted[asked] = outcome(root, asked)
        return self._wanted[asked]


@dataclass(frozen=True)
class Stopped:
    """A command that was stopped at a point, and what the same command made of it. `wrong`: what should not be."""

    first: Done
    wrong: tuple[str, ...]


def stop(bases: Bases, point: str, action: str, name: str) -> Stopped:
    """Stop a point's command there, as `action` says (`kill`, `enospc`, `enospc@3`), and give it again."""
    root, asked = bases.before(point, name), command(point)
    place, wrong = Place(root), []
    first = ganaug(*asked, cwd=root, **{VARIABLE: f"{point}={action}"})
    if action.startswith("kill") and first.code != -signal.SIGKILL:
        wrong.append(f"passed by no write: exit {first.code}")
    if not action.startswith("kill"):
        wrong += _unclear(first, place)
    before = place.finished()
    wrong += [f"torn: {t}" for t in torn(place.store)]
    again = ganaug(*asked, cwd=root)
    whole = point == "export.placed" and "got one that is taken" in again.told  # it had its name: the export is done
    if again.code and not whole:
        wrong.append(f"the same command again: exit {again.code}: {again.told}")
        return Stopped(first, tuple(wrong))
    after = place.finished()
    wrong += [f"lost: {m}" for m, file in before.items() if after.get(m) != file]
    wrong += [f"torn after: {t}" for t in torn(place.store)]
    wrong += [f"left: {p}" for p in root.rglob(".*.*") if not action.startswith("kill") and p.is_file()]
    if outcome(root, asked) != bases.wanted(point):
        wrong.append("comes to something else")
    shutil.rmtree(root)
    return Stopped(first, tuple(wrong))


def _unclear(done: Done, place: Place) -> list[str]:
    """What is wrong with how a full disk was told: one line by the driver, or a reason for each cell by its worker."""
    lines = done.told.strip().splitlines()
    told = [line for line in lines if line.startswith("error: ") or "cells failed (" in line or "steps failed" in line]
    wrong = ["Traceback"] if "Traceback" in done.told else []
    if done.code not in (1, 2) or not told:
        return [*wrong, f"not told: exit {done.code}: {done.told}"]
    if told[-1].startswith("error: "):
        clear = FULL in told[-1] or BROKEN in told[-1] or told[-1].endswith(NOT_EXPORTED)
        wrong += [] if clear and lines[-1] == told[-1] else [f"unclear: {done.told}"]
    elif "cells failed (" in told[-1]:
        reasons = (place.folder / "failures.json").read_text()
        wrong += [] if (FULL in reasons or BROKEN in reasons) and "DiskError" in reasons else [f"unclear: {reasons}"]
    return wrong


def every_point(folder: Path, shorter: bool = False) -> tuple[int, int, list[str]]:
    """Kill and full disk at every point, in the driver and in a job; counts of both, and what was wrong."""
    bases, wrong, kills, fulls = Bases(folder), [], 0, 0
    for n, point in enumerate(POINTS):
        inner = ["kill@4", "enospc@4"] if point.startswith(("blobs", "manifests")) else []
        for action in ("kill", "enospc", *([] if shorter else [*inner, "enospc@all"])):
            done = stop(bases, point, action, f"{n}-{action}")
            kills, fulls = kills + action.startswith("kill"), fulls + action.startswith("enospc")
            wrong += [f"{point}={action}: {w}" for w in done.wrong]
            print(f"{point}={action}: {'; '.join(done.wrong) or 'as it should be'}", flush=True)
    return kills, fulls, wrong
