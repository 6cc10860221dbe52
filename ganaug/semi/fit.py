"""Training the one body by one of the methods, or on its labelled images alone, for the same number of updates.

An update is one step of the body's optimiser; of a GAN's, one of its generator's follows it. The labelled images of
update k, their classic augmentation and their shifts are the same under every method: they come from streams of their
own.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ganaug.augmentation import online
from ganaug.classifiers.fit import batches
from ganaug.gans.diffaugment import diffaugment
from ganaug.gans.training import snapshot_steps
from ganaug.images import background, image_shape, to_float, to_uint8
from ganaug.precision import arithmetic, require, widened
from ganaug.randomness import torch_rng
from ganaug.semi.losses import (
    feature_matching,
    k_logit_discriminator,
    two_head_discriminator,
    two_head_generator,
)
from ganaug.semi.networks import Body, build, build_generator
from ganaug.specs import DiffAugmentSpec, SemiSpec, parse_da

POINTS = 40  # of a loss curve
SNAPSHOT_IMAGES = 40  # generated ones per picture of the training's course
STRONG = ("rotation", "shift", "zoom", "shear", "contrast")

Losses = dict[str, torch.Tensor]


@dataclass
class Fitted:
    """A trained body on the CPU in evaluation mode, and what is known of its training."""

    net: Body
    losses: dict[str, list[float]]  # `step`, and per loss the means of the updates since the step before
    diverged: str
    snapshots: np.ndarray  # uint8 (T, m, C, H, H), from the same latent vectors; none without a generator
    snapshot_steps: list[int]


class Trainer:
    """Body, generator if the method has one, optimisers, average and random streams of one training."""

    def __init__(
        self,
        spec: SemiSpec,
        images: np.ndarray,
        labels: np.ndarray,
        unlabelled: np.ndarray | None,
        n_classes: int,
        seed: int,
        device: str,
    ) -> None:
        self.spec, self.device, self.step = spec, device, 0
        self.method = "supervised" if unlabelled is None else spec.method
        self.fill = background(images)
        self.x, self.y = to_float(images).to(device), torch.as_tensor(labels).to(device)
        self.net = build(spec, image_shape(images), n_classes, seed).to(device).train()
        self.average = copy.deepcopy(self.net)
        # what a discriminator learns from is common with (0.5, 0.999); the supervised control has the same
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=spec.learning_rate, betas=(0.5, 0.999), fused=True)
        self.order = batches(len(self.x), spec.labelled_batch, spec.steps, torch_rng(seed, "semi", "order"))
        self.da = parse_da(spec.da)
        self.draws, self.da_draws = torch_rng(seed, "semi", "labelled views"), torch_rng(seed, "semi", "labelled da")
        self.rng = torch_rng(seed, "semi", "unlabelled")
        self.snapshots: list[np.ndarray] = []
        self.generator = None
        if unlabelled is not None:
            # a labelled image is an unlabelled one too, as in the papers
            self.u = to_float(np.concatenate([unlabelled, images])).to(device)
            self.deck = batches(len(self.u), spec.batch, spec.steps, torch_rng(seed, "semi", "deck"))
        if self.method.startswith("sgan"):
            self.generator = build_generator(spec, image_shape(images), seed).to(device).train()
            self.optimise_g = torch.optim.Adam(
                self.generator.parameters(), lr=spec.gan.learning_rate, betas=(0.5, 0.999), fused=True
            )
            self.shown = torch.randn(SNAPSHOT_IMAGES, spec.gan.latent, generator=torch_rng(seed, "semi", "snapshot"))
            self.due = snapshot_steps(spec.steps)

    def _view(self, images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """Each image moved by its own shift, what is uncovered filled with the background; then noise."""
        if self.spec.shift:
            images = diffaugment(images, DiffAugmentSpec(translation=self.spec.shift, cutout=0), self.fill, rng)
        if self.spec.noise:
            images = images + self.spec.noise * torch.randn(images.shape, generator=rng).to(images.device)
        return images

    def _strong(self, images: torch.Tensor) -> torch.Tensor:
        spec = self.spec.fixmatch
        images = online(images, STRONG, spec.strong, self.fill, self.rng)
        images = diffaugment(images, DiffAugmentSpec(translation=0, cutout=spec.cutout), self.fill, self.rng)
        return images

    def _pass(self, net: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """A network's answer in float32, computed in the study's precision."""
        with arithmetic(self.spec.precision, self.device):
            return widened(net(x))

    def _generated(self) -> torch.Tensor:
        assert self.generator is not None
        latent = torch.randn(self.spec.batch, self.spec.gan.latent, generator=self.rng)
        return self._pass(self.generator, latent.to(self.device))

    def _agreement(self, weak: torch.Tensor, strong: torch.Tensor) -> Losses:
        """FixMatch's loss: what weak views' logits (N, K) are sure of is the label of the strong ones."""
        sure, said = weak.detach().softmax(1).max(1)
        used = (sure >= self.spec.fixmatch.threshold).to(torch.float32)
        agreement = (cross_entropy(strong, said, reduction="none") * used).mean()
        return {"consistency": self.spec.fixmatch.weight * agreement, "sure": used.mean()}

    def _fixmatch(self, x: torch.Tensor, y: torch.Tensor, u: torch.Tensor) -> Losses:
        with torch.no_grad():
            weak = self._pass(self.net, self._view(u, self.rng))
        logits = self._pass(self.net, torch.cat([x, self._strong(u)]))
        return {"labelled": cross_entropy(logits[: len(x)], y), **self._agreement(weak, logits[len(x) :])}

    def _sgan(
        self, x: torch.Tensor, y: torch.Tensor, u: torch.Tensor, fake: torch.Tensor
    ) -> tuple[Losses, torch.Tensor]:
        """The body's losses, and the features of the unlabelled images that the generator is to match."""
        n, m = len(x), len(u)
        images = [x, self._view(torch.cat([u, fake]), self.rng)]
        if self.method == "sgan-fixmatch":
            images.append(self._strong(u))
        features = self._pass(self.net.features, torch.cat(images))
        logits = self._pass(self.net.out, features)
        if self.method == "sgan-published":
            score = self._pass(self.net.real, features[n:])
            loss = two_head_discriminator(score[:m], score[m:])
        else:
            loss = k_logit_discriminator(logits[n : n + m], logits[n + m : n + 2 * m])
        out = {"labelled": cross_entropy(logits[:n], y), "discriminator": self.spec.gan.weight * loss}
        if self.method == "sgan-fixmatch":
            out |= self._agreement(logits[n : n + m], logits[n + 2 * m :])
        return out, features[n : n + m].detach()

    def _generate(self, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """The generator's update, on the images the body has just learned from; its loss. real: features (N, d)."""
        self.net.requires_grad_(False)
        features = self._pass(self.net.features, self._view(fake, self.rng))
        if self.method == "sgan-published":
            loss = two_head_generator(self._pass(self.net.real, features))
        else:
            loss = feature_matching(real, features)
        self.net.requires_grad_(True)
        self.optimise_g.zero_grad()
        loss.backward()
        self.optimise_g.step()
        return loss.detach()

    def advance(self) -> Losses:
        """One update; its losses, still on the device."""
        at = next(self.order).to(self.device)
        x, y = self.x[at], self.y[at]
        if self.da:
            x = online(x, self.da, self.spec.augmentation, self.fill, self.da_draws)
        x = self._view(x, self.draws)
        if self.method == "supervised":
            losses = {"labelled": cross_entropy(self._pass(self.net, x), y)}
        else:
            u = self.u[next(self.deck).to(self.device)]
            if self.generator is None:
                losses = self._fixmatch(x, y, u)
            else:
                fake = self._generated()
                losses, matched = self._sgan(x, y, u, fake.detach())
        rate = self.spec.learning_rate * min(1.0, 2 * (1 - self.step / self.spec.steps))
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.zero_grad()
        torch.stack([v for k, v in losses.items() if k != "sure"]).sum().backward()
        self.optimiser.step()
        losses = {k: v.detach() for k, v in losses.items()}
        if self.generator is not None:
            losses["generator"] = self._generate(fake, matched)
        self.step += 1
        self._update_average()
        if self.generator is not None and self.step in self.due:
            self.snapshots.append(self._snapshot())
        return losses

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.spec.ema, self.step / (self.step + 10)) if self.spec.ema else 0.0
        torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - decay)

    @torch.no_grad()
    def _snapshot(self) -> np.ndarray:
        assert self.generator is not None
        self.generator.eval()
        images = to_uint8(self.generator(self.shown.to(self.device))).cpu().contiguous().numpy()
        self.generator.train()
        return images


