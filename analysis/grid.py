"""The numbers behind a heatmap: one setting per cell of two factors, the real-only control as the first
row.
"""

import itertools
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.factors import SELDOM, generation_factors, is_control, pick, written
from analysis.paired import accuracy_over_seeds, deltas_over_seeds
from analysis.run import Run, axis

Value = Literal["accuracy", "delta"]
BASELINE = "real only"


def settings_table(run: Run, value: Value) -> pd.DataFrame:
    """All settings in percent or points: value, half, inconclusive. The delta table carries the controls'
    accuracy as well.
    """
    accuracy = accuracy_over_seeds(run.grid)
    accuracy = accuracy.assign(value=100 * accuracy["accuracy"], half=100 * accuracy["half"], inconclusive=False)
    if value == "accuracy":
        return accuracy
    deltas = deltas_over_seeds(run.grid, run.margin_points, run.looks)
    deltas = deltas.rename(columns={"delta_points": "value", "half_points": "half"})
    deltas["inconclusive"] = ~deltas["verdict"].isin(["helps", "hurts"]) & ~(
        (deltas["low_points"] > 0) | (deltas["high_points"] < 0)
    )
    deltas.loc[deltas["half"].eq(0), "inconclusive"] = True
    return pd.concat([accuracy[is_control(accuracy)], deltas], ignore_index=True)


def _state(run: Run, where: Mapping[str, Any], generation: list[str]) -> str:
    """Why a cell is blank: diverged, failed, no pair, or missing."""
    rows = pick(run.grid, where, generation)
    rows = rows[~is_control(rows)] if where.get("n_gen") != 0 else rows
    for status in ("diverged", "failed"):
        if rows["status"].eq(status).any():
            return status
    return "no pair" if len(rows) else ""


def heatmap_table(
    run: Run,
    x: str = "n_real",
    y: str = "n_gen",
    value: Value = "accuracy",
    where: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """The numbers behind one panel, a row per (x, y) of the plan. `where` must leave one setting per cell.

    Columns: x, y (the row `real only` is the control; with y = n_gen it is 0), value and half (percent, or
    points for delta; a control is always in percent), n_seeds, n_starved, inconclusive, control, state (why
    a cell has no value).
    """
    return panel_table(run, settings_table(run, value), x, y, where or {})


def _everywhere(row: Mapping[str, Any], name: str) -> bool:
    """Whether a setting belongs to every level of a factor, because nothing is filtered or judged in it."""
    return name.startswith(SELDOM) and bool(pd.isna(row[name]))


_SHOWN = ("value", "half", "n_seeds", "n_starved", "inconclusive")


def panel_table(run: Run, settings: pd.DataFrame, x: str, y: str, where: Mapping[str, Any]) -> pd.DataFrame:
    """`heatmap_table` from a `settings_table` that is at hand."""
    generation = generation_factors(run.grid)
    columns, rows = axis(run, x), axis(run, y)
    planned_control = y != "n_gen" or 0 in rows
    if y in generation:
        rows = [0 if y == "n_gen" else BASELINE, *(v for v in rows if y != "n_gen" or v != 0)]
    table = pick(settings, where, generation)
    table = table.assign(control=is_control(table) if y in generation else False)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    records: Any = table.to_dict("records")
    for row in records:
        across = columns if (row["control"] and x in generation) or _everywhere(row, x) else [row[x]]
        up = ["control"] if row["control"] else rows if _everywhere(row, y) else [row[y]]
        for level, row_level in itertools.product(across, up):
            place = (written(row_level), written(level))
            if place in found:
                raise ValueError(f"heatmap_table: where must leave one setting per cell, got two at {place}")
            found[place] = {name: row[name] for name in _SHOWN}
    blank = dict(zip(_SHOWN, (np.nan, np.nan, 0, 0, False), strict=True))
    cells = []
    for j, row_level in enumerate(rows):
        control = y in generation and j == 0
        for x_level in columns:
            cell = found.get(("control" if control else written(row_level), written(x_level)))
            state = ""
            if cell is None and control:
                state = "no control" if planned_control else ""
            elif cell is None:
                state = _state(run, {**where, x: x_level, y: row_level}, generation)
            cells.append({x: x_level, y: row_level, "control": control, **(cell or blank), "state": state})
    return pd.DataFrame(cells)
