"""Fonts as pseudo-writers: which files stand for one hand, which hands are held out, and where to look for them.

A family is one hand, however many weights of it there are: a test font whose bold face was trained on would be no
test. Of the Japanese families a pen and a brush are for training, a pen and a brush held out.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ganaug.errors import UserError


@dataclass(frozen=True)
class Hand:
    """A family of fonts: its files, without folders, and the Debian package that brings them ("": matplotlib does)."""

    name: str
    files: tuple[str, ...]
    package: str = ""
    test: bool = False


JAPANESE = (
    Hand("kiloji", ("kiloji.ttf", "kiloji_b.ttf"), "fonts-kiloji"),
    Hand("aoyagi-soseki", ("aoyagi-soseki.ttf",), "fonts-aoyagi-soseki"),
    Hand("aoyagi-kouzan", ("AoyagiKouzanT.ttf",), "fonts-aoyagi-kouzan-t"),
    Hand("seto", ("setofont.ttf",), "fonts-seto", test=True),
    Hand("kouzan-mouhitsu", ("kouzan-mouhitsu.ttf",), "fonts-kouzan-mouhitsu", test=True),
)
LATIN = (
    Hand("dejavu-sans", ("DejaVuSans.ttf", "DejaVuSans-Oblique.ttf")),
    Hand("stix", ("STIXGeneral.ttf", "STIXGeneralItalic.ttf")),
    Hand("computer-modern", ("cmss10.ttf",)),
    Hand("dejavu-serif", ("DejaVuSerif.ttf", "DejaVuSerif-Italic.ttf"), test=True),
)


def _folders() -> list[Path]:
    """Where fonts lie: matplotlib's own first, which are everywhere the same, then the machine's, then the user's."""
    import matplotlib as mpl

    home, data = Path.home(), os.environ.get("XDG_DATA_HOME")
    own = [Path(mpl.get_data_path()) / "fonts/ttf"]
    if sys.platform == "darwin":
        return [*own, Path("/Library/Fonts"), Path("/System/Library/Fonts"), home / "Library/Fonts"]
    user = Path(data) if data else home / ".local/share"
    return [*own, Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), user / "fonts", home / ".fonts"]


@cache
def installed() -> dict[str, Path]:
    """Every font file on this machine by its name in lower case, with and without its ending."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.suffix.lower() in (".ttf", ".otf", ".ttc"):
                found.setdefault(path.name.lower(), path)
                found.setdefault(path.stem.lower(), path)
    return found


def _named(name: str) -> tuple[Hand, Path | None]:
    """The hand a user means by a family's name, a path or a file's name; and the path, if it is one."""
    for hand in (*JAPANESE, *LATIN):
        if hand.name == name:
            return hand, None
    path = Path(name).expanduser()
    return Hand(path.stem, (path.name,)), path if path.is_file() else None


def _wanted(characters: Iterable[str], fonts: list[str] | None) -> list[tuple[Hand, str, Path | None]]:
    """Hands with the files to draw with, and the paths of those that were given as paths."""
    if fonts is None:
        hands = LATIN if all(ord(c) < 0x250 for c in characters) else JAPANESE
        return [(hand, file, None) for hand in hands for file in hand.files]
    n_test = max(1, len(fonts) // 3) if len(fonts) > 1 else 0
    out = []
    for place, name in enumerate(fonts):
        hand, path = _named(name)
        hand = replace(hand, test=place >= len(fonts) - n_test)
        out += [(hand, file, path) for file in hand.files]
    return out


def find_fonts(characters: Iterable[str], fonts: list[str] | None) -> list[tuple[Hand, Path]]:
    """The font files to draw `characters` with, hand by hand.

    fonts: paths, names of files, or families; the last third of them, at least one, is held out where there are two
    or more. None: Japanese families, or matplotlib's own where all characters are Latin.
    Raises UserError that says what to install.
    """
    known, wanted = installed(), _wanted(characters, fonts)
    found = [(hand, file, own or known.get(file.lower())) for hand, file, own in wanted]
    if missing := [(hand, file) for hand, file, path in found if path is None]:
        packages = sorted({hand.package for hand, _ in missing if hand.package})
        how = f"install {' '.join(packages)} (Debian, Ubuntu: apt-get install)" if packages else "install them"
        names = ", ".join(file for _, file in missing)
        raise UserError(
            f"glyphs: no font of this machine is called {names}; {how}, or name others with dataset.fonts: paths, "
            "names of files, or families"
        )
    return [(hand, path) for hand, _, path in found if path is not None]
