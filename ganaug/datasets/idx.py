"""IDX, the array format of the MNIST files, read as if every byte of it could be wrong.

A header of `0, 0, type, ndim`, then `ndim` big-endian uint32 sizes, then the values, big-endian, last axis
fastest (http://yann.lecun.com/exdb/mnist/). Nothing in it can be trusted: a file is read
whole and exact, or refused in one line that says what is wrong with it.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ganaug.errors import UserError

# The header is untrusted: a few gzipped kilobytes may claim terabytes. EMNIST's largest file is 0.55 GB.
MAX_BYTES = 2 * 1024**3
REPLACE = "replace it with the publisher's file"

DEFLATED = 1032  # bytes that gzip can make of one, at most

_CHUNK = 1 << 20
_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of `path`, gunzipped where its name ends in .gz; whatever breaks meanwhile is one line."""
    if not path.is_file():  # also keeps a named pipe from blocking for ever
        raise UserError(f"{path}: must be a file, got {'a folder' if path.is_dir() else 'nothing'}; {REPLACE}")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: must be an undamaged gzip file, got “{error}”; {REPLACE}") from error
    except OSError as error:
        raise UserError(f"{path}: must be readable, got “{error.strerror or error}”; {REPLACE}") from error


def _read_up_to(stream: BinaryIO, n: int) -> bytearray:
    """At most `n` bytes. In chunks: memory follows what the file holds, not what its header claims."""
    data = bytearray()
    while len(data) < n and (chunk := stream.read(min(_CHUNK, n - len(data)))):
        data += chunk
    return data


def _read_header(stream: BinaryIO, path: Path, ndim: int, dtype: np.dtype) -> tuple[np.dtype, tuple[int, ...]]:
    """The stored dtype and the declared shape; the type and the number of axes must be the expected ones."""
    magic = _read_up_to(stream, 4)
    code = next(code for code, known in _TYPES.items() if known == dtype.newbyteorder(">"))
    expected = bytes([0, 0, code, ndim])
    if magic != expected:
        raise UserError(
            f"{path}: must start with the IDX magic {expected.hex()} ({ndim} axes of {dtype.name}), "
            f"got {magic.hex() or 'an empty file'}; {REPLACE}"
        )
    sizes = _read_up_to(stream, 4 * ndim)
    if len(sizes) < 4 * ndim:
        raise UserError(f"{path}: IDX header must have {4 + 4 * ndim} bytes, got {4 + len(sizes)}; {REPLACE}")
    return _TYPES[code], struct.unpack(f">{ndim}I", sizes)


def read_shape(path: Path, ndim: int, dtype: type[np.generic] = np.uint8) -> tuple[int, ...]:
    """The shape that the header of the IDX file `path` declares, its values unread. Raises UserError."""
    with _opened(path) as stream:
        return _read_header(stream, path, ndim, np.dtype(dtype))[1]


def _check_size(path: Path, declared: int, told: str) -> None:
    """Refuse what the header declares where it cannot be true of a file of this size, before any of it is read."""
    if declared > MAX_BYTES:
        raise UserError(f"{path}: IDX header must declare at most {MAX_BYTES} bytes, got {told}; {REPLACE}")
    there = path.stat().st_size
    if declared > there * (DEFLATED if path.suffix == ".gz" else 1):
        raise UserError(f"{path}: must hold the {declared} bytes of {told}, has {there} itself (truncated); {REPLACE}")


def read_idx(path: Path, ndim: int, dtype: type[np.generic] = np.uint8) -> np.ndarray:
    """The array in the IDX file `path`, gunzipped where its name ends in .gz.

    Returns a writable array of `ndim` axes and `dtype` in native byte order.
    Raises UserError where the file is absent, not gzip, damaged, of another type or number of axes, shorter
    or longer than its header says, or declares more than MAX_BYTES or than the file
    can hold. Never reads more than one byte beyond the declared values.
    """
    with _opened(path) as stream:
        stored, shape = _read_header(stream, path, ndim, np.dtype(dtype))
        declared = math.prod(shape) * stored.itemsize  # Python integers: four billion cubed does not wrap around
        size = f"{' x '.join(map(str, shape))} {np.dtype(dtype).name}"
        _check_size(path, declared, size)
        values = _read_up_to(stream, declared)
        if len(values) < declared:
            raise UserError(
                f"{path}: must hold the {declared} bytes of {size}, got {len(values)} (truncated); {REPLACE}"
            )
        if stream.read(1):  # reaching the end is also what makes gzip compare its checksum
            raise UserError(f"{path}: must end after the {declared} bytes of {size}, got more; {REPLACE}")
    return np.frombuffer(values, stored).reshape(shape).astype(np.dtype(dtype), copy=False)
