"""Every contrast of a run and the word it deserves: the primary one by itself, the others as one family.

The **primary** contrast was named in the study before the run, so its test needs no correction. All other settings
against their real-only control are **secondary**: their p-values are corrected together (Holm 1979), and an interval
that excludes 0 only before correction is a lead, not a finding. Without a primary every contrast is secondary.

The word *helps* is refused where a control is missing without which a gain says little: `duplicated` (the placebo: is
it just more images?) and `classic-da` (would ordinary augmentation have done the same?).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import at, pairs_against
from analysis.factors import factors, written
from analysis.paired import decisions, deltas_over_seeds, holm
from analysis.run import Run
from analysis.statistics.planning import minimum_detectable_effect, seeds_for_equivalence, seeds_needed
from ganaug.records import COMPARISONS, NEEDED, NO_DA, Against, Control

ALPHA = 0.05
CANNOT_TELL = "cannot tell yet"


def include_real(run: Run) -> bool:
    """Whether the classifiers of generated cells also learned from real images; otherwise no real-only control is."""
    return bool((run.study.get("classifier") or {}).get("include_real", True))


def needed_controls(run: Run) -> tuple[Control, ...]:
    """The controls without which "helps" may not be said of this run."""
    if run.semi:
        return ("real-only",)  # which is the placebo already: the same labels as often, under the same shifts
    return NEEDED if include_real(run) else ("duplicated",)


def _seeds_with(run: Run, against: Against, by: Sequence[str]) -> pd.DataFrame:
    pairs = pairs_against(run, against)
    return pairs.groupby(list(by), dropna=False, sort=False).size().rename(against).reset_index()


def _missing(run: Run, table: pd.DataFrame, by: list[str]) -> list[str]:
    """Per row of `table` the needed controls that have fewer than two seeds, as text."""
    counts = table[by]
    for control in needed_controls(run):
        counts = counts.merge(_seeds_with(run, control, by), on=by, how="left")
    needed = list(needed_controls(run))
    lacking = [[c for c in needed if not row[c] >= 2] for row in counts[needed].fillna(0).to_dict("records")]
    return [", ".join(names) for names in lacking]


def primary_differences(run: Run) -> pd.DataFrame:
    """The paired rows of the primary contrast against the control it names, a row per seed; empty without one."""
    against: Against = run.primary["against"] if run.primary else "real-only"
    pairs = pairs_against(run, against)
    return at(pairs, run.primary) if run.primary else pairs.iloc[:0]


def _is_primary(run: Run, table: pd.DataFrame) -> np.ndarray:
    return table.index.isin(at(table, run.primary or {}).index)


def _with_primary(run: Run, table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """`table` with the primary's own row first: its numbers are against the control it names."""
    table = table.assign(role="secondary", against="real-only")
    if run.primary is None or run.primary["against"] == NO_DA:  # that one is of `analysis.classic`
        return table
    here = _is_primary(run, table)
    if run.primary["against"] == "real-only":
        table.loc[here, "role"] = "primary"
        return pd.concat([table[here], table[~here]], ignore_index=True)
    pairs = primary_differences(run)
    if pairs.empty:
        return table
    own = decisions(pairs, by, "delta_points", run.margin_points, run.looks).rename(columns={"mean": "delta_points"})
    own = own.rename(columns={name: f"{name}_points" for name in ("sd", "half", "low", "high")})
    means = pairs.groupby(by, dropna=False, sort=False)[["accuracy", "control_accuracy"]].mean().reset_index()
    own = own.merge(means, on=by).assign(role="primary", against=run.primary["against"])
    own["n_starved"], own["n_dropped"] = int(pairs["starved"].sum()), 0
    return pd.concat([own[[c for c in table if c in own]], table], ignore_index=True)


def _word(row: Mapping[str, Any]) -> str:
    if row["verdict"] in ("helps", "hurts") and row["role"] == "secondary" and not row["p_holm"] < ALPHA:
        return CANNOT_TELL
    return CANNOT_TELL if row["verdict"] == "helps" and row["missing_controls"] else str(row["verdict"])


@lru_cache(maxsize=8)
def _contrasts(run: Run) -> pd.DataFrame:
    by = [name for name in factors(run.grid) if name != "seed"]
    table = _with_primary(run, deltas_over_seeds(run.grid, run.margin_points, run.looks), by)
    secondary = table["role"].eq("secondary").to_numpy()
    p = table["p"].to_numpy(float, na_value=np.nan)
    table["p_holm"] = np.where(secondary, holm(np.where(secondary, p, np.nan)), np.nan)
    table["missing_controls"] = _missing(run, table, by)
    rows: list[Any] = table.to_dict("records")
    words = [_word(row) for row in rows]
    table = table.rename(columns={"verdict": "by_itself"}).assign(verdict=words)
    first = ["role", "against", *by]
    return table[[*first, *(c for c in table if c not in first)]]


