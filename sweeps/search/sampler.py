"""Samplers: what to ask next. Each step has a fresh one, seeded by the search's seed and the step's number.

So a step's parameters follow from the history before it and from nothing that a process carries in its memory, and a
search that was killed goes on as if it had not been.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalChoiceType,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from sweeps.search.space import Axis

STARTUP = 5  # steps at random before TPE or GP has something to go by; Optuna's 10 would be most of a search of 15


class Given(BaseSampler):
    """Some parameters given, the others from another sampler."""

    def __init__(self, values: Mapping[str, Any], other: BaseSampler) -> None:
        self.values, self.other = dict(values), other

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        found = self.other.infer_relative_search_space(study, trial)
        return {name: found[name] for name in found if name not in self.values}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self.other.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if param_name in self.values:
            return self.values[param_name]
        return self.other.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Nothing."""


def seed_of(sampler_seed: int, number: int) -> int:
    """The seed of one step's sampler: 32 bits."""
    return int.from_bytes(hashlib.sha256(f"{sampler_seed}/{number}".encode()).digest()[:4], "big")


def make(name: str, sampler_seed: int, number: int, parallel: bool) -> BaseSampler:
    """The sampler of step `number`. A grid's steps are given, see `Given`; what is left of them is random."""
    seed = seed_of(sampler_seed, number)
    match name:
        case "tpe":
            return TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=parallel)
        case "gp":
            return GPSampler(seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False)
        case _:
            return RandomSampler(seed=seed)


def distribution(axis: Axis) -> BaseDistribution:
    """An axis in Optuna's words."""
    if axis.choices:
        choices: Sequence[CategoricalChoiceType] = axis.choices
        return CategoricalDistribution(choices)
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log, step=int(axis.step or 1))
    return FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)
