"""What else can be asked of a generator's images: what leaked into them, how they came about, what others call them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.gans.fit import generator_at
from ganaug.gans.judge import draw
from ganaug.gans.training import latent_for
from ganaug.metrics.copying import nearest

if TYPE_CHECKING:
    from ganaug.stages import Assess

TOP = 5  # ImageNet's classes that are told of a generator
_CHANGED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hflip": lambda x: x[..., ::-1],
    "vflip": lambda x: x[..., ::-1, :],
    "negative": lambda x: 255 - x,
}


def leaked(images: np.ndarray, real: np.ndarray, kind: str) -> float:
    """Share of images that lie nearer to a flipped or negative real image than to any real one, by pixels.

    uint8 (N, C, H, W) and (M, C, H, W). Ties are no leak. Fresh real images have a share too: compare with theirs.
    """
    straight, _ = nearest(images, real)
    changed, _ = nearest(images, np.ascontiguousarray(_CHANGED[kind](real)))
    return float((changed < straight).mean())


def leaks(generated: np.ndarray, real: np.ndarray, validation: np.ndarray, kinds: tuple[str, ...]) -> dict[str, Any]:
    """By type: `leaked` of generated images, of validation images (the floor), and of those once they are changed."""
    return {
        kind: {
            "generated": leaked(generated, real, kind),
            "validation": leaked(validation, real, kind),
            "changed": leaked(np.ascontiguousarray(_CHANGED[kind](validation)), real, kind),
        }
        for kind in kinds
    }


def references(real: np.ndarray, n_classes: int, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Image sets that no score should take for good: uint8 (classes · n, C, H, W) by name.

    real: the split's, uint8 (classes · n_real, C, H, W), class after class.
    """
    own = real.reshape(n_classes, -1, *real.shape[1:])
    sets = {
        "noise": rng.integers(0, 256, (n_classes * n, *real.shape[1:]), dtype=np.uint8),
        "one image": np.repeat(own[:1, 0], n_classes * n, axis=0),
    }
    if n_classes > 1:
        sets["one image per class"] = np.repeat(own[:, 0], n, axis=0)
    return sets


def at_checkpoint(stage: "Assess", fit: Artifact, step: int, n: int) -> np.ndarray:
    """The first `n` images per class of the generator's stream as it was after `step`: uint8 (classes · n, C, H, W)."""
    of, size = stage.generator, stage.pool.chunk
    generator = generator_at(of.gan, fit, step)
    classes = []
    for label in range(fit.facts["n_classes"]):
        latent = (latent_for(of.seed, label, i, size, of.gan.latent) for i in range(-(-n // size)))
        classes.append(np.concatenate([draw(generator, z, label) for z in latent])[:n])
    return np.concatenate(classes)


def top_classes(probabilities: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """ImageNet's classes that a set of images is called most, by mean probability; `first`: share called so first."""
    mean, first = probabilities.mean(0), np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])
    return [
        {"class": names[k], "probability": float(mean[k]), "first": float(first[k] / len(probabilities))}
        for k in np.argsort(-mean, kind="stable")[:TOP]
    ]
