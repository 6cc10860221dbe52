"""The data behind the report's heatmap: every setting of the grid once, as columns of small whole numbers.

A setting is every factor but the seed. Its levels are places in `factors[i].levels`; -1 is a factor that cannot change
it (there is no threshold without generated images), which fits whatever the reader has chosen. Shares and points are
kept in hundredths, p-values in ten-thousandths: no reader sees more, and 1,000 cells of 26 classes stay small.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import pairs_against
from analysis.classes import per_class_deltas
from analysis.contrasts import contrasts
from analysis.effective import effective_real
from analysis.factors import factors, generation_factors, is_control, is_level, label, written
from analysis.factors import levels as levels_of
from analysis.paired import accuracy_over_seeds, decisions, holm, usable
from analysis.run import Run
from analysis.sprites import sprites
from analysis.words import BY_ITSELF
from ganaug.records import Against

_AGAINST: dict[Against, str] = {
    "classic-da": "Change against classic augmentation",
    "duplicated": "Change against duplicated real images",
    "shuffled": "Change against shuffled labels",
    "more-real": "Change against more real images",
    "with-validation": "Change against real and validation images",
    "unfiltered": "Change against no filter",
}


@dataclass(frozen=True)
class _Grid:
    """levels: of every factor in `names`. rows: (settings, factors) codes. place: codes and control → row."""

    names: list[str]
    levels: dict[str, list[Any]]
    rows: np.ndarray
    control: np.ndarray
    place: dict[tuple[int, ...], int]

    def places(self, frame: pd.DataFrame) -> np.ndarray:
        """The setting of each row of `frame`, (rows,) int."""
        keys = np.column_stack([_codes(frame, self.levels), is_control(frame).to_numpy(int)])
        return np.array([self.place[key] for key in map(tuple, keys.tolist())], int)


def _told(name: str, value: Any) -> str:
    return "default" if value is None and name == "n_da" else written(value)


def _settled(value: Any) -> Any:
    return None if pd.isna(value) else value


def _moot(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Where factor `name` is null because it cannot change the cell, bool (rows,)."""
    null = frame[name].isna().to_numpy(bool)
    if "." in name:
        return null
    felt = frame["gan_da"].ne("none").fillna(False).to_numpy(bool) if name == "n_da" else True
    return null & ~(felt & ~is_control(frame).to_numpy(bool))


def _codes(frame: pd.DataFrame, levels: dict[str, list[Any]]) -> np.ndarray:
    codes = np.full((len(frame), len(levels)), -1)
    for i, (name, values) in enumerate(levels.items()):
        place = {value: j for j, value in enumerate(values)}
        own = np.array([place.get(_settled(value), -1) for value in frame[name].tolist()], int)
        codes[:, i] = np.where(_moot(frame, name), -1, own)
    return codes


def _grid(run: Run) -> _Grid:
    frame = run.grid
    names = [name for name in factors(frame) if name != "seed"]
    levels = {}
    for name in names:
        null = frame[name].isna().to_numpy(bool) & ~_moot(frame, name)
        levels[name] = [v for v in levels_of(frame, name, run.planned) if v is not None or null.any()]
    keys = np.column_stack([_codes(frame, levels), is_control(frame).to_numpy(int)])
    rows = np.unique(keys, axis=0) if len(keys) else keys
    place = {key: i for i, key in enumerate(map(tuple, rows.tolist()))}
    return _Grid(names, levels, rows[:, :-1], rows[:, -1].astype(bool), place)


def _whole(values: Any, scale: float) -> list[int | None]:
    """Numbers in units of 1 / scale, nulls kept."""
    found = np.asarray(pd.Series(values).to_numpy(float, na_value=np.nan)) * scale
    return [None if np.isnan(value) else round(value) for value in found.tolist()]


def _spread(n: int, at: np.ndarray, values: list[int | None]) -> list[int | None]:
    """`values` of the settings `at` as a column over all n settings."""
    column: list[int | None] = [None] * n
    for i, value in zip(at.tolist(), values, strict=True):
        column[i] = value
    return column


