"""Several classifiers trained as one: members that differ in seed, images, augmentation and mixing, at equal updates.

Each member's batches, augmentations and dropout are those it would have alone, by the same generators; what differs
from `classifiers.fit.fit` is the order in which numbers are added up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ganaug.ahead import Replayed, Tensors, ahead, on_stream
from ganaug.augmentation import apply, draw, outside
from ganaug.classifiers.fit import Extras, Loss, kept_features, loss_curve, mixed_batches, optimiser_of
from ganaug.classifiers.networks import Network, build, load_weights
from ganaug.classifiers.preprocessing import Preprocessing
from ganaug.images import background, image_shape, to_float
from ganaug.members import Convolution, member, stack
from ganaug.precision import arithmetic, require, widened
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec, ClassifierSpec, Fill, MixingSpec

if TYPE_CHECKING:
    from ganaug.classifiers.curve import Watch


@dataclass(frozen=True)
class Member:
    """What one classifier learns from and how, as `classifiers.fit.fit` takes it."""

    images: np.ndarray  # uint8 (N, C, H, H)
    labels: np.ndarray  # int64 (N,)
    seed: int
    da: tuple[str, ...] = ()
    augmentation: AugmentationSpec | None = None
    extras: Extras | None = None
    start: dict[str, np.ndarray] | None = None
    watch: "Watch | None" = None

    @property
    def strength(self) -> AugmentationSpec:
        return self.augmentation or AugmentationSpec()

    @property
    def mixed(self) -> Extras:
        return self.extras or Extras(0, MixingSpec())

    @property
    def alike(self) -> tuple[tuple[str, ...], Fill]:
        """What members must share for their images to be augmented in one go; strengths may differ."""
        return (self.da, self.strength.fill) if self.da else ((), "background")


class _Data:
    """The members' images on the device, each different one once, and of every member's image its place, its target
    and its weight. A member's own come one after the other, from `first` on.
    """

    def __init__(self, members: Sequence[Member], n_classes: int, smoothing: float, device: str) -> None:
        known: dict[bytes, int] = {}
        images: list[np.ndarray] = []
        place = []
        for image in (image for m in members for image in m.images):
            place.append(known.setdefault(image.tobytes(), len(known)))
            if len(known) > len(images):
                images.append(image)
        self.images = torch.from_numpy(np.stack(images)).to(device)  # uint8: a quarter of the room
        self.place = torch.tensor(place).to(device)
        self.labels = torch.from_numpy(np.concatenate([m.labels for m in members])).to(device)
        self.first = np.cumsum([0, *(len(m.labels) for m in members)])
        self.weighted = not all(m.mixed.plain for m in members)
        self.smoothing = smoothing
        if self.weighted:
            losses = [Loss(torch.as_tensor(m.labels), n_classes, m.mixed, smoothing) for m in members]
            self.weight = torch.cat([one.weight for one in losses]).to(device)
            self.target = torch.cat([one.target for one in losses]).to(device)

    def batch(self, at: torch.Tensor) -> torch.Tensor:
        """Images (K, N, C, H, W) in [-1, 1] for places (K, N)."""
        return to_float(self.images[self.place[at.flatten()]]).unflatten(0, at.shape)

    def losses(self, logits: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Each member's own mean cross entropy, (K,): logits (K, N, classes) of the images at (K, N)."""
        flat = at.flatten()
        target = self.target[flat] if self.weighted else self.labels[flat]
        each = cross_entropy(logits.flatten(0, 1), target, reduction="none", label_smoothing=self.smoothing)
        if not self.weighted:
            return each.view(at.shape).mean(1)
        weight = self.weight[at]
        return (each.view(at.shape) * weight).sum(1) / weight.sum(1)


class _Chance:
    """The random streams of one member; the same as `fit`'s."""

    def __init__(self, spec: ClassifierSpec, one: Member, steps: int, width: int) -> None:
        self.spec, self.one, self.width = spec, one, width
        order = torch_rng(one.seed, "classifier", "order")
        self.order = mixed_batches(len(one.labels), one.mixed, spec.batch, steps, order)
        self.da, self.drops = torch_rng(one.seed, "classifier", "da"), torch_rng(one.seed, "classifier", "dropout")

    def step(self) -> Tensors:
        """What the next update draws: places `at` (N,), augmentations `da.*`, and which features are `kept`."""
        spec, one = self.spec, self.one
        drawn = {"at": next(self.order)}
        if one.da:
            changes = draw(spec.batch, one.da, one.strength, self.da, one.images.shape[-1])
            drawn |= {f"da.{name}": value for name, value in changes.items()}
        if spec.dropout:
            drawn["kept"] = kept_features(spec.batch, self.width, spec.dropout, self.drops)
        return drawn


