"""The store: artifacts under the key of what made them, their bytes under the digest of what they are.

    blobs/ab/<sha256>                 arrays, as safetensors; named by their own digest
    manifests/<kind>/ab/<key>.json    what made them, facts, the blob's digest, and a checksum over all of it
    checkpoints/<key>                 the progress of a stage that is not finished; replaced as it goes

A manifest is put last and never replaces another, so an artifact is there whole or not at all, and of two writers the
first wins. Every read verifies; what is damaged is set aside, said, and made again.
"""

import hashlib
import json
import logging
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as pack

from ganaug.artifact import Artifact
from ganaug.stages import Stage
from sweeps.store.place import Place, place
from sweeps.store.reading import Damaged, parse, require_manifest, unpacked

log = logging.getLogger("ganaug.store")

Cost = dict[str, tuple[str, float]]
"""Seconds by stage: key -> (kind, seconds), for everything an artifact was made from."""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sealed(key: str, progress: bytes) -> bytes:
    """The first 64 bytes of a checkpoint: over its key too, so that another stage's progress is not taken for it."""
    return _digest(key.encode() + progress).encode()


@cache
def _versions() -> dict[str, str]:
    """What this process makes artifacts with: told by each, part of no key."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("ganaug", "torch", "numpy")}


class Store:
    """Artifacts at a place. A `read_only` store keeps nothing and moves nothing: for onlookers."""

    def __init__(self, uri: str | Path, read_only: bool = False) -> None:
        self.read_only = read_only
        self.place: Place = place(uri)
        self.uri = self.place.uri
        if not read_only:
            self.place.make()

    # names: the only place that knows them
    @staticmethod
    def _blob(digest: str) -> str:
        return f"blobs/{digest[:2]}/{digest}"

    @staticmethod
    def _manifest(kind: str, key: str) -> str:
        return f"manifests/{kind}/{key[:2]}/{key}.json"

    @staticmethod
    def _checkpoint(key: str) -> str:
        return f"checkpoints/{key}"

    def _shown(self, name: str) -> str:
        return f"{self.uri}/{name}"

    def keys(self, kind: str) -> set[str]:
        """The keys of all artifacts of a kind; one listing, nothing is read."""
        names = self.place.names(f"manifests/{kind}")
        return {name.rpartition("/")[2].removesuffix(".json") for name in names if name.endswith(".json")}

    def has(self, stage: Stage) -> bool:
        return self.place.exists(self._manifest(stage.kind(), stage.key))

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
        if not self._whole(digest):
            self.place.put(self._blob(digest), blob, replace=True)
        self.place.put(self._manifest(stage.kind(), stage.key), _canonical(manifest), replace=False)
        self.place.remove(self._checkpoint(stage.key))

    def _whole(self, digest: str) -> bool:
        """Whether a blob is there and is what its name says."""
        try:
            return _digest(self.place.read(self._blob(digest))) == digest
        except FileNotFoundError:
            return False

    def load(self, stage: Stage) -> tuple[Artifact, Cost] | None:
        """An artifact and what it cost, verified; None where there is none, or none that is whole."""
        name = self._manifest(stage.kind(), stage.key)
        try:
            return self._read(name, stage.key)
        except FileNotFoundError:
            return None
        except Damaged as damage:
            if self.read_only:
                return None
            log.warning("%s; set aside, it will be made again", damage)
            self.place.rename(name, name.removesuffix(".json") + ".damaged")
            return None

    def _read(self, name: str, key: str) -> tuple[Artifact, Cost]:
        shown = self._shown(name)
        manifest = parse(self.place.read(name), shown)
        check = manifest.pop("check")
        if (found := _digest(_canonical(manifest))) != check:
            raise Damaged(f"{shown}: differs from its checksum; its sha256 is {found}")
        if manifest.get("key") != key:
            raise Damaged(f"{shown}: is the manifest of {str(manifest.get('key'))[:80]}")
        digest = require_manifest(manifest, shown)
        try:
            data = self.place.read(self._blob(digest))
        except FileNotFoundError as error:
            raise Damaged(f"{self._shown(self._blob(digest))}: is missing") from error
        if (found := _digest(data)) != digest:
            raise Damaged(f"{self._shown(self._blob(digest))}: differs from its name; its sha256 is {found}")
        cost = {k: (kind, seconds) for k, (kind, seconds) in manifest["cost"].items()}
        return Artifact(unpacked(data, self._shown(self._blob(digest))), manifest["facts"]), cost

    def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
        """Keep the state of an unfinished stage in place of the last one."""
        data = pack({k: np.asarray(v, order="C") for k, v in state.items()})
        self.place.put(self._checkpoint(key), _sealed(key, data) + data, replace=True)

    def load_progress(self, key: str) -> dict[str, np.ndarray] | None:
        """The last state kept for an unfinished stage, or None; a damaged one is no loss but of time."""
        name = self._checkpoint(key)
        try:
            data = self.place.read(name)
        except FileNotFoundError:
            return None
        try:
            if _sealed(key, data[64:]) != data[:64]:
                raise Damaged(f"{self._shown(name)}: differs from its checksum")
            return unpacked(data[64:], self._shown(name))
        except Damaged as damage:
            log.warning("%s; starting that stage afresh", damage)
            return None

    def damaged(self) -> Iterator[str]:
        """The names of manifests that were set aside."""
        yield from (name for name in self.place.names("manifests") if name.endswith(".damaged"))
