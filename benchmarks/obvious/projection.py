"""ganaug's projection GAN by a straightforward loop: real and generated images apart, nothing frozen, plain Adam.

Networks, losses and augmentation are ganaug's own; the memory format is PyTorch's default.
"""

import copy

import numpy as np
import torch
from torch.nn.functional import leaky_relu, relu

from benchmarks.obvious.data import endless, loader
from ganaug.gans import projection
from ganaug.gans.diffaugment import diffaugment
from ganaug.gans.losses import mode_seeking
from ganaug.images import background
from ganaug.specs import ProjectionSpec


class Generator(projection.Generator):
    def forward(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = self.first(torch.cat([latent, self.embed(labels)], 1)).view(len(latent), -1, self.base, self.base)
        x = relu(self.norms[0](x, labels))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            x = relu(norm(conv(x), labels))
        return self.out(x).tanh()


class Discriminator(projection.Discriminator):
    def forward(self, images: torch.Tensor, labels: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
        x = images
        for conv in self.convs:
            x = leaky_relu(conv(x), 0.1)
        features = x.sum((2, 3))
        return self.score(features).squeeze(1) + (self.embed(labels) * features).sum(1)


def train(
    images: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, steps: int, spec: ProjectionSpec
) -> tuple[Generator, Discriminator]:
    """The averaged generator and the discriminator after so many steps on uint8 (N, C, H, H)."""
    torch.manual_seed(seed)
    shape = images.shape[1:]
    generator, discriminator = Generator(spec, n_classes, shape), Discriminator(spec, n_classes, shape)
    average = copy.deepcopy(generator)
    betas = (spec.beta1, spec.beta2)
    optimise_g = torch.optim.Adam(generator.parameters(), lr=spec.learning_rate, betas=betas)
    optimise_d = torch.optim.Adam(discriminator.parameters(), lr=spec.discriminator_learning_rate, betas=betas)
    fill, rng = background(images), torch.Generator().manual_seed(seed)

    def seen(x: torch.Tensor) -> torch.Tensor:
        return diffaugment(x, spec.diffaugment, fill, rng)

    batch = min(spec.batch, len(images))
    for step, (real, y) in zip(range(steps), endless(loader(images, labels, batch, seed)), strict=False):
        optimise_d.zero_grad()
        fake = generator(torch.randn(batch, spec.latent), y).detach()
        on_real, on_fake = discriminator(seen(real), y), discriminator(seen(fake), y)
        (relu(1 - on_real).mean() + relu(1 + on_fake).mean()).backward()
        optimise_d.step()

        optimise_g.zero_grad()
        half = torch.randint(0, n_classes, (-(-batch // 2),))
        asked, latent = torch.cat([half, half])[:batch], torch.randn(batch, spec.latent)
        fake = generator(latent, asked)
        loss = -discriminator(seen(fake), asked).mean() + spec.mode_seeking * mode_seeking(fake, latent)
        loss.backward()
        optimise_g.step()

        with torch.no_grad():
            decay = min(spec.ema, (step + 1) / (step + 11))
            for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
                kept.mul_(decay).add_(new, alpha=1 - decay)
            for kept, new in zip(average.buffers(), generator.buffers(), strict=True):
                kept.copy_(new)
    return average.eval(), discriminator.eval()
