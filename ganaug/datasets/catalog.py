"""The data sets by name: what a study may ask for, which options apply, where files belong. Free of torch."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from ganaug.datasets.celeba import load_celeba, missing_celeba, summarize_celeba
from ganaug.datasets.cifar10 import load_cifar10, missing_cifar10, summarize_cifar10
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.digits import load_digits, missing_digits, summarize_digits
from ganaug.datasets.emnist import load_emnist, missing_emnist, summarize_emnist
from ganaug.datasets.etl import load_etl, missing_etl, summarize_etl
from ganaug.datasets.folder import SIZES, load_folder, missing_folder, summarize_folder
from ganaug.datasets.glyphs import load_glyphs, missing_glyphs, summarize_glyphs
from ganaug.datasets.mnist import load_mnist, missing_mnist, summarize_mnist
from ganaug.datasets.pomeranian import load_pomeranian, missing_pomeranian, summarize_pomeranian
from ganaug.errors import UserError


@dataclass(frozen=True)
class Entry:
    """One line of the catalog. The functions take the data folder, then the options by name.

    options: what may be given.  required: what must be.
    where: the options that decide which files are meant; only these reach `missing` and `summarize`.
    """

    about: str
    load: Callable[..., Dataset]
    missing: Callable[..., list[Path]]
    summarize: Callable[..., Summary]
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


def _mnist(name: str, about: str) -> Entry:
    return Entry(about, partial(load_mnist, name), partial(missing_mnist, name), partial(summarize_mnist, name))


def _own(data_dir: Path, path: str | Path) -> Path:
    """Where the user's folder is: below the data directory, or, where it is not there, as the path says."""
    path = Path(path).expanduser()
    below = data_dir / path
    return path if path.is_dir() and not below.is_dir() else below


def _load_own(
    data_dir: Path, path: str | Path, size: int, channels: int | None = None, on_bad_image: str = "refuse"
) -> Dataset:
    return load_folder(_own(data_dir, path), size, channels, on_bad_image)


def _checked_size(load: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """A loader that is told a size in pixels, and refuses what is none."""

    def checked(data_dir: Path, size: int, **options: Any) -> Dataset:
        if isinstance(size, bool) or not isinstance(size, int) or size not in SIZES:
            raise UserError(
                f"dataset.size: must be a whole number of pixels from {SIZES[0]} to {SIZES[-1]}, got {size!r}"
            )
        return load(data_dir, size, **options)

    return checked


DATASETS: dict[str, Entry] = {
    "mnist": _mnist("mnist", "handwritten digits, 10 classes, 28 x 28 grey"),
    "kmnist": _mnist("kmnist", "cursive Japanese characters, 10 classes, 28 x 28 grey"),
    "fashion-mnist": _mnist("fashion-mnist", "pieces of clothing, 10 classes, 28 x 28 grey"),
    "emnist": Entry(
        "handwritten letters and digits, 26 or 47 classes by `protocol`, 28 x 28 grey",
        load_emnist,
        missing_emnist,
        summarize_emnist,
        options=("protocol",),
        where=("protocol",),
    ),
    "digits": Entry("scikit-learn's digits, 10 classes, 8 x 8 grey", load_digits, missing_digits, summarize_digits),
    "cifar10": Entry(
        "photographs of animals and vehicles, 10 classes, 32 x 32 colour",
        load_cifar10,
        missing_cifar10,
        summarize_cifar10,
    ),
    "celeba": Entry(
        "CelebA's aligned faces, one class, colour, resized to `size`; `images` of them",
        _checked_size(load_celeba),
        missing_celeba,
        summarize_celeba,
        options=("size", "images", "on_bad_image"),
        required=("size",),
    ),
    "pomeranian": Entry(
        "the 200 Pomeranians of Oxford-IIIT Pet, one class, colour, resized to `size`",
        _checked_size(load_pomeranian),
        missing_pomeranian,
        summarize_pomeranian,
        options=("size", "on_bad_image"),
        required=("size",),
    ),
    "folder": Entry(
        "your own PNG or JPEG images in `path`, one sub-folder per class, resized to `size`",
        _load_own,
        lambda data_dir, path: missing_folder(_own(data_dir, path)),
        lambda data_dir, path: summarize_folder(_own(data_dir, path)),
        options=("path", "size", "channels", "on_bad_image"),
        required=("path", "size"),
        where=("path",),
    ),
    "etl": Entry(
        "handwritten Japanese of the ETL Character Database, `set` etl7, etl8b, …, the `characters` you name",
        load_etl,
        missing_etl,
        summarize_etl,
        options=("set", "characters", "per_class", "size"),
        required=("set", "characters"),
        where=("set",),
    ),
    "glyphs": Entry(
        "synthetic: any `characters` drawn with this machine's fonts, distorted; a font is a writer",
        load_glyphs,
        missing_glyphs,
        summarize_glyphs,
        options=("characters", "per_class", "size", "fonts"),
        required=("characters",),
    ),
}


def find(name: str) -> Entry:
    """The entry called `name`. Raises UserError with the known names and the closest one."""
    if name in DATASETS:
        return DATASETS[name]
    closest = get_close_matches(str(name), DATASETS, n=1)
    hint = f"; did you mean {closest[0]}?" if closest else ""
    raise UserError(f"dataset must be one of {', '.join(DATASETS)}, got {name!r}{hint}")


def _checked(name: str, options: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    """The options that were given: None means left out, as an empty field of a study file does."""
    entry = find(name)
    for option in options:
        if options[option] is not None and option not in entry.options:
            raise UserError(f"{name} takes {', '.join(entry.options) or 'no options'}, got {option!r}; leave it out")
    for option in required:
        if options.get(option) is None:
            raise UserError(f"{name} needs the option {option!r}, got none; it takes {', '.join(entry.options)}")
    return {option: value for option, value in options.items() if value is not None}


def _placing(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The checked options that decide which files are meant."""
    where = find(name).where
    required = tuple(option for option in find(name).required if option in where)
    return {option: value for option, value in _checked(name, options, required).items() if option in where}


def load(name: str, data_dir: str | Path, **options: Any) -> Dataset:
    """The data set `name` with its files under `data_dir`.

    options: `protocol` for emnist; `path`, `size` and `channels` for folder; `size` and `images` for celeba; `size` for
    pomeranian; `on_bad_image` for these three; `set`, `characters`, `per_class` and `size` for etl; `characters`,
    `per_class`, `size` and `fonts` for glyphs; None is the same as left out.
    Raises UserError, one line, for an unknown name, a foreign option, and absent or damaged files.
    """
    return find(name).load(Path(data_dir), **_checked(name, options, find(name).required))


def missing(name: str, data_dir: str | Path, **options: Any) -> list[Path]:
    """The files that `load` would not find, as the paths to put them at. Raises UserError as `load` does."""
    return find(name).missing(Path(data_dir), **_placing(name, options))


def summary(name: str, data_dir: str | Path, **options: Any) -> Summary:
    """The data set at a glance, its images unread. Raises UserError for damaged files or a bad option."""
    return find(name).summarize(Path(data_dir), **_placing(name, options))
