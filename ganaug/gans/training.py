"""Training a GAN: one loop for every pair of networks, resumable to the bit from a saved state.

What a step does is `gans/step.py`.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from ganaug.ahead import Tensors
from ganaug.augmentation import draw as draw_view
from ganaug.gans import cgan, diffaugment, infogan
from ganaug.gans.networks import build
from ganaug.gans.step import Step, follow
from ganaug.images import background, image_shape, to_float, to_uint8
from ganaug.precision import require
from ganaug.randomness import derive, torch_rng
from ganaug.specs import AnyGan, InfoGanSpec, ProjectionSpec, ViewsSpec, parse_da

State = dict[str, torch.Tensor]
Save = Callable[[Callable[[], State]], None]

CHECK_EVERY = 50  # steps between looks at the losses: a look waits for the device
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


def information_parts(spec: AnyGan) -> tuple[str, ...]:
    """What is noted of an InfoGAN beside the losses, all in nats: its categorical loss, ln K - cross-entropy, and what
    the codes of two views share.
    """
    if not isinstance(spec, InfoGanSpec):
        return ()
    return ("information", "bound", "shared") if spec.views.weight else ("information", "bound")


def penalty_due(spec: AnyGan, step: int) -> bool:
    """Whether R1 is paid in the step after `step` ones."""
    return bool(spec.r1) and step % spec.r1_every == 0


def _copied(net: nn.Module) -> State:
    return {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}


@torch.no_grad()
def pictured(generator: nn.Module, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Images of a generator that is in training, and stays so; uint8 (..., M, C, H, H) on the CPU."""
    generator.eval()
    images = to_uint8(generator(latent, labels)).cpu().contiguous()
    generator.train()
    return images


