"""Whether every node of a cluster works with the same store and the same ganaug as the driver."""

import secrets
from typing import Any

from ganaug.errors import UserError
from sweeps.store import Store


def _here() -> dict[str, str]:
    """What must be the same on all nodes, or two of them would make different things under one key."""
    import platform
    from importlib.metadata import version

    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python} | {name: version(name).partition("+")[0] for name in ("ganaug", "torch", "numpy")}


def probe(uri: str, mark: str, name: str) -> tuple[bytes | None, dict[str, str], str | None]:
    """Runs on a node: what it reads of the driver's file, what it has installed, and what went wrong with its own."""
    try:
        place = Store(uri, read_only=True).place
        try:
            seen = place.read(f"{mark}-driver")
        except FileNotFoundError:
            return None, _here(), None
        place.put(f"{mark}-{name}", name.encode(), replace=True)
    except Exception as error:  # a mount without write permission, credentials that are not there
        return None, _here(), f"{type(error).__name__}: {error}"
    return seen, _here(), None


def workers() -> list[dict[str, Any]]:
    """Nodes on which trials can run, as Ray tells them: the head of most clusters has no CPUs to give."""
    import ray

    return [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU", 0) > 0]


def check(store: Store, nodes: list[dict[str, Any]], seconds: float = 120.0) -> None:
    """Have every node read what the driver writes into the store, and the driver what they write.

    UserError with the first node that does not see the same, or does not answer in so many seconds.
    """
    if not nodes:
        return
    mark = f"probes/{secrets.token_hex(8)}"
    word = secrets.token_bytes(16)
    names = ["driver", *(n["NodeID"] for n in nodes)]
    store.place.put(f"{mark}-driver", word, replace=True)
    try:
        answers = _ask(store.uri, mark, nodes, seconds)
        alive = {n["NodeID"] for n in workers()}
        for node, told in zip(nodes, answers, strict=True):
            if node["NodeID"] in alive:  # one that has gone meanwhile has nothing to answer
                _judge(store, mark, word, node, told)
    finally:
        for name in names:
            store.place.remove(f"{mark}-{name}")


def _ask(uri: str, mark: str, nodes: list[dict[str, Any]], seconds: float) -> list[Any]:
    """Every node's answer; an exception where it has none to give."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = [
        ray.remote(num_cpus=0, max_retries=0)(probe)
        .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(uri, mark, node["NodeID"])
        for node in nodes
    ]
    answers: list[Any] = []
    for reference in asked:
        try:
            answers.append(ray.get(reference, timeout=seconds))
        except ray.exceptions.GetTimeoutError:
            answers.append(TimeoutError(f"it has not answered for {seconds:g} s"))
        except ray.exceptions.RayError as error:
            answers.append(error)
    return answers


def _judge(store: Store, mark: str, word: bytes, node: dict[str, Any], told: Any) -> None:
    where = f"node {node['NodeManagerAddress']} ({node['NodeManagerHostname']})"
    if isinstance(told, Exception):
        raise UserError(f"--address: {where} cannot run ganaug: {str(told).strip().splitlines()[-1]}")
    seen, versions, wrong = told
    here = _here()
    if versions != here:
        odd = next(name for name in here if versions.get(name) != here[name])
        raise UserError(f"--address: {where} has {odd} {versions.get(odd)}, the driver {here[odd]}; install the same")
    if wrong is not None:
        raise UserError(f"--store {store.uri}: {where} cannot use it: {wrong}")
    if seen != word:
        raise UserError(
            f"--store {store.uri}: {where} does not see what the driver writes there; "
            "give a directory that all nodes mount (NFS), or s3://…"
        )
    try:
        back = store.place.read(f"{mark}-{node['NodeID']}")
    except FileNotFoundError:
        back = b""
    if back != node["NodeID"].encode():
        raise UserError(
            f"--store {store.uri}: the driver does not see what {where} writes there; "
            "give a directory that all nodes mount (NFS), or s3://…"
        )
