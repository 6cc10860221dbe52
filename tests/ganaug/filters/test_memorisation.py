"""Planted copies are refused, fresh images are not."""

import numpy as np
from tiny import images as split_images
from tiny import imported

from ganaug.filters.memorisation import distances, score
from ganaug.filters.threshold import accept

N = 20
SPLIT = split_images(20, 20).arrays


def scored(images):
    """The score of uint8 images (classes, N, C, H, W) by the digits' split."""
    apart = distances(images, SPLIT["real"], SPLIT["real_labels"])
    validation = np.stack([SPLIT["validation"][SPLIT["validation_labels"] == c] for c in range(10)])
    fresh = distances(validation, SPLIT["real"], SPLIT["real_labels"]).ravel()
    return score(apart, fresh, np.repeat(np.arange(10), validation.shape[1]))


def unseen():
    """Images of the data set that are in neither part of the split, (classes, N, C, H, W)."""
    train = imported()[0].arrays
    left = ~np.isin(train["ids"], np.concatenate([SPLIT["real_ids"], SPLIT["validation_ids"]]))
    return np.stack([train["images"][left & (train["labels"] == c)][:N] for c in range(10)])


def copies():
    return np.stack([SPLIT["real"][SPLIT["real_labels"] == c] for c in range(10)])


def test_a_copy_has_score_zero_and_is_refused_by_any_threshold():
    out = scored(copies())
    assert (out == 0).all()
    assert not accept(out, 0.001).any()


def test_a_copy_with_one_grey_level_changed_is_refused_too():
    changed = copies()
    changed[:, :, 0, 0, 0] += 1
    assert not accept(scored(changed), 0.05).any()


def test_of_fresh_images_the_stated_share_is_refused():
    out = scored(unseen())
    assert out.dtype == np.float32
    for threshold in (0.05, 0.25, 0.5):
        refused = 1 - accept(out, threshold).mean()
        # 200 images against 20 fresh ones per class: ranks within a class of 20 are known to 1 / 21
        assert abs(refused - threshold) < 0.1


def test_it_is_the_share_of_nearer_fresh_images_ties_half():
    fresh, labels = np.array([1.0, 2.0, 2.0, 5.0, 9.0]), np.array([0, 0, 0, 0, 1])
    apart = np.array([[0.5, 1.0, 2.0, 3.0, 6.0], [8.0, 9.0, 9.5, 0.0, 99.0]])
    assert score(apart, fresh, labels).tolist() == [[0.0, 0.125, 0.5, 0.75, 1.0], [0.0, 0.5, 1.0, 0.0, 1.0]]


def test_a_class_without_validation_images_is_held_against_all():
    fresh, labels = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 0, 0])
    assert score(np.array([[2.5], [2.5]]), fresh, labels).tolist() == [[0.5], [0.5]]


def test_only_the_own_classs_images_are_looked_at():
    real, labels = np.zeros((2, 1, 2, 2), np.uint8), np.array([0, 1])
    real[1] = 100
    assert distances(np.zeros((2, 1, 1, 2, 2), np.uint8), real, labels).tolist() == [[0.0], [200.0]]
