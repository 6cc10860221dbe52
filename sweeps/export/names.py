"""Folder names for classes: safe on any file system, distinct on one that ignores case, and in the order of the labels.

Both readers of such folders number classes by sorting names: torchvision's ImageFolder letter by letter, our own with
numbers as numbers. Where a class's name alone would give it another label, every name gets its label in front.
"""

import re
import unicodedata

from ganaug.datasets.folder import natural

LONGEST = 80  # characters; file systems take 255 bytes, and a character may be four
# Windows keeps these names, whatever follows a dot
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def _safe(name: str) -> str:
    """Letters and digits of any script, with `-`, `.` and `+` between them; never hidden, never a way up."""
    text = re.sub(r"[^\w.+-]+", "_", unicodedata.normalize("NFC", name))[:LONGEST].strip(".")
    return f"_{text}" if _RESERVED.fullmatch(text) else text


def class_folders(classes: tuple[str, ...]) -> tuple[str, ...]:
    """A folder name per class, in the order of the classes."""
    names = [_safe(name) for name in classes]
    distinct = len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(names)
    if all(names) and distinct and sorted(names) == names == sorted(names, key=natural):
        return tuple(names)
    digits = len(str(len(names) - 1))
    return tuple(f"{label:0{digits}}_{name}" if name else f"{label:0{digits}}" for label, name in enumerate(names))
