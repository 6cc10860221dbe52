"""From a GAN's spec and its images to an artifact: trained, checked for collapse, calibrated."""

import numpy as np
import torch
from torch import nn

from ganaug.artifact import Artifact, Work
from ganaug.filters.calibration import calibrate
from ganaug.gans.judge import COLLAPSED, diversity, draw, scores
from ganaug.gans.networks import build
from ganaug.gans.training import State, latent_for, train
from ganaug.randomness import derive
from ganaug.specs import AnyGan

CALIBRATION_PER_CLASS = 50  # generated images, from a stream of their own


def _to_numpy(state: State) -> dict[str, np.ndarray]:
    return {k: v.detach().cpu().numpy() for k, v in state.items()}


def fit_gan(spec: AnyGan, images: Artifact, split: Artifact, seed: int, work: Work) -> Artifact:
    """Train on `images`; calibrate on the validation images of `split`, which no update has seen.

    Arrays: weights `generator.*` and `discriminator.*`; `snapshots` uint8 (steps, classes, m, C, H, H), the images of
    the same latent vectors after each of `snapshot_steps`; weights `checkpoint.STEP.*` of the generator after each of
    `checkpoint_steps`, where the spec asks for some.
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
    return Artifact(weights | ({"snapshots": np.stack(pictures)} if pictures else {}), facts)


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
