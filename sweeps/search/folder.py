"""The search's files in a run folder: the one owner of their names. Their contract is in docs/search.md."""

import json
import math
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from ganaug.files import put
from sweeps.run_folder import write_json
from sweeps.search.history import History
from sweeps.search.storage import hidden

Value = dict[str, Any]

_STATES = {TrialState.COMPLETE: "complete", TrialState.FAIL: "failed"}


class SearchFolder:
    """Where a search's history and tables lie."""

    def __init__(self, run: Path) -> None:
        self.root = run / "search"
        self.journal = self.root / "journal.log"  # unless the search has a database
        self.trials = self.root / "trials.parquet"
        self.facts = self.root / "search.json"

    def write(self, history: History, journal: bool, finished: bool) -> Value:
        """trials.parquet and search.json as of now; returns what is in the latter."""
        search = history.search
        _write_trials(self.trials, history.trials(), list(search.axes), search.study.factors)
        winner, none = best(history), None
        if winner is not None:
            none = without_filter(history, winner)
        facts = {
            "sampler": search.spec.sampler,
            "steps": search.steps,
            "space": {path: axis.told() for path, axis in search.axes.items()},
            "settings": search.settings,
            "seeds": list(search.seeds),
            "confirm_seeds": list(search.confirm_seeds),
            "objectives": list(search.spec.objectives),
            "importances": importances(history),
            "storage": str(self.journal.name) if journal else hidden(search.spec.storage or ""),
            "optuna_study": history.study.study_name,
            "best": winner and _winner(winner),
            "none": none and {"value": none.values[0]},
            "finished": finished,
        }
        write_json(self.facts, facts)
        return facts

    def read(self) -> Value:
        """search.json."""
        return dict(json.loads(self.facts.read_text(encoding="utf-8")))


def complete(history: History) -> list[FrozenTrial]:
    """Steps and grid records that have a value."""
    return [t for t in history.trials() if t.state == TrialState.COMPLETE]


def best(history: History) -> FrozenTrial | None:
    """The best mean validation accuracy; of equal ones the lowest threshold, which throws away the least."""
    return min(complete(history), key=lambda t: (-t.values[0], t.params.get("threshold", 0.0), t.number), default=None)


def without_filter(history: History, trial: FrozenTrial) -> FrozenTrial | None:
    """The step or record with threshold 0 and otherwise these parameters; the filter's do not matter there."""

    def rest(t: FrozenTrial) -> Value:
        return {p: v for p, v in t.params.items() if p != "threshold" and not p.startswith("filter.")}

    same = (t for t in complete(history) if t.params.get("threshold") == 0 and rest(t) == rest(trial))
    return next(same, None)


def importances(history: History) -> dict[str, float] | None:
    """How much of the value's variance each path of the space explains (fANOVA); None for one path or too few steps."""
    done = complete(history)
    if len(history.search.axes) < 2 or len(done) < 4 or len({t.values[0] for t in done}) < 2:
        return None
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    try:
        found = optuna.importance.get_param_importances(
            history.study, evaluator=evaluator, target=lambda t: t.values[0]
        )
    except (ValueError, RuntimeError):  # no path that every step has
        return None
    return {path: float(share) for path, share in found.items()} or None


def _winner(trial: FrozenTrial) -> Value:
    told = {"number": trial.number, "params": trial.params, "value": trial.values[0]}
    return told | {name: trial.user_attrs[name] for name in ("status", "reason")}


def _sd(values: list[float]) -> float | None:
    mean = sum(values) / len(values) if values else 0.0
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else None


def _row(trial: FrozenTrial, paths: list[str]) -> Value:
    told = trial.user_attrs
    accuracies = told.get("accuracies", [])
    known = [a for a in accuracies if a is not None]
    return {
        "number": trial.number,
        "state": _STATES.get(trial.state, "running"),
        "source": told["source"],
        **{path: trial.params.get(path) for path in paths},
        "value": trial.values[0] if trial.values else None,
        "value_sd": _sd(known) if len(known) == len(accuracies) else None,
        "n_seeds": len(known),
        "cost": told.get("cost"),
        "seconds": told.get("seconds"),
        "status": told.get("status"),
        "reason": told.get("reason"),
        "accuracies": accuracies,
    }


def _write_trials(path: Path, trials: list[FrozenTrial], paths: list[str], factors: Value) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(t, paths) for t in trials]
    kinds = {"number": pa.int64(), "n_seeds": pa.int64(), "accuracies": pa.list_(pa.float64())}
    kinds |= dict.fromkeys(("state", "source", "status", "reason"), pa.string())
    kinds |= dict.fromkeys(("value", "value_sd", "cost", "seconds"), pa.float64())
    order = ["number", "state", "source", *paths, "value", "value_sd", "n_seeds", "cost", "seconds", "status", "reason"]
    columns = {name: pa.array([r[name] for r in rows], kinds.get(name)) for name in [*order, "accuracies"]}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    put(path, sink.getvalue().to_pybytes())
