"""What passes between stages: an artifact made, the means a running stage is given, and the honest lack of a result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ganaug.stages import Stage

State = dict[str, np.ndarray]


class NoResult(Exception):
    """A cell that honestly has no accuracy: the GAN diverged, or nothing is left to train on."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason
        self.cost: dict[str, tuple[str, float]] = {}  # what was spent before it was known; the evaluator's to fill


@dataclass(frozen=True)
class Artifact:
    """What a stage made: arrays, and facts that JSON can hold."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What a running stage is given: other stages' artifacts, the device, and a way to save and find its progress."""

    get: Callable[["Stage"], Artifact]
    device: str = "cpu"
    state: State | None = None
    save: Callable[[Callable[[], State]], None] | None = None
