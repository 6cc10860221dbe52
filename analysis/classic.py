"""Classic augmentation against none, on real images alone: the question of a study without generated images.

Paired seed by seed like every contrast. The one named before the run (`primary.against: no-da`) needs no correction;
the others are corrected together (Holm 1979).
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import at, pairs_against
from analysis.factors import described, factors
from analysis.paired import decisions, holm
from analysis.run import Run
from analysis.words import between, plural, plural_points, setting_names, signed
from ganaug.records import NO_DA

ALPHA = 0.05


def with_gaps(run: Run, pairs: pd.DataFrame) -> pd.DataFrame:
    """`pairs` with gap_points and control_gap_points: training less test accuracy, NaN where none was measured."""
    if "train_accuracy" not in run.cells:
        return pairs.assign(gap_points=np.nan, control_gap_points=np.nan)
    cells = run.cells.set_index("cell")
    gap = 100 * (cells["train_accuracy"] - cells["accuracy"]).astype(float)
    return pairs.assign(gap_points=pairs["cell"].map(gap), control_gap_points=pairs["control"].map(gap))


@lru_cache(maxsize=8)
def _contrasts(run: Run) -> pd.DataFrame:
    values = ["accuracy", "control_accuracy", "gap_points", "control_gap_points"]
    pairs = with_gaps(run, pairs_against(run, NO_DA)).astype(
        dict.fromkeys(values, float)
    )  # none: a table without types
    by = [name for name in factors(run.grid) if name != "seed"]
    found = decisions(pairs, by, "delta_points", run.margin_points, run.looks).rename(columns={"mean": "delta_points"})
    found = found.rename(columns={name: f"{name}_points" for name in ("sd", "half", "low", "high")})
    found = found.merge(pairs.groupby(by, dropna=False, sort=False)[values].mean().reset_index(), on=by)
    named = run.primary is not None and run.primary["against"] == NO_DA
    first = found.index.isin(at(found, run.primary or {}).index) & named
    secondary = np.where(first, np.nan, found["p"].to_numpy(float, na_value=np.nan))
    found = found.assign(role=np.where(first, "primary", "secondary"), p_holm=holm(secondary))
    held = found["verdict"].isin(["helps", "hurts"]) & ~first & ~found["p_holm"].lt(ALPHA)
    found = found.assign(by_itself=found["verdict"], verdict=found["verdict"].mask(held, "cannot tell yet"))
    return pd.concat([found[first], found[~first]], ignore_index=True)


def classic_contrasts(run: Run) -> pd.DataFrame:
    """A row per classic augmentation and setting of real images against the same without it, the primary first.

    Columns: role, the factors but seed, n_seeds, df, delta_points, sd_points, half_points, low_points, high_points
    (95 % t-interval over seeds, percentage points), p, p_holm (over the secondary rows), p_equivalence, by_itself,
    verdict (after correction), accuracy, control_accuracy (shares), gap_points, control_gap_points (training less test
    accuracy; NaN in runs that did not measure it). Empty where `clf_da` has no `none` to compare with.
    """
    return _contrasts(run).copy()


def _told(row: dict[str, Any], names: list[str]) -> str:
    return (
        f"At {described(row, names)}, classic augmentation changes accuracy by {signed(row['delta_points'])} points "
        f"{between(row['low_points'], row['high_points'])}, from {100 * row['control_accuracy']:.1f} to "
        f"{100 * row['accuracy']:.1f} % ({plural(int(row['n_seeds']), 'paired seed')}"
    )


def _gap(row: dict[str, Any]) -> str:
    if np.isnan(row["gap_points"]):
        return ""
    return (
        f"The gap between training and test accuracy is {row['gap_points']:.1f} points with it and "
        f"{row['control_gap_points']:.1f} without."
    )


def _others(table: pd.DataFrame) -> str:
    rows = table[table["role"].eq("secondary")]
    if rows.empty:
        return ""
    counts = rows["verdict"].value_counts()
    words = ", ".join(f"{counts[w]} {w}" for w in ("helps", "hurts", "no effect", "cannot tell yet") if w in counts)
    return f"{plural(len(rows), 'secondary contrast')}, corrected together (Holm): {words}."


def classic_finding(run: Run) -> tuple[str, str, tuple[str, ...]] | None:
    """Verdict, sentence and notes on classic augmentation; None where no cell has a partner without it."""
    table = classic_contrasts(run)
    if table.empty:
        return None
    names = [name for name in setting_names(run.grid) if name not in ("n_gen", "threshold")]
    row = {str(k): v for k, v in table.iloc[0].to_dict().items()}
    if row["role"] == "primary":
        words = {"helps": "Helps", "hurts": "Hurts", "cannot tell yet": "Cannot tell yet"}
        verdict = words.get(row["verdict"], f"No effect beyond ±{plural_points(run.margin_points)}")
        statement = f"{_told(row, names)}; the primary contrast, named before the run)."
    else:
        best = table.sort_values("delta_points", kind="stable").iloc[-1]
        row = {str(k): v for k, v in best.to_dict().items()}
        helps = row["verdict"] == "helps"
        verdict = "Helps in some settings" if helps else "Cannot tell yet"
        looked = f"the best of {plural(len(table), 'contrast')}, chosen after looking"
        statement = f"{_told(row, names)}; {looked})."
    notes = (_gap(row), _others(table), "No images were generated: this study is about real ones.")
    return verdict, statement, tuple(note for note in notes if note)
