"""What an autoscaler may still bring a cluster to: its workers come only when trials wait for them."""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

BOOTSTRAP = "ray_bootstrap_config.yaml"  # what `ray up` leaves in the head's home for its autoscaler


def of_file(path: Path) -> dict[str, float]:
    """The most of each resource that a cluster's file allows for; empty where there is none that can be read."""
    try:
        config: dict[str, Any] = yaml.safe_load(path.read_text())
        most: Counter[str] = Counter()
        for kind in config["available_node_types"].values():
            nodes = min(kind.get("max_workers", 0), config["max_workers"])
            most.update({name: nodes * amount for name, amount in kind["resources"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return {}
    return {name: float(amount) for name, amount in most.items() if amount}


def may_come() -> dict[str, float]:
    """The same of the cluster that this process has joined: as its autoscaler has told Ray, or as its file says."""
    from ray._private.state import state  # Ray's own libraries ask it in this way; it is not public

    try:
        told = state.get_max_resources_from_cluster_config()
    except Exception:
        told = None
    return dict(told) if told else of_file(Path.home() / BOOTSTRAP)
