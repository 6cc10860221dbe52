"""The arithmetic of a network's passes: float32, or bfloat16 where the machine has it in hardware.

bfloat16 is mixed (Micikevicius et al. 2017, arXiv:1710.03740; of bfloat16, Kalamkar et al. 2019, arXiv:1905.12322):
matrix products and convolutions multiply bfloat16 and add in float32. Weights, their gradients' sums, the optimiser's
moments, batch norm's statistics, spectral norm and losses are float32 throughout, and so is every network that is
asked rather than trained: predictions, scores and generated images. A loss needs no scaling: bfloat16 has float32's
range.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize

from ganaug.errors import UserError
from ganaug.specs import Precision

IN_HARDWARE = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16")  # as torch.cpu names them, on x86 and on ARM


def has_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware; emulated, it would be slower than float32."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return torch.backends.mkldnn.is_available() and any(able.get(name) for name in IN_HARDWARE)


def require(precision: Precision, device: str, key: str) -> None:
    """UserError where `key`, the setting that asks for a precision, asks for what the device lacks."""
    if precision == "bfloat16" and not has_bfloat16(device):
        what = "GPU" if device.startswith("cuda") else "CPU"
        raise UserError(
            f"{key}: bfloat16 is not in this machine's {what} (it needs AVX-512 BF16, AMX or ARM's BF16, or a GPU from "
            "Ampere on); take float32, which gives other results under other keys"
        )


@contextmanager
def arithmetic(precision: Precision, device: str, net: nn.Module | None = None) -> Iterator[None]:
    """The precision of the passes inside; backward passes follow the forward ones and may lie outside.

    net: whose parametrised weights (spectral norm) are computed before, in float32, and once for all passes inside.
    """
    if precision == "float32":
        yield
        return
    with parametrize.cached():
        for module in net.modules() if net is not None else ():
            if parametrize.is_parametrized(module):
                for name in module.parametrizations:  # type: ignore[union-attr]
                    getattr(module, name)
        # no cache of cast weights: each is cast once a pass, and one cast where no gradient is kept has none to give
        with torch.autocast(torch.device(device).type, torch.bfloat16, cache_enabled=False):
            yield


def widened(x: torch.Tensor) -> torch.Tensor:
    """bfloat16 -> float32; anything else as it is."""
    return x.float() if x.dtype == torch.bfloat16 else x
