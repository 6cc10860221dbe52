import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import CELL, InMemory, imported

from ganaug.randomness import derive, numpy_rng, seeded, torch_rng
from ganaug.recipe import recipe

SEEDS = st.integers(0, 2**40)
PURPOSES = st.lists(st.text(max_size=5) | st.integers(0, 99), max_size=3)


@given(SEEDS, PURPOSES)
def test_same_seed_and_purpose_give_the_same_streams(seed, purpose):
    assert torch.equal(
        torch.rand(4, generator=torch_rng(seed, *purpose)), torch.rand(4, generator=torch_rng(seed, *purpose))
    )
    assert np.array_equal(numpy_rng(seed, *purpose).random(4), numpy_rng(seed, *purpose).random(4))
    assert 0 <= derive(seed, *purpose) < 2**63


@given(SEEDS, PURPOSES, SEEDS, PURPOSES)
def test_two_seeds_or_purposes_never_share_a_stream(seed, purpose, other_seed, other):
    same = (seed, purpose) == (other_seed, other)
    assert (derive(seed, *purpose) == derive(other_seed, *other)) == same


def test_where_one_purpose_ends_and_the_next_begins_matters():
    purposes = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("1",), (1,), (1, 1), (11,), (1, "1")]
    assert len({derive(0, *p) for p in purposes}) == len(purposes)


def test_a_seed_is_the_same_on_every_machine():
    # golden: another number would change every result of every store
    assert derive(0, "split", 3) == 6983916786341917709
    code = "from ganaug.randomness import derive; print(derive(0, 'split', 3))"
    assert int(subprocess.check_output([sys.executable, "-c", code])) == derive(0, "split", 3)


def test_seeded_builds_the_same_and_leaves_the_global_stream_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = seeded(lambda: torch.nn.Linear(3, 3), 1, "init")
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(7)
    assert torch.equal(first.weight, seeded(lambda: torch.nn.Linear(3, 3), 1, "init").weight)
    assert not torch.equal(first.weight, seeded(lambda: torch.nn.Linear(3, 3), 2, "init").weight)


def test_seeded_leaves_the_global_stream_alone_when_building_fails():
    before = torch.get_rng_state()
    with pytest.raises(TypeError):
        seeded(lambda: torch.rand(3) / [], 1, "init")
    assert torch.equal(before, torch.get_rng_state())


def test_seeded_touches_no_accelerator(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", asked.append)
    seeded(lambda: torch.rand(3), 1, "init")
    assert not asked


def test_no_stage_draws_from_the_global_generators():
    imported()
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    first = InMemory()
    first.get(recipe(CELL))
    assert torch.equal(torch_before, torch.get_rng_state())
    for a, b in zip(numpy_before, np.random.get_state(), strict=True):  # noqa: NPY002
        assert np.array_equal(a, b)
    # nor do they read them: another global state, the same artifacts
    torch.manual_seed(4)
    np.random.seed(4)  # noqa: NPY002
    second = InMemory()
    second.get(recipe(CELL))
    assert first.made.keys() == second.made.keys()
    for key, artifact in first.made.items():
        for name, array in artifact.arrays.items():
            assert np.array_equal(array, second.made[key].arrays[name]), name
