"""The Keras catalogue against golden numbers that Keras itself made (`benchmarks/keras_golden.py`)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from ganaug.augmentation import affine, brightness, channel_shift, distinct, keras_maps, offline, online, warp
from ganaug.classifiers.preprocessing import Preprocessing
from ganaug.images import to_float, to_uint8
from ganaug.randomness import torch_rng
from ganaug.specs import AugmentationSpec, PreprocessingSpec

GOLDEN = dict(np.load(Path(__file__).with_name("keras_golden.npz")))
SIDE = 9
IMAGE = to_float(GOLDEN["image"].transpose(2, 0, 1)[None])
FILL = torch.full((3,), 77 / 127.5 - 1)
IDENTITY = torch.tensor([[1.0, 0, 0], [0, 1, 0]])


def levels(images: torch.Tensor) -> np.ndarray:
    """(N, C, H, W) in [-1, 1] -> grey levels (N, H, W, C), not rounded."""
    return ((images + 1) * 127.5).numpy().transpose(0, 2, 3, 1)


def maps() -> torch.Tensor:
    return keras_maps(*torch.tensor(GOLDEN["parameters"], dtype=torch.float32).T, side=SIDE)


def inside(rim: float = -1e-3) -> np.ndarray:
    """Where the maps look into the image, between its outermost pixels' centres: (n, H, W)."""
    at = (np.arange(SIDE) * 2 + 1) / SIDE - 1
    grid = np.stack([*np.meshgrid(at, at), np.ones((SIDE, SIDE))])
    x, y = np.einsum("nij,jhw->inhw", maps().numpy(), grid)
    last = 1 - 1 / SIDE + rim
    return (np.abs(x) <= last) & (np.abs(y) <= last)


@pytest.mark.parametrize("mode", ["nearest", "reflect"])
def test_geometry_is_keras_to_the_grey_level_inside_and_outside(mode):
    n = len(GOLDEN["parameters"])
    ours = levels(warp(IMAGE.expand(n, -1, -1, -1), maps(), FILL, mode))
    np.testing.assert_allclose(ours, GOLDEN[f"affine_{mode}"], atol=0.02)


@pytest.mark.parametrize("mode", ["constant", "wrap"])
def test_geometry_is_keras_inside_where_the_fill_is_not(mode):
    # outside, scipy's `constant` cuts at the centre of the last pixel, and its `wrap` has a period of one too few
    n, where = len(GOLDEN["parameters"]), inside()
    ours = levels(warp(IMAGE.expand(n, -1, -1, -1), maps(), FILL, mode))
    assert 0.2 < where.mean() < 0.9
    np.testing.assert_allclose(ours[where], GOLDEN[f"affine_{mode}"][where], atol=0.02)
    whole = GOLDEN["parameters"][:2]  # shifts by whole pixels: nothing is between two pixels
    assert np.all(np.isin(whole, [0, 1, 2, -3]))
    if mode == "constant":
        np.testing.assert_allclose(ours[:2], GOLDEN["affine_constant"][:2], atol=0.02)


def test_wrap_goes_round_by_the_whole_side_where_keras_loses_a_pixel():
    shifted = levels(warp(IMAGE, maps()[:1], FILL, "wrap"))[0]  # two pixels to the left
    image = GOLDEN["image"]
    np.testing.assert_allclose(shifted, np.roll(image, -2, axis=1), atol=0.02)
    keras = GOLDEN["affine_wrap"][0]
    np.testing.assert_allclose(keras[:, -1], image[:, 2], atol=0.02)  # column 2, where column 1 belongs


def test_each_fill_shows_what_it_says_beyond_the_edge():
    row = torch.tensor([0.0, 1, 2, 3]) / 4
    x = row.expand(1, 1, 4, 4).clone()
    look_right = IDENTITY[None].clone()
    look_right[:, 0, 2] = 2 * 2 / 4  # two pixels on: c d | what lies outside
    shown = {mode: warp(x, look_right, torch.tensor([-1.0]), mode)[0, 0, 0] * 4 for mode in ("nearest", "reflect")}
    shown |= {mode: warp(x, look_right, torch.tensor([-1.0]), mode)[0, 0, 0] * 4 for mode in ("wrap", "constant")}
    expected = {"nearest": [2, 3, 3, 3], "reflect": [2, 3, 3, 2], "wrap": [2, 3, 0, 1], "constant": [2, 3, -4, -4]}
    for mode, values in expected.items():
        torch.testing.assert_close(shown[mode], torch.tensor(values, dtype=torch.float32), atol=1e-5, rtol=0)


def test_wrap_blends_the_two_edges_half_way_between_them():
    x = torch.tensor([0.0, 1, 2, 3]).expand(1, 1, 4, 4).clone()
    half = IDENTITY[None].clone()
    half[:, 0, 2] = 2 * 0.5 / 4
    torch.testing.assert_close(
        warp(x, half, torch.tensor([-1.0]), "wrap")[0, 0, 0], torch.tensor([0.5, 1.5, 2.5, 1.5]), atol=1e-5, rtol=0
    )


def test_constant_fill_is_the_grey_level_of_the_study():
    spec = AugmentationSpec(width_shift=4, fill="constant", cval=77)
    out = to_uint8(online(IMAGE.expand(50, -1, -1, -1), ("width_shift",), spec, FILL * 0, torch_rng(0, "cval")))
    moved = (out[:, :, :, 0] == 77).flatten(1).all(1) | (out[:, :, :, -1] == 77).flatten(1).all(1)
    assert 0.6 < moved.float().mean() < 1  # all but those that did not move


