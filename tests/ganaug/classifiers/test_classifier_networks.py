import numpy as np
import pytest
import torch
from tiny import CLASSIFIER, imported
from tiny import images as split_images
from torch.nn.functional import max_pool2d, relu

from ganaug.classifiers.fit import fit, predict
from ganaug.classifiers.networks import NETWORKS, Cnn, build, restore
from ganaug.images import to_float
from ganaug.randomness import seeded, torch_rng

SPLIT = split_images(10, 1).arrays
TEST = imported()[1].arrays["images"]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 28, 32, 128])
def test_it_reads_images_of_this_size(name, channels, side):
    net = build(CLASSIFIER.model_copy(update={"name": name}), (channels, side, side), 7, 0).eval()
    x = torch.rand(2, channels, side, side, generator=torch_rng(0, "test"))
    assert net(x).shape == (2, 7)
    assert net(x).isfinite().all()
    assert torch.equal(net(x), net.out(net.features(x)))
    assert (net.features(x) >= 0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_its_first_weights_are_the_seeds(name):
    spec = CLASSIFIER.model_copy(update={"name": name})
    one, again, other = (build(spec, (1, 8, 8), 10, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(v, again[k]) for k, v in one.items())
    assert not torch.equal(one["out.weight"], other["out.weight"])


@pytest.mark.parametrize("side", [8, 28])
def test_pooling_before_the_relu_gives_the_same_numbers_as_after(side):
    net = seeded(lambda: Cnn((3, side, side), 7, 8), 0, "test")
    x = torch.rand(4, 3, side, side, generator=torch_rng(0, "test")) * 2 - 1
    after = x.contiguous(memory_format=torch.channels_last)
    for conv in net.convs:
        after = max_pool2d(relu(conv(after)), 2)
    assert torch.equal(net(x), net.out(relu(net.hidden(after.flatten(1)))))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_restored_network_says_the_same_to_the_bit(name):
    spec = CLASSIFIER.model_copy(update={"name": name})
    net, _ = fit(spec, SPLIT["real"], SPLIT["real_labels"], 10, 0)
    # as the store gives them back: a number without an axis has one of length 1
    arrays = {f"net.{k}": np.atleast_1d(v.numpy()) for k, v in net.state_dict().items()} | {"ids": np.arange(3)}
    back = restore(spec, (1, 8, 8), 10, arrays, "net.")
    assert not back.training
    with torch.no_grad():
        assert torch.equal(net(to_float(TEST)), back(to_float(TEST)))
    assert np.array_equal(predict(net, TEST), predict(back, TEST))


def test_what_one_image_is_called_does_not_depend_on_its_company():
    net, _ = fit(CLASSIFIER.model_copy(update={"name": "deep"}), SPLIT["real"], SPLIT["real_labels"], 10, 0)
    with torch.no_grad():
        np.testing.assert_allclose(net(to_float(TEST[:1])), net(to_float(TEST[:50]))[:1], atol=1e-5)
