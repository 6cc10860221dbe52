"""The judge: classifiers cross-fitted on the real images, asked by filters and for soft labels.

The real images are cut into folds, class by class, and each classifier learns from all folds but one. Out of their own
fold they are honest about real images, so one temperature (Guo et al. 2017, arXiv:1706.04599) makes their
confidence honest without a further label. A GAN may give back an image it was trained on: whether a generated image
shows its class is asked of the classifier that has not seen the real image nearest to it.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.fit import fit
from ganaug.classifiers.networks import Network, restore
from ganaug.images import to_float
from ganaug.metrics.copying import nearest
from ganaug.randomness import derive, numpy_rng

if TYPE_CHECKING:
    from ganaug.stages import FitJudge, Judged

BATCH = 500


def folds_of(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Which fold each image (N,) is in: every class spread over the folds as evenly as it goes."""
    out = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = numpy_rng(seed, "folds", int(label)).permutation(np.flatnonzero(labels == label))
        out[own] = (np.arange(len(own)) + label) % folds
    return out


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What (N, K) logits have to be divided by so that their softmax is least surprised by labels (N,)."""

    def surprise(log_t: float) -> float:
        return -float(log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-3, 3), method="bounded").x))


@torch.no_grad()
def _logits(net: Network, images: np.ndarray, device: str) -> np.ndarray:
    """(N, K) float32 of uint8 images, in batches of one size."""
    parts = [net(to_float(images[i : i + BATCH]).to(device)).cpu() for i in range(0, len(images), BATCH)]
    return torch.cat(parts).numpy()


@torch.no_grad()
def _features(net: Network, images: np.ndarray, device: str) -> np.ndarray:
    parts = [net.features(to_float(images[i : i + BATCH]).to(device)).cpu() for i in range(0, len(images), BATCH)]
    return torch.cat(parts).numpy()


def fit_judge(stage: "FitJudge", work: Work) -> Artifact:
    """Arrays: weights `<fold>.*`; `fold` (n,) of each real image; `features` (n, d) of the real images, by the first
    classifier. Facts: temperature; accuracy out of fold, on real images; shape; losses of each.
    """
    split = work.get(stage.split)
    real, labels, classes = split.arrays["real"], split.arrays["real_labels"], split.facts["classes"]
    fold = folds_of(labels, stage.folds, stage.split.seed)
    weights: dict[str, np.ndarray] = {}
    logits = np.zeros((len(real), len(classes)), np.float32)
    losses, features = [], np.empty(0)
    for k in range(stage.folds):
        seed = derive(stage.split.seed, "judge", k)
        rest = fold != k
        if not rest.any():
            raise NoResult("starved", f"judge.folds: {stage.folds} folds leave nothing to learn from")
        net, curve = fit(
            stage.classifier, real[rest], labels[rest], len(classes), seed, stage.da, stage.strength, work.device
        )
        if not np.isfinite(curve).all():
            raise NoResult("diverged", "the loss of a judging classifier is not finite")
        if (fold == k).any():
            logits[fold == k] = _logits(net, real[fold == k], work.device)
        if k == 0:
            features = _features(net, real, work.device)
        weights |= {f"{k}.{name}": v.cpu().numpy() for name, v in net.state_dict().items()}
        losses.append(curve)
    facts = {
        "temperature": temperature(logits, labels),
        "accuracy": float((logits.argmax(1) == labels).mean()),
        "shape": list(real.shape[1:]),
        "classes": classes,
        "losses": losses,
    }
    return Artifact({**weights, "fold": fold, "features": features}, facts)


def networks(stage: "FitJudge", fitted: Artifact, device: str) -> list[Network]:
    """The judge's classifiers, a fold each."""
    n_classes, shape = len(fitted.facts["classes"]), tuple(fitted.facts["shape"])
    return [restore(stage.classifier, shape, n_classes, fitted.arrays, f"{k}.").to(device) for k in range(stage.folds)]


def probabilities(stage: "FitJudge", images: np.ndarray, work: Work) -> np.ndarray:
    """What the classifiers together say of uint8 images (N, C, H, W): their mean, float32 (N, K); rows sum to 1."""
    fitted = work.get(stage)
    said = [_logits(net, images, work.device) for net in networks(stage, fitted, work.device)]
    return softmax(np.stack(said) / fitted.facts["temperature"], axis=2).mean(0).astype(np.float32)


def judged(stage: "Judged", work: Work) -> Artifact:
    """What the judge says of one chunk: `agreement` float32 (classes, size), the probability of each image's class by
    the classifier that has not seen the real image nearest to it; `features` float32 (classes, size, d).
    """
    split, fitted = work.get(stage.judge.split), work.get(stage.judge)
    images = work.get(stage.pool).arrays["images"]
    n_classes, size = images.shape[:2]
    flat = images.reshape(-1, *images.shape[2:])
    nets = networks(stage.judge, fitted, work.device)
    said = softmax(np.stack([_logits(net, flat, work.device) for net in nets]) / fitted.facts["temperature"], axis=2)
    real, labels, fold = split.arrays["real"], split.arrays["real_labels"], fitted.arrays["fold"]
    agreement = np.empty((n_classes, size), np.float32)
    for label in range(n_classes):
        place = nearest(images[label], real[labels == label])[1]
        unseen = fold[labels == label][place]
        agreement[label] = said[unseen, label * size + np.arange(size), label]
    features = _features(nets[0], flat, work.device).reshape(n_classes, size, -1)
    return Artifact({"agreement": agreement, "features": features})
