"""What figures by augmentation share: the panels, the order of the types, and their names beside an axis."""

import pandas as pd

from analysis.factors import is_level, levels, varied, written
from analysis.figures.slices import spread
from analysis.run import Run

MOST_PANELS = 3


def panels_of(run: Run, table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of `table` by one more factor than clf_da, the first that varies: (title, rows)."""
    others = [name for name in varied(table, besides=("clf_da",)) if name in table]
    if not others:
        return [("", table)]
    name = others[0]
    shown = spread(run, name, levels(table, name), MOST_PANELS)
    return [(f"{name} {written(level)}", table[is_level(table[name], level)]) for level in shown]


def types_of(run: Run) -> list[str]:
    return [str(level) for level in levels(run.grid, "clf_da", run.planned)]


def wrapped_type(name: str) -> str:
    """`rotation+hflip+…` on several lines beside an axis."""
    parts = name.split("+")
    return "\n".join("+".join(parts[i : i + 2]) for i in range(0, len(parts), 2))
