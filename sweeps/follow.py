"""Looking on while a run goes on: what is finished so far, the time left, and a report of it.

An onlooker reads the run's folder and its store and changes neither: its own report lies in `live/` of the folder, and
the store is opened read-only. The time left is the time so far, times the planned work that is left over the planned
work that is done.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganaug.errors import UserError
from sweeps import announce
from sweeps import study_file as studies
from sweeps.adaptive import narrowed
from sweeps.collect import generator_key, write_folder
from sweeps.grid import Grid, open_grid
from sweeps.progress import duration
from sweeps.run import slots
from sweeps.run_folder import Row, RunFolder
from sweeps.store import Store, is_here


@dataclass(frozen=True)
class Look:
    """A run at one moment. seconds_left: None where nothing is finished yet to tell by."""

    study: str
    done: int
    total: int
    generators: int
    of_generators: int
    running: bool
    seconds_left: float | None

    def line(self) -> str:
        """`tiny: 5 of 12 cells done, 7 missing; 2 of 4 generators; about 3 min left`."""
        counts = f"{self.study}: {self.done} of {self.total} cells done, {self.total - self.done} missing"
        if self.of_generators:
            counts += f"; {self.generators} of {self.of_generators} generators"
        if not self.running:
            return counts
        if self.seconds_left is None:
            return f"{counts}; time left not known yet"
        return f"{counts}; about {duration(self.seconds_left)} left"


class Onlooker:
    """A run that somebody looks at. `said`: what it announced; None where no run goes on in the folder."""

    def __init__(self, run: Path, data: Path) -> None:
        self.folder = RunFolder(run)
        self.said = announce.read(self.folder)
        if self.said is None:
            raise UserError(f"{run}: no run goes on there; it has no progress.json")
        if not is_here(self.said.store):
            raise UserError(f"{self.folder.progress}: its store {self.said.store} is not here; look on where it is")
        self.store = Store(self.said.store, read_only=True)
        self._whole = open_grid(studies.load(str(self.folder.study)), data, self.store)
        self.grid: Grid = narrowed(self._whole, self.folder)
        self._rows: dict[str, Row] = {}

    def look(self) -> Look:
        """Counts of this moment; reads names in the store and nothing in them."""
        assert self.said is not None
        now = announce.read(self.folder)
        self.grid = narrowed(self._whole, self.folder)
        running = now is not None and now.started == self.said.started and now.alive()
        have = self.store.keys("measure" if self.grid.measures else "assess")
        asked, made = self.grid.asked, self.grid.generators.keys()
        left = announce.work_left(self.grid, self.store)
        passed = self.said.work - left
        return Look(
            study=self.said.study,
            done=sum(key in have for key in asked),
            total=len(asked),
            generators=len(made & self.store.keys("fit_gan")),
            of_generators=len(made),
            running=running,
            seconds_left=self.said.seconds() * left / passed if passed > 0 else None,
        )

    def rows(self, failures: dict[str, str]) -> list[Row]:
        """What is known of every cell, in the order of the grid; a record is read once."""
        have = self.store.keys("measure")
        for key, measure in self.grid.measures.items():
            if key not in self._rows and key in have and (found := self.store.load(measure)) is not None:
                self._rows[key] = Row(key, self.grid.factors[key], *found, generator=generator_key(measure))
        failed = {
            key: Row(key, self.grid.factors[key], None, {}, text, generator_key(self.grid.measures[key]))
            for key, text in failures.items()
            if key in self.grid.measures and key not in self._rows
        }
        known = failed | self._rows
        return [known[key] for key in self.grid.measures if key in known]

    def write(self, look: Look, seconds: int) -> Path | None:
        """A report of what is finished, in `live/`; None while nothing is. Every `seconds` it reads itself again."""
        assert self.said is not None
        rows = self.rows({} if look.running else _failures(self.folder))
        if not (rows or (look.done and not self.grid.measures)):
            return None
        kind = "measure" if self.grid.measures else "assess"
        extra: dict[str, Any] = {
            "computed": {kind: look.done - self.said.done},
            "reused": {kind: self.said.done},
            "generators": look.of_generators,
            "seconds": round(self.said.seconds(), 1),
            "workers": slots(self.grid.study),
            "command": self.said.command,
        }
        write_folder(self.grid, self.store, RunFolder(self.folder.live), rows, extra, {})
        from analysis.report import Running, write_report

        return write_report(self.folder.live, Running(look.line(), seconds) if look.running else None)


def _failures(folder: RunFolder) -> dict[str, str]:
    try:
        found = json.loads(folder.failures.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(found)


def is_running(run: Path) -> bool:
    """Whether the folder holds a run that has begun and not written its tables yet."""
    return RunFolder(run).progress.exists()


def follow(
    run: Path,
    data: Path,
    seconds: int,
    say: Callable[[str], None],
    page: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Say every `seconds` how far the run in `run` is, and with `page` write its live report, until it is over.

    A page is drawn again only where a cell was finished meanwhile. UserError where no run goes on in the folder.
    """
    there = Onlooker(run, data)
    assert there.said is not None
    drawn, told = -1, False
    while True:
        look = there.look()
        say(look.line())
        if page and (look.done != drawn or not look.running):
            path, drawn = there.write(look, seconds), look.done
            if path is not None and not told:
                say(f"live report: {path}")
                told = True
        if not look.running:
            break
        sleep(seconds)
    if announce.read(there.folder) is not None:
        say(f"the run is no longer alive; to go on: {there.said.command}")
    elif there.folder.summary.exists():
        say(f"the run is over; its report: {run / 'report' / 'index.html'}")
