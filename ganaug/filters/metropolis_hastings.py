"""Metropolis-Hastings GAN: chains whose proposals are generated images and whose target are the real ones.

Turner et al. 2019, arXiv:1811.11357. An independent proposal x' replaces the state x with probability
min(1, ratio(x') / ratio(x)), the ratio that of the calibrated discriminator, p / (1 - p). Each chain begins at a real
held-out image, so there is nothing to burn in, and is offered `chain` candidates; its last state is the image taken. A
chain that never left the real image begins again at its first candidate. `threshold` tempers the ratio as in
`rejection`. At 0 the target is what the generator draws, of which every candidate is a sample already: all are kept.
"""

import math

import numpy as np

from ganaug.filters.rejection import log_ratio


def accept(
    probabilities: np.ndarray, threshold: float, draws: np.ndarray, chain: int, held_out: np.ndarray
) -> np.ndarray:
    """Bool (classes, N): one image of every whole block of `chain` candidates.

    probabilities: calibrated, (classes, N); draws: uniform in [0, 1), (classes, N); held_out: the calibrated
    probabilities of real images to begin at, (classes, M), taken in turn.
    """
    out = np.zeros(probabilities.shape, np.bool_)
    if threshold == 0:
        return ~out
    ratios, begin = threshold * log_ratio(probabilities), threshold * log_ratio(held_out)
    for label, own in enumerate(ratios):
        for block in range(len(own) // chain):
            at = slice(block * chain, (block + 1) * chain)
            start = begin[label, block % begin.shape[1]]
            out[label, block * chain + _taken(own[at], draws[label, at], start)] = True
    return out


def _walk(proposals: np.ndarray, draws: np.ndarray, start: float) -> int:
    """The place of the last log ratio that a chain from `start` moved to; -1 where it never moved."""
    state, place = float(start), -1
    for i, (proposal, drawn) in enumerate(zip(proposals.tolist(), draws.tolist(), strict=True)):
        if drawn < math.exp(min(proposal - state, 0.0)):
            state, place = proposal, i
    return place


def _taken(proposals: np.ndarray, draws: np.ndarray, start: float) -> int:
    """The place of the chain's last state; where it never left the real image, of a chain from the first proposal."""
    place = _walk(proposals, draws, start)
    if place >= 0:
        return place
    refused = np.exp(proposals - start)  # each draw lay in [refused, 1), and is made a fresh one in [0, 1)
    return 1 + _walk(proposals[1:], ((draws - refused) / (1 - refused))[1:], proposals[0])
