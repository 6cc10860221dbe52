"""What a figure does with the factors that are not its axes: a panel per level for up to two, one level for
the rest.

Nothing but seeds is ever averaged, so a panel is one honest slice, and what was left out is written in the
subtitle. The choice never looks at accuracies: levels are spread evenly, and a factor kept at one level is
kept at that of the contrast named before the run, else at the one with most results, of equals the first
that the study lists.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.factors import (
    SELDOM,
    factors,
    generation_factors,
    is_control,
    is_level,
    levels,
    pick,
    thin,
    varied,
    written,
)
from analysis.finding import Headline, headline
from analysis.paired import usable
from analysis.run import Run, axis
from analysis.statistics.looks import Looks
from analysis.words import setting_names
from ganaug.records import NO_DA

MOST_PANELS, MOST_ROWS = 6, 2


@dataclass(frozen=True)
class Slices:
    """panels: the levels of each panel. fixed: levels common to all. said: what a subtitle must say about
    them.
    """

    panels: tuple[dict[str, Any], ...]
    fixed: dict[str, Any]
    said: str

    def title(self, i: int, inches: float = 0.0) -> str:
        """The levels of panel i, on one line where `inches` are enough for every panel's."""
        parts = [[_level(name, value) for name, value in panel.items()] for panel in self.panels]
        fits = all(0.09 * len(", ".join(part)) <= inches for part in parts)
        return (", " if fits else "\n").join(parts[i])

    def room(self, inches: float = 0.0) -> float:
        """Inches that the titles need above a panel."""
        title = self.title(0, inches)
        return 0.12 + 0.22 * (title.count("\n") + bool(title))


def _level(name: str, value: Any) -> str:
    return written(value) if name == "filter.name" else f"{name} {written(value)}"


def _felt(panel: dict[str, Any], table: pd.DataFrame, generation: list[str]) -> dict[str, Any]:
    """A panel's levels without those of a filter or a judge that none of its cells can feel."""
    rows = pick(table, panel, generation)
    rows = rows[~is_control(rows)]
    moot = [name for name in panel if name.startswith(SELDOM) and len(rows) and rows[name].isna().all()]
    return {name: value for name, value in panel.items() if name not in moot}


def _asked(run: Run, name: str, every: list[Any]) -> list[Any]:
    """The level of the contrast named before the run, where it is one of `every`."""
    primary = run.primary or {}
    return [value for value in every if name in primary and written(value) == written(primary[name])]


def spread(run: Run, name: str, every: list[Any], room: int) -> list[Any]:
    """At most `room` of `every`, evenly spread; the level of the contrast named before the run is among them."""
    shown, asked = thin(every, room), _asked(run, name, every)
    if not asked or asked[0] in shown:
        return shown
    place = every.index(asked[0])
    near = min(shown, key=lambda value: abs(every.index(value) - place))
    return [asked[0] if value == near else value for value in shown]


def _kept(run: Run, table: pd.DataFrame, name: str) -> Any:
    asked = _asked(run, name, levels(table, name))
    if asked:
        return asked[0]
    found = usable(table)
    rows = found[~is_control(found)] if name in generation_factors(run.grid) else found
    options = axis(run, name)
    listed = [v for v in run.planned.get(name, []) if v in options] or options
    return max(listed, key=lambda value: int(is_level(rows[name], value).sum()))  # max keeps the first of equals


