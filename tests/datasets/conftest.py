"""Small files in the publishers' layout: damaged ones are made from these."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def to_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


@pytest.fixture(scope="session")
def write_idx() -> Callable[[Path, np.ndarray], None]:
    """Writes an array as IDX, gzipped where the name ends in .gz."""

    def write(path: Path, array: np.ndarray) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = idx_bytes(array)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)

    return write


@pytest.fixture(scope="session")
def write_split(
    write_idx: Callable[[Path, np.ndarray], None],
) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Writes `<prefix>-images-…` and `<prefix>-labels-…` of random 28 x 28 images; returns both arrays."""

    def write(folder: Path, prefix: str, labels: np.ndarray, suffix: str = ".gz") -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(len(labels))
        images = rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", labels.astype(np.uint8))
        return images, labels

    return write
