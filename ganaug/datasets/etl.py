"""The ETL Character Database: handwritten Japanese, collected 1973 to 1984 by the Electrotechnical Laboratory.

Its terms forbid passing it on, so everybody brings their own copy (etlcdb.db.aist.go.jp), unpacked as it comes:
`data/ETL7/ETL7LC_1` and so on. ETL2, of another type, is not read.

The publisher names no test images. Those of a fifth of the writers are taken, so that nobody wrote for both; writers
are told apart by sex, age, trade and date in ETL1, 6 and 7, and by their sheets in the others.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganaug.datasets import etl_records as records
from ganaug.datasets.characters import parse_characters
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.etl_shift import check_type
from ganaug.errors import UserError
from ganaug.randomness import numpy_rng

TEST_SHARE = 0.2  # of the writers
FEWEST_WRITERS = 5  # below it nobody is held out


@dataclass(frozen=True)
class Part:
    """One set of the database: the type of its records and its files, in the folder of its name."""

    folder: str
    layout: records.Layout
    files: tuple[str, ...]


def _numbered(stem: str, n: int, digits: int = 2) -> tuple[str, ...]:
    return tuple(f"{stem}{i:0{digits}}" for i in range(1, n + 1))


SETS = {
    "etl1": Part("ETL1", records.M, _numbered("ETL1C_", 13)),
    "etl3": Part("ETL3", records.C, _numbered("ETL3C_", 2, 1)),
    "etl4": Part("ETL4", records.C, ("ETL4C",)),
    "etl5": Part("ETL5", records.C, ("ETL5C",)),
    "etl6": Part("ETL6", records.M, _numbered("ETL6C_", 12)),
    "etl7": Part("ETL7", records.M, ("ETL7LC_1", "ETL7LC_2", "ETL7SC_1", "ETL7SC_2")),
    "etl8b": Part("ETL8B", records.B8, _numbered("ETL8B2C", 3, 1)),
    "etl8g": Part("ETL8G", records.G8, _numbered("ETL8G_", 33)),
    "etl9b": Part("ETL9B", records.B9, _numbered("ETL9B_", 5, 1)),
    "etl9g": Part("ETL9G", records.G9, _numbered("ETL9G_", 50)),
}


def _part(name: str) -> Part:
    if name not in SETS:
        raise UserError(f"etl: set must be one of {', '.join(SETS)}, got {name!r}")
    return SETS[name]


def missing_etl(data_dir: Path, set: str) -> list[Path]:
    """The files that `load_etl` would not find. Raises UserError for an unknown set."""
    part = _part(set)
    return [data_dir / part.folder / name for name in part.files if not (data_dir / part.folder / name).exists()]


def summarize_etl(data_dir: Path, set: str) -> Summary:
    """What `load_etl` would load; its classes are the study's to choose."""
    return Summary(f"etl-{set}", str(data_dir / _part(set).folder), (), missing=tuple(missing_etl(data_dir, set)))


def _squared(images: np.ndarray, size: int) -> np.ndarray:
    """(n, h, w) uint8 with blank margins added to the shorter side, resized; (n, size, size) uint8."""
    n, height, width = images.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    padded = np.zeros((n, side, side), np.uint8)
    padded[:, top : top + height, left : left + width] = images
    if side == size:
        return padded
    small = [np.asarray(Image.fromarray(one).resize((size, size), Image.Resampling.BOX)) for one in padded]
    return np.stack(small) if small else np.zeros((0, size, size), np.uint8)


def _held_out(writers: np.ndarray) -> np.ndarray | None:
    """Which images are a held-out writer's, (N,) bool; None where the writers are too few."""
    every = sorted({*writers.tolist()})
    if len(every) < FEWEST_WRITERS:
        return None
    order = numpy_rng(0, "etl", "writers").permutation(len(every))
    chosen = {every[i] for i in order[: round(TEST_SHARE * len(every))]}
    return np.array([writer in chosen for writer in writers], np.bool_)


def load_etl(data_dir: Path, set: str, characters: str, per_class: int | None = None, size: int = 32) -> Dataset:
    """(N, 1, size, size) uint8, ink white on black, at the levels they were scanned with.

    set: `etl7`, `etl8b`, … as in `SETS`.  characters: as `parse_characters` reads them, a class each.
    per_class: that many of each, drawn once; None: all there are.
    Raises UserError, one line, for an unknown set, characters it does not hold enough of, and absent or damaged files.
    """
    part, chosen = _part(set), parse_characters("etl", characters)
    if not 8 <= size <= 128:
        raise UserError(f"etl: size must lie in [8, 128], got {size}")
    if missing := missing_etl(data_dir, set):
        names = ", ".join(path.name for path in missing)
        raise UserError(
            f"etl {set} needs {len(missing)} more of its {len(part.files)} files: get them from the publisher of the "
            f"ETL Character Database, whose terms forbid passing them on, and put {names} into {data_dir / part.folder}"
        )
    label_of = {character: label for label, character in enumerate(chosen)}
    images, labels, writers = [], [], []
    for name in part.files:
        path = data_dir / part.folder / name
        found = records.read_records(path, part.layout, only_hiragana=set == "etl7")
        check_type(path, found)
        which = np.flatnonzero(np.isin(found.characters, chosen))
        images.append(_squared(found.images(which), size))
        labels += [label_of[c] for c in found.characters[which]]
        writers.append(found.writers[which])
    stacked, every, who = np.concatenate(images), np.array(labels, np.int64), np.concatenate(writers)
    keep = _kept(every, chosen, per_class, set)
    return Dataset(f"etl-{set}", chosen, stacked[keep][:, None], every[keep], test=_held_out(who[keep]))


def _kept(labels: np.ndarray, chosen: tuple[str, ...], per_class: int | None, name: str) -> np.ndarray:
    """Places of the images that are kept, in their order."""
    places = []
    for label, character in enumerate(chosen):
        own = np.flatnonzero(labels == label)
        if not len(own):
            raise UserError(f"etl: characters: {name} holds no {character!r}; leave it out, or name another set")
        if per_class is not None and len(own) < per_class:
            raise UserError(f"etl: per_class: {name} holds {len(own)} images of {character!r}, got {per_class}")
        if per_class is not None:
            own = numpy_rng(0, "etl", "per class", character).permutation(own)[:per_class]
        places.append(own)
    return np.sort(np.concatenate(places))
