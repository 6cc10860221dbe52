import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import CLASSIFIER, imported
from tiny import images as split_images

from ganaug.classifiers.fit import batches, dropped, fit, predict
from ganaug.classifiers.networks import Cnn
from ganaug.randomness import seeded, torch_rng
from ganaug.specs import DA_TYPES, ClassifierSpec

SPLIT = split_images(30, 1)
REAL, LABELS = SPLIT.arrays["real"], SPLIT.arrays["real_labels"]


def fitted(seed=0, da=(), **changed):
    return fit(CLASSIFIER.model_copy(update=changed), REAL, LABELS, 10, seed, da)


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 20), st.integers(0, 9))
def test_every_index_is_dealt_once_an_epoch(n, batch, steps, seed):
    dealt = list(batches(n, batch, steps, torch_rng(seed, "deck")))
    assert [len(b) for b in dealt] == [batch] * steps
    deck = torch.cat(dealt).tolist()
    for start in range(0, len(deck) - n + 1, n):
        assert sorted(deck[start : start + n]) == list(range(n))


def test_decks_are_shuffled_anew():
    deck = torch.cat(list(batches(20, 20, 3, torch_rng(0, "deck"))))
    assert not torch.equal(deck[:20], deck[20:40])
    assert not torch.equal(deck[:20], torch.arange(20))


@pytest.mark.parametrize("name", ["cnn", "deep"])
@pytest.mark.parametrize("da", [(), ("rotation", "contrast"), DA_TYPES])
def test_same_seed_same_network(da, name):
    test = imported()[1].arrays["images"]
    settings = {"name": name, "dropout": 0.2, "label_smoothing": 0.1, "weight_decay": 0.01}
    (one, curve), (two, again), (other, _) = (fitted(seed, da, **settings) for seed in (0, 0, 1))
    assert all(torch.equal(v, two.state_dict()[k]) for k, v in one.state_dict().items())
    assert curve == again
    assert np.array_equal(predict(one, test), predict(two, test))
    assert any(not torch.equal(v, other.state_dict()[k]) for k, v in one.state_dict().items())


def test_augmentation_changes_the_network_and_not_the_images():
    before = REAL.copy()
    (plain, _), (augmented, _) = fitted(), fitted(da=("rotation",))
    assert any(not torch.equal(v, augmented.state_dict()[k]) for k, v in plain.state_dict().items())
    assert np.array_equal(REAL, before)


@pytest.mark.parametrize("setting", [{"dropout": 0.5}, {"label_smoothing": 0.1}, {"weight_decay": 0.5}], ids=str)
def test_each_setting_changes_the_network(setting):
    (plain, _), (other, _) = fitted(), fitted(**setting)
    assert any(not torch.equal(v, other.state_dict()[k]) for k, v in plain.state_dict().items())


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    out = dropped(torch.ones(200, 100), share, torch_rng(0, "dropout"))
    assert float((out == 0).float().mean()) == pytest.approx(share, abs=0.01)
    assert float(out.mean()) == pytest.approx(1, abs=0.05)
    assert torch.equal(out, dropped(torch.ones(200, 100), share, torch_rng(0, "dropout")))


@pytest.mark.parametrize("name", ["cnn", "deep"])
def test_it_learns(name):
    net, curve = fitted(steps=120, batch=32, learning_rate=1e-2, name=name)
    test = imported()[1].arrays
    assert np.mean(predict(net, test["images"]) == test["labels"]) > 0.6  # chance is 0.1
    assert len(curve) == 20
    assert curve[-1] < curve[0] / 2


@pytest.mark.parametrize("n", [3, 30, 300])
def test_the_number_of_updates_does_not_depend_on_the_number_of_images(n, monkeypatch):
    updates = 0
    step = torch.optim.AdamW.step

    def counted(*args, **kwargs):
        nonlocal updates
        updates += 1
        return step(*args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    _, curve = fit(CLASSIFIER, REAL[:n], LABELS[:n], 10, 0)
    assert updates == CLASSIFIER.steps == len(curve)


def test_epochs_are_updates_by_the_number_of_images():
    """The published way: twice the images, twice the updates."""
    spec = ClassifierSpec(epochs=3, batch=8, width=4, steps=7)
    assert [spec.updates(n) for n in (1, 40, 80)] == [1, 15, 30]
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), np.uint8)
    labels = np.arange(40) % 4
    by_epochs, _ = fit(spec, images, labels, 4, 0)
    by_steps, _ = fit(spec.model_copy(update={"epochs": None, "steps": 15}), images, labels, 4, 0)
    pairs = zip(by_epochs.state_dict().values(), by_steps.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_predictions_are_classes_whatever_the_batch(monkeypatch):
    net, _ = fitted()
    test = imported()[1].arrays["images"]
    whole = predict(net, test)
    assert whole.dtype == np.uint8
    assert whole.shape == (len(test),)
    monkeypatch.setattr("ganaug.classifiers.fit.EVALUATION_BATCH", 64)
    assert np.array_equal(whole, predict(net, test))
    many = seeded(lambda: Cnn((1, 8, 8), 300, 8), 0, "test")
    assert predict(many, test[:3]).dtype == np.uint16
