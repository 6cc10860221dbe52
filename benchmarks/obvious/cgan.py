"""The conditional GAN of the tutorials, generator first, as they train it."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from benchmarks.obvious.data import endless, loader


class Generator(nn.Module):
    def __init__(self, n_classes: int, side: int, latent: int = 100, width: int = 128) -> None:
        super().__init__()
        self.side = side
        self.embed = nn.Embedding(n_classes, n_classes)
        layers: list[nn.Module] = [nn.Linear(latent + n_classes, width), nn.LeakyReLU(0.2, inplace=True)]
        for a, b in pairwise((width, 2 * width, 4 * width, 8 * width)):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Linear(8 * width, side * side), nn.Tanh())

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([z, self.embed(labels)], 1)).view(-1, 1, self.side, self.side)


class Discriminator(nn.Module):
    def __init__(self, n_classes: int, side: int, width: int = 512) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_classes, n_classes)
        self.layers = nn.Sequential(
            nn.Linear(n_classes + side * side, width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, width),
            nn.Dropout(0.4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, width),
            nn.Dropout(0.4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, 1),
        )

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([images.flatten(1), self.embed(labels)], 1))


def train(images: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, steps: int, batch: int = 64) -> nn.Module:
    """The generator after so many steps on uint8 (N, 1, H, H)."""
    torch.manual_seed(seed)
    side = images.shape[-1]
    generator, discriminator = Generator(n_classes, side), Discriminator(n_classes, side)
    criterion = nn.BCEWithLogitsLoss()
    optimise_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimise_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    valid, fake = torch.ones(batch, 1), torch.zeros(batch, 1)
    for _, (real, y) in zip(range(steps), endless(loader(images, labels, batch, seed)), strict=False):
        optimise_g.zero_grad()
        z, asked = torch.randn(batch, 100), torch.randint(0, n_classes, (batch,))
        generated = generator(z, asked)
        g_loss = criterion(discriminator(generated, asked), valid)
        g_loss.backward()
        optimise_g.step()

        optimise_d.zero_grad()
        on_real = criterion(discriminator(real, y), valid)
        on_fake = criterion(discriminator(generated.detach(), asked), fake)
        d_loss = (on_real + on_fake) / 2
        d_loss.backward()
        optimise_d.step()
    return generator.eval()
