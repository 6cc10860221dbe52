import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from tiny import images as split_images

from ganaug import augmentation
from ganaug.augmentation import affine, augment, contrast, hflip, negative, offline, online, vflip, warp
from ganaug.augmentation.geometry import sampling_grid
from ganaug.images import background, to_float
from ganaug.randomness import torch_rng
from ganaug.specs import DA_TYPES, AugmentationSpec

SPEC = AugmentationSpec()
IDENTITY = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
SHAPES = st.tuples(st.integers(1, 4), st.sampled_from([1, 3]), st.integers(2, 9)).map(lambda s: (*s, s[2]))
FILLS = {1: torch.tensor([-0.75]), 3: torch.tensor([-0.75, 0.25, 0.5])}


def some(*shape, seed=0):
    """Float images in [-1, 1], with no symmetry at all."""
    return torch.rand(shape, generator=torch_rng(seed, "test")) * 2 - 1


def constant(n, side, fill):
    return fill.view(1, -1, 1, 1).expand(n, -1, side, side).clone()


@pytest.mark.parametrize("flip", [hflip, vflip, negative])
@given(shape=SHAPES)
def test_flips_and_negative_undo_themselves(flip, shape):
    x = some(*shape)
    assert torch.equal(flip(flip(x)), x)
    assert not torch.equal(flip(x), x)


def test_flips_know_left_from_top():
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    assert hflip(x).tolist() == [[[[2, 1], [4, 3]]]]
    assert vflip(x).tolist() == [[[[3, 4], [1, 2]]]]


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_a_map_looks_where_pytorch_says(n, height, width):
    maps = some(n, 2, 3)
    expected = torch.nn.functional.affine_grid(maps, [n, 1, height, width], align_corners=False)
    torch.testing.assert_close(sampling_grid(maps, height, width), expected, atol=1e-6, rtol=0)


@given(SHAPES)
def test_identity_map_changes_nothing(shape):
    x = some(*shape)
    torch.testing.assert_close(warp(x, IDENTITY.expand(len(x), 2, 3), FILLS[shape[1]]), x, atol=1e-5, rtol=0)


@given(SHAPES, st.integers(-3, 3), st.integers(-3, 3))
def test_shift_by_whole_pixels_is_a_move_with_the_background_behind_it(shape, dx, dy):
    x, fill = some(*shape), FILLS[shape[1]]
    side = shape[-1]
    maps = IDENTITY.repeat(len(x), 1, 1)
    maps[:, :, 2] = torch.tensor([dx, dy]) * 2 / side
    expected = constant(len(x), side, fill)
    for row in range(side):
        for column in range(side):
            if 0 <= row + dy < side and 0 <= column + dx < side:
                expected[:, :, row, column] = x[:, :, row + dy, column + dx]
    torch.testing.assert_close(warp(x, maps, fill), expected, atol=1e-5, rtol=0)


def test_shift_by_one_pixel_golden():
    x = torch.tensor([[[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]]])
    maps = IDENTITY[None].clone()
    maps[:, 0, 2] = 2 / 3  # looks one pixel to the right: the image moves to the left
    expected = [[[[0.2, 0.3, -1], [0.5, 0.6, -1], [0.8, 0.9, -1]]]]
    torch.testing.assert_close(warp(x, maps, torch.tensor([-1.0])), torch.tensor(expected))


def test_a_quarter_turn_is_rot90():
    x = some(2, 3, 5, 5)
    spec = AugmentationSpec(rotation=90)
    # draws of 1 and 0 stand for +90 and -90 degrees
    maps = torch.stack([_turn(90), _turn(-90)])
    turned = warp(x, maps, FILLS[3])
    torch.testing.assert_close(turned[0], torch.rot90(x[0], 1, (1, 2)), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned[1], torch.rot90(x[1], -1, (1, 2)), atol=1e-5, rtol=0)
    # and the random maps are such turns, by angles within the stated reach
    drawn = affine(500, ("rotation",), spec, torch_rng(0, "turn"))
    angle = torch.atan2(drawn[:, 1, 0], drawn[:, 0, 0]) * 180 / math.pi
    torch.testing.assert_close(drawn, torch.stack([_turn(a) for a in angle.tolist()]), atol=1e-5, rtol=0)
    assert -90 <= angle.min() < -85
    assert 85 < angle.max() <= 90


def _turn(degrees):
    a = math.radians(degrees)
    return torch.tensor([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0]])


def by_scipy(image, matrix, fill):
    """One (C, H, H) image under one map in grid_sample's coordinates, resampled by scipy in pixels (row, column)."""
    side = image.shape[-1]
    turn = matrix[:, :2].numpy().astype(np.float64)[::-1, ::-1]  # (x, y) -> (row, column)
    shift = matrix[:, 2].numpy().astype(np.float64)[::-1] * side / 2
    centre = np.full(2, (side - 1) / 2)
    offset = centre - turn @ centre + shift
    return np.stack(
        [
            ndimage.affine_transform(c, turn, offset, order=1, mode="grid-constant", cval=float(f))
            for c, f in zip(image.numpy().astype(np.float64), fill, strict=True)
        ]
    )


