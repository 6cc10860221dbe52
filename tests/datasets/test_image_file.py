import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganaug.datasets.image_file import MAX_PIXELS, is_grey, read_image
from ganaug.errors import UserError


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_image(path, 8, 1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def huge_png(width: int, height: int) -> bytes:
    """A PNG of 60 bytes that promises width x height pixels."""
    chunks = (
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    )
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_the_right_size_is_left_alone(tmp_path, channels):
    shape = (8, 8) if channels == 1 else (8, 8, 3)
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    read = read_image(save(tmp_path / "a.png", array), 8, channels)
    assert read.shape == (channels, 8, 8)
    np.testing.assert_array_equal(read, array[None] if channels == 1 else array.transpose(2, 0, 1))


def test_the_centre_is_kept(tmp_path):
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 200
    assert (read_image(save(tmp_path / "wide.png", wide), 8, 1) == 200).all()
    assert (read_image(save(tmp_path / "tall.png", wide.T), 8, 1) == 200).all()


@pytest.mark.parametrize("shape", [(32, 96), (96, 32), (40, 40)])
def test_one_step_is_resizing_the_shorter_side_then_cropping(tmp_path, shape):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    image.save(tmp_path / "a.png")
    scale = 8 / min(shape)
    resized = image.resize((round(shape[1] * scale), round(shape[0] * scale)), Image.Resampling.BICUBIC)
    left, top = (resized.width - 8) // 2, (resized.height - 8) // 2
    expected = np.asarray(resized.crop((left, top, left + 8, top + 8)), int)
    assert np.abs(read_image(tmp_path / "a.png", 8, 1)[0] - expected).max() <= 1


def test_a_sliver_needs_no_giant(tmp_path):
    """Resizing the shorter side of 1 x 100,000 first would make 1024 x 102,400,000 pixels."""
    assert read_image(save(tmp_path / "a.png", np.full((1, 100_000), 7, np.uint8)), 1024, 1).shape == (
        1,
        1024,
        1024,
    )


def test_exif_orientation_is_applied(tmp_path):
    stored = np.zeros((8, 8), np.uint8)
    stored[:, :4] = 255  # bright on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: bright on top
    upright = read_image(save(tmp_path / "a.png", stored, exif=exif), 8, 1)[0]
    assert upright[:4].min() == 255
    assert upright[4:].max() == 0


def test_transparent_parts_are_white(tmp_path):
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:4] = (0, 0, 0, 255)
    path = save(tmp_path / "a.png", rgba)
    for channels in (1, 3):
        read = read_image(path, 8, channels)
        assert read[:, :4].max() == 0
        assert read[:, 4:].min() == 255
    grey_alpha = Image.merge("LA", [Image.new("L", (8, 8), 90), Image.new("L", (8, 8), 0)])
    grey_alpha.save(tmp_path / "la.png")
    assert is_grey(tmp_path / "la.png")
    assert read_image(tmp_path / "la.png", 8, 1).min() == 255


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    path = save(tmp_path / "a.png", values)
    assert is_grey(path)
    np.testing.assert_array_equal(read_image(path, 8, 1)[0], np.rint(values / 257))


@pytest.mark.parametrize(("mode", "grey"), [("1", True), ("L", True), ("LA", True), ("RGB", False), ("P", False)])
def test_grey_is_what_the_file_stores(tmp_path, mode, grey):
    Image.new(mode, (8, 8)).save(tmp_path / "a.png")
    assert is_grey(tmp_path / "a.png") == grey


def test_cmyk_photographs_are_colour(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert not is_grey(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg", 8, 3)[:, 0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)


@pytest.mark.parametrize(("width", "height"), [(8_001, 8_000), (10_000, 10_000), (100_000, 100_000)])
def test_too_many_pixels_are_refused_unopened(tmp_path, width, height):
    path = tmp_path / "a.png"
    path.write_bytes(huge_png(width, height))
    message = refusal(path)
    assert message.startswith(f"{path}: must have at most {MAX_PIXELS} pixels, got ")
    assert message.endswith("; shrink the image or remove it")


def test_more_pixels_than_its_bytes_can_hold_are_refused_undecoded(tmp_path):
    """The sides of a small JPEG, changed in its header."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((16, 16)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = (1000).to_bytes(2, "big") + (60_000).to_bytes(2, "big")
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert refusal(path) == (
        f"{path}: must be a whole PNG or JPEG image, got 60000 x 1000 pixels in {len(data)} bytes (truncated); "
        "replace or remove it"
    )


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "L"), ("JPEG", "RGB"), ("PNG", "L"), ("PNG", "1")])
def test_the_most_that_a_format_can_hold_is_not_refused(tmp_path, kind, mode):
    """One colour, packed as tightly as it goes."""
    Image.new(mode, (4000, 4000)).save(tmp_path / "a", kind, optimize=True, compress_level=9)
    assert read_image(tmp_path / "a", 4, 1).max() <= 1


def test_only_png_and_jpeg_are_decoded_whatever_the_name_says(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png", format="BMP")
    assert refusal(tmp_path / "a.png") == (
        f"{tmp_path / 'a.png'}: must be a whole PNG or JPEG image, got “cannot identify image file”; "
        "replace or remove it"
    )
    assert refusal(tmp_path / "absent.png") == (
        f"{tmp_path / 'absent.png'}: must be a whole PNG or JPEG image, got no file; replace or remove it"
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG"]),
    cut=st.none() | st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 399), st.integers(1, 255)), max_size=3),
)
def test_any_damage_is_a_user_error_or_an_image(scratch, kind, cut, flips):
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((16, 16)).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    for place, mask in flips:
        data[place % len(data)] ^= mask
    path = scratch / "x.png"
    path.write_bytes(data[:cut])
    message = ""
    try:
        assert read_image(path, 8, 1).shape == (1, 8, 8)
    except UserError as error:
        message = str(error)
    assert "\n" not in message
