"""Plans: whatever is stored, every missing cell is in one job and every missing generator is made once."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganaug.recipe import recipe
from ganaug.stages import FitGan, Measure
from sweeps import study_file as studies
from sweeps.plan import Job, generator_of, plan, relative_seconds

GRID = """
name: grid
dataset: {name: mnist}
factors:
  n_real: [100, 300, 500, 1000, 2000]
  n_gen: [0, 100, 300, 500, 1000, 2000]
  threshold: [0, 0.3, 0.5, 0.7, 0.9]
  clf_da: [none, hflip, rotation, shift, zoom]
  seed: [0, 1, 2, 3, 4]
gan: {name: projection}
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grid") / "grid.yaml"
    path.write_text(GRID)
    return path


@cache
def cells(path: Path, *assignments: str) -> tuple[Measure, ...]:
    return tuple(recipe(cell) for _, cell in studies.load(str(path), assignments).cells("digest"))


SMALL = ("n_real=[3, 5]", "n_gen=[0, 6, 9]", "threshold=[0, 0.5]", "clf_da=[none, hflip]", "seed=[0, 1]")


def generators(measures: tuple[Measure, ...]) -> set[str]:
    return {g.key for m in measures if (g := generator_of(m))}


def made(job: Job, have: set[str]) -> str | None:
    """The generator a job would train, given those that are there when it starts."""
    return job.shared.key if job.shared and job.shared.key not in have else None


@settings(max_examples=150, deadline=None)
@given(data=st.data(), slots=st.integers(1, 8))
def test_everything_missing_is_done_once(grid: Path, data: st.DataObject, slots: int) -> None:
    measures = cells(grid, *SMALL)
    records = data.draw(st.sets(st.sampled_from([m.key for m in measures])), "records")
    gans = data.draw(st.sets(st.sampled_from(sorted(generators(measures)))), "generators")
    waves = plan(measures, records | gans, slots)

    assert len(waves) <= 2
    assert all(waves)
    leaves = Counter(leaf.key for wave in waves for job in wave for leaf in job.leaves)
    assert leaves == Counter(m.key for m in measures if m.key not in records)

    have, trained = set(gans), Counter[str]()
    for wave in waves:
        now = Counter(key for job in wave if (key := made(job, have)))
        trained += now
        have |= now.keys()
        assert [j.seconds for j in wave] == sorted((j.seconds for j in wave), reverse=True)
    needed = generators(tuple(m for m in measures if m.key not in records)) - gans
    assert trained == Counter(needed)
    for wave in waves:
        for job in wave:
            assert {generator_of(leaf) for leaf in job.leaves} <= {job.shared}


def test_nothing_missing_is_no_wave(grid: Path) -> None:
    measures = cells(grid, *SMALL)
    assert plan(measures, {m.key for m in measures}, 4) == []
    assert plan([], set(), 4) == []


def test_few_generators_come_first_and_their_cells_fill_the_slots(grid: Path) -> None:
    measures = cells(grid, "n_real=[3]", "seed=[0]")
    first, last = plan(measures, set(), 8)
    assert [job.shared.key for job in first if job.shared] == list(generators(measures))
    assert all(job.shared for job in last)
    assert len(last) >= 8
    (alone,) = plan(measures, set(), 1)
    assert sum(bool(job.shared) for job in alone) == 1


def test_a_lone_cell_waits_for_nobody(grid: Path) -> None:
    (wave,) = plan(cells(grid, "n_real=[3]", "n_gen=[6]", "threshold=[0]", "clf_da=[none]", "seed=[0]"), set(), 8)
    assert [len(job.leaves) for job in wave] == [1]


@pytest.mark.parametrize(
    ("changes", "n_generators"),
    [((), 25), (("clf_da=[none]", "gan_da=[none, hflip, rotation, shift, zoom]"), 125)],
)
def test_the_full_grid_costs_its_generators(grid: Path, changes: tuple[str, ...], n_generators: int) -> None:
    measures = cells(grid, *changes)
    per_setting = 5 if not changes else 1
    n_cells = 5 * 5 * per_setting + n_generators * 5 * 5 * per_setting  # controls, then counts by thresholds
    assert len(measures) == len({m.key for m in measures}) == n_cells
    assert len(generators(measures)) == n_generators
    (wave,) = plan(measures, set(), 16)
    assert len([job for job in wave if job.shared]) == n_generators


def test_estimates_count_steps(grid: Path) -> None:
    (measure,) = cells(grid, "n_real=[3]", "n_gen=[6]", "threshold=[0]", "clf_da=[none]", "seed=[0]", "gan.steps=100")
    generator = generator_of(measure)
    assert isinstance(generator, FitGan)
    assert relative_seconds(generator) == pytest.approx(0.5)
    assert relative_seconds(measure) == pytest.approx(2.0)


ANY = st.integers(1, 6)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), slots=ANY, at_most=ANY)
def test_fused_trainings_are_done_once_in_groups_of_a_kind(
    grid: Path, data: st.DataObject, slots: int, at_most: int
) -> None:
    measures = cells(grid, *SMALL, "fuse=on", "factors.gan.steps=[10, 20]")
    records = data.draw(st.sets(st.sampled_from([m.key for m in measures])), "records")
    gans = data.draw(st.sets(st.sampled_from(sorted(generators(measures)))), "generators")
    waves = plan(measures, records | gans, slots, together=at_most)

    leaves = Counter(leaf.key for wave in waves for job in wave for leaf in job.leaves)
    assert leaves == Counter(m.key for m in measures if m.key not in records)
    have, trained = set(gans), Counter[str]()
    for wave in waves:
        missing = [[g for g in job.generators if g.key not in have] for job in wave]
        for group in missing:
            assert len(group) <= at_most
            assert len({g.gan for g in group}) <= 1, "a batched model is of one spec"
        now = Counter(g.key for group in missing for g in group)
        trained += now
        have |= now.keys()
        for job in wave:
            assert {g for leaf in job.leaves if (g := generator_of(leaf))} <= set(job.generators)
        jobs = sum(map(bool, missing))
        assert jobs >= min(slots, len(now)), "no slot is idle while generators wait in another's job"
    assert trained == Counter(generators(tuple(m for m in measures if m.key not in records)) - gans)


def test_one_gpu_takes_the_generators_of_a_grid_in_few_jobs(grid: Path) -> None:
    """25 generators and 3,125 cells with them: what a person with one card waits for."""
    measures = cells(grid, "fuse=on")
    (wave,) = plan(measures, set(), 1)
    sizes = [len(job.generators) for job in wave if job.generators]
    assert sizes == [25]
    (wave,) = plan(measures, set(), 4)
    assert sorted(len(job.generators) for job in wave if job.generators) == [6, 6, 6, 7]
    alone = [job for job in wave if not job.generators]
    assert sum(len(job.leaves) for job in alone) == 125
    assert all(len(job.leaves) > 1 for job in alone), "cells without a generator train together too"


def test_what_is_not_fused_is_planned_as_before(grid: Path) -> None:
    measures = cells(grid, *SMALL)
    assert plan(measures, set(), 3, together=1) == plan(measures, set(), 3, together=64)
    assert not any(job.others for wave in plan(measures, set(), 1) for job in wave)
