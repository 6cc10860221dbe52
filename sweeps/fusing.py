"""Whether a study's trainings are fused, settled before its cells are laid out: it is part of what results are.

`auto` is settled once for a run folder, where the run begins, and its study.yaml says on or off. So the same command
again finds what it has made, and a report on a machine without a GPU finds the records of a run that had one. A folder
that says nothing is of a time before trainings could be fused.
"""

from pathlib import Path

from ganaug.errors import UserError
from sweeps.run_folder import RunFolder
from sweeps.study import Resources, Study


def gpus_here() -> int:
    """GPUs of this machine that PyTorch can use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _on_gpus(resources: Resources, address: str | None) -> bool:
    """Whether trials will have a GPU, as `Placement.of` decides it; UserError where it cannot."""
    if resources.device != "auto":
        return resources.device == "cuda"
    if resources.gpus_per_trial is not None:
        return resources.gpus_per_trial > 0
    if address is None:
        return gpus_here() > 0

    from sweeps import engine
    from sweeps.cluster.placement import Placement

    with engine.cluster(address, 1, {}) as there:  # what it has, or an autoscaler may start for it
        return Placement.of(resources, there).device == "cuda"


def _said(folder: Path) -> str | None:
    """What the run that began in this folder settled; None where none did."""
    from sweeps import study_file as studies

    try:
        return "on" if studies.load(str(RunFolder(folder).study)).fuse == "on" else "off"
    except (UserError, OSError):  # none yet, or not to be read: it is written anew
        return None


def settled(study: Study, folder: Path, address: str | None) -> Study:
    """The study with `fuse` on or off. folder: of the run. address: of the cluster it runs on; None: this machine."""
    if study.fuse != "auto":
        return study
    fuse = _said(folder) or ("on" if _on_gpus(study.resources, address) else "off")
    return study.model_copy(update={"fuse": fuse})
