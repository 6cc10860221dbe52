"""The first sentence of a report: helps, hurts, no effect or cannot tell yet, and how far to believe it.

Whoever looks at many contrasts and tells of the best one tells of luck as well. So the sentence counts the
contrasts, the word above it needs to survive Holm's correction, and the average over all settings, which
nobody chose, stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.factors import described, factors, is_control, varied
from analysis.paired import NO_EFFECT_POINTS, average_delta, deltas_over_seeds, usable
from analysis.run import Run, axis

ALPHA = 0.05


@dataclass(frozen=True)
class Headline:
    """verdict: a few words. statement: the sentence. notes: what qualifies it. contrast: the row it speaks
    of, or None.
    """

    verdict: str
    statement: str
    notes: tuple[str, ...]
    contrast: dict[str, Any] | None


def signed(points: float) -> str:
    """+1.2 or −0.4, with a real minus sign; 0.0 has none."""
    text = f"{points:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def between(low: float, high: float) -> str:
    """[+0.3, +2.1], or `(no interval)` where there is none."""
    return "(no interval)" if np.isnan(low) else f"[{signed(low)}, {signed(high)}]"


def plural(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def setting_names(records: pd.DataFrame) -> list[str]:
    """The factors that name a contrast: the three of the question, and every other one that varies."""
    return list(dict.fromkeys(["n_real", "n_gen", "threshold", *varied(records)]))


def _without_contrasts(run: Run) -> Headline:
    records, found = run.cells, usable(run.cells)
    if found.empty:
        counts = records["status"].value_counts()
        told = ", ".join(f"{n} {status}" for status, n in counts.items())
        return Headline("No result yet", f"No cell has an accuracy ({told or 'no cell has run'}).", (), None)
    control = is_control(found)
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


def _word(deltas: pd.DataFrame) -> str:
    sure = deltas["p_holm"] < ALPHA
    helps, hurts = (
        bool((sure & (deltas["delta_points"] > 0)).any()),
        bool((sure & (deltas["delta_points"] < 0)).any()),
    )
    if helps and hurts:
        return "Helps in some settings, hurts in others"
    if helps or hurts:
        word, own = ("Helps", "helps") if helps else ("Hurts", "hurts")
        return word if deltas["verdict"].eq(own).all() else f"{word} in some settings"
    if deltas["verdict"].eq("helps").any():
        return "A lead, not a proof"
    if deltas["verdict"].eq("no effect").all():
        return f"No effect beyond ±{NO_EFFECT_POINTS:g} point"
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


def headline(run: Run) -> Headline:
    """The verdict on `run`: its best paired contrast in words, the number of contrasts it was chosen from,
    and the average.
    """
    deltas = deltas_over_seeds(run.cells)
    if deltas.empty:
        return _without_contrasts(run)
    best = _best(deltas)
    tests = int(deltas["p"].notna().sum())
    spread = (
        "" if np.isnan(best["low_points"]) else f", 95 % t-interval with {plural(int(best['df']), 'degree')} of freedom"
    )
    larger = (deltas["p"].notna() & (deltas["delta_points"] > best["delta_points"])).any()
    which = "best paired change that survives correction" if larger else "best paired change"
    statement = (
        f"Generated images: {which} {signed(best['delta_points'])} points "
        f"{between(best['low_points'], best['high_points'])} at {described(best, setting_names(run.cells))} "
        f"({plural(int(best['n_seeds']), 'seed')}{spread}). {_selection(best, tests, len(deltas))}"
    ).strip()
    notes = []
    if len(deltas) > 1:
        counts = deltas["verdict"].value_counts()
        told = [
            f"{counts[word]} {word}"
            for word in ("helps", "hurts", "no effect", "cannot tell yet")
            if counts.get(word, 0)
        ]
        notes.append(f"All {len(deltas)} contrasts, each by its own uncorrected interval: {', '.join(told)}.")
    mean = average_delta(run.cells)
    if mean and mean["n_settings"] > 1:
        notes.append(
            f"On average over {mean['n_settings']} settings, which nobody had to choose: "
            f"{signed(mean['mean'])} points "
            f"{between(mean['low'], mean['high'])} ({plural(int(mean['n_seeds']), 'seed')})."
        )
    if best["n_starved"]:
        notes.append(
            f"The best setting is starved in {plural(int(best['n_starved']), 'seed')}: the filter let too "
            "few images through."
        )
    return Headline(_word(deltas), statement, tuple(notes), best)


def contrast_of(run: Run) -> dict[str, Any] | None:
    """The headline's contrast, as levels of its factors; None where there is none."""
    row = headline(run).contrast
    return None if row is None else {name: row[name] for name in factors(run.cells) if name != "seed"}
