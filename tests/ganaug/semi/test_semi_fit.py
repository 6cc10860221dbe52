"""The one body under every method: what is common to all of them, and that unlabelled images teach."""

import numpy as np
import pytest
import torch
from tiny import imported

from ganaug.classifiers.fit import predict
from ganaug.semi.fit import Fitted, fit
from ganaug.specs import AugmentationSpec, FixMatchSpec, SemiGanSpec, SemiMethod, SemiSpec
from ganaug.split import split

METHODS: tuple[SemiMethod, ...] = ("sgan", "sgan-published", "fixmatch", "sgan-fixmatch")
TINY = SemiSpec(steps=12, labelled_batch=6, batch=8, width=8, gan=SemiGanSpec(width=8, latent=8))
LABELLED = split(imported()[0], 2, 5, 0).arrays
UNLABELLED = imported()[0].arrays["images"][:300]


def trained(spec: SemiSpec, unlabelled: np.ndarray | None = UNLABELLED, seed: int = 0) -> Fitted:
    torch.set_num_threads(1)
    return fit(spec, LABELLED["real"], LABELLED["real_labels"], unlabelled, 10, seed)


def weights(fitted: Fitted) -> torch.Tensor:
    """The body's weights but the published head's, which no other method trains."""
    return torch.cat([v.flatten() for k, v in fitted.net.state_dict().items() if not k.startswith("real.")])


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_body_and_the_same_pictures(method: SemiMethod) -> None:
    spec = TINY.model_copy(update={"method": method})
    once, again, other = trained(spec), trained(spec), trained(spec, seed=1)
    assert torch.equal(weights(once), weights(again))
    assert once.losses == again.losses
    assert not torch.equal(weights(once), weights(other))
    assert once.losses["step"][-1] == 12
    drawn = method.startswith("sgan")
    assert once.snapshots.shape == ((len(once.snapshot_steps), 40, 1, 8, 8) if drawn else (0, 0, 1, 8, 8))
    assert np.array_equal(once.snapshots, again.snapshots)
    assert (once.snapshot_steps[-1:] == [12]) == drawn


def test_every_method_learns_from_unlabelled_images_and_the_control_does_not() -> None:
    control = weights(trained(TINY, None))
    sure = TINY.model_copy(update={"fixmatch": FixMatchSpec(threshold=0)})
    found = [weights(trained(sure.model_copy(update={"method": m}))) for m in METHODS]
    assert not any(torch.allclose(w, control, atol=1e-4) for w in found)
    assert torch.equal(weights(trained(TINY.model_copy(update={"method": "fixmatch"}), None)), control)


@pytest.mark.parametrize("da", ["none", "rotation+zoom"])
def test_a_fixmatch_that_is_never_sure_is_the_supervised_control(da: str) -> None:
    # the same first weights, labelled batches, augmentation and shifts; nothing else is learned from
    tiny = TINY.model_copy(update={"da": da})
    never = tiny.model_copy(update={"method": "fixmatch", "fixmatch": FixMatchSpec(threshold=1)})
    unsure, control = trained(never), trained(tiny, None)
    assert max(unsure.losses["sure"]) == 0
    assert torch.allclose(weights(unsure), weights(control), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_augmenting_labelled_images_changes_what_they_teach_and_nothing_else(method: SemiMethod) -> None:
    plain = TINY.model_copy(update={"method": method})
    still = plain.model_copy(update={"da": "rotation", "augmentation": AugmentationSpec(rotation=0)})
    turned = plain.model_copy(update={"da": "rotation", "augmentation": AugmentationSpec(rotation=90)})
    as_they_are = weights(trained(plain))
    assert torch.allclose(weights(trained(still)), as_they_are, atol=1e-3)
    assert not torch.allclose(weights(trained(turned)), as_they_are, atol=1e-2)


def test_unlabelled_images_teach() -> None:
    sure = FixMatchSpec(threshold=0.8, cutout=0.2)
    spec = SemiSpec(
        method="fixmatch", steps=250, width=8, noise=0.2, shift=0.13, learning_rate=5e-3, ema=0.98, fixmatch=sure
    )
    train, test = imported()
    labels = test.arrays["labels"]
    gained = []
    for seed in (0, 1):
        own = split(train, 2, 5, seed).arrays
        accuracies = []
        for unlabelled in (train.arrays["images"], None):
            fitted = fit(spec, own["real"], own["real_labels"], unlabelled, 10, seed)
            accuracies.append((predict(fitted.net, test.arrays["images"]) == labels).mean())
        gained.append(accuracies[0] - accuracies[1])
    assert np.mean(gained) > 0.04, gained


def test_a_loss_that_runs_away_is_said() -> None:
    labels = LABELLED["real_labels"]
    wild = TINY.model_copy(update={"gan": SemiGanSpec(width=8, latent=8, weight=100), "learning_rate": 1e30})
    assert fit(wild, LABELLED["real"], labels, UNLABELLED, 10, 0).diverged.startswith("a loss is not finite at step ")
