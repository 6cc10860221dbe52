"""Filters side by side: every filtered setting against the same generated cell in which every image is kept.

Whether generated images help is one question, whether a filter makes them better is another. Both cells have the same
generator, the same number of generated images and the same seeds; they differ in which images were taken.
"""

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import pairs_against
from analysis.contrasts import ALPHA, CANNOT_TELL
from analysis.factors import factors
from analysis.paired import decisions, holm
from analysis.run import Run, axis
from analysis.words import BY_ITSELF
from ganaug.records import UNFILTERED

FILTERS = ("filter.name", "filter.rank")
"""The factors that tell one kind of filter from another."""

DEFAULT = "discriminator"
COUNTS = ("n_accepted", "n_candidates", "coverage", "coverage_unfiltered")


def filter_name(run: Run) -> str:
    """The filter of a run that does not vary it."""
    return str((run.study.get("filter") or {}).get("name") or DEFAULT)


def filter_factors(run: Run) -> list[str]:
    """Those of `filter.name` and `filter.rank` that are factors of the run."""
    return [name for name in FILTERS if name in factors(run.grid)]


def filter_label(row: dict[str, Any]) -> str:
    """`agreement`, or `agreement, ranked` where ranking is a factor; empty for a cell without a filter."""
    name = row.get("filter.name")
    ranked = row.get("filter.rank")
    words = [] if name is None or pd.isna(name) else [str(name)]
    if ranked is not None and not pd.isna(ranked):
        words.append("ranked" if ranked else "by threshold")
    return ", ".join(words)


def with_filter(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """`table` with a column `filter`, the label of each row's filter; empty where nothing is filtered."""
    own = filter_factors(run)
    return table.assign(filter=[filter_label(row) for row in table[own].to_dict("records")])  # type: ignore[arg-type]


def filter_labels(run: Run) -> list[str]:
    """The labels of the filters that the run varies, in the order of the study; empty where it varies none."""
    own = filter_factors(run)
    if not own:
        return []
    every = itertools.product(*([v for v in axis(run, name) if v is not None] for name in own))
    there = set(with_filter(run, run.grid)["filter"])
    found = [filter_label(dict(zip(own, values, strict=True))) for values in every]
    found = [label for label in dict.fromkeys(found) if label in there]
    return found if len(found) > 1 else []


def _word(row: dict[str, Any]) -> str:
    if row["by_itself"] in ("better", "worse") and not row["p_holm"] < ALPHA:
        return CANNOT_TELL
    return str(row["by_itself"])


def _measured(run: Run) -> pd.DataFrame:
    """The paired cells with their counts; a run that does not record one has NaN there."""
    pairs = pairs_against(run, UNFILTERED)
    known = [name for name in COUNTS if name in run.cells]
    found = pairs.merge(run.cells[["cell", *known]], on="cell", how="left")
    found = found.assign(**{name: np.nan for name in COUNTS if name not in known})
    looked = found["n_candidates"].to_numpy(float, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = found["n_accepted"].to_numpy(float, na_value=np.nan) / np.where(looked > 0, looked, np.nan)
    return found.assign(acceptance=rate)


@lru_cache(maxsize=8)
def _filters_table(run: Run) -> pd.DataFrame:
    pairs = _measured(run)
    if "filter.name" not in pairs:
        pairs = pairs.assign(**{"filter.name": filter_name(run)})
    rest = [name for name in factors(run.grid) if name not in ("seed", "threshold", *FILTERS)]
    by = [*dict.fromkeys(["filter.name", *filter_factors(run)]), "threshold", *rest]
    found = decisions(pairs, by, "delta_points", run.margin_points, run.looks)
    found = found.rename(columns={"mean": "delta_points", "verdict": "by_itself"})
    found = found.rename(columns={name: f"{name}_points" for name in ("sd", "half", "low", "high")})
    found["by_itself"] = found["by_itself"].replace(BY_ITSELF)
    found["p_holm"] = holm(found["p"].to_numpy(float))
    names = ["accuracy", "control_accuracy", "acceptance", "coverage", "coverage_unfiltered"]
    groups = pairs.assign(**{n: pairs[n].astype(float) for n in names}).groupby(by, dropna=False, sort=False)
    means = groups[names].mean().assign(n_starved=groups["starved"].sum()).reset_index()
    found = found.merge(means, on=by, how="left")
    rows: list[Any] = found.to_dict("records")
    return found.assign(verdict=[_word(row) for row in rows])


def filters_table(run: Run) -> pd.DataFrame:
    """A row per filtered setting against the same one with threshold 0; empty where the run has no such pair.

    Columns: filter.name (of the study where it is no factor), filter.rank if it is one, threshold, the other factors
    but seed, n_seeds, df, delta_points, sd_points, half_points, low_points, high_points (95 % t-interval over seeds,
    percentage points), p, p_equivalence, p_holm (corrected over the rows of this table), by_itself (better, worse, no
    effect, cannot tell yet: the row's own interval), verdict (the same after correction), accuracy, control_accuracy,
    acceptance (images accepted of those looked at), coverage and coverage_unfiltered (shares, means over seeds, NaN
    where not recorded), n_starved.
    """
    return _filters_table(run).copy()