def test_channel_shift_and_brightness_are_keras():
    n = len(GOLDEN["shifts"])
    ours = channel_shift(IMAGE.expand(n, -1, -1, -1), torch.tensor(GOLDEN["shifts"], dtype=torch.float32))
    np.testing.assert_allclose(levels(ours), GOLDEN["channel_shift"], atol=0.01)
    assert np.array_equal(to_uint8(ours[:1]).numpy()[0].transpose(1, 2, 0), GOLDEN["image"])  # 0.2 does nothing
    n = len(GOLDEN["factors"])
    ours = brightness(IMAGE.expand(n, -1, -1, -1), torch.tensor(GOLDEN["factors"], dtype=torch.float32))
    np.testing.assert_allclose(levels(ours), GOLDEN["brightness"], atol=0.95)  # Pillow drops what is after the point


@pytest.mark.parametrize("name", ["rescale", "samplewise", "featurewise", "featurewise_rescaled", "function_rescale"])
def test_standardisation_is_keras(name):
    asked = {"rescale": 1 / 255} if "rescale" in name else {}
    if "featurewise" in name or name == "samplewise":
        kind = name.split("_")[0]
        asked |= {f"{kind}_center": True, f"{kind}_std": True}
    batch = to_float(GOLDEN["batch"].transpose(0, 3, 1, 2))
    prepare = Preprocessing(PreprocessingSpec(**asked), 3)
    prepare.function = (lambda x: 255 - x) if "function" in name else None
    prepare.learn(batch, chunk=3)
    ours = prepare(batch).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(ours, GOLDEN[f"standard_{name}"], atol=2e-4)


@pytest.mark.parametrize(
    ("span", "convention", "values"),
    [
        (3, "ganaug", {-2, -1, 0, 1, 2}),
        (3, "keras", {-2, -1, 0, 1, 2}),
        ([2, 5], "ganaug", {-5, -2, 2, 5}),
        ([0, 4], "keras", {-4, 0, 4}),
        ([0.25], "ganaug", {-3, 3}),  # a quarter of 12 pixels
    ],
)
def test_a_shift_in_pixels_is_one_of_the_stated_ones(span, convention, values):
    for axis, name in enumerate(("width_shift", "height_shift")):
        spec = AugmentationSpec(**{name: span}, convention=convention)
        moved = affine(600, (name,), spec, torch_rng(0, "pixels"), side=12)[:, :, 2] * 12 / 2
        drawn = moved[:, axis].round(decimals=4)
        assert set(drawn.tolist()) == values
        assert torch.all(moved[:, 1 - axis] == 0)  # and the other axis stays
        counts = np.unique(drawn.numpy(), return_counts=True)[1]
        expected = np.full(len(values), 600 / len(values)) if span != [0, 4] else np.array([150, 300, 150])
        assert stats.chisquare(counts, expected).pvalue > 1e-4


def test_a_number_from_1_on_is_pixels_and_below_it_a_share():
    for span, reach in ((0.25, 3.0), (2.5, 2.5)):
        drawn = affine(2000, ("width_shift",), AugmentationSpec(width_shift=span), torch_rng(0, "reach"), side=12)
        moved = drawn[:, 0, 2] * 12 / 2
        assert reach * 0.98 < moved.max() <= reach
        assert -reach <= moved.min() < -reach * 0.98


def test_keras_zoom_is_of_the_coordinates_and_each_axis_has_its_own():
    spec = AugmentationSpec(zoom=[0.5, 0.8], convention="keras")
    drawn = affine(1000, ("zoom",), spec, torch_rng(0, "zoom"))
    x, y = drawn[:, 0, 0], drawn[:, 1, 1]
    assert 0.5 <= x.min() < 0.51
    assert 0.79 < y.max() <= 0.8
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.1
    ours = affine(1000, ("zoom",), AugmentationSpec(zoom=[0.5, 0.8]), torch_rng(0, "zoom"))[:, 0, 0]
    assert 1.25 <= ours.min() < 1.27  # an image drawn at 0.8 of its size is looked at from further away
    assert 1.98 < ours.max() <= 2


def test_flips_come_half_of_the_time_and_brightness_within_its_range():
    n = 1000
    x = IMAGE.expand(n, -1, -1, -1)
    flipped = online(x, ("hflip",), AugmentationSpec(), FILL, torch_rng(0, "half"))
    assert 0.45 < (flipped != x).flatten(1).any(1).float().mean() < 0.55
    grey = torch.zeros(n, 1, 2, 2)
    out = levels(online(grey, ("brightness",), AugmentationSpec(brightness=[0.5, 1.5]), FILL[:1], torch_rng(0, "b")))
    assert 63.7 < out.min() < 65
    assert 190 < out.max() < 191.3


def test_offline_says_how_many_images_there_really_are():
    x = (GOLDEN["batch"].transpose(0, 3, 1, 2)).copy()
    labels = np.zeros(4, np.int64)
    made = {
        da: offline(x, labels, (da,), 12, AugmentationSpec(channel_shift=0.2), torch_rng(0, "count"))[0]
        for da in ("hflip", "channel_shift", "rotation")
    }
    assert {da: distinct(x, new) for da, new in made.items()} == {"hflip": 4, "channel_shift": 0, "rotation": 12}
