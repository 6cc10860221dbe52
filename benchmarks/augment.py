"""Online augmentation of 28 x 28 images, images a second on one core: rotation, shift and zoom, each image its own."""

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.letters import letters
from benchmarks.sides import Row
from ganaug.augmentation import online
from ganaug.images import background, to_float
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec

BATCH, ROUNDS = 256, 21
DEGREES, SHIFT, ZOOM = 15.0, 0.1, 0.1


def ours() -> Callable[[], object]:
    images = letters()[0][:BATCH]
    x, fill, rng = to_float(images), background(images), torch_rng(0, "benchmark")
    spec = AugmentationSpec(rotation=DEGREES, shift=SHIFT, zoom=ZOOM)
    return lambda: online(x, ("rotation", "shift", "zoom"), spec, fill, rng)


def torchvision_one_by_one() -> Callable[[], object]:
    """As in a DataLoader: PIL in, a tensor out."""
    from PIL import Image
    from torchvision import transforms

    change = transforms.Compose(
        [
            transforms.RandomAffine(
                DEGREES,
                translate=(SHIFT, SHIFT),
                scale=(1 - ZOOM, 1 + ZOOM),
                interpolation=transforms.InterpolationMode.BILINEAR,
            ),
            transforms.ToTensor(),
            transforms.Normalize((0.5,), (0.5,)),
        ]
    )
    images = letters()[0][:BATCH, 0]
    return lambda: torch.stack([change(Image.fromarray(one)) for one in images])


def kornia_batched() -> Callable[[], object] | None:
    """None where kornia is not installed (`pip install 'ganaug[bench]'`)."""
    try:
        from kornia.augmentation import RandomAffine
    except ImportError:
        return None
    change = RandomAffine(DEGREES, translate=(SHIFT, SHIFT), scale=(1 - ZOOM, 1 + ZOOM), p=1.0)
    x = to_float(letters()[0][:BATCH])
    return lambda: change(x)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def part(_: list[str]) -> list[Row]:
    """Batches of 256, by turns."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    new, rows = ours(), []
    rates: list[float] = []
    for against, other, target in (
        ("torchvision, image by image", torchvision_one_by_one(), 13.0),
        ("kornia, batched", kornia_batched(), 1.5),
    ):
        if other is None:
            continue
        new(), other()
        pairs = [(_seconds(new), _seconds(other)) for _ in range(ROUNDS)]
        rates = [BATCH / float(np.median(side)) / 1000 for side in zip(*pairs, strict=True)]
        said = f"{rates[0]:.0f} against {rates[1]:.0f} thousand images a second"
        rows.append(Row("online augmentation", against, target, tuple(b / a for a, b in pairs), said))
    return rows
