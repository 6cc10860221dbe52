import numpy as np
import pytest
import torch
from tiny import GANS
from tiny import images as split_images

from ganaug.gans.judge import BATCH, COLLAPSED, diversity, draw, scores, spread
from ganaug.gans.networks import build
from ganaug.gans.training import latent_for

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
LABELS = np.repeat([0, 1], 20)


def by_class(images):
    return {label: images[label == LABELS] for label in (0, 1)}


def test_real_images_are_as_diverse_as_themselves():
    assert diversity(NOISE, LABELS, by_class(NOISE)) == 1


def test_identical_images_have_collapsed():
    one_each = NOISE[[0] * 20 + [20] * 20]
    assert diversity(NOISE, LABELS, by_class(one_each)) == 0 < COLLAPSED
    almost = one_each.copy()
    almost[:, 0, 0, 0] ^= RNG.integers(0, 2, 40, dtype=np.uint8)
    assert diversity(NOISE, LABELS, by_class(almost)) < COLLAPSED


def test_a_class_is_compared_with_its_own_real_images():
    # class 1's real images are nearly equal: what is collapsed for class 0 is not for class 1
    real = NOISE.copy()
    real[LABELS == 1] = 100
    real[LABELS == 1, 0, 0, 0] = np.arange(20)
    assert diversity(real, LABELS, by_class(real)) == 1
    half = {0: real[LABELS == 0], 1: real[[20] * 20]}
    assert diversity(real, LABELS, half) == 0.5  # the median of 1 and 0


def test_one_real_image_or_none_that_differ_do_not_divide_by_zero():
    assert np.isfinite(diversity(NOISE[:3], np.arange(3), {0: NOISE[:9], 1: NOISE[9:], 2: NOISE}))
    same = np.zeros((4, 1, 8, 8), np.uint8)
    assert diversity(same, np.zeros(4, np.int64), {0: same}) == 0


def test_spread_golden():
    # two images 6 apart in one pixel and 8 in another: each is 5 from their mean
    two = np.zeros((2, 1, 2, 2), np.uint8)
    two[1, 0, 0, 1], two[0, 0, 1, 1] = 6, 8
    assert spread(two) == pytest.approx(5)


@pytest.mark.parametrize("name", GANS)
def test_drawing_and_scoring_do_not_depend_on_how_much_is_asked_for(name):
    spec = GANS[name]
    generator, discriminator = (net.eval() for net in build(spec, 10, (1, 8, 8), seed=0))
    z = latent_for(0, 3, 0, 2 * BATCH, spec.latent)
    whole = draw(generator, z, 3)
    assert whole.shape == (2 * BATCH, 1, 8, 8)
    assert whole.dtype == np.uint8
    assert np.array_equal(whole[BATCH:], draw(generator, z[BATCH:], 3))
    labels = np.full(2 * BATCH, 3)
    raw = scores(discriminator, whole, labels)
    assert raw.shape == (2 * BATCH,)
    assert np.array_equal(raw[:BATCH], scores(discriminator, whole[:BATCH], labels[:BATCH]))
    assert scores(discriminator, whole[:0], labels[:0]).shape == (0,)


def test_scores_keep_no_gradient_and_follow_the_labels():
    _, discriminator = build(GANS["projection"], 10, (1, 8, 8), seed=0)
    discriminator.eval()
    real, labels = (split_images().arrays[k] for k in ("real", "real_labels"))
    raw = scores(discriminator, real, labels)
    assert not np.allclose(raw, scores(discriminator, real, (labels + 1) % 10))
    assert all(p.grad is None for p in discriminator.parameters())
    assert torch.is_grad_enabled()
