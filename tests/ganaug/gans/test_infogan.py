"""InfoGAN: what its losses can reach, that labels never reach it, and how codes come to be classes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import softmax
from scipy.stats import entropy, kstest
from sklearn.datasets import load_digits
from tiny import INFOGAN
from tiny import images as split_images
from torch.nn.functional import one_hot

from ganaug import memory
from ganaug.artifact import Artifact, Work
from ganaug.gans import infogan, training
from ganaug.gans.fit import fit_gan, networks
from ganaug.gans.networks import build
from ganaug.gans.training import Trainer
from ganaug.images import to_uint8
from ganaug.specs import InfoGanSpec, ViewsSpec

SPLIT = split_images()


def fitted(spec=INFOGAN, split=SPLIT, seed=0):
    return fit_gan(spec, split, split, seed, Work(lambda stage: split, "cpu", None, None))


@pytest.mark.parametrize(("n_codes", "floor"), [(10, 1.461), (20, 2.078), (46, 2.865)])
def test_two_softmaxes_cannot_fall_below_their_floor(n_codes, floor):
    assert infogan.floor(n_codes) == pytest.approx(floor, abs=5e-4)
    codes = torch.arange(n_codes)
    perfect = 200.0 * one_hot(codes, n_codes).double()
    assert infogan.categorical_loss(perfect, codes, "softmax").item() == pytest.approx(infogan.floor(n_codes), abs=1e-9)
    assert infogan.categorical_loss(perfect, codes, "logits").item() == pytest.approx(0, abs=1e-9)
    assert infogan.bound(perfect, codes).item() == pytest.approx(math.log(n_codes), abs=1e-9)


@given(st.integers(2, 50), st.integers(0, 2**32 - 1), st.floats(0, 50))
def test_no_logits_beat_the_floor_and_no_bound_the_ceiling(n_codes, seed, scale):
    rng = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(32, n_codes, generator=rng, dtype=torch.float64)
    codes = torch.randint(n_codes, (32,), generator=rng)
    assert infogan.categorical_loss(logits, codes, "softmax") >= infogan.floor(n_codes) - 1e-9
    assert infogan.bound(logits, codes) <= math.log(n_codes) + 1e-9
    assert infogan.bound(0 * logits, codes).item() == pytest.approx(0, abs=1e-9)


def test_a_softmax_too_many_learns_next_to_nothing_from_a_wrong_and_sure_answer():
    # of 10 codes, sure of a wrong one: the logits' gradient is as large as it gets, the other has all but vanished
    gradients = {}
    for information in ("logits", "softmax"):
        logits = torch.zeros(1, 10, dtype=torch.float64)
        logits[0, 3] = 20
        logits.requires_grad_(True)
        infogan.categorical_loss(logits, torch.tensor([7]), information).backward()
        gradients[information] = logits.grad.abs().max().item()
    assert gradients["logits"] == pytest.approx(1, abs=1e-6)
    assert gradients["softmax"] < 1e-6


def test_continuous_codes_are_uniform_and_go_back_to_latents():
    latent = torch.randn(4000, 8, generator=torch.Generator().manual_seed(0))
    codes = infogan.continuous_codes(latent, 2)
    assert codes.shape == (4000, 2)
    assert kstest((codes[:, 0].numpy() + 1) / 2, "uniform").pvalue > 0.01
    torch.testing.assert_close(infogan.latent_of(codes[:50]), latent[:50, :2], atol=1e-3, rtol=1e-3)


def test_the_gaussians_are_scored_as_scipy_scores_them():
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    mean, log_variance, codes = (torch.from_numpy(rng.normal(size=(6, 2))) for _ in range(3))
    reading = infogan.Reading(torch.zeros(6, 3), mean, log_variance)
    expected = -norm.logpdf(codes.numpy(), mean.numpy(), np.exp(log_variance.numpy() / 2)).sum(1).mean()
    assert infogan.continuous_loss(reading, codes).item() == pytest.approx(expected)


@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.floats(0, 200))
def test_what_two_views_share_lies_between_nothing_and_a_code(n_codes, seed, scale):
    rng = torch.Generator().manual_seed(seed)
    first, second = scale * torch.randn(2, 30, n_codes, generator=rng, dtype=torch.float64)
    found = infogan.shared(first, second)
    assert -1e-9 <= found <= math.log(n_codes) + 1e-9
    torch.testing.assert_close(infogan.shared(second, first), found)
    stacked = infogan.shared(torch.stack([first, second]), torch.stack([second, second]))
    torch.testing.assert_close(stacked, torch.stack([found, infogan.shared(second, second)]))


def test_what_two_views_share_is_the_mutual_information_of_their_joint_distribution():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 6))
    one, other = softmax(first, 1), softmax(second, 1)
    joint = np.mean([np.outer(p, q) + np.outer(q, p) for p, q in zip(one, other, strict=True)], 0) / 2
    found = infogan.shared(*map(torch.from_numpy, (first, second))).item()
    assert found == pytest.approx(entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel()), rel=1e-9)
    codes = 500.0 * one_hot(torch.arange(60) % 6).double()
    assert infogan.shared(codes, codes).item() == pytest.approx(math.log(6))  # all in use, sure, and the same
    assert infogan.shared(codes, 0 * codes).item() == pytest.approx(0, abs=1e-12)  # one says nothing
    assert infogan.shared(codes[:1].expand(60, -1), codes[:1].expand(60, -1)).item() == pytest.approx(0, abs=1e-12)


VIEWED = {"views": ViewsSpec(weight=3.0, images=20)}


@pytest.mark.parametrize("changes", [{}, VIEWED, VIEWED | {"q_body": "own"}], ids=["free", "views", "own body"])
def test_labels_reach_no_update_and_settle_the_names_alone(changes):
    # the same images under other labels: the same networks but for which code has which name
    turned = (SPLIT.arrays["real_labels"] + 1) % 10
    spec = INFOGAN.model_copy(update=changes)
    one = fitted(spec)
    two = fitted(spec, Artifact(SPLIT.arrays | {"real_labels": turned}, SPLIT.facts))
    weights = [k for k in one.arrays if k.startswith(("generator.", "discriminator."))]
    assert "generator.code_of" in weights
    assert [k for k in weights if not np.array_equal(one.arrays[k], two.arrays[k])] == ["generator.code_of"]
    assert one.facts["losses"] == two.facts["losses"]
    assert ("shared" in one.facts["losses"]) == bool(changes)
    assert [two.facts["code_of"][(c + 1) % 10] for c in range(10)] == one.facts["code_of"]


def test_guidance_is_by_the_few_labelled_images_and_no_other():
    guided = INFOGAN.model_copy(update={"guidance": 1.0, "labels_per_class": 1})
    labels = SPLIT.arrays["real_labels"]
    few = infogan.labelled(torch.from_numpy(labels), 10, 1).numpy()
    assert sorted(labels[few]) == list(range(10))
    others = np.setdiff1d(np.arange(len(labels)), few)
    turned, mistold = labels.copy(), labels.copy()
    turned[others] = np.roll(labels[others], 1)
    turned[: few.max() + 1] = labels[: few.max() + 1]  # or other images would be the first of their class
    mistold[few[:2]] = labels[few[:2]][::-1]
    assert (turned != labels).any()
    one, same, other = (
        fitted(guided, Artifact(SPLIT.arrays | {"real_labels": y}, SPLIT.facts)) for y in (labels, turned, mistold)
    )
    weights = [k for k in one.arrays if k.startswith(("generator.", "discriminator.")) and k != "generator.code_of"]
    assert all(np.array_equal(one.arrays[k], same.arrays[k]) for k in weights)
    assert not all(np.array_equal(one.arrays[k], other.arrays[k]) for k in weights)


def test_codes_that_two_views_share_are_nearer_to_classes_than_free_ones():
    digits = load_digits()
    images, labels = (255 / 16 * digits.images[:, None]).astype(np.uint8), digits.target
    real = torch.from_numpy(images[:900]), torch.from_numpy(labels[:900])
    both = {"steps": 250, "batch": 32, "discriminator_width": 16, "discriminator_learning_rate": 1e-3}

    def matching(**changes):
        spec = INFOGAN.model_copy(update=both | changes)
        found = training.train(spec, *real, 10, seed=0).discriminator
        return np.mean(infogan.match(found, images[:50], labels[:50], images[900:], labels[900:], 10).accuracy)

    assert matching(views=ViewsSpec(weight=3.0, images=128), q_body="own") > matching() + 0.2


def test_views_take_room_and_none_where_there_are_none():
    def room(**views):
        return memory.of_gan(INFOGAN.model_copy(update={"views": ViewsSpec(**views)}), (1, 8, 8), 10)

    assert room(images=100) == room(images=2) < room(weight=1, images=100)
    assert room(weight=1, images=200) - room(weight=1, images=100) == room(weight=1, images=100) - room()


def test_two_views_that_are_one_image_are_refused():
    with pytest.raises(ValidationError, match="must name an augmentation, or both views are one, got 'none'"):
        ViewsSpec(weight=1, da="none")


def test_guided_codes_are_classes_where_free_ones_need_not_be():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    images = rng.integers(0, 40, (200, 1, 8, 8), np.uint8)
    images[np.arange(200), 0, labels // 4, :] += 200  # classes differ in a row and in a column
    images[np.arange(200), 0, :, labels % 4] = 240
    split = Artifact(
        {"real": images[:150], "real_labels": labels[:150], "real_ids": np.arange(150)}
        | {"validation": images[150:], "validation_labels": labels[150:], "validation_ids": np.arange(150, 200)},
        SPLIT.facts,
    )
    spec = INFOGAN.model_copy(update={"steps": 120, "batch": 32, "labels_per_class": 5})
    free, guided = (
        np.mean(fitted(spec.model_copy(update={"guidance": g}), split).facts["matching"]) for g in (0.0, 1.0)
    )
    assert guided > 0.9
    assert free < guided


def test_a_class_is_drawn_by_its_own_code_in_pools_and_snapshots():
    made = fitted()
    code_of = made.facts["code_of"]
    assert sorted(code_of) == list(range(10))
    assert code_of != list(range(10))  # or the rest of this test would show nothing
    generator, _ = networks(INFOGAN, made)
    raw, _ = build(INFOGAN, 10, (1, 8, 8), seed=0)
    raw.load_state_dict({k: v for k, v in generator.state_dict().items() if k != "code_of"}, strict=False)
    raw.eval()
    latent = torch.randn(3, INFOGAN.latent, generator=torch.Generator().manual_seed(0))
    for label in range(10):
        labels, codes = torch.full((3,), label), torch.full((3,), code_of[label])
        assert torch.equal(generator(latent, labels), raw(latent, codes))
    # the last snapshot is of the finished generator, class by class
    stream = training.derive(0, "snapshot")
    m = training.SNAPSHOT_PER_CLASS
    for label in (0, 7):
        # snapshots draw a code's latent vectors by the code, so a class's are those of its code
        by_code = training.latent_for(stream, code_of[label], 0, m, INFOGAN.latent)
        with torch.no_grad():
            drawn = generator(by_code, torch.full((m,), label))
        assert np.array_equal(made.arrays["snapshots"][-1, label], to_uint8(drawn).numpy())


class Reads(torch.nn.Module):
    """A discriminator that knows digits of a kind: an image's first pixel says its class, `code_of` its code."""

    def __init__(self, code_of):
        super().__init__()
        self.code_of = torch.tensor(code_of)

    def reading(self, images):
        label = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
        code = self.code_of[label % len(self.code_of)]
        return infogan.Reading(5.0 * one_hot(code, len(self.code_of)), None, None)


