"""The report's table of a study's variants, and what the published way of asking was worth: numbers written as text."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.factors import factors, levels, written
from analysis.run import Run
from analysis.tables import Table, table
from analysis.variants import beside, narrower, variants_table
from analysis.words import signed


def _told(value: float, half: float, how: Any) -> str:
    if np.isnan(value):
        return "—"
    return how(value) + ("" if np.isnan(half) else f" ± {half:.1f}")


def variants(run: Run) -> Table:
    """Every setting that all the variants beside the run have, one row each; nothing where there is no other."""
    others = beside(run)
    if not others:
        return table(pd.DataFrame())
    found = variants_table(run, *others)
    names = ["arm", *(n for n in factors(found) if n not in ("variant", "unit") and len(levels(found, n)) > 1)]
    rows: list[dict[str, Any]] = []
    for _, setting in found.groupby(["arm", *(n for n in factors(found))], dropna=False, sort=False):
        row: dict[str, Any] = {n: written(setting[n].iloc[0]) for n in names}
        for part in setting.to_dict("records"):
            head = f"{part['variant']}, {part['n']} {part['unit']}"
            row[f"{head}: accuracy, %"] = _told(part["accuracy"], part["half"], lambda v: f"{v:.1f}")
            row[f"{head}: change, points"] = _told(part["change"], part["change_half"], signed)
        rows.append(row)
    return table(pd.DataFrame(rows, columns=list(dict.fromkeys([*names, *(k for row in rows for k in row)]))), ("arm",))


def worth(run: Run) -> str:
    """What the variants differ by, in a sentence; empty where no other lies beside."""
    others = beside(run)
    if not others:
        return ""
    mine, found = str(run.summary["variant"]), variants_table(run, *others)
    told = []
    for other in others:
        theirs = str(other.summary["variant"])
        ratio = narrower(found, theirs, mine)
        if not np.isnan(ratio):
            word = f"{ratio:.1f} times narrower than" if ratio >= 1 else f"{1 / ratio:.1f} times wider than"
            told.append(f"Intervals of {theirs} are {word} those of {mine} (median over settings).")
    return " ".join(told)
