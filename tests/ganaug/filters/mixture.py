"""A toy world with five states: how often each is real, how often it is generated, and who can tell perfectly."""

import numpy as np

STATES = 5
REAL = np.array([0.3, 0.25, 0.2, 0.2, 0.05])
WRONG = np.array([0.1, 0.15, 0.3, 0.1, 0.35])


def drawn(weights: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """States (n,)."""
    return np.random.default_rng(seed).choice(STATES, n, p=weights)


def perfect(states: np.ndarray) -> np.ndarray:
    """The probability that a state is real, where both kinds are equally likely."""
    return (REAL / (REAL + WRONG))[states]


def distance(states: np.ndarray, weights: np.ndarray) -> float:
    """Total variation between how often states (n,) occur and their weights."""
    return float(np.abs(np.bincount(states, minlength=STATES) / len(states) - weights).sum() / 2)
