import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import GANS, PROJECTION
from tiny import images as split_images

from ganaug.gans import training
from ganaug.gans.training import Trainer, latent_for, train
from sweeps.store import Store

REAL = torch.from_numpy(split_images(5).arrays["real"])
LABELS = torch.from_numpy(split_images(5).arrays["real_labels"])


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(training, "CHECK_EVERY", 3)


def run(spec, seed=0, **kwargs):
    return train(spec, REAL, LABELS, 10, seed, **kwargs)


def difference(a, b):
    """What is not equal to the bit in two trainings."""
    nets = ((n, getattr(a, n).state_dict(), getattr(b, n).state_dict()) for n in ("generator", "discriminator"))
    unequal = [f"{n}.{k}" for n, x, y in nets for k in x if not torch.equal(x[k], y[k])]
    return unequal + ([] if a.losses == b.losses else ["losses"])


def direct(state, folder):
    return state


def by_numpy(state, folder):
    return {k: torch.from_numpy(v.numpy().copy()) for k, v in state.items()}


def by_store(state, folder):
    store = Store(folder)
    store.save_progress("key", {k: v.numpy() for k, v in state.items()})
    found = store.load_progress("key")
    assert found is not None
    return {k: torch.from_numpy(v.copy()) for k, v in found.items()}


@pytest.mark.parametrize("way", [direct, by_numpy, by_store])
@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("name", GANS)
def test_resumed_training_is_uninterrupted_training(name, ema, way, tmp_path):
    # 50 images in batches of 16: the states are taken in the first epoch and in the third. The states pass through
    # numpy, which lays channels-last weights out anew
    spec = GANS[name].model_copy(update={"steps": 13, "ema": ema})
    states = []
    whole = run(spec, save=lambda state: states.append(state()))
    assert [int(s["step"]) for s in states] == [3, 6, 9, 12]
    for state in (states[0], states[2]):
        kept = {k: v.clone() for k, v in state.items()}
        assert difference(whole, run(spec, state=way(state, tmp_path))) == []
        assert all(torch.equal(state[k], kept[k]) for k in kept)  # a state can be used again


@pytest.mark.parametrize("name", GANS)
def test_a_shorter_training_is_the_start_of_a_longer_one(name):
    short, states = GANS[name].model_copy(update={"steps": 6, "ema": 0.0}), []
    long = short.model_copy(update={"steps": 9})
    run(long, save=lambda state: states.append(state()))
    weights = run(short).generator.state_dict()
    assert all(torch.equal(v, states[1][f"generator.{k}"]) for k, v in weights.items())


@pytest.mark.parametrize("name", GANS)
def test_same_seed_same_gan(name):
    assert difference(run(GANS[name]), run(GANS[name])) == []
    assert difference(run(GANS[name]), run(GANS[name], seed=1))


@pytest.mark.parametrize("loss", ["hinge", "bce", "least-squares"])
@pytest.mark.parametrize("name", GANS)
def test_losses_are_noted_and_weights_move(name, loss):
    spec = GANS[name].model_copy(update={"steps": 7, "loss": loss})
    trained = run(spec)
    assert trained.diverged == ""
    assert trained.losses["step"] == [3, 6, 7]
    assert np.isfinite([trained.losses["generator"], trained.losses["discriminator"]]).all()
    start = Trainer(spec, REAL, LABELS, 10, 0, "cpu")
    for net in ("generator", "discriminator"):
        before = dict(getattr(start, net).named_parameters())
        after = dict(getattr(trained, net).named_parameters())
        assert all(not torch.equal(before[k], after[k]) for k in before if "bias" not in k)
        assert not getattr(trained, net).training


def test_the_average_follows_its_definition():
    trainer = Trainer(PROJECTION.model_copy(update={"ema": 0.3}), REAL, LABELS, 10, 0, "cpu")
    average = [p.detach().clone() for p in trainer.generator.parameters()]
    for step in range(1, 8):
        trainer.advance()
        decay = min(0.3, step / (step + 10))  # a young average forgets faster; from the fifth step on it is 0.3
        for kept, new in zip(average, trainer.generator.parameters(), strict=True):
            kept.mul_(decay).add_((1 - decay) * new.detach())
        for kept, averaged in zip(average, trainer.average.parameters(), strict=True):
            torch.testing.assert_close(kept, averaged)


@given(st.integers(1, 30), st.integers(2, 40))
def test_every_image_is_dealt_once_an_epoch(n, batch):
    x = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).repeat(1, 1, 8, 8)
    spec = PROJECTION.model_copy(update={"batch": batch})
    trainer = Trainer(spec, x, torch.arange(n), n, 0, "cpu")
    dealt = []
    for _ in range(8):
        at = trainer._places(trainer.step)
        images, labels = trainer.real[at], trainer.labels[at]
        assert len(images) == batch
        assert torch.equal(images[:, 0, 0, 0], trainer.real[labels, 0, 0, 0])
        dealt += labels.tolist()
        trainer.step += 1
    for start in range(0, len(dealt) - n + 1, n):
        assert sorted(dealt[start : start + n]) == list(range(n))


@pytest.mark.parametrize("name", GANS)
def test_a_loss_that_is_not_finite_stops_the_training(name):
    spec = GANS[name].model_copy(
        update={"steps": 50, "loss": "least-squares", "learning_rate": 1e30, "discriminator_learning_rate": 1e30}
    )
    saved = []
    trained = run(spec, save=lambda state: saved.append(state()))
    stopped = trained.losses["step"][-1]
    assert stopped < 50
    assert trained.diverged == f"a loss is not finite at step {stopped}"
    # what is saved is what could still be continued
    assert all(torch.isfinite(s["history"]).all() for s in saved)


def test_latents_belong_to_their_place_alone():
    first = latent_for(0, 3, 2, 10, 8)
    assert torch.equal(first, latent_for(0, 3, 2, 10, 8))
    for other in (latent_for(1, 3, 2, 10, 8), latent_for(0, 2, 3, 10, 8), latent_for(0, 3, 1, 10, 8)):
        assert not torch.equal(first, other)
