"""Dropping what nobody reaches. A record is never dropped, nor anything that is younger than a running driver's plan.

Safe beside running drivers: what a driver counts on and does not find any more, it makes again; and whoever publishes
puts the blob anew, so that it is young, and looks once more whether it is there when its manifest is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from sweeps.store.inventory import RECORDS, Inventory
from sweeps.store.place import File
from sweeps.store.store import Store


@dataclass(frozen=True)
class Drop:
    """A file that can go. what: its kind, as people say it."""

    file: File
    what: str


@dataclass
class Plan:
    """What can go, manifests before their blobs; and how much was spared because it is young."""

    before: float  # only what was put before this moment, by the place's clock
    drops: list[Drop] = field(default_factory=list)
    young: int = 0
    sure: bool = True  # False where damaged manifests hide which blobs are named


def plan(there: Inventory, reached: Collection[str] | None, before: float) -> Plan:
    """reached: the keys that studies reach; None where no study was asked: then every whole artifact is kept, and only
    what nobody can read goes."""
    made = Plan(before, sure=not there.damaged)

    def drop(file: File, what: str) -> bool:
        if file.modified >= before:
            made.young += 1
            return False
        made.drops.append(Drop(file, what))
        return True

    kept = set()
    for one in there.held:
        wanted = reached is None or one.kind in RECORDS or one.key in reached
        if wanted or not drop(one.file, one.kind):
            kept.add(one.digest)
    finished = {one.key for one in there.held}
    for key, file in there.checkpoints.items():
        if key in finished:
            drop(file, "checkpoint of a finished stage")
        elif reached is not None and key not in reached:
            drop(file, "checkpoint")
    for file in there.left_over:
        drop(file, "left over by a killed writer")
    for file in there.aside:
        drop(file, "damaged, set aside")
    if made.sure:
        for digest, file in there.blobs.items():
            if digest not in kept:
                drop(file, "blob")
    return made


def delete(store: Store, made: Plan) -> tuple[int, int]:
    """Do it: files and bytes that went. What has been put anew since the plan was made stays."""
    files = size = 0
    for drop in made.drops:
        now = store.place.file(drop.file.name)
        if now is not None and now.modified < made.before:
            store.place.remove(drop.file.name)
            files, size = files + 1, size + now.bytes
    return files, size
