"""Geometric augmentation as one affine map per image, and what is seen where a map looks beyond the image.

A map sends an output pixel to the place in the input it shows, in grid_sample's coordinates (-1 to 1 over the side), so
that rotation, shift, zoom and shear together cost one bilinear sampling.
"""

import math

import torch
from torch.nn.functional import grid_sample, pad

from ganaug.spans import Span
from ganaug.specs import Fill, StrengthSpec

CHUNK = 256  # images warped at a time on a CPU: the sampling grid stays in cache
GEOMETRIC = ("rotation", "shift", "width_shift", "height_shift", "zoom", "shear")


def uniform(n: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    """n draws from [low, high)."""
    return torch.rand(n, generator=rng) * (high - low) + low


def _moved(n: int, span: Span, side: int, rng: torch.Generator) -> torch.Tensor:
    """Shifts along one axis in pixels, (n,): of a share of the side, of a number of pixels, or one of a list.

    A number below 1 is a share of the side, uniform in [-s, s]. A whole number p is pixels, one of -(p - 1) to p - 1;
    another number from 1 on is pixels too, uniform. One value of a list comes with either sign, and a list of numbers
    all below 1 in size is of shares.
    """
    if isinstance(span, tuple):
        values = torch.tensor(span, dtype=torch.float32)
        sign = torch.randint(0, 2, (n,), generator=rng) * 2 - 1
        drawn = values[torch.randint(0, len(span), (n,), generator=rng)] * sign
        return drawn * side if max(map(abs, span)) < 1 else drawn
    if isinstance(span, int) and span >= 1:
        return torch.randint(1 - span, span, (n,), generator=rng).to(torch.float32)
    return uniform(n, -span, span, rng) * (side if span < 1 else 1)


def _zoomed(n: int, zoom: float | tuple[float, float], rng: torch.Generator) -> torch.Tensor:
    low, high = zoom if isinstance(zoom, tuple) else (1 - zoom, 1 + zoom)
    return uniform(n, low, high, rng)


def affine(n: int, types: tuple[str, ...], spec: StrengthSpec, rng: torch.Generator, side: int = 2) -> torch.Tensor:
    """Random output-to-input maps in grid_sample's coordinates, (n, 2, 3): rotation · shear · zoom, then shift.

    `side` in pixels matters to shifts that are stated in pixels. With `spec.convention` keras, maps are put together as
    Keras does it; see `keras_maps`.
    """
    if spec.convention == "keras":
        return _random_keras(n, types, spec, rng, side)
    zero = torch.zeros(n)
    angle = uniform(n, -spec.rotation, spec.rotation, rng) * math.pi / 180 if "rotation" in types else zero
    slant = uniform(n, -spec.shear, spec.shear, rng) * math.pi / 180 if "shear" in types else zero
    scale = 1 / _zoomed(n, spec.zoom, rng) if "zoom" in types else zero + 1
    # the grid spans [-1, 1], so a shift by a share s of the side is 2 s
    dx = uniform(n, -2 * spec.shift, 2 * spec.shift, rng) if "shift" in types else zero
    dy = uniform(n, -2 * spec.shift, 2 * spec.shift, rng) if "shift" in types else zero
    if "width_shift" in types:
        dx = dx + _moved(n, spec.width_shift, side, rng) * 2 / side
    if "height_shift" in types:
        dy = dy + _moved(n, spec.height_shift, side, rng) * 2 / side
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    # [cos -sin; sin cos] · [1 tan(slant); 0 1]
    tan = torch.tan(slant)
    return torch.stack([torch.stack([cos, cos * tan - sin, dx], 1), torch.stack([sin, sin * tan + cos, dy], 1)], 1)


def keras_maps(
    theta: torch.Tensor,
    tx: torch.Tensor,
    ty: torch.Tensor,
    shear: torch.Tensor,
    zx: torch.Tensor,
    zy: torch.Tensor,
    side: int,
) -> torch.Tensor:
    """The maps of Keras' `apply_affine_transform`, each argument (n,): angles in degrees, shifts in pixels; (n, 2, 3).

    Its matrices act on (x, y) about the centre, in the order rotation · shift · shear · zoom: a zoom below 1 magnifies,
    a shift is turned by the rotation, and the shear [1 -sin; 0 cos] shortens the image as well.
    """
    theta, shear = theta * math.pi / 180, shear * math.pi / 180
    cos, sin = torch.cos(theta), torch.sin(theta)
    # [cos -sin; sin cos] · [1 -sin(shear); 0 cos(shear)] · [zx 0; 0 zy]
    slant, short = torch.sin(shear), torch.cos(shear)
    right, down = (cos * tx - sin * ty) * 2 / side, (sin * tx + cos * ty) * 2 / side
    return torch.stack(
        [
            torch.stack([cos * zx, -(cos * slant + sin * short) * zy, right], 1),
            torch.stack([sin * zx, (cos * short - sin * slant) * zy, down], 1),
        ],
        1,
    )


def _random_keras(n: int, types: tuple[str, ...], spec: StrengthSpec, rng: torch.Generator, side: int) -> torch.Tensor:
    zero, one = torch.zeros(n), torch.ones(n)
    theta = uniform(n, -spec.rotation, spec.rotation, rng) if "rotation" in types else zero
    tx, ty = (uniform(n, -spec.shift, spec.shift, rng) * side if "shift" in types else zero for _ in range(2))
    tx = _moved(n, spec.width_shift, side, rng) if "width_shift" in types else tx
    ty = _moved(n, spec.height_shift, side, rng) if "height_shift" in types else ty
    shear = uniform(n, -spec.shear, spec.shear, rng) if "shear" in types else zero
    zx, zy = (_zoomed(n, spec.zoom, rng) if "zoom" in types else one for _ in range(2))
    return keras_maps(theta, tx, ty, shear, zx, zy, side)


def sampling_grid(maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Where each output pixel looks, (N, H, W, 2), for maps (N, 2, 3).

    What `torch.nn.functional.affine_grid` gives without align_corners, but for rounding, and several times faster:
    columns and rows are mapped apart and added, instead of a matrix product for every pixel.
    """
    x, y = ((2 * torch.arange(n, device=maps.device) + 1) / n - 1 for n in (width, height))
    across = maps[:, :, 0, None] * x
    down = maps[:, :, 1, None] * y + maps[:, :, 2, None]
    return across.mT[:, None] + down.mT[:, :, None]


def _wrapped(images: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Images with a rim of one pixel from the opposite edge, and the grid taken round into them."""
    sides = torch.tensor([images.shape[3], images.shape[2]], device=grid.device)
    pixel = (((grid + 1) * sides / 2) % sides) + 1  # from the rim's outer edge
    return pad(images, (1, 1, 1, 1), mode="circular"), 2 * pixel / (sides + 2) - 1


def warp(images: torch.Tensor, maps: torch.Tensor, fill: torch.Tensor, mode: Fill = "background") -> torch.Tensor:
    """Bilinear resampling of float (N, C, H, W) by maps (N, 2, 3).

    What comes from outside is fill, (C,) or each image's own (N, C), in the modes background and constant; the edge
    pixel (aaaa|abcd|dddd), the mirrored image (dcba|abcd|dcba) or the other side (abcd|abcd|abcd) in nearest, reflect
    and wrap.
    """
    colours = fill.to(images.device).expand(len(images), -1)[:, :, None, None]
    out = torch.empty_like(images)
    chunk = CHUNK if images.device.type == "cpu" else max(len(images), 1)
    for i in range(0, len(images), chunk):
        part = slice(i, i + chunk)
        colour = colours[part]
        grid = sampling_grid(maps[part].to(images.device), *images.shape[2:])
        match mode:
            case "background" | "constant":
                # sampled outside is 0, so shift the background to 0 and back
                out[part] = grid_sample(images[part] - colour, grid, align_corners=False) + colour
            case "nearest":
                out[part] = grid_sample(images[part], grid, padding_mode="border", align_corners=False)
            case "reflect":
                out[part] = grid_sample(images[part], grid, padding_mode="reflection", align_corners=False)
            case "wrap":
                out[part] = grid_sample(*_wrapped(images[part], grid), padding_mode="border", align_corners=False)
    return out