def _deltas(grid: _Grid, table: pd.DataFrame, name: str, title: str) -> dict[str, Any]:
    """A change in points with its interval, p and word, as columns over all settings."""
    at, n = grid.places(table), len(grid.rows)
    whole = {"value": 100, "low": 100, "high": 100, "n": 1, "p": 1e4, "holm": 1e4}
    columns = {key: _spread(n, at, _whole(table[key], scale)) for key, scale in whole.items()}
    words = _spread(n, at, [list(BY_ITSELF).index(v) for v in table["verdict"]])
    return {"name": name, "label": title, "unit": "points", "change": True, **columns, "verdict": words}


def _against_real_only(run: Run, grid: _Grid) -> Iterator[dict[str, Any]]:
    found = contrasts(run).drop(columns="verdict").rename(columns={"by_itself": "verdict"})
    found = found[found["against"].eq("real-only")]  # the primary may be against another control
    names = {"delta_points": "value", "low_points": "low", "high_points": "high", "n_seeds": "n", "p_holm": "holm"}
    if len(found):
        yield _deltas(grid, found.rename(columns=names), "delta", "Change against real only")


def _accuracy(run: Run, grid: _Grid) -> Iterator[dict[str, Any]]:
    found = accuracy_over_seeds(run.grid)
    at, n = grid.places(found), len(grid.rows)
    columns = {k: _spread(n, at, _whole(found[c], 1e4)) for k, c in (("value", "accuracy"), ("low", "low"))}
    columns |= {"high": _spread(n, at, _whole(found["high"], 1e4)), "n": _spread(n, at, _whole(found["n_seeds"], 1))}
    yield {"name": "accuracy", "label": "Accuracy", "unit": "%", "change": False, **columns}


def _against_controls(run: Run, grid: _Grid) -> Iterator[dict[str, Any]]:
    for against, title in _AGAINST.items():
        pairs = pairs_against(run, against)
        if pairs.empty:
            continue
        found = decisions(pairs, grid.names, "delta_points", run.margin_points, run.looks)
        found = found.assign(holm=holm(found["p"].to_numpy(float)))
        yield _deltas(grid, found.rename(columns={"mean": "value", "n_seeds": "n"}), against, title)


def _effective(run: Run, grid: _Grid) -> Iterator[dict[str, Any]]:
    found = effective_real(run)
    if found.empty:
        return
    at, n = grid.places(found), len(grid.rows)
    names = {"value": "effective_real", "low": "low", "high": "high"}
    columns = {key: _spread(n, at, _whole(found[name], 100)) for key, name in names.items()}
    columns["n"] = _spread(n, at, _whole(found["n_seeds"], 1))
    mark: list[str] = [""] * n
    for i, below, above in zip(at.tolist(), found["below"], found["above"], strict=True):
        mark[i] = "≤ " * bool(below) + "≥ " * bool(above)
    ends = {end: _spread(n, at, _whole(found[f"censored_{end}"], 1)) for end in ("low", "high")}
    yield {
        "name": "effective", "label": "As good as", "unit": "real images per class", "change": False, "mark": mark,
        "ends": ends, **columns,
    }  # fmt: skip


VALUES: tuple[Callable[[Run, _Grid], Iterator[dict[str, Any]]], ...] = (
    _against_real_only,
    _accuracy,
    _effective,
    _against_controls,
)
"""What the heatmap can show, in the order of the choice; each gives none, one or several."""


def _counts(run: Run, grid: _Grid) -> dict[str, list[int]]:
    """Cells of each setting, and how many of them did not come out as planned."""
    at = grid.places(run.grid)
    counts = {"cells": np.bincount(at, minlength=len(grid.rows)).tolist()}
    for status in ("starved", "diverged", "failed"):
        hit = run.grid["status"].eq(status).to_numpy(bool)
        counts[status] = np.bincount(at[hit], minlength=len(grid.rows)).tolist()
    return counts


