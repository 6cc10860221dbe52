"""What runs leave: the store, run folders."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz_mutators import mutated, mutated_json
from fuzz_studies import damage_text
from fuzz_target import Target, put

_KEY = "ab" * 32  # of a checkpoint, which is in its seal


def _store(folder: Path) -> Any:
    from sweeps.store import Store

    return Store(folder / "store")


def _store_files() -> dict[str, bytes]:
    import tempfile

    from ganaug.artifact import Artifact
    from ganaug.stages import TrainImages

    out = {}
    with tempfile.TemporaryDirectory() as name:
        store, stage = _store(Path(name)), TrainImages("ab")
        arrays = {"images": np.zeros((3, 1, 4, 4), np.uint8), "labels": np.arange(3), "x": np.ones(2, np.float32)}
        store.publish(stage, Artifact(arrays, {"classes": ["a", "b"], "n": 3, "loss": 0.5}), {"k": ("split", 0.1)})
        store.save_progress(_KEY, arrays)
        for path in Path(name).rglob("*"):
            if path.is_file():
                out[path.relative_to(name).as_posix()] = path.read_bytes()
    return out


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _damage_store(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Two of three with a checksum that is right for what is wrong."""
    if rng.randrange(3) == 0:
        return mutated(data, others, rng)
    if "manifests" in name:
        out = mutated_json(data, others, rng)
        try:
            value = json.loads(out)
            value.pop("check", None)
            return _canonical(value | {"check": hashlib.sha256(_canonical(value)).hexdigest()})
        except (ValueError, AttributeError, TypeError, RecursionError):
            return out
    body = mutated(data[64:] if "checkpoints" in name else data, others, rng)
    return hashlib.sha256(_KEY.encode() + body).hexdigest().encode() + body if "checkpoints" in name else body


def _read_store(name: str, data: bytes, folder: Path) -> object:
    """`_read` refuses with Damaged; `load` sets the damaged manifest aside. A blob is met under its own new digest."""
    from ganaug.stages import TrainImages

    files = _store_files_once()
    for other, whole in files.items():
        put(folder, other, data if other == name else whole)
    if "blobs" in name:
        _readdress(folder, files, data)
    store, stage = _store(folder), TrainImages("ab")
    store.load_progress(_KEY)
    store.load(stage)
    if "manifests" not in name:
        return None
    put(folder, name, data)
    return store._read(name.removeprefix("store/"), stage.key)


_KEPT: dict[str, bytes] = {}


def _store_files_once() -> dict[str, bytes]:
    if not _KEPT:
        _KEPT.update(_store_files())
    return _KEPT


def _readdress(folder: Path, files: dict[str, bytes], blob: bytes) -> None:
    """A damaged blob and the manifest that names it by its true digest: what a forger would write."""
    digest = hashlib.sha256(blob).hexdigest()
    put(folder, f"store/blobs/{digest[:2]}/{digest}", blob)
    name = next(n for n in files if "manifests" in n)
    value = json.loads(files[name])
    value.pop("check")
    value["blob"] = {"sha256": digest, "bytes": len(blob)}
    put(folder, name, _canonical(value | {"check": hashlib.sha256(_canonical(value)).hexdigest()}))


def _run_files() -> dict[str, bytes]:
    import tempfile

    from made_run import write_run

    with tempfile.TemporaryDirectory() as name:
        small = {"n_real": [3], "n_gen": [0, 50], "threshold": [0.0, 0.5], "seed": [0, 1]}
        run = write_run(Path(name) / "run", small, names=["a", "b"], n_test=20, search={})
        (run / "progress.json").write_bytes(_canonical(_announced(Path(name))))
        found = {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if len(data) < 200_000}


def _announced(store: Path) -> dict[str, Any]:
    return {
        "study": "x", "started": "2026-11-21T06:00:00+00:00", "total": 4, "done": 1, "work": 3.5, "command": "ganaug",
        "store": str(store), "process": 1, "host": "nowhere",
    }  # fmt: skip


def _damage_run(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if name.endswith(".json"):
        return mutated_json(data, others, rng)
    if name.endswith(".safetensors") and rng.random() < 0.6:  # the header, which is JSON
        size = int.from_bytes(data[:8], "little")
        head = mutated_json(data[8 : 8 + size], [], rng)
        return len(head).to_bytes(8, "little") + head + data[8 + size :]
    return damage_text(name, data, [], rng) if name.endswith(".yaml") else mutated(data, others, rng)


_RUN_KEPT: dict[str, bytes] = {}


def _read_run(name: str, data: bytes, folder: Path) -> object:
    import analysis
    from sweeps import announce
    from sweeps.run_folder import RunFolder

    home = folder / "run"
    if not home.exists():
        _RUN_KEPT.update(_run_files())
        for other, whole in _RUN_KEPT.items():
            put(home, other, whole)
    try:
        put(home, name, data)
        told = announce.read(RunFolder(home))
        if told is not None:
            told.seconds(), told.alive()
        run = analysis.load(home)
        run.predictions(), run.samples(), run.curves(), run.classifier_curves()
        return run.name, run.search
    finally:
        put(home, name, _RUN_KEPT[name])


TARGETS: dict[str, Target] = {
    "store": Target(_store_files, _read_store, _damage_store, share=0.6),
    "run": Target(_run_files, _read_run, _damage_run, share=0.2),
}
