"""A study's variants side by side: what the published way of asking says, and the corrected one.

A published study that trains its classifiers again and again on one subset and one GAN measures the classifiers' luck
only; its interval is narrow, and says nothing of another subset. Here every variant is told by the replicates that it
has: its seeds where there are several, else the classifiers nested under its one seed.
"""

import numpy as np
import pandas as pd

from analysis.factors import factors, is_control, unfelt
from analysis.paired import t_intervals, usable
from analysis.run import Run, load
from ganaug.errors import UserError


def beside(run: Run) -> list[Run]:
    """The other variants of the run's study on the same images, from the run folders that lie beside its own."""
    told = run.summary
    if not told.get("variant"):
        return []
    found: dict[str, Run] = {}
    for path in sorted(run.folder.resolve().parent.glob("*/summary.json")):
        try:
            other = load(path.parent)
        except UserError:
            continue
        same = all(other.summary.get(key) == told.get(key) for key in ("study", "dataset", "stand_in"))
        variant = other.summary.get("variant")
        if same and variant not in (None, told["variant"]):
            found.setdefault(str(variant), other)
    return list(found.values())


def unit(run: Run) -> str:
    """What the run's intervals are over: `seeds`, or `classifiers` of one seed."""
    return "seeds" if usable(run.cells)["seed"].nunique() > 1 else "classifiers"


def replicates(run: Run) -> pd.DataFrame:
    """The run's usable cells, one row per replicate: columns `replicate` and `points`, accuracy in percent."""
    cells = usable(run.cells).reset_index(drop=True)
    if unit(run) == "seeds":
        return cells.assign(replicate=cells["seed"], points=100 * cells["accuracy"].astype(float))
    said = run.predictions()
    labels = said["labels"]
    points = [100 * (said[key] == labels).mean(axis=1) for key in cells["cell"]]
    long = cells.loc[np.repeat(cells.index, [len(p) for p in points])]
    return long.assign(points=np.concatenate(points), replicate=np.concatenate([np.arange(len(p)) for p in points]))


def _with_change(run: Run, rows: pd.DataFrame) -> pd.DataFrame:
    """`change`: the same replicate with real images only is taken off; NaN where there is none."""
    names = [n for n in factors(rows) if n != "seed" and n not in unfelt(run.cells, "real-only")]
    keys = [*names, "replicate"]
    real = rows[is_control(rows) & rows["arm"].eq("real-only")]
    control = real.groupby(keys, dropna=False)["points"].mean().rename("control").reset_index()
    out = rows.merge(control, on=keys, how="left") if len(control) else rows.assign(control=np.nan)
    return out.assign(change=(out["points"] - out["control"]).where(~is_control(out)))


def variants_table(*runs: Run) -> pd.DataFrame:
    """A row per setting and variant, settings matched on the factors that all the runs have.

    Columns: `arm`, the factors but the seed, `variant`, `unit` (of the replicates), `n`, then in points `accuracy` and
    its `half` 95 % t-interval, `change` against real images only, paired by replicate, and `change_half` (NaN with one
    replicate, or where no real-only cell stands beside).
    """
    tables = [_with_change(run, replicates(run)) for run in runs]
    shared = [n for n in factors(tables[0]) if n != "seed" and all(n in t for t in tables)]
    by = ["arm", *shared]
    parts = []
    for run, rows in zip(runs, tables, strict=True):
        level = t_intervals(rows, by, "points").rename(columns={"mean": "accuracy", "n_seeds": "n"})
        moved = rows[rows["change"].notna()]
        part = level[[*by, "n", "accuracy", "half"]].assign(variant=run.summary.get("variant"), unit=unit(run))
        if len(moved):
            change = t_intervals(moved, by, "change").rename(columns={"mean": "change", "half": "change_half"})
            part = part.merge(change[[*by, "change", "change_half"]], on=by, how="left")
        else:
            part = part.assign(change=np.nan, change_half=np.nan)
        parts.append(part)
    every = pd.concat(parts, ignore_index=True)
    everywhere = every.groupby(by, dropna=False)["variant"].transform("nunique") == len(runs)
    columns = [*by, "variant", "unit", "n", "accuracy", "half", "change", "change_half"]
    return every[everywhere].sort_values(by, kind="stable", na_position="first")[columns].reset_index(drop=True)


def narrower(table: pd.DataFrame, variant: str, than: str) -> float:
    """How many times narrower one variant's intervals of accuracy are than another's: median over settings."""
    by = [n for n in table.columns if n not in ("variant", "unit", "n", "accuracy", "half", "change", "change_half")]
    wide = table.pivot_table(index=by, columns="variant", values="half", dropna=False)
    if variant not in wide or than not in wide:
        return float("nan")
    ratio = (wide[than] / wide[variant]).replace([np.inf, -np.inf], np.nan).dropna()
    return float(ratio.median()) if len(ratio) else float("nan")
