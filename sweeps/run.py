"""Running a study: plan, execute, collect. The same command again does only what is missing."""

import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sweeps import announce, engine, trackers
from sweeps.adaptive import Seeds, within
from sweeps.cluster.placement import Placement
from sweeps.collect import rows_of, unreadable, write_folder
from sweeps.fusing import settled
from sweeps.grid import Grid, open_grid
from sweeps.plan import plan
from sweeps.run_folder import RunFolder
from sweeps.scalars import Ledger
from sweeps.store import Store
from sweeps.study import Study

ATTEMPTS = 3  # damaged records are found when they are read, and made again in another round


def local_cpus(study: Study) -> int:
    """CPUs a local Ray is told of: the machine's, or as many as the stated number of workers needs."""
    workers, cpus = study.resources.workers, study.resources.cpus_per_trial
    return max(1, round(workers * cpus)) if workers else os.cpu_count() or 1


def slots(study: Study) -> int:
    """Trials that can run at a time on this machine's CPUs."""
    return max(1, int(local_cpus(study) / study.resources.cpus_per_trial))


def _require_precision(study: Study, device: str) -> None:
    """UserError where a study asks for an arithmetic that this machine lacks."""
    trained = ("semi",) if study.semi else ("gan", "classifier")
    asked = {(s, setting[s].precision) for setting in study.settings() for s in trained}
    if any(precision != "float32" for _, precision in asked):
        from ganaug.precision import require

        for section, precision in sorted(asked):
            require(precision, device, f"{section}.precision")


Rounds = Callable[[int, dict[str, str]], Iterator[tuple[Grid, Callable[[int], None]]]]
"""From the number of slots and the failures so far to what is to be run, a grid after the other, with what is told of
its progress; the next one is asked for when the one before is through."""


def _execute(
    grid: Grid, store: Store, address: str | None, rounds: Rounds, track: tuple[str, ...], told: Path
) -> engine.Outcome:
    """Run what is missing; the trackers of `track` keep what they are told of it in the folder `told`."""
    outcome = engine.Outcome(counts="cells" if grid.measures else "assessments")
    with engine.cluster(address, local_cpus(grid.study), trackers.environment(track)) as there:
        from sweeps.cluster.lookout import Lookout
        from sweeps.tell import Tell

        ledger = Ledger(grid, Store(store.uri, read_only=True))
        placement = Placement.of(grid.study.resources, there, grid.study.fuse == "on")
        if not there.grows:  # of a cluster's machines each one answers for itself
            _require_precision(grid.study, placement.device)
        outcome.slots = placement.slots
        lookout = [Lookout(store, placement)] if there.grows else []
        try:
            for part, progress in rounds(placement.slots, outcome.failures):
                for wave in plan(part.leaves(), part.stored(store), placement.slots, together=placement.together):
                    trackings = [Tell(track, told, ledger, wave)] if track else []
                    engine.run_wave(wave, store.uri, placement, progress, outcome, [*lookout, *trackings])
        except KeyboardInterrupt:
            outcome.interrupted = True
        if lookout:
            outcome.slots = lookout[0].most
    return outcome


def run(
    study: Study,
    out: Path,
    store: Store,
    data: Path,
    address: str | None,
    watch: Callable[[int, int], Callable[[int], None]],
    track: tuple[str, ...] = (),
) -> tuple[dict[str, Any], bool]:
    """Run what is missing of a study and write its run folder; the summary, and whether the user interrupted.

    `watch(total, missing)` is called once planning is done and returns the function that is told of finished cells.
    `track` names experiment trackers, as `trackers.chosen` gives them.
    """
    began = time.monotonic()
    study = settled(study, out, address)
    folder, whole = RunFolder(out), open_grid(study, data, store)
    seeds = Seeds(whole) if study.seeds else None
    if seeds is not None:
        seeds.advance(store, {})
    grid = whole if seeds is None else within(whole, seeds.wanted())
    ran: Counter[str] = Counter()
    nodes: Counter[str] = Counter()
    failures: dict[str, str] = {}
    outcome = engine.Outcome()
    rows = rows_of(grid, store, failures)  # reading verifies: a damaged record is set aside here and made again below
    total = len(grid.asked)
    done = len(rows) if grid.measures else total - len(unreadable(grid, store))
    announce.begin(folder, grid, store, done=done)
    progress = watch(total, total - done)

    def rounds(slots: int, failed: dict[str, str]) -> Iterator[tuple[Grid, Callable[[int], None]]]:
        if seeds is None:
            yield grid, progress
            return
        before: list[str] | None = None
        while (missing := seeds.advance(store, failures | failed)) != before:  # the same again: no work would help
            seeds.write(folder)
            part = within(whole, seeds.ahead(store, slots))
            if not (missing or part.unassessed(store)):
                return
            yield part, watch(len(part.asked), len(part.missing(store)))
            before = missing

    for attempt in range(ATTEMPTS):
        assessed = all(a.key in failures for a in grid.unassessed(store))
        if outcome.interrupted or (assessed and len(rows) == len(grid.measures)):
            break
        if attempt and seeds is not None:
            seeds = Seeds(whole)  # which reads every record again
        outcome = _execute(whole, store, address, rounds, track, folder.tracking)
        ran += outcome.ran
        nodes += outcome.nodes
        failures |= outcome.failures
        grid = whole if seeds is None else within(whole, seeds.wanted())
        rows = rows_of(grid, store, failures)
    extra = {
        "computed": {k: ran[k] for k in ("fit_gan", "pool", "assess", "measure")},
        "reused": {"measure": done} if grid.measures else {"assess": done},
        "generators": len(grid.generators),
        "seconds": round(time.monotonic() - began, 1),
        "workers": outcome.slots or slots(study),
        "nodes": dict(sorted(nodes.items())),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    if seeds is not None:
        extra["seeds"] = seeds.facts()
        seeds.write(folder)
    summary = write_folder(grid, store, folder, rows, extra, failures)
    announce.end(folder)
    return summary, outcome.interrupted