@pytest.mark.parametrize("types", [("rotation",), ("shear",), ("zoom",), ("shift",), augmentation.GEOMETRIC])
def test_random_maps_agree_with_scipy(types):
    spec = AugmentationSpec(rotation=60, shift=0.3, zoom=0.4, shear=30)
    x, fill = some(4, 3, 9, 9), FILLS[3]
    maps = affine(4, types, spec, torch_rng(1, "maps"))
    warped = warp(x, maps, fill).numpy()
    for i in range(4):
        np.testing.assert_allclose(warped[i], by_scipy(x[i], maps[i], fill), atol=2e-5)


def test_a_lone_dot_goes_where_the_map_says():
    # asymmetric: zoom by 2 about the centre, then look one pixel to the right. In a 5 x 5 image with the dot at row 1,
    # column 3, the output (r, c) shows the input (2 + (r - 2) / 2, 2 + (c - 2) / 2 + 1): the dot shows at (0, 2)
    x = torch.full((1, 1, 5, 5), -1.0)
    x[0, 0, 1, 3] = 1.0
    maps = torch.tensor([[[0.5, 0, 2 / 5], [0, 0.5, 0]]])
    out = warp(x, maps, torch.tensor([-1.0]))[0, 0]
    assert divmod(int(out.argmax()), 5) == (0, 2)
    assert out[0, 2] == pytest.approx(1, abs=1e-5)
    assert out[0, 1] == pytest.approx(0, abs=1e-5)  # half a pixel off: half way between dot and background
    assert out[2:].max() == pytest.approx(-1, abs=1e-5)


def test_random_maps_stay_within_the_stated_reach():
    spec = AugmentationSpec(rotation=20, shift=0.2, zoom=0.3, shear=15)
    rng = torch_rng(0, "reach")
    zoom = affine(1000, ("zoom",), spec, rng)
    assert torch.equal(zoom[:, 0, 0], zoom[:, 1, 1])
    assert 0.7 <= (1 / zoom[:, 0, 0]).min() < 0.72
    assert 1.28 < (1 / zoom[:, 0, 0]).max() <= 1.3 + 1e-6
    shift = affine(1000, ("shift",), spec, rng)[:, :, 2] / 2  # as a share of the side
    assert -0.2 <= shift.min() < -0.19
    assert 0.19 < shift.max() <= 0.2
    assert abs(np.corrcoef(shift.T)[0, 1]) < 0.1  # the two axes are drawn apart
    slant = affine(1000, ("shear",), spec, rng)
    assert torch.equal(slant[:, 1], IDENTITY[1].expand(1000, 3))
    assert 14 < torch.atan(slant[:, 0, 1]).max() * 180 / math.pi <= 15.001


def test_more_images_than_a_chunk_are_all_warped():
    n = augmentation.CHUNK + 3
    x = some(n, 1, 4, 4)
    maps = affine(n, augmentation.GEOMETRIC, SPEC, torch_rng(0, "chunk"))
    whole = warp(x, maps, FILLS[1])
    alone = torch.cat([warp(x[i : i + 1], maps[i : i + 1], FILLS[1]) for i in (0, n - 1)])
    torch.testing.assert_close(whole[[0, n - 1]], alone)


@pytest.mark.parametrize("name", DA_TYPES)
def test_each_image_of_a_batch_gets_its_own_parameters(name):
    x = some(1, 1, 9, 9).expand(32, 1, 9, 9)
    out = online(x, (name,), SPEC, FILLS[1], torch_rng(0, "own"))
    different = len(torch.unique(out.flatten(1), dim=0))
    assert different == (2 if name in augmentation.FLIPS else 32)


@pytest.mark.parametrize("name", augmentation.GEOMETRIC)
def test_an_empty_image_stays_empty(name):
    # whatever comes from outside is the background, so an image of nothing else cannot change
    x = constant(8, 9, FILLS[3])
    torch.testing.assert_close(online(x, (name,), SPEC, FILLS[3], torch_rng(0, "empty")), x, atol=1e-6, rtol=0)


@given(st.integers(0, 99), st.lists(st.sampled_from(DA_TYPES), unique=True))
def test_online_keeps_shape_range_and_input_and_depends_on_the_generator_alone(seed, types):
    x = some(3, 3, 8, 8)
    before = x.clone()
    once, again = (online(x, tuple(types), SPEC, FILLS[3], torch_rng(seed, "online")) for _ in range(2))
    assert once.shape == x.shape
    assert once.abs().max() <= 1 + 1e-5
    assert torch.equal(once, again)
    assert torch.equal(x, before)
    if not types:
        assert torch.equal(once, x)


