"""Metropolis-Hastings against a straightforward walk, and on a mixture whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixture import REAL, STATES, WRONG, distance, drawn, perfect

from ganaug.filters.metropolis_hastings import accept


def ratio(p, threshold):
    return (p / (1 - p)) ** threshold


def by_hand(row, draws, chain, held_out, threshold):
    """Turner et al.'s Algorithm 1 in plain ratios: the places of the last states of all whole chains."""
    out = []
    for block in range(len(row) // chain):
        own = range(block * chain, (block + 1) * chain)
        state, place = held_out[block % len(held_out)], None
        for i in own:
            if draws[i] < min(1.0, ratio(row[i], threshold) / ratio(state, threshold)):
                state, place = row[i], i
        if place is None:
            begun, state, place = state, row[own[0]], own[0]
            for i in own[1:]:
                refused = ratio(row[i], threshold) / ratio(begun, threshold)
                if (draws[i] - refused) / (1 - refused) < min(1.0, ratio(row[i], threshold) / ratio(state, threshold)):
                    state, place = row[i], i
        out.append(place)
    return out


@given(st.integers(0, 999), st.integers(1, 12), st.sampled_from([0.2, 1.0]), st.booleans())
def test_it_is_the_walk_by_hand(seed, chain, threshold, hard):
    rng = np.random.default_rng(seed)
    p, draws = rng.uniform(0.01, 0.99, (2, 40)), rng.random((2, 40))
    held_out = (
        rng.uniform(0.98, 0.99, (2, 3)) if hard else rng.uniform(0.1, 0.9, (2, 3))
    )  # hard: chains that never move
    out = accept(p, threshold, draws, chain, held_out)
    for label in range(2):
        assert np.flatnonzero(out[label]).tolist() == by_hand(p[label], draws[label], chain, held_out[label], threshold)


@given(st.integers(0, 99), st.integers(1, 12), st.integers(0, 40))
def test_one_of_every_whole_chain_whatever_follows(seed, chain, n):
    rng = np.random.default_rng(seed)
    p, draws, held_out = rng.random((2, 40)), rng.random((2, 40)), rng.random((2, 5))
    whole, part = (accept(x, 1.0, d, chain, held_out) for x, d in ((p, draws), (p[:, :n], draws[:, :n])))
    n_whole = n // chain * chain
    assert np.array_equal(part[:, :n_whole], whole[:, :n_whole])
    assert not part[:, n_whole:].any()
    assert (part[:, :n_whole].reshape(2, n // chain, chain).sum(2) == 1).all()


def test_threshold_zero_and_chains_of_one_keep_every_image():
    p, draws = np.random.default_rng(0).random((2, 2, 9))
    assert accept(p, 0.0, draws, 5, p).all()
    assert accept(p, 1.0, draws, 1, np.full((2, 1), 1 - 1e-9)).all()


def test_a_chain_moves_to_whatever_is_likelier():
    p = np.array([[0.3, 0.6, 0.5, 0.2]])
    never = np.full((1, 4), 1 - 1e-12)
    assert np.flatnonzero(accept(p, 1.0, never, 4, np.array([[0.1]]))).tolist() == [1]
    # begun at a real image that is likelier than all, the chain begins again, at its first candidate
    assert np.flatnonzero(accept(p, 1.0, never, 4, np.array([[0.9]]))).tolist() == [1]
    assert np.flatnonzero(accept(p, 1.0, np.zeros((1, 4)), 4, np.array([[0.1]]))).tolist() == [3]


@pytest.mark.parametrize(("drawn_second", "taken"), [(0.85, 1), (0.9, 0)])
def test_a_chain_that_begins_again_draws_afresh(drawn_second, taken):
    # ratios 0.5 and 0.4 against a real image's 1: both refused. Begun again at the first, the second is accepted with
    # probability 0.8 of a fresh draw, and of a draw that lay in [0.4, 1) what is fresh is (draw - 0.4) / 0.6
    p = np.array([[1 / 3, 2 / 7]])
    out = accept(p, 1.0, np.array([[0.9, drawn_second]]), 2, np.array([[0.5]]))
    assert np.flatnonzero(out).tolist() == [taken]


def test_certainty_is_finite():
    p = np.array([[0.0, 1.0, 0.0, 0.0]], np.float32)
    assert np.flatnonzero(accept(p, 1.0, np.full((1, 4), 0.5), 4, np.array([[1.0]]))).tolist() == [1]


def test_a_perfect_discriminator_gives_back_the_real_distribution():
    states, rng = drawn(WRONG, 200_000), np.random.default_rng(1)
    held_out = perfect(drawn(REAL, 500, 2))[None]
    apart = {}
    for chain in (1, 10, 40):
        kept = states[accept(perfect(states)[None], 1.0, rng.random((1, len(states))), chain, held_out)[0]]
        assert len(kept) == len(states) // chain
        apart[chain] = distance(kept, REAL)
        assert len(np.unique(kept)) == STATES
    assert apart[1] == pytest.approx(distance(states, REAL))
    assert apart[1] > 0.2
    assert apart[10] < 0.02
    assert apart[40] < 0.03  # 5,000 images are left


def test_a_chain_that_begins_again_is_a_chain_like_any_other():
    # whoever begins at an impossible image never moves, and so every chain begins again: exact from its own start
    states, rng = drawn(WRONG, 200_000), np.random.default_rng(3)
    p, draws = perfect(states)[None], rng.random((1, len(states)))
    again = states[accept(p, 1.0, draws, 10, np.array([[1 - 1e-6]]))[0]]
    assert distance(again, REAL) < 0.02
