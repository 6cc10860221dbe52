"""`infogan`: a GAN that finds classes and styles by itself, without a label (Chen et al. 2016, arXiv:1606.03657).

The generator is told a categorical code, a few continuous codes and noise; a second head Q on the discriminator's body
has to read the codes off the image again. `ln K - H(Q)` is then a lower bound on the information, in nats, that
an image carries of its categorical code: 0 where the code does nothing, ln K where it is always read. Unlike the loss
itself it can be compared across numbers of classes.

`information: softmax` is a published mistake, kept to show its price: the head's softmax goes through the
softmax of the cross-entropy once more, so that even a perfect Q pays ln(e + K - 1) - 1, which is 1.461, 2.078 and
2.865 for 10, 20 and 46 codes, and its gradient fades while Q is still unsure.

A code is no class: which code stands for which class is settled after training, by `match`, from a few labelled images.
With `guidance` Q is told the classes of those same few while it learns (ss-InfoGAN, Spurr et al. 2017,
arXiv:1707.04487), so that a code is a class rather than whatever is easiest to read.

With `views` no label is needed for that: Q's codes of two augmented views of a real image are to share as much
information as they can (Ji et al. 2019, arXiv:1807.06653; beside a GAN, Ojha et al. 2020, arXiv:1910.01112), which asks
for codes that are all in use, that Q is sure of, and that turning or shifting an image does not change. `q_body: own`
gives Q convolutions of its own: the discriminator's, under spectral norm and busy with what is real, find classes more
slowly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn.functional import cross_entropy, leaky_relu, one_hot, relu
from torch.nn.utils.parametrizations import spectral_norm

from ganaug.gans.judge import draw
from ganaug.gans.sides import check_side, halvings
from ganaug.images import to_float
from ganaug.members import channels_last
from ganaug.specs import InfoGanSpec

SMALLEST_VARIANCE = 1e-2  # of Q's Gaussians: a code read to a tenth of its range is read
NARROWED = 128  # width of Q's hidden layer, as in the paper
BATCH = 100
VIEWS = ("one", "other")  # of a real image


def continuous_codes(latent: torch.Tensor, n: int) -> torch.Tensor:
    """The first `n` of latent vectors (N, D) as codes uniform in (-1, 1), (N, n): normal draws through their own
    distribution function, so that every GAN of the project is drawn from by the same latent vectors.
    """
    return torch.erf(latent[..., :n] / math.sqrt(2))


def latent_of(codes: torch.Tensor) -> torch.Tensor:
    """The latent values that `continuous_codes` maps to `codes`, in (-1, 1)."""
    return torch.erfinv(codes) * math.sqrt(2)


class Generator(nn.Module):
    """(N, latent), labels (N,) -> (N, C, H, H) in [-1, 1]. Labels are codes until `code_of` says which class has which.

    latent: `spec.continuous` values that become continuous codes, then noise.
    """

    code_of: torch.Tensor  # (classes,) int64, the code of each class

    def __init__(self, spec: InfoGanSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, side, _ = shape
        check_side(side, "infogan")
        widths = [spec.width * min(2**i, 4) for i in range(halvings(side))][::-1]
        self.base, self.n_classes, self.continuous = side >> halvings(side), n_classes, spec.continuous
        self.first = nn.Linear(n_classes + spec.latent, widths[0] * self.base**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in widths)
        self.convs = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths))
        self.out = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1)
        self.register_buffer("code_of", torch.arange(n_classes))
        for layer in (self.first, *self.convs, self.out):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        code = one_hot(self.code_of.gather(-1, labels), self.n_classes).to(latent.dtype)
        told = [code, continuous_codes(latent, self.continuous), latent[..., self.continuous :]]
        x = self.first(torch.cat(told, -1)).unflatten(-1, (-1, self.base, self.base))
        x = channels_last(x)
        x = relu(self.norms[0](x))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            x = relu(norm(conv(x)))
        return self.out(x).tanh()


class OwnBody(nn.Module):
    """(N, C, H, H) -> (N, NARROWED): convolutions that are Q's alone, with group norm and no bound on what they say."""

    def __init__(self, width: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, side, _ = shape
        n = halvings(side)
        widths = [width * min(2**i, 4) for i in range(n)]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip([channels, *widths], widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(math.gcd(8, w), w) for w in widths[1:])
        self.last = nn.Linear(widths[-1] * (side >> n) ** 2, NARROWED)
        self.last_norm = nn.GroupNorm(1, NARROWED)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = leaky_relu(self.convs[0](channels_last(images)), 0.1)
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = leaky_relu(norm(conv(x)), 0.1)
        return self.last_norm(self.last(x.flatten(-3)))


class Discriminator(nn.Module):
    """(N, C, H, H) -> raw scores (N,), which no label has a say in; and, by `read`, what Q reads off the images."""

    def __init__(self, spec: InfoGanSpec, n_classes: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, side, _ = shape
        n, self.spec = halvings(side), spec
        widths = [spec.discriminator_width * min(2**i, 4) for i in range(n)]
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1))
            for a, b in zip([channels, *widths], widths, strict=False)
        )
        features = widths[-1] * (side >> n) ** 2
        self.score = spectral_norm(nn.Linear(features, 1))
        # Q's own layers are free: spectral norm would bound how sure it may be of a code
        self.narrow: nn.Module = nn.Linear(features, NARROWED)
        if spec.q_body == "own":
            self.narrow = OwnBody(spec.discriminator_width, shape)
        self.code = nn.Linear(NARROWED, n_classes)
        self.style = nn.Linear(NARROWED, 2 * spec.continuous)

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        x = channels_last(images)
        for conv in self.convs:
            x = leaky_relu(conv(x), 0.1)
        return x.flatten(-3)

    def forward(self, images: torch.Tensor, labels: torch.Tensor, kept: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        return self.score(self._features(images)).squeeze(-1)

    def read(self, images: torch.Tensor) -> tuple[torch.Tensor, "Reading"]:
        """Raw scores (N,), and Q's reading of float (N, C, H, H) images."""
        x = self._features(images)
        return self.score(x).squeeze(-1), self._reading(images if self.spec.q_body == "own" else x)

    def reading(self, images: torch.Tensor) -> "Reading":
        """Q's reading alone."""
        return self._reading(images if self.spec.q_body == "own" else self._features(images))

    def _reading(self, x: torch.Tensor) -> "Reading":
        hidden = leaky_relu(self.narrow(x), 0.1)
        mean, log_variance = self.style(hidden).chunk(2, -1)
        return Reading(self.code(hidden), mean, log_variance)


@dataclass(frozen=True)
class Reading:
    """What Q says of N images: logits (N, K) of the categorical code, mean and log variance (N, n) of the others."""

    logits: torch.Tensor
    mean: torch.Tensor
    log_variance: torch.Tensor


def categorical_loss(logits: torch.Tensor, codes: torch.Tensor, information: str) -> torch.Tensor:
    """Cross-entropy of Q's logits (N, K) with the codes (N,), in nats; `softmax` is the published mistake."""
    return mean_cross_entropy(logits.softmax(-1) if information == "softmax" else logits, codes)


def mean_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over images of (N, K) logits and (N,) labels; of stacked members each its own."""
    if logits.dim() == 2:
        return cross_entropy(logits, labels)
    return cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none").view(labels.shape).mean(-1)


def shared(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The nats of information that codes of N images share with codes of other views of them; logits (..., N, K) each.

    Of the joint distribution over the batch, the same both ways round (Ji et al. 2019, equation 3); between 0 and ln K.
    """
    one, other = first.softmax(-1), second.softmax(-1)
    joint = one.mT @ other / one.shape[-2]
    joint = (joint + joint.mT) / 2
    apart = joint.sum(-1, keepdim=True) * joint.sum(-2, keepdim=True)
    least = torch.finfo(joint.dtype).tiny
    return (joint * (joint.clamp_min(least).log() - apart.clamp_min(least).log())).sum((-2, -1))


def floor(n_codes: int) -> float:
    """The least that `softmax` information loss can reach, ln(e + K - 1) - 1 nats, however well Q reads."""
    return math.log(math.e + n_codes - 1) - 1


def bound(logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """ln K - cross-entropy of Q's own probabilities, whichever loss trained it: a lower bound on the nats of
    information, at most ln K; below 0 where Q is wrong and sure of it.
    """
    return math.log(logits.shape[-1]) - mean_cross_entropy(logits, codes)


def continuous_loss(reading: Reading, codes: torch.Tensor) -> torch.Tensor:
    """Mean over images of -log of Q's Gaussians at the continuous codes (N, n), summed over codes; nats."""
    log_variance = reading.log_variance.clamp(math.log(SMALLEST_VARIANCE), 2.0)
    each = log_variance + (codes - reading.mean) ** 2 / log_variance.exp() + math.log(2 * math.pi)
    return each.sum(-1).mean(-1) / 2


def information_loss(
    spec: InfoGanSpec, reading: Reading, codes: torch.Tensor, latent: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What generator and Q both pay for codes that cannot be read, and the categorical part of it by itself."""
    categorical = categorical_loss(reading.logits, codes, spec.information)
    total = spec.categorical_weight * categorical
    if spec.continuous:
        styles = continuous_codes(latent, spec.continuous)
        total = total + spec.continuous_weight * continuous_loss(reading, styles)
    return total, categorical


def labelled(labels: torch.Tensor, n_classes: int, per_class: int) -> torch.Tensor:
    """Places of the first `per_class` images of every class among labels (N,); int64 (M,)."""
    return torch.cat([torch.nonzero(labels == c).flatten()[:per_class] for c in range(n_classes)])


@torch.no_grad()
def probabilities(discriminator: Discriminator, images: np.ndarray) -> np.ndarray:
    """Q's probability of each code for uint8 (N, C, H, H) images; (N, K) float64."""
    out = [
        discriminator.reading(to_float(images[i : i + BATCH])).logits.double().softmax(1)
        for i in range(0, len(images), BATCH)
    ]
    return torch.cat(out).numpy()


@dataclass(frozen=True)
class Matching:
    """Which code each class has; and, per class, the share of held-out images whose likeliest code that is."""

    code_of: np.ndarray  # (classes,) int64, a permutation
    accuracy: list[float]
    labels: int  # labelled images it was settled from


def match(
    discriminator: Discriminator,
    images: np.ndarray,
    labels: np.ndarray,
    held_out: np.ndarray,
    held_out_labels: np.ndarray,
    n_classes: int,
) -> Matching:
    """A code for every class, such that Q's mean probabilities of the labelled images agree best (Kuhn 1955).

    images uint8 (N, C, H, H) with labels (N,), and others to judge the matching by.
    """
    said = probabilities(discriminator, images)
    votes = np.nan_to_num([said[labels == c].mean(0) for c in range(n_classes)])  # a broken network says nothing
    code_of = linear_sum_assignment(votes, maximize=True)[1].astype(np.int64)
    found = probabilities(discriminator, held_out).argmax(1)
    right = [float((found[held_out_labels == c] == code_of[c]).mean()) for c in range(n_classes)]
    return Matching(code_of, right, len(labels))


@torch.no_grad()
def traverse(generator: nn.Module, latent: torch.Tensor, label: int, code: int, values: np.ndarray) -> np.ndarray:
    """Images of one latent vector (1, D) as continuous code `code` takes `values` (V,); uint8 (V, C, H, H)."""
    moved = latent.repeat(len(values), 1)
    moved[:, code] = latent_of(torch.from_numpy(values).to(latent.dtype))
    return draw(generator, moved, label)


@torch.no_grad()
def measured_bound(generator: Generator, discriminator: Discriminator, latents: list[torch.Tensor]) -> float:
    """`bound` over fresh images of every class, for `latents` (m, D) of each; as they are used, rounded to uint8."""
    each = []
    for label, latent in enumerate(latents):
        images = draw(generator, latent, label)
        codes = generator.code_of[torch.full((len(latent),), label)]
        each.append(bound(discriminator.reading(to_float(images)).logits, codes).item())
    return float(np.mean(each))
