"""What a trained GAN draws and says of images, and how diverse its classes are."""

import numpy as np
import torch
from torch import nn

from ganaug.images import to_float, to_uint8

BATCH = 100  # scoring and drawing use one batch size, so that a number never depends on how much was asked for
COLLAPSED = 0.1  # a class this much less diverse than its real images has collapsed (median over classes)


@torch.no_grad()
def scores(discriminator: nn.Module, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Raw discriminator scores of uint8 (N, C, H, H) images under their labels (N,); (N,) float32."""
    out = [
        discriminator(to_float(images[i : i + BATCH]), torch.as_tensor(labels[i : i + BATCH]))
        for i in range(0, len(images), BATCH)
    ]
    return torch.cat(out).numpy() if out else np.empty(0, np.float32)


@torch.no_grad()
def draw(generator: nn.Module, latent: torch.Tensor, label: int) -> np.ndarray:
    """Images of one class for latent vectors (N, latent); uint8 (N, C, H, H)."""
    out = [to_uint8(generator(z, torch.full((len(z),), label))) for z in latent.split(BATCH)]
    return torch.cat(out).contiguous().numpy()


def spread(images: np.ndarray) -> float:
    """Mean Euclidean distance between the images of uint8 (N, C, H, H) and their mean, in grey levels."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    return float(np.linalg.norm(flat - flat.mean(0), axis=1).mean())


def diversity(real: np.ndarray, real_labels: np.ndarray, generated: dict[int, np.ndarray]) -> float:
    """Spread of each class's generated images over that of its real ones, median over classes.

    Classes with one real image have no spread of their own; the whole real set's spread stands in.
    """
    whole = spread(real)
    ratios = [
        spread(images) / ((spread(real[real_labels == label]) if (real_labels == label).sum() > 1 else whole) or 1.0)
        for label, images in generated.items()
    ]
    return float(np.median(ratios))
