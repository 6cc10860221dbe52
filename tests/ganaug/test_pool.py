import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import GANS, same
from tiny import images as split_images

from ganaug.artifact import Artifact, Work
from ganaug.filters.calibration import by_class
from ganaug.gans.fit import fit_gan, networks
from ganaug.gans.judge import scores
from ganaug.pool import draw_chunk, select

CLASSES, KEY = 3, "0123456789abcdef" * 4
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


def chunks(seed, n, size):
    images, raw = stream(seed, n)
    for i in range(0, n, size):
        yield Artifact({"images": images[:, i : i + size], "scores": raw[:, i : i + size]})


def selected(seed=0, threshold=0.5, n_gen=4, n=24, size=6):
    return select(chunks(seed, n, size), KEY, CALIBRATION, threshold, n_gen)


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
N_GEN = st.integers(1, 24)
SIZE = st.sampled_from([1, 2, 6, 24])


@given(STREAM, THRESHOLD, N_GEN, SIZE)
def test_it_takes_the_first_that_pass_as_by_hand(seed, threshold, n_gen, size):
    out = selected(seed, threshold, n_gen, size=size)
    places, looked_at = by_hand(seed, threshold, n_gen, 24)
    assert out.arrays["ids"].tolist() == [f"{KEY[:12]}/{c}/{p}" for c, own in enumerate(places) for p in own]
    assert out.facts == {"accepted": [len(own) for own in places], "candidates": looked_at, "wanted": n_gen}


@given(STREAM, THRESHOLD, N_GEN, SIZE)
def test_ids_name_the_very_images_of_the_pool(seed, threshold, n_gen, size):
    out = selected(seed, threshold, n_gen, size=size).arrays
    assert len(out["images"]) == len(out["labels"]) == len(out["ids"]) == len(out["probabilities"])
    assert len(set(out["ids"])) == len(out["ids"])
    images, raw = stream(seed, 24)
    p = by_class(raw, CALIBRATION)
    for image, label, name, probability in zip(
        *(out[k] for k in ("images", "labels", "ids", "probabilities")), strict=True
    ):
        of, c, place = name.split("/")
        assert (of, int(c)) == (KEY[:12], label)
        assert np.array_equal(image, images[label, int(place)])
        assert probability == p[label, int(place)] >= np.float32(threshold)


def places_of(artifact, label):
    return [name for name, own in zip(artifact.arrays["ids"], artifact.arrays["labels"], strict=True) if own == label]


@given(STREAM, THRESHOLD, N_GEN, N_GEN, SIZE)
def test_fewer_are_the_first_of_more(seed, threshold, a, b, size):
    few, many = (selected(seed, threshold, n, size=size) for n in sorted((a, b)))
    for label in range(CLASSES):
        n = few.facts["accepted"][label]
        assert places_of(few, label) == places_of(many, label)[:n]
        assert few.facts["candidates"][label] <= many.facts["candidates"][label]


@given(STREAM, N_GEN, THRESHOLD, THRESHOLD)
def test_what_a_stricter_threshold_takes_the_laxer_one_would(seed, n_gen, a, b):
    low, high = sorted((a, b))
    everything = set(selected(seed, low, 24).arrays["ids"])
    assert set(selected(seed, high, n_gen).arrays["ids"]) <= everything
    lax, strict = (selected(seed, t, n_gen).facts for t in (low, high))
    assert all(x >= y for x, y in zip(lax["accepted"], strict["accepted"], strict=True))
    assert all(x <= y for x, y in zip(lax["candidates"], strict["candidates"], strict=True))


@given(STREAM, THRESHOLD, N_GEN, SIZE, SIZE)
def test_the_result_does_not_depend_on_the_chunks(seed, threshold, n_gen, one, other):
    assert same(selected(seed, threshold, n_gen, size=one), selected(seed, threshold, n_gen, size=other))


@given(STREAM, THRESHOLD, N_GEN)
def test_no_more_chunks_are_drawn_than_needed(seed, threshold, n_gen):
    drawn = 0

    def counted():
        nonlocal drawn
        for chunk in chunks(seed, 24, 3):
            drawn += 1
            yield chunk

    facts = select(counted(), KEY, CALIBRATION, threshold, n_gen).facts
    assert drawn == -(-max(facts["candidates"]) // 3)


def test_threshold_zero_takes_the_head_of_the_stream():
    assert selected(threshold=0.0, n_gen=5).facts == {"accepted": [5] * 3, "candidates": [5] * 3, "wanted": 5}


def test_a_filter_that_nothing_passes_says_so():
    out = select(chunks(0, 24, 6), KEY, (0.0, [-9.0] * 3), 0.5, 4)
    assert out.facts == {"accepted": [0] * 3, "candidates": [24] * 3, "wanted": 4}
    assert out.arrays["images"].shape == (0, 1, 2, 2)
    assert out.arrays["images"].dtype == np.uint8
    assert len(out.arrays["ids"]) == len(out.arrays["labels"]) == 0


def test_one_starved_class_does_not_hold_back_the_others():
    out = select(chunks(0, 24, 6), KEY, (1.0, [9.0, -99.0, 9.0]), 0.5, 4)
    assert out.facts == {"accepted": [4, 0, 4], "candidates": [4, 24, 4], "wanted": 4}
    assert out.arrays["labels"].tolist() == [0] * 4 + [2] * 4


@pytest.fixture(scope="module", params=list(GANS))
def trained(request):
    split, spec = split_images(), GANS[request.param]
    return spec, fit_gan(spec, split, split, 0, Work(lambda stage: split))


def test_chunks_do_not_depend_on_order_nor_on_each_other(trained):
    spec, fit = trained
    forwards = [draw_chunk(spec, fit, 0, i, 5) for i in range(3)]
    backwards = [draw_chunk(spec, fit, 0, i, 5) for i in (2, 1, 0)][::-1]
    assert all(same(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not np.array_equal(forwards[0].arrays["images"], forwards[1].arrays["images"])
    assert not np.array_equal(forwards[0].arrays["images"], draw_chunk(spec, fit, 1, 0, 5).arrays["images"])


def test_a_chunk_has_images_and_scores_of_every_class(trained):
    spec, fit = trained
    chunk = draw_chunk(spec, fit, 0, 0, 5).arrays
    assert chunk["images"].shape == (10, 5, 1, 8, 8)
    assert chunk["images"].dtype == np.uint8
    assert chunk["scores"].shape == (10, 5)
    assert chunk["scores"].dtype == np.float32
    # scored as it will be used: rounded, and under its own label
    _, discriminator = networks(spec, fit)
    assert np.array_equal(chunk["scores"][3], scores(discriminator, chunk["images"][3], np.full(5, 3)))
    assert not np.allclose(chunk["scores"][3], scores(discriminator, chunk["images"][3], np.full(5, 4)))
