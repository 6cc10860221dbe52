"""A fresh variant of every image of a batch: all listed types composed, parameters drawn per image."""

import torch

from ganaug.augmentation.colour import FLIPS, brightness, channel_shift, contrast
from ganaug.augmentation.geometry import GEOMETRIC, affine, uniform, warp
from ganaug.specs import AugmentationSpec


def online(
    images: torch.Tensor,
    types: tuple[str, ...],
    spec: AugmentationSpec,
    fill: torch.Tensor,
    rng: torch.Generator,
) -> torch.Tensor:
    """A fresh variant of each image, float (N, C, H, W) in [-1, 1]; all types composed, parameters drawn per image.

    Geometry first, as one map; then flips and negative with probability 1/2, then values. `fill` (C,) is what lies
    outside where the strength's own fill says background.
    """
    n = len(images)
    if any(t in GEOMETRIC for t in types):
        if spec.fill == "constant":
            fill = torch.full_like(fill, spec.cval / 127.5 - 1)
        images = warp(images, affine(n, types, spec, rng, images.shape[-1]), fill, spec.fill)
    for name, flip in FLIPS.items():
        if name in types:
            chosen = (torch.rand(n, generator=rng) < 0.5).to(images.device)
            images = torch.where(chosen[:, None, None, None], flip(images), images)
    if "contrast" in types:
        factor = uniform(n, 1 - spec.contrast, 1 + spec.contrast, rng).to(images.device)
        images = contrast(images, factor)
    if "channel_shift" in types:
        images = channel_shift(images, uniform(n, -spec.channel_shift, spec.channel_shift, rng).to(images.device))
    if "brightness" in types:
        images = brightness(images, uniform(n, *spec.brightness, rng).to(images.device))
    return images
