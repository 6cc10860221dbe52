"""A trained generator as two files anybody can read: weights as safetensors, and JSON that says what they are.

    generator.json          the GAN's settings, classes, image shape, calibration, the stream its images come from
    generator.safetensors   the weights of the generator and of the discriminator, which the filter needs

No pickle, so opening one runs nothing. The JSON ends in a checksum of itself and holds the sha256 of the weights, which
find damage and mix-ups; they are no signature, and do not say who made the files.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.gans.networks import build
from ganaug.specs import AnyGan

FORMAT = "ganaug generator"
VERSION = 1
CONFIG, WEIGHTS = "generator.json", "generator.safetensors"
AGAIN = "export it again"


@dataclass(frozen=True)
class Bundle:
    """A trained GAN with all that its stream of images depends on.

    fit: a generator's artifact: weights `generator.*` and `discriminator.*`; facts shape, n_classes, calibration.
    seed, chunk: of the run's own stream, `ganaug.pool`.  provenance: whatever its maker wants to say of it, as JSON.
    """

    gan: AnyGan
    classes: tuple[str, ...]
    seed: int
    chunk: int
    fit: Artifact
    provenance: dict[str, Any] = field(default_factory=dict)


class _Config(BaseModel):
    """The JSON but for its checksum; strict, because what it says is built."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    format: str
    version: int
    gan: dict[str, Any]
    classes: list[str] = Field(min_length=1)
    shape: list[int] = Field(min_length=3, max_length=3)
    seed: int = Field(ge=0)
    chunk: int = Field(ge=1)
    slope: float
    intercepts: list[float]
    weights_sha256: str
    provenance: dict[str, Any]

    @model_validator(mode="after")
    def _whole(self) -> "_Config":
        if len(self.intercepts) != len(self.classes):
            raise ValueError(f"must have an intercept per class ({len(self.classes)}), got {len(self.intercepts)}")
        if min(self.shape) < 1:
            raise ValueError(f"shape must hold positive numbers, got {self.shape}")
        return self


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check(config: dict[str, Any]) -> str:
    return _sha256(json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; give the folder that holds {path.name}") from None


def _config(path: Path) -> tuple[_Config, AnyGan]:
    """What the JSON says, once it is known to be whole and of a version this code reads."""
    try:
        data = json.loads(_read(path))
    except (ValueError, RecursionError):
        raise UserError(f"{path}: is not JSON; {AGAIN}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UserError(
            f"{path}: must say format {FORMAT!r}, got {data.get('format') if isinstance(data, dict) else data!r}"
        )
    if data.get("version") != VERSION:
        raise UserError(f"{path}: version must be {VERSION}, got {data.get('version')!r}; use the ganaug that wrote it")
    check = data.pop("check", None)
    try:
        right = check == _check(data)
    except (ValueError, RecursionError):  # NaN, or nested without end
        right = False
    if not right:
        raise UserError(f"{path}: differs from its checksum: damaged or changed by hand; {AGAIN}")
    try:
        config = _Config.model_validate(data)
        return config, TypeAdapter(AnyGan).validate_python(config.gan)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}; {AGAIN}") from None


def _expected(gan: AnyGan, n_classes: int, shape: tuple[int, int, int]) -> dict[str, torch.Tensor]:
    """Names, shapes and types of the weights; on the meta device, so that a false size costs no memory."""
    with torch.device("meta"):
        nets = zip(("generator", "discriminator"), build(gan, n_classes, shape, seed=0), strict=True)
        return {f"{name}.{k}": v for name, net in nets for k, v in net.state_dict().items()}


def _checked(path: Path, arrays: dict[str, np.ndarray], expected: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The weights, each where and as large as the networks want it, and finite."""
    for name, wanted in expected.items():
        if name not in arrays:
            raise UserError(f"{path}: must hold the tensor {name}, got none of that name; {AGAIN}")
        found, kind = arrays[name], str(wanted.dtype).removeprefix("torch.")
        if found.shape != tuple(wanted.shape) or found.dtype.name != kind:
            got = f"{found.dtype.name} {list(found.shape)}"
            raise UserError(f"{path}: {name} must be {kind} {list(wanted.shape)}, got {got}; {AGAIN}")
        if not np.isfinite(found).all():
            raise UserError(f"{path}: {name} must be finite, got NaN or infinity; {AGAIN}")
    if odd := sorted(arrays.keys() - expected.keys()):
        raise UserError(f"{path}: holds the tensor {odd[0]}, which this GAN does not have; {AGAIN}")
    return arrays


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write the two files into `folder`, which must be there. Raises ValueError for a GAN that diverged."""
    facts = bundle.fit.facts
    if facts.get("diverged") or "calibration" not in facts:
        raise ValueError(f"a generator that diverged has nothing to give: {facts.get('diverged') or 'no calibration'}")
    weights = pack(
        {
            k: np.asarray(v, order="C")  # ascontiguousarray would make a count an array of one
            for k, v in bundle.fit.arrays.items()
            if k.startswith(("generator.", "discriminator."))
        }
    )
    slope, intercepts = facts["calibration"]
    config = {
        "format": FORMAT,
        "version": VERSION,
        "gan": bundle.gan.model_dump(mode="json"),
        "classes": list(bundle.classes),
        "shape": list(facts["shape"]),
        "seed": bundle.seed,
        "chunk": bundle.chunk,
        "slope": float(slope),
        "intercepts": [float(i) for i in intercepts],
        "weights_sha256": _sha256(weights),
        "provenance": bundle.provenance,
    }
    (folder / WEIGHTS).write_bytes(weights)
    text = json.dumps(config | {"check": _check(config)}, indent=2, ensure_ascii=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def load_bundle(folder: Path) -> Bundle:
    """Read and verify the two files in `folder`.

    Raises UserError, one line that names the file, where one is absent, damaged, of another version, or holds
    other tensors than its GAN's.
    """
    path, weights_path = folder / CONFIG, folder / WEIGHTS
    config, gan = _config(path)
    data = _read(weights_path)
    if _sha256(data) != config.weights_sha256:
        raise UserError(f"{weights_path}: differs from the sha256 in {path.name}: damaged, or another's; {AGAIN}")
    channels, height, width = config.shape
    try:
        expected = _expected(gan, len(config.classes), (channels, height, width))
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise UserError(f"{path}: no such GAN can be built: {str(error).splitlines()[0]}; {AGAIN}") from None
    try:
        arrays = _checked(weights_path, unpack(data), expected)
    except SafetensorError as error:
        raise UserError(f"{weights_path}: is no safetensors file ({error}); {AGAIN}") from None
    facts = {
        "shape": config.shape,
        "n_classes": len(config.classes),
        "calibration": [config.slope, config.intercepts],
        "diverged": "",
    }
    return Bundle(gan, tuple(config.classes), config.seed, config.chunk, Artifact(arrays, facts), config.provenance)