def fit(
    spec: SemiSpec,
    images: np.ndarray,
    labels: np.ndarray,
    unlabelled: np.ndarray | None,
    n_classes: int,
    seed: int,
    device: str = "cpu",
    watch: Callable[["Trainer"], None] | None = None,
) -> Fitted:
    """Train on uint8 (N, C, H, H) with int64 (N,), and on unlabelled (M, C, H, H); None is the supervised control.

    Stops at the first look at losses that are not finite, and says so in `diverged`. `watch` is called at each look.
    UserError where the device lacks the precision.
    """
    require(spec.precision, device, "semi.precision")
    trainer = Trainer(spec, images, labels, unlabelled, n_classes, seed, device)
    looks = set(np.linspace(0, spec.steps, min(POINTS, spec.steps) + 1).round().astype(int).tolist()) - {0}
    curves: dict[str, list[float]] = {"step": []}
    since: list[Losses] = []
    diverged = ""
    while trainer.step < spec.steps and not diverged:
        since.append(trainer.advance())
        if trainer.step in looks:
            means = {k: float(torch.stack([one[k] for one in since]).mean()) for k in since[0]}
            since = []
            curves["step"].append(trainer.step)
            for name, value in means.items():
                curves.setdefault(name, []).append(value)
            if not all(map(math.isfinite, means.values())):
                diverged = f"a loss is not finite at step {trainer.step}"
            if watch is not None:
                watch(trainer)
    shown = trainer.snapshots
    return Fitted(
        net=trainer.average.cpu().eval(),
        losses=curves,
        diverged=diverged,
        snapshots=np.stack(shown) if shown else np.empty((0, 0, *images.shape[1:]), np.uint8),
        snapshot_steps=trainer.due[: len(shown)] if shown else [],
    )
