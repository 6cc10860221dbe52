"""What a finished cell is worth in numbers, for experiment trackers; read from the store by the driver.

A trial reports counts, never data: test labels stay out of the workers' hands, and nobody who tracks nothing pays.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ganaug.stages import Assess, FitGan, Measure
from sweeps.plan import Job, Leaf
from sweeps.run_folder import of_generator
from sweeps.store import Store

if TYPE_CHECKING:
    from sweeps.grid import Grid

ALWAYS = ("n_real", "n_gen", "threshold")  # told of every cell, the other factors where the study varies them


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class Ledger:
    """What the driver knows of a grid's cells, and the numbers that trackers are told of them."""

    grid: "Grid"
    store: Store

    @cached_property
    def levels(self) -> dict[str, list[Any]]:
        """Every factor's values, in the order in which they first come."""
        found: dict[str, dict[str, Any]] = {}  # by their text: not every value can be hashed
        for factors in self.grid.factors.values():
            for name, value in factors.items():
                if value is not None:
                    found.setdefault(name, {}).setdefault(repr(value), value)
        return {name: list(values.values()) for name, values in found.items()}

    @cached_property
    def generators(self) -> dict[str, dict[str, Any]]:
        """By a generator's key, the factors that made it."""
        return {key: of_generator(factors) for key, factors in self.grid.generators.items()}

    def _as_number(self, name: str, value: Any) -> float:
        """What is no number is told by its place among the factor's values."""
        return value if _is_number(value) else self.levels[name].index(value)

    def legend(self) -> dict[str, str]:
        """What the numbers of factors that are none mean, as text."""
        return {
            f"{name}_is": ", ".join(f"{i} {value}" for i, value in enumerate(values))
            for name, values in self.levels.items()
            if len(values) > 1 and not all(map(_is_number, values))
        }

    def shared(self, job: Job) -> dict[str, Any]:
        """The factors that a job's generators agree on; of a job without any, those that all its cells agree on."""
        known = [self.generators[g.key] for g in job.generators if g.key in self.generators]
        own = known or [self.grid.factors[leaf.key] for leaf in job.leaves] or [{}]
        factors = {k: v for k, v in own[0].items() if all(other.get(k) == v for other in own)}
        return {k: v for k, v in factors.items() if v is not None}

    def _cell(self, stage: Measure) -> dict[str, Any]:
        found = self.store.load(stage)
        if found is None:
            return {}
        factors = self.grid.factors[stage.key].items()
        told = {k: self._as_number(k, v) for k, v in factors if v is not None and self._tells(k)}
        record = found[0]
        if "predictions" in record.arrays:
            right = record.arrays["predictions"] == self.grid.test.arrays["labels"]
            told |= {"accuracy": right.mean(), "n_train": record.facts["n_train"]}
        return told

    def _tells(self, factor: str) -> bool:
        return factor in ALWAYS or len(self.levels[factor]) > 1

    def _assessment(self, stage: Assess) -> dict[str, Any]:
        found = self.store.load(stage)
        if found is None:
            return {}
        facts = found[0].facts
        recognised = [r for r in facts.get("recognised", []) if r is not None]
        return {
            "fid": facts.get("fid"),
            "kid": facts.get("kid"),
            "recognised": fmean(recognised) if recognised else None,
        }

    def _generator(self, stage: FitGan) -> dict[str, Any]:
        found = self.store.load(stage)
        losses = found[0].facts.get("losses", {}) if found else {}
        return {f"{side}_loss": losses[side][-1] for side in ("generator", "discriminator") if losses.get(side)}

    def numbers(self, job: Job, result: dict[str, Any]) -> dict[str, float]:
        """What a trial's report is worth telling; nothing where it only found everything in the store."""
        if not result["ran"]:
            return {}
        told: dict[str, Any] = {"seconds": result["time_this_iter_s"]}
        leaf: Leaf | None = job.leaves[result["at"]] if job.leaves else None
        match leaf:
            case Measure():
                told |= self._cell(leaf)
            case Assess():
                told |= self._assessment(leaf)
        if len(job.generators) == 1 and "fit_gan" in result["ran"]:
            told |= self._generator(job.generators[0])
        return {k: float(v) for k, v in told.items() if v is not None and math.isfinite(v)}
