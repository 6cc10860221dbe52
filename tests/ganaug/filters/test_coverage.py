import dataclasses

import numpy as np
import pytest
from tiny import CELL, InMemory, imported
from tiny import images as split_images

from ganaug.artifact import Artifact
from ganaug.filters.coverage import MOST, NEIGHBOURS, coverage
from ganaug.recipe import recipe
from ganaug.specs import DiscriminatorFilterSpec
from ganaug.stages import Pool

SPLIT = split_images(12, 8).arrays
REAL = [SPLIT["real"][SPLIT["real_labels"] == c] for c in range(10)]
FRESH = [SPLIT["validation"][SPLIT["validation_labels"] == c] for c in range(10)]


def by_hand(generated, real):
    shares = []
    for some, own in zip(generated, real, strict=True):
        x, y = (a.reshape(len(a), -1).astype(float) for a in (some, own))
        held = 0
        for i, r in enumerate(y):
            reach = sorted(np.linalg.norm(y - r, axis=1)[np.arange(len(y)) != i])[NEIGHBOURS - 1]
            held += np.linalg.norm(x - r, axis=1).min() <= reach
        shares.append(held / len(y))
    return np.mean(shares)


def test_it_is_the_share_of_real_images_with_a_generated_one_in_their_ball():
    assert coverage(FRESH, REAL) == pytest.approx(by_hand(FRESH, REAL))
    assert 0.5 < coverage(FRESH, REAL) < 1
    assert coverage(REAL, REAL) == 1
    assert coverage([np.repeat(own[:1], 9, axis=0) for own in FRESH], REAL) < coverage(FRESH, REAL) / 1.5


def test_one_class_too_few_and_there_is_none():
    assert coverage([*FRESH[:9], FRESH[9][:NEIGHBOURS]], REAL) is None
    assert coverage(FRESH, [*REAL[:9], REAL[9][:NEIGHBOURS]]) is None
    assert coverage([own[:0] for own in FRESH], REAL) is None


def test_no_more_than_the_first_are_looked_at():
    rng = np.random.default_rng(0)
    many, real = rng.integers(0, 256, (2, MOST + 50, 1, 4, 4)).astype(np.uint8)
    assert coverage([many], [real]) == coverage([many[:MOST]], [real[:MOST]]) != coverage([many[50:]], [real[50:]])


def test_a_selection_tells_it_with_and_without_the_filter():
    ranking = DiscriminatorFilterSpec(threshold=0.5, rank=True)
    select = recipe(dataclasses.replace(CELL, n_real=8, n_gen=8, filter=ranking)).classifiers[0].extra
    work = InMemory()
    fit = work.get(select.generator)
    facts = fit.facts | {"diverged": "", "calibration": [4.0, [0.1] * 10]}
    work.made[select.generator.key] = Artifact(fit.arrays, facts)
    split = work.get(select.generator.split).arrays
    real = [split["real"][split["real_labels"] == c] for c in range(10)]
    train = imported()[0].arrays
    for index in range(select.pool.chunks):  # so short a training covers nothing: every second image is a real one
        pool = Pool(select.generator, index, select.pool.chunk)
        drawn = work.get(pool).arrays
        images = drawn["images"].copy()
        for label, own in enumerate(images):
            own[::2] = train["images"][train["labels"] == label][5 * index : 5 * index + 5]
        work.made[pool.key] = Artifact({**drawn, "images": images})
    everything = dataclasses.replace(select, filter=DiscriminatorFilterSpec(threshold=0.0))
    made, plain = work.get(select), work.get(everything)
    assert not np.array_equal(made.arrays["ids"], plain.arrays["ids"])
    assert 0 < made.facts["coverage"] != plain.facts["coverage"] > 0
    for one in (made, plain):
        own = [one.arrays["images"][one.arrays["labels"] == c] for c in range(10)]
        assert one.facts["coverage"] == pytest.approx(by_hand(own, real))
    assert made.facts["coverage_unfiltered"] == plain.facts["coverage"] == plain.facts["coverage_unfiltered"]
