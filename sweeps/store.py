"""The store: artifacts under the key of what made them, their bytes under the digest of what they are.

    blobs/ab/<sha256>                 arrays, as safetensors; named by their own digest
    manifests/<kind>/ab/<key>.json    what made them, facts, the blob's digest, and a checksum over all of it
    checkpoints/<key>                 the progress of a stage that is not finished; replaced as it goes

A manifest is put last and never replaces another, so an artifact is there whole or not at all, and of two writers the
first wins. Every read verifies; what is damaged is set aside, said, and made again.
"""

import contextlib
import hashlib
import json
import logging
import os
import platform
import secrets
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.stages import Stage

log = logging.getLogger("ganaug.store")

Cost = dict[str, tuple[str, float]]
"""Seconds by stage: key -> (kind, seconds), for everything an artifact was made from."""


class Damaged(Exception):
    """A file of the store is not what its digest says."""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@cache
def _versions() -> dict[str, str]:
    """What this process makes artifacts with: told by each, part of no key."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("ganaug", "torch", "numpy")}


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes, replace: bool) -> bool:
    """Put a file whole or not at all; False where it was there already and `replace` is False."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
        _sync_directory(path.parent)
        return True
    finally:
        temporary.unlink(missing_ok=True)


class Store:
    """A directory, local or shared by all nodes. A `read_only` one keeps nothing and moves nothing: for onlookers."""

    def __init__(self, uri: str | Path, read_only: bool = False) -> None:
        self.read_only = read_only
        text = str(uri)
        if "://" in text and not text.startswith("file://"):
            raise UserError(f"--store {text}: must be a directory that every node can reach, e.g. an NFS mount")
        self.root = Path(text.removeprefix("file://")).expanduser().absolute()
        try:
            if not read_only:
                self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--store {self.root}: cannot be made: {error.strerror}") from None

    # paths: the only place that knows them
    def _blob(self, digest: str) -> Path:
        return self.root / "blobs" / digest[:2] / digest

    def _manifest(self, kind: str, key: str) -> Path:
        return self.root / "manifests" / kind / key[:2] / f"{key}.json"

    def _checkpoint(self, key: str) -> Path:
        return self.root / "checkpoints" / key

    def keys(self, kind: str) -> set[str]:
        """The keys of all artifacts of a kind; one listing, nothing is read."""
        return {p.stem for p in (self.root / "manifests" / kind).glob("??/*.json")}

    def has(self, stage: Stage) -> bool:
        return self._manifest(stage.kind(), stage.key).exists()

    def publish(self, stage: Stage, artifact: Artifact, cost: Cost) -> None:
        """Put an artifact; if another writer was first, theirs stays."""
        if self.read_only:
            return
        blob = pack({k: np.asarray(v, order="C") for k, v in artifact.arrays.items()})
        digest = _digest(blob)
        manifest: dict[str, Any] = {
            "key": stage.key,
            "kind": stage.kind(),
            "stage": stage.describe(),
            "facts": artifact.facts,
            "cost": cost,
            "versions": _versions(),
            "blob": {"sha256": digest, "bytes": len(blob)},
        }
        manifest["check"] = _digest(_canonical(manifest))
        path = self._blob(digest)
        if not path.exists() or _digest(path.read_bytes()) != digest:
            _write(path, blob, replace=True)
        _write(self._manifest(stage.kind(), stage.key), _canonical(manifest), replace=False)
        self._checkpoint(stage.key).unlink(missing_ok=True)

    def load(self, stage: Stage) -> tuple[Artifact, Cost] | None:
        """An artifact and what it cost, verified; None where there is none, or none that is whole."""
        path = self._manifest(stage.kind(), stage.key)
        try:
            return self._read(path, stage.key)
        except FileNotFoundError:
            return None
        except Damaged as damage:
            if self.read_only:
                return None
            log.warning("%s; set aside, it will be made again", damage)
            with contextlib.suppress(FileNotFoundError):  # another reader was faster
                path.replace(path.with_suffix(".damaged"))
            return None

    def _read(self, path: Path, key: str) -> tuple[Artifact, Cost]:
        try:
            manifest = json.loads(path.read_bytes())
            check = manifest.pop("check")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise Damaged(f"{path}: not a manifest") from error
        if _digest(_canonical(manifest)) != check or manifest["key"] != key:
            raise Damaged(f"{path}: differs from its checksum")
        blob = self._blob(manifest["blob"]["sha256"])
        try:
            data = blob.read_bytes()
        except FileNotFoundError as error:
            raise Damaged(f"{blob}: is missing") from error
        if _digest(data) != blob.name:
            raise Damaged(f"{blob}: differs from its sha256")
        cost = {k: (kind, seconds) for k, (kind, seconds) in manifest["cost"].items()}
        return Artifact(unpack(data), manifest["facts"]), cost

    def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
        """Keep the state of an unfinished stage in place of the last one."""
        data = pack({k: np.asarray(v, order="C") for k, v in state.items()})
        _write(self._checkpoint(key), _digest(data).encode() + data, replace=True)

    def load_progress(self, key: str) -> dict[str, np.ndarray] | None:
        """The last state kept for an unfinished stage, or None; a damaged one is no loss but of time."""
        try:
            data = self._checkpoint(key).read_bytes()
        except FileNotFoundError:
            return None
        if _digest(data[64:]).encode() != data[:64]:
            log.warning("%s: differs from its checksum; starting that stage afresh", self._checkpoint(key))
            return None
        return unpack(data[64:])

    def damaged(self) -> Iterator[Path]:
        """Manifests that were set aside."""
        yield from (self.root / "manifests").glob("*/??/*.damaged")
