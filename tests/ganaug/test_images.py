import numpy as np
import torch

from ganaug.images import background, to_float, to_uint8

EVERY = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)


def test_every_grey_value_comes_back():
    assert np.array_equal(to_uint8(to_float(EVERY)).numpy(), EVERY)


def test_the_range_is_minus_one_to_one():
    x = to_float(EVERY)
    assert x.dtype == torch.float32
    assert (x.min(), x.max()) == (-1, 1)
    assert torch.all(x.flatten().diff() > 0)


def test_what_is_out_of_range_is_clipped():
    assert to_uint8(torch.tensor([-7.0, -1.0, 0.999, 1.0, 7.0])).tolist() == [0, 0, 255, 255, 255]


def test_conversion_leaves_its_input_as_it_was():
    images = EVERY.copy()
    to_float(images)
    as_tensor = torch.from_numpy(images)
    to_float(as_tensor)
    floats = torch.zeros(3)
    to_uint8(floats)
    assert np.array_equal(images, EVERY)
    assert torch.equal(floats, torch.zeros(3))


def test_read_only_arrays_are_welcome():
    frozen = EVERY.copy()
    frozen.flags.writeable = False
    assert torch.equal(to_float(frozen), to_float(EVERY))
    assert background(frozen).shape == (1,)


def test_background_is_the_border_not_the_middle():
    # asymmetric: 7 of the 12 border pixels are 200 (the top row, the right column), the rest 10; the middle is 90
    image = np.full((1, 1, 4, 4), 90, np.uint8)
    image[..., -1, :] = image[..., :, 0] = 10
    image[..., 0, :] = image[..., :, -1] = 200
    assert to_uint8(background(image)).tolist() == [200]
    assert to_uint8(background(image[:, :, ::-1, ::-1].copy())).tolist() == [200]
    image[..., 0, :2] = 10
    assert to_uint8(background(image)).tolist() == [10]


def test_background_counts_each_border_pixel_once():
    image = np.zeros((1, 1, 3, 3), np.uint8)
    image[..., 0, 1] = image[..., 1, 0] = image[..., 1, 2] = image[..., 2, 1] = image[..., 0, 0] = 255
    # five of eight; with corners counted twice it would be six of twelve, and the lower median 0
    assert to_uint8(background(image)).tolist() == [255]


def test_background_is_per_channel_and_over_all_images():
    images = np.zeros((3, 3, 5, 5), np.uint8)
    images[:, 1] = 255
    images[:2, 2] = 40
    assert to_uint8(background(images)).tolist() == [0, 255, 40]
