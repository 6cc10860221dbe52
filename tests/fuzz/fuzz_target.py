"""What is attacked: a reader, and files that are right."""

import gzip
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from fuzz_mutators import mutated

ROOT = Path(__file__).parents[2]
for _folder in (ROOT, ROOT / "tests" / "datasets", ROOT / "tests" / "analysis", ROOT / "tests" / "ganaug"):
    sys.path.insert(0, str(_folder))

from ganaug.errors import UserError  # noqa: E402
from sweeps.store.reading import Damaged  # noqa: E402

Refusal = (UserError, Damaged)
Run = Callable[[Path], object]
"""Reads one input, which it first writes below a folder."""


@dataclass
class Target:
    """A reader. `make` gives files that are right; `read` reads one of them, whole or damaged, by its name.

    share: of the numbers that a run is asked for; less for readers of many milliseconds.
    """

    make: Callable[[], dict[str, bytes]]
    read: Callable[[str, bytes, Path], object]
    damage: Callable[[str, bytes, Sequence[bytes], Random], bytes] = lambda name, data, others, rng: mutated(
        data, others, rng
    )
    share: float = 1.0
    files: dict[str, bytes] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the files."""
        self.files = self.make()

    def whole(self) -> list[Run]:
        """Every file as it should be."""
        return [partial(self.read, name, data) for name, data in self.files.items()]

    def input(self, rng: Random) -> Run:
        """A damaged one."""
        name = rng.choice(list(self.files))
        others = [data for other, data in self.files.items() if other != name]
        return partial(self.read, name, self.damage(name, self.files[name], others, rng))


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def damage_gzip(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Half of them inside, so that damage is met behind gzip's checksum too."""
    if rng.random() < 0.5:
        return gzip.compress(mutated(data, others, rng), 1, mtime=0)
    return mutated(gzip.compress(data, 1, mtime=0), [gzip.compress(other, 1, mtime=0) for other in others], rng)


class Packed(Target):
    """Files that are packed as they should be, unless damaged."""

    def whole(self) -> list[Run]:
        return [partial(self.read, name, gzip.compress(data, 1, mtime=0)) for name, data in self.files.items()]
