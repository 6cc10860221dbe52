"""What a figure does with the factors that are not its axes: a panel per level for up to two, one level for
the rest.

Nothing but seeds is ever averaged, so a panel is one honest slice, and what was left out is written in the
subtitle. The choice never looks at accuracies: levels are spread evenly, and a factor kept at one level is
kept at the one with most results, of equals the first that the study lists.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.factors import generation_factors, is_control, is_level, levels, pick, thin, varied, written
from analysis.paired import usable
from analysis.run import Run, axis

MOST_PANELS, MOST_ROWS = 6, 2


@dataclass(frozen=True)
class Slices:
    """panels: the levels of each panel. fixed: levels common to all. said: what a subtitle must say about
    them.
    """

    panels: tuple[dict[str, Any], ...]
    fixed: dict[str, Any]
    said: str

    def title(self, i: int) -> str:
        return "\n".join(f"{name} {written(value)}" for name, value in self.panels[i].items())


def _kept(run: Run, table: pd.DataFrame, name: str) -> Any:
    found = usable(table)
    rows = found[~is_control(found)] if name in generation_factors(run.cells) else found
    options = axis(run, name)
    listed = [v for v in run.planned.get(name, []) if v in options] or options
    return max(listed, key=lambda value: int(is_level(rows[name], value).sum()))  # max keeps the first of equals


def slices(run: Run, axes: tuple[str, ...], where: Mapping[str, Any] | None = None, most: int = MOST_PANELS) -> Slices:
    """How a figure over `axes` splits the run. where: levels that the caller asks for."""
    where = dict(where or {})
    table = pick(run.cells, where, generation_factors(run.cells))
    open_ = varied(table, besides=[*axes, *where])
    order: list[str] = [n for n in ("threshold", "n_real", "n_gen") if n in open_]
    order += [n for n in open_ if n not in order]
    if len(order) > 1 and order[0] == "threshold" and "n_real" in order and "n_gen" in axes:
        order = ["n_real", *[n for n in order if n != "n_real"]]
    facets, said, fixed = order[:2], [], dict(where)
    for name in order[2:]:
        fixed[name] = _kept(run, table, name)
        said.append(f"{name} {written(fixed[name])} (of {len(levels(table, name))} values)")
    rooms = [most] if len(facets) == 1 else [max(1, most // MOST_ROWS), MOST_ROWS]
    choices = []
    for name, room in zip(facets, rooms, strict=False):
        every = levels(table, name)
        shown = thin(every, room)
        if len(shown) < len(every):
            said.append(f"{len(shown)} of {len(every)} values of {name} shown")
        choices.append([(name, value) for value in shown])
    panels = tuple(dict(reversed(levels_)) for levels_ in itertools.product(*reversed(choices)))
    asked = [f"{name} {written(value)}" for name, value in where.items()]
    return Slices(panels, fixed, "; ".join([*asked, *said]))


def seeds(table: pd.DataFrame) -> str:
    """`3 seeds`, or `1 to 3 seeds` where settings differ."""
    if table.empty:
        return "no seeds"
    low, high = int(table["n_seeds"].min()), int(table["n_seeds"].max())
    return f"{high} seed{'s' * (high != 1)}" if low == high else f"{low} to {high} seeds"


def interval_words(table: pd.DataFrame) -> str:
    """What the ± or the bar is: `95 % t-interval over 3 seeds (2 degrees of freedom)`."""
    if table.empty or int(table["n_seeds"].max()) < 2:
        return "one seed, so no interval"
    low, high = max(1, int(table["n_seeds"].min()) - 1), int(table["n_seeds"].max()) - 1
    degrees = f"{high}" if low == high else f"{low} to {high}"
    return f"95 % t-interval over {seeds(table)} ({degrees} degree{'s' * (degrees != '1')} of freedom)"