def slices(run: Run, axes: tuple[str, ...], where: Mapping[str, Any] | None = None, most: int = MOST_PANELS) -> Slices:
    """How a figure over `axes` splits the run. where: levels that the caller asks for."""
    where = dict(where or {})
    table = pick(run.grid, where, generation_factors(run.grid))
    open_ = varied(table, besides=[*axes, *where])
    order: list[str] = [n for n in ("threshold", "n_real", "n_gen") if n in open_]
    order += [n for n in open_ if n not in order]
    if len(order) > 1 and order[0] == "threshold" and "n_real" in order and "n_gen" in axes:
        order = ["n_real", *[n for n in order if n != "n_real"]]
    facets, said, fixed = order[:2], [], dict(where)
    for name in order[2:]:
        fixed[name] = _kept(run, table, name)
        said.append(f"{name} {written(fixed[name])} (of {len(levels(table, name))} values)")
    rows = min(MOST_ROWS, most)
    rooms = [most] if len(facets) == 1 else [max(1, most // rows), rows]
    choices = []
    for name, room in zip(facets, rooms, strict=False):
        every = levels(table, name)
        shown = spread(run, name, every, room)
        if len(shown) < len(every):
            said.append(f"{len(shown)} of {len(every)} values of {name} shown")
        choices.append([(name, value) for value in shown])
    panels: list[dict[str, Any]] = []
    for levels_ in itertools.product(*reversed(choices)):
        panel = _felt(dict(reversed(levels_)), table, generation_factors(run.grid))
        panels += [panel] * (panel not in panels)
    asked = [f"{name} {written(value)}" for name, value in where.items() if name in setting_names(run.grid)]
    return Slices(tuple(panels), fixed, "; ".join([*asked, *said]))


def _or_error(run: Run, where: Mapping[str, Any], axes: tuple[str, ...], what: str) -> None:
    """ValueError where `where` names a factor or a level that the run does not have, or one of `axes`."""
    names = [name for name in factors(run.grid) if name != "seed"]
    for name, value in where.items():
        if name not in names:
            raise ValueError(f"{what}: where must name factors of this run ({', '.join(names)}), got {name!r}")
        if name in axes:
            raise ValueError(f"{what}: where must not name {name}, which is an axis")
        options = axis(run, name)
        if not any(written(value) == written(option) for option in options):
            raise ValueError(f"{what}: {name} must be one of {', '.join(map(written, options))}, got {written(value)}")


def one_slice(run: Run, axes: tuple[str, ...], where: Mapping[str, Any] | None, what: str) -> dict[str, Any]:
    """`where`, checked: it leaves one setting per place on `axes`. ValueError names the factors that it leaves open,
    with their levels; `what` is who asks.
    """
    found = dict(where or {})
    _or_error(run, found, axes, what)
    table = pick(run.grid, found, generation_factors(run.grid))
    left = varied(table, besides=[*axes, *found])
    if left:
        told = " and ".join(f"{name} (one of {', '.join(map(written, levels(table, name)))})" for name in left)
        raise ValueError(f"{what}: where must leave one setting per place; give a level for {told}")
    return found


def question(run: Run, said: Headline | None = None) -> tuple[dict[str, Any] | None, str]:
    """The setting that a figure of one contrast shows, and why that one: the one named before the run, else the
    headline's (`said`, where it is at hand); None where nothing is paired, and for one about classic augmentation.
    """
    names = [name for name in factors(run.grid) if name != "seed"]
    if run.primary is not None and run.primary["against"] == NO_DA:
        return None, ""
    if run.primary is not None:
        return {name: run.primary[name] for name in names if name in run.primary}, "named before the run"
    row = (said or headline(run)).contrast
    return None if row is None else {name: row[name] for name in names}, "the headline's, chosen after looking"


def seeds(table: pd.DataFrame) -> str:
    """`3 seeds`, or `1 to 3 seeds` where settings differ."""
    if table.empty:
        return "no seeds"
    low, high = int(table["n_seeds"].min()), int(table["n_seeds"].max())
    return f"{high} seed{'s' * (high != 1)}" if low == high else f"{low} to {high} seeds"


def interval_words(table: pd.DataFrame, looks: Looks | None = None) -> str:
    """What the ± or the bar is: `95 % t-interval over 3 seeds (2 degrees of freedom)`. looks: of contrasts whose seeds
    were added until they were decided."""
    if table.empty or int(table["n_seeds"].max()) < 2:
        return "one seed, so no interval"
    if looks is not None:
        return f"95 % interval over {seeds(table)} that allows for a look after each"
    low, high = max(1, int(table["n_seeds"].min()) - 1), int(table["n_seeds"].max()) - 1
    degrees = f"{high}" if low == high else f"{low} to {high}"
    return f"95 % t-interval over {seeds(table)} ({degrees} degree{'s' * (degrees != '1')} of freedom)"


def mean_words(table: pd.DataFrame, looks: Looks | None = None) -> str:
    """What a point with a bar is; of one seed there is no bar."""
    words = interval_words(table, looks)
    return words if words.startswith("one seed") else f"mean, bars: {words}"
