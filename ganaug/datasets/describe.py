"""What a person wants to know of a data set before a study names it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Summary:
    """A data set at a glance, without its images.

    where: the folder or package that holds it, or that should.
    classes: their names, empty where nobody knows yet.
    per_class: fewest and most images in a class, all splits together; None while absent.
    size: the side of an image in pixels; None while absent, or where the study states it.
    missing: the files to put there.
    """

    name: str
    where: str
    classes: tuple[str, ...]
    per_class: tuple[int, int] | None = None
    size: int | None = None
    missing: tuple[Path, ...] = ()

    @property
    def present(self) -> bool:
        """Whether every file is there. That they can be read is what loading finds out."""
        return not self.missing
