"""Training a classifier for a fixed number of updates on resident tensors, and asking it.

The number of updates does not depend on the size of the training set, so two arms that differ in their images are
compared at equal cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from ganaug.augmentation import online
from ganaug.classifiers.networks import Network, build, load_weights
from ganaug.images import background, image_shape, to_float
from ganaug.precision import arithmetic, require, widened
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec, ClassifierSpec, MixingSpec

if TYPE_CHECKING:
    from ganaug.classifiers.curve import Watch

EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Extras:
    """The last `n` images of a training set are extra ones: how they count, and what a judge says of them."""

    n: int
    mixing: MixingSpec
    soft: np.ndarray | None = None  # (n, classes), rows sum to 1

    @property
    def plain(self) -> bool:
        """Whether an extra image is used exactly like a real one."""
        return not self.n or (self.mixing.weight == 1 and self.mixing.ratio is None and not self.mixing.soft_labels)


def batches(n: int, batch: int, steps: int, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """Indices (batch,) into n images, `steps` times: an endless deck that is reshuffled whenever it is dealt out."""
    deck = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(deck) < batch:
            deck = torch.cat([deck, torch.randperm(n, generator=rng)])
        yield deck[:batch]
        deck = deck[batch:]


def mixed_batches(n: int, extras: Extras, batch: int, steps: int, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """As `batches`; with a ratio, each batch holds that share of extra images, at least one of each kind."""
    own, ratio = n - extras.n, extras.mixing.ratio
    if ratio is None or not own or not extras.n:
        yield from batches(n, batch, steps, rng)
        return
    share = min(max(round(ratio * batch), 1), batch - 1)
    for real, extra in zip(batches(own, batch - share, steps, rng), batches(extras.n, share, steps, rng), strict=True):
        yield torch.cat([real, extra + own])


class Loss:
    """Mean cross entropy of a batch; extra images count `weight` each and may have soft labels.

    `weight` (N,) and `target` (N, classes) are of all training images.
    """

    def __init__(self, labels: torch.Tensor, n_classes: int, extras: Extras, smoothing: float) -> None:
        self.smoothing = smoothing
        own = len(labels) - extras.n
        self.weight = torch.ones(len(labels))
        self.weight[own:] = extras.mixing.weight
        self.weight = self.weight.to(labels.device)
        self.target = one_hot(labels, n_classes).to(torch.get_default_dtype())
        if extras.soft is not None:
            share = extras.mixing.soft_labels
            said = torch.from_numpy(extras.soft).to(self.target)
            self.target[own:] = (1 - share) * self.target[own:] + share * said

    def __call__(self, logits: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        weight = self.weight[at]
        each = cross_entropy(logits, self.target[at], reduction="none", label_smoothing=self.smoothing)
        return (each * weight).sum() / weight.sum()


def kept_features(n: int, width: int, share: float, rng: torch.Generator) -> torch.Tensor:
    """Which of (n, width) features dropout keeps, bool: each is dropped with probability `share`."""
    return torch.rand((n, width), generator=rng) >= share


def dropped(features: torch.Tensor, share: float, rng: torch.Generator) -> torch.Tensor:
    """Dropout by an explicit generator: each of (N, d) is 0 with probability `share`, the others make up for it."""
    if not share:
        return features
    n, width = features.shape
    return features * kept_features(n, width, share, rng).to(features.device) / (1 - share)


def optimiser_of(
    spec: ClassifierSpec, net: torch.nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler | None]:
    """AdamW over a network's weights, and its schedule for `steps` updates; None where the rate is constant.

    Every weight has its moments to itself and gradients are not clipped, so K stacked members are K trainings.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)
    if spec.schedule == "constant":
        return optimiser, None
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, spec.learning_rate, total_steps=steps + 1)


def loss_curve(losses: torch.Tensor) -> list[float]:
    """At most 20 points of one training's losses (updates,), evenly spaced, as means."""
    return [float(part.mean()) for part in losses.tensor_split(min(20, len(losses)))]


def fit(
    spec: ClassifierSpec,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    seed: int,
    da: tuple[str, ...] = (),
    augmentation: AugmentationSpec | None = None,
    device: str = "cpu",
    extras: Extras | None = None,
    start: dict[str, np.ndarray] | None = None,
    watch: "Watch | None" = None,
) -> tuple[Network, list[float]]:
    """Train on uint8 (N, C, H, H) and int64 (N,); the network on `device` and 20 losses, evenly spaced, as means.

    start: the weights to go on from, by name; the optimiser begins afresh. watch: told of the network as it learns.
    UserError where the device lacks the precision.
    """
    require(spec.precision, device, "classifier.precision")
    extras = extras or Extras(0, MixingSpec())
    steps = spec.updates(len(images))
    net = build(spec, image_shape(images), n_classes, seed).to(device).train()
    fill = background(images)
    x, y = to_float(images).to(device), torch.as_tensor(labels).to(device)
    net.learn_preprocessing(x)
    if start is not None:
        load_weights(net, start)
    optimiser, schedule = optimiser_of(spec, net, steps)
    order, draws = torch_rng(seed, "classifier", "order"), torch_rng(seed, "classifier", "da")
    drops = torch_rng(seed, "classifier", "dropout")
    weighted = None if extras.plain else Loss(y, n_classes, extras, spec.label_smoothing)
    losses = []
    for at in mixed_batches(len(x), extras, spec.batch, steps, order):
        at = at.to(device)
        batch = x[at]
        if da:
            batch = online(batch, da, augmentation or AugmentationSpec(), fill, draws)
        with arithmetic(spec.precision, device):
            logits = widened(net.out(dropped(net.features(batch), spec.dropout, drops)))
        loss = weighted(logits, at) if weighted else cross_entropy(logits, y[at], label_smoothing=spec.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.detach())
        if watch is not None:
            watch.after(len(losses), net, device)
    return net.eval(), loss_curve(torch.stack(losses))


@torch.no_grad()
def predict(net: Network, images: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Predicted classes (N,) of uint8 images (N, C, H, W), as the smallest unsigned integer that holds them."""
    kind = np.uint8 if net.out.out_features <= 256 else np.uint16
    out = [
        net(to_float(images[i : i + EVALUATION_BATCH]).to(device)).argmax(1).cpu()
        for i in range(0, len(images), EVALUATION_BATCH)
    ]
    return torch.cat(out).numpy().astype(kind) if out else np.empty(0, kind)
