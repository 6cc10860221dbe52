"""Two ways of doing the same work, side by side: in alternation, on the whole machine, with what came out of each."""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy import stats

Work = Callable[..., float]
"""Does its work for a seed and says how good it came out."""


@dataclass(frozen=True)
class Row:
    """A line of the table: how many times faster than the other side, pair by pair, and at what quality."""

    what: str
    against: str
    target: float | None
    ratios: tuple[float, ...]
    quality: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def cells(self) -> list[str]:
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}, {len(self.ratios)} pairs"
        spread = spread if len(self.ratios) > 1 else "1 pair"
        verdict = "" if self.target is None else "reached" if self.ratio >= self.target else "not reached"
        target = "" if self.target is None else f"{self.target:g}"
        return [self.what, self.against, f"**{self.ratio:.2f}**", spread, target, verdict, self.quality]


HEAD = ["what", "against", "times faster", "from – to", "target", "", "quality"]


def _ready(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


class Workers:
    """Processes of one thread each, as Ray gives them to trials; `environment` is what they are started with."""

    def __init__(self, n: int, environment: dict[str, str]) -> None:
        before = dict(os.environ)
        os.environ.update({"OMP_NUM_THREADS": "1"} | environment)
        try:
            self.each = [ProcessPoolExecutor(1, get_context("spawn"), _ready, (1,)) for _ in range(n)]
            for future in [one.submit(os.getpid) for one in self.each]:
                future.result()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def seconds(self, work: Work, seeds: Iterable[int], *told: Any) -> tuple[float, list[float]]:
        """Until all have done the work, each for a seed of its own; and what came out."""
        began = time.perf_counter()
        futures = [one.submit(work, seed, *told) for one, seed in zip(self.each, seeds, strict=True)]
        found = [future.result() for future in futures]
        return time.perf_counter() - began, found

    def close(self) -> None:
        for one in self.each:
            one.shutdown()


@dataclass
class Side:
    """One way of doing the work. seconds and quality grow pair by pair."""

    workers: Workers
    work: Work
    told: tuple[Any, ...] = ()
    seconds: list[float] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)

    def ratios(self, other: "Side") -> tuple[float, ...]:
        """How many times as long the other took, pair by pair."""
        return tuple(b / a for a, b in zip(self.seconds, other.seconds, strict=True))


def alternate(sides: dict[str, Side], pairs: int) -> dict[str, Side]:
    """All sides in turn, `pairs` times, the same seeds for all; the order turns round from pair to pair."""
    for pair in range(pairs):
        names = list(sides) if pair % 2 == 0 else list(sides)[::-1]
        for name in names:
            side = sides[name]
            n = len(side.workers.each)
            seconds, found = side.workers.seconds(side.work, range(n * pair, n * pair + n), *side.told)
            side.seconds.append(seconds)
            side.quality += found
    return sides


def difference(one: Iterable[float], other: Iterable[float], unit: str = "points") -> str:
    """Mean paired difference with its 95 % t-interval: `+0.12 points (−0.20 to +0.44, 10 seeds)`."""
    apart = np.subtract(list(one), list(other))
    half = stats.t.ppf(0.975, len(apart) - 1) * stats.sem(apart)
    low, high = apart.mean() - half, apart.mean() + half
    return f"{apart.mean():+.2f} {unit} ({low:+.2f} to {high:+.2f}, {len(apart)} seeds)"
