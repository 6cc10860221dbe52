"""A study's file: found by path or packaged name, read, changed by `--set`, checked; and written out again."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganaug import yaml_file
from ganaug.errors import UserError
from ganaug.plain import plain
from ganaug.records import FACTORS
from ganaug.specs import Spec
from sweeps import overlays
from sweeps.refusals import explain
from sweeps.study import Study

MAX_PARTS = 20  # of a key of --set
PACKAGED = Path(__file__).parent / "studies"

Value = dict[str, Any]


def packaged() -> dict[str, Path]:
    """The studies that come with the package, by name."""
    return {p.stem: p for p in sorted(PACKAGED.glob("*.yaml"))}


def find(study: str) -> Path:
    """The file of a study given as a path or as the name of a packaged one."""
    path = Path(study)
    if path.is_file():
        return path
    known = packaged()
    if study in known:
        return known[study]
    if path.suffix in (".yaml", ".yml") or "/" in study:
        raise UserError(f"{study}: no such file")
    close = difflib.get_close_matches(study, known, 1, cutoff=0.5)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise UserError(f"{study}: no such file and no packaged study; {meant}packaged: {', '.join(known)}")


def _set(data: Value, assignment: str) -> None:
    """Apply `--set key=value`: a dotted path, or the bare name of a factor."""
    key, _, text = assignment.partition("=")
    path, shown = key.split("."), plain(key)
    if "=" not in assignment or not all(path) or shown != key:
        raise UserError(f"--set {plain(assignment)}: must be key=value, e.g. --set n_real=[3,10]")
    if len(path) > MAX_PARTS:
        raise UserError(f"--set {shown[:40]}…: a key has at most {MAX_PARTS} parts, got {len(path)}")
    factors = data.get("factors")
    if key == "seeds" and isinstance(factors, dict):
        factors.pop("seed", None)  # it takes their place
    if key in FACTORS or (isinstance(factors, dict) and key in factors):
        path = ["factors", key]
    elif path[0] in ("factors", "primary") and len(path) > 1:
        path = [path[0], ".".join(path[1:])]
    elif path[:2] in (["search", "space"], ["search", "settings"]) and len(path) > 2:
        path = [*path[:2], ".".join(path[2:])]
    at = data
    for depth, part in enumerate(path[:-1], 1):
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise UserError(f"--set {shown}: {plain('.'.join(path[:depth]))} has no settings of its own")
    at[path[-1]] = yaml_file.parse_value(text, f"--set {shown}")


def _refuse_yes(data: Value, checked: Spec, above: str = "") -> None:
    """A yes or no where a number belongs would pass for 1 or 0."""
    for key, value in data.items():
        known = getattr(checked, key)
        if isinstance(value, dict) and isinstance(known, Spec):
            _refuse_yes(value, known, f"{above}{key}.")
        elif isinstance(value, bool) and not isinstance(known, bool) and known not in ("on", "off"):
            raise UserError(f"{above}{key}: must be a number or a name, got {value}")


def _settle_search(study: Study) -> None:
    from sweeps.search.space import settle

    try:
        settle(study)
    except ValidationError as error:
        raise UserError(explain(error, Study)) from None
    except ValueError as error:
        raise UserError(str(error)) from None


def _variant(assignments: Sequence[str]) -> tuple[str | None, list[str]]:
    """What `--set variant=` asks for, and the other assignments: they change what the variant has settled."""
    chosen = [a.partition("=")[2] for a in assignments if a.startswith("variant=")]
    return (chosen[-1] if chosen else None), [a for a in assignments if not a.startswith("variant=")]


def load(study: str, assignments: Sequence[str] = (), stand_in: bool = False) -> Study:
    """A study from a file or a packaged name, with `--set` assignments applied; UserError says what is wrong where.

    `stand_in` lays the file's stand-in data over it, and `--set variant=` one of its variants (see `overlays`).
    A number in quotes is a number; `true` and `false` are not.
    """
    path = find(study)
    data = yaml_file.read(path)
    variant, assignments = _variant(assignments)
    try:
        data = overlays.resolved(data, variant, stand_in)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    data.setdefault("name", path.stem)
    return checked_study(data, assignments, str(path))


def checked_study(data: Value, assignments: Sequence[str], where: str) -> Study:
    """A study from what its file says, with `--set` assignments applied; UserError begins with `where`."""
    for assignment in assignments:
        _set(data, assignment)
    try:
        checked = Study.model_validate(data)
        _refuse_yes(data, checked)
        if checked.search is not None:
            _settle_search(checked)
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, Study)}") from None
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    return checked


def to_yaml(study: Study) -> str:
    """The resolved study as YAML that `load` reads back."""
    return yaml_file.dump(study.model_dump(mode="json"))
