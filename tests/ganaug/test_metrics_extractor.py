import numpy as np
import pytest
import torch
from tiny import CLASSIFIER, imported
from tiny import images as split_images

from ganaug.classifiers.fit import fit, predict
from ganaug.classifiers.networks import Cnn
from ganaug.images import to_float
from ganaug.metrics import extractor
from ganaug.metrics.extractor import Extractor, Penultimate, Pixels, unit_scaled

TEST = imported()[1].arrays["images"]


@pytest.fixture(scope="module")
def net() -> Cnn:
    split = split_images(5, 1).arrays
    return fit(CLASSIFIER, split["real"], split["real_labels"], 10, 0)[0]


def test_a_classifiers_layers_are_those_it_predicts_from(net):
    features, logits = Penultimate(net)(TEST)
    assert features.shape == (len(TEST), 4 * CLASSIFIER.width)
    assert features.dtype == logits.dtype == np.float32
    assert features.min() >= 0 < features.max()
    assert np.array_equal(logits.argmax(1), predict(net, TEST))
    with torch.no_grad():
        assert np.array_equal(logits, net(to_float(TEST)).numpy())
        assert np.allclose(net.out(torch.from_numpy(features)).numpy(), logits, atol=1e-6)


def test_the_batch_changes_nothing_that_matters(net, monkeypatch):
    whole = Penultimate(net)(TEST)
    monkeypatch.setattr(extractor, "EVALUATION_BATCH", 33)
    for one, other in zip(whole, Penultimate(net)(TEST), strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_pixels_are_the_images():
    features, logits = Pixels()(TEST)
    assert logits is None
    assert np.array_equal(features.reshape(TEST.shape), to_float(TEST).numpy())


def test_scaled_features_have_a_unit_whatever_the_networks(net):
    features, logits = unit_scaled(Penultimate(net), TEST)(TEST[:50])
    plain = Penultimate(net)(TEST)
    assert np.allclose(features, plain.features[:50] / np.sqrt((plain.features**2).mean()), rtol=1e-5)
    assert np.array_equal(logits, plain.logits[:50])
    assert (unit_scaled(Penultimate(net), TEST)(TEST).features ** 2).mean() == pytest.approx(1, rel=1e-5)
    black = np.zeros_like(TEST)
    assert np.isfinite(unit_scaled(Penultimate(net), black)(black).features).all()


def test_any_network_can_be_plugged_in(net):
    extractors: list[Extractor] = [Pixels(), Penultimate(net), unit_scaled(Pixels(), TEST)]
    assert [e.name for e in extractors] == ["pixels", "classifier", "pixels"]
    assert all(len(e(TEST[:3]).features) == 3 for e in extractors)
