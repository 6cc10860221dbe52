"""A generator's stream of images, drawn chunk by chunk.

Latent vectors depend on (seed, class, chunk) alone and every chunk is drawn in batches of one size, so the stream is
the same whoever draws it and however far.
"""

import numpy as np

from ganaug.artifact import Artifact
from ganaug.gans.fit import networks
from ganaug.gans.judge import draw, scores
from ganaug.gans.training import latent_for
from ganaug.specs import AnyGan


def draw_chunk(spec: AnyGan, fit: Artifact, seed: int, index: int, size: int) -> Artifact:
    """Chunk `index`: images uint8 (classes, size, C, H, W) and raw scores float32 (classes, size).

    Scored as they will be used, after rounding to uint8.
    """
    generator, discriminator = networks(spec, fit)
    images, raw = [], []
    for label in range(fit.facts["n_classes"]):
        drawn = draw(generator, latent_for(seed, label, index, size, spec.latent), label)
        images.append(drawn)
        raw.append(scores(discriminator, drawn, np.full(size, label)))
    return Artifact({"images": np.stack(images), "scores": np.stack(raw)})
