"""Verifying a whole store: every manifest, every blob, every checkpoint, whether or not anybody asks for them."""

from dataclasses import dataclass, field

from sweeps.store.inventory import inventory
from sweeps.store.place import File, many
from sweeps.store.store import Damaged, Store


@dataclass
class Checked:
    """What a check found. damaged: (kind, what is wrong: the path, then expected and found digest)."""

    artifacts: int
    blobs: int
    checkpoints: int
    bytes: int
    orphans: list[File]
    aside: list[File]
    strange: list[File]
    damaged: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of the files to set aside


def check(store: Store) -> Checked:
    """Read everything and compare digests. Reads only; what comes or goes meanwhile is not called damaged."""

    def wrong_blob(digest: str) -> str | None:
        try:
            store.read_blob(digest)
        except Damaged as damage:
            return str(damage)
        return None

    def wrong_checkpoint(key: str) -> str | None:
        try:
            store.checkpoint(key)
        except FileNotFoundError:  # its stage was finished meanwhile
            return None
        except Damaged as damage:
            return str(damage)
        return None

    there = inventory(store)
    orphans = there.orphans()
    files = [*there.blobs.values(), *there.checkpoints.values()]
    checked = Checked(
        len(there.held) + len(there.damaged), len(there.blobs), len(there.checkpoints),
        sum(f.bytes for f in files), orphans, there.aside, there.strange,
    )  # fmt: skip
    for file, kind, damage in there.damaged:
        checked.damaged.append((kind, str(damage)))
        checked.names.append(file.name)
    named = {held.digest for held in there.held}
    digests = sorted(named | there.blobs.keys())
    wrong = {d: why for d, why in zip(digests, many(store.place, wrong_blob, digests), strict=True) if why}
    for held in there.held:
        if held.digest in wrong and store.place.exists(held.file.name):
            checked.damaged.append((held.kind, f"{wrong[held.digest]}; named by {store.shown(held.file.name)}"))
            checked.names.append(held.file.name)
    for digest in sorted(wrong):
        still = store.place.exists(store.blob(digest))
        if digest not in named and still:
            checked.damaged.append(("blob", f"{wrong[digest]}; named by no manifest"))
        if still:
            checked.names.append(store.blob(digest))
    for key, why in zip(there.checkpoints, many(store.place, wrong_checkpoint, there.checkpoints), strict=True):
        if why:
            checked.damaged.append(("checkpoint", why))
            checked.names.append(there.checkpoints[key].name)
    return checked


def set_aside(store: Store, checked: Checked) -> None:
    """Give what is damaged names that nobody reads, so that the next run makes it again."""
    for name in checked.names:
        store.place.rename(name, name.removesuffix(".json") + ".damaged")
