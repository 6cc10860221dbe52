"""Several GANs of one spec trained as one: members that differ in seed and images.

Each member draws what it would draw alone, and is in the same state as it would be alone after as many steps, but for
the order in which numbers are added up; its state may be taken over by `gans.training.train`, and the other way round.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from ganaug.ahead import Replayed, Tensors, ahead, on_stream
from ganaug.gans import training
from ganaug.gans.step import Step, follow
from ganaug.gans.training import SNAPSHOT_PER_CLASS, State, Trained, Trainer, penalty_due, pictured
from ganaug.images import image_shape, to_float
from ganaug.members import Convolution, member, stack
from ganaug.precision import require
from ganaug.specs import AnyGan

Save = Callable[[Callable[[], list[State | None]]], None]


@dataclass(frozen=True)
class GanMember:
    """What one GAN learns from, as `gans.training.train` takes it."""

    images: torch.Tensor  # uint8 (N, C, H, H)
    labels: torch.Tensor  # int64 (N,)
    seed: int
    state: State | None = None


class Together(Step):
    """Trainers at the same step as one, on a device. They keep their random streams, history and pictures; `spread`
    puts weights and moments back into them. `running` says which of them still train: the others stay as they were.
    """

    def __init__(
        self, trainers: Sequence[Trainer], images: Sequence[torch.Tensor], device: str, how: Convolution, graph: bool
    ) -> None:
        first = trainers[0]
        self.trainers, self.spec, self.device, self.step = trainers, first.spec, device, first.step
        self.running = [True] * len(trainers)
        self.real = torch.cat(list(images)).to(device)  # uint8: a quarter of the room
        self.labels = torch.cat([t.labels for t in trainers]).to(device)
        self.fill = torch.stack([t.fill for t in trainers]).to(device)
        self.first = torch.tensor([0, *(len(t.labels) for t in trainers)]).cumsum(0)
        self.generator, self.discriminator = (
            stack([getattr(t, name) for t in trainers], how).to(device) for name in ("generator", "discriminator")
        )
        self.average = self.generator
        if self.spec.ema:
            self.average = stack([t.average for t in trainers], how).to(device)
        self.optimise_g, self.optimise_d = self.optimisers(capturable=torch.device(device).type == "cuda")
        for name in ("optimise_g", "optimise_d"):
            self._gather(getattr(self, name), [getattr(t, name) for t in trainers])
        latent, labels = (torch.stack(part).to(device) for part in zip(*(t._shot() for t in trainers), strict=True))
        self.shot = latent, labels
        self.rngs: dict[int, list[torch.Tensor]] = {}  # the streams' states after the steps that are looked at
        self.steps = {due: Replayed(partial(self._losses, due), device, graph) for due in (False, True)}

    def _gather(self, whole: torch.optim.Optimizer, own: Sequence[torch.optim.Optimizer]) -> None:
        """Give stacked weights the moments of their members'."""
        each = [[o.state[p] for p in o.param_groups[0]["params"]] for o in own]
        for weight, moments in zip(whole.param_groups[0]["params"], zip(*each, strict=True), strict=True):
            for name in moments[0]:
                if name == "step":
                    whole.state[weight][name] = moments[0][name].clone().to(self.device)
                else:  # laid out in memory like its weight, as fused Adam takes for granted
                    stacked = torch.stack([m[name] for m in moments])
                    whole.state[weight][name] = torch.empty_like(weight).copy_(stacked)

    def _images(self, at: torch.Tensor) -> torch.Tensor:
        return to_float(self.real[at])

    def _losses(self, penalise: bool, draws: Tensors) -> Tensors:
        return {"losses": torch.stack(self.update(draws, penalise))}

    def _draws(self, until: int) -> Iterator[Tensors]:
        for step in range(self.step, until):
            each = [t.draw(step) for t in self.trainers]
            together = {name: torch.stack([d[name] for d in each]) for name in each[0]}
            for name in ("at", "d.few", "d.views.at"):
                if name in together:
                    together[name] += self.first[:-1, None]
            if (step + 1) % training.CHECK_EVERY == 0 or step + 1 == until:
                self.rngs[step + 1] = [t.rng.get_state() for t in self.trainers]
            yield together

    def until(self, last: int, save: Callable[[], None] | None) -> None:
        """Train up to step `last`, or until no member is left; `save` is called where states may be taken."""
        for draws in ahead(self._draws(last), self.device):
            losses = self.steps[penalty_due(self.spec, self.step)](draws)["losses"]
            self.step += 1
            if self.spec.ema:
                follow(self.average, self.generator, self.spec.ema, self.step)
            self._keep()
            if self.step % training.CHECK_EVERY == 0 or self.step == self.spec.steps:
                self._look(losses)
                if not any(self.running):
                    return
                if save is not None and self.step < self.spec.steps:
                    save()
                self.rngs = {step: states for step, states in self.rngs.items() if step >= self.step}
        for k, running in enumerate(self.running):
            if running:
                self.spread(k)

    def _keep(self) -> None:
        """Pictures and generators that are due."""
        running = [(k, t) for k, t in enumerate(self.trainers) if self.running[k]]
        if self.step in self.trainers[0].due:
            images = pictured(self.average, *self.shot)
            for k, t in running:
                t.snapshots.append(images[k].view(t.n_classes, SNAPSHOT_PER_CLASS, *images.shape[2:]))
        if self.step in self.trainers[0].steps_to_keep:
            for k, t in running:
                t.checkpoints[self.step] = self._own(self.average, k)

    def _look(self, losses: torch.Tensor) -> None:
        """Note the losses (parts, K) of those that run; one that is not finite ends its member's training."""
        for k, noted in enumerate(losses.T.tolist()):
            if self.running[k]:
                self.trainers[k].history.append((self.step, *noted))
                if not all(map(math.isfinite, noted)):
                    self.spread(k)
                    self.running[k] = False

    def _own(self, whole: nn.Module, k: int) -> State:
        return {name: value.detach().cpu().clone() for name, value in member(whole, k).items()}

    def spread(self, k: int) -> None:
        """Put weights, moments, step and stream of one member back into its trainer."""
        trainer = self.trainers[k]
        trainer.load(self.state(k))

    def state(self, k: int) -> State:
        """What `Trainer.state` would say of one member; at a step whose losses were looked at, or the last."""
        trainer = self.trainers[k]
        out = trainer.progress() | {"step": torch.tensor(self.step), "rng": self.rngs[self.step][k]}
        for name in ("generator", "discriminator", "average"):
            out |= {f"{name}.{key}": value for key, value in self._own(getattr(self, name), k).items()}
        for name, optimiser in (("adam_g", self.optimise_g), ("adam_d", self.optimise_d)):
            for i, weight in enumerate(optimiser.param_groups[0]["params"]):
                for key, value in optimiser.state[weight].items():
                    out[f"{name}.{i}.{key}"] = (value if key == "step" else value[k]).detach().cpu().clone()
        return out


