"""What a search found, in plain words: the best setting, what chose it, and what is left of its gain elsewhere.

The number that chose the winner is the highest of many, so it is flattered. What counts is the difference on seeds that
no step saw and on the test images, which no step saw either; where that cannot be told from none, it is said first.
"""

from typing import Any

import numpy as np

from analysis.run import Run
from analysis.search import Search, told
from analysis.words import CONTROL_NAMES, between, plural, signed

AGAINST = ("real-only", "classic-da", "unfiltered", "duplicated")
NOT_SHOWN_BETTER = "The best threshold is not shown to be better than none."
WORSE = "The best threshold is worse than none."


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _steps(search: Search) -> str:
    done = search.count(source="search", state="complete")
    grid = search.count(source="grid", state="complete")
    space = ", ".join(search.facts.get("space") or {})
    text = f"{plural(done, 'step')} ({search.facts.get('sampler') or 'unknown sampler'}) over {space}"
    text += f", and {plural(grid, 'setting')} that a grid had run already" if grid else ""
    failed, steps = search.count(state="failed"), search.facts.get("steps")
    text += f"; {plural(failed, 'step')} failed" if failed else ""
    if not search.facts.get("finished", True) and steps is not None:
        text += f"; the search is not finished, it is to have {plural(int(steps), 'step')}"
    return text + "."


def _best(search: Search) -> str:
    best = search.best
    if best is None:
        return "No step has finished yet."
    seeds = len(search.facts.get("seeds") or [])
    text = (
        f"Best setting: {told(best.get('params') or {})}, with {100 * _number(best.get('value')):.1f} % of the "
        f"validation images right over {plural(seeds, 'seed')}"
    )
    text += f" ({100 * search.none:.1f} % with threshold 0)." if search.none is not None else "."
    return f"{text} Validation images chose it, and the highest of many is flattered: this number is optimistic."


def _bounds(contrast: dict[str, Any]) -> tuple[float, float]:
    low, high = contrast.get("interval") or (None, None)
    return _number(low), _number(high)


def _confirmed(run: Run, contrasts: dict[str, Any]) -> str:
    shown = [name for name in AGAINST if name in contrasts]
    if not shown:
        return "It has not been confirmed on fresh seeds yet, so nothing is claimed of it."
    told_of = [
        f"{signed(_number(contrasts[name].get('delta_points')))} points {between(*_bounds(contrasts[name]))} against "
        f"{CONTROL_NAMES[name]}"
        for name in shown
    ]
    seeds = {int(contrasts[name]["n_seeds"]) for name in shown if contrasts[name].get("n_seeds")}
    on = plural(max(seeds), "fresh seed") if seeds else "fresh seeds"
    return f"Confirmed on {on} and on the test images, none of which any step saw: {'; '.join(told_of)}."


def _against_none(best: dict[str, Any]) -> str:
    if best.get("threshold") == 0:
        return NOT_SHOWN_BETTER
    contrast = (best.get("contrasts") or {}).get("unfiltered")
    if not contrast:
        return ""
    low, high = _bounds(contrast)
    if np.isnan(low) or low <= 0 <= high:
        return NOT_SHOWN_BETTER
    return WORSE if high < 0 else "The best threshold is better than none."


def search_finding(run: Run) -> list[str]:
    """What the search of a run found, in sentences; empty where nothing was searched.

    First whether the best threshold is better than none, where that is known; then the winner, with the warning that
    validation images chose it, its confirmed differences (95 % t-intervals over fresh seeds, points), and the steps.
    """
    search = run.search
    if search is None:
        return []
    best: dict[str, Any] = run.summary.get("best") or {}
    contrasts: dict[str, Any] = best.get("contrasts") or {}
    said = [_against_none(best), _best(search)]
    said += [_confirmed(run, contrasts)] if search.best else []
    return [sentence for sentence in [*said, _steps(search)] if sentence]
