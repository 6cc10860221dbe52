"""The report's tables: numbers already written as text, with their units in the column heads."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.classes import per_class_deltas
from analysis.factors import factors, written
from analysis.paired import accuracy_over_seeds, deltas_over_seeds
from analysis.run import Run, axis
from analysis.verdict import between, setting_names, signed


@dataclass(frozen=True)
class Table:
    """columns: heads. rows: (head, text) pairs. text: columns set left. wrap: those that may break lines."""

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    text: frozenset[str] = field(default_factory=frozenset)
    wrap: frozenset[str] = field(default_factory=frozenset)


def table(frame: pd.DataFrame, text: tuple[str, ...] = (), wrap: tuple[str, ...] = ()) -> Table:
    columns = tuple(str(c) for c in frame.columns)
    rows = [tuple(zip(columns, (written(v) for v in row), strict=True)) for row in frame.itertuples(index=False)]
    return Table(columns, tuple(rows), frozenset(text), frozenset(wrap))


def in_order(run: Run, settings: pd.DataFrame) -> pd.DataFrame:
    """`settings` sorted as the study lists its levels, nulls first."""
    names = [name for name in factors(settings) if name != "seed"]
    ranks = {}
    for name in names:
        place = {written(v): i for i, v in enumerate(axis(run, name))}
        ranks[name] = settings[name].map(written).map(lambda v, place=place: place.get(v, -1))
    return settings.loc[pd.DataFrame(ranks, index=settings.index).sort_values(names, kind="stable").index]


def _plus_minus(value: float, half: float) -> str:
    return f"{value:.1f}" + ("" if np.isnan(half) else f" ± {half:.1f}")


def _p(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def contrasts(run: Run) -> Table:
    """Every contrast of the run: nulls are published like gains."""
    found = in_order(run, deltas_over_seeds(run.cells))
    names = setting_names(run.cells)
    shown: dict[str, Any] = {name: found[name].map(written) for name in names}
    shown["change, points"] = found["delta_points"].map(signed)
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown["95 % interval"] = [between(low, high) for low, high in bounds]
    shown["seeds"] = found["n_seeds"]
    shown["p"] = found["p"].map(_p)
    shown["p, Holm"] = found["p_holm"].map(_p)
    shown["by itself"] = found["verdict"]
    shown["starved"] = found["n_starved"].map(lambda n: f"† {n}" if n else "")
    shown["dropped"] = found["n_dropped"].map(lambda n: str(n) if n else "")
    return table(pd.DataFrame(shown), text=("by itself",))


def accuracies(run: Run) -> Table:
    """Accuracy of every setting, controls included."""
    found = in_order(run, accuracy_over_seeds(run.cells))
    shown: dict[str, Any] = {name: found[name].map(written) for name in setting_names(run.cells)}
    values = zip(100 * found["accuracy"], 100 * found["half"], strict=True)
    shown["accuracy, %"] = [_plus_minus(float(value), float(half)) for value, half in values]
    shown["seeds"] = found["n_seeds"]
    shown["starved"] = found["n_starved"].map(lambda n: f"† {n}" if n else "")
    return table(pd.DataFrame(shown))


def classes(run: Run, where: dict[str, Any]) -> Table:
    found = per_class_deltas(run, where).sort_values(["delta_points", "class"], ascending=[False, True])
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown = {
        "class": found["class"],
        "real only, %": (100 * found["control_accuracy"]).map("{:.1f}".format),
        "with generated, %": (100 * found["accuracy"]).map("{:.1f}".format),
        "change, points": found["delta_points"].map(signed),
        "95 % interval": [between(low, high) for low, high in bounds],
        "seeds": found["n_seeds"],
    }
    return table(pd.DataFrame(shown), text=("class",))


def reasons(run: Run, most: int = 40) -> Table:
    """Starved, diverged and failed cells, by status and reason."""
    odd = run.cells[~run.cells["status"].eq("ok")]
    names = ["seed", *setting_names(run.cells)]
    groups = odd.groupby(["status", "reason"], dropna=False, sort=True)
    rows = []
    for (status, reason), cells in groups:
        first = ", ".join(f"{name} {written(cells.iloc[0][name])}" for name in names)
        rows.append({"status": status, "cells": len(cells), "reason": reason or "—", "first such cell": first})
    frame = pd.DataFrame(rows[:most], columns=["status", "cells", "reason", "first such cell"])
    return table(frame, text=("status", "reason", "first such cell"), wrap=("reason", "first such cell"))