def _phases(trainers: Sequence[Trainer], steps: int) -> Iterator[tuple[list[int], int]]:
    """Who trains together up to which step: those behind until they have caught up with the next, and so on."""
    at = sorted({t.step for t in trainers if t.step < steps})
    for step, following in zip(at, [*at[1:], steps], strict=True):
        yield [k for k, t in enumerate(trainers) if t.step <= step], following


def _save(save: Save, together: Together, trainers: Sequence[Trainer], diverged: Sequence[str]) -> None:
    """Offer the states of all trainers, also of those that do not train now."""

    def states() -> list[State | None]:
        now = {id(t): k for k, t in enumerate(together.trainers)}
        found: list[State | None] = []
        for t, why in zip(trainers, diverged, strict=True):
            k = now.get(id(t))
            stopped = bool(why) if k is None else not together.running[k]
            found.append(None if stopped else t.state() if k is None else together.state(k))
        return found

    save(states)


def train_together(
    spec: AnyGan,
    members: Sequence[GanMember],
    n_classes: int,
    device: str = "cpu",
    save: Save | None = None,
    how: Convolution = "grouped",
    graph: bool = True,
) -> list[Trained]:
    """Train all members for `spec.steps` steps; for each what `gans.training.train` gives.

    They may differ in everything but the image's shape, else ValueError. Those whose states are of an earlier step
    catch up first. One that diverges stops, and leaves the others untouched.
    save: handed a way to all members' states every `CHECK_EVERY` steps, None for one that has diverged.
    how: of convolutions, see `ganaug.members`.  graph: on a GPU steps are recorded once and replayed.
    UserError where the device lacks the precision.
    """
    require(spec.precision, device, "gan.precision")
    shapes = {image_shape(m.images) for m in members}
    if len(shapes) != 1:
        raise ValueError(f"GANs train together with one image shape, got {sorted(shapes)}")
    trainers = [Trainer(spec, m.images, m.labels, n_classes, m.seed, "cpu") for m in members]
    for trainer, m in zip(trainers, members, strict=True):
        if m.state is not None:
            trainer.load(m.state)
    diverged = [""] * len(members)
    for catching_up, last in _phases(trainers, spec.steps):
        group = [k for k in catching_up if not diverged[k]]
        if not group:
            continue
        with on_stream(device):
            together = Together([trainers[k] for k in group], [members[k].images for k in group], device, how, graph)

            together.until(last, partial(_save, save, together, trainers, diverged) if save else None)
        for k, running in zip(group, together.running, strict=True):
            if not running:
                diverged[k] = f"a loss is not finite at step {trainers[k].step}"
    return [t.trained(why) for t, why in zip(trainers, diverged, strict=True)]
