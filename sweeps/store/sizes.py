"""How much of a store is what: artifacts and bytes by kind, and by study."""

from collections.abc import Iterable
from dataclasses import dataclass

from sweeps.store.inventory import RECORDS, Held, Inventory


@dataclass(frozen=True)
class Size:
    """bytes: of manifests and of blobs, each blob once."""

    artifacts: int
    records: int
    generators: int
    bytes: int


def size(held: Iterable[Held]) -> Size:
    own = list(held)
    blobs = {one.digest: one.bytes for one in own}
    return Size(
        len(own),
        sum(one.kind in RECORDS for one in own),
        sum(one.kind == "fit_gan" for one in own),
        sum(blobs.values()) + sum(one.file.bytes for one in own),
    )


def by_kind(there: Inventory) -> dict[str, Size]:
    """The largest first."""
    kinds: dict[str, list[Held]] = {}
    for one in there.held:
        kinds.setdefault(one.kind, []).append(one)
    sizes = {kind: size(own) for kind, own in kinds.items()}
    return dict(sorted(sizes.items(), key=lambda item: -item[1].bytes))


def by_study(there: Inventory, reached: dict[str, set[str]]) -> dict[str, tuple[Size, Size]]:
    """For each study, by its name: what it reaches, and what it alone does."""
    out = {}
    for name, keys in reached.items():
        others = set().union(*(other for n, other in reached.items() if n != name))
        mine = [one for one in there.held if one.key in keys]
        out[name] = size(mine), size(one for one in mine if one.key not in others)
    return out
