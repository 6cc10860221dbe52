"""The store: artifacts under the key of what made them, their bytes under the digest of what they are.

    blobs/ab/<sha256>                 arrays, as safetensors; named by their own digest
    manifests/<kind>/ab/<key>.json    what made them, facts, the blob's digest, and a checksum over all of it
    checkpoints/<key>                 the progress of a stage that is not finished; replaced as it goes

A manifest is put last and never replaces another, so an artifact is there whole or not at all, and of two writers the
first wins; the other takes over what is there. Every read verifies; what is damaged is set aside, said, and made again.
"""

import hashlib
import json
import logging
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as pack

from ganaug.artifact import Artifact
from ganaug.stages import Stage
from sweeps.store.place import Place, many, place
from sweeps.store.reading import Damaged, parse, require_manifest, unpacked

log = logging.getLogger("ganaug.store")

Cost = dict[str, tuple[str, float]]
"""Seconds by stage: key -> (kind, seconds), for everything an artifact was made from."""


def digest_of(data: bytes) -> str:
    """sha256 in 64 hex digits: a blob's name."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON in its one spelling, which checksums and keys are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _seal(key: str, progress: bytes) -> str:
    """The first 64 bytes of a checkpoint: over its key too, so that another stage's progress is not taken for it."""
    return digest_of(key.encode() + progress)


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
    def blob(digest: str) -> str:
        """A blob's name."""
        return f"blobs/{digest[:2]}/{digest}"

    @staticmethod
    def _manifest(kind: str, key: str) -> str:
        return f"manifests/{kind}/{key[:2]}/{key}.json"

    @staticmethod
    def _checkpoint(key: str) -> str:
        return f"checkpoints/{key}"

    def shown(self, name: str) -> str:
        """A file's name as a person finds it."""
        return f"{self.uri}/{name}"

    def keys(self, kind: str) -> set[str]:
        """The keys of all artifacts of a kind; one listing, nothing is read."""
        names = self.place.names(f"manifests/{kind}")
        return {name.rpartition("/")[2].removesuffix(".json") for name in names if name.endswith(".json")}

    def has(self, stage: Stage) -> bool:
        return self.place.exists(self._manifest(stage.kind(), stage.key))

    def publish(self, stage: Stage, artifact: Artifact, cost: Cost) -> tuple[Artifact, Cost]:
        """Put an artifact; if another writer was first, theirs stays. Returns the one that is there."""
        if self.read_only:
            return artifact, cost
        blob = pack({k: np.asarray(v, order="C") for k, v in artifact.arrays.items()})
        digest = digest_of(blob)
        manifest: dict[str, Any] = {
            "key": stage.key,
            "kind": stage.kind(),
            "stage": stage.describe(),
            "facts": artifact.facts,
            "cost": cost,
            "versions": _versions(),
            "blob": {"sha256": digest, "bytes": len(blob)},
        }
        manifest["check"] = digest_of(canonical(manifest))
        # a blob of the same bytes is put again, and so is as young as its manifest: nobody takes it for an orphan
        self.place.put(self.blob(digest), blob, replace=True)
        theirs = None
        if not self.place.put(self._manifest(stage.kind(), stage.key), canonical(manifest), replace=False):
            theirs = self.load(stage)
            if theirs is None:  # it was damaged, and is set aside now
                self.place.put(self._manifest(stage.kind(), stage.key), canonical(manifest), replace=False)
        if theirs is None and not self.place.exists(self.blob(digest)):  # taken for an orphan at this very moment
            self.place.put(self.blob(digest), blob, replace=True)
        self.place.remove(self._checkpoint(stage.key))
        return theirs or (artifact, cost)

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

    def load_many(self, stages: Iterable[Stage]) -> Iterator[tuple[Artifact, Cost] | None]:
        """What `load` gives for each, in their order; at a place that is far away, many at a time."""
        yield from many(self.place, self.load, stages)

    def manifest(self, name: str, key: str) -> dict[str, Any]:
        """The manifest of this name, if it is whole and of this key; FileNotFoundError, Damaged."""
        shown = self.shown(name)
        manifest = parse(self.place.read(name), shown)
        check = manifest.pop("check")
        if (found := digest_of(canonical(manifest))) != check:
            raise Damaged(f"{shown}: differs from its checksum: expected {check[:80]}, found {found}")
        if manifest.get("key") != key:
            raise Damaged(f"{shown}: is another's: expected key {key}, found {str(manifest.get('key'))[:80]}")
        require_manifest(manifest, shown)
        return manifest

    def read_blob(self, digest: str) -> bytes:
        """A blob's bytes, if they are what its name says; Damaged."""
        shown = self.shown(self.blob(digest))
        try:
            data = self.place.read(self.blob(digest))
        except FileNotFoundError as error:
            raise Damaged(f"{shown}: is missing") from error
        if (found := digest_of(data)) != digest:
            raise Damaged(f"{shown}: differs from its sha256: expected {digest}, found {found}")
        return data

    def _read(self, name: str, key: str) -> tuple[Artifact, Cost]:
        manifest = self.manifest(name, key)
        data = self.read_blob(manifest["blob"]["sha256"])
        cost = {k: (kind, seconds) for k, (kind, seconds) in manifest["cost"].items()}
        return Artifact(unpacked(data, self.shown(self.blob(manifest["blob"]["sha256"]))), manifest["facts"]), cost

    def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
        """Keep the state of an unfinished stage in place of the last one."""
        data = pack({k: np.asarray(v, order="C") for k, v in state.items()})
        self.place.put(self._checkpoint(key), _seal(key, data).encode() + data, replace=True)

    def checkpoint(self, key: str) -> bytes:
        """The bytes of the last state kept for an unfinished stage; FileNotFoundError, Damaged."""
        name = self._checkpoint(key)
        data = self.place.read(name)
        if (found := _seal(key, data[64:])) != (said := data[:64].decode("ascii", "replace")):
            raise Damaged(f"{self.shown(name)}: differs from its checksum: expected {said!r}, found {found!r}")
        return data[64:]

    def load_progress(self, key: str) -> dict[str, np.ndarray] | None:
        """The last state kept for an unfinished stage, or None; a damaged one is no loss but of time."""
        try:
            return unpacked(self.checkpoint(key), self.shown(self._checkpoint(key)))
        except FileNotFoundError:
            return None
        except Damaged as damage:
            log.warning("%s; starting that stage afresh", damage)
            return None

    def damaged(self) -> Iterator[str]:
        """The names of manifests that were set aside."""
        yield from (name for name in self.place.names("manifests") if name.endswith(".damaged"))