class _Augmented:
    """Members next to each other whose images are augmented in one go."""

    def __init__(self, name: str, first: int, members: Sequence[Member], batch: int, device: str) -> None:
        self.name, self.part, self.mode = name, slice(first, first + len(members)), members[0].strength.fill
        fills = torch.stack([outside(m.strength, background(m.images)) for m in members])
        self.fill = fills.repeat_interleave(batch, 0).to(device)

    def gathered(self, drawn: Sequence[Tensors]) -> Tensors:
        """The draws of its members, one after the other."""
        own = drawn[self.part]
        names = [name for name in own[0] if name.startswith("da.")]
        return {f"{self.name}.{name}": torch.cat([d[name] for d in own]) for name in names}

    def __call__(self, images: torch.Tensor, tensors: Tensors) -> torch.Tensor:
        """Its members' images, changed; all members' are (K, N, C, H, W)."""
        before = f"{self.name}.da."
        draws = {name.removeprefix(before): value for name, value in tensors.items() if name.startswith(before)}
        own = images[self.part]
        return apply(own.flatten(0, 1), draws, self.fill, self.mode).view_as(own) if draws else own


def _groups(members: Sequence[Member], batch: int, device: str) -> list[_Augmented]:
    first, groups = 0, []
    for name, own in enumerate(groupby(members, key=lambda m: m.alike)):
        alike = list(own[1])
        groups.append(_Augmented(str(name), first, alike, batch, device))
        first += len(alike)
    return groups


def _checked(spec: ClassifierSpec, members: Sequence[Member]) -> int:
    """The number of updates; ValueError for members that cannot train together."""
    for what, found in (
        ("image shape", {image_shape(m.images) for m in members}),
        ("number of updates", {spec.updates(len(m.images)) for m in members}),
    ):
        if len(found) != 1:
            raise ValueError(f"classifiers train together with one {what}, got {sorted(found)}")
    return spec.updates(len(members[0].images))


def fit_together(
    spec: ClassifierSpec,
    members: Sequence[Member],
    n_classes: int,
    device: str = "cpu",
    how: Convolution = "grouped",
    graph: bool = True,
) -> list[tuple[Network, list[float]]]:
    """Train all members at once; for each what `classifiers.fit.fit` gives, a network on `device` and its losses.

    They may differ in everything but the image's shape and the number of updates, else ValueError. A member whose loss
    is not finite leaves the others untouched.  how: of its convolutions, see `ganaug.members`.  graph: on a GPU updates
    are recorded once and replayed. UserError where the device lacks the precision.
    """
    require(spec.precision, device, "classifier.precision")
    steps = _checked(spec, members)
    # those that are augmented alike next to each other
    places = sorted(range(len(members)), key=lambda k: (members[k].alike, k))
    ordered = [members[k] for k in places]
    with on_stream(device):
        nets, losses = _trained(spec, ordered, n_classes, steps, device, how, graph)
    found = {k: (net.eval(), loss_curve(own)) for k, net, own in zip(places, nets, losses.unbind(1), strict=True)}
    return [found[k] for k in range(len(members))]


def _solo(spec: ClassifierSpec, one: Member, n_classes: int, device: str) -> Network:
    net = build(spec, image_shape(one.images), n_classes, one.seed).to(device).train()
    if isinstance(net.prepare, Preprocessing):
        net.learn_preprocessing(to_float(one.images).to(device))
    if one.start is not None:
        load_weights(net, one.start)
    return net


def _trained(
    spec: ClassifierSpec,
    members: Sequence[Member],
    n_classes: int,
    steps: int,
    device: str,
    how: Convolution,
    graph: bool,
) -> tuple[list[Network], torch.Tensor]:
    """The members' networks, and their losses (updates, K)."""
    nets = [_solo(spec, one, n_classes, device) for one in members]
    whole = stack(nets, how)
    optimiser, schedule = optimiser_of(spec, whole, steps)
    data = _Data(members, n_classes, spec.label_smoothing, device)
    chances = [_Chance(spec, one, steps, nets[0].out.in_features) for one in members]
    groups = _groups(members, spec.batch, device)

    def drawn() -> Iterator[Tensors]:
        for _ in range(steps):
            each = [chance.step() for chance in chances]
            together = {"at": torch.stack([d["at"] + first for d, first in zip(each, data.first, strict=False)])}
            if spec.dropout:
                together["kept"] = torch.stack([d["kept"] for d in each])
            for group in groups:
                together |= group.gathered(each)
            yield together

    def step(tensors: Tensors) -> Tensors:
        images = data.batch(tensors["at"])
        images = torch.cat([group(images, tensors) for group in groups])
        with arithmetic(spec.precision, device):
            features = whole.features(images)
            if spec.dropout:
                features = features * tensors["kept"] / (1 - spec.dropout)
            logits = widened(whole.out(features))
        losses = data.losses(logits, tensors["at"])
        optimiser.zero_grad()
        losses.sum().backward()  # a sum: no member's gradient depends on how many there are
        return {"losses": losses.detach()}

    replayed, losses = Replayed(step, device, graph), torch.empty(steps, len(members), device=device)
    for update, tensors in enumerate(ahead(drawn(), device)):
        losses[update] = replayed(tensors)["losses"]
        optimiser.step()
        if schedule is not None:
            schedule.step()
        _watch(members, nets, whole, update + 1, device)
    for k, net in enumerate(nets):
        net.load_state_dict(member(whole, k))
    return nets, losses


def _watch(members: Sequence[Member], nets: Sequence[Network], whole: Network, update: int, device: str) -> None:
    for k, (one, net) in enumerate(zip(members, nets, strict=True)):
        if one.watch is not None and update in one.watch.at:
            net.load_state_dict(member(whole, k))
            one.watch.after(update, net, device)
