"""Explicit randomness: every random draw comes from a generator made from (seed, purpose).

The same seed and purpose give the same stream in any process, whatever ran before; two purposes never share one.
"""

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed from a seed and a purpose, the same on every machine."""
    text = json.dumps([seed, *purpose])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_rng(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator for one purpose."""
    return np.random.default_rng(derive(seed, *purpose))


def torch_rng(seed: int, *purpose: str | int) -> "torch.Generator":
    """A torch generator on the CPU for one purpose; draws are moved to the device, so that devices agree."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *purpose))


def seeded(build: Callable[[], T], seed: int, *purpose: str | int) -> T:
    """`build()` with PyTorch's default initialisers seeded, leaving the global generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        # not torch.manual_seed, which seeds the accelerators as well, and those would stay seeded
        torch.default_generator.manual_seed(derive(seed, *purpose))
        return build()
