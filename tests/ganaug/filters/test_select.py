"""The walk along a made-up stream whose images say where they are from, held against a walk by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny import PROJECTION, same

from ganaug.artifact import Artifact, Work
from ganaug.filters.calibration import by_class
from ganaug.filters.select import select
from ganaug.specs import DiscriminatorFilterSpec, PoolSpec
from ganaug.stages import FitGan, Pool, Select, Split, TrainImages

CLASSES, LENGTH = 3, 24
GENERATOR = FitGan(Split(TrainImages("made up"), 2, 2, 0), PROJECTION, 0)
KEY = GENERATOR.key
CALIBRATION = (1.0, [0.0, 0.5, -0.5])


def stream(seed, n):
    """`n` candidates per class whose images say where they are from: pixels (class, place // 256, place % 256, 7)."""
    place = np.arange(n)
    images = np.zeros((CLASSES, n, 1, 2, 2), np.uint8)
    images[:, :, 0, 0, 0] = np.arange(CLASSES)[:, None]
    images[:, :, 0, 0, 1], images[:, :, 0, 1, 0], images[..., 1, 1] = place // 256, place % 256, 7
    # scores on a coarse scale, so that some are equal
    raw = np.random.default_rng(seed).integers(-8, 9, (CLASSES, n)) / 4
    return images, raw.astype(np.float32)


class MadeUp:
    """A stream in chunks of `size`, and what it was made from; counts the chunks that are asked for."""

    def __init__(self, seed, size, calibration=CALIBRATION):
        images, raw = stream(seed, LENGTH)
        labels = np.repeat(np.arange(CLASSES), 2)
        split = {
            name: array
            for kind in ("real", "validation")
            for name, array in (
                (kind, np.zeros((6, 1, 2, 2), np.uint8)),
                (f"{kind}_labels", labels),
                (f"{kind}_ids", np.arange(6) + 10 * (kind == "validation")),
            )
        }
        facts = {"diverged": "", "calibration": calibration, "n_classes": CLASSES}
        self.made = {GENERATOR.key: Artifact({}, facts), GENERATOR.split.key: Artifact(split)}
        for i in range(LENGTH // size):
            part = slice(i * size, (i + 1) * size)
            self.made[Pool(GENERATOR, i, size).key] = Artifact({"images": images[:, part], "scores": raw[:, part]})
        self.drawn = set()

    def get(self, stage):
        if isinstance(stage, Pool):
            self.drawn.add(stage.index)
        return self.made[stage.key]


def selected(seed=0, threshold=0.5, n_gen=4, size=6, calibration=CALIBRATION, rank=False, made=None):
    made = made or MadeUp(seed, size, calibration)
    pool = PoolSpec(chunk=size, max_per_class=LENGTH)
    stage = Select(GENERATOR, pool, DiscriminatorFilterSpec(threshold=threshold, rank=rank), n_gen)
    return select(stage, Work(made.get))


def counts(artifact):
    return {k: artifact.facts[k] for k in ("accepted", "candidates", "wanted")}


def by_hand(seed, threshold, n_gen, n):
    """Candidate by candidate: places, and how many were looked at, per class."""
    p = by_class(stream(seed, n)[1], CALIBRATION)
    places, looked_at = [], []
    for row in p:
        own, looked = [], 0
        while looked < n and len(own) < n_gen:
            if row[looked] >= np.float32(threshold):
                own.append(looked)
            looked += 1
        places.append(own)
        looked_at.append(looked)
    return places, looked_at


STREAM = st.integers(0, 999)
THRESHOLD = st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.9, 1.0])
N_GEN = st.integers(1, LENGTH)
SIZE = st.sampled_from([1, 2, 6, 24])


@given(STREAM, THRESHOLD, N_GEN, SIZE)
def test_it_takes_the_first_that_pass_as_by_hand(seed, threshold, n_gen, size):
    out = selected(seed, threshold, n_gen, size)
    places, looked_at = by_hand(seed, threshold, n_gen, LENGTH)
    assert out.arrays["ids"].tolist() == [f"{KEY[:12]}/{c}/{p}" for c, own in enumerate(places) for p in own]
    assert counts(out) == {"accepted": [len(own) for own in places], "candidates": looked_at, "wanted": n_gen}
    first = [[place in own for place in range(size)] for own in places]
    assert out.arrays["taken"].tolist() == first


