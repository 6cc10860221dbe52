"""The first sentence of a report: helps, hurts, no effect or cannot tell yet, and how far to believe it.

A study that names its primary contrast is answered by that contrast, whatever else looks better. In one that names
none, whoever tells of the best contrast tells of luck as well: so the sentence counts the contrasts, the word above it
needs to survive Holm's correction, and the average over all settings, which nobody chose, stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from analysis.classic import classic_finding
from analysis.contrasts import (
    ALPHA,
    CANNOT_TELL,
    against_controls,
    contrasts,
    primary_differences,
    recommended,
    sensitivity,
)
from analysis.effective import told_in_real_images
from analysis.factors import described, factors, is_control
from analysis.images import over_seeds_and_images
from analysis.paired import average_delta, usable
from analysis.run import Run, axis
from analysis.statistics.planning import SeedsNeeded
from analysis.words import between, control_name, images, plural, plural_points, setting_names, signed


@dataclass(frozen=True)
class Headline:
    """verdict: a few words. statement: the sentence. notes: what qualifies it. contrast: the row it speaks
    of, or None.
    """

    verdict: str
    statement: str
    notes: tuple[str, ...]
    contrast: dict[str, Any] | None

    def __str__(self) -> str:
        return "\n".join([f"{self.verdict}. {self.statement}", *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        return f"<div><h3>{escape(self.verdict)}</h3><p>{escape(self.statement)}</p>{notes}</div>"


def _without_contrasts(run: Run) -> Headline:
    records, found = run.grid, usable(run.grid)
    if found.empty:
        counts = records["status"].value_counts()
        told = ", ".join(f"{n} {status}" for status, n in counts.items())
        return Headline("No result yet", f"No cell has an accuracy ({told or 'no cell has run'}).", (), None)
    control = is_control(found)
    if (about_da := classic_finding(run)) is not None:
        verdict, statement, notes = about_da
        return Headline(verdict, statement, tuple(note for note in (*notes, _with_images(run)) if note), None)
    if run.semi:
        return Headline(
            "Cannot tell yet", "No cell with unlabelled images has a finished control of its seed.", (), None
        )
    if control.all() and axis(run, "n_gen") == [0]:
        said = (
            "This study has no cells with generated images, so it says nothing about them; "
            "it measures real images only."
        )
    elif control.all():
        said = "Only real-only cells have a result so far: there is nothing to compare with them."
    elif not control.any():
        said = "No real-only control (n_gen 0) has a result: there is nothing to compare the generated images with."
    else:
        said = "No cell with generated images has a finished control of the same seed and setting."
    return Headline("Cannot tell yet", said, (), None)


def _word(table: pd.DataFrame, margin: float) -> str:
    """What a family of contrasts says, none of which was named before the run."""
    alone = table["by_itself"].eq("helps")
    found = {
        "Helps": table["verdict"].eq("helps"),
        "Better than real only": alone & table["p_holm"].lt(ALPHA) & table["missing_controls"].ne(""),
        "Hurts": table["verdict"].eq("hurts"),
    }
    some = {word: rows for word, rows in found.items() if rows.any()}
    if some:
        told = "; ".join(word if rows.all() else f"{word} in some settings" for word, rows in some.items())
        told = told[0] + told[1:].lower()
        return f"{told}; controls are missing" if "Better than real only" in some else told
    if alone.any():
        return "A lead, not a proof"
    if table["verdict"].eq("no effect").all():
        return f"No effect beyond ±{plural_points(margin)}"
    return "Cannot tell yet"


def _best(deltas: pd.DataFrame) -> dict[str, Any]:
    sure = deltas[(deltas["p_holm"] < ALPHA) & (deltas["delta_points"] > 0)]
    judged = deltas[deltas["p"].notna()]  # seeds that do not differ at all are no evidence
    pool = next(table for table in (sure, judged, deltas) if len(table))
    row = pool.sort_values("delta_points", kind="stable").iloc[-1]
    return {str(k): v for k, v in row.to_dict().items()}


def _selection(best: Mapping[str, Any], n_tests: int, n_contrasts: int) -> str:
    low, high, p = best["low_points"], best["high_points"], best["p_holm"]
    if np.isnan(low):
        return "One seed has no interval, so this may be noise: run more seeds."
    if n_contrasts == 1:
        return "" if low > 0 or high < 0 else "The interval includes 0."
    if high < 0:
        return f"Even this, the best of {n_contrasts} contrasts, lies below 0: real images alone do better."
    looked = f"It was chosen after looking at {n_contrasts} contrasts"
    if np.isnan(p):
        return f"{looked}, and its seeds do not differ, so no test applies."
    corrected = (
        f"corrected for {n_tests} tests (Holm) p = {p:.2g}"
        if p >= 0.001
        else f"corrected for {n_tests} tests (Holm) p < 0.001"
    )
    if p < ALPHA:
        return f"{looked} and holds when {corrected}; its size is still flattered by the choice."
    if low > 0:
        return f"{looked}, so treat it as a lead, not a proof; {corrected}."
    return f"{looked}, and even so its interval includes 0; {corrected}."


def _counted(table: pd.DataFrame, column: str) -> str:
    counts = table[column].value_counts()
    return ", ".join(
        f"{counts[word]} {word}" for word in ("helps", "hurts", "no effect", CANNOT_TELL) if counts.get(word, 0)
    )


def _refusal(row: Mapping[str, Any]) -> str:
    if not row["missing_controls"] or row["by_itself"] != "helps":
        return ""
    return (
        "It is better than real images alone, but that it helps is not said: "
        f"there are not two seeds of these controls: {row['missing_controls']} (see controls.arms in the study)."
    )


def _average(run: Run) -> str:
    mean = average_delta(run.in_common)
    if not mean or mean["n_settings"] < 2:
        return ""
    return (
        f"On average over {mean['n_settings']} settings, which nobody had to choose: {signed(mean['mean'])} points "
        f"{between(mean['low'], mean['high'])} ({plural(int(mean['n_seeds']), 'seed')})."
    )


def _starved(row: Mapping[str, Any], name: str) -> str:
    if not row["n_starved"]:
        return ""
    return f"{name} is starved in {plural(int(row['n_starved']), 'seed')}: the filter let too few images through."


def _exploratory(run: Run, table: pd.DataFrame) -> Headline:
    """The headline of a run without a primary contrast."""
    best = _best(table)
    tests = int(table["p"].notna().sum())
    spread = (
        "" if np.isnan(best["low_points"]) else f", 95 % t-interval with {plural(int(best['df']), 'degree')} of freedom"
    )
    spread = ", 95 % repeated interval" if spread and run.looks else spread
    larger = (table["p"].notna() & (table["delta_points"] > best["delta_points"])).any()
    which = "best paired change that survives correction" if larger else "best paired change"
    statement = (
        f"{images(run).capitalize()}: {which} {signed(best['delta_points'])} points "
        f"{between(best['low_points'], best['high_points'])} at {described(best, setting_names(run.grid))} "
        f"({plural(int(best['n_seeds']), 'seed')}{spread}). {_selection(best, tests, len(table))}"
    ).strip()
    notes = [_refusal(best), _added(run)]
    if len(table) > 1:
        notes.append("No primary contrast was named before the run, so all of this is exploration.")
        told = _counted(table, "by_itself")
        notes.append(f"All {len(table)} contrasts, each by its own uncorrected interval: {told}.")
    notes += [_average(run), _starved(best, "The best setting")]
    return Headline(_word(table, run.margin_points), statement, tuple(n for n in notes if n), best)


def _title(row: Mapping[str, Any], controls: pd.DataFrame, margin: float) -> str:
    """The few words above a primary contrast."""
    match row["verdict"]:
        case "helps":
            unbeaten = controls[
                controls["against"].isin(["duplicated", "classic-da"]) & controls["verdict"].ne("helps")
            ]
            names = " or ".join(control_name(None, name) for name in unbeaten["against"])
            return f"Helps, but is not shown to beat {names}" if names else "Helps"
        case "hurts":
            return "Hurts"
        case "no effect":
            return f"No effect beyond ±{plural_points(margin)}"
        case _ if row["by_itself"] == "helps":
            return "Better than its control; controls are missing"
        case _:
            return "Cannot tell yet"


def _controls(run: Run, controls: pd.DataFrame, named: str) -> str:
    others = controls[controls["against"].ne(named)]
    changes = [signed(delta) for delta in others["delta_points"]]
    bounds = [between(low, high) for low, high in zip(others["low_points"], others["high_points"], strict=True)]
    names = [control_name(run, name) for name in others["against"]]
    told = [" ".join(parts) for parts in zip(names, changes, bounds, strict=True)]
    return f"The same against other controls, points: {'; '.join(told)}." if told else ""


def _seeds(needed: SeedsNeeded) -> str:
    high = "more than a million" if needed.high >= 10**6 else f"{needed.high:,}"
    return f"about {plural(needed.n, 'seed')} in all ({needed.low:,} to {high})"


def _sensitivity(run: Run, row: Mapping[str, Any]) -> str:
    found = sensitivity(run, primary_differences(run)["delta_points"].to_numpy(float))
    if found["detectable_points"] is None or row["verdict"] in ("helps", "hurts"):
        return ""
    if run.looks is not None:  # how many there are was not fixed before the run
        return ""
    text = f"These seeds would find a true change of {found['detectable_points']:.1f} points in 4 studies of 5."
    if row["verdict"] == CANNOT_TELL:
        text += (
            f" To find one of {plural_points(run.margin_points)} takes {_seeds(found['effect'])}; "
            f"to show that there is none, {_seeds(found['equivalence'])}."
        )
    return text


def _with_images(run: Run) -> str:
    found = over_seeds_and_images(run) if run.looks is None else None  # it does not hold for seeds that were added
    if found is None or np.isnan(found.low):
        return ""
    return (
        f"If the choice of the {found.n_test:,} test images counts as well, the interval is "
        f"{between(found.low, found.high)}."
    )


def _added(run: Run) -> str:
    """Of a study that adds seeds until it is decided: that looking on after every one is paid for."""
    if run.looks is None:
        return ""
    first, last = run.looks.first, run.looks.last
    return (
        f"Seeds were added, {first} to {last}, until each contrast was decided; intervals, p-values and verdicts are those "
        "of a sequential t-test and hold although one looked after every seed."
    )


def _secondary(table: pd.DataFrame) -> str:
    others = table[table["role"].eq("secondary")]
    if others.empty:
        return ""
    return (
        f"{plural(len(others), 'secondary contrast')}, corrected together (Holm), controls asked for: "
        f"{_counted(others, 'verdict')}."
    )


def _recommendation(run: Run, table: pd.DataFrame) -> str:
    best = recommended(run, table)
    if best is None:
        return f"Recommended: {control_name(run, 'real-only')}; no setting is shown to help."
    chosen = "" if best["role"] == "primary" else " (chosen among several, so its gain is flattered)"
    return f"Recommended: {described(best, setting_names(run.grid))}{chosen}."


def _confirmatory(run: Run, table: pd.DataFrame) -> Headline:
    """The headline of a run whose primary contrast has a result."""
    row = {str(k): v for k, v in table.iloc[0].to_dict().items()}
    controls = against_controls(run, row)
    named = control_name(run, row["against"])
    statement = (
        f"At {described(row, setting_names(run.grid))}, {images(run)} change accuracy by "
        f"{signed(row['delta_points'])} points {between(row['low_points'], row['high_points'])} against {named} "
        f"({plural(int(row['n_seeds']), 'paired seed')}; the primary contrast, named before the run)."
    )
    notes = [
        _refusal(row),
        _added(run),
        _sensitivity(run, row),
        _controls(run, controls, row["against"]),
        told_in_real_images(run, row),
        _with_images(run),
        _secondary(table),
        _recommendation(run, table),
        _starved(row, "This setting"),
    ]
    return Headline(_title(row, controls, run.margin_points), statement, tuple(n for n in notes if n), row)


def headline(run: Run) -> Headline:
    """The verdict on `run`: its primary contrast in words; without one, its best contrast and how it was chosen."""
    if run.of_generators:
        from analysis.generator_report import generator_headline  # which needs the class above

        return generator_headline(run)
    table = contrasts(run)
    if table.empty or (run.semi and not table["n_seeds"].any()):
        return _without_contrasts(run)
    if run.primary is None:
        return _exploratory(run, table)
    if table.iloc[0]["role"] == "primary":
        return _confirmatory(run, table)
    said = "The primary contrast has no finished pair of a cell and its control yet."
    return Headline("Cannot tell yet", said, tuple(n for n in (_secondary(table), _average(run)) if n), None)


def contrast_of(run: Run) -> dict[str, Any] | None:
    """The headline's contrast, as levels of its factors; None where there is none."""
    row = headline(run).contrast
    return None if row is None else {name: row[name] for name in factors(run.grid) if name != "seed"}
