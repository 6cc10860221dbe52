"""Networks trained on ImageNet: Inception, whose features and classes FID, KID and IS are defined by, and ResNet-50.

Weights come from a file and are read without running anything in it (`weights_only`).
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ganaug.errors import UserError
from ganaug.metrics.extractor import Extracted
from ganaug.stages import LocalFile

BATCH = 25
MAX_BYTES = 1 << 30  # of a file of weights; the largest has a tenth of that


def _state(file: LocalFile, key: str) -> dict[str, torch.Tensor]:
    """The tensors of a file, once it is known to be the one the study was planned with."""
    try:
        if (size := os.stat(file.path).st_size) > MAX_BYTES:
            raise UserError(f"{key}: {file.path} must have at most {MAX_BYTES} bytes, got {size}; replace it")
        data = Path(file.path).read_bytes()
    except OSError as error:
        raise UserError(f"{key}: {file.path} cannot be read on this machine: {error.strerror}; put it there") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise UserError(f"{key}: {file.path} has changed since the study was planned; run the study again")
    try:
        found = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # the unpickler refuses in a dozen ways
        why = " ".join(str(error).split())[:80] or type(error).__name__
        raise UserError(f"{key}: {file.path} must be a PyTorch file of weights, got “{why}”; replace it") from None
    if not isinstance(found, dict):
        raise UserError(f"{key}: {file.path} must hold weights by name, got {type(found).__name__}; replace it")
    if odd := [k for k, v in found.items() if not isinstance(k, str) or not isinstance(v, torch.Tensor)]:
        raise UserError(f"{key}: {file.path} must hold tensors by name, got {str(odd[0])[:40]!r}, no such; replace it")
    return found


def _misfit(key: str, file: LocalFile, network: str, error: RuntimeError) -> UserError:
    why = str(error).splitlines()[1].strip()[:100] if len(str(error).splitlines()) > 1 else str(error)[:100]
    return UserError(f"{key}: {file.path} does not hold the weights of {network}: {why}; replace it")


def _colour(images: np.ndarray) -> torch.Tensor:
    """uint8 (N, 1 or 3, H, W) -> (N, 3, H, W)."""
    return torch.from_numpy(np.broadcast_to(images, (len(images), 3, *images.shape[2:])).copy())


@dataclass(frozen=True)
class Inception:
    """torch-fidelity's InceptionV3: the 2,048 features before the logits, and the logits without their bias."""

    net: nn.Module
    device: str = "cpu"
    name: str = "inception"

    @classmethod
    def read(cls, file: LocalFile, device: str = "cpu") -> "Inception":
        """The network with the weights of a file. UserError where it is another's, or torch-fidelity is missing."""
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError:
            raise UserError(
                "assess.features: inception needs torch-fidelity; install ganaug[inception], or take classifier"
            ) from None
        safe = io.BytesIO()
        torch.save(_state(file, "assess.weights"), safe)  # it unpickles what it is given: tensors, after this
        safe.seek(0)
        try:
            net = FeatureExtractorInceptionV3(
                "ganaug", ["2048", "logits_unbiased"], feature_extractor_weights_path=safe
            )
        except RuntimeError as error:
            raise _misfit("assess.weights", file, "torch-fidelity’s InceptionV3", error) from None
        return cls(net.to(device), device)

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> Extracted:
        features, logits = [], []
        for i in range(0, len(images), BATCH):
            layer, out = self.net(_colour(images[i : i + BATCH]).to(self.device))
            features.append(layer.cpu())
            logits.append(out.cpu())
        return Extracted(torch.cat(features).numpy(), torch.cat(logits).numpy())


@torch.no_grad()
def resnet_probabilities(images: np.ndarray, file: LocalFile, device: str = "cpu") -> tuple[np.ndarray, list[str]]:
    """What ResNet-50 calls uint8 (N, C, H, W): probabilities float32 (N, 1000), and the names of the classes."""
    from torchvision.models import ResNet50_Weights, resnet50

    weights = ResNet50_Weights.IMAGENET1K_V2
    net = resnet50()
    try:
        net.load_state_dict(_state(file, "assess.imagenet"))
    except RuntimeError as error:
        raise _misfit("assess.imagenet", file, "torchvision’s ResNet-50", error) from None
    net = net.to(device).eval()
    prepare = weights.transforms()
    out = [
        net(prepare(_colour(images[i : i + BATCH])).to(device)).softmax(1).cpu() for i in range(0, len(images), BATCH)
    ]
    return torch.cat(out).numpy(), list(weights.meta["categories"])
