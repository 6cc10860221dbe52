"""Gains told in real images: what number of real images alone would have done as well.

The yardstick is the run's own learning curve: its real-only cells of every size, those of `controls.curve` and the
oracle's (`more-real`, which are real images too) among them. See `analysis.statistics.effective_real`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import at
from analysis.factors import factors, generation_factors
from analysis.paired import usable
from analysis.run import Run
from analysis.statistics.effective_real import EffectiveReal
from analysis.statistics.effective_real import effective_real as in_real_images

COLUMNS = tuple(EffectiveReal.__annotations__)


def real_curve(run: Run) -> pd.DataFrame:
    """Accuracy of real images alone, a row per size, seed and other factor that such a cell can feel.

    Columns: those factors, `n_real` counting all real images; cell, accuracy (a share). A size that both a real-only
    cell and the oracle have comes once.
    """
    felt = set(generation_factors(run.grid))
    names = [name for name in factors(run.cells) if name not in felt]
    found = usable(run.cells)
    mixed = any(name.startswith("mixing.") for name in factors(run.cells))  # then some of them weigh their real images
    arms = ["real-only"] if mixed else ["real-only", "more-real"]
    found = found[found["arm"].isin(arms) & found["status"].eq("ok")]
    more = found["n_gen"].where(found["arm"].eq("more-real"), 0)
    found = found.assign(n_real=found["n_real"] + more).sort_values("arm", ascending=False, kind="stable")
    return found.drop_duplicates(names)[[*names, "cell", "accuracy"]].sort_values(names, kind="stable")


def _against(curve: pd.DataFrame, cells: pd.DataFrame, n_real: int, n_gen: int) -> EffectiveReal | None:
    """One setting's cells, a row per seed, read off the curve that is theirs."""
    table = curve.pivot(index="n_real", columns="seed", values="accuracy").sort_index()
    arm = cells.set_index("seed")["accuracy"].reindex(table.columns)
    values = table.to_numpy(float, na_value=np.nan)
    known = ~np.isnan(arm.to_numpy(float, na_value=np.nan)) & ((~np.isnan(values)).sum(0) >= 2)
    if len(table) < 2 or not known.any():
        return None
    sizes = table.index.to_numpy(float)
    return in_real_images(sizes, values, arm.to_numpy(float, na_value=np.nan), n_real, n_gen)


@lru_cache(maxsize=8)
def _effective_real(run: Run, clf_da: str | None) -> pd.DataFrame:
    names = [name for name in factors(run.grid) if name != "seed"]
    felt = set(generation_factors(run.grid))
    shared = [name for name in names if name not in felt and name != "n_real"]
    curve = real_curve(run)
    found = usable(run.grid)
    rows = []
    for levels, cells in found[found["arm"].eq("generated")].groupby(names, dropna=False, sort=False):
        setting: dict[str, Any] = dict(zip(names, tuple(levels), strict=True))
        of_curve = {name: setting[name] for name in shared} | ({} if clf_da is None else {"clf_da": clf_da})
        result = _against(at(curve, of_curve), cells, int(setting["n_real"]), int(setting["n_gen"]))
        if result is not None:
            rows.append(setting | vars(result))
    return pd.DataFrame(rows, columns=[*names, *COLUMNS])


def effective_real(run: Run, clf_da: str | None = None) -> pd.DataFrame:
    """A row per generated setting that a learning curve of two sizes or more can be read for.

    Columns: the factors but seed; effective_real with its 95 % interval low, high (real images per class); below,
    above, censored_low, censored_high (bool: the curve ends there, so the truth may lie beyond); per_generated with
    per_generated_low and _high (real images that one generated image is worth); n_seeds.
    clf_da: the classic augmentation of the yardstick; None, each setting's own.
    """
    return _effective_real(run, clf_da).copy()


def told_in_real_images(run: Run, row: Mapping[str, Any]) -> str:
    """`In real images: 100 real + 300 generated per class ≈ 92 real [80, 110]`, or nothing without a curve."""
    found = at(effective_real(run), {name: row[name] for name in factors(run.grid) if name != "seed"})
    if found.empty:
        return ""
    result = EffectiveReal(**{str(k): v for k, v in found.iloc[0][list(COLUMNS)].to_dict().items()})
    curve = "" if row["clf_da"] == "none" else " of the same augmentation"
    return (
        f"In real images: {row['n_real']:,} real + {row['n_gen']:,} generated per class do as well as "
        f"{result} real ones alone{curve}."
    )