def test_contrast_keeps_the_mean_and_scales_about_it():
    x = some(4, 3, 6, 6) / 4
    factor = torch.tensor([1.0, 0.0, 0.5, 2.0])
    out = contrast(x, factor)
    torch.testing.assert_close(out.mean((1, 2, 3)), x.mean((1, 2, 3)))
    torch.testing.assert_close(out.flatten(1).std(1), x.flatten(1).std(1) * factor)
    torch.testing.assert_close(out[0], x[0])
    assert contrast(some(1, 1, 4, 4), torch.tensor([9.0])).abs().max() <= 1


TYPES = st.lists(st.sampled_from(DA_TYPES), min_size=1, max_size=4, unique=True)


@given(TYPES, st.integers(0, 12), st.integers(1, 7), st.integers(0, 9))
def test_offline_makes_as_many_of_each_class_from_its_own_images(types, per_class, own, seed):
    parts = split_images(own, 1).arrays
    new, labels, source = offline(
        parts["real"], parts["real_labels"], tuple(types), per_class, SPEC, torch_rng(seed, "offline")
    )
    assert new.shape == (10 * per_class, 1, 8, 8)
    assert new.dtype == np.uint8
    assert np.bincount(labels, minlength=10).tolist() == [per_class] * 10
    assert np.array_equal(parts["real_labels"][source], labels)
    uses = np.bincount(source, minlength=10 * own)
    assert uses.max() - uses.min() <= 1  # sources are taken in turn


@pytest.mark.parametrize("types", [("hflip", "negative"), ("hflip", "vflip", "negative"), ("negative", "vflip")])
@pytest.mark.parametrize(("own", "per_class"), [(4, 12), (5, 12), (6, 6), (3, 7), (1, 6)])
def test_offline_mixes_types_one_to_one_and_leaves_no_original(types, own, per_class):
    parts = split_images(own, 1).arrays
    x = parts["real"]
    x[np.arange(len(x)), :, 0, 1] = 255  # a mark in a corner: no image is its own mirror image
    x[np.arange(len(x)), :, 0, 6], x[np.arange(len(x)), :, 7, 1] = 0, 7
    new, labels, source = offline(x, parts["real_labels"], types, per_class, SPEC, torch_rng(0, "offline"))
    made = {"hflip": x[..., ::-1], "vflip": x[..., ::-1, :], "negative": 255 - x}
    kinds = np.array([[np.array_equal(made[t][s], image) for t in types] for image, s in zip(new, source, strict=True)])
    assert np.all(kinds.sum(1) == 1)
    for label in range(10):
        counts = kinds[labels == label].sum(0)
        assert counts.max() - counts.min() <= 1
        for i in np.unique(source[labels == label]):
            turns = kinds[source == i].argmax(1)
            assert np.all(np.diff(turns) != 0)  # never the same type of the same image twice in a row


@pytest.mark.parametrize("name", [t for t in DA_TYPES if t != "channel_shift"])  # a draw near 0 rounds to nothing
def test_an_offline_copy_is_never_the_untouched_original(name):
    parts = split_images(20, 1).arrays
    x = parts["real"].copy()
    x[:, :, 0, 1], x[:, :, 0, 6], x[:, :, 7, 1] = 255, 0, 7
    new, _, source = offline(x, parts["real_labels"], (name,), 20, SPEC, torch_rng(0, "offline"))
    assert not np.any((new == x[source]).all((1, 2, 3)))


def test_offline_fills_with_the_background_of_its_images():
    rng = np.random.default_rng(0)
    x = np.full((6, 1, 9, 9), 230, np.uint8)
    x[:, :, 3:6, 3:6] = rng.integers(0, 100, (6, 1, 3, 3))
    assert background(x).item() == pytest.approx(to_float(np.uint8([230])).item())
    new, _, _ = offline(x, np.zeros(6, np.int64), ("shift",), 40, AugmentationSpec(shift=0.2), torch_rng(0, "fill"))
    assert np.all(new[:, :, [0, -1]] >= 229)


def test_augment_puts_the_new_images_behind_the_real_ones():
    real = split_images(5, 2)
    out = augment(real, ("rotation", "hflip"), 4, SPEC, seed=3)
    assert np.array_equal(out.arrays["real"][:50], real.arrays["real"])
    assert np.array_equal(out.arrays["real_labels"], real.arrays["real_labels"][out.arrays["source"]])
    assert np.bincount(out.arrays["real_labels"]).tolist() == [9] * 10
    assert out.facts == real.facts | {"augmented": 40, "distinct": 40}
    assert np.array_equal(out.arrays["real"], augment(real, ("rotation", "hflip"), 4, SPEC, 3).arrays["real"])
    assert not np.array_equal(out.arrays["real"], augment(real, ("rotation", "hflip"), 4, SPEC, 4).arrays["real"])
