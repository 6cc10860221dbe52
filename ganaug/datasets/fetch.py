"""Downloading, left to torchvision: it knows the mirrors and checks md5 sums. Only this needs it."""

from http.client import HTTPException
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ganaug.datasets.catalog import missing
from ganaug.datasets.emnist import PROTOCOLS
from ganaug.errors import UserError


def _download(name: str, data_dir: Path, protocol: str = "balanced") -> None:
    from torchvision import datasets  # seconds, and only those who download pay them

    match name:
        case "mnist":
            datasets.MNIST(data_dir, download=True)
        case "kmnist":
            datasets.KMNIST(data_dir, download=True)
        case "fashion-mnist":
            datasets.FashionMNIST(data_dir, download=True)
        case "emnist":
            datasets.EMNIST(data_dir, split=PROTOCOLS[protocol].split, download=True)
        case "cifar10":
            datasets.CIFAR10(data_dir, download=True)  # the python version
        case _:
            raise UserError(f"{name} has nothing to download; put your images where `path` says")


def download(name: str, data_dir: str | Path, **options: Any) -> None:
    """Puts the files of `name` where `load` finds them; does nothing where they are already there.

    Raises UserError, one line that lists the files to put in place by hand, where the download fails.
    """
    kind, _, protocol = name.partition("-")
    if kind == "emnist" and protocol in PROTOCOLS:  # as its loader calls each of them
        name, options = kind, options | {"protocol": protocol}
    wanted = missing(name, data_dir, **options)
    if not wanted:
        return
    given = {option: value for option, value in options.items() if option == "protocol" and value is not None}
    try:
        _download(name, Path(data_dir), **given)
        reason = "the archive did not hold them"
    # torchvision's own complaint, no network, no space, a connection that ends early, half an archive
    except (RuntimeError, OSError, HTTPException, EOFError, BadZipFile) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
    if wanted := missing(name, data_dir, **options):
        raise UserError(
            f"{name} could not be downloaded ({reason}); get {', '.join(path.name for path in wanted)} "
            f"elsewhere and put them into {wanted[0].parent}"
        )
