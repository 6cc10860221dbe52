"""A search of a run, read back: which settings were tried, what they scored on validation images, and which won.

`search/trials.parquet` and `search/search.json` of a run folder; `docs/run-folder.md` is the contract. Values here are
of validation images only. What the winner is worth on test images is in the run's own records, over seeds that no step
saw.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit  # quantile of Student's t

from analysis.factors import written
from analysis.paired import LEVEL
from analysis.reading import mapping, read, table

REQUIRED = ("number", "state", "source", "value", "accuracies")


@dataclass(frozen=True, eq=False)
class Search:
    """trials: a row per step, as `search/trials.parquet` has it. facts: `search/search.json`."""

    trials: pd.DataFrame
    facts: dict[str, Any]

    @property
    def paths(self) -> list[str]:
        """The factors that were searched, the most important first where that is known."""
        importances = self.importances
        known = [path for path in self.facts.get("space") or {} if path in self.trials]
        return sorted(known, key=lambda path: -importances.get(path, 0.0))

    @property
    def importances(self) -> dict[str, float]:
        """The share of the spread of values that each path explains, the largest first; empty where not known."""
        found: dict[str, Any] = self.facts.get("importances") or {}
        return dict(sorted(((k, float(v)) for k, v in found.items() if v is not None), key=lambda item: -item[1]))

    @property
    def objectives(self) -> list[str]:
        return list(self.facts.get("objectives") or ["accuracy"])

    @property
    def none(self) -> float | None:
        """Mean validation accuracy, a share, of the best setting but with threshold 0; None where it was not tried."""
        found = self.facts.get("none") or {}
        return None if found.get("value") is None else float(found["value"])

    @property
    def best(self) -> dict[str, Any] | None:
        """The winner: number, params, value (share of validation images); None before the first finished step."""
        found = self.facts.get("best")
        return dict(found) if found else None

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The finished trials in their order, with accuracy, low and high in percent (t-interval over seeds; NaN for
        one seed) and `best`, the highest accuracy up to there."""
        rows = self.trials[self.trials["state"].eq("complete") & self.trials["value"].notna()].sort_values("number")
        spread = [_half(values) for values in rows["accuracies"]]
        accuracy = 100 * rows["value"].to_numpy(float)
        half = 100 * np.array(spread, float)
        status = rows["status"].fillna("ok") if "status" in rows else "ok"
        return rows.assign(
            accuracy=accuracy,
            low=accuracy - half,
            high=accuracy + half,
            best=np.maximum.accumulate(accuracy) if len(rows) else accuracy,
            status=status,
        ).reset_index(drop=True)

    @property
    def front(self) -> pd.DataFrame:
        """The finished trials that no other beats in both accuracy and cost, the cheapest first."""
        rows = self.finished[self.finished["cost"].notna()] if "cost" in self.finished else self.finished.iloc[:0]
        rows = rows.sort_values(["cost", "accuracy"], ascending=[True, False], kind="stable")
        before = rows["accuracy"].cummax().shift(fill_value=-np.inf)
        return rows[rows["accuracy"] > before].reset_index(drop=True)

    def count(self, **levels: str) -> int:
        """The trials with these levels of state and source."""
        keep = pd.Series(True, index=self.trials.index)
        for name, value in levels.items():
            keep &= self.trials[name].eq(value).fillna(False)
        return int(keep.sum())


def _half(accuracies: Any) -> float:
    """Half of the t-interval over seeds of one step's accuracies (shares); NaN for one seed."""
    known = np.asarray([] if accuracies is None else accuracies, float)
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return float("nan")
    return float(stdtrit(len(known) - 1, (1 + LEVEL) / 2) * known.std(ddof=1) / np.sqrt(len(known)))


def is_number(column: pd.Series) -> bool:
    """Whether a path's values are numbers, so that an axis can place them."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def told(params: dict[str, Any]) -> str:
    """`threshold 0.42, filter.name agreement`."""
    return ", ".join(f"{path} {written(value)}" for path, value in params.items())


def open_search(folder: Path) -> Search | None:
    """The search of a run folder; None without one. UserError where one of its files is missing or damaged."""
    own = folder / "search"
    if not (own / "trials.parquet").exists() and not (own / "search.json").exists():
        return None
    return Search(
        trials=read(own / "trials.parquet", lambda path: table(path, REQUIRED)),
        facts=read(own / "search.json", lambda path: mapping(path, json.loads)),
    )
