"""What a classifier does to every image before its first layer: Keras' standardisation, as the first part of a network.

It is preprocessing, not augmentation: nothing is random, and training, validation and test images get the same. As part
of the network it comes after the augmentation, its statistics are kept with the weights, and whoever asks the
classifier, a judge or the measurement, cannot forget it.
"""

from collections.abc import Callable

import torch
from torch import nn

from ganaug.dotted import resolve, source_digest
from ganaug.specs import PreprocessingSpec

EPSILON = 1e-6  # Keras': added to a standard deviation


class Preprocessing(nn.Module):
    """float (N, C, H, W) in [-1, 1], or (K, N, C, H, W) of members, -> what the network sees: grey levels 0 to 255,
    standardised as the spec says.

    `mean` and `std` (C, 1, 1) are of the training images; `learn` fills them in. RuntimeError where the source of the
    user's function is no longer the one that the spec was made with.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, spec: PreprocessingSpec, channels: int) -> None:
        super().__init__()
        self.spec = spec
        self.function: Callable[[torch.Tensor], torch.Tensor] | None = None
        if spec.function is not None:
            if source_digest(spec.function) != spec.function_sha256:
                raise RuntimeError(f"{spec.function} is not the function of the study any more: its source differs")
            self.function = resolve(spec.function)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))

    def _own(self, x: torch.Tensor) -> torch.Tensor:
        """The part that needs no statistics of other images."""
        x = (x + 1) * 127.5
        if self.function is not None:
            shape = x.shape
            x = self.function(x) if x.dim() == 4 else torch.stack([self.function(own) for own in x])
            if x.shape != shape or not x.is_floating_point():
                raise ValueError(
                    f"{self.spec.function} must return float (N, C, H, W) of the shape it is given, {tuple(shape)}, "
                    f"got {tuple(x.shape)} {x.dtype}"
                )
        if self.spec.rescale is not None:
            x = x * self.spec.rescale
        if self.spec.samplewise_center:
            x = x - x.mean(dim=(-3, -2, -1), keepdim=True)
        if self.spec.samplewise_std:
            x = x / (x.std(dim=(-3, -2, -1), correction=0, keepdim=True) + EPSILON)
        return x

    @torch.no_grad()
    def learn(self, images: torch.Tensor, chunk: int = 1000) -> None:
        """Take the statistics from training images (N, C, H, W) in [-1, 1], after all that comes before them."""
        if not self.spec.featurewise_center:
            return
        n, total, squares = 0, *torch.zeros(2, len(self.mean), dtype=torch.float64)
        for part in images.split(chunk):
            x = self._own(part).double()
            n, total = n + x[:, 0].numel(), total + x.sum(dim=(0, 2, 3)).cpu()
            squares = squares + (x**2).sum(dim=(0, 2, 3)).cpu()
        mean = total / n
        self.mean.copy_(mean.view(-1, 1, 1))
        if self.spec.featurewise_std:
            self.std.copy_((squares / n - mean**2).clamp(min=0).sqrt().view(-1, 1, 1) + EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):  # float32, whatever the network computes in
            return (self._own(x) - self.mean.unsqueeze(-4)) / self.std.unsqueeze(-4)


def preprocessing(spec: PreprocessingSpec, channels: int) -> nn.Module:
    """The network's first part; one that does nothing where the spec is the default."""
    return nn.Identity() if spec == PreprocessingSpec() else Preprocessing(spec, channels)
