"""Images as torchvision's own data sets give them: PIL, one by one, transformed one by one."""

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

PLAIN = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])  # [-1, 1]


class Pictures(Dataset):
    """uint8 (N, 1, H, W) and labels (N,), as float tensors (1, H, W) in [-1, 1] and integers."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform=PLAIN) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return self.transform(Image.fromarray(self.images[index, 0])), int(self.labels[index])


def loader(images: np.ndarray, labels: np.ndarray, batch: int, seed: int, transform=PLAIN) -> DataLoader:
    """Shuffled whole batches. No worker processes: there is a trial on every core already."""
    rng = torch.Generator().manual_seed(seed)
    return DataLoader(Pictures(images, labels, transform), batch, shuffle=True, drop_last=True, generator=rng)


def endless(batches: DataLoader):
    """Its batches, epoch after epoch."""
    while True:
        yield from batches
