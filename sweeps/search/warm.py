"""Warm start: settings of the space whose every seed the store knows already, because a grid was run there."""

import math
from typing import Any

from sweeps.search.evaluate import known, result
from sweeps.search.history import Result
from sweeps.search.space import Search
from sweeps.store import Store

Value = dict[str, Any]

MOST = 2000  # settings looked up


def _values(search: Search, path: str) -> list[Any]:
    """Where a grid may have been on an axis: the study's own values, its choices, thresholds in hundredths."""
    axis = search.axes[path]
    own = search.study.factors.get(path, [])
    if axis.choices:
        return list(axis.choices)
    inside = [v for v in own if isinstance(v, int | float) and axis.low <= v <= axis.high]
    hundredths = [i / 100 for i in range(101) if axis.low <= i / 100 <= axis.high] if path == "threshold" else []
    values = sorted({*inside, *hundredths}) or [axis.ends()[0]]
    if axis.step is not None:
        values = [v for v in values if abs((v - axis.low) / axis.step - round((v - axis.low) / axis.step)) < 1e-9]
    return values


def rows(search: Search, dataset: str, store: Store) -> list[tuple[Value, Result]]:
    """Every such setting with its result, by validation images alone. Test predictions are not looked at."""
    values = {path: _values(search, path) for path in search.axes}
    if math.prod(map(len, values.values())) > MOST:
        values["threshold"] = [v for v in values.get("threshold", []) if v in search.study.factors["threshold"]] or [
            0.0
        ]
    if any(path.endswith(".name") for path in search.axes) or math.prod(map(len, values.values())) > MOST:
        return []
    have = store.keys("measure") | store.keys("validate")
    if not have:
        return []
    fixed = {path: [value] for path, value in search.settings.items() if search.known(path, search.settings)}
    by_setting: dict[str, tuple[Value, dict[int, Any]]] = {}
    for factors, cell in search.study_over(fixed | values, search.seeds).cells(dataset):
        # a factor that the cell does not feel (null) takes the first value of its axis
        params = {p: values[p][0] if factors[p] is None else factors[p] for p in search.axes}
        by_setting.setdefault(repr(params), (params, {}))[1][factors["seed"]] = cell
    out = []
    for params, own in by_setting.values():
        from ganaug.recipe import recipe, validation

        cells = [own[seed] for seed in search.seeds]
        if all(validation(c).key in have or recipe(c).key in have for c in cells):
            found = [known(store, c) for c in cells]
            if all(found):
                out.append((params, result(found, [])))
    return out
