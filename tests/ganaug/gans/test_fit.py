import json

import numpy as np
import pytest
import torch
from tiny import GANS, same
from tiny import images as split_images

from ganaug.artifact import Artifact, Work
from ganaug.gans import fit, training
from ganaug.gans.fit import fit_gan, networks
from ganaug.gans.judge import scores
from sweeps.store import Store

SPLIT = split_images()


def fitted(spec, split=SPLIT, seed=0, state=None, save=None):
    return fit_gan(spec, split, split, seed, Work(lambda stage: split, "cpu", state, save))


@pytest.mark.parametrize("name", GANS)
def test_an_artifact_holds_the_networks_it_was_judged_by(name):
    spec = GANS[name]
    made = fitted(spec)
    generator, discriminator = networks(spec, made)
    assert not generator.training
    assert not discriminator.training
    trained = training.train(
        spec, torch.from_numpy(SPLIT.arrays["real"]), torch.from_numpy(SPLIT.arrays["real_labels"]), 10, 0
    )
    for ours, theirs in ((generator, trained.generator), (discriminator, trained.discriminator)):
        weights = ours.state_dict()
        weights.pop("code_of", None)  # of an InfoGAN, settled after training
        assert all(torch.equal(v, theirs.state_dict()[k]) for k, v in weights.items())
    images, labels = SPLIT.arrays["validation"], SPLIT.arrays["validation_labels"]
    assert np.array_equal(scores(discriminator, images, labels), scores(trained.discriminator, images, labels))
    assert json.loads(json.dumps(made.facts, allow_nan=False)) == made.facts  # as the store will give it back


@pytest.mark.parametrize("name", GANS)
def test_a_lost_fit_continues_from_its_checkpoint_to_the_same_artifact(name, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECK_EVERY", 2)
    spec, store = GANS[name], Store(tmp_path)

    class Lost(Exception):
        pass

    def save(state):
        if state()["step"] == 4:
            store.save_progress("key", state())
            raise Lost

    with pytest.raises(Lost):
        fitted(spec, save=save)
    assert same(fitted(spec), fitted(spec, state=store.load_progress("key")))


def test_no_update_sees_the_validation_images():
    spec = GANS["projection"]
    negative = Artifact(SPLIT.arrays | {"validation": 255 - SPLIT.arrays["validation"]}, SPLIT.facts)
    one, two = fitted(spec), fitted(spec, negative)
    assert all(np.array_equal(one.arrays[k], two.arrays[k]) for k in one.arrays)
    assert one.facts["calibration"] != two.facts["calibration"]
    assert one.facts["diversity"] == two.facts["diversity"]


def test_a_collapse_is_said():
    spec, one_image = GANS["projection"], SPLIT.arrays["real"][0]

    def blank(generator, latent, label):
        return np.repeat(one_image[None], len(latent), 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "draw", blank)
        made = fitted(spec)
    assert made.facts["diversity"] == 0
    assert made.facts["diverged"] == "collapsed: a class's images are 0.00 times as diverse as its real ones"


def test_networks_that_broke_in_the_last_update_are_said_to_have():
    # the last loss was finite, the weights after it are not
    spec = GANS["projection"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "scores", lambda net, images, labels: np.full(len(images), np.nan, np.float32))
        made = fitted(spec)
    assert made.facts["diverged"] == "the discriminator's scores are not finite"


def test_a_training_that_diverged_is_not_judged():
    made = fitted(GANS["cgan"].model_copy(update={"loss": "least-squares", "discriminator_learning_rate": 1e30}))
    assert made.facts["diverged"] == "a loss is not finite at step 6"
    assert "calibration" not in made.facts
