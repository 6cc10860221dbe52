import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ganaug.datasets import idx
from ganaug.datasets.idx import read_idx, read_shape
from ganaug.errors import UserError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
REPLACE = "replace it with the publisher's file"


def refusal(path: Path, ndim: int = 3) -> str:
    """The one line that `read_idx` refuses `path` with, the folder cut off."""
    with pytest.raises(UserError) as caught:
        read_idx(path, ndim)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(REPLACE)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ").removesuffix(f"; {REPLACE}")


@pytest.mark.parametrize("name", ["x", "x.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64])
def test_what_is_written_is_read(tmp_path, write_idx, name, dtype):
    array = (IMAGES - 3).astype(dtype)
    write_idx(tmp_path / name, array)
    read = read_idx(tmp_path / name, 3, dtype)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    assert read_shape(tmp_path / name, 3, dtype) == (2, 3, 4)


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (5, 28, 28), (0, 28, 28)])
def test_torchvision_reads_the_same(tmp_path, write_idx, shape):
    reference = pytest.importorskip("torchvision.datasets.mnist").read_sn3_pascalvincent_tensor
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_idx(tmp_path / "x", array)
    if array.size:  # torch.frombuffer refuses an empty buffer
        np.testing.assert_array_equal(reference(str(tmp_path / "x")).numpy(), array)
    np.testing.assert_array_equal(read_idx(tmp_path / "x", len(shape)), array)


@pytest.mark.parametrize("name", ["x", "x.gz"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "must start with the IDX magic 00000803 (3 axes of uint8), got an empty file"),
        (lambda data: data[:3], "must start with the IDX magic 00000803 (3 axes of uint8), got 000008"),
        (
            lambda data: b"\x89PNG" + data,
            "must start with the IDX magic 00000803 (3 axes of uint8), got 89504e47",
        ),
        (lambda data: data[:9], "IDX header must have 16 bytes, got 9"),
        (lambda data: data[:-1], "must hold the 24 bytes of 2 x 3 x 4 uint8, got 23 (truncated)"),
        (lambda data: data + b"\0", "must end after the 24 bytes of 2 x 3 x 4 uint8, got more"),
        (
            lambda data: data[:4] + b"\xff" * 12,
            "IDX header must declare at most 2147483648 bytes, got 4294967295 x 4294967295 x 4294967295 uint8",
        ),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, to_idx, name, damage, message):
    data = damage(to_idx(IMAGES))
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert refusal(tmp_path / name) == message


def test_a_file_of_another_type_or_number_of_axes_is_refused(tmp_path, write_idx):
    write_idx(tmp_path / "labels", np.zeros(3, np.uint8))
    assert refusal(tmp_path / "labels") == "must start with the IDX magic 00000803 (3 axes of uint8), got 00000801"
    write_idx(tmp_path / "floats", np.zeros(3, np.float32))
    assert refusal(tmp_path / "floats", 1) == "must start with the IDX magic 00000801 (1 axes of uint8), got 00000d01"


def test_what_is_not_a_file_is_refused(tmp_path):
    assert refusal(tmp_path / "absent") == "must be a file, got nothing"
    assert refusal(tmp_path) == "must be a file, got a folder"
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer for ever
    assert refusal(tmp_path / "pipe") == "must be a file, got nothing"


def test_broken_gzip_is_one_line(tmp_path, to_idx):
    packed = gzip.compress(to_idx(IMAGES))
    path = tmp_path / "x.gz"
    for data in (
        to_idx(IMAGES),
        packed[:-9],
        packed[:-8] + b"\0" * 8,
        packed + b"junk",
        packed[:10] + b"\xff" * 30,
    ):
        path.write_bytes(data)
        assert refusal(path).startswith("must be an undamaged gzip file, got “")


def test_a_decompression_bomb_is_neither_unpacked_nor_allocated(tmp_path):
    header = bytes([0, 0, 8, 3])
    zeros = gzip.compress(header + struct.pack(">3I", 1, 1, 1) + bytes(64 << 20), 1)
    liar = gzip.compress(header + struct.pack(">3I", 2000, 1000, 1000) + bytes(100))
    (tmp_path / "bomb.gz").write_bytes(zeros)
    (tmp_path / "liar.gz").write_bytes(liar)
    del zeros
    tracemalloc.start()
    try:
        assert refusal(tmp_path / "bomb.gz") == "must end after the 1 bytes of 1 x 1 x 1 uint8, got more"
        assert refusal(tmp_path / "liar.gz") == (
            f"must hold the 2000000000 bytes of 2000 x 1000 x 1000 uint8, has {len(liar)} itself (truncated)"
        )
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@settings(max_examples=300, deadline=None)
@given(
    packed=st.booleans(),
    cut=st.none() | st.integers(0, 60),
    flips=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 255)), max_size=4),
    tail=st.binary(max_size=3),
)
@example(packed=True, cut=None, flips=[(3, 4)], tail=b"")  # sets the gzip header's flag for an extra field
def test_any_damage_is_a_user_error_or_a_whole_array(scratch, to_idx, packed, cut, flips, tail):
    data = bytearray(gzip.compress(to_idx(IMAGES), mtime=0) if packed else to_idx(IMAGES))
    for place, mask in flips:
        data[place % len(data)] ^= mask
    path = scratch / ("x.gz" if packed else "x")
    path.write_bytes(data[:cut] + tail)
    message = ""
    try:
        array = read_idx(path, 3)
    except UserError as error:
        message = str(error)
    else:
        assert array.ndim == 3
        assert array.nbytes <= idx.MAX_BYTES
    assert "\n" not in message