@given(st.permutations(range(6)))
def test_the_matching_finds_every_permutation(code_of):
    labels = np.arange(60) % 6
    images = np.zeros((60, 1, 4, 4), np.uint8)
    images[:, 0, 0, 0] = labels
    found = infogan.match(Reads(code_of), images[:12], labels[:12], images[12:], labels[12:], 6)
    assert found.code_of.tolist() == list(code_of)
    assert found.accuracy == [1.0] * 6
    assert found.labels == 12


def test_two_classes_that_share_a_code_still_get_one_each():
    labels = np.arange(30) % 3
    images = np.zeros((30, 1, 4, 4), np.uint8)
    images[:, 0, 0, 0] = labels
    found = infogan.match(Reads([1, 1, 0]), images, labels, images, labels, 3)
    assert sorted(found.code_of.tolist()) == [0, 1, 2]
    assert found.code_of[2] == 0
    assert sorted(found.accuracy) == [0.0, 1.0, 1.0]  # the one that had to take what was left is not recognised


def test_what_is_known_of_the_codes_is_kept_with_the_fit():
    made = fitted()
    facts = made.facts
    assert facts["matched_from"] == 10 * INFOGAN.labels_per_class
    assert len(facts["matching"]) == 10
    assert all(0 <= share <= 1 for share in facts["matching"])
    assert facts["information"]["most"] == pytest.approx(math.log(10))
    assert facts["information"]["bound"] <= facts["information"]["most"]
    assert facts["losses"].keys() == {"step", "generator", "discriminator", "information", "bound"}
    assert made.arrays["traversal"].shape == (2, 10, 9, 1, 8, 8)
    assert made.arrays["traversal"].dtype == np.uint8
    moved = made.arrays["traversal"]
    assert all(not np.array_equal(moved[code, :, 0], moved[code, :, -1]) for code in (0, 1))
    assert facts["traversal_values"] == sorted(facts["traversal_values"])
    none = fitted(INFOGAN.model_copy(update={"continuous": 0}))
    assert "traversal" not in none.arrays
    few = fitted(INFOGAN.model_copy(update={"labels_per_class": 500}))
    assert few.facts["matched_from"] == len(SPLIT.arrays["real"])


@pytest.mark.parametrize(("logged", "information"), [(True, "logits"), (False, "softmax")])
def test_the_noted_bound_is_of_the_probabilities_whichever_loss_trains(logged, information):
    spec = INFOGAN.model_copy(update={"information": information})
    real, labels = (torch.from_numpy(SPLIT.arrays[k]) for k in ("real", "real_labels"))
    losses = Trainer(spec, real, labels, 10, 0, "cpu").advance()
    _, _, categorical, bound = (loss.item() for loss in losses)
    assert (bound == pytest.approx(math.log(10) - categorical, abs=1e-6)) == logged


def test_the_information_is_learnt():
    spec = INFOGAN.model_copy(update={"steps": 150, "width": 16, "discriminator_width": 16, "learning_rate": 2e-3,
                                      "discriminator_learning_rate": 2e-3})  # fmt: skip
    without = spec.model_copy(update={"categorical_weight": 0.0})
    assert fitted(spec).facts["information"]["bound"] > 0.5
    assert fitted(without).facts["information"]["bound"] < 0.1


def test_noise_must_be_left_beside_the_codes():
    with pytest.raises(ValidationError, match=r"latent must be greater than continuous \(4\), got 4"):
        InfoGanSpec(name="infogan", latent=4, continuous=4)
