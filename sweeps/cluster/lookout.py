"""What a driver looks out for on a cluster while trials run: nodes that come, and trials that find no place."""

import logging
import time
from typing import Any

from ray.tune import Callback

from ganaug.errors import UserError
from sweeps.cluster import nodes as cluster_nodes
from sweeps.cluster.placement import Placement
from sweeps.store import Store

log = logging.getLogger("ganaug.cluster")

SECONDS = 5.0  # between looks
AGAIN = 600.0  # seconds until the same is said once more
PATIENCE = 30.0  # seconds that a new node has to answer in


def awaited(placement: Placement, nodes: list[dict[str, Any]]) -> str | None:
    """What is waited for, where no node is large enough for a trial; else None."""
    for node in nodes:
        if all(node["Resources"].get(name, 0.0) >= amount for name, amount in placement.takes.items()):
            return None
    largest = max((n["Resources"].get("GPU", 0.0) for n in nodes), default=0.0)
    there = "no worker yet" if not nodes else f"workers, and none with as much (at most {largest:g} GPU)"
    return f"waiting for a worker with {placement.words()}: the cluster has {there}; Ctrl-C stops, nothing is lost"


class Lookout(Callback):
    """Says what is awaited, asks new nodes whether they see the store, and counts trials that run at a time."""

    def __init__(self, store: Store, placement: Placement) -> None:
        """Asks the nodes that are there; UserError where one cannot work with this store."""
        self.store, self.placement = store, placement
        self.most = 0  # trials seen running at a time
        self._looked = self._said = float("-inf")
        nodes = cluster_nodes.workers()
        cluster_nodes.check(store, nodes)
        self._known = {node["NodeID"] for node in nodes}

    def __getstate__(self) -> dict[str, Any]:
        return {}  # as in `Watch`

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        running = sum(trial.status == "RUNNING" for trial in trials)
        self.most = max(self.most, running)
        if time.monotonic() - self._looked >= SECONDS:
            self._looked = time.monotonic()
            self.look(bool(running))

    def look(self, busy: bool) -> None:
        """One look at the nodes; `busy`: some trial has a place."""
        nodes = cluster_nodes.workers()
        for node in nodes:
            if node["NodeID"] not in self._known:
                self._known.add(node["NodeID"])
                try:
                    cluster_nodes.check(self.store, [node], PATIENCE)
                except UserError as error:  # trials there will fail, and elsewhere go on
                    log.warning("%s", error)
        said = None if busy else awaited(self.placement, nodes)
        if said and time.monotonic() - self._said >= AGAIN:
            self._said = time.monotonic()
            log.warning("%s", said)
