"""Several networks of one architecture as one: members that differ in weights and data train side by side.

Launching small kernels one network at a time leaves a GPU idle (HFTA: Wang et al. 2021, arXiv:2102.02344). `stack` puts
K networks into one whose layers hold every member's weights, one dimension in front; what goes through it has the same
dimension in front, (K, N, ...). The networks' own code serves both, since it counts dimensions from the back.

Images are laid out in memory as (N, H, W, K, C), whatever their shape says: then a convolution of all members is one of
K groups and batch norm, which is per channel anyway, is one per member, both without a copy. Members do not mix
anywhere: a loss that is not finite stays its member's own.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

Net = TypeVar("Net", bound=nn.Module)
Convolution = Literal["grouped", "unfold"]
State = dict[str, torch.Tensor]


def joined(x: torch.Tensor) -> torch.Tensor:
    """(K, N, C, ...) -> (N, K C, ...): members' channels side by side."""
    return x.transpose(0, 1).flatten(1, 2)


def parted(x: torch.Tensor, k: int) -> torch.Tensor:
    """The inverse of `joined` for k members."""
    return x.unflatten(1, (k, -1)).transpose(0, 1)


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """Images (N, C, H, W), or of members (K, N, C, H, W), in the memory layout that convolutions are fastest in."""
    if x.dim() == 4:
        return x.contiguous(memory_format=torch.channels_last)
    return parted(joined(x).contiguous(memory_format=torch.channels_last), len(x))


def halved(x: torch.Tensor) -> torch.Tensor:
    """Max pooling of 2 x 2 pixels, (N, C, H, W) or (K, N, C, H, W)."""
    if x.dim() == 4:
        return functional.max_pool2d(x, 2)
    return parted(functional.max_pool2d(joined(x), 2), len(x))


def _stacked(layers: Sequence[nn.Module], name: str) -> torch.Tensor:
    """One parameter of all members, (K, ...); channels last where the members' own is."""
    own = [layer.get_parameter(name).detach() for layer in layers]
    if own[0].dim() == 4:
        return torch.stack([w.permute(0, 2, 3, 1) for w in own]).permute(0, 1, 4, 2, 3)
    return torch.stack(own)


class _Layer(nn.Module):
    """A layer of K members: the same parameters, by the same names and in the same order, one dimension in front."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.k = len(layers)
        normed = parametrize.is_parametrized(layers[0], "weight")
        weight = "parametrizations.weight.original" if normed else "weight"
        known = dict(layers[0].named_parameters())
        for name, source in (("weight", weight), ("bias", "bias")):
            self.register_parameter(name, nn.Parameter(_stacked(layers, source)) if source in known else None)
        if normed:
            norms = [layer.get_submodule("parametrizations.weight.0") for layer in layers]
            parametrize.register_parametrization(self, "weight", _SpectralNorm(norms), unsafe=True)


class _SpectralNorm(nn.Module):
    """PyTorch's own spectral norm of weights (K, out, ...), one power iteration a forward pass while training."""

    _u: torch.Tensor
    _v: torch.Tensor

    def __init__(self, norms: Sequence[nn.Module]) -> None:
        super().__init__()
        self.eps = float(norms[0].eps)  # type: ignore[arg-type]
        for name in ("_u", "_v"):
            self.register_buffer(name, torch.stack([norm.get_buffer(name) for norm in norms]))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        flat = weight.flatten(2)  # (K, out, rest)
        if self.training:
            with torch.no_grad():
                self._u.copy_(functional.normalize(_times(flat, self._v), dim=1, eps=self.eps))
                self._v.copy_(functional.normalize(_times(flat.mT, self._u), dim=1, eps=self.eps))
        u, v = self._u.clone(), self._v.clone()  # a later pass moves them before this one's gradient is asked for
        sigma = (u * _times(flat, v)).sum(1)
        return weight / sigma.view(-1, *[1] * (weight.dim() - 1))


