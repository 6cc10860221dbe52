"""Factors: which columns they are, which of them only a generated image can feel, and how they are written.

A *generation factor* (n_gen, threshold, gan_da, n_da, gan.*, pool.*, filter.*) cannot change a cell without
generated images, so it is null in the real-only control and never part of what pairs a cell with its
control.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

GENERATION = ("n_gen", "threshold", "gan_da", "n_da")
GENERATION_PREFIXES = ("gan.", "pool.", "filter.")
CONTRACT = ("n_real", "n_gen", "threshold", "gan_da", "n_da", "clf_da", "seed")

LABELS = {
    "n_real": "real images per class (n_real)",
    "n_gen": "generated images per class (n_gen)",
    "threshold": "filter threshold",
    "gan_da": "augmentation for the GAN (gan_da)",
    "n_da": "augmented images for the GAN (n_da)",
    "clf_da": "augmentation for the classifier (clf_da)",
}


def factors(records: pd.DataFrame) -> list[str]:
    """The factor columns of `records`, in their order: the contract's seven and every dotted path."""
    return [name for name in records.columns if name in CONTRACT or "." in name]


def is_control(records: pd.DataFrame) -> pd.Series:
    """True where a cell saw real images only."""
    return records["n_gen"].eq(0).fillna(False).astype(bool)


def generation_factors(records: pd.DataFrame) -> list[str]:
    """Factors that only generated images can feel: by name, or null in every control and not elsewhere."""
    control = is_control(records)

    def felt(name: str) -> bool:
        if name in GENERATION or name.startswith(GENERATION_PREFIXES):
            return True
        known = records[name].notna()
        return bool(control.any() and not known[control].any() and known[~control].any())

    return [name for name in factors(records) if felt(name)]


def is_level(column: pd.Series, value: Any) -> pd.Series:
    """True where `column` holds `value`; a null is a level like any other."""
    if pd.isna(value):
        return column.isna()
    return column.eq(value).fillna(False).astype(bool)


def pick(table: pd.DataFrame, where: Mapping[str, Any], generation: Iterable[str]) -> pd.DataFrame:
    """The rows of `table` at the levels `where`; controls stay whatever the generation factors ask for."""
    keep = pd.Series(True, index=table.index)
    control, felt = is_control(table), set(generation)
    for name, value in where.items():
        here = is_level(table[name], value)
        keep &= (here | control) if name in felt else here
    return table[keep]


def levels(records: pd.DataFrame, name: str, planned: Mapping[str, Sequence[Any]] | None = None) -> list[Any]:
    """The values of factor `name`: planned and seen. Numbers ascend, names keep the study's order; null
    comes first.

    A generation factor's null counts only where generated images were used.
    """
    column = records[name]
    if name in generation_factors(records):
        column = column[~is_control(records)] if name != "n_gen" else column
    seen = [None if pd.isna(value) else value for value in column.drop_duplicates().tolist()]
    values = list(dict.fromkeys([*(planned or {}).get(name, []), *seen]))
    named = [value for value in values if value is not None]
    if all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in named):
        named = sorted(named)
    has_null = None in seen
    return [None, *named] if has_null else named


def varied(records: pd.DataFrame, besides: Iterable[str] = ()) -> list[str]:
    """Factors with more than one level among `records`, seeds and `besides` left out."""
    skip = {"seed", *besides}
    return [name for name in factors(records) if name not in skip and len(levels(records, name)) > 1]


def thin(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of `values`, evenly spread, first and last among them."""
    if len(values) <= most:
        return list(values)
    return [values[i] for i in np.linspace(0, len(values) - 1, most).round().astype(int)]


def written(value: Any) -> str:
    """A level as text: 0.5, 300, none; — for null."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "—"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value)


def described(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """`n_real 10, n_gen 100, threshold 0.5`; nulls are left out."""
    return ", ".join(f"{name} {written(row[name])}" for name in names if written(row[name]) != "—")


def label(name: str) -> str:
    """An axis label for factor `name`."""
    return LABELS.get(name, name)


def wrapped_label(name: str) -> str:
    """The same on short lines, for an upright axis."""
    return textwrap.fill(label(name), 18)
