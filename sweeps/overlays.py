"""One study file, several studies: a published and a corrected variant, and a stand-in for data that are not here."""

from difflib import get_close_matches
from typing import Any

from ganaug.errors import UserError

Value = dict[str, Any]


def laid_over(below: Value, above: Value) -> Value:
    """`below` with `above` over it: mappings are merged, anything else is replaced.

    A mapping with another `name` replaces the one below whole: the settings of one GAN mean nothing to another.
    """
    out = dict(below)
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict) and value.get("name") in (None, under.get("name")):
            out[key] = laid_over(under, value)
        else:
            out[key] = value
    return out


def _mapping(data: Value, key: str) -> Value:
    value = data.pop(key, None) or {}
    if not isinstance(value, dict):
        raise UserError(f"{key}: must be a mapping of settings, got {value!r}")
    return value


def _chosen(names: list[str], wanted: Any) -> str:
    if wanted in names:
        return str(wanted)
    close = get_close_matches(str(wanted), names, 1, cutoff=0.5)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    raise UserError(f"variant: must be one of {', '.join(names)}, got {wanted!r}{meant}")


def resolved(data: Value, variant: Any = None, stand_in: bool = False) -> Value:
    """A study file's content under its overlays: first the stand-in, where it is asked for, then the variant.

    `variants` maps names to overlays, and `variant` says which one is meant unless the caller does. What comes back
    holds neither overlay: `variant` is a name, and `stands_in_for` the data set that the stand-in takes the place of. A
    variant's `dataset` that names that one says nothing of the stand-in.
    UserError for an unknown variant, and for a stand-in or a variant that the file does not have.
    """
    data = dict(data)
    variants, substitute = _mapping(data, "variants"), _mapping(data, "stand_in")
    wanted = variant if variant is not None else data.get("variant")
    if stand_in:
        data = _substituted(data, substitute)
    elif substitute:
        data["stand_in_offered"] = _name_of(substitute)
    if not variants:
        if variant is not None and variant != data.get("variant"):
            raise UserError(f"variant: this study has no variants, got {variant!r}; leave it out")
        return data
    name = _chosen(list(variants), next(iter(variants)) if wanted is None else wanted)
    overlay = variants[name] or {}
    if not isinstance(overlay, dict):
        raise UserError(f"variants.{name}: must be a mapping of settings, got {overlay!r}")
    return laid_over(data, _about(overlay, data)) | {"variant": name}


def _about(overlay: Value, data: Value) -> Value:
    """A variant's overlay without its `dataset` where that names the data that a stand-in has taken the place of."""
    dataset = overlay.get("dataset")
    original = data.get("stands_in_for")
    if original is None or not isinstance(dataset, dict) or dataset.get("name") != original:
        return overlay
    return {key: value for key, value in overlay.items() if key != "dataset"}


def _name_of(substitute: Value) -> str:
    dataset = substitute.get("dataset")
    if not isinstance(dataset, dict) or "name" not in dataset:
        raise UserError("stand_in.dataset: must say which data stand in, e.g. dataset: {name: fashion-mnist}")
    return str(dataset["name"])


def _substituted(data: Value, substitute: Value) -> Value:
    if data.get("stands_in_for"):  # a resolved study: its data are the stand-in's already
        return data
    if not substitute:
        raise UserError("--stand-in: this study has none; it needs a section stand_in: {dataset: {name: ...}}")
    _name_of(substitute)
    original = data.get("dataset")
    name = original.get("name") if isinstance(original, dict) else original
    return laid_over(data, substitute) | {"stands_in_for": str(name)}
