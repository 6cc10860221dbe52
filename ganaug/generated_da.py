"""Generated images as offline augmentation for another GAN; a first one, trained on the same images, draws them."""

from typing import TYPE_CHECKING

import numpy as np

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.augmentation import joined, offline
from ganaug.errors import UserError
from ganaug.randomness import torch_rng
from ganaug.specs import GENERATED
from ganaug.stages import Pool

if TYPE_CHECKING:
    from ganaug.stages import AugmentGenerated


def augment_generated(stage: "AugmentGenerated", work: Work) -> Artifact:
    """The real images followed by `n_da` others per class, each type's share alike; `generated` ones are the first of
    the first generator's stream, unfiltered.

    `source` is an image's place among the real ones, -1 for a generated one. Raises NoResult where the first generator
    diverged, UserError where a pool holds fewer images than are asked for.
    """
    made = work.get(stage.generator).facts
    if made["diverged"]:
        raise NoResult("diverged", f"the first GAN, whose images were to be added, diverged: {made['diverged']}")
    split = work.get(stage.real)
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    classes = np.unique(labels)
    shares = {t: len(range(i, stage.n_da, len(stage.types))) for i, t in enumerate(stage.types)}
    wanted = shares.pop(GENERATED)
    if wanted > stage.pool.max_per_class:
        raise UserError(
            f"pool.max_per_class: n_da {stage.n_da} asks for {wanted} images per class of the first GAN; raise it"
        )
    chunks = range(-(-wanted // stage.pool.chunk))
    drawn = np.concatenate(
        [work.get(Pool(stage.generator, i, stage.pool.chunk)).arrays["images"] for i in chunks], axis=1
    )[:, :wanted]
    new, new_labels = drawn.reshape(-1, *drawn.shape[2:]), np.repeat(classes, wanted)
    source = np.full(len(new), -1)
    if others := sum(shares.values()):
        rng = torch_rng(stage.real.seed, "gan da")
        more = offline(real, labels, tuple(shares), others, stage.strength, rng)
        new, new_labels, source = (np.concatenate(pair) for pair in zip((new, new_labels, source), more, strict=True))
    return joined(split, stage.strength.real_copies, new, new_labels, source)