@given(STREAM, THRESHOLD, N_GEN, SIZE)
def test_ids_name_the_very_images_of_the_pool(seed, threshold, n_gen, size):
    out = selected(seed, threshold, n_gen, size).arrays
    assert len(out["images"]) == len(out["labels"]) == len(out["ids"]) == len(out["probabilities"])
    assert len(set(out["ids"])) == len(out["ids"])
    assert np.array_equal(out["score"], out["probabilities"])  # of this filter they are one
    images, raw = stream(seed, LENGTH)
    p = by_class(raw, CALIBRATION)
    for image, label, name, probability in zip(
        *(out[k] for k in ("images", "labels", "ids", "probabilities")), strict=True
    ):
        of, c, place = name.split("/")
        assert (of, int(c)) == (KEY[:12], label)
        assert np.array_equal(image, images[label, int(place)])
        assert probability == p[label, int(place)] >= np.float32(threshold)


@given(STREAM, N_GEN, THRESHOLD, THRESHOLD)
def test_what_a_stricter_threshold_takes_the_laxer_one_would(seed, n_gen, a, b):
    low, high = sorted((a, b))
    everything = set(selected(seed, low, LENGTH).arrays["ids"])
    assert set(selected(seed, high, n_gen).arrays["ids"]) <= everything
    lax, strict = (selected(seed, t, n_gen).facts for t in (low, high))
    assert all(x >= y for x, y in zip(lax["accepted"], strict["accepted"], strict=True))
    assert all(x <= y for x, y in zip(lax["candidates"], strict["candidates"], strict=True))


@given(STREAM, THRESHOLD, N_GEN, SIZE, SIZE, st.booleans())
def test_the_result_does_not_depend_on_the_chunks(seed, threshold, n_gen, one, other, rank):
    a, b = (selected(seed, threshold, n_gen, size, rank=rank) for size in (one, other))
    least = min(one, other)
    assert same(
        *(Artifact(x.arrays | {"taken": x.arrays["taken"][:, :least]}, x.facts) for x in (a, b))
    )  # `taken` is of the first chunk


@given(STREAM, THRESHOLD, N_GEN)
def test_no_more_chunks_are_drawn_than_needed(seed, threshold, n_gen):
    made = MadeUp(seed, 3)
    facts = selected(seed, threshold, n_gen, 3, made=made).facts
    assert made.drawn == set(range(-(-max(facts["candidates"]) // 3)))


@given(STREAM, st.sampled_from([0.0, 0.3, 0.5, 0.75, 0.9, 1.0]), N_GEN, SIZE)
def test_a_ranking_takes_the_best_of_as_many_as_it_says(seed, threshold, n_gen, size):
    out = selected(seed, threshold, n_gen, size, rank=True)
    ranked = LENGTH if threshold == 1 else min(LENGTH, int(np.ceil(round(n_gen / (1 - threshold), 6))))
    p = by_class(stream(seed, LENGTH)[1], CALIBRATION)[:, :ranked]
    best = [sorted(sorted(range(ranked), key=lambda i: (-row[i], i))[:n_gen]) for row in p]
    assert out.arrays["ids"].tolist() == [f"{KEY[:12]}/{c}/{place}" for c, own in enumerate(best) for place in own]
    assert counts(out) == {"accepted": [n_gen] * 3, "candidates": [ranked] * 3, "wanted": n_gen}


def test_threshold_zero_takes_the_head_of_the_stream():
    assert counts(selected(threshold=0.0, n_gen=5)) == {"accepted": [5] * 3, "candidates": [5] * 3, "wanted": 5}


def test_a_filter_that_nothing_passes_says_so():
    out = selected(calibration=(0.0, [-9.0] * 3))
    assert counts(out) == {"accepted": [0] * 3, "candidates": [24] * 3, "wanted": 4}
    assert (out.facts["coverage"], out.facts["coverage_unfiltered"]) == (None, None)
    assert out.arrays["images"].shape == (0, 1, 2, 2)
    assert out.arrays["images"].dtype == np.uint8
    assert all(len(out.arrays[k]) == 0 for k in ("ids", "labels", "score", "probabilities"))
    assert not out.arrays["taken"].any()


def test_one_starved_class_does_not_hold_back_the_others():
    out = selected(calibration=(1.0, [9.0, -99.0, 9.0]))
    assert counts(out) == {"accepted": [4, 0, 4], "candidates": [4, 24, 4], "wanted": 4}
    assert out.arrays["labels"].tolist() == [0] * 4 + [2] * 4


def test_it_says_what_gan_and_filter_have_learned_from():
    assert selected().arrays["seen"].tolist() == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]
