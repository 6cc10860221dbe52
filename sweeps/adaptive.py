"""Adding seeds until every verdict is there: which cells a study wants, as far as its records decide it.

Every setting begins with `seeds.min` seeds. When all of them have a record, those whose contrast is open
(`analysis.adaptive`) get the next one, and so do the cells they are compared with. What is wanted is thus a function of
the records alone: neither the number of workers nor a kill changes it. Where the cells of a round would leave
workers idle, the next seeds of open contrasts are computed ahead; if those turn out not to be wanted, they stay in the
store and enter no table.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.errors import UserError
from sweeps import layout
from sweeps.collect import claims_of, rows_of
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.run_folder import Row, RunFolder, cell_row, tabular, write_json
from sweeps.store import Store

if TYPE_CHECKING:
    from analysis.run import Run

OPEN = "cannot tell yet"

Setting = tuple[tuple[str, Any], ...]
"""The arm and the factors of a cell but its seed."""


def _setting(factors: dict[str, Any]) -> Setting:
    return tuple((name, value) for name, value in factors.items() if name != "seed")


def within(grid: Grid, keys: Iterable[str]) -> Grid:
    """The grid of these cells alone, and of their generators."""
    kept = dict.fromkeys(keys)
    part = Grid(grid.study, grid.digest, grid.test)
    part.factors = {key: grid.factors[key] for key in kept}
    part.cells = {key: grid.cells[key] for key in kept}
    part.measures = {key: grid.measures[key] for key in kept}
    for key, measure in part.measures.items():
        if (generator := generator_of(measure)) is not None:
            part.generators.setdefault(generator.key, grid.factors[key])
            if generator.key in grid.assessments:
                part.assessments[generator.key] = grid.assessments[generator.key]
    return part


class Seeds:
    """How many seeds every setting of a study has, and which of its contrasts are open. `grid`: up to `seeds.max`."""

    def __init__(self, grid: Grid) -> None:
        assert grid.study.seeds is not None
        self.grid, self.spec = grid, grid.study.seeds
        self.of = {key: (_setting(factors), int(factors["seed"])) for key, factors in grid.factors.items()}
        self.counts: dict[Setting, int] = dict.fromkeys((s for s, _ in self.of.values()), self.spec.min)
        once = grid.study.model_copy(update={"factors": grid.study.factors | {"seed": [0]}})
        self.beside: dict[Setting, set[Setting]] = {}
        for own, others in layout.partners(once):
            self.beside.setdefault(_setting(own), set()).update(map(_setting, others))
        self.words: dict[Setting, str] = {}
        self._rows: dict[str, Row] = {}

    def wanted(self, counts: dict[Setting, int] | None = None) -> list[str]:
        """The keys of the cells whose seed is among those of their setting, in the order of the grid."""
        counts = self.counts if counts is None else counts
        return [key for key, (setting, seed) in self.of.items() if seed < counts[setting]]

    def advance(self, store: Store, failures: dict[str, str]) -> list[str]:
        """Go on as far as the records decide; the keys of wanted cells without one, none when all is said."""
        while True:
            new = [key for key in self.wanted() if key not in self._rows]
            self._rows |= {row.key: row for row in rows_of(within(self.grid, new), store, failures)}
            if missing := [key for key in new if key not in self._rows]:
                return missing
            self.words = self._decided()
            growing = self._open(self.counts)
            if not growing:
                return []
            self._add(self.counts, growing)

    def ahead(self, store: Store, slots: int) -> list[str]:
        """The wanted cells, and while their missing ones leave slots idle the next seeds of open contrasts."""
        counts, have = dict(self.counts), store.keys("measure")
        growing = self._open(counts)
        while growing and sum(key not in have for key in self.wanted(counts)) < slots:
            self._add(counts, growing)
            growing = self._open(counts)
        return self.wanted(counts)

    def _open(self, counts: dict[Setting, int]) -> list[Setting]:
        return [s for s, word in self.words.items() if word == OPEN and counts[s] < self.spec.max]

    def _add(self, counts: dict[Setting, int], growing: list[Setting]) -> None:
        """One more seed for each of `growing`, and as many for the cells it is compared with."""
        for setting in growing:
            counts[setting] += 1
            for other in self.beside[setting]:
                counts[other] = max(counts[other], counts[setting])

    def _decided(self) -> dict[Setting, str]:
        from analysis.adaptive import words

        return {self.of[key][0]: word for key, word in words(self.run()).items() if self.of[key][0] in self.beside}

    def run(self) -> "Run":
        """The records of what is wanted, as an analysis reads them."""
        from pathlib import Path

        import pandas as pd

        from analysis.reading import typed
        from analysis.run import Run
        from ganaug.records import FACTORS

        study, labels = self.grid.study, self.grid.test.arrays["labels"]
        rows = [cell_row(self._rows[key], labels) for key in self.wanted()]
        cells = typed(tabular(rows, [*FACTORS, *study.paths]))
        return Run(Path(study.name), cells, pd.DataFrame(), claims_of(study), study.model_dump(mode="json"))

    def facts(self) -> dict[str, Any]:
        """What a summary says: cells used and most, contrasts, how many are decided, and after how many seeds."""
        decided = [s for s, word in self.words.items() if word != OPEN]
        after = Counter(self.counts[s] for s in decided)
        return self.spec.model_dump() | {
            "cells_used": len(self.wanted()),
            "cells_at_most": len(self.of),
            "contrasts": len(self.words),
            "decided": len(decided),
            "decided_after": {str(n): after[n] for n in sorted(after)},
        }

    def write(self, folder: RunFolder) -> None:
        """seeds.json: every setting, how many seeds it has, and the word of its contrast if it is compared."""
        rows = [{"setting": dict(s), "seeds": n, "verdict": self.words.get(s)} for s, n in self.counts.items()]
        write_json(folder.seeds, rows)


def seeds_line(facts: dict[str, Any]) -> str:
    """`seeds: 9 of 12 contrasts decided, after 3 to 8 seeds; 130 cells of at most 700`, of `Seeds.facts`."""
    after = list(facts["decided_after"])
    since = "" if not after else f", after {after[0]}" + (f" to {after[-1]}" if len(after) > 1 else "") + " seeds"
    counts = f"{facts['decided']} of {facts['contrasts']} contrasts decided{since}"
    return f"seeds: {counts}; {facts['cells_used']} cells of at most {facts['cells_at_most']}"


def narrowed(grid: Grid, folder: RunFolder) -> Grid:
    """The grid without the seeds that a run in this folder has not asked for; UserError for a damaged seeds.json."""
    if grid.study.seeds is None:
        return grid
    seeds = Seeds(grid)
    try:
        told = {_setting(row["setting"]): int(row["seeds"]) for row in json.loads(folder.seeds.read_bytes())}
        seeds.counts |= {setting: told[setting] for setting in seeds.counts}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{folder.seeds}: is not what a run writes; delete it and run the study again") from None
    return within(grid, seeds.wanted())


def foreseen(grid: Grid) -> int:
    """Cells to expect, were effects 0, or as large as the margin or twice it, and seeds as different as the margin.

    The share of seeds that 300 such contrasts take, times the cells there are at most; a guess before any record.
    """
    from analysis.statistics.looks import Looks
    from analysis.statistics.sequential import course

    assert grid.study.seeds is not None
    spec = grid.study.seeds
    effects = np.repeat([0.0, 1.0, -1.0, 2.0, -2.0], 60)
    draws = effects[:, None] + np.random.default_rng(0).standard_normal((len(effects), spec.max))
    words = course(draws, 1.0, Looks(spec.min, spec.max)).words
    decided = words != OPEN
    taken = np.where(decided.any(1), decided.argmax(1) + 1, spec.max)
    return round(float(taken.mean()) / spec.max * len(grid.factors))
