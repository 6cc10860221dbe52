"""A generator's stream of images, drawn chunk by chunk, and the selection of the first that pass the filter.

Latent vectors depend on (seed, class, chunk) alone and every chunk is drawn in batches of one size, so the stream is
the same whoever draws it and however far: the first 300 accepted are the first 300 of the first 500.
"""

from collections.abc import Iterator

import numpy as np

from ganaug.artifact import Artifact
from ganaug.filters.calibration import Calibration, by_class
from ganaug.filters.threshold import accept
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


def select(chunks: Iterator[Artifact], pool: str, calibration: Calibration, threshold: float, n_gen: int) -> Artifact:
    """Walk the stream until every class has `n_gen` accepted images, or the stream ends.

    A class's candidates are counted up to its last image needed, so counts do not depend on the chunk size.
    Ids are `pool/class/place in the stream`, with the first 12 digits of the pool's key.
    """
    drawn: list[np.ndarray] = []
    probabilities: list[np.ndarray] = []
    for chunk in chunks:
        drawn.append(chunk.arrays["images"])
        probabilities.append(by_class(chunk.arrays["scores"], calibration))
        stream = np.concatenate(probabilities, axis=1)  # (classes, candidates so far)
        passed = accept(stream, threshold)
        if (passed.sum(axis=1) >= n_gen).all():
            break
    size = drawn[0].shape[1]
    places = [np.flatnonzero(row)[:n_gen] for row in passed]
    counts = [len(own) for own in places]
    looked_at = [int(own[-1]) + 1 if len(own) == n_gen else len(row) for own, row in zip(places, passed, strict=True)]
    kept = [drawn[at // size][label, at % size] for label, own in enumerate(places) for at in own]
    return Artifact(
        {
            "images": np.stack(kept) if kept else np.empty((0, *drawn[0].shape[2:]), np.uint8),
            "labels": np.repeat(np.arange(len(places)), counts),
            "ids": np.array([f"{pool[:12]}/{label}/{at}" for label, own in enumerate(places) for at in own], np.str_),
            "probabilities": np.concatenate([row[own] for row, own in zip(stream, places, strict=True)]),
        },
        {"accepted": counts, "candidates": looked_at, "wanted": n_gen},
    )
