"""From a GAN's spec and its images to an artifact: trained, checked for collapse, calibrated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ganaug.artifact import Artifact, Work
from ganaug.artifact import State as Arrays
from ganaug.filters.calibration import calibrate
from ganaug.gans import infogan
from ganaug.gans.fused import GanMember, train_together
from ganaug.gans.judge import COLLAPSED, diversity, draw, scores
from ganaug.gans.networks import build
from ganaug.gans.training import State, Trained, latent_for, train
from ganaug.randomness import derive
from ganaug.specs import AnyGan

if TYPE_CHECKING:
    from ganaug.stages import FitGan

Keep = Callable[[Callable[[], list[Arrays | None]]], None]

CALIBRATION_PER_CLASS = 50  # generated images, from a stream of their own
TRAVERSED, TRAVERSAL_VALUES = 0.95, 9  # how far continuous codes in (-1, 1) are moved, and over how many values


def _to_numpy(state: State) -> Arrays:
    return {k: v.detach().cpu().numpy() for k, v in state.items()}


def _to_torch(state: Arrays) -> State:
    return {k: torch.from_numpy(v.copy()) for k, v in state.items()}


@dataclass(frozen=True)
class Prepared:
    """A GAN before its training: its spec, the images it learns from, the split they come from, and its seed."""

    spec: AnyGan
    images: Artifact
    split: Artifact
    seed: int
    state: Arrays | None = None  # to go on from

    @property
    def n_classes(self) -> int:
        return len(self.images.facts["classes"])

    def member(self) -> GanMember:
        """What the training takes of it."""
        real, labels = (torch.from_numpy(self.images.arrays[k]) for k in ("real", "real_labels"))
        return GanMember(real, labels, self.seed, _to_torch(self.state) if self.state else None)


def prepare(stage: "FitGan", work: Work) -> Prepared:
    """Everything a GAN is trained with."""
    return Prepared(stage.gan, work.get(stage.images), work.get(stage.split), stage.seed, work.state)


def train_alone(prepared: Prepared, work: Work) -> Trained:
    """One GAN by itself."""
    m, keep = prepared.member(), work.save
    save = None if keep is None else lambda progress: keep(lambda: _to_numpy(progress()))
    return train(prepared.spec, m.images, m.labels, prepared.n_classes, m.seed, work.device, m.state, save)


def train_members(prepared: Sequence[Prepared], device: str, keep: Keep | None = None) -> list[Trained]:
    """GANs of one spec as members of one batched model; `keep` is handed a way to the states of all of them,
    None for one that has diverged."""
    save = None if keep is None else lambda progress: keep(lambda: [state and _to_numpy(state) for state in progress()])
    first = prepared[0]
    return train_together(first.spec, [p.member() for p in prepared], first.n_classes, device, save)


def fit_gan(spec: AnyGan, images: Artifact, split: Artifact, seed: int, work: Work, fused: bool = False) -> Artifact:
    """Train on `images`; calibrate on the validation images of `split`, which no update has seen.

    Arrays: weights `generator.*` and `discriminator.*`; `snapshots` uint8 (steps, classes, m, C, H, H), the images of
    the same latent vectors after each of `snapshot_steps`; of an InfoGAN, `traversal` as well (see `_named`); weights
    `checkpoint.STEP.*` of the generator after each of `checkpoint_steps`, where the spec asks for some.
    """
    prepared = Prepared(spec, images, split, seed, work.state)
    if not fused:
        return finish(prepared, train_alone(prepared, work))
    keep = work.save
    save = None if keep is None else lambda states: keep(lambda: states()[0] or {})
    return finish(prepared, train_members([prepared], work.device, save)[0])


def finish(prepared: Prepared, trained: Trained) -> Artifact:
    """What a trained GAN is as an artifact, see `fit_gan`."""
    spec, split, seed, n_classes = prepared.spec, prepared.split, prepared.seed, prepared.n_classes
    real = prepared.images.arrays["real"]
    facts = {
        "diverged": trained.diverged,
        "losses": trained.losses,
        "shape": list(real.shape[1:]),
        "n_classes": n_classes,
        "snapshot_steps": list(trained.snapshots),
    }
    more: dict[str, np.ndarray] = {}
    nets = trained.generator, trained.discriminator
    if isinstance(nets[0], infogan.Generator) and isinstance(nets[1], infogan.Discriminator) and not trained.diverged:
        told, more = _named(nets[0], nets[1], split, n_classes, seed)
        trained.snapshots = {step: images[told["code_of"]] for step, images in trained.snapshots.items()}
        facts |= told
    if trained.checkpoints:
        facts["checkpoint_steps"] = sorted(trained.checkpoints)
    if not trained.diverged:
        facts |= _judge(trained.generator, trained.discriminator, spec, split, n_classes, seed)
    weights = {
        f"{name}.{k}": v
        for name, net in (("generator", trained.generator), ("discriminator", trained.discriminator))
        for k, v in _to_numpy(net.state_dict()).items()
    }
    for step, kept in trained.checkpoints.items():
        weights |= {f"checkpoint.{step}.{k}": v for k, v in _to_numpy(kept).items()}
    pictures = [images.numpy() for images in trained.snapshots.values()]
    return Artifact(weights | ({"snapshots": np.stack(pictures)} if pictures else {}) | more, facts)


def _named(
    generator: infogan.Generator, discriminator: infogan.Discriminator, split: Artifact, n_classes: int, seed: int
) -> tuple[dict, dict[str, np.ndarray]]:
    """Give an InfoGAN's codes the names of classes, and look at what its codes do.

    The first `labels_per_class` real images of every class say which code is its own; from here on a generator's
    labels are classes. Facts: the matching, its accuracy on validation images per class, and
    the information in nats over a stream of its own. Arrays: `traversal` uint8 (continuous codes, classes, values, C,
    H, H), each continuous code of one latent vector moved through `traversal_values`.
    """
    spec = discriminator.spec
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    few = infogan.labelled(torch.from_numpy(labels), n_classes, spec.labels_per_class).numpy()
    held_out = split.arrays["validation"], split.arrays["validation_labels"]
    found = infogan.match(discriminator, real[few], labels[few], *held_out, n_classes)
    generator.code_of.copy_(torch.from_numpy(found.code_of))
    values = np.linspace(-TRAVERSED, TRAVERSED, TRAVERSAL_VALUES)
    start = [latent_for(derive(seed, "traversal"), c, 0, 1, spec.latent) for c in range(n_classes)]
    fresh = [latent_for(derive(seed, "information"), c, 0, infogan.BATCH, spec.latent) for c in range(n_classes)]
    moved = [
        [infogan.traverse(generator, start[c], c, code, values) for c in range(n_classes)]
        for code in range(spec.continuous)
    ]
    facts = {
        "code_of": found.code_of.tolist(),
        "matched_from": found.labels,
        "matching": found.accuracy,
        "information": {
            "bound": infogan.measured_bound(generator, discriminator, fresh),
            "most": float(np.log(n_classes)),
        },
        "traversal_values": [float(v) for v in values],
    }
    return facts, {"traversal": np.array(moved)} if moved else {}


def _judge(
    generator: nn.Module,
    discriminator: nn.Module,
    spec: AnyGan,
    split: Artifact,
    n_classes: int,
    seed: int,
) -> dict:
    """Diversity, the collapse it may show, and the calibration of the discriminator's score."""
    stream = derive(seed, "calibration")
    generated = {
        label: draw(generator, latent_for(stream, label, 0, CALIBRATION_PER_CLASS, spec.latent), label)
        for label in range(n_classes)
    }
    ratio = diversity(split.arrays["real"], split.arrays["real_labels"], generated)
    fake = np.concatenate(list(generated.values()))
    fake_labels = np.repeat(np.arange(n_classes), CALIBRATION_PER_CLASS)
    on_real = scores(discriminator, split.arrays["validation"], split.arrays["validation_labels"])
    on_fake = scores(discriminator, fake, fake_labels)
    calibration = calibrate(on_real, split.arrays["validation_labels"], on_fake, fake_labels, n_classes)
    if ratio < COLLAPSED:
        diverged = f"collapsed: a class's images are {ratio:.2f} times as diverse as its real ones"
    elif not np.isfinite(on_fake).all():
        diverged = "the discriminator's scores are not finite"
    else:
        diverged = ""
    return {"diversity": ratio, "calibration": list(calibration), "diverged": diverged}


def networks(spec: AnyGan, fit: Artifact) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of a fitted GAN, on the CPU, in evaluation mode."""
    channels, height, width = fit.facts["shape"]
    generator, discriminator = build(spec, fit.facts["n_classes"], (channels, height, width), seed=0)
    for name, net in (("generator", generator), ("discriminator", discriminator)):
        prefix = f"{name}."
        net.load_state_dict(
            {k.removeprefix(prefix): torch.from_numpy(v.copy()) for k, v in fit.arrays.items() if k.startswith(prefix)}
        )
        net.eval()
    return generator, discriminator


def generator_at(spec: AnyGan, fit: Artifact, step: int) -> nn.Module:
    """The generator as it was after one of `checkpoint_steps`, on the CPU, in evaluation mode."""
    channels, height, width = fit.facts["shape"]
    generator, _ = build(spec, fit.facts["n_classes"], (channels, height, width), seed=0)
    prefix = f"checkpoint.{step}."
    weights = {k.removeprefix(prefix): v for k, v in fit.arrays.items() if k.startswith(prefix)}
    generator.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in weights.items()})
    return generator.eval()
