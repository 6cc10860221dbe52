"""Factors: which columns they are, which of them only a generated image can feel, and how they are written.

A *generation factor* (n_gen, threshold, gan_da, n_da, and the dotted ones of `ganaug.records`) cannot change a cell
without generated images, so it is null in the real-only control and never part of what pairs a cell with it. A factor
of the filter or of its judge is null in a generated cell as well where nothing is filtered or judged: such a cell
belongs to every level of it.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ganaug.records import EXTRA_PATHS, FACTORS, Arm, is_generation_factor

SELDOM = ("filter.", "judge.")
"""Factors that not every generated cell can feel: null at threshold 0, and where no filter asks a judge."""

LABELS = {
    "n_real": "real images per class (n_real)",
    "n_gen": "generated images per class (n_gen)",
    "threshold": "filter threshold",
    "gan_da": "augmentation for the GAN (gan_da)",
    "n_da": "augmented images for the GAN (n_da)",
    "clf_da": "augmentation for the classifier (clf_da)",
    "filter.name": "filter",
}


def factors(records: pd.DataFrame) -> list[str]:
    """The factor columns of `records`, in their order: the contract's seven and every dotted path."""
    return [name for name in records.columns if name in FACTORS or "." in name]


def is_control(records: pd.DataFrame) -> pd.Series:
    """True where a cell saw real images only."""
    return records["n_gen"].eq(0).fillna(False).astype(bool)


def generation_factors(records: pd.DataFrame) -> list[str]:
    """Factors that only generated images can feel: by name, or null in every control and not elsewhere."""
    control = is_control(records)

    def felt(name: str) -> bool:
        if name == "n_gen" or is_generation_factor(name):
            return True
        known = records[name].notna()
        return bool(control.any() and not known[control].any() and known[~control].any())

    return [name for name in factors(records) if felt(name)]


def unfelt(records: pd.DataFrame, arm: Arm) -> set[str]:
    """The factors of `records` that cannot change a cell of this arm."""
    if arm in ("generated", "shuffled"):
        return set()
    found = generation_factors(records)
    if arm in ("real-only", "with-validation"):
        return set(found)
    return {name for name in found if name != "n_gen" and not name.startswith(EXTRA_PATHS)}


def is_level(column: pd.Series, value: Any) -> pd.Series:
    """True where `column` holds `value`; a null is a level like any other."""
    if pd.isna(value):
        return column.isna()
    return column.eq(value).fillna(False).astype(bool)


def fits(table: pd.DataFrame, name: str, value: Any) -> pd.Series:
    """True where a cell has factor `name` at `value`, or cannot feel it though it has generated images."""
    here = is_level(table[name], value)
    return here | table[name].isna() if name.startswith(SELDOM) else here


def pick(table: pd.DataFrame, where: Mapping[str, Any], generation: Iterable[str]) -> pd.DataFrame:
    """The rows of `table` at the levels `where`; controls stay whatever the generation factors ask for, and cells
    without a filter whatever its factors do."""
    keep = pd.Series(True, index=table.index)
    control, felt = is_control(table), set(generation)
    for name, value in where.items():
        here = fits(table, name, value)
        keep &= (here | control) if name in felt else here
    return table[keep]


def levels(records: pd.DataFrame, name: str, planned: Mapping[str, Sequence[Any]] | None = None) -> list[Any]:
    """The values of factor `name`: planned and seen. Numbers ascend, names keep the study's order; null
    comes first.

    A generation factor's null counts only where generated images were used, and that of a filter or its judge only
    where nothing was filtered or judged at all.
    """
    column = records[name]
    if name in generation_factors(records):
        column = column[~is_control(records)] if name != "n_gen" else column
    seen = [None if pd.isna(value) else value for value in column.drop_duplicates().tolist()]
    values = list(dict.fromkeys([*(planned or {}).get(name, []), *seen]))
    named = [value for value in values if value is not None]
    if all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in named):
        named = sorted(named)
    has_null = None in seen and not (named and name.startswith(SELDOM))
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