def _classes(run: Run, grid: _Grid) -> dict[str, Any]:
    """Recall class by class: a row per class, in the order of the study, of every setting that has any.

    Columns over (setting, class): `accuracy` of every setting; `control`, `delta`, `low`, `high` of those that have a
    real-only control. `at` is the row of a setting in them, -1 for none.
    """
    names = [str(c) for c in run.summary.get("classes") or dict.fromkeys(run.per_class["class"])]
    place = {name: i for i, name in enumerate(names)}
    shares = run.per_class[["cell", "class"]].assign(share=run.per_class["correct"] / run.per_class["total"])
    cells = usable(run.grid)
    where = pd.DataFrame({"cell": cells["cell"].to_numpy(), "setting": grid.places(cells)})
    means = shares.merge(where, on="cell").groupby(["setting", "class"], sort=True)["share"].mean().reset_index()
    settings = sorted(set(means["setting"]))
    row = {setting: i for i, setting in enumerate(settings)}
    size = len(settings) * len(names)

    def column(at: np.ndarray, of: pd.Series, values: pd.Series, scale: float) -> list[int | None]:
        places = [row[s] * len(names) + place[str(c)] for s, c in zip(at.tolist(), of, strict=True)]
        return _spread(size, np.array(places, int), _whole(values, scale))

    deltas = per_class_deltas(run)
    at = grid.places(deltas)
    own = {"control": ("control_accuracy", 1e4), "delta": ("delta_points", 100)}
    own |= {"low": ("low_points", 100), "high": ("high_points", 100)}
    found = {key: column(at, deltas["class"], deltas[name], scale) for key, (name, scale) in own.items()}
    accuracy = column(means["setting"].to_numpy(), means["class"], means["share"], 1e4)
    return {"names": names, "at": [row.get(i, -1) for i in range(len(grid.rows))], "accuracy": accuracy, **found}


def _sheets(run: Run, grid: _Grid) -> tuple[list[dict[str, Any]], list[int]]:
    """The sample sheets as sprites, and which of them is each setting's (-1: none)."""
    own = [-1] * len(grid.rows)
    found, at = sprites(run.samples())
    for sheet, number in zip(run.samples(), at, strict=True):
        if number < 0:
            continue
        wanted = {n: v for n, v in sheet.factors.items() if n in grid.levels and v is not None}
        for i, codes in enumerate(grid.rows):
            levels = {n: grid.levels[n][c] for n, c in zip(grid.names, codes, strict=True) if c >= 0}
            if not grid.control[i] and all(n in levels and levels[n] == v for n, v in wanted.items()):
                own[i] = number
    return found, own


def _start(run: Run, grid: _Grid, where: Mapping[str, Any]) -> int:
    """The setting of the generated cells at the levels `where`, -1 without one."""
    keep = ~is_control(run.grid)
    for name, value in where.items():
        keep &= is_level(run.grid[name], value)
    return int(grid.places(run.grid[keep].iloc[:1])[0]) if keep.any() else -1


def interactive(run: Run, start: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """All that the heatmap of `analysis/templates/heatmap.js` shows, as JSON can hold it; None without a result.

    `factors`: name, label, levels (text), generation (only generated images feel it). `settings`: `levels` (a column
    of codes per factor), `control`, counts and `sheet`. `values`: what can be shown, columns over the settings.
    `classes`: see `_classes`. `sheets`: see `analysis.sprites`. `start`: the setting of the levels `start`, from which
    the reader sets out; null without.
    """
    if usable(run.grid).empty:
        return None
    grid = _grid(run)
    generation = set(generation_factors(run.grid))
    sheets, sheet = _sheets(run, grid)
    return {
        "factors": [
            {
                "name": n,
                "label": label(n),
                "levels": [_told(n, v) for v in grid.levels[n]],
                "generation": n in generation,
            }
            for n in grid.names
        ],
        "settings": {
            "levels": grid.rows.T.tolist(),
            "control": grid.control.astype(int).tolist(),
            "sheet": sheet,
            **_counts(run, grid),
        },
        "values": [value for find in VALUES for value in find(run, grid)],
        "verdicts": list(BY_ITSELF.values()),
        "classes": _classes(run, grid),
        "sheets": sheets,
        "start": _start(run, grid, start) if start else None,
    }
