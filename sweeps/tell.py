"""Telling experiment trackers of a run: a run of theirs is a job, a step of it is a cell.

Ray's callbacks want a trial's parameters and numbers. A trial of ours has a job's number and counts, and what it made
lies in the store; so they are shown the trial in the study's words, and a folder that stays in place of Tune's.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ray.tune import Callback

from sweeps.plan import Job
from sweeps.scalars import Ledger
from sweeps.trackers import open_tracker

log = logging.getLogger("ganaug.trackers")

NAME_LENGTH = 160  # of a run's factors; they are in a directory's name too


@dataclass(eq=False)
class TrialView:
    """A Tune trial as a tracker's callback sees it. `evaluated_params` is empty: TensorBoard would show its values
    beside the results of the job's last cell."""

    trial_id: str
    name: str
    config: dict[str, Any]
    local_path: str
    experiment_dir_name: str
    evaluated_params: dict[str, Any] = field(default_factory=dict)

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return self.name


class Tell(Callback):
    """Tells every tracker of each cell as it is finished. A tracker that fails is told no more; the run goes on."""

    def __init__(self, trackers: tuple[str, ...], folder: Path, ledger: Ledger, jobs: list[Job]) -> None:
        self.trackers, self.folder, self.ledger, self.jobs = trackers, folder.absolute(), ledger, jobs
        self._callbacks: dict[str, Any] = {}  # Ray's, by tracker, of those that have not failed
        self._views: dict[tuple[str, str], TrialView] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune saves its callbacks with the experiment; open files cannot be saved, and need not be

    def _each(self, act: Callable[[str], None]) -> None:
        """`act` on every tracker that still listens."""
        for tracker in list(self._callbacks):
            self._guarded(tracker, act)

    def _guarded(self, tracker: str, act: Callable[[str], None]) -> None:
        try:
            act(tracker)
        except Exception as error:
            log.warning("%s is told no more: %s: %s", tracker, type(error).__name__, error)
            self._callbacks.pop(tracker, None)

    def _name(self, number: int, factors: dict[str, Any]) -> str:
        """The factors that the study varies, the job's number in its wave, and the start of a key that is its own."""
        job = self.jobs[number]
        first = job.stages[0]
        varied = [f"{k}={v}" for k, v in factors.items() if len(self.ledger.levels[k]) > 1]
        text = ",".join(["generator" if job.shared else "no-generator", *varied])
        return f"{re.sub(r'[^A-Za-z0-9_.=,+-]', '_', text)[:NAME_LENGTH]},job={number},{first.key[:8]}"

    def _view(self, trial: Any, tracker: str) -> TrialView:
        if (trial.trial_id, tracker) not in self._views:
            number = trial.config["job"]
            factors = self.ledger.shared(self.jobs[number])
            name = self._name(number, factors)
            folder = self.folder / tracker
            study = self.ledger.grid.study.name
            self._views[trial.trial_id, tracker] = TrialView(
                trial_id=trial.trial_id,
                name=name,
                config={"study": study, **factors, "job": number, **self.ledger.legend()},
                local_path=str(folder / name if tracker == "tensorboard" else folder),
                experiment_dir_name=study,
            )
        return self._views[trial.trial_id, tracker]

    def setup(self, *arguments: Any, **options: Any) -> None:
        def begin(tracker: str) -> None:
            callback = open_tracker(tracker, self.folder / tracker, self.ledger.grid.study.name)
            callback.setup(*arguments, **options)
            self._callbacks[tracker] = callback

        for tracker in self.trackers:
            self._guarded(tracker, begin)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._each(lambda t: self._callbacks[t].log_trial_start(self._view(trial, t)))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        numbers = cache(lambda: self.ledger.numbers(self.jobs[trial.config["job"]], result))  # read once for all

        def tell(tracker: str) -> None:
            if told := numbers():
                step = {"training_iteration": result["at"] + 1}
                self._callbacks[tracker].log_trial_result(iteration, self._view(trial, tracker), told | step)

        self._each(tell)

    def _end(self, trial: Any, failed: bool) -> None:
        self._each(lambda t: self._callbacks[t].log_trial_end(self._view(trial, t), failed=failed))
        for tracker in self.trackers:
            self._views.pop((trial.trial_id, tracker), None)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._end(trial, failed=False)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._end(trial, failed=True)

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        self._each(lambda t: self._callbacks[t].on_experiment_end(trials, **info))
