"""The report's tables: numbers already written as text, with their units in the column heads."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.alarms import alarms
from analysis.classes import class_verdicts
from analysis.classic import classic_contrasts
from analysis.contrasts import against_controls as controls_of
from analysis.contrasts import contrasts as all_contrasts
from analysis.effective import COLUMNS, effective_real
from analysis.factors import factors, written
from analysis.over_settings import overall, primary_tests
from analysis.paired import accuracy_over_seeds
from analysis.run import Run, axis
from analysis.statistics.effective_real import EffectiveReal
from analysis.words import BY_ITSELF, CONTROL_NAMES, between, setting_names, signed


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
    names = [name for name in factors(settings) if name != "seed" and name in run.grid]
    ranks = {}
    for name in names:
        place = {written(v): i for i, v in enumerate(axis(run, name))}
        ranks[name] = settings[name].map(written).map(lambda v, place=place: place.get(v, -1))
    return settings.loc[pd.DataFrame(ranks, index=settings.index).sort_values(names, kind="stable").index]


def _plus_minus(value: float, half: float) -> str:
    return f"{value:.1f}" + ("" if np.isnan(half) else f" ± {half:.1f}")


def p_text(value: float) -> str:
    """A p-value as a table writes it."""
    return "—" if np.isnan(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def contrasts(run: Run) -> Table:
    """Every contrast of the run, the primary first: nulls are published like gains."""
    every = all_contrasts(run)
    first = every["role"].eq("primary")
    found = pd.concat([every[first], in_order(run, every[~first])])
    names = setting_names(run.grid)
    shown: dict[str, Any] = {"role": found["role"], **{name: found[name].map(written) for name in names}}
    shown["against"] = found["against"]
    shown["change, points"] = found["delta_points"].map(signed)
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown["95 % interval"] = [between(low, high) for low, high in bounds]
    shown["seeds"] = found["n_seeds"]
    shown["p"] = found["p"].map(p_text)
    shown["p, Holm"] = found["p_holm"].map(p_text)
    shown["p, no effect"] = found["p_equivalence"].map(p_text)
    shown["by itself"] = found["by_itself"].replace(BY_ITSELF)
    shown["verdict"] = found["verdict"]
    shown["missing controls"] = found["missing_controls"]
    shown["starved"] = found["n_starved"].map(lambda n: f"† {n}" if n else "")
    shown["dropped"] = found["n_dropped"].map(lambda n: str(n) if n else "")
    return table(pd.DataFrame(shown), text=("role", "against", "by itself", "verdict", "missing controls"))


def classic(run: Run) -> Table:
    """Classic augmentation against none, the primary contrast first."""
    found = classic_contrasts(run)
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown: dict[str, Any] = {"role": found["role"]}
    shown |= {name: found[name].map(written) for name in setting_names(run.grid) if name not in ("n_gen", "threshold")}
    shown |= {
        "accuracy, %": (100 * found["accuracy"]).map("{:.1f}".format),
        "without, %": (100 * found["control_accuracy"]).map("{:.1f}".format),
        "change, points": found["delta_points"].map(signed),
        "95 % interval": [between(low, high) for low, high in bounds],
        "seeds": found["n_seeds"],
        "p": found["p"].map(p_text),
        "p, Holm": found["p_holm"].map(p_text),
        "p, no effect": found["p_equivalence"].map(p_text),
        "verdict": found["verdict"],
    }
    if found["gap_points"].notna().any():
        shown |= {
            "gap, points": found["gap_points"].map("{:.1f}".format),
            "gap without": found["control_gap_points"].map("{:.1f}".format),
        }
    return table(pd.DataFrame(shown), text=("role", "clf_da", "verdict"), wrap=("clf_da",))


def against_controls(run: Run) -> Table:
    """The primary contrast's setting against every control that the run has for it."""
    found = controls_of(run, run.primary) if run.primary else pd.DataFrame()
    if found.empty:
        return table(pd.DataFrame())
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    shown = {
        "against": found["against"].map(CONTROL_NAMES),
        "change, points": found["delta_points"].map(signed),
        "95 % interval": [between(low, high) for low, high in bounds],
        "seeds": found["n_seeds"],
        "p": found["p"].map(p_text),
        "p, no effect": found["p_equivalence"].map(p_text),
        "accuracy, %": (100 * found["accuracy"]).map("{:.1f}".format),
        "its accuracy, %": (100 * found["control_accuracy"]).map("{:.1f}".format),
        "by itself": found["verdict"].replace(BY_ITSELF),
    }
    return table(pd.DataFrame(shown), text=("against", "by itself"))


def primary_by_every_test(run: Run) -> Table:
    """The primary contrast by the test that decides and by others."""
    found = primary_tests(run)
    bounds = zip(found["low"], found["high"], strict=True)
    shown = {
        "test": found["test"],
        "p": found["p"].map(p_text),
        "95 % interval, points": ["—" if np.isnan(low) else between(low, high) for low, high in bounds],
        "note": found["note"],
    }
    return table(pd.DataFrame(shown), text=("test", "note"), wrap=("note",))


