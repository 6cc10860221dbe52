"""How extra images go into a classifier's training beside the real ones."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import CELL, CLASSIFIER, InMemory
from tiny import images as split_images
from torch.nn.functional import cross_entropy, log_softmax

from ganaug.artifact import Work
from ganaug.classifiers.fit import Extras, Loss, batches, fit, mixed_batches
from ganaug.classifiers.training import _extras
from ganaug.filters.judge import probabilities
from ganaug.randomness import torch_rng
from ganaug.recipe import recipe
from ganaug.specs import MixingSpec

SPLIT = split_images(10, 4).arrays
IMAGES, LABELS = SPLIT["real"], SPLIT["real_labels"]
N, N_EXTRA = len(IMAGES), 40
SOFT = np.random.default_rng(0).dirichlet(np.ones(10), N_EXTRA).astype(np.float32)


def trained(mixing, n_extra=N_EXTRA, soft=None, spec=CLASSIFIER):
    net, curve = fit(spec, IMAGES, LABELS, 10, 0, extras=Extras(n_extra, mixing, soft))
    return {k: v.numpy() for k, v in net.state_dict().items()}, curve


def equal(one, other):
    return one[1] == other[1] and all(np.array_equal(v, other[0][k]) for k, v in one[0].items())


@pytest.mark.parametrize("name", ["cnn", "deep"])
def test_the_default_is_bit_identical_to_training_without_a_word_of_extras(name):
    spec = CLASSIFIER.model_copy(update={"name": name})
    net, curve = fit(spec, IMAGES, LABELS, 10, 0)
    plain = {k: v.numpy() for k, v in net.state_dict().items()}, curve
    assert equal(trained(MixingSpec(), spec=spec), plain)
    assert equal(trained(MixingSpec(weight=1, ratio=None, soft_labels=0), spec=spec), plain)
    assert equal(trained(MixingSpec(weight=7, soft_labels=1), n_extra=0, spec=spec), plain)


@pytest.mark.parametrize("mixing", [MixingSpec(weight=0.3), MixingSpec(ratio=0.5), MixingSpec(soft_labels=1)], ids=str)
def test_each_setting_changes_the_training(mixing):
    soft = SOFT if mixing.soft_labels else None
    assert not equal(trained(mixing, soft=soft), trained(MixingSpec()))
    assert equal(trained(mixing, soft=soft), trained(mixing, soft=soft))


@pytest.mark.parametrize("weight", [0.01, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_weighted_mean_of_cross_entropies(weight, share, smoothing):
    labels = torch.as_tensor(LABELS)
    loss = Loss(
        labels, 10, Extras(N_EXTRA, MixingSpec(weight=weight, soft_labels=share), SOFT if share else None), smoothing
    )
    at = torch.tensor([0, 5, N - 1, N - N_EXTRA, N - N_EXTRA - 1, N - 2])
    logits = torch.randn(6, 10, generator=torch_rng(0, "test"), dtype=torch.float64).float()
    total = whole = 0.0
    for row, i in zip(logits.double(), at.tolist(), strict=True):
        target = np.eye(10)[LABELS[i]]
        extra = i >= N - N_EXTRA
        if extra and share:
            target = (1 - share) * target + share * SOFT[i - (N - N_EXTRA)]
        target = (1 - smoothing) * target + smoothing / 10
        counts = weight if extra else 1.0
        total += counts * float(-(torch.from_numpy(target) * log_softmax(row, 0)).sum())
        whole += counts
    assert float(loss(logits, at)) == pytest.approx(total / whole, rel=1e-5)
    if weight == 1 and not share:
        plain = cross_entropy(logits, labels[at], label_smoothing=smoothing)
        assert float(loss(logits, at)) == pytest.approx(float(plain), rel=1e-6)


def test_a_batch_of_one_kind_is_not_weighted():
    loss = Loss(torch.as_tensor(LABELS), 10, Extras(N_EXTRA, MixingSpec(weight=0.01)), 0.0)
    logits = torch.randn(3, 10, generator=torch_rng(1, "test"))
    at = torch.tensor([N - 1, N - 2, N - 3])
    assert float(loss(logits, at)) == pytest.approx(float(cross_entropy(logits, torch.as_tensor(LABELS)[at])), rel=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_soft_labels_stay_distributions_and_the_share_interpolates(share):
    target = Loss(torch.as_tensor(LABELS), 10, Extras(N_EXTRA, MixingSpec(soft_labels=share), SOFT), 0.0).target.numpy()
    hard = np.eye(10)[LABELS]
    np.testing.assert_allclose(target.sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(target[:-N_EXTRA], hard[:-N_EXTRA])
    np.testing.assert_allclose(target[-N_EXTRA:], (1 - share) * hard[-N_EXTRA:] + share * SOFT, atol=1e-6)


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(2, 20), st.integers(1, 9), st.floats(0.01, 0.99),
    st.integers(0, 9),
)  # fmt: skip
def test_every_batch_has_the_stated_share(n_real, n_extra, batch, steps, ratio, seed):
    extras = Extras(n_extra, MixingSpec(ratio=ratio))
    dealt = list(mixed_batches(n_real + n_extra, extras, batch, steps, torch_rng(seed, "deck")))
    share = min(max(round(ratio * batch), 1), batch - 1)
    assert [len(b) for b in dealt] == [batch] * steps
    assert [int((b >= n_real).sum()) for b in dealt] == [share] * steps
    for low, high in ((0, n_real), (n_real, n_real + n_extra)):  # each kind is dealt round after round
        times = np.bincount([i for b in dealt for i in b.tolist() if low <= i < high], minlength=high)[low:]
        assert times.max() - times.min() <= 1
    again = list(mixed_batches(n_real + n_extra, extras, batch, steps, torch_rng(seed, "deck")))
    assert all(torch.equal(a, b) for a, b in zip(dealt, again, strict=True))


@pytest.mark.parametrize(("n", "n_extra"), [(12, 0), (12, 12)])
@pytest.mark.parametrize("ratio", [None, 0.5])
def test_where_there_is_one_kind_alone_a_ratio_says_nothing(n, n_extra, ratio):
    own, plain = (
        list(b)
        for b in (
            mixed_batches(n, Extras(n_extra, MixingSpec(ratio=ratio)), 5, 4, torch_rng(0, "deck")),
            batches(n, 5, 4, torch_rng(0, "deck")),
        )
    )
    assert all(torch.equal(a, b) for a, b in zip(own, plain, strict=True))


MIXINGS = (MixingSpec(weight=0.25), MixingSpec(ratio=0.5), MixingSpec(weight=2, ratio=0.25, soft_labels=0.5))


@pytest.mark.parametrize("arm", ["generated", "shuffled", "duplicated", "more-real"])
def test_every_arm_may_be_mixed_in_at_equal_updates(arm, monkeypatch):
    updates, step = [], torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *a, **k: updates.append(1) or step(*a, **k))
    work, weights = InMemory(), []
    for mixing in (MixingSpec(), *MIXINGS):
        stage = recipe(dataclasses.replace(CELL, arm=arm, mixing=mixing)).classifiers[0]
        work.get(stage.extra)
        if stage.judge:
            work.get(stage.judge)
        updates.clear()
        made = work.get(stage)
        assert len(updates) == CLASSIFIER.steps
        assert len(made.arrays["ids"]) == 10 * (CELL.n_real + CELL.n_gen)
        weights.append(made.arrays["net.out.weight"])
    assert len({w.tobytes() for w in weights}) == len(weights)


@pytest.mark.parametrize("mixing", MIXINGS, ids=str)
def test_without_real_images_it_is_trained_on_extra_ones_alone(mixing):
    classifier = CLASSIFIER.model_copy(update={"include_real": False})
    made = InMemory().get(recipe(dataclasses.replace(CELL, classifier=classifier, mixing=mixing)).classifiers[0])
    assert len(made.arrays["ids"]) == 10 * CELL.n_gen
    assert np.isfinite(made.facts["losses"]).all()


@pytest.mark.parametrize("arm", ["generated", "shuffled"])
def test_soft_labels_are_what_the_judge_says_and_shuffled_ones_are_another_images(arm):
    work = InMemory()
    cell = dataclasses.replace(CELL, arm=arm, mixing=MixingSpec(soft_labels=0.5))
    stage = recipe(cell).classifiers[0]
    extra = work.get(stage.extra)
    said = probabilities(stage.judge, extra.arrays["images"], Work(work.get))
    soft = _extras(stage, extra, Work(work.get)).soft
    plain = work.get(recipe(dataclasses.replace(cell, arm="generated")).classifiers[0].extra)
    assert np.array_equal(extra.arrays["images"], plain.arrays["images"])
    if arm == "generated":
        assert np.array_equal(soft, said)
    else:
        order = extra.arrays["labels_of"]
        assert np.array_equal(soft, said[order])
        assert np.array_equal(extra.arrays["labels"], plain.arrays["labels"][order])
        assert not np.array_equal(soft, said)
