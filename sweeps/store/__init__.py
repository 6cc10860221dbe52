"""The store: artifacts under the key of what made them, their bytes under the digest of what they are."""

from sweeps.store.place import is_here
from sweeps.store.store import Cost, Damaged, Store

__all__ = ["Cost", "Damaged", "Store", "is_here"]
