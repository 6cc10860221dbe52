"""Networks: exported generators, and weights of PyTorch."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from fuzz_mutators import mutated, mutated_json
from fuzz_target import Target, put


def _bundle_files() -> dict[str, bytes]:
    import tempfile

    import tiny
    import torch

    from ganaug.artifact import Artifact
    from ganaug.gans.bundle import Bundle, save_bundle
    from ganaug.gans.networks import build

    torch.set_num_threads(1)
    nets = zip(("generator", "discriminator"), build(tiny.CGAN, 3, (1, 8, 8), seed=0), strict=True)
    arrays = {f"{name}.{k}": v.numpy() for name, net in nets for k, v in net.state_dict().items()}
    facts = {"shape": [1, 8, 8], "n_classes": 3, "calibration": [1.0, [0.0] * 3], "diverged": ""}
    with tempfile.TemporaryDirectory() as name:
        save_bundle(Bundle(tiny.CGAN, ("a", "b", "c"), 0, 10, Artifact(arrays, facts)), Path(name))
        return {p.name: p.read_bytes() for p in Path(name).iterdir()}


def _damage_bundle(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if not name.endswith(".json"):
        return mutated(data, [], rng)
    out = mutated_json(data, [], rng)
    try:
        value = json.loads(out)
        value.pop("check", None)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return json.dumps(value | {"check": hashlib.sha256(text.encode()).hexdigest()}).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return out


_BUNDLE_KEPT: dict[str, bytes] = {}


def _read_bundle(name: str, data: bytes, folder: Path) -> object:
    """Damaged weights go with a config that names their new digest."""
    from ganaug.gans.bundle import load_bundle

    if not _BUNDLE_KEPT:
        _BUNDLE_KEPT.update(_bundle_files())
    for other, whole in _BUNDLE_KEPT.items():
        put(folder, other, data if other == name else whole)
    if name.endswith(".safetensors"):
        value = json.loads(_BUNDLE_KEPT["generator.json"])
        value.pop("check")
        value["weights_sha256"] = hashlib.sha256(data).hexdigest()
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        check = hashlib.sha256(text.encode()).hexdigest()
        put(folder, "generator.json", json.dumps(value | {"check": check}).encode())
    return load_bundle(folder)


def _weight_files() -> dict[str, bytes]:
    import torch

    def saved(value: Any, **options: Any) -> bytes:
        buffer = io.BytesIO()
        torch.save(value, buffer, **options)
        return buffer.getvalue()

    tensors = {"a.weight": torch.zeros(3, 4), "a.bias": torch.ones(3), "n": torch.tensor(5)}
    return {"new": saved(tensors), "old": saved(tensors, _use_new_zipfile_serialization=False)}


def _read_weights(name: str, data: bytes, folder: Path) -> object:
    from ganaug.metrics.imagenet import _state
    from ganaug.stages import LocalFile

    path = put(folder, "weights.pth", data)
    return _state(LocalFile(str(path), hashlib.sha256(data).hexdigest()), "assess.weights")


TARGETS: dict[str, Target] = {
    "bundle": Target(_bundle_files, _read_bundle, _damage_bundle, share=0.3),
    "weights": Target(_weight_files, _read_weights, share=0.4),
}
