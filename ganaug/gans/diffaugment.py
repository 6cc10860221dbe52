"""Differentiable augmentation of what the discriminator sees, real and generated alike.

Zhao et al. 2020, arXiv:2006.10738: translation and cutout. Two departures: what is uncovered is the *background*, not
grey, and there are no flips unless `types` asks for them: at a probability of 1/2 they would leak mirrored letters into
the samples.
"""

import torch

from ganaug.augmentation import FLIPS, contrast
from ganaug.specs import DiffAugmentSpec, parse_da

CONTRAST = 0.4  # factors about an image's mean, uniform in 1 ± this


def _retouched(images: torch.Tensor, spec: DiffAugmentSpec, rng: torch.Generator, probability: float) -> torch.Tensor:
    """Flips, negatives and contrast, each on an image of its own choice with `probability`."""
    n = len(images)
    for name in parse_da(spec.types):
        chosen = (torch.rand(n, generator=rng) < probability).to(images.device)
        if name == "contrast":
            factor = 1 + CONTRAST * (2 * torch.rand(n, generator=rng) - 1)
            changed = contrast(images, factor.to(images.device))
        else:
            changed = FLIPS[name](images)
        images = torch.where(chosen[:, None, None, None], changed, images)
    return images


def diffaugment(
    images: torch.Tensor, spec: DiffAugmentSpec, fill: torch.Tensor, rng: torch.Generator, progress: float = 1.0
) -> torch.Tensor:
    """Translate and cut a square out of float (N, C, H, H) in [-1, 1], each image on its own; fill is (C,).

    progress: the share of the training that lies behind.
    """
    images = _retouched(images, spec, rng, spec.probability_at(progress))
    n, _, side, _ = images.shape
    device = images.device
    at = torch.arange(side, device=device)
    colour = fill.to(device).view(1, -1, 1, 1)
    images = images - colour
    reach = round(side * spec.translation)
    if reach:
        dy, dx = torch.randint(-reach, reach + 1, (2, n), generator=rng).to(device)
        rows, columns = at[None] + dy[:, None], at[None] + dx[:, None]  # (N, H), (N, W)
        inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
        each = torch.arange(n, device=device)[:, None, None]
        moved = images.permute(0, 2, 3, 1)[
            each, rows.clamp(0, side - 1)[:, :, None], columns.clamp(0, side - 1)[:, None, :]
        ]
        images = moved.permute(0, 3, 1, 2) * inside[:, None]
    cut = round(side * spec.cutout)
    if cut:
        top, left = torch.randint(0, side - cut + 1, (2, n), generator=rng).to(device)
        hole = ((at[None] >= top[:, None]) & (at[None] < top[:, None] + cut))[:, :, None] & (
            (at[None] >= left[:, None]) & (at[None] < left[:, None] + cut)
        )[:, None, :]
        images = images * ~hole[:, None]
    return images + colour
