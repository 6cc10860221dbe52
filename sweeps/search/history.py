"""The history of a search, kept by Optuna: steps asked and told, by one driver or several.

A step is a trial with the attributes `source` (search or grid), `driver`, and once it is told `status`, `accuracies`,
`cost`, `seconds`. A step is made, numbered and owned in one write; its parameters follow from what is before it. So a
step that a dead driver leaves is finished by the next one, under the same number and with the same parameters.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from ganaug.records import Status
from sweeps.search import driver, sampler
from sweeps.search.space import Search, grid_points

Value = dict[str, Any]

SURPLUS = "surplus"  # two drivers asked for the last step at once; told, and left out everywhere


@dataclass(frozen=True)
class Result:
    """What a setting is worth on validation images.

    accuracies: a share per search seed, None where a cell has none. cost: candidate images drawn per class, the mean
    over seeds. status: the worst of its cells. reason: why it is not ok.
    """

    accuracies: tuple[float | None, ...]
    status: Status
    reason: str = ""
    cost: float | None = None
    seconds: float = 0.0

    @property
    def value(self) -> float | None:
        """The mean over paired seeds; None where one is missing, for a mean over fewer is no longer paired."""
        known = [a for a in self.accuracies if a is not None]
        return sum(known) / len(known) if known and len(known) == len(self.accuracies) else None


@dataclass
class Step:
    """A step that waits for its result."""

    trial: Trial
    params: Value = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.trial.number


class History:
    """One search's Optuna study. `parallel`: whether several steps are asked before the first is told."""

    def __init__(self, search: Search, dataset: str, storage: optuna.storages.BaseStorage, parallel: bool) -> None:
        self.search, self.parallel = search, parallel
        directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE][: len(search.spec.objectives)]
        self.study = optuna.create_study(
            study_name=f"{search.study.name}-{search.digest(dataset)}",
            storage=storage,
            directions=directions,
            load_if_exists=True,
        )
        if "metric_names" not in self.study.user_attrs:
            self.study.set_user_attr("space", {path: axis.told() for path, axis in search.axes.items()})
            self.study.set_user_attr("metric_names", list(search.spec.objectives))

    def trials(self, source: str | None = None) -> list[FrozenTrial]:
        """Steps (`search`), records of a grid (`grid`) or both, in their order; a grid's setting once."""
        out, seen = [], set()
        for trial in self.study.get_trials(deepcopy=False):
            told = trial.user_attrs.get("source")
            if told is None or trial.user_attrs.get("status") == SURPLUS or source not in (None, told):
                continue
            mark = repr(sorted(trial.params.items()))
            if told == "grid" and mark in seen:
                continue
            seen |= {mark} if told == "grid" else set()
            out.append(trial)
        return out

    def left(self) -> int:
        """Steps that nobody has asked for yet."""
        return max(0, self.search.steps - len(self.trials("search")))

    def running(self) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        """Steps without a result: those that this driver has to finish, and those of drivers that live."""
        mine: list[FrozenTrial] = []
        others: list[FrozenTrial] = []
        for trial in self.trials("search"):
            if trial.state == TrialState.RUNNING:
                owner = trial.user_attrs["driver"]
                (others if owner != driver.myself() and driver.alive(owner, self.study) else mine).append(trial)
        return mine, others

    def _suggest(self, frozen: FrozenTrial, rank: int) -> Step:
        """Parameters of a step, drawn again or read where they are known."""
        spec = self.search.spec
        sampled = sampler.make(spec.sampler, spec.sampler_seed, frozen.number, self.parallel)
        if spec.sampler == "grid":
            points = grid_points(self.search)
            sampled = sampler.Given(points[rank % len(points)], sampled)
        elif rank == 0 and (axis := self.search.axes.get("threshold")) and 0.0 in axis.ends() and not self._none_told():
            sampled = sampler.Given({"threshold": 0.0}, sampled)  # what every other step is compared with
        self.study.sampler = sampled
        trial = Trial(self.study, frozen._trial_id)
        params: Value = {}
        for path, axis in self.search.axes.items():
            if self.search.known(path, self.search.settings | params):
                params[path] = trial._suggest(path, sampler.distribution(axis))
        return Step(trial, params)

    def _none_told(self) -> bool:
        return any(t.params.get("threshold") == 0.0 for t in self.trials("grid"))

    def ask(self) -> Step | None:
        """A new step of this driver; None where another driver asked for the last one meanwhile."""
        token = secrets.token_hex(8)
        attributes = {"source": "search", "driver": driver.myself(), "token": token}
        self.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=attributes))
        steps = self.trials("search")
        rank = next(i for i, t in enumerate(steps) if t.user_attrs["token"] == token)
        if rank >= self.search.steps:
            trial = Trial(self.study, steps[rank]._trial_id)
            trial.set_user_attr("status", SURPLUS)
            self.study.tell(trial, state=TrialState.FAIL)
            return None
        return self._suggest(steps[rank], rank)

    def take_up(self, frozen: FrozenTrial) -> Step:
        """A step that its driver left, as this driver's own."""
        rank = next(i for i, t in enumerate(self.trials("search")) if t.number == frozen.number)
        if frozen.user_attrs["driver"] != driver.myself():
            Trial(self.study, frozen._trial_id).set_user_attr("driver", driver.myself())
        return self._suggest(frozen, rank)

    def tell(self, step: Step, result: Result) -> None:
        """A step's result. One without a value is told as failed: samplers leave it out."""
        try:
            for name, value in _attributes(result).items():
                step.trial.set_user_attr(name, value)
            values = self._values(result)
            state = TrialState.FAIL if values is None else TrialState.COMPLETE
            self.study.tell(step.trial, values, state=state)
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            self.study.get_trials(deepcopy=False)  # another driver took it for dead and told the same before us

    def _values(self, result: Result) -> list[float] | None:
        found = (result.value, result.cost)[: len(self.search.spec.objectives)]
        return None if None in found else [float(v) for v in found if v is not None]

    def warm_up(self, rows: Callable[[], list[tuple[Value, Result]]]) -> None:
        """Tell a grid's records once, when the search is new."""
        if not self.search.spec.warm_start or self.study.user_attrs.get("warm"):
            return
        if not self.trials("search"):
            told = [t.params for t in self.trials("grid")]
            for params, result in rows():
                values = self._values(result)
                if params in told or values is None:
                    continue
                distributions = {p: sampler.distribution(self.search.axes[p]) for p in params}
                attributes = {"source": "grid", **_attributes(result)}
                self.study.add_trial(
                    create_trial(params=params, distributions=distributions, values=values, user_attrs=attributes)
                )
        self.study.set_user_attr("warm", True)


def _attributes(result: Result) -> Value:
    return {
        "accuracies": list(result.accuracies),
        "status": result.status,
        "reason": result.reason,
        "cost": result.cost,
        "seconds": round(result.seconds, 2),
    }
