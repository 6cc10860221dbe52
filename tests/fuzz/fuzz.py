"""Readers against damaged input: `python tests/fuzz/fuzz.py --seeds 0:10000`.

The law: an input is read, or refused by a UserError of one line (of the store: by Damaged). Anything else is a crash:
another exception, more than SECONDS of processor time, more than MEMORY of address space, the end of the process. Each
target runs in a process of its own whose address space is limited, so that a bomb is met by MemoryError and not by the
machine; a MemoryError that a reader turned into a refusal counts as a crash too. Input number n of a target is the same
wherever the libraries write the same whole files. Targets that are slow by nature get a share of the numbers.
"""

import argparse
import contextlib
import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

ROOT = Path(__file__).parents[2]
SECONDS = 1.0  # of the processor, for one input
WALL = 60  # after which an input is broken off
MEMORY = 512 << 20  # bytes of address space beyond what the reader's libraries take


class TooLong(BaseException):
    """Broken off; no reader catches it."""


@dataclass
class Tally:
    """What became of a target's inputs. crashes: number of the input -> what it did."""

    target: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_input: int = -1
    peak: int = 0  # bytes of memory beyond those before the first input
    seconds: float = 0.0
    crashes: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        self.inputs, self.read, self.refused = (
            self.inputs + other.inputs, self.read + other.read, self.refused + other.refused
        )  # fmt: skip
        if other.slowest > self.slowest:
            self.slowest, self.slowest_input = other.slowest, other.slowest_input
        self.peak, self.seconds = max(self.peak, other.peak), self.seconds + other.seconds
        self.crashes |= other.crashes


def _told(error: BaseException) -> str:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else "?"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """MEMORY more address space than now, and an alarm clock."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before, clock = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGALRM, ring)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGALRM, clock)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def attack(name: str, numbers: range, folder: Path, at: Path) -> Tally:
    """Every input of `numbers` against a target, in this process; the number under way stands in the file `at`."""
    from fuzz_targets import TARGETS, Refusal

    target = TARGETS[name]
    target.prepare()
    tally = Tally(name)
    for whole in target.whole():  # what is right must be read; and libraries are loaded before memory is limited
        try:
            whole(folder)
        except Refusal:
            if name != "set":  # what may be set depends on what else is set
                raise
    before, began = _peak(), time.monotonic()
    with _limited(), at.open("w") as progress:
        for number in numbers:
            progress.seek(0)
            progress.write(f"{number:12}")
            progress.flush()
            run = target.input(Random(f"{name} {number}"))
            signal.alarm(WALL)
            spent = time.process_time()
            try:
                run(folder)
                tally.read += 1
            except Refusal as error:
                tally.refused += 1
                if "\n" in str(error):
                    tally.crashes[number] = f"a refusal of several lines: {str(error)[:200]!r}"
                if any(isinstance(cause, MemoryError) for cause in _chain(error)):
                    tally.crashes[number] = f"memory: {_told(error)}"
            except TooLong as error:
                tally.crashes[number] = f"hang: {_told(error)}"
            except BaseException as error:
                tally.crashes[number] = _told(error)
            finally:
                signal.alarm(0)
            spent = time.process_time() - spent
            tally.inputs += 1
            if spent > tally.slowest:
                tally.slowest, tally.slowest_input = spent, number
            if spent > SECONDS:
                tally.crashes.setdefault(number, f"took {spent:.1f} s")
    tally.peak, tally.seconds = max(0, _peak() - before), time.monotonic() - began
    return tally


def _in_a_process(name: str, numbers: range, scratch: Path) -> Tally:
    """`attack`, where the end of the process is a crash of the input that was under way; the others follow."""
    total, out, at = Tally(name), scratch / "tally.json", scratch / "at"
    while len(numbers):
        out.unlink(missing_ok=True)
        at.unlink(missing_ok=True)
        told = [f"{numbers.start}:{numbers.stop}", str(out), str(at)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        done = subprocess.run(
            [sys.executable, __file__, "--child", name, *told], env=environment, capture_output=True, text=True
        )
        if out.exists():
            data = json.loads(out.read_text())
            data["crashes"] = {int(k): v for k, v in data["crashes"].items()}
            total.add(Tally(**data))
            break
        if not at.exists() or not at.read_text().strip():
            raise SystemExit(f"{name}: does not start\n{done.stderr[-3000:]}")
        last = int(at.read_text())
        total.add(_in_a_process(name, range(numbers.start, last), scratch))  # what it had found is lost with it
        total.inputs += 1
        total.crashes[last] = f"ended the process ({done.returncode}): {' '.join(done.stderr.split())[-200:]}"
        numbers = range(last + 1, numbers.stop)
    return total


def fuzz(names: list[str], numbers: range) -> list[Tally]:
    """Every target against the inputs of these numbers, or the first of them: as many as its share."""
    from fuzz_targets import TARGETS

    tallies = []
    for name in names:
        scratch = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
        own = numbers[: max(1, round(TARGETS[name].share * len(numbers)))]
        try:
            tallies.append(_in_a_process(name, own, scratch))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return tallies


def _table(tallies: list[Tally]) -> str:
    rows = [
        "| target | inputs | read | refused | crashes | slowest, ms | peak, MB | seconds |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {t.target} | {t.inputs:,} | {t.read:,} | {t.refused:,} | {len(t.crashes)} | {1000 * t.slowest:.0f} | "
        f"{t.peak / 2**20:.0f} | {t.seconds:.0f} |"
        for t in tallies
    ]
    total = Tally("all")
    for t in tallies:
        total.add(t)
    rows.append(
        f"| all | {total.inputs:,} | {total.read:,} | {total.refused:,} | {sum(len(t.crashes) for t in tallies)} | "
        f"{1000 * total.slowest:.0f} | {total.peak / 2**20:.0f} | {total.seconds:.0f} |"
    )
    return "\n".join(rows)


def _range(text: str) -> range:
    start, _, stop = text.partition(":")
    return range(int(start), int(stop))


def main() -> None:
    """Print a table and every crash; exit code 1 where there was one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=_range, default=range(10_000), help="numbers of the inputs, e.g. 0:10000")
    parser.add_argument("--targets", default="", help="names with commas between; default: all")
    parser.add_argument("--child", nargs=4, metavar=("TARGET", "NUMBERS", "OUT", "AT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        name, numbers, out, at = asked.child
        logging.disable(logging.CRITICAL)  # of this process alone
        with tempfile.TemporaryDirectory(prefix="fuzz-files-") as folder:
            tally = attack(name, _range(numbers), Path(folder), Path(at))
        Path(out).write_text(json.dumps(asdict(tally)))
        return
    from fuzz_targets import TARGETS

    names = asked.targets.split(",") if asked.targets else [n for n in TARGETS if not n.startswith("planted")]
    tallies = fuzz(names, asked.seeds)
    print(_table(tallies))
    for tally in tallies:
        for number, what in sorted(tally.crashes.items()):
            print(f"{tally.target} {number}: {what}")
    raise SystemExit(any(tally.crashes for tally in tallies))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
