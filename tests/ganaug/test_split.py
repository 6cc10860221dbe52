import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import TEST_PER_CLASS, digits, imported

from ganaug.errors import UserError
from ganaug.split import hold_out, split

COUNTS = st.integers(0, 40)
SEEDS = st.integers(0, 5)


def made(n_real, n_validation, seed=0):
    return split(imported()[0], n_real, n_validation, seed).arrays


@given(COUNTS, COUNTS, SEEDS)
def test_classes_are_balanced_and_parts_disjoint(n_real, n_validation, seed):
    parts = made(n_real, n_validation, seed)
    for name, n in (("real", n_real), ("validation", n_validation)):
        assert np.bincount(parts[f"{name}_labels"], minlength=10).tolist() == [n] * 10
    ids = [parts["real_ids"], parts["validation_ids"], imported()[1].arrays["ids"]]
    together = np.concatenate(ids)
    assert len(np.unique(together)) == len(together) == 10 * (n_real + n_validation + TEST_PER_CLASS)


@given(COUNTS, COUNTS, COUNTS, COUNTS, SEEDS)
def test_real_and_validation_are_nested_and_do_not_move_when_the_other_grows(a, b, c, d, seed):
    n_real, more_real = sorted((a, b))
    n_validation, more_validation = sorted((c, d))
    few, many = made(n_real, n_validation, seed), made(more_real, more_validation, seed)
    for name, n in (("real", n_real), ("validation", n_validation)):
        for label in range(10):
            first = many[f"{name}_ids"][many[f"{name}_labels"] == label][:n]
            assert np.array_equal(few[f"{name}_ids"][few[f"{name}_labels"] == label], first)


def test_ids_are_places_in_the_data_set():
    parts = made(7, 3)
    for name in ("real", "validation"):
        ids = parts[f"{name}_ids"]
        assert np.array_equal(digits().images[ids], parts[name])
        assert np.array_equal(digits().labels[ids], parts[f"{name}_labels"])


def test_another_seed_is_another_split():
    assert not np.array_equal(made(20, 5, 0)["real_ids"], made(20, 5, 1)["real_ids"])
    assert not np.array_equal(made(20, 5, 0)["validation_ids"], made(20, 5, 1)["validation_ids"])


def test_everything_can_be_used_up():
    labels = imported()[0].arrays["labels"]
    n = int(np.bincount(labels).min())
    parts = made(n - 4, 4)
    scarce = int(np.bincount(labels).argmin())
    own = np.concatenate([parts[f"{k}_ids"][parts[f"{k}_labels"] == scarce] for k in ("real", "validation")])
    assert np.array_equal(np.sort(own), imported()[0].arrays["ids"][labels == scarce])


def test_too_many_real_images_are_refused_in_one_line():
    with pytest.raises(UserError) as refusal:
        made(400, 10)
    assert str(refusal.value) == (
        "n_real: class '0' has 158 images outside the test set; with 10 for validation at most 148 are left, got 400"
    )
    with pytest.raises(UserError, match=r"with 200 for validation at most 0 are left, got 1$"):
        made(1, 200)


@given(st.integers(1, 100))
def test_held_out_images_are_balanced_nested_and_seedless(n):
    held = hold_out(digits(), n)
    assert np.bincount(digits().labels[held]).tolist() == [n] * 10
    assert not np.any(held & ~hold_out(digits(), n + 1))
    assert np.array_equal(held, hold_out(digits(), n))


def test_official_test_images_are_taken_as_they_are():
    official = np.arange(len(digits().labels)) % 7 == 0
    dataset = dataclasses.replace(digits(), test=official)
    assert np.array_equal(hold_out(dataset, None), official)
    assert np.array_equal(hold_out(dataset, 9), hold_out(digits(), 9))  # a number draws from all images together


def test_a_set_without_test_images_asks_for_a_number():
    with pytest.raises(UserError) as refusal:
        hold_out(digits(), None)
    assert str(refusal.value) == (
        "dataset digits: has no official test images; say how many to hold out per class with dataset.test_per_class"
    )


def test_holding_out_a_whole_class_is_refused():
    with pytest.raises(UserError) as refusal:
        hold_out(digits(), 178)
    assert str(refusal.value) == (
        "dataset.test_per_class: class '0' of digits has 178 images, so at most 177 can be held out, got 178"
    )