def _times(matrix: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    return torch.bmm(matrix, vector[:, :, None])[:, :, 0]


class Linear(_Layer):
    """(K, N, in) -> (K, N, out)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # weights on the left: then their gradient comes out laid out as they are, and is not copied into place
        weight, bias = self.weight, self.bias
        return (torch.bmm(weight, x.mT) if bias is None else torch.baddbmm(bias[:, :, None], weight, x.mT)).mT


class Embedding(_Layer):
    """Labels (K, N) -> (K, N, d)."""

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        weight = self.weight  # once: with spectral norm each look at it is a power iteration
        first = torch.arange(self.k, device=labels.device)[:, None] * weight.shape[1]
        return functional.embedding(labels + first, weight.flatten(0, 1))


class Norm(_Layer):
    """Batch norm of (K, N, C, ...), each member's over its own batch and with its own running statistics."""

    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor

    def __init__(self, layers: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        super().__init__(layers)
        self.momentum, self.eps = layers[0].momentum or 0.0, layers[0].eps
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, torch.stack([layer.get_buffer(name) for layer in layers]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        statistics = self.running_mean.view(-1), self.running_var.view(-1)
        weight, bias = (None if p is None else p.flatten() for p in (self.weight, self.bias))
        if self.training:
            self.num_batches_tracked.add_(1)
        x = joined(x)
        return parted(
            functional.batch_norm(x, *statistics, weight, bias, self.training, self.momentum, self.eps), self.k
        )


class GroupNorm(_Layer):
    """Group norm of (K, N, C, ...): each image by itself."""

    def __init__(self, layers: Sequence[nn.GroupNorm]) -> None:
        super().__init__(layers)
        self.groups, self.eps = layers[0].num_groups, layers[0].eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = functional.group_norm(x.flatten(0, 1), self.groups, eps=self.eps).view(x.shape)
        own = (self.k, 1, -1, *[1] * (x.dim() - 3))
        normal = normal * self.weight.view(own)
        return normal if self.bias is None else normal + self.bias.view(own)


class _Convolved(_Layer):
    """What a convolution of members and a transposed one share."""

    def __init__(self, layers: Sequence[nn.Conv2d | nn.ConvTranspose2d], how: Convolution) -> None:
        super().__init__(layers)
        first = layers[0]
        self.how, self.kernel, self.stride = how, first.kernel_size, first.stride
        self.padding = (int(first.padding[0]), int(first.padding[1]))


class Conv(_Convolved):
    """(K, N, C, H, W) -> (K, N, out, H', W'): a convolution of K groups, or patches times weights."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight, self.bias
        if self.how == "grouped":
            flat = None if bias is None else bias.flatten()
            x = functional.conv2d(joined(x), weight.flatten(0, 1), flat, self.stride, self.padding, groups=self.k)
            return parted(x, self.k)
        height, width = (
            (side + 2 * p - size) // s + 1
            for side, p, size, s in zip(x.shape[-2:], self.padding, self.kernel, self.stride, strict=True)
        )
        patches = functional.unfold(joined(x), self.kernel, padding=self.padding, stride=self.stride)
        x = torch.einsum("kof,nkfl->knol", weight.flatten(2), patches.unflatten(1, (self.k, -1)))
        return (x if bias is None else x + bias[:, None, :, None]).unflatten(3, (height, width))


class ConvTranspose(_Convolved):
    """(K, N, C, H, W) -> (K, N, out, H', W'), as `Conv`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight, self.bias
        if self.how == "grouped":
            flat = None if bias is None else bias.flatten()
            x = functional.conv_transpose2d(
                joined(x), weight.flatten(0, 1), flat, self.stride, self.padding, groups=self.k
            )
            return parted(x, self.k)
        sides = tuple(
            (side - 1) * s - 2 * p + size
            for side, p, size, s in zip(x.shape[-2:], self.padding, self.kernel, self.stride, strict=True)
        )
        patches = torch.einsum("kcf,kncl->nkfl", weight.flatten(2), x.flatten(3))
        x = functional.fold(patches.flatten(1, 2), sides, self.kernel, padding=self.padding, stride=self.stride)
        x = parted(x, self.k)
        return x if bias is None else x + bias[:, None, :, None, None]


def _layer(layers: Sequence[nn.Module], how: Convolution) -> nn.Module | None:
    """The layer of all members, or None for a module that is only what its parts are."""
    makers: dict[type[nn.Module], Callable[..., nn.Module]] = {
        nn.Linear: Linear,
        nn.Embedding: Embedding,
        nn.BatchNorm1d: Norm,
        nn.BatchNorm2d: Norm,
        nn.GroupNorm: GroupNorm,
        nn.Conv2d: lambda own: Conv(own, how),
        nn.ConvTranspose2d: lambda own: ConvTranspose(own, how),
    }
    for kind, make in makers.items():
        if isinstance(layers[0], kind):
            return make(layers)
    return None


def stack(nets: Sequence[Net], how: Convolution = "grouped") -> Net:
    """K networks as one, from (K, N, ...) to (K, N, ...), on their device and in their mode; they are left as they are.

    `how` is the way of its convolutions: `unfold` is for devices where those of many groups are slow.
    """
    whole = copy.deepcopy(nets[0])
    done: list[str] = []
    for name, module in nets[0].named_modules():
        if any(name.startswith(f"{d}.") for d in done):
            continue
        if (layer := _layer([net.get_submodule(name) for net in nets], how)) is not None:
            parent, _, own = name.rpartition(".")
            setattr(whole.get_submodule(parent), own, layer.train(module.training))
            done.append(name)
        elif any(True for _ in module.parameters(recurse=False)):
            raise TypeError(f"{name} is a {type(module).__name__}, which several members cannot share a pass of")
        else:
            for buffer, _ in module.named_buffers(recurse=False):
                own = [net.get_submodule(name).get_buffer(buffer) for net in nets]
                setattr(whole.get_submodule(name), buffer, torch.stack(own))
    return whole


def member(whole: nn.Module, k: int) -> State:
    """The state of one of the networks that `whole` is made of, by its own names; views, not copies."""
    return {name: value[k] for name, value in whole.state_dict().items()}
