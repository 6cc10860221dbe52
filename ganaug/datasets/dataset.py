"""A labelled image data set as plain arrays: what every loader returns and every stage starts from."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """Images at rest with their classes.

    images: (N, C, H, W) uint8, C is 1 or 3, H == W.  labels: (N,) int64 in [0, len(classes)).
    test: (N,) bool, True for the official test images, or None where the publisher names none.
    synthetic: True for images that no camera or pen ever made (rendered glyphs, generated fixtures).
    skipped: damaged files left out because that was asked for; no part of the digest, which is of what is there.
    """

    name: str
    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    test: np.ndarray | None = None
    synthetic: bool = False
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.ndim != 4 or self.images.dtype != np.uint8 or self.images.shape[1] not in (1, 3):
            raise ValueError(f"images must be (N, 1 or 3, H, W) uint8, got {self.images.shape} {self.images.dtype}")
        if self.images.shape[2] != self.images.shape[3]:
            raise ValueError(f"images must be square, got {self.images.shape[2]} x {self.images.shape[3]}")
        if self.labels.shape != (n,) or self.labels.dtype != np.int64:
            raise ValueError(f"labels must be ({n},) int64, got {self.labels.shape} {self.labels.dtype}")
        if n and (self.labels.min() < 0 or self.labels.max() >= len(self.classes)):
            raise ValueError(
                f"labels must lie in [0, {len(self.classes)}), got {self.labels.min()} to {self.labels.max()}"
            )
        if self.test is not None and (self.test.shape != (n,) or self.test.dtype != np.bool_):
            raise ValueError(f"test must be ({n},) bool, got {self.test.shape} {self.test.dtype}")

    def digest(self) -> str:
        """sha256 over classes, images, labels and the official test mask: what these data *are*."""
        h = hashlib.sha256()
        h.update("\0".join(self.classes).encode())
        for array in (self.images, self.labels, self.test):
            if array is not None:
                h.update(repr((array.shape, array.dtype.str)).encode())
                h.update(np.ascontiguousarray(array).data)
        return h.hexdigest()
