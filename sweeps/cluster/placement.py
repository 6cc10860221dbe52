"""How trials lie on a machine or on a cluster: what each one takes, and how many run at a time.

One machine is what it is. A cluster may grow: its workers come when trials ask for them, and at the start there may be
none. So on a cluster nothing is refused for what is not there yet, Ray places trials by what each one takes, and a node
that joins later is used at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ganaug.errors import UserError
from sweeps.plan import AT_MOST
from sweeps.study import Resources

RETRIES, GROWING_RETRIES = 3, 10  # spot machines come and go; what a lost trial has finished is in the store
GROWING_SLOTS = 16  # jobs of a wave are cut for at least so many trials at a time where nodes may still come


@dataclass(frozen=True)
class There:
    """What Ray has, by the names of its resources (`CPU`, `GPU`), and what it may still get."""

    now: Mapping[str, float]
    at_most: Mapping[str, float] | None = None  # None: this machine alone. Empty: a cluster that does not say

    @property
    def grows(self) -> bool:
        return self.at_most is not None

    def most(self, resource: str) -> float:
        return max(self.now.get(resource, 0.0), (self.at_most or {}).get(resource, 0.0))


@dataclass(frozen=True)
class Placement:
    """How trials lie on what there is."""

    slots: int  # trials at a time that jobs are cut for
    cpus: float  # per trial
    gpus: float  # per trial; a fraction lets trials share one
    device: str
    limit: int | None  # most trials at a time; None: as many as find a place
    retries: int  # of a trial whose process or node is lost
    together: int = AT_MOST  # most members of a batched model in one trial

    @classmethod
    def of(cls, resources: Resources, there: There, fused: bool = False) -> "Placement":
        """Place trials. `auto` uses GPUs where there are some, or an autoscaler may start some; trials share them, but
        where trainings are fused each trial has one whole: members of one batched model share it better than processes.

        UserError where a machine alone lacks the GPUs that are asked for (a cluster is waited for), and where `auto`
        has nothing to go by: no worker yet, and nobody knows what will come.
        """
        cpus, gpus = resources.cpus_per_trial, resources.gpus_per_trial
        n_gpus = there.most("GPU")
        by_cpu = max(1, int(there.most("CPU") / cpus))
        if resources.device == "cpu":
            gpus = 0.0
        elif gpus is None:
            if there.grows and resources.device == "auto" and not there.most("CPU"):
                raise UserError(
                    "resources.device: auto cannot tell what to wait for: the cluster has no worker yet, and nobody "
                    "says what may come; --set resources.device=cuda waits for GPUs, =cpu does not"
                )
            alone = 1.0 if there.grows and resources.device == "cuda" else 0.0  # nobody knows yet what will come
            sharing = 1 if fused else min(by_cpu, resources.workers or by_cpu)
            gpus = min(1.0, n_gpus / sharing) if n_gpus else alone
        lacking = gpus > n_gpus and not there.grows
        if lacking or (resources.device == "cuda" and not gpus):
            raise UserError(f"resources.gpus_per_trial: {gpus:g} asked for, the cluster has {n_gpus:g} GPUs")
        slots = min(by_cpu, int(n_gpus / gpus + 1e-6)) if gpus else by_cpu
        device = "cuda" if gpus else "cpu"
        if there.grows:
            slots = resources.workers or max(slots, GROWING_SLOTS)
            return cls(slots, cpus, gpus, device, resources.workers, GROWING_RETRIES, resources.fuse_at_most)
        slots = min(slots, resources.workers or slots)
        return cls(slots, cpus, gpus, device, slots, RETRIES, resources.fuse_at_most)

    @property
    def takes(self) -> dict[str, float]:
        """What one trial takes, by Ray's names."""
        return {k: v for k, v in (("CPU", self.cpus), ("GPU", self.gpus)) if v}

    def words(self) -> str:
        """What one trial takes, as a person says it: `1 CPU and 0.25 GPU`."""
        return " and ".join(f"{amount:g} {name}" for name, amount in self.takes.items())
