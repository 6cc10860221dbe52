"""The long form: `python -m tests.faults kills --sweeps 40`, and so on; each prints the figure it publishes."""

import argparse
import shutil
import tempfile
import time
from pathlib import Path


def _kills(given: argparse.Namespace, folder: Path) -> tuple[str, bool]:
    from .kills import kills

    tally = kills(folder, given.sweeps, given.seed, tuple(given.victims.split(",")))
    return tally.line(), not tally.bad()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    own = commands.add_parser("kills", help="kill a running sweep's driver, worker or raylet, and resume")
    own.add_argument("--sweeps", type=int, default=42)
    own.add_argument("--victims", default="driver,worker,raylet")
    own.set_defaults(act=_kills)
    for each in commands.choices.values():
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--keep", action="store_true", help="keep the working folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ganaug-faults-"))
    began = time.monotonic()
    told, good = given.act(given, folder)
    print(f"{given.command}: {told}; seed {given.seed}, {time.monotonic() - began:.0f} s")
    if not given.keep:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
