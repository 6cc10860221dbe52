"""A stated number of new images per class, one type each, types in turn: a 1:1 mix. What a GAN learns from."""

import numpy as np
import torch

from ganaug.artifact import Artifact
from ganaug.augmentation.colour import FLIPS
from ganaug.augmentation.online import online
from ganaug.images import background, to_float, to_uint8
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec


def _once(
    images: torch.Tensor, name: str, spec: AugmentationSpec, fill: torch.Tensor, rng: torch.Generator
) -> torch.Tensor:
    """One type applied to every image for certain: no flip is left to chance. A strength drawn near nothing, or a
    shift drawn as 0 pixels, still changes nothing; `distinct` counts what is left.
    """
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


def distinct(real: np.ndarray, new: np.ndarray) -> int:
    """How many of the new images there really are, uint8 (M, C, H, W): neither a real one nor one of each other.

    Flips are the trap: a second round over the same images makes the same mirror images again.
    """
    seen = {image.tobytes() for image in real}
    return len({image.tobytes() for image in new} - seen)


def joined(split: Artifact, copies: int, new: np.ndarray, new_labels: np.ndarray, source: np.ndarray) -> Artifact:
    """The real images, each `copies` times, and the new ones behind them; `source` is each one's place among the real.

    Facts `augmented` and `distinct`: how many images were added, and how many there really are among them.
    """
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    return Artifact(
        {
            "real": np.concatenate([*[real] * copies, new]),
            "real_labels": np.concatenate([*[labels] * copies, new_labels]),
            "source": np.concatenate([*[np.arange(len(real))] * copies, source]),
        },
        split.facts | {"augmented": len(new), "distinct": distinct(real, new)},
    )


def augment(split: Artifact, types: tuple[str, ...], n_da: int, strength: AugmentationSpec, seed: int) -> Artifact:
    """The real images followed by `n_da` augmented ones per class; see `joined`."""
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    new, new_labels, source = offline(real, labels, types, n_da, strength, torch_rng(seed, "gan da"))
    return joined(split, strength.real_copies, new, new_labels, source)
