"""What lies in a store: every file of it, and what the whole manifests say."""

import re
from dataclasses import dataclass, field
from typing import Any

from sweeps.store.place import File, many
from sweeps.store.store import Damaged, Store, canonical, digest_of

RECORDS = ("measure", "assess", "validate")
"""Kinds that are results; the others are what results were made from."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Held:
    """An artifact whose manifest is whole. parents: of its stage, by their field; made_from: keys of all it cost."""

    file: File
    kind: str
    key: str
    digest: str  # of its blob
    bytes: int  # of its blob
    parents: dict[str, Any]
    made_from: frozenset[str]


@dataclass
class Inventory:
    """blobs: by their digest. damaged: manifests that are not whole, with what is wrong."""

    blobs: dict[str, File] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    damaged: list[tuple[File, str, Damaged]] = field(default_factory=list)  # with the kind
    checkpoints: dict[str, File] = field(default_factory=dict)  # by their stage's key
    aside: list[File] = field(default_factory=list)  # damaged, and set aside before
    left_over: list[File] = field(default_factory=list)  # by writers that were killed
    strange: list[File] = field(default_factory=list)  # whatever else lies there

    def orphans(self) -> list[File]:
        """Blobs that no whole manifest names."""
        named = {held.digest for held in self.held}
        return [file for digest, file in self.blobs.items() if digest not in named]


def _held(store: Store, file: File) -> Held | tuple[File, str, Damaged] | None:
    """What a manifest's file holds, or what is wrong with it; None where it has gone meanwhile."""
    _, kind, _, name = file.name.split("/")
    key = name.removesuffix(".json")
    try:
        manifest = store.manifest(file.name, key)
        if (found := manifest["kind"]) != kind:
            raise Damaged(f"{store.shown(file.name)}: is another's: expected kind {kind}, found {found}")
        if (made := digest_of(canonical(manifest["stage"]))) != key:
            raise Damaged(f"{store.shown(file.name)}: is of another stage: expected key {key}, found {made}")
        blob = manifest["blob"]
        return Held(file, kind, key, blob["sha256"], blob["bytes"], manifest["stage"], frozenset(manifest["cost"]))
    except FileNotFoundError:
        return None
    except Damaged as damage:
        return file, kind, damage
    except (KeyError, TypeError) as error:  # its checksum is right and it is no manifest all the same
        return file, kind, Damaged(f"{store.shown(file.name)}: not a manifest: lacks {error}")


def inventory(store: Store) -> Inventory:
    """List a store and read its manifests. Blobs are listed first: one that is named later was there already."""
    found = Inventory()
    manifests: list[File] = []
    for folder in ("blobs", "checkpoints", "manifests"):
        for file in store.place.files(folder):
            parts = file.name.split("/")
            name = parts[-1]
            if file.left_over:
                found.left_over.append(file)
            elif name.endswith(".damaged"):
                found.aside.append(file)
            elif folder == "manifests" and len(parts) == 4 and name.endswith(".json"):
                manifests.append(file)
            elif folder == "blobs" and _DIGEST.fullmatch(name) and file.name == store.blob(name):
                found.blobs[name] = file
            elif folder == "checkpoints" and len(parts) == 2:
                found.checkpoints[name] = file
            else:
                found.strange.append(file)
    for read in many(store.place, lambda file: _held(store, file), manifests):
        if isinstance(read, Held):
            found.held.append(read)
        elif read is not None:
            found.damaged.append(read)
    return found
