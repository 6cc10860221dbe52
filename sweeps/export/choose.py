"""Which cell of a run is meant: by its key, as the run's primary contrast, or as its best by test accuracy."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

import analysis
from analysis.factors import factors
from ganaug.errors import UserError
from sweeps.grid import Grid

FLATTERED = (
    "chosen by the test accuracy of this run, so that accuracy is flattered by the choice; "
    "measure it on images that had no part in choosing"
)


@dataclass(frozen=True)
class Choice:
    """A cell's key, and how it came to be chosen: in a word, and in a sentence."""

    key: str
    by: str
    why: str


def _by_key(run: analysis.Run, grid: Grid, prefix: str) -> Choice:
    found = sorted({k for k in (*grid.measures, *run.cells["cell"]) if prefix and k.startswith(prefix)})
    if not found:
        raise UserError(
            f"--cell {prefix!r}: no cell of {run.folder} has a key that begins so; "
            "the keys are the column `cell` of its records.parquet"
        )
    if len(found) > 1:
        shown = ", ".join(k[: len(prefix) + 6] for k in found[:3])
        raise UserError(
            f"--cell {prefix}: {len(found)} cells of {run.folder} begin so ({shown}, …); give more of the key"
        )
    if found[0] not in grid.measures:
        raise UserError(
            f"--cell {prefix}: what {run.folder} calls so is not what its study makes today: "
            "its data set or ganaug has changed; run the study again"
        )
    return Choice(found[0], "cell", "named by its key")


def _generated(run: analysis.Run) -> pd.DataFrame:
    """Cells with an accuracy whose extra images are a generator's."""
    cells = run.grid
    return cells[cells["arm"].eq("generated") & cells["status"].isin(["ok", "starved"]) & cells["accuracy"].notna()]


def _first_seed(run: analysis.Run, found: pd.DataFrame, grid: Grid, option: str) -> str:
    """Of one setting's cells the one that comes first in the study."""
    order = {key: i for i, key in enumerate(grid.measures)}
    known = [key for key in found["cell"] if key in order]
    if not known:
        raise UserError(
            f"{option}: the cell it means has no result in {run.folder} that its study would make today; "
            "run the study again"
        )
    return min(known, key=order.__getitem__)


def _by_primary(run: analysis.Run, grid: Grid, primary: dict[str, Any]) -> Choice:
    def is_meant(own: dict[str, Any]) -> bool:
        # None is a factor that cannot change the cell
        return own["arm"] == "generated" and all(own[f] in (None, v) for f, v in primary.items() if f != "against")

    keys = [key for key, own in grid.factors.items() if is_meant(own)]
    found = _generated(run)
    key = _first_seed(run, found[found["cell"].isin(keys)], grid, "--primary")
    return Choice(key, "primary", "the run's primary contrast, named before it ran; the first of its seeds")


def _by_accuracy(run: analysis.Run, grid: Grid) -> Choice:
    found = _generated(run)
    if found.empty:
        raise UserError(f"--best: no cell of {run.folder} with generated images has an accuracy; name one with --cell")
    by = [name for name in factors(run.grid) if name != "seed"]
    settings = found.groupby(by, dropna=False, sort=False)["accuracy"].agg(["mean", "count"]).reset_index()
    settings = settings[settings["count"] == settings["count"].max()]  # one lucky seed is no setting
    verdicts = analysis.deltas_over_seeds(run.grid)[[*by, "verdict"]]
    settings = settings.merge(verdicts, on=by, how="left")  # nulls merge as equal: they are levels
    eligible = settings[~settings["verdict"].eq("hurts")]
    if eligible.empty:
        raise UserError(
            f"--best: every setting of {run.folder} with generated images hurts, so none is best; name one with --cell"
        )
    best = eligible.loc[[eligible["mean"].astype(float).idxmax()]]
    key = _first_seed(run, found.merge(best[by], on=by), grid, "--best")
    n = int(best["count"].iloc[0])
    return Choice(
        key,
        "best",
        f"the highest mean test accuracy over {n} {'seed' if n == 1 else 'seeds'} among the settings with generated "
        f"images, of which {len(eligible)} of {len(settings)} do not hurt; the first of its seeds; {FLATTERED}",
    )


def choose(run: analysis.Run, grid: Grid, cell: str | None, best: bool, primary: bool) -> Choice:
    """The cell that is meant; without a wish the primary contrast, if the run has one.

    Raises UserError for two wishes, for none where there is no primary contrast, and for a wish that names no cell
    or several.
    """
    if sum((cell is not None, best, primary)) > 1:
        raise UserError("--cell, --best and --primary exclude each other; give one of them")
    if cell is not None:
        return _by_key(run, grid, cell)
    if best:
        return _by_accuracy(run, grid)
    if run.primary:
        return _by_primary(run, grid, run.primary)
    if primary:
        raise UserError(f"--primary: the study of {run.folder} names no primary contrast; use --best or --cell KEY")
    raise UserError(
        f"{run.folder}: which cell? --best is the best generated one by test accuracy, --cell KEY any one (the keys "
        "are the column `cell` of its records.parquet); its study names no primary contrast"
    )
