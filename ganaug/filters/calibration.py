"""From a discriminator's raw score to a probability in [0, 1], so that a threshold means the same under every loss.

Platt 1999, "Probabilistic outputs for support vector machines", with his smoothed targets, equal for both kinds.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def platt(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of P(real | score) = sigmoid(slope * score + intercept), both kinds equally likely.

    Scores (N,) of real images held out from the GAN's updates, and of generated ones. The slope is never negative: a
    discriminator that ranks the held-out images the wrong way round tells nothing of them, and every image gets 1/2.
    """
    if not len(real) or not len(generated):
        raise ValueError(f"calibration needs real and generated scores, got {len(real)} and {len(generated)}")
    raw = np.concatenate([real, generated]).astype(np.float64)
    if not np.isfinite(raw).all():
        return 0.0, 0.0
    centre, scale = raw.mean(), raw.std() or 1.0
    x = (raw - centre) / scale
    fewer = min(len(real), len(generated))  # smoothed alike, so that the middle between the two kinds stays at 1/2
    target = np.repeat([(fewer + 1) / (fewer + 2), 1 / (fewer + 2)], [len(real), len(generated)])
    weight = np.repeat([0.5 / len(real), 0.5 / len(generated)], [len(real), len(generated)])

    def loss(ab: np.ndarray) -> tuple[float, np.ndarray]:
        logit = ab[0] * x + ab[1]
        residual = weight * (expit(logit) - target)
        value = (weight * (np.logaddexp(0, logit) - target * logit)).sum()
        return value, np.array([(residual * x).sum(), residual.sum()])

    slope, intercept = minimize(
        loss, np.zeros(2), jac=True, method="L-BFGS-B", options={"gtol": 1e-10, "ftol": 1e-15}
    ).x
    if not slope > 0:  # nor do scores that are all equal
        return 0.0, 0.0
    return float(slope / scale), float(intercept - slope * centre / scale)


def probability(raw: np.ndarray, slope: float, intercept: float | np.ndarray) -> np.ndarray:
    """Calibrated probability that an image is real, float32 in [0, 1], from raw scores of any shape."""
    return expit(slope * raw.astype(np.float64) + intercept).astype(np.float32)


Calibration = tuple[float, list[float]]
"""One slope, and an intercept per class."""


def calibrate(
    real: np.ndarray, real_labels: np.ndarray, generated: np.ndarray, generated_labels: np.ndarray, n_classes: int
) -> Calibration:
    """Platt scaling with one slope for all classes and an intercept for each.

    A conditional discriminator scores some classes higher than others, real and generated images alike; a common
    intercept would then keep all of one class and nothing of another. So each class's scores (N,) are taken from the
    middle between its real and its generated ones, and the slope is fitted to all together, for
    a class has few real ones.
    """
    middle = np.array(
        [(real[real_labels == c].mean() + generated[generated_labels == c].mean()) / 2 for c in range(n_classes)]
    )
    slope, intercept = platt(real - middle[real_labels], generated - middle[generated_labels])
    return slope, [float(intercept - slope * m) for m in middle]


def by_class(raw: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Probabilities (classes, N) of raw scores (classes, N)."""
    slope, intercepts = calibration
    return probability(raw, slope, np.array(intercepts)[:, None])
