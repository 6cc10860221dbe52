"""What one member of a batched model takes of a device's memory, and how much of it this process may use.

A guess, so that a group of members begins at a size that fits: weights, their gradients, moments and average, and what
the layers of a network give for one batch. Where a device counts what is allocated, the first group's peak takes the
guess's place.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import torch
from torch import nn

from ganaug import specs
from ganaug.classifiers import networks as classifiers
from ganaug.gans import networks as gans
from ganaug.gans.infogan import Discriminator as Reader

CPU_BYTES = 2 << 30  # what a group may take on a CPU, where nobody says how much is this process's
USED = 0.8  # of what there is: fragments and libraries take the rest
FLOAT = 4
PER_WEIGHT = 5 * FLOAT  # itself, its gradient, two moments, and a GAN's average
PER_OUTPUT = 3 * FLOAT  # a layer's output, what an activation makes of it, and a gradient

Shape = tuple[int, int, int]


def _outputs(net: nn.Module, *inputs: torch.Tensor, ask: Callable[..., object] | None = None) -> int:
    """How many numbers the layers of a network give, all together, for these inputs; by a call of it, or by `ask`."""
    total = 0

    def count(layer: nn.Module, given: object, made: object) -> None:
        nonlocal total
        total += made.numel() if isinstance(made, torch.Tensor) else 0

    hooks = [m.register_forward_hook(count) for m in net.modules() if not list(m.children())]
    net.eval()
    with torch.no_grad():
        (ask or net)(*inputs)
    for hook in hooks:
        hook.remove()
    return total


def _weights(nets: Iterable[nn.Module]) -> int:
    return sum(p.numel() for net in nets for p in net.parameters())


@lru_cache(64)
def of_classifier(spec: specs.ClassifierSpec, shape: Shape, n_classes: int) -> int:
    """Bytes of one classifier in training, beside its images."""
    net = classifiers.build(spec, shape, n_classes, 0)
    return PER_WEIGHT * _weights([net]) + PER_OUTPUT * spec.batch * _outputs(net, torch.zeros(1, *shape))


@lru_cache(64)
def of_gan(spec: specs.AnyGan, shape: Shape, n_classes: int) -> int:
    """Bytes of one GAN in training, beside its images: real and generated ones are in one batch, and so are views."""
    generator, discriminator = gans.build(spec, n_classes, shape, 0)
    label = torch.zeros(1, dtype=torch.int64)
    made = _outputs(generator, torch.zeros(1, spec.latent), label)
    image = torch.zeros(1, *shape)
    judged, viewed = _outputs(discriminator, image, label), 0
    if isinstance(discriminator, Reader):
        judged = _outputs(discriminator, image, ask=discriminator.read)
        if discriminator.spec.views.weight:
            viewed = 2 * discriminator.spec.views.images * _outputs(discriminator, image, ask=discriminator.reading)
    outputs = 2 * spec.batch * (made + judged) + viewed
    return PER_WEIGHT * _weights([generator, discriminator]) + PER_OUTPUT * outputs


def room(device: str, share: float = 1.0) -> int:
    """Bytes that a group may take now. share: of a GPU, which this process may use."""
    if not device.startswith("cuda"):
        return CPU_BYTES
    free, total = torch.cuda.mem_get_info()
    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # free again, within this process
    own = share * total - torch.cuda.memory_allocated()
    return int(USED * max(0.0, min(free + kept, own)))


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory was not enough: the device's, or the machine's."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)
