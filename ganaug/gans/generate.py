"""Images from a bundle: a class's stream, image by image, through the filter, until there are enough.

The same stream a study's pool is cut from (`ganaug/pool.py`): latent vectors depend on (seed, class, chunk) alone, so
that with the study's own seed these are the study's own images, to the bit on one thread of one type of machine.
"""

from dataclasses import dataclass

import numpy as np

from ganaug.artifact import Artifact
from ganaug.filters.calibration import probability
from ganaug.filters.threshold import accept
from ganaug.gans.bundle import Bundle
from ganaug.gans.fit import networks
from ganaug.gans.judge import draw, scores
from ganaug.gans.training import latent_for


@dataclass
class _Kept:
    """What has passed of one class's stream."""

    images: list[np.ndarray]
    probabilities: list[np.ndarray]
    places: list[np.ndarray]
    looked_at: int = 0

    @property
    def n(self) -> int:
        return sum(map(len, self.places))


def generate(
    bundle: Bundle, labels: list[int], n: int, threshold: float, seed: int | None, max_candidates: int
) -> Artifact:
    """`n` images of each of the classes `labels`, the first of their streams that pass the filter.

    threshold: least calibrated probability in [0, 1]; 0 keeps every image.  seed: of the stream; None is the study's.
    max_candidates: images looked at per class before the filter is said to starve; then there are fewer than `n`.
    Arrays: images uint8 (N, C, H, W), labels int64, places int64 (in the class's stream), probabilities float32.
    Facts: accepted and candidates, a number per class in the order of `labels`.
    Raises ValueError for numbers out of range.
    """
    if n < 1 or max_candidates < n:
        raise ValueError(f"n must lie in [1, max_candidates], got {n} with max_candidates {max_candidates}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
    generator, discriminator = networks(bundle.gan, bundle.fit)
    slope, intercepts = bundle.fit.facts["calibration"]
    stream, size = bundle.seed if seed is None else seed, bundle.chunk
    found = []
    for label in labels:
        kept = _Kept([], [], [])
        while kept.n < n and kept.looked_at < max_candidates:
            # whole chunks are drawn, for a chunk's latent vectors are one draw; no more than the cap are looked at
            index = kept.looked_at // size
            drawn = draw(generator, latent_for(stream, label, index, size, bundle.gan.latent), label)
            raw = scores(discriminator, drawn, np.full(size, label))
            likely = probability(raw, slope, intercepts[label])
            passed = np.flatnonzero(accept(likely, threshold)[: max_candidates - kept.looked_at])[: n - kept.n]
            kept.images.append(drawn[passed])
            kept.probabilities.append(likely[passed])
            kept.places.append(index * size + passed)
            kept.looked_at = min((index + 1) * size, max_candidates) if kept.n < n else int(kept.places[-1][-1]) + 1
        found.append(kept)
    return Artifact(
        {
            "images": np.concatenate([part for kept in found for part in kept.images]),
            "labels": np.repeat(np.array(labels, np.int64), [kept.n for kept in found]),
            "places": np.concatenate([part for kept in found for part in kept.places]),
            "probabilities": np.concatenate([part for kept in found for part in kept.probabilities]),
        },
        {"accepted": [kept.n for kept in found], "candidates": [kept.looked_at for kept in found]},
    )
