import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from prdc import compute_prdc
from torch_fidelity.metric_prc import prc_features_to_metric

from ganaug.metrics import neighbours
from ganaug.metrics.checks import TooFewImages
from ganaug.metrics.neighbours import neighbourhood, radii

TIES = ["inside", "outside"]


def features(n, d=6, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def grid(n, seed):
    """Points that repeat, at distances that tie."""
    return np.random.default_rng(seed).integers(0, 4, (n, 2)).astype(float)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("make", [features, lambda n, seed: grid(n, seed)], ids=["continuous", "ties"])
def test_precision_and_recall_are_torch_fidelitys(make, k):
    generated, real = make(80, seed=0), make(60, seed=1)
    theirs = prc_features_to_metric(
        torch.from_numpy(generated),
        torch.from_numpy(real),
        prc_neighborhood=k,
        prc_batch_size=17,
        save_cpu_ram=False,
        verbose=False,
    )
    ours = neighbourhood(generated, real, k, "inside")
    assert (ours.precision, ours.recall) == pytest.approx((theirs["precision"], theirs["recall"]), rel=1e-6)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("make", [features, lambda n, seed: grid(n, seed)], ids=["continuous", "ties"])
def test_all_four_are_those_of_prdc(make, k):
    generated, real = make(80, seed=0), make(60, seed=1)
    ours = neighbourhood(generated, real, k, "outside")
    assert ours._asdict() == pytest.approx(compute_prdc(real, generated, k), rel=1e-12)


def by_hand(generated, real, k, ties):
    """Image by image."""

    def distance(x, y):
        return float(np.sqrt(((x - y) ** 2).sum()))

    def reach(own):
        return [sorted(distance(x, y) for j, y in enumerate(own) if j != i)[k - 1] for i, x in enumerate(own)]

    def inside(d, r):
        return d <= r if ties == "inside" else d < r

    of_real, of_generated = reach(real), reach(generated)
    balls = [[inside(distance(g, x), r) for x, r in zip(real, of_real, strict=True)] for g in generated]
    recalled = [any(inside(distance(x, g), r) for g, r in zip(generated, of_generated, strict=True)) for x in real]
    return (
        np.mean([any(row) for row in balls]),
        np.mean(recalled),
        np.mean([sum(row) for row in balls]) / k,
        np.mean([any(column) for column in zip(*balls, strict=True)]),
    )


@given(st.integers(0, 999), st.integers(1, 3), st.sampled_from(TIES), st.integers(1, 40))
def test_it_is_as_by_hand_whatever_the_chunks(seed, k, ties, chunk):
    generated, real = grid(9, seed), grid(7, seed + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "CHUNK_DISTANCES", chunk)
        assert neighbourhood(generated, real, k, ties) == pytest.approx(by_hand(generated, real, k, ties))


@given(st.integers(0, 99), st.integers(1, 4))
def test_a_part_of_the_real_images_is_precise_and_the_whole_is_everything(seed, k):
    real = grid(20, seed)
    assert neighbourhood(real[:8], real, k).precision == 1
    whole = neighbourhood(real, real, k)
    assert (whole.precision, whole.recall, whole.coverage) == (1, 1, 1)
    assert whole.density >= 1


def test_far_away_is_nothing():
    assert neighbourhood(features(30, shift=100.0), features(20), 3) == (0, 0, 0, 0)


def test_one_generated_image_repeated_is_precise_and_covers_little():
    real = features(50)
    out = neighbourhood(np.repeat(real[:1], 50, axis=0), real, 5)
    assert out.precision == 1
    assert out.recall == pytest.approx(1 / 50)
    assert out.coverage < 0.5


def test_ties_decide_over_copies():
    """Every real image occurs three times: outside, no ball of two neighbours holds even a copy of its own centre."""
    real = np.repeat(features(10), 3, axis=0)
    assert neighbourhood(real, real, 2, "inside").coverage == 1
    assert neighbourhood(real, real, 2, "outside").coverage == 0


def test_a_perfect_generators_expectation():
    """Naeem et al. 2020, section 3.3: density 1, and coverage 1 - (M-1)…(M-k) / ((N+M-1)…(N+M-k))."""
    n, m, k = 30, 40, 5
    draws = np.random.default_rng(0)
    outs = [neighbourhood(draws.normal(size=(n, 3)), draws.normal(size=(m, 3)), k) for _ in range(200)]
    factors = [(m - i) / (n + m - i) for i in range(1, k + 1)]
    for values, expected in (([o.density for o in outs], 1), ([o.coverage for o in outs], 1 - np.prod(factors))):
        assert abs(np.mean(values) - expected) < 4 * np.std(values) / np.sqrt(len(values))


def test_radii_count_a_copy_but_not_the_image_itself():
    assert radii(np.array([[0.0], [0.0], [3.0]]), 1).tolist() == [0, 0, 3]
    assert radii(np.array([[0.0], [0.0], [3.0]]), 2).tolist() == [3, 3, 3]


def test_refusals():
    with pytest.raises(TooFewImages, match=r"^a metric of 5 neighbours needs at least 6 images of each kind, got 5$"):
        neighbourhood(features(9), features(5), 5)
    with pytest.raises(ValueError, match=r"^k must be at least 1, got 0$"):
        neighbourhood(features(9), features(5), 0)
    with pytest.raises(ValueError, match=r"^features must have the same width, got 6 and 2$"):
        neighbourhood(features(9), grid(9, 0), 2)
