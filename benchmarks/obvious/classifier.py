"""The small convolutional classifier, trained from a DataLoader."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.obvious.data import PLAIN, Pictures, endless, loader


def network(side: int, n_classes: int, width: int) -> nn.Sequential:
    """`cnn` of ganaug: convolutions of width and 2 width, each halved, and two dense layers."""
    layers: list[nn.Module] = []
    before, n = 1, 0
    while side > 8 or n < 2:
        after = width if n == 0 else 2 * width
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        before, side, n = after, side // 2, n + 1
    flat = before * side * side
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, 4 * width), nn.ReLU(), nn.Linear(4 * width, n_classes))


def train(
    images: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, updates: int, batch: int, width: int = 32,
    transform=PLAIN,
) -> nn.Module:  # fmt: skip
    """Trained on uint8 (N, 1, H, H) for so many updates."""
    torch.manual_seed(seed)
    net = network(images.shape[-1], n_classes, width)
    net.train()
    criterion = nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=updates + 1)
    running = 0.0
    batches = endless(loader(images, labels, min(batch, len(images)), seed, transform))
    for _, (x, y) in zip(range(updates), batches, strict=False):
        optimiser.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimiser.step()
        schedule.step()
        running += loss.item()
    return net


@torch.no_grad()
def accuracy(net: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Per cent right of uint8 (N, 1, H, H)."""
    net.eval()
    right = 0
    for x, y in DataLoader(Pictures(images, labels), 500):
        right += int((net(x).argmax(1) == y).sum())
    return 100 * right / len(labels)