class Trainer(Step):
    """Networks, optimisers, average and random stream of one training; `state` and `load` carry all of it."""

    def __init__(
        self, spec: AnyGan, images: torch.Tensor, labels: torch.Tensor, n_classes: int, seed: int, device: str
    ) -> None:
        """images: uint8 (N, C, H, H); labels: int64 (N,)."""
        self.spec, self.n_classes, self.device = spec, n_classes, device
        self.side = images.shape[-1]
        self.fill = background(images)
        self.real = to_float(images).to(device)
        self.labels = labels.to(device)
        self.generator, self.discriminator = (
            net.to(device) for net in build(spec, n_classes, image_shape(images), seed)
        )
        self.average = copy.deepcopy(self.generator) if spec.ema else self.generator
        self.optimise_g, self.optimise_d = self.optimisers()
        self.rng = torch_rng(seed, "gan", "train")
        self.seed, self.step = seed, 0
        self.parts = ("generator", "discriminator", *information_parts(spec))
        self.history: list[tuple[float, ...]] = []  # step, then the losses in the order of `parts`
        self.due = snapshot_steps(spec.steps)
        self.snapshots: list[torch.Tensor] = []  # one for each step of `due` that has passed
        self.steps_to_keep = frozenset(checkpoint_steps(spec))
        self.checkpoints: dict[int, State] = {}
        self.few = torch.empty(0, dtype=torch.int64)  # the places of the labelled images that guide an InfoGAN
        if isinstance(spec, InfoGanSpec) and spec.guidance:
            self.few = infogan.labelled(labels, n_classes, spec.labels_per_class)
        self.decks: dict[int, torch.Tensor] = {}  # by epoch, of the last batch

    def _places(self, step: int) -> torch.Tensor:
        """A step's real images: the next cards of an endless deck; an epoch's shuffle depends on its number alone."""
        n, start = len(self.real), step * self.spec.batch
        epochs = range(start // n, (start + self.spec.batch - 1) // n + 1)
        self.decks = {
            e: self.decks[e]
            if e in self.decks
            else torch.randperm(n, generator=torch_rng(self.seed, "gan", "epoch", e))
            for e in epochs
        }
        return torch.cat(list(self.decks.values()))[start % n :][: self.spec.batch]

    def _random_labels(self) -> torch.Tensor:
        """Each class drawn twice, in the batch's two halves: `mode_seeking` compares images of one class."""
        half = torch.randint(self.n_classes, (-(-self.spec.batch // 2),), generator=self.rng)
        return torch.cat([half, half])[: self.spec.batch]

    def _shown(self, n: int, step: int) -> Tensors:
        """What happens to n images before and in the discriminator."""
        draws: Tensors = {}
        if isinstance(self.spec, ProjectionSpec):  # other GANs show images as they are
            seen = diffaugment.draw(n, self.side, self.spec.diffaugment, self.rng, step / self.spec.steps)
            draws |= {f"seen.{name}": drawn for name, drawn in seen.items()}
        if isinstance(self.discriminator, cgan.Discriminator):
            draws |= {f"kept.{i}": kept for i, kept in enumerate(self.discriminator.draw_kept(n, self.rng))}
        return draws

    def _viewed(self, views: ViewsSpec) -> Tensors:
        """Real images by their places, and what is done to them for two views of each."""
        draws = {"views.at": torch.randint(len(self.real), (views.images,), generator=self.rng)}
        for view in infogan.VIEWS:
            done = draw_view(views.images, parse_da(views.da), views.augmentation, self.rng, self.side)
            draws |= {f"views.{view}.{name}": drawn for name, drawn in done.items()}
        return draws

    def draw(self, step: int) -> Tensors:
        """All that chance decides of the step after `step` ones, on the CPU: places of real images `at` (N,), and for
        each network's update the `latent` vectors (N, D), `labels` (N,) and what the discriminator is shown.
        """
        spec = self.spec
        d: Tensors = {}
        if isinstance(spec, InfoGanSpec):
            d["labels"] = self._random_labels()
        d["latent"] = torch.randn(spec.batch, spec.latent, generator=self.rng)
        if isinstance(spec, InfoGanSpec) and spec.guidance:
            d["few"] = self.few[torch.randint(len(self.few), (spec.batch,), generator=self.rng)]
        if isinstance(spec, InfoGanSpec) and spec.views.weight:
            d |= self._viewed(spec.views)
        d |= self._shown(2 * spec.batch, step)
        g = {"labels": self._random_labels()}
        g["latent"] = torch.randn(spec.batch, spec.latent, generator=self.rng)
        g |= self._shown(spec.batch, step)
        named = {f"{net}.{name}": drawn for net, draws in (("d", d), ("g", g)) for name, drawn in draws.items()}
        return {"at": self._places(step)} | named

    def advance(self) -> tuple[torch.Tensor, ...]:
        """One step; the losses in the order of `parts`, still on the device."""
        draws = {name: drawn.to(self.device) for name, drawn in self.draw(self.step).items()}
        losses = self.update(draws, penalise=penalty_due(self.spec, self.step))
        self.step += 1
        if self.spec.ema:
            follow(self.average, self.generator, self.spec.ema, self.step)
        if self.step in self.due:
            self.snapshots.append(self._snapshot())
        if self.step in self.steps_to_keep:
            self.checkpoints[self.step] = _copied(self.average)
        return losses

    def _shot(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The latent vectors (M, D) and labels (M,) of a snapshot; nothing is drawn from the training's stream."""
        stream, m = derive(self.seed, "snapshot"), SNAPSHOT_PER_CLASS
        latent = [latent_for(stream, c, 0, m, self.spec.latent) for c in range(self.n_classes)]
        return torch.cat(latent), torch.arange(self.n_classes).repeat_interleave(m)

    def _snapshot(self) -> torch.Tensor:
        """What the generator in use would give now; changes nothing."""
        images = pictured(self.average, *(t.to(self.device) for t in self._shot()))
        return images.view(self.n_classes, SNAPSHOT_PER_CLASS, *images.shape[1:])

    def _parts(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def progress(self) -> State:
        """What `state` holds beside networks and optimisers."""
        out: State = {
            "step": torch.tensor(self.step),
            "rng": self.rng.get_state(),
            "history": torch.tensor(self.history, dtype=torch.float64).view(-1, 1 + len(self.parts)),
            "snapshots": torch.stack(self.snapshots) if self.snapshots else torch.empty(0, dtype=torch.uint8),
        }
        for step, weights in self.checkpoints.items():
            out |= {f"checkpoint.{step}.{k}": v for k, v in weights.items()}
        return out

    def trained(self, diverged: str) -> Trained:
        """What is left of the training; it cannot go on."""
        columns = map(list, zip(*self.history, strict=True))
        return Trained(
            generator=self.average.cpu().eval(),
            discriminator=self.discriminator.cpu().eval(),
            losses=dict(zip(("step", *self.parts), columns, strict=True)),
            diverged=diverged,
            snapshots=dict(zip(self.due, self.snapshots, strict=False)),
            checkpoints=self.checkpoints,
        )

    def state(self) -> State:
        """Everything the rest of the training depends on, as flat tensors."""
        out = self.progress()
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
    Training stops at the first loss that is not finite, and says so in `diverged`. UserError where the device lacks the
    precision.
    """
    require(spec.precision, device, "gan.precision")
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
    return trainer.trained(diverged)


def latent_for(seed: int, label: int, chunk: int, n: int, latent: int) -> torch.Tensor:
    """The latent vectors of one chunk of one class of a generator's stream, (n, latent)."""
    return torch.randn(n, latent, generator=torch_rng(derive(seed, "pool"), label, chunk))
