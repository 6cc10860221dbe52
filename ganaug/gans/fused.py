"""Training several GANs of one spec together. Here one after the other; what a batched model gives, they give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ganaug.gans.training import State, Trained, train
from ganaug.specs import AnyGan

SaveAll = Callable[[Callable[[], list[State]]], None]


@dataclass(frozen=True)
class GanMember:
    """uint8 (N, C, H, H), int64 (N,), a seed, and the state to go on from."""

    images: torch.Tensor
    labels: torch.Tensor
    seed: int
    state: State | None = None


def train_together(
    spec: AnyGan, members: Sequence[GanMember], n_classes: int, device: str = "cpu", save: SaveAll | None = None
) -> list[Trained]:
    """What `train` gives, for every member; `save` is handed a way to all their states as `train` hands it one."""
    states: list[State] = [m.state or {} for m in members]
    done: list[Trained] = []
    for i, m in enumerate(members):

        def keep(state: Callable[[], State], i: int = i) -> None:
            states[i] = state()
            if save is not None and all(states):
                save(lambda: states)

        done.append(train(spec, m.images, m.labels, n_classes, m.seed, device, m.state, keep))
    return done
