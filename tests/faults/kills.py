"""Random kills of a running sweep's driver, workers and raylet; each sweep is then resumed and compared.

A moment is drawn as a number of artifacts in the store and a fraction of a second after that, so that kills spread
over the work and not over Ray's start. `driver` and `raylet` end the run, and the same command goes on; after a
`worker` the run goes on by itself.
"""

import random
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .command import N_CELLS, Place, end, quiet, raylets, strike, torn, workers

VICTIMS = ("driver", "worker", "raylet")
PATIENCE = 60.0  # seconds for Ray to stop working once its driver is gone


@dataclass
class Tally:
    """What became of the sweeps that were struck."""

    struck: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VICTIMS, 0))
    missed: int = 0  # sweeps that were over before the moment came
    lost: int = 0
    torn: int = 0
    twice: int = 0  # records made though they were there
    different: int = 0
    left: list[float | None] = field(default_factory=list)  # seconds until Ray was gone after its driver's death

    def line(self) -> str:
        gone = [s for s in self.left if s is not None]
        ray = f"no work {max(gone):.1f} s after a driver's death at the latest" if gone else "no driver killed"
        outlived = sum(s is None for s in self.left)
        return (
            f"{sum(self.struck.values())} sweeps killed ({', '.join(f'{v} {k}' for k, v in self.struck.items())}; "
            f"{self.missed} ended before): {self.lost} finished results lost, {self.torn} torn, {self.twice} made "
            f"twice, {self.different} tables differ; {ray}, {outlived} times not within {PATIENCE:.0f} s"
        )

    def bad(self) -> int:
        return self.lost + self.torn + self.twice + self.different


def moment(process: "subprocess.Popen[str]", place: Place, artifacts: int, after: float) -> bool:
    """Wait until so many artifacts are stored, and `after` seconds more; False if the run ends before that."""
    while len(place.manifests()) < artifacts:
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        return True
    return False


def hit(process: "subprocess.Popen[str]", victim: str, rng: random.Random) -> bool:
    """Kill a process of the victim's kind, waiting for one to be there; False if the run ends before that."""
    while process.poll() is None:
        pids = {"driver": lambda p: [p], "worker": workers, "raylet": raylets}[victim](process.pid)
        if pids and strike(rng.choice(pids)):
            return True
        time.sleep(0.02)
    return False


def schedule(place: Place, wanted: dict[str, Any], victim: str, rng: random.Random, made: int, tally: Tally) -> str:
    """One sweep: start, kill, resume, compare; a line about it."""
    artifacts, after = rng.randrange(made + 1), rng.uniform(0, 1)
    began, process = time.time(), place.start()
    struck = moment(process, place, artifacts, after) and hit(process, victim, rng)
    if struck and victim == "driver":
        gone = quiet(process, PATIENCE)
        tally.left.append(gone)
        end(process)
        came_to = f"at rest after {gone:.1f} s" if gone is not None else "goes on working"
    else:
        came_to = place.settle(process, began)
    tally.struck[victim] += struck
    tally.missed += not struck
    before, records = place.finished(), place.n_records()
    tally.torn += len(torn(place.store))
    again = ""
    if came_to not in ("tables", "exit 0"):
        place.tabled()
        made_again = place.summary()["computed"]["measure"]
        tally.twice += made_again - (N_CELLS - records)
        again = f", {made_again} of {N_CELLS} records made after it"
    now = place.finished()
    lost = sum(now.get(m) != f for m, f in before.items())
    different = place.tables() != wanted
    tally.lost, tally.different = tally.lost + lost, tally.different + different
    tally.torn += len(torn(place.store))
    what = f"{victim} killed after {artifacts} artifacts and {after:.2f} s" if struck else f"{victim}: over before"
    return f"{what}: {came_to}{again}, {lost} lost, tables {'DIFFER' if different else 'equal'}"


def kills(folder: Path, sweeps: int, seed: int, victims: tuple[str, ...] = VICTIMS) -> Tally:
    """`sweeps` sweeps, each killed once, its victim by turns; compared with one that nobody killed."""
    whole = Place.make(folder / "whole")
    whole.tabled()
    wanted, made, tally = whole.tables(), len(whole.manifests()), Tally()
    for i in range(sweeps):
        place, rng = Place.make(folder / f"sweep{i}"), random.Random(f"{seed} {i}")
        told = schedule(place, wanted, victims[i % len(victims)], rng, made, tally)
        print(f"{i + 1}/{sweeps} {told}", flush=True)
    return tally
