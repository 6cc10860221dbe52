"""How many members of a batched model train together: what memory allows, and fewer where it did not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ganaug.stages import FitClassifier, FitGan
from sweeps.plan import AT_MOST

if TYPE_CHECKING:
    from sweeps.cluster.placement import Placement

Fused = FitClassifier | FitGan

OWN = 0.9  # of a trial's part of a GPU's memory, for tensors: CUDA itself takes the rest


def spec_of(stage: Fused) -> Any:
    """What members have in common: how they are trained."""
    return stage.gan if isinstance(stage, FitGan) else stage.classifier


@dataclass
class Sizes:
    """How many members of each spec train together: by a guess, then as measured, and fewer where they did not fit."""

    device: str
    at_most: int = AT_MOST
    share: float = 1.0  # of a GPU, which this process may use
    each: dict[Any, float] = field(default_factory=dict)  # bytes of a member, as a device has counted them
    fitting: dict[Any, int] = field(default_factory=dict)  # where more ran out of memory
    tried: dict[Any, int] = field(default_factory=dict)  # and how many did

    def of(self, spec: Any, guess: int) -> int:
        """How many of these a group begins with."""
        from ganaug import memory

        fit = memory.room(self.device, self.share) // max(1, int(self.each.get(spec, guess)))
        return max(1, min(self.at_most, self.fitting.get(spec, self.at_most), fit))

    def ran_out(self, spec: Any, n: int) -> None:
        """So many did not fit: from here on half of them."""
        self.tried.setdefault(spec, n)
        self.fitting[spec] = max(1, min(n, self.fitting.get(spec, n)) // 2)

    def note(self, stage: Fused) -> str | None:
        """What a record is told where memory decided."""
        spec = spec_of(stage)
        if spec not in self.tried:
            return None
        n, what = self.fitting[spec], "GANs" if isinstance(stage, FitGan) else "classifiers"
        return (
            f"{what} trained {f'together in {n}s' if n > 1 else 'one at a time'} after {self.tried[spec]} did not fit"
        )

    def measured(self, spec: Any, n: int, train: Callable[[], list[Any]]) -> list[Any]:
        """`train` n members, and learn what one of them takes where the device counts it."""
        import torch

        if not self.device.startswith("cuda"):
            return train()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        done = train()
        own = (torch.cuda.max_memory_allocated() - before) / n
        self.each[spec] = max(own, self.each.get(spec, 0.0))
        return done


def sizes_of(placement: "Placement") -> Sizes:
    """What a trial placed so may take. Where trials share a GPU, each is held to its part of the memory: one that asks
    for too much runs out by itself and trains fewer together, and its neighbours do not notice."""
    share = min(1.0, placement.gpus) if placement.gpus else 1.0
    if placement.device == "cuda" and share < 1:
        import torch

        torch.cuda.set_per_process_memory_fraction(OWN * share)
    return Sizes(placement.device, placement.together, share)
