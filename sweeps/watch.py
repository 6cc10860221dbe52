"""The driver's ear: what trials report as they go."""

from typing import TYPE_CHECKING, Any

from ray.tune import Callback

if TYPE_CHECKING:
    from sweeps.engine import Outcome, Progress


class Watch(Callback):
    """Adds every trial's report to the outcome and tells the progress bar."""

    def __init__(self, outcome: "Outcome", progress: "Progress") -> None:
        self.outcome, self.progress = outcome, progress
        self._heard: set[tuple[str, int]] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune saves its callbacks with the experiment; a terminal cannot be saved, and need not be

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        self.outcome.ran.update(result["ran"])
        self.outcome.failures.update(result["failures"])
        self.outcome.nodes[result["node_ip"]] += 1
        step = (trial.trial_id, result["at"])
        if step not in self._heard:  # a trial whose node was lost begins anew, and finds in the store what it had made
            self._heard.add(step)
            self.progress(result[self.outcome.counts])
