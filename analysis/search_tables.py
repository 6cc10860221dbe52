"""The report's tables of filters and of a search's steps: numbers already written as text."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.factors import levels, varied, written
from analysis.filters import FILTERS, filters_table
from analysis.run import Run
from analysis.search import Search
from analysis.tables import Table, in_order, p_text, table
from analysis.words import between, signed


def _percent(value: Any) -> str:
    return "—" if pd.isna(value) else f"{100 * value:.0f}"


def filters(run: Run) -> Table:
    """Every filtered setting against the same one without a filter; nothing where no unfiltered cell stands beside."""
    found = filters_table(run)
    if found.empty:
        return table(pd.DataFrame())
    found = in_order(run, found)
    rest = [name for name in varied(run.grid) if name not in ("threshold", *FILTERS) and len(levels(found, name)) > 1]
    kinds = [name for name in FILTERS if name in found]
    shown: dict[str, Any] = {name.removeprefix("filter."): found[name].map(written) for name in kinds}
    shown = {"filter": shown.pop("name"), **shown, "threshold": found["threshold"].map(written)}
    shown |= {name: found[name].map(written) for name in rest}
    shown["change, points"] = found["delta_points"].map(signed)
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown["95 % interval"] = [between(low, high) for low, high in bounds]
    shown["seeds"] = found["n_seeds"]
    shown["p"] = found["p"].map(p_text)
    shown["p, Holm"] = found["p_holm"].map(p_text)
    shown["verdict"] = found["verdict"]
    shown["accepted, %"] = found["acceptance"].map(_percent)
    shown["coverage, %"] = found["coverage"].map(_percent)
    shown["without filter, %"] = found["coverage_unfiltered"].map(_percent)
    shown["starved"] = found["n_starved"].map(lambda n: f"† {n}" if n else "")
    return table(pd.DataFrame(shown), text=("filter", "verdict"))


def _accuracy(row: dict[str, Any]) -> str:
    half = row["high"] - row["accuracy"]
    return f"{row['accuracy']:.1f}" + ("" if np.isnan(half) else f" ± {half:.1f}")


def steps(search: Search) -> Table:
    """Every trial of a search, the best first, then those without a result."""
    found = search.finished.sort_values(["accuracy", "number"], ascending=[False, True], kind="stable")
    rows: list[Any] = found.to_dict("records")
    others = search.trials[~search.trials["number"].isin(found["number"])].sort_values("number")
    every = pd.concat([found, others], ignore_index=True) if len(others) else found
    best = (search.best or {}).get("number")
    shown: dict[str, Any] = {"step": every["number"]}
    shown |= {path: every[path].map(written) for path in search.facts.get("space") or {} if path in every}
    shown["validation accuracy, %"] = [_accuracy(row) for row in rows] + ["—"] * len(others)
    for name, head in (("n_seeds", "seeds"), ("cost", "candidates per class"), ("seconds", "seconds")):
        if name in every:
            shown[head] = every[name].map(lambda v: "—" if pd.isna(v) else f"{v:,.0f}")
    shown["from"] = every["source"]
    states = zip(every["state"], every["status"], strict=True)
    shown["state"] = [str(status) if state == "complete" else str(state) for state, status in states]
    shown["best"] = ["best" if number == best else "" for number in every["number"]]
    return table(pd.DataFrame(shown), text=("from", "state", "best"))
