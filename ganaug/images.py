"""The project's two image ranges and the one pair of functions between them.

At rest: uint8 (N, C, H, W).  For networks: float32 in [-1, 1], or whatever PyTorch's default type is.
"""

import numpy as np
import torch


def _tensor(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """A tensor that shares no memory with a read-only array."""
    if isinstance(images, np.ndarray) and not images.flags.writeable:
        images = images.copy()
    return torch.as_tensor(images)


def image_shape(images: torch.Tensor | np.ndarray) -> tuple[int, int, int]:
    """(C, H, W) of (N, C, H, W)."""
    _, channels, height, width = images.shape
    return channels, height, width


def to_float(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """uint8 (N, C, H, W) in [0, 255]  ->  float32 in [-1, 1]."""
    return _tensor(images).to(torch.get_default_dtype()).div_(127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """float32 (N, C, H, W), clipped to [-1, 1]  ->  uint8; the inverse of `to_float` on its image."""
    return images.clamp(-1, 1).add(1.0).mul(127.5).round().to(torch.uint8)


def background(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """The colour around the objects: per channel the median border pixel of uint8 (N, C, H, W); (C,) in [-1, 1]."""
    images = _tensor(images)
    border = torch.cat([images[:, :, 0, :], images[:, :, -1, :], images[:, :, 1:-1, 0], images[:, :, 1:-1, -1]], dim=2)
    median = border.transpose(0, 1).flatten(1).to(torch.float32).median(dim=1).values
    return median.div(127.5).sub(1.0)
