"""The commands that look after a store: `ganaug store check`, `ganaug store gc`, `ganaug store ls`."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ganaug.errors import UserError
from sweeps.cli_options import DATA, STORE, DataDir, StoreUri
from sweeps.terminal import say

if TYPE_CHECKING:
    from sweeps.store import Store

app = typer.Typer(no_args_is_help=True, help="The store: is it whole, what is in it, what can go.")

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _opened(uri: str) -> "Store":
    """Read-only: nothing is made where there is no store."""
    from sweeps.store import Store, is_here

    if not is_here(uri):
        raise UserError(f"--store {uri}: must be a store, got no such directory")
    return Store(uri, read_only=True)


def _bytes(n: int) -> str:
    """Bytes as people say them."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} bytes"


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise UserError(f"--older-than {text}: must be a number with s, m, h or d, e.g. 90m or 2d")
    return float(found[1]) * _SECONDS[found[2]]


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


@app.command()
def check(
    store: StoreUri = STORE,
    aside: Annotated[
        bool, typer.Option("--set-aside", help="Rename what is damaged, so that nobody reads it again.")
    ] = False,
) -> None:
    """Read every manifest, blob and checkpoint and compare its digest. Exit code 1 where something is damaged.

    A damaged artifact is never used: the next run that needs it sets it aside and makes it again.
    """
    from sweeps.store.check import check as check_store
    from sweeps.store.check import set_aside

    place = _opened(store)
    found = check_store(place)
    for kind, says in found.damaged:
        say(f"damaged {kind}: {says}")
    if found.orphans:
        size = _bytes(sum(file.bytes for file in found.orphans))
        say(f"note: {_count(len(found.orphans), 'blob')} that no manifest names, {size}; see `ganaug store gc`")
    if found.aside:
        say(f"note: {_count(len(found.aside), 'file')} set aside as damaged before")
    for file in found.strange:
        say(f"note: {place.shown(file.name)}: is not of a store")
    what = (
        f"{_count(found.artifacts, 'artifact')}, {_count(found.blobs, 'blob')}, "
        f"{_count(found.checkpoints, 'checkpoint')}, {_bytes(found.bytes)}"
    )
    if not found.damaged:
        say(f"{place.uri}: whole: {what}")
        return
    say(f"{place.uri}: {len(found.damaged)} damaged, of {what}")
    if aside:
        set_aside(place, found)
        say("What is damaged is set aside. The next run that needs it makes it again.")
    else:
        say("The next run that needs it sets it aside and makes it again; --set-aside does the former now.")
    raise typer.Exit(1)


@app.command()
def gc(
    studies: Annotated[
        list[str] | None,
        typer.Argument(metavar="STUDY…", help="Study files, packaged studies or run folders, whose artifacts stay."),
    ] = None,
    store: StoreUri = STORE,
    data: DataDir = DATA,
    older: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Spare what is younger: a number with s, m, h or d.")
    ] = "1h",
    really: Annotated[bool, typer.Option("--delete", help="Do it. Without it nothing is deleted.")] = False,
) -> None:
    """Drop what no study reaches. Records are never dropped; without --delete nothing is.

    Without a study only what nobody can read goes: blobs that no manifest names, what was set aside as damaged, what
    killed writers left. With studies everything goes that none of them reaches, but records: name all that you want to
    go on with. A run folder stands for its study as it was run, with every --set, and for its search.
    """
    from sweeps.reach import reach, reached
    from sweeps.store import gc as collector
    from sweeps.store.inventory import inventory

    seconds = _seconds(older)
    place = _opened(store)
    before = place.place.now() - seconds
    asked = [reach(name, data, place) for name in studies or []]
    there = inventory(place)
    keep = set().union(*(reached(there.held, one) | one.keys for one in asked)) if asked else None
    made = collector.plan(there, keep, before)
    kinds: dict[str, list[int]] = {}
    for drop in made.drops:
        kinds.setdefault(drop.what, []).append(drop.file.bytes)
    for what, sizes in sorted(kinds.items(), key=lambda item: -sum(item[1])):
        say(f"{what:<30} {_count(len(sizes), 'file'):>14} {_bytes(sum(sizes)):>12}")
    if not made.sure:
        say(
            f"note: {_count(len(there.damaged), 'damaged manifest')} may name any blob, so no blob goes; "
            "`ganaug store check --set-aside` first"
        )
    if made.young:
        say(f"note: {_count(made.young, 'file')} not older than {older} spared")
    if not made.drops:
        say(f"{place.uri}: nothing to drop")
    elif really:
        files, size = collector.delete(place, made)
        say(f"{place.uri}: dropped {_count(files, 'file')}, {_bytes(size)}")
    else:
        size = sum(map(sum, kinds.values()))
        say(f"{place.uri}: would drop {_count(len(made.drops), 'file')}, {_bytes(size)}; --delete does it")


@app.command("ls")
def list_sizes(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY…",
            help="Study files, packaged studies or run folders. Default: the folders in runs/ that had this store.",
        ),
    ] = None,
    store: StoreUri = STORE,
    data: DataDir = DATA,
) -> None:
    """What is in a store: artifacts and bytes by kind and by study. What studies share counts for each of them."""
    from sweeps.reach import reach, reached, runs_here
    from sweeps.store.inventory import inventory
    from sweeps.store.sizes import by_kind, by_study, size

    place = _opened(store)
    there = inventory(place)
    whole = size(there.held)
    say(f"{place.uri}: {_count(whole.artifacts, 'artifact')}, {_bytes(whole.bytes)}")
    for kind, own in by_kind(there).items():
        say(f"  {kind:<28} {own.artifacts:>8} {_bytes(own.bytes):>12}")
    beside = (("checkpoint", list(there.checkpoints.values())), ("blob without manifest", there.orphans()))
    for what, files in (*beside, ("set aside as damaged", there.aside), ("left over", there.left_over)):
        if files:
            say(f"  {what:<28} {len(files):>8} {_bytes(sum(f.bytes for f in files)):>12}")
    if there.damaged:
        say(f"  {'damaged manifest':<28} {len(there.damaged):>8}; `ganaug store check` says which")
    keys = {}
    for name in studies or runs_here(place):
        one = reach(name, data, place)
        keys[name] = reached(there.held, one)
    if not keys:
        return
    say(f"{'study':<30} {'records':>8} {'GANs':>6} {'bytes':>12} {'only here':>12}")
    for name, (all_, alone) in by_study(there, keys).items():
        say(f"{name:<30} {all_.records:>8} {all_.generators:>6} {_bytes(all_.bytes):>12} {_bytes(alone.bytes):>12}")
    others = size(one for one in there.held if one.key not in set().union(*keys.values()))
    if others.artifacts:
        say(f"{'none of these':<30} {others.records:>8} {others.generators:>6} {_bytes(others.bytes):>12}")
