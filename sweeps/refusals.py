"""What is wrong with a study, in one line: the key, the rule, the value, and the name that was probably meant."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ganaug import specs
from ganaug.records import FACTORS


def _by_name(union: Any) -> dict[str, type[specs.Spec]]:
    return {get_args(m.model_fields["name"].annotation)[0]: m for m in get_args(get_args(union)[0])}


VARIANTS: dict[str, dict[str, type[specs.Spec]]] = {
    "gan": _by_name(specs.AnyGan),
    "filter": _by_name(specs.AnyFilter),
}
"""Sections of a study whose `name` says which further settings they have."""

_KINDS = {"gan": "GAN", "filter": "filter", "also": "filter"}
_ALL = {name: model for variants in VARIANTS.values() for name, model in variants.items()}


_RULES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "missing": "is missing",
    "literal_error": "must be {expected}",
}


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def hint(name: str, known: Iterable[str], above: str = "") -> str:
    """`; did you mean 'x'?`, or the known names where none is close; `above` stands before each."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {above + close[0]!r}?" if close else f"; known: {', '.join(known)}"


def explain(error: ValidationError, root: type[BaseModel], above: tuple[str, ...] = ()) -> str:
    """The first thing wrong, in one line: the key, the rule, the value. `above` is where the checked value belongs in
    `root`, the model of the whole."""
    first = error.errors(include_url=False)[0]
    places = (*above, *first["loc"])
    # pydantic puts the variant's name into the place: gan.projection.steps
    path = [p for i, p in enumerate(places) if not (i and places[i - 1] in _KINDS and p in _ALL)]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    context, value = first.get("ctx", {}), first["input"]
    match first["type"]:
        case "extra_forbidden":
            name = str(places[-1])
            if len(places) == 1 and (close := difflib.get_close_matches(name, FACTORS, 1)):
                return f"unknown key {name!r}; did you mean the factor {close[0]!r}, under factors?"
            return f"unknown key {key!r}{hint(name, _known_keys(root, places[:-1]), key.removesuffix(name))}"
        case "union_tag_not_found":
            return f"{key}.name: is missing; known: {', '.join(_variants(path))}"
        case "union_tag_invalid":
            known = _variants(path)
            return f"{key}.name: unknown {_KINDS[str(path[-1])]} {value['name']!r}; known: {', '.join(known)}"
        case "missing":
            return f"{key}: is missing"
        case "value_error":
            rule = str(context["error"])
            if not key or rule.startswith(("factors", "classifier", "primary", "filter", "search", "controls")):
                return rule
            told = isinstance(value, dict) or "got " in rule or repr(value) in rule
            return f"{key}: {rule}" + ("" if told else f", got {short(value)}")
        case kind:
            context = {k: int(v) if isinstance(v, float) and v == int(v) else v for k, v in context.items()}
            rule = _RULES[kind].format(**context) if kind in _RULES else first["msg"]
            return f"{key}: {rule}, got {short(value)}"


def _variants(path: list[int | str]) -> Iterable[str]:
    """The names that the section at the end of a path may have."""
    return VARIANTS["gan" if path[-1] == "gan" else "filter"]


def _known_keys(root: type[BaseModel], places: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that a section of a study, found by its place, knows."""
    at: Any = root
    for place in places:
        fields = getattr(at, "model_fields", {})
        at = fields[place].annotation if place in fields else _ALL.get(str(place), at)
        at = next((m for m in get_args(at) if hasattr(m, "model_fields")), at) if type(None) in get_args(at) else at
    return tuple(getattr(at, "model_fields", ()))
