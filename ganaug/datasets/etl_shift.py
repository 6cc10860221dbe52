"""Telling ETL8G and ETL9G apart: records of one length whose images begin 4 bytes, that is 8 pixels, from each other.

Read as the other, a file gives images without an error, all of them moved to a side. What speaks for a type, the
strongest first: the number of records of a whole file; ink in the four bytes that are image in one type and undefined
in the other; and, where both types leave blank margins, which reading has the ink in the middle.
"""

from pathlib import Path

import numpy as np

from ganaug.datasets.etl_records import G8, G9, Layout, Records
from ganaug.errors import UserError

WHOLE = {"8G": (4780, 956), "9G": (12144,)}  # records of the publisher's files
_TYPES = {"8G": G8, "9G": G9}
PIXELS = 8  # between the two readings
LOOKED_AT = 2000  # records, evenly spread


def _by_ink(raw: np.ndarray) -> str | None:
    """The type by what lies in the bytes that only one of the two calls image: its first four, or its last."""
    first, last = raw[:, G8.image : G9.image].any(), raw[:, G8.image + G8.image_bytes :][:, :4].any()
    if first == last:
        return None
    return "8G" if first else "9G"


def _by_middle(records: Records) -> str | None:
    """The type under which the ink of blank-margined images lies in the middle, if it lies there under either."""
    some = np.linspace(0, len(records.raw) - 1, min(LOOKED_AT, len(records.raw))).astype(int)
    images = records.images(some)
    if images[:, :, :PIXELS].any() and images[:, :, -PIXELS:].any():
        return None
    per_column = images.sum((0, 1), dtype=np.float64)
    if not per_column.any():
        return None
    centre = (per_column * np.arange(len(per_column))).sum() / per_column.sum()
    off = centre - (len(per_column) - 1) / 2
    if abs(off) < PIXELS / 2:
        return records.layout.kind
    other = off + (PIXELS if records.layout is G9 else -PIXELS)
    return {"8G": "9G", "9G": "8G"}[records.layout.kind] if abs(other) < PIXELS / 2 else None


def check_type(path: Path, records: Records) -> None:
    """Raise UserError where a file read as ETL8G is of ETL9G, or the other way round."""
    layout: Layout = records.layout
    if layout not in (G8, G9):
        return
    whole = [kind for kind, counts in WHOLE.items() if len(records.raw) in counts]
    found = (whole[0] if whole else None) or _by_ink(records.raw) or _by_middle(records)
    if found is not None and found != layout.kind:
        raise UserError(
            f"{path}: holds records of ETL{found}, whose images begin at offset {_TYPES[found].image} of each; read as "
            f"ETL{layout.kind} they would be {PIXELS} pixels off; put the file where ETL{found} belongs and ask for "
            f"set: etl{found.lower()}"
        )