def contrasts(run: Run) -> pd.DataFrame:
    """A row per generated setting against real only, the primary contrast first.

    Columns: role (primary, secondary), against, the factors but seed, n_seeds, df, delta_points, sd_points,
    half_points, low_points, high_points (95 % t-interval over seeds, percentage points), p, p_holm (corrected over the
    secondary rows; NaN for the primary), p_equivalence, by_itself (what the row's own interval says), verdict (after
    correction, and "helps" only where its controls are there), missing_controls (text, empty if none), accuracy,
    control_accuracy (shares), n_starved, n_dropped.
    """
    return _contrasts(run).copy()


def against_controls(run: Run, setting: Mapping[str, Any]) -> pd.DataFrame:
    """One setting against every kind of control that the run has for it, and against itself without a filter: what its
    gain is made of.

    Columns: against, n_seeds, delta_points, low_points, high_points, p, p_equivalence, verdict (by itself), accuracy,
    control_accuracy. Rows in the order of `ganaug.records.COMPARISONS`; uncorrected, for each asks another question.
    """
    rows = []
    for control in (kind for kind in COMPARISONS if kind != NO_DA):
        pairs = at(pairs_against(run, control), dict(setting))
        if pairs.empty:
            continue
        found = decisions(pairs.assign(all=0), ["all"], "delta_points", run.margin_points, run.looks).iloc[0]
        rows.append(
            {
                "against": control,
                "n_seeds": int(found["n_seeds"]),
                "delta_points": found["mean"],
                "low_points": found["low"],
                "high_points": found["high"],
                "p": found["p"],
                "p_equivalence": found["p_equivalence"],
                "verdict": found["verdict"],
                "accuracy": float(pairs["accuracy"].mean()),
                "control_accuracy": float(pairs["control_accuracy"].mean()),
            }
        )
    return pd.DataFrame(rows)


def sensitivity(run: Run, differences: np.ndarray) -> dict[str, Any]:
    """What paired differences (n_seeds,) in points could have shown, and how many seeds would decide.

    Keys: detectable_points (smallest true effect found in 80 % of such studies), effect (`SeedsNeeded` for a true
    effect as large as the margin), equivalence (`SeedsNeeded` to show "no effect"); values None where there is no
    spread to plan with.
    """
    known = differences[~np.isnan(differences)]
    sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return {
        "detectable_points": minimum_detectable_effect(sd, len(known)) if sd > 1e-9 else None,
        "effect": seeds_needed(differences, run.margin_points),
        "equivalence": seeds_for_equivalence(differences, run.margin_points),
    }


def recommended(run: Run, table: pd.DataFrame | None = None) -> dict[str, Any] | None:
    """The setting to use, as a row of `contrasts`: of those said to help the one whose interval begins highest.

    None where no setting is said to help: then real images alone are the recommendation.
    """
    table = contrasts(run) if table is None else table
    good = table[table["verdict"].eq("helps")]
    if good.empty:
        return None
    return {str(k): v for k, v in good.sort_values("low_points", kind="stable").iloc[-1].to_dict().items()}


def deltas(run: Run, against: Against = "real-only") -> pd.DataFrame:
    """A row per generated setting against its control of the kind `against`, over seeds; each by itself, uncorrected.
    Against `unfiltered`: a row per filtered setting.

    Columns: the factors but seed, n_seeds (pairs), df, delta_points, sd_points, half_points, low_points, high_points
    (95 % t-interval, percentage points), p, p_equivalence (inside the study's margin), verdict (by itself).
    """
    by = [name for name in factors(run.grid) if name != "seed"]
    found = decisions(pairs_against(run, against), by, "delta_points", run.margin_points, run.looks)
    return found.rename(columns={"mean": "delta_points"} | {n: f"{n}_points" for n in ("sd", "half", "low", "high")})


def verdict(run: Run) -> pd.DataFrame:
    """`contrasts` with what would settle each, and which setting to use.

    More columns: detectable_points (smallest true change that 80 % of such studies find), seeds_needed with seeds_low
    and seeds_high (seeds in all that would find a true change as large as the margin; its interval), recommended
    (bool: at most one row, the setting said to help whose interval begins highest; none means real images only).
    """
    table = contrasts(run)
    by = [name for name in factors(run.grid) if name != "seed"]
    pairs = {kind: pairs_against(run, kind) for kind in set(table["against"])}
    groups = {kind: own.groupby(by, dropna=False, sort=False)["delta_points"] for kind, own in pairs.items()}
    known = {
        (kind, *map(written, level)): values.to_numpy(float) for kind, own in groups.items() for level, values in own
    }
    rows = table.to_dict("records")
    plans = [sensitivity(run, known[row["against"], *(written(row[name]) for name in by)]) for row in rows]
    needed = [plan["effect"] for plan in plans]
    best = recommended(run, table)
    same = (i for i, row in enumerate(rows) if best and all(written(row[name]) == written(best[name]) for name in by))
    chosen = next(same, None)
    return table.assign(
        detectable_points=[plan["detectable_points"] for plan in plans],
        seeds_needed=pd.array([n and n.n for n in needed], dtype="Int64"),
        seeds_low=pd.array([n and n.low for n in needed], dtype="Int64"),
        seeds_high=pd.array([n and n.high for n in needed], dtype="Int64"),
        recommended=[i == chosen for i in range(len(rows))],
    )
