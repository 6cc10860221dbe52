"""Experiment trackers: which are wanted, where they write, and Ray's own callbacks for them.

All of it is local. W&B runs in its offline mode, MLflow keeps files, and neither sends anything: `wandb sync` is for
the user to run. What they are told is in `sweeps/tell.py`.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ganaug.errors import UserError

if TYPE_CHECKING:
    from ray.tune.logger import LoggerCallback

MODULES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}
"""The trackers, and the module that Ray's callback for each imports; an extra of ganaug bears the tracker's name."""

DEFAULT = "tensorboard"

_ENVIRONMENT = {
    "mlflow": {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # files take a millisecond a number, MLflow's SQLite sixteen, and the driver waits; files lie well on NFS too
        "MLFLOW_ALLOW_FILE_STORE": "true",
    },
    "wandb": {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_DISABLE_CODE": "true",
        # neither the machine, its user and its command lines, nor samples of its load
        "WANDB_X_DISABLE_META": "true",
        "WANDB_X_DISABLE_MACHINE_INFO": "true",
        "WANDB_X_DISABLE_STATS": "true",
    },
}


def _installed(tracker: str) -> bool:
    return find_spec(MODULES[tracker]) is not None


def chosen(asked: list[str] | None) -> tuple[str, ...]:
    """The trackers of a run: those asked for by name, none for `none`, by default TensorBoard where it is installed.

    UserError for an unknown name and for one that is not installed.
    """
    from sweeps.refusals import hint

    if not asked:
        return (DEFAULT,) if _installed(DEFAULT) else ()
    for name in asked:
        if name != "none" and name not in MODULES:
            raise UserError(f"--track {name}: unknown tracker{hint(name, [*MODULES, 'none'])}")
    if "none" in asked:
        if len(set(asked)) > 1:
            raise UserError("--track none: turns every tracker off, so it stands alone")
        return ()
    for name in asked:
        if not _installed(name):
            raise UserError(f"--track {name}: is not installed; pip install 'ganaug[{name}]'")
    return tuple(dict.fromkeys(asked))


def environment(names: Iterable[str]) -> dict[str, str]:
    """Variables that keep these trackers on this machine, for the driver before they are imported and for workers."""
    return {k: v for name in names for k, v in _ENVIRONMENT.get(name, {}).items()}


def open_tracker(name: str, folder: Path, study: str) -> "LoggerCallback":
    """Ray's callback for a tracker that keeps everything in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    match name:
        case "tensorboard":
            from ray.tune.logger import TBXLoggerCallback

            return TBXLoggerCallback()  # writes to the trial's local path
        case "mlflow":
            from ray.air.integrations.mlflow import MLflowLoggerCallback

            return MLflowLoggerCallback(folder.absolute().as_uri(), experiment_name=study)
        case "wandb":
            from ray.air.integrations.wandb import WandbLoggerCallback

            return WandbLoggerCallback(project=study, dir=str(folder.absolute()), mode="offline")
        case _:
            raise ValueError(f"tracker must be one of {', '.join(MODULES)}, got {name!r}")
