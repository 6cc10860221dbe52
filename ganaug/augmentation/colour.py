"""Augmentation of an image's values rather than of its geometry; float (N, C, H, W) in [-1, 1] in and out."""

from collections.abc import Callable

import torch


def hflip(images: torch.Tensor) -> torch.Tensor:
    """Mirror left to right; any (N, C, H, W)."""
    return images.flip(3)


def vflip(images: torch.Tensor) -> torch.Tensor:
    """Mirror top to bottom; any (N, C, H, W)."""
    return images.flip(2)


def negative(images: torch.Tensor) -> torch.Tensor:
    """Dark for light; float (N, C, H, W) in [-1, 1]."""
    return -images


def contrast(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Scale each image about its own mean by factor (N,), clipped to [-1, 1]."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return ((images - mean) * factor[:, None, None, None] + mean).clamp(-1, 1)


def brightness(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Multiply each image's grey levels by factor (N,), clipped at white: 0 is black, 1 the image itself."""
    return ((images + 1) * factor[:, None, None, None] - 1).clamp(-1, 1)


def channel_shift(images: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """Add levels (N,), of 255, to all channels of an image, clipped to its own darkest and lightest value.

    So does Keras, whatever the name says: one number for all channels, not one for each.
    """
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    return torch.minimum(torch.maximum(images + levels[:, None, None, None] / 127.5, low), high)


FLIPS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "hflip": hflip,
    "vflip": vflip,
    "negative": negative,
}
