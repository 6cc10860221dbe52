"""What lies in a store, read as if anybody had put it there: a checksum finds damage, and is no signature.

So what a manifest says is checked once more after its checksum is right: its digest is a digest and no path, its parts
are of the kinds that are written, and a blob is what safetensors reads. Nobody who writes to a store can have code run
or files outside it read; whoever writes to it can put a false result there.
"""

import json
import math
import re
from typing import Any

import numpy as np
from safetensors.numpy import load

MAX_MANIFEST = 256 << 20  # bytes; curves of a long training have a few
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Damaged(Exception):
    """A file of the store is not what its digest says."""


def parse(data: bytes, shown: str) -> dict[str, Any]:
    """The mapping that a manifest's bytes are. Raises Damaged."""
    if len(data) > MAX_MANIFEST:
        raise Damaged(f"{shown}: has {len(data)} bytes, more than a manifest's {MAX_MANIFEST}")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{shown}: not a manifest") from error
    if not isinstance(found, dict) or not isinstance(found.get("check"), str):
        raise Damaged(f"{shown}: not a manifest")
    return found


def _cost(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
        and math.isfinite(value[1])
    )


def require_manifest(manifest: dict[str, Any], shown: str) -> str:
    """The digest of its blob. Raises Damaged where a part is not of the kind that `publish` writes."""
    facts, cost, blob = (manifest.get(part) for part in ("facts", "cost", "blob"))
    digest = blob.get("sha256") if isinstance(blob, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Damaged(f"{shown}: must name its blob by a sha256, got {str(digest)[:80]!r}")
    if not isinstance(facts, dict) or not isinstance(cost, dict) or not all(map(_cost, cost.values())):
        raise Damaged(f"{shown}: must hold facts and costs as they are written, got others")
    return digest


def unpacked(data: bytes, shown: str) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file. Raises Damaged."""
    try:
        return load(data)
    except MemoryError:
        raise
    except Exception as error:  # safetensors' own, and KeyError for a type that numpy does not have
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise Damaged(f"{shown}: is no safetensors file ({why})") from error
