"""The long form: `python -m tests.faults kills --sweeps 40`, and so on; each prints the figure it publishes."""

import argparse
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Found = tuple[str, bool]  # the figure in words, and whether it is as it should be


def _kills(given: argparse.Namespace, folder: Path) -> Found:
    from .kills import kills

    tally = kills(folder, given.sweeps, given.seed, tuple(given.victims.split(",")))
    return tally.line(), not tally.bad()


def _points(given: argparse.Namespace, folder: Path) -> Found:
    from .points import POINTS, every_point

    kills, fulls, wrong = every_point(folder, given.shorter)
    told = f"{kills} kills and {fulls} full disks at {len(POINTS)} named write points: {len(wrong)} wrong"
    return "; ".join([told, *wrong]), not wrong


def _writer(given: argparse.Namespace, folder: Path) -> Found:
    from .writer import kill_writers

    tally = kill_writers(folder, given.kills, given.seed)
    return tally.line(), not tally.bad()


def _damage(given: argparse.Namespace, folder: Path) -> Found:
    from .damage import damage

    tally = damage(folder, given.artifacts, given.seed)
    return "; ".join([tally.line(), *tally.believed]), not tally.bad()


def _disk(given: argparse.Namespace, folder: Path) -> Found:
    from .disk import SIZES, on_small_disks

    found = on_small_disks(folder, SIZES)
    wrong = [w for _, each in found for w in each]
    ended = "; ".join(how for how, _ in found) or "no disk may be mounted here"
    return f"{len(found)} small disks, {len(wrong)} wrong: {ended} {' '.join(wrong)}", bool(found) and not wrong


def _drivers(given: argparse.Namespace, folder: Path) -> Found:
    from . import drivers

    found = drivers.whole(folder, given.drivers) if given.ray else drivers.forked(folder, given.drivers, given.skewed)
    return "; ".join([found.line(), *found.failed]), not found.wrong()


def _bad_trials(given: argparse.Namespace, folder: Path) -> Found:
    from .bad_trials import bad_trials

    found = bad_trials(folder, given.seeds, given.bad, given.seed)
    return "; ".join([found.line(), *found.mislabelled]), not found.wrong()


def _soak(given: argparse.Namespace, folder: Path) -> Found:
    from .soak import soak

    done = soak(folder, given.cells)
    return done.line(), done.code == 0 and not any(left.startswith(("process", "/dev/shm")) for left in done.left)


ACTS: dict[str, tuple[Callable[[argparse.Namespace, Path], Found], str]] = {
    "kills": (_kills, "kill a running sweep's driver, worker or raylet, and resume"),
    "points": (_points, "kill and full disk at every named write point"),
    "writer": (_writer, "kill the store's writer, without Ray"),
    "damage": (_damage, "truncate, flip, swap and zero artifacts of every kind"),
    "disk": (_disk, "run on small disks until they are full"),
    "drivers": (_drivers, "several drivers on one store at once"),
    "bad-trials": (_bad_trials, "NaN, collapse and no memory in some of the trials"),
    "soak": (_soak, "a long run: memory, descriptors, what it leaves"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    own = {name: commands.add_parser(name, help=about) for name, (_, about) in ACTS.items()}
    own["kills"].add_argument("--sweeps", type=int, default=42)
    own["kills"].add_argument("--victims", default="driver,worker,raylet")
    own["points"].add_argument("--shorter", action="store_true", help="a kill and a full disk each, in the driver")
    own["writer"].add_argument("--kills", type=int, default=1000)
    own["damage"].add_argument("--artifacts", type=int, default=10_000)
    own["drivers"].add_argument("--drivers", type=int, default=8)
    own["drivers"].add_argument("--ray", action="store_true", help="whole runs with a Ray each")
    own["drivers"].add_argument("--skewed", action="store_true", help="clocks an hour late, right, an hour early")
    own["bad-trials"].add_argument("--seeds", type=int, default=40)
    own["bad-trials"].add_argument("--bad", type=int, default=12)
    own["soak"].add_argument("--cells", type=int, default=1000)
    for each in own.values():
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--keep", action="store_true", help="keep the working folder")
    given = parser.parse_args()
    folder, began = Path(tempfile.mkdtemp(prefix="ganaug-faults-")), time.monotonic()
    told, good = ACTS[given.command][0](given, folder)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{given.command}: {told}\nseed {given.seed}, {time.monotonic() - began:.0f} s, {machine}")
    if not given.keep:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
