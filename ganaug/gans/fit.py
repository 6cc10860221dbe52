"""From a GAN's spec and its images to an artifact: trained, checked for collapse, calibrated."""

import numpy as np
import torch
from torch import nn

from ganaug.artifact import Artifact, Work
from ganaug.filters.calibration import calibrate
from ganaug.gans import infogan
from ganaug.gans.judge import COLLAPSED, diversity, draw, scores
from ganaug.gans.networks import build
from ganaug.gans.training import State, latent_for, train
from ganaug.randomness import derive
from ganaug.specs import AnyGan

CALIBRATION_PER_CLASS = 50  # generated images, from a stream of their own
TRAVERSED, TRAVERSAL_VALUES = 0.95, 9  # how far continuous codes in (-1, 1) are moved, and over how many values


def _to_numpy(state: State) -> dict[str, np.ndarray]:
    return {k: v.detach().cpu().numpy() for k, v in state.items()}


def fit_gan(spec: AnyGan, images: Artifact, split: Artifact, seed: int, work: Work) -> Artifact:
    """Train on `images`; calibrate on the validation images of `split`, which no update has seen.

    Arrays: weights `generator.*` and `discriminator.*`; `snapshots` uint8 (steps, classes, m, C, H, H), the images of
    the same latent vectors after each of `snapshot_steps`; of an InfoGAN, `traversal` as well (see `_named`); weights
    `checkpoint.STEP.*` of the generator after each of `checkpoint_steps`, where the spec asks for some.
    """
    real, labels = images.arrays["real"], images.arrays["real_labels"]
    n_classes = len(images.facts["classes"])
    state = {k: torch.from_numpy(v.copy()) for k, v in work.state.items()} if work.state else None
    keep = work.save
    save = None if keep is None else lambda progress: keep(lambda: _to_numpy(progress()))
    trained = train(
        spec,
        torch.from_numpy(real),
        torch.from_numpy(labels),
        n_classes,
        seed,
        work.device,
        state,
        save,
    )
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
