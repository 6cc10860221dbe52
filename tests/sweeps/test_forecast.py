"""Forecasts: what is shared counts once, a wave ends with its last job, stored costs correct what was thought."""

from collections.abc import Callable

import pytest

from ganaug.stages import FitClassifier, FitGan, Measure, Pool, Stage
from sweeps.execute import Evaluator
from sweeps.forecast import PER_CELL, PER_TRIAL, Forecast, chunks_of, forecast
from sweeps.grid import Grid
from sweeps.plan import Job, generator_of, plan
from sweeps.store import Store


def by_kind(stage: Stage) -> float:
    """Made-up seconds: a GAN 100, a chunk of its pool 10, a classifier 1."""
    return {FitGan: 100.0, Pool: 10.0, FitClassifier: 1.0}.get(type(stage), 0.0)


def beside(job: Job) -> float:
    return PER_TRIAL + PER_CELL * len(job.leaves)


def test_what_cells_share_is_made_once(make_grid: Callable[..., Grid]) -> None:
    """Two thresholds of one generator: a chunk of 10 serves 6 images, and two of them do where half is kept."""
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[6]")
    leaves = tuple(grid.measures.values())
    job = Job(generator_of(leaves[0]), leaves)
    done: set[str] = set()
    assert Forecast(by_kind, set()).of_job(job, done) == pytest.approx(100 + 2 * 10 + 2 + beside(job))
    again = Forecast(by_kind, set()).of_job(job, done - {leaf.key for leaf in leaves})
    assert again == pytest.approx(2 + beside(job)), "generator and pool are stored now"


def test_a_pool_is_drawn_to_its_end_at_most(make_grid: Callable[..., Grid]) -> None:
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[6]", "threshold=[0, 0.5, 0.99, 1]")
    drawn = [len(list(chunks_of(m.classifiers[0].extra))) for m in grid.measures.values()]
    assert drawn == [1, 2, 2, 2]  # 6, 12, 600 and all images of a pool that holds 20, in chunks of 10


def test_a_wave_ends_with_its_last_job(make_grid: Callable[..., Grid]) -> None:
    """Four generators on two slots take two rounds, on four one, on three two; the sum of all is the same."""
    grid = make_grid("n_gen=[6]", "threshold=[0]")
    walls, sums = {}, {}
    for slots in (1, 2, 3, 4):
        jobs = [Job(generator_of(leaf), (leaf,)) for leaf in grid.measures.values()]
        walls[slots], sums[slots] = Forecast(by_kind, set()).of_waves([jobs], slots)
    one = 111 + PER_TRIAL + PER_CELL
    assert walls == pytest.approx({1: 4 * one, 2: 2 * one, 3: 2 * one, 4: one})
    assert sums == pytest.approx(dict.fromkeys(walls, 4 * one))


def test_stored_costs_correct_what_was_thought(make_grid: Callable[..., Grid], store: Store) -> None:
    """Of two seeds one is stored, and its classifiers took as long as they did: the other's will take that long."""
    grid = make_grid("n_real=[3]", "n_gen=[0]")
    first, other = grid.measures.values()
    Evaluator(store).get(first)
    found = store.load(first)
    assert found is not None
    took = sum(seconds for kind, seconds in found[1].values() if kind == "fit_classifier")
    told = Forecast(by_kind, grid.stored(store))
    assert told.own(other.classifiers[0]) == 1
    told.correct(grid.leaves(), store)
    assert told.read == 1
    assert told.own(other.classifiers[0]) == pytest.approx(took)


def test_a_rehearsal_leaves_nothing_and_tells_what_is_no_training(make_grid: Callable[..., Grid], store: Store) -> None:
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[6]")
    before = sorted(store.place.names(""))
    told = forecast(grid, store, lambda stage: 0.0, "cpu")
    assert sorted(store.place.names("")) == before
    assert told.rest.keys() >= {"fit_gan", "pool", "select", "fit_classifier", "measure", "assess"}
    assert all(told.rest[kind] > 0 for kind in ("fit_gan", "pool", "fit_classifier", "measure", "assess"))


def test_what_is_stored_takes_no_time(make_grid: Callable[..., Grid], store: Store) -> None:
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[0]")
    (measure,) = grid.measures.values()
    assert isinstance(measure, Measure)
    Evaluator(store).get(measure)
    waves = plan(grid.leaves(), grid.stored(store), 2)
    assert waves == []
    assert forecast(grid, store, by_kind, "cpu").of_waves(waves, 2) == (0.0, 0.0)
