"""Where the weights of ImageNet's networks lie: a file the user names, or their library's. Loads no torch."""

import hashlib
import os
from pathlib import Path

from ganaug.errors import UserError
from ganaug.stages import LocalFile

INCEPTION = "weights-inception-2015-12-05-6726825d.pth"  # torch-fidelity's, converted from the one FID is defined by
RESNET = "resnet50-11ad3fa6.pth"  # torchvision's ResNet50_Weights.IMAGENET1K_V2


def cache() -> Path:
    """The folder in which torch's libraries keep what they have downloaded."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local(key: str, path: str | None, name: str, instead: str) -> LocalFile:
    """The file at `path`, or `name` in the cache where none is given. UserError, one line, where there is none.

    key: of the study, e.g. `assess.weights`. instead: what can be done without the file.
    """
    place = Path(path).expanduser() if path else cache() / name
    if not place.is_file():
        raise UserError(
            f"{key}: needs the file {name}, got none at {place}; put it there, say where it is, or {instead}"
        )
    return LocalFile(str(place.resolve()), _digest(place))


def inception(path: str | None) -> LocalFile:
    """InceptionV3 as torch-fidelity has it."""
    return local("assess.weights", path, INCEPTION, "take assess.features classifier")


def resnet(path: str) -> LocalFile:
    """ResNet-50 as torchvision has it."""
    return local("assess.imagenet", path, RESNET, "leave assess.imagenet out")
