"""Claims of a published study about its generators, held against what a run measured.

A claim is a sentence and a comparison: one arm's score is higher, or lower, than another's, or than that of all others.
Differences are taken seed by seed; a claim holds where the whole 95 % t-interval over seeds lies on its side, and is
refuted where it lies on the other.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.factors import is_level
from analysis.generator_tables import assessed
from analysis.paired import t_intervals
from analysis.run import Run

OTHERS = "all others"


def _chosen(table: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    keep = pd.Series(True, index=table.index)
    for name, value in where.items():
        column = table[name] if name in table else pd.Series([None] * len(table), index=table.index, dtype=object)
        keep &= is_level(column, value)
    return table[keep]


def _differences(table: pd.DataFrame, claim: Mapping[str, Any]) -> pd.Series:
    """Of the metric, seed by seed; against all others it is the nearest of them that counts."""
    metric = claim.get("metric", "score")
    own = _chosen(table, claim["of"])
    first = own.groupby("seed")[metric].mean()
    if claim["than"] == OTHERS:
        rest = table[~table["generator"].isin(own["generator"])].groupby("seed")[metric]
        other = rest.max() if claim["reads"] == "higher" else rest.min()
    else:
        other = _chosen(table, claim["than"]).groupby("seed")[metric].mean()
    return (first.astype(float) - other.astype(float)).dropna()


def claims_held(run: Run) -> pd.DataFrame:
    """A row per claim of the study: claim, metric, reads (higher or lower), n_seeds, difference, low, high, and held:
    holds, refuted, cannot tell yet; `seen` or `not seen` where one seed gives no interval, `not run` without any.
    """
    table, rows = assessed(run), []
    for claim in run.summary.get("claims") or []:
        found = _differences(table, claim)
        sign = 1 if claim["reads"] == "higher" else -1
        told = {"claim": claim["text"], "metric": claim.get("metric", "score"), "reads": claim["reads"]}
        if found.empty:
            rows.append(told | {"n_seeds": 0, "held": "not run"})
            continue
        stats = t_intervals(pd.DataFrame({"all": 0, "value": found.to_numpy(float)}), ["all"], "value").iloc[0]
        low, high = sorted((sign * stats["low"], sign * stats["high"]))
        if np.isnan(stats["low"]):
            held = "seen" if sign * stats["mean"] > 0 else "not seen"
        else:
            held = "holds" if low > 0 else "refuted" if high < 0 else "cannot tell yet"
        rows.append(
            told
            | {"n_seeds": int(stats["n_seeds"]), "difference": float(stats["mean"]), "held": held}
            | {"low": float(stats["low"]), "high": float(stats["high"])}
        )
    names = ["claim", "metric", "reads", "n_seeds", "difference", "low", "high", "held"]
    return pd.DataFrame(rows, columns=names)
