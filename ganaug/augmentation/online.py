"""A fresh variant of every image of a batch: all listed types composed, parameters drawn per image.

What chance decides (`draw`) is apart from what is then done to images (`apply`): several trainings that share a device
draw each from its own generator, ahead of it, and have their images changed in one go.
"""

import torch

from ganaug.augmentation.colour import FLIPS, brightness, channel_shift, contrast
from ganaug.augmentation.geometry import GEOMETRIC, affine, uniform, warp
from ganaug.specs import Fill, StrengthSpec

Draws = dict[str, torch.Tensor]
"""By what is done: `maps` (N, 2, 3); each flip and negative (N,) bool; the strengths of the others (N,). On the CPU."""


def draw(n: int, types: tuple[str, ...], spec: StrengthSpec, rng: torch.Generator, side: int) -> Draws:
    """What happens to n images of `side` pixels: all types, each image's parameters its own."""
    draws: Draws = {}
    if any(t in GEOMETRIC for t in types):
        draws["maps"] = affine(n, types, spec, rng, side)
    for name in FLIPS:
        if name in types:
            draws[name] = torch.rand(n, generator=rng) < 0.5
    if "contrast" in types:
        draws["contrast"] = uniform(n, 1 - spec.contrast, 1 + spec.contrast, rng)
    if "channel_shift" in types:
        draws["channel_shift"] = uniform(n, -spec.channel_shift, spec.channel_shift, rng)
    if "brightness" in types:
        draws["brightness"] = uniform(n, *spec.brightness, rng)
    return draws


def apply(images: torch.Tensor, draws: Draws, fill: torch.Tensor, mode: Fill = "background") -> torch.Tensor:
    """Do to float (N, C, H, W) in [-1, 1] what was drawn: geometry first, as one map; then flips and negative, then
    values. `fill` (C,), or (N, C) for each image its own, is what lies outside in the modes background and constant.
    """
    draws = {name: drawn.to(images.device, non_blocking=True) for name, drawn in draws.items()}
    if "maps" in draws:
        images = warp(images, draws["maps"], fill, mode)
    for name, flip in FLIPS.items():
        if name in draws:
            images = torch.where(draws[name][:, None, None, None], flip(images), images)
    for name, change in (("contrast", contrast), ("channel_shift", channel_shift), ("brightness", brightness)):
        if name in draws:
            images = change(images, draws[name])
    return images


def outside(spec: StrengthSpec, fill: torch.Tensor) -> torch.Tensor:
    """What lies beyond an image's edge: its background `fill` (C,), or the grey level that the strength states."""
    return torch.full_like(fill, spec.cval / 127.5 - 1) if spec.fill == "constant" else fill


def online(
    images: torch.Tensor,
    types: tuple[str, ...],
    spec: StrengthSpec,
    fill: torch.Tensor,
    rng: torch.Generator,
) -> torch.Tensor:
    """A fresh variant of each image, float (N, C, H, W) in [-1, 1]; all types composed, flips and negative with
    probability 1/2. `fill` (C,) is what lies outside where the strength's own fill says background.
    """
    draws = draw(len(images), types, spec, rng, images.shape[-1])
    return apply(images, draws, outside(spec, fill), spec.fill)
