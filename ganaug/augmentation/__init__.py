"""Classic data augmentation (DA), batched: one parameter per image, no per-image Python. See docs/augmentation.md.

Geometric types are one affine map per image, sampled bilinearly, outside filled with the background unless the strength
says otherwise. `online` draws a fresh variant of each image of a batch (all listed types composed, flips and negative
with probability 1/2); `offline` makes a stated number of new images per class (one type each, types in turn: a 1:1
mix).
"""

from ganaug.augmentation.colour import FLIPS, brightness, channel_shift, contrast, hflip, negative, vflip
from ganaug.augmentation.geometry import CHUNK, GEOMETRIC, affine, keras_maps, warp
from ganaug.augmentation.offline import augment, distinct, joined, offline
from ganaug.augmentation.online import Draws, apply, draw, online, outside

__all__ = [
    "CHUNK",
    "FLIPS",
    "GEOMETRIC",
    "Draws",
    "affine",
    "apply",
    "augment",
    "brightness",
    "channel_shift",
    "contrast",
    "distinct",
    "draw",
    "hflip",
    "joined",
    "keras_maps",
    "negative",
    "offline",
    "online",
    "outside",
    "vflip",
    "warp",
]
