"""Which verdicts of a run are still open: what a study that adds seeds until they are decided asks after each one.

A contrast is decided when its word, after correction, is not "cannot tell yet". Missing controls do not keep it open: no
seed would bring them. A primary contrast that helps stays open until it is decided as well against the controls without
which that says little, the placebo and classic augmentation.
"""

from typing import Any

import pandas as pd

from analysis.arms import pairs_against
from analysis.classic import classic_contrasts
from analysis.contrasts import ALPHA, CANNOT_TELL, against_controls, contrasts, include_real, needed_controls
from analysis.factors import factors, written
from analysis.run import Run
from ganaug.records import NO_DA


def _word(row: dict[str, Any]) -> str:
    sure = row["role"] == "primary" or row["by_itself"] not in ("helps", "hurts") or row["p_holm"] < ALPHA
    return str(row["by_itself"]) if sure else CANNOT_TELL


def _beside_controls(run: Run, row: dict[str, Any]) -> str:
    """The word of a primary contrast that helps, once its controls have been heard."""
    needed = [c for c in needed_controls(run) if c != row["against"]]
    found = against_controls(run, row)
    heard = found[found["against"].isin(needed)]
    return CANNOT_TELL if heard["verdict"].eq(CANNOT_TELL).any() else "helps"


def _rows(run: Run) -> pd.DataFrame:
    """The contrasts that the study is about: of generated images, or of classic augmentation where there are none."""
    table = contrasts(run)
    if run.primary is not None and run.primary["against"] != NO_DA and not include_real(run):
        return table[table["role"].eq("primary")]
    if len(table) and not (run.primary and run.primary["against"] == NO_DA):
        return table
    return classic_contrasts(run).assign(against=NO_DA)


def words(run: Run) -> dict[str, str]:
    """By the key of every cell that is compared, the word that its contrast deserves so far.

    Cells without a finished control have none: there is nothing to decide yet.
    """
    table = _rows(run)
    by = [name for name in factors(run.grid) if name != "seed"]
    found: dict[str, str] = {}
    groups: dict[tuple[str, ...], list[str]] = {}
    for kind in table["against"].unique():
        for levels, cells in pairs_against(run, kind).groupby(by, dropna=False, sort=False)["cell"]:
            groups[kind, *map(written, levels)] = cells.tolist()
    rows: list[Any] = table.to_dict("records")
    for row in reversed(rows):  # the primary stands first, and has the last word on its cells
        word = _word(row)
        if row["role"] == "primary" and word == "helps" and row["against"] != NO_DA:
            word = _beside_controls(run, row)
        found |= dict.fromkeys(groups.get((row["against"], *(written(row[name]) for name in by)), []), word)
    return found
