"""How trials lie on a machine, and on a cluster that grows: by what the study says and what may come."""

from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps.cluster.coming import of_file
from sweeps.cluster.lookout import awaited
from sweeps.cluster.placement import GROWING_SLOTS, Placement, There
from sweeps.study import Resources

ROOT = Path(__file__).parents[2]
MACHINE = There({"CPU": 8.0, "GPU": 2.0})
EMPTY = There({"CPU": 0.0}, {})  # a head without CPUs, and nobody says what may come
SCALED = There({}, {"CPU": 32.0, "GPU": 8.0})  # an autoscaler that has started nothing yet


def of(there: There, **resources: object) -> Placement:
    return Placement.of(Resources.model_validate(resources), there)


def test_one_machine_is_what_it_is() -> None:
    assert of(MACHINE) == Placement(slots=8, cpus=1, gpus=0.25, device="cuda", limit=8, retries=3)
    assert of(MACHINE, workers=2) == Placement(slots=2, cpus=1, gpus=1, device="cuda", limit=2, retries=3)
    assert of(MACHINE, device="cpu", cpus_per_trial=2) == Placement(4, 2, 0, "cpu", limit=4, retries=3)
    with pytest.raises(UserError) as none:
        of(There({"CPU": 2.0}), device="cuda", gpus_per_trial=1)
    assert str(none.value) == "resources.gpus_per_trial: 1 asked for, the cluster has 0 GPUs"


def test_an_empty_cluster_is_waited_for() -> None:
    assert of(EMPTY, device="cpu") == Placement(GROWING_SLOTS, 1, 0, "cpu", limit=None, retries=10)
    assert of(EMPTY, device="cuda") == Placement(GROWING_SLOTS, 1, 1, "cuda", limit=None, retries=10)
    assert of(EMPTY, gpus_per_trial=0.5).takes == {"CPU": 1, "GPU": 0.5}
    assert of(EMPTY, device="cuda", gpus_per_trial=2).gpus == 2


def test_auto_is_no_guess() -> None:
    with pytest.raises(UserError) as empty:
        of(EMPTY)
    assert str(empty.value) == (
        "resources.device: auto cannot tell what to wait for: the cluster has no worker yet, and nobody says "
        "what may come; --set resources.device=cuda waits for GPUs, =cpu does not"
    )
    assert of(There({"CPU": 4.0}, {})).device == "cpu"


def test_a_file_of_ray_up_says_what_may_come() -> None:
    assert of_file(ROOT / "cluster.yaml") == {"CPU": 32.0, "GPU": 8.0}
    assert of_file(ROOT / "absent.yaml") == of_file(ROOT / "README.md") == of_file(ROOT / "pyproject.toml") == {}


def test_what_an_autoscaler_may_start_counts() -> None:
    assert of(SCALED) == Placement(slots=32, cpus=1, gpus=0.25, device="cuda", limit=None, retries=10)
    assert of(SCALED, workers=4) == Placement(slots=4, cpus=1, gpus=1, device="cuda", limit=4, retries=10)
    assert of(There({"CPU": 64.0}, {"CPU": 8.0})).slots == 64


def test_no_gpu_and_a_device_that_needs_one_is_a_mistake_anywhere() -> None:
    for there in (MACHINE, EMPTY):
        with pytest.raises(UserError, match="gpus_per_trial: 0 asked for"):
            of(there, device="cuda", gpus_per_trial=0)


def test_what_is_awaited() -> None:
    placement = of(EMPTY, device="cuda", gpus_per_trial=0.25)
    end = "; Ctrl-C stops, nothing is lost"
    wanted = "waiting for a worker with 1 CPU and 0.25 GPU: the cluster has "
    small, large = ({"Resources": {"CPU": 4.0} | more} for more in ({}, {"GPU": 1.0}))
    assert awaited(placement, []) == f"{wanted}no worker yet{end}"
    assert awaited(placement, [small]) == f"{wanted}workers, and none with as much (at most 0 GPU){end}"
    assert awaited(placement, [small, large]) is None


def test_a_trial_whose_trainings_are_fused_has_a_gpu_to_itself() -> None:
    fused = Placement.of(Resources(fuse_at_most=16), MACHINE, fused=True)
    assert fused == Placement(slots=2, cpus=1, gpus=1, device="cuda", limit=2, retries=3, together=16)
    assert Placement.of(Resources(gpus_per_trial=0.5), MACHINE, fused=True).gpus == 0.5, "unless a study says otherwise"
    assert Placement.of(Resources(), There({"CPU": 4.0}), fused=True).slots == 4
