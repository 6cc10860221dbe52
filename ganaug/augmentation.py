"""Classic data augmentation (DA), batched: one parameter per image, no per-image Python.

Geometric types are one affine map per image, sampled bilinearly, outside filled with the background. `online` draws a
fresh variant of each image of a batch (all listed types composed, flips and negative with probability 1/2);
`offline` makes a stated number of new images per class (one type each, types in turn: a 1:1 mix).
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample

from ganaug.artifact import Artifact
from ganaug.images import background, to_float, to_uint8
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec

CHUNK = 256  # images warped at a time: the sampling grid stays in cache


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


FLIPS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "hflip": hflip,
    "vflip": vflip,
    "negative": negative,
}
GEOMETRIC = ("rotation", "shift", "zoom", "shear")


def _uniform(n: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=rng) * (high - low) + low


def affine(n: int, types: tuple[str, ...], spec: AugmentationSpec, rng: torch.Generator) -> torch.Tensor:
    """Random output-to-input maps in grid_sample's coordinates, (n, 2, 3): rotation · shear · zoom, then shift."""
    zero = torch.zeros(n)
    angle = _uniform(n, -spec.rotation, spec.rotation, rng) * math.pi / 180 if "rotation" in types else zero
    slant = _uniform(n, -spec.shear, spec.shear, rng) * math.pi / 180 if "shear" in types else zero
    scale = 1 / _uniform(n, 1 - spec.zoom, 1 + spec.zoom, rng) if "zoom" in types else zero + 1
    # the grid spans [-1, 1], so a shift by a share s of the side is 2 s
    dx = _uniform(n, -2 * spec.shift, 2 * spec.shift, rng) if "shift" in types else zero
    dy = _uniform(n, -2 * spec.shift, 2 * spec.shift, rng) if "shift" in types else zero
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    # [cos -sin; sin cos] · [1 tan(slant); 0 1]
    tan = torch.tan(slant)
    return torch.stack([torch.stack([cos, cos * tan - sin, dx], 1), torch.stack([sin, sin * tan + cos, dy], 1)], 1)


def warp(images: torch.Tensor, maps: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    """Bilinear resampling of float (N, C, H, W) by maps (N, 2, 3); what comes from outside is fill (C,)."""
    colour = fill.to(images.device).view(1, -1, 1, 1)
    out = torch.empty_like(images)
    for i in range(0, len(images), CHUNK):
        part = slice(i, i + CHUNK)
        grid = affine_grid(maps[part].to(images.device), list(images[part].shape), align_corners=False)
        # sampled outside is 0, so shift the background to 0 and back
        out[part] = grid_sample(images[part] - colour, grid, align_corners=False) + colour
    return out


def online(
    images: torch.Tensor,
    types: tuple[str, ...],
    spec: AugmentationSpec,
    fill: torch.Tensor,
    rng: torch.Generator,
) -> torch.Tensor:
    """A fresh variant of each image, float (N, C, H, W) in [-1, 1]; all types composed, parameters drawn per image."""
    n = len(images)
    if any(t in GEOMETRIC for t in types):
        images = warp(images, affine(n, types, spec, rng), fill)
    for name, flip in FLIPS.items():
        if name in types:
            chosen = (torch.rand(n, generator=rng) < 0.5).to(images.device)
            images = torch.where(chosen[:, None, None, None], flip(images), images)
    if "contrast" in types:
        factor = _uniform(n, 1 - spec.contrast, 1 + spec.contrast, rng).to(images.device)
        images = contrast(images, factor)
    return images


def _once(
    images: torch.Tensor, name: str, spec: AugmentationSpec, fill: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """One type applied to every image for certain: an offline copy is never the untouched original."""
    if name in FLIPS:
        return FLIPS[name](images)
    return online(images, (name,), spec, fill, rng)


def offline(
    images: np.ndarray,
    labels: np.ndarray,
    types: tuple[str, ...],
    per_class: int,
    spec: AugmentationSpec,
    rng: torch.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`per_class` new images of every class: uint8 (M, C, H, W), labels (M,), and the index of each one's source (M,).

    A class's images are taken in turn, round after round; the k-th new image of a class gets type k mod len(types).
    """
    sources, kinds = [], []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        k = np.arange(per_class)
        sources.append(own[k % len(own)])
        # after a whole round the types move on by one, so that an image is not given the same type twice in a row
        kinds.append((k + (k // len(own) if len(own) % len(types) == 0 else 0)) % len(types))
    source, kind = np.concatenate(sources), np.concatenate(kinds)
    originals, fill = to_float(images[source]), background(images)
    new = torch.empty_like(originals)
    for i, name in enumerate(types):
        mask = torch.from_numpy(kind == i)
        if mask.any():
            new[mask] = _once(originals[mask], name, spec, fill, rng)
    return to_uint8(new).numpy(), labels[source], source


def joined(split: Artifact, copies: int, new: np.ndarray, new_labels: np.ndarray, source: np.ndarray) -> Artifact:
    """The real images, each `copies` times, and the new ones behind them."""
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    return Artifact(
        {
            "real": np.concatenate([*[real] * copies, new]),
            "real_labels": np.concatenate([*[labels] * copies, new_labels]),
            "source": np.concatenate([*[np.arange(len(real))] * copies, source]),
        },
        split.facts,
    )


def augment(split: Artifact, types: tuple[str, ...], n_da: int, strength: AugmentationSpec, seed: int) -> Artifact:
    """The real images followed by `n_da` augmented ones per class; `source` is each one's place among the real."""
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    new, new_labels, source = offline(real, labels, types, n_da, strength, torch_rng(seed, "gan da"))
    return joined(split, strength.real_copies, new, new_labels, source)
