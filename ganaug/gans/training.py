"""Training a GAN: one loop for every pair of networks, resumable to the bit from a saved state.

Per step: one discriminator update on real and generated images, one generator update with the discriminator frozen.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from ganaug.gans import infogan
from ganaug.gans.diffaugment import diffaugment
from ganaug.gans.losses import LOSSES, mode_seeking
from ganaug.gans.networks import build
from ganaug.images import background, image_shape, to_float, to_uint8
from ganaug.precision import arithmetic, require, widened
from ganaug.randomness import derive, torch_rng
from ganaug.specs import AnyGan, InfoGanSpec, ProjectionSpec

State = dict[str, torch.Tensor]
Save = Callable[[Callable[[], State]], None]

CHECK_EVERY = 50  # steps between looks at the losses: a look waits for the device
INFORMATION = ("information", "bound")  # of InfoGAN: its categorical loss, and ln K - cross-entropy, both in nats
SNAPSHOTS, SNAPSHOT_PER_CLASS = 8, 6  # pictures of the training's course, from latent vectors that do not change


@dataclass
class Trained:
    """What training leaves: networks on the CPU in evaluation mode, losses, and why it stopped early ("" if not)."""

    generator: nn.Module
    discriminator: nn.Module
    losses: dict[str, list[float]] = field(default_factory=dict)
    diverged: str = ""
    snapshots: dict[int, torch.Tensor] = field(default_factory=dict)  # by step, uint8 (classes, m, C, H, H)
    checkpoints: dict[int, State] = field(default_factory=dict)  # by step, weights of the generator then in use


def checkpoint_steps(spec: AnyGan) -> list[int]:
    """After which steps the generator is kept: evenly spread, the last one among them."""
    return sorted({max(1, round(spec.steps * k / spec.checkpoints)) for k in range(1, spec.checkpoints + 1)})


def snapshot_steps(steps: int) -> list[int]:
    """After which of `steps` steps images are kept: early ones close together, the last one among them."""
    return sorted({max(1, round(steps * (k / SNAPSHOTS) ** 2)) for k in range(1, SNAPSHOTS + 1)})


def _copied(net: nn.Module) -> State:
    return {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}


class Trainer:
    """Networks, optimisers, average and random stream of one training; `state` and `load` carry all of it."""

    def __init__(
        self, spec: AnyGan, images: torch.Tensor, labels: torch.Tensor, n_classes: int, seed: int, device: str
    ) -> None:
        """images: uint8 (N, C, H, H); labels: int64 (N,). UserError where the device lacks the precision."""
        require(spec.precision, device, "gan.precision")
        self.spec, self.n_classes, self.device = spec, n_classes, device
        self.fill = background(images)
        self.real = to_float(images).to(device)
        self.labels = labels.to(device)
        self.generator, self.discriminator = (
            net.to(device) for net in build(spec, n_classes, image_shape(images), seed)
        )
        self.average = copy.deepcopy(self.generator) if spec.ema else self.generator
        self.optimise_g, self.optimise_d = (
            torch.optim.Adam(net.parameters(), lr=rate, betas=(spec.beta1, spec.beta2), fused=True)
            for net, rate in (
                (self.generator, spec.learning_rate),
                (self.discriminator, spec.discriminator_learning_rate),
            )
        )
        self.rng = torch_rng(seed, "gan", "train")
        self.seed, self.step = seed, 0
        self.parts = ("generator", "discriminator", *(INFORMATION if isinstance(spec, InfoGanSpec) else ()))
        self.history: list[tuple[float, ...]] = []  # step, then the losses in the order of `parts`
        self.due = snapshot_steps(spec.steps)
        self.snapshots: list[torch.Tensor] = []  # one for each step of `due` that has passed
        self.steps_to_keep = frozenset(checkpoint_steps(spec))
        self.checkpoints: dict[int, State] = {}

    def _batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The step's real images: the next cards of an endless deck; an epoch's shuffle depends on its number alone."""
        n, start = len(self.real), self.step * self.spec.batch
        epochs = range(start // n, (start + self.spec.batch - 1) // n + 1)
        deck = torch.cat([torch.randperm(n, generator=torch_rng(self.seed, "gan", "epoch", e)) for e in epochs])
        at = deck[start % n :][: self.spec.batch].to(self.device)
        return self.real[at], self.labels[at]

    def _latent(self, n: int) -> torch.Tensor:
        return torch.randn(n, self.spec.latent, generator=self.rng).to(self.device)

    def _seen(self, images: torch.Tensor) -> torch.Tensor:
        """What the discriminator is shown of images; nothing is drawn for a GAN that shows them as they are."""
        if isinstance(self.spec, ProjectionSpec):
            return diffaugment(images, self.spec.diffaugment, self.fill, self.rng, self.step / self.spec.steps)
        return images

    def _generated(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with arithmetic(self.spec.precision, self.device):
            return widened(self.generator(latent, labels))

    def _scores(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with arithmetic(self.spec.precision, self.device, self.discriminator):
            return widened(self.discriminator(images, labels, self.rng))

    def _read(self, net: infogan.Discriminator, images: torch.Tensor) -> tuple[torch.Tensor, infogan.Reading]:
        with arithmetic(self.spec.precision, self.device, net):
            scores, reading = net.read(images)
        return widened(scores), infogan.Reading(*map(widened, (reading.logits, reading.mean, reading.log_variance)))

    def _random_labels(self) -> torch.Tensor:
        """Each class drawn twice, in the batch's two halves: `mode_seeking` compares images of one class."""
        half = torch.randint(self.n_classes, (-(-self.spec.batch // 2),), generator=self.rng)
        return torch.cat([half, half])[: self.spec.batch].to(self.device)

    def _discriminator_losses(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The discriminator's loss, and with what it is told to minimise beside it."""
        d_loss, _ = LOSSES[self.spec.loss]
        real, labels = self._batch()
        net = self.discriminator
        if isinstance(net, infogan.Discriminator):  # never sees a label: what it generates is told random codes
            codes, latent = self._random_labels(), self._latent(len(labels))
            with torch.no_grad():
                fake = self._generated(latent, codes)
            on_real, _ = self._read(net, real)
            on_fake, reading = self._read(net, fake)
            loss = d_loss(on_real, on_fake)
            return loss, loss + infogan.information_loss(net.spec, reading, codes, latent)[0] + self._guidance(net)
        with torch.no_grad():
            fake = self._generated(self._latent(len(labels)), labels)
        # real and generated in one call: neither discriminator has a batch norm, so their scores do not mix
        both = self._seen(torch.cat([real, fake]))
        on_real, on_fake = self._scores(both, torch.cat([labels, labels])).chunk(2)
        loss = d_loss(on_real, on_fake)
        return loss, loss

    def _guidance(self, net: infogan.Discriminator) -> torch.Tensor | float:
        """What Q pays for not knowing the few labelled real images; a batch of them is drawn each step."""
        spec = net.spec
        if not spec.guidance:
            return 0.0
        few = infogan.labelled(self.labels, self.n_classes, spec.labels_per_class)
        drawn = few[torch.randint(len(few), (spec.batch,), generator=self.rng).to(self.device)]
        return spec.guidance * cross_entropy(self._read(net, self.real[drawn])[1].logits, self.labels[drawn])

    def advance(self) -> tuple[torch.Tensor, ...]:
        """One step; the losses in the order of `parts`, still on the device."""
        _, g_loss = LOSSES[self.spec.loss]
        loss_d, paid = self._discriminator_losses()
        self.optimise_d.zero_grad()
        paid.backward()
        if self.spec.r1 and self.step % self.spec.r1_every == 0:
            self._penalise(*self._batch())
        self.optimise_d.step()

        labels = self._random_labels()
        self.discriminator.requires_grad_(False)
        latent = self._latent(len(labels))
        fake = self._generated(latent, labels)
        more: tuple[torch.Tensor, ...] = ()
        net = self.discriminator
        if isinstance(net, infogan.Discriminator):
            on_fake, reading = self._read(net, fake)
            loss_g = g_loss(on_fake)
            pays, categorical = infogan.information_loss(net.spec, reading, labels, latent)
            paid, more = loss_g + pays, (categorical.detach(), infogan.bound(reading.logits.detach(), labels))
        else:
            loss_g = g_loss(self._scores(self._seen(fake), labels))
            if isinstance(self.spec, ProjectionSpec) and self.spec.mode_seeking:
                loss_g = loss_g + self.spec.mode_seeking * mode_seeking(fake, latent)
            paid = loss_g
        self.discriminator.requires_grad_(True)
        self.optimise_g.zero_grad()
        paid.backward()
        self.optimise_g.step()

        self.step += 1
        if self.spec.ema:
            self._update_average()
        if self.step in self.due:
            self.snapshots.append(self._snapshot())
        if self.step in self.steps_to_keep:
            self.checkpoints[self.step] = _copied(self.average)
        return loss_g.detach(), loss_d.detach(), *more

    def _penalise(self, real: torch.Tensor, labels: torch.Tensor) -> None:
        """Add the gradient of R1 (Mescheder et al. 2018, arXiv:1801.04406): r1 / 2 times the mean squared norm of the
        score's gradient at real images. Lazily (Karras et al. 2019, arXiv:1912.04958, appendix B): seldom, and the
        more strongly. In float32 whatever the precision: the gradient of a gradient.
        """
        real = real.detach().requires_grad_()
        score = self.discriminator(real, labels)
        (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
        penalty = slope.square().sum((1, 2, 3)).mean()
        (penalty * (self.spec.r1 / 2 * self.spec.r1_every)).backward()

    @torch.no_grad()
    def _update_average(self) -> None:
        # a short run is averaged over its last tenth or so, not over weights it has left long ago
        decay = min(self.spec.ema, self.step / (self.step + 10))
        for kept, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)
        for statistic, newest in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            statistic.copy_(newest)

    @torch.no_grad()
    def _snapshot(self) -> torch.Tensor:
        """What the generator in use would give now; changes nothing and draws nothing from the training's stream."""
        stream, m = derive(self.seed, "snapshot"), SNAPSHOT_PER_CLASS
        latent = [latent_for(stream, c, 0, m, self.spec.latent) for c in range(self.n_classes)]
        labels = torch.arange(self.n_classes).repeat_interleave(m)
        self.average.eval()
        images = to_uint8(self.average(torch.cat(latent).to(self.device), labels.to(self.device))).cpu()
        self.average.train()
        return images.contiguous().view(self.n_classes, m, *images.shape[1:])

    def _parts(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def state(self) -> State:
        """Everything the rest of the training depends on, as flat tensors."""
        out: State = {
            "step": torch.tensor(self.step),
            "rng": self.rng.get_state(),
            "history": torch.tensor(self.history, dtype=torch.float64).view(-1, 1 + len(self.parts)),
            "snapshots": torch.stack(self.snapshots) if self.snapshots else torch.empty(0, dtype=torch.uint8),
        }
        for step, weights in self.checkpoints.items():
            out |= {f"checkpoint.{step}.{k}": v for k, v in weights.items()}
        for name, net in self._parts().items():
            out |= {f"{name}.{k}": v.detach().cpu().clone() for k, v in net.state_dict().items()}
        for name, optimiser in (("adam_g", self.optimise_g), ("adam_d", self.optimise_d)):
            for i, moments in optimiser.state_dict()["state"].items():
                out |= {f"{name}.{i}.{k}": v.detach().cpu().clone() for k, v in moments.items()}
        return out

    def load(self, state: State) -> None:
        """Continue from a saved state, to the bit."""
        self.step = int(state["step"])
        self.rng.set_state(state["rng"])
        self.history = [(int(step), *losses) for step, *losses in state["history"].tolist()]
        self.snapshots = list(state["snapshots"])
        for key, value in state.items():
            if key.startswith("checkpoint."):
                _, step, name = key.split(".", 2)
                self.checkpoints.setdefault(int(step), {})[name] = value
        for name, net in self._parts().items():
            net.load_state_dict({k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")})
        for name, optimiser in (("adam_g", self.optimise_g), ("adam_d", self.optimise_d)):
            weights = optimiser.param_groups[0]["params"]
            moments: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in state.items():
                if key.startswith(f"{name}."):
                    _, i, k = key.split(".")
                    # a copy laid out in memory like its weight: fused Adam walks both without a look at their strides,
                    # and numpy has made channels-last arrays contiguous (and a count an array of one)
                    moments.setdefault(int(i), {})[k] = (
                        value.reshape(()).clone() if k == "step" else torch.empty_like(weights[int(i)]).copy_(value)
                    )
            optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})


def train(
    spec: AnyGan,
    images: torch.Tensor,
    labels: torch.Tensor,
    n_classes: int,
    seed: int,
    device: str = "cpu",
    state: State | None = None,
    save: Save | None = None,
) -> Trained:
    """Train on uint8 (N, C, H, H) images and int64 (N,) labels for `spec.steps` steps.

    `save` is handed a way to the whole state every `CHECK_EVERY` steps and decides whether to take it; `state` is one
    it took.
    Training stops at the first loss that is not finite, and says so in `diverged`.
    """
    trainer = Trainer(spec, images, labels, n_classes, seed, device)
    if state is not None:
        trainer.load(state)
    diverged = ""
    while trainer.step < spec.steps and not diverged:
        losses = trainer.advance()
        if trainer.step % CHECK_EVERY == 0 or trainer.step == spec.steps:
            noted = [loss.item() for loss in losses]
            trainer.history.append((trainer.step, *noted))
            if not all(map(math.isfinite, noted)):
                diverged = f"a loss is not finite at step {trainer.step}"
            elif save is not None and trainer.step < spec.steps:
                save(trainer.state)
    columns = map(list, zip(*trainer.history, strict=True))
    return Trained(
        generator=trainer.average.cpu().eval(),
        discriminator=trainer.discriminator.cpu().eval(),
        losses=dict(zip(("step", *trainer.parts), columns, strict=True)),
        diverged=diverged,
        snapshots=dict(zip(trainer.due, trainer.snapshots, strict=False)),
        checkpoints=trainer.checkpoints,
    )


def latent_for(seed: int, label: int, chunk: int, n: int, latent: int) -> torch.Tensor:
    """The latent vectors of one chunk of one class of a generator's stream, (n, latent)."""
    return torch.randn(n, latent, generator=torch_rng(derive(seed, "pool"), label, chunk))
