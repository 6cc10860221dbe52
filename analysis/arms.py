"""Generated images against every control: which cell is whose control, paired by seed.

A control differs from its cell in the one thing it is a control for. `real-only`: the same cell without extra images.
`classic-da`: real images only, under the study's classic augmentation; for a cell that is augmented itself that is its
real-only control. `duplicated`, `shuffled`, `more-real`: the same number of other extra images.
`with-validation`: real images only, with the validation images among those that train.

A semi-supervised cell has two: `real-only`, the supervised fit of the same body with as many updates and the same
labels, and `fewer-updates`, the same with fewer updates, as where the arms of a study were not matched.

`unfiltered` is no arm but a cell of the grid: the same generated cell with threshold 0, where every image is kept.
`no-da` neither: the same real-only cell whose classifier is not augmented.
"""

from typing import Any

import pandas as pd

from analysis.factors import factors, is_level, unfelt
from analysis.paired import paired_deltas, usable, with_controls
from analysis.run import Run
from ganaug.records import COMPARISONS, NO_DA, TREATED, UNFILTERED, Against, Arm, felt_by

COLUMNS = ("control", "accuracy", "control_accuracy", "delta_points", "starved")


def _felt(run: Run, arm: Arm) -> list[str]:
    """The factors that a cell of this arm can feel."""
    without = unfelt(run.grid, arm)
    return [name for name in factors(run.cells) if name not in without]


def _control_cells(run: Run, against: Against) -> tuple[pd.DataFrame, list[str]]:
    """The control cells of a kind, and the factors that a cell and its control share."""
    found = usable(run.cells)
    if against == UNFILTERED:
        kept = found["arm"].eq("generated") & is_level(found["threshold"], 0)
        return found[kept], [name for name in factors(run.cells) if name != "threshold"]
    if against == "fewer-updates":
        felt = [name for name in _felt(run, "real-only") if felt_by(name, against)]
        return found[found["arm"].eq(against)], felt
    if against in ("duplicated", "shuffled", "more-real", "with-validation"):
        return found[found["arm"].eq(against)], _felt(run, against)
    shared = [name for name in _felt(run, "real-only") if name != "clf_da" and not name.startswith("augmentation.")]
    if against == NO_DA:
        plain = found[found["arm"].eq("real-only") & found["clf_da"].eq("none")]
        own = "classifier.warm_start"  # there is one under augmentation alone
        return plain, [name for name in shared if name != own]
    classic = str((run.summary.get("controls") or {}).get("classic_da"))
    controls = found[found["arm"].eq("real-only") & found["clf_da"].eq(classic)]
    return controls.drop_duplicates(shared), shared  # `augmentation.*` as a factor: the first of several strengths


def pairs_against(run: Run, against: Against) -> pd.DataFrame:
    """A row per generated cell that has a finished control of the kind `against`: every seed by itself. Against
    `unfiltered`: a row per filtered cell. Against `no-da`: a row per real-only cell under classic augmentation.

    Columns: cell, the factors, control (key), accuracy, control_accuracy (shares in [0, 1]), delta_points (percentage
    points), starved. ValueError for a kind that there is not.
    """
    if against not in COMPARISONS:
        raise ValueError(f"against must be one of {', '.join(COMPARISONS)}, got {against!r}")
    if against == "real-only":
        return paired_deltas(run.grid)
    controls, shared = _control_cells(run, against)
    names = factors(run.grid)
    found = usable(run.grid)
    treated = found[found["arm"].isin(TREATED)]
    if against == NO_DA:
        treated = found[found["arm"].eq("real-only") & found["clf_da"].ne("none")]
    if against == UNFILTERED:
        treated = treated[~is_level(treated["threshold"], 0)]
    own_da = treated["clf_da"].ne("none") if against == "classic-da" else pd.Series(False, index=treated.index)
    pairs = with_controls(treated.loc[~own_da, ["cell", *names, "accuracy", "status"]], controls, shared)
    pairs = pairs[["cell", *names, *COLUMNS]]
    if own_da.any():
        real_only = paired_deltas(run.grid)
        pairs = pd.concat([pairs, real_only[real_only["clf_da"].ne("none")]], ignore_index=True)
    return pairs.reset_index(drop=True)


def at(pairs: pd.DataFrame, setting: dict[str, Any]) -> pd.DataFrame:
    """The rows of one setting: those at the levels of every factor that `setting` and the rows both have."""
    keep = pd.Series(True, index=pairs.index)
    for name, value in setting.items():
        if name in pairs and name in factors(pairs) and name != "seed":
            keep &= pairs[name].isna() if pd.isna(value) else pairs[name].eq(value).fillna(False).astype(bool)
    return pairs[keep]
