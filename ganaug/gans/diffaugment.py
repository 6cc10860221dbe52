"""Differentiable augmentation of what the discriminator sees, real and generated alike.

Zhao et al. 2020, arXiv:2006.10738: translation and cutout. Two departures: what is uncovered is the *background*, not
grey, and there are no flips unless `types` asks for them: at a probability of 1/2 they would leak mirrored letters into
the samples.
"""

import torch

from ganaug.augmentation import FLIPS, Draws, contrast
from ganaug.specs import DiffAugmentSpec, parse_da

CONTRAST = 0.4  # factors about an image's mean, uniform in 1 ± this


def draw(n: int, side: int, spec: DiffAugmentSpec, rng: torch.Generator, progress: float = 1.0) -> Draws:
    """What happens to n images of `side` pixels, each (n,): which ones a type changes (bool) and its `factor`, moves
    `dy` and `dx`, and where the hole is, `top` and `left`.

    progress: the share of the training that lies behind.
    """
    draws, probability = {}, spec.probability_at(progress)
    for name in parse_da(spec.types):
        draws[name] = torch.rand(n, generator=rng) < probability
        if name == "contrast":
            draws["factor"] = 1 + CONTRAST * (2 * torch.rand(n, generator=rng) - 1)
    if reach := round(side * spec.translation):
        draws["dy"], draws["dx"] = torch.randint(-reach, reach + 1, (2, n), generator=rng)
    if cut := round(side * spec.cutout):
        draws["top"], draws["left"] = torch.randint(0, side - cut + 1, (2, n), generator=rng)
    return draws


def _retouched(images: torch.Tensor, spec: DiffAugmentSpec, draws: Draws) -> torch.Tensor:
    """Flips, negatives and contrast, each on an image of its own choice with `probability`."""
    for name in parse_da(spec.types):
        changed = contrast(images, draws["factor"]) if name == "contrast" else FLIPS[name](images)
        images = torch.where(draws[name][:, None, None, None], changed, images)
    return images


def apply(images: torch.Tensor, spec: DiffAugmentSpec, fill: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Do to float (N, C, H, H) in [-1, 1] what was drawn for them; fill is (C,), or (N, C) for each image its own."""
    device, side = images.device, images.shape[-1]
    draws = {name: drawn.to(device) for name, drawn in draws.items()}
    images = _retouched(images, spec, draws)
    at = torch.arange(side, device=device)
    colour = fill.to(device).view(-1, images.shape[1], 1, 1)
    images = images - colour
    if "dy" in draws:
        rows, columns = at[None] + draws["dy"][:, None], at[None] + draws["dx"][:, None]  # (N, H), (N, W)
        inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
        each = torch.arange(len(images), device=device)[:, None, None]
        moved = images.permute(0, 2, 3, 1)[
            each, rows.clamp(0, side - 1)[:, :, None], columns.clamp(0, side - 1)[:, None, :]
        ]
        images = moved.permute(0, 3, 1, 2) * inside[:, None]
    if "top" in draws:
        top, left, cut = draws["top"][:, None], draws["left"][:, None], round(side * spec.cutout)
        hole = ((at[None] >= top) & (at[None] < top + cut))[:, :, None] & (
            (at[None] >= left) & (at[None] < left + cut)
        )[:, None, :]
        images = images * ~hole[:, None]
    return images + colour


def diffaugment(
    images: torch.Tensor, spec: DiffAugmentSpec, fill: torch.Tensor, rng: torch.Generator, progress: float = 1.0
) -> torch.Tensor:
    """Translate and cut a square out of float (N, C, H, H) in [-1, 1], each image on its own; fill is (C,).

    progress: the share of the training that lies behind.
    """
    return apply(images, spec, fill, draw(len(images), images.shape[-1], spec, rng, progress))
