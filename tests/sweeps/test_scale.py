"""What must not grow faster than a study: keys, memory, jobs and reads. Seconds are in docs/scale.md."""

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ganaug.artifact import Artifact
from ganaug.recipe import real_split, shared
from ganaug.stages import Measure, Stage
from sweeps import study_file as studies
from sweeps.collect import rows_of
from sweeps.grid import Grid, open_grid
from sweeps.plan import plan
from sweeps.run_folder import RunFolder
from sweeps.store import Store

STUDY = """
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors:
  n_real: [3, 5, 10, 20, 50]
  n_gen: [0, 10, 30, 50, 100]
  threshold: [0, 0.3, 0.5, 0.7, 0.9]
  clf_da: [none, hflip, rotation, shift, zoom]
gan: {name: projection}
assess: null
"""
PER_SEED = 5 * 5 * (1 + 4 * 5)


@pytest.fixture
def laid_out(tmp_path: Path, store: Store) -> Any:
    """A function from a number of seeds to the grid of the study above, from a fresh start."""
    (tmp_path / "scale.yaml").write_text(STUDY)

    def lay(seeds: int) -> Grid:
        shared.cache_clear()
        real_split.cache_clear()
        return open_grid(studies.load(str(tmp_path / "scale.yaml"), [f"seed={list(range(seeds))}"]), tmp_path, store)

    return lay


def test_a_stage_is_hashed_once_however_many_cells_share_it(laid_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: Counter[str] = Counter()
    canonical = Stage.canonical

    def counted(stage: Stage) -> str:
        hashed[stage.kind()] += 1
        return canonical(stage)

    monkeypatch.setattr(Stage, "canonical", counted)
    for seeds in (2, 4):
        hashed.clear()
        plan(laid_out(seeds).leaves(), set(), 16)
        cells, splits = seeds * PER_SEED, seeds * 5
        assert hashed["measure"] == hashed["fit_classifier"] == cells
        assert hashed["select"] == splits * 4 * 5  # counts by thresholds
        assert hashed["fit_gan"] == hashed["split"] == splits
        assert hashed["train_images"] + hashed["test_images"] <= cells + splits + 9


def test_a_cell_takes_a_few_kilobytes_of_the_driver(laid_out: Any) -> None:
    laid_out(1)  # what is imported and remembered once
    tracemalloc.start()
    grid = laid_out(4)
    waves = plan(grid.leaves(), set(), 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    cells = sum(len(job.leaves) for wave in waves for job in wave)
    assert cells == 4 * PER_SEED
    assert peak / cells < 6000


def test_jobs_grow_with_generators_and_slots_not_with_cells(laid_out: Any) -> None:
    leaves = laid_out(4).leaves()
    for slots in (1, 4, 16):
        jobs = [job for wave in plan(leaves, set(), slots) for job in wave]
        assert 20 <= len(jobs) <= 2 * 20 + 2 * slots + 1


class Reads:
    """A store's place that counts what is read from it."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = store.place.read

        def counted(name: str) -> bytes:
            self.count += 1
            return read(name)

        monkeypatch.setattr(store.place, "read", counted)


def test_a_record_is_read_once_and_its_costs_are_kept_by_kind(
    laid_out: Any, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = laid_out(1)
    labels = grid.test.arrays["labels"]
    facts = {"status": "ok", "reason": "", "train_accuracy": [1.0], "n_test": len(labels), "n_train": 30}
    arrays = {"predictions": labels[None].astype("uint8"), "validation": labels[None], "validation_labels": labels}
    some = list(grid.measures.values())[:40]
    grid.measures = {m.key: m for m in some}
    for measure in some:
        cost = {f"{i}": ("pool" if i else "fit_gan", 0.25) for i in range(9)}
        store.publish(measure, Artifact(arrays, facts), cost)
    reads = Reads(store, monkeypatch)
    rows = rows_of(grid, store, {})
    assert reads.count == 2 * len(some)  # a manifest and a blob each
    assert all(row.cost == {"fit_gan": ("fit_gan", 0.25), "pool": ("pool", 2.0)} for row in rows)

    folder = RunFolder(tmp_path / "run")
    folder.write_tables(rows, labels, grid.test.facts["classes"], list(rows[0].factors), {"dataset": "digits"})
    import pandas as pd

    table = pd.read_parquet(folder.records)
    assert len(table) == len(some)
    assert set(table["seconds_pool"]) == {2.0}
    assert set(table["accuracy"]) == {1.0}
    assert isinstance(some[0], Measure)