def over_all_settings(run: Run) -> Table:
    """The whole grid in a few numbers."""
    found = overall(run)
    places = {"points": "{:+.1f}", "%": "{:.1f}", "share": "{:.2f}"}
    rows: list[Any] = found.to_dict("records")
    shown = {
        "over all settings": found["measure"],
        "unit": found["unit"],
        "value": [places[row["unit"]].format(row["value"]) for row in rows],
        "95 % interval": [_bounds(row, places[row["unit"]]) for row in rows],
    }
    return table(pd.DataFrame(shown), text=("over all settings", "unit"))


def _bounds(row: dict[str, Any], place: str) -> str:
    return "—" if np.isnan(row["low"]) else f"[{place.format(row['low'])}, {place.format(row['high'])}]"


def effective(run: Run) -> Table:
    """Every generated setting in real images."""
    found = in_order(run, effective_real(run))
    names = setting_names(run.grid)
    rows: list[Any] = found[list(COLUMNS)].to_dict("records")
    results = [EffectiveReal(**row) for row in rows]
    shown: dict[str, Any] = {name: found[name].map(written) for name in names}
    shown["as good as … real ones"] = [str(result) for result in results]
    shown["real ones per generated one"] = [_rate(result) for result in results]
    shown["seeds"] = found["n_seeds"]
    return table(pd.DataFrame(shown))


def _rate(result: EffectiveReal) -> str:
    if np.isnan(result.per_generated_low):
        return f"{result.per_generated:.3f}"
    return f"{result.per_generated:.3f} [{result.per_generated_low:.3f}, {result.per_generated_high:.3f}]"


METRICS = {
    "fid": "FID", "kid": "KID", "precision": "precision", "recall": "recall", "density": "density",
    "coverage": "coverage", "classifier_is": "classifier-IS", "recognised": "recognised", "taught": "taught",
    "nearest_ratio": "nearest ratio",
}  # fmt: skip


def metrics(run: Run) -> Table:
    """Every generator's metrics, under the factors that made it."""
    found = run.generators
    if found.empty:
        return table(pd.DataFrame())
    names = [name for name in factors(found) if found[name].nunique(dropna=False) > 1]
    shown: dict[str, Any] = {name: found[name].map(written) for name in names}
    shown |= {title: found[name].map(_number) for name, title in METRICS.items() if name in found}
    shown["status"] = found["status"]
    return table(pd.DataFrame(shown), text=("status",))


def classes_in_alarm(run: Run) -> Table:
    """The classes that generators have lost, or of which that cannot be said: in how many of them, and how badly."""
    found = alarms(run)
    if found.empty:
        return table(pd.DataFrame())
    rates = ["recognised", "real_recognised", "taught"]
    groups = found.groupby(["class", "kind"], sort=False)[rates]
    stats = groups.mean().assign(n=groups.size()).reset_index().sort_values("n", ascending=False, kind="stable")
    shown = {
        "class": stats["class"],
        "alarm": stats["kind"],
        f"generators, of {len(run.generators)}": stats["n"],
        "recognised, their mean": stats["recognised"].map(_number),
        "real ones recognised": stats["real_recognised"].map(_number),
        "taught": stats["taught"].map(_number),
    }
    return table(pd.DataFrame(shown), text=("class", "alarm"))


def _number(value: Any) -> str:
    return "—" if pd.isna(value) else f"{value:.3g}"


def accuracies(run: Run) -> Table:
    """Accuracy of every setting, controls included."""
    found = in_order(run, accuracy_over_seeds(run.grid))
    shown: dict[str, Any] = {name: found[name].map(written) for name in setting_names(run.grid)}
    values = zip(100 * found["accuracy"], 100 * found["half"], strict=True)
    shown["accuracy, %"] = [_plus_minus(float(value), float(half)) for value, half in values]
    shown["seeds"] = found["n_seeds"]
    shown["starved"] = found["n_starved"].map(lambda n: f"† {n}" if n else "")
    return table(pd.DataFrame(shown))


def classes(run: Run, where: dict[str, Any]) -> Table:
    """One contrast class by class, the largest gain first."""
    found = class_verdicts(run, where)
    if found.empty:
        return table(pd.DataFrame())
    found = found.sort_values(["delta_points", "class"], ascending=[False, True])
    bounds = zip(found["low_points"], found["high_points"], strict=True)
    wider = zip(found["low_with_images"], found["high_with_images"], strict=True)
    shown = {
        "class": found["class"],
        "test images": found["n_test"],
        "real only, %": (100 * found["control_accuracy"]).map("{:.1f}".format),
        "with generated, %": (100 * found["accuracy"]).map("{:.1f}".format),
        "change, points": found["delta_points"].map(signed),
        "95 % over seeds": [between(low, high) for low, high in bounds],
        "95 % over seeds and images": [between(low, high) for low, high in wider],
        "p, Holm": found["p_holm"].map(p_text),
        "verdict": found["verdict"],
        f"seeds to find ±{run.margin_points:g}": found["seeds_needed"].map(_whole),
    }
    return table(pd.DataFrame(shown), text=("class", "verdict"))


def _whole(value: Any) -> str:
    return "—" if pd.isna(value) else f"{value:,}"


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
