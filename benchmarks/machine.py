"""What the machine can do at most: its own matrix product, beside which everything else is measured."""

import platform
import time

import torch

from benchmarks.pages import table
from benchmarks.sides import Workers

SIDE, TIMES = 1024, 12


def rate(seed: int, kind: str) -> float:
    """GFLOP/s of a square matrix product, the best of several; a multiplication and an addition are two."""
    rng = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(SIDE, SIDE, generator=rng).to(getattr(torch, kind)) for _ in range(2))
    best = float("inf")
    for _ in range(TIMES):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best / 1e9


def peaks(precisions: list[str]) -> str:
    """Markdown: one core alone, and two at the same time, together."""
    one, two = Workers(1, {}), Workers(2, {})
    rows = []
    for kind in precisions:
        alone = one.seconds(rate, [0], kind)[1][0]
        rows.append([kind, f"{alone:.0f}", f"{sum(two.seconds(rate, [0, 1], kind)[1]):.0f}"])
    one.close()
    two.close()
    return table(["matrix product, GFLOP/s", "one core", "two cores"], rows)


def words() -> str:
    """The machine, without its name: `Linux x86_64, AVX512 with bfloat16, 2 cores`."""
    import os

    from ganaug.precision import has_bfloat16

    kind = torch.backends.cpu.get_cpu_capability() + (" with bfloat16" if has_bfloat16("cpu") else "")
    return f"{platform.system()} {platform.machine()}, {kind}, {os.cpu_count()} cores"
