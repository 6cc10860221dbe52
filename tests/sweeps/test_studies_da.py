"""The packaged studies of classic augmentation, end to end at a tiny size: from files to the report."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import analysis
from analysis.figures.classic import classic_classes
from ganaug.datasets import cifar10
from ganaug.errors import UserError
from ganaug.stages import FitClassifier
from sweeps import study_file as studies
from sweeps.collect import rows_of, write_folder
from sweeps.execute import Evaluator
from sweeps.grid import Grid, open_grid
from sweeps.run_folder import RunFolder
from sweeps.store import Store

DA = "rotation+width_shift+height_shift+zoom+hflip+channel_shift"
PER_FILE = 20
SMALL = ["n_real=[6]", "classifier.steps=6", "classifier.curve=3", "classifier.width=4",
         "dataset.validation_per_class=3"]  # fmt: skip

TINY = ["n_real=[3, 4]", "primary.n_real=4", "seed=[0, 1]", "classifier.steps=4", "classifier.width=4",
        "dataset.test_per_class=20"]  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a trial."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-10's binary files, with few and random images."""
    monkeypatch.setattr(cifar10, "PER_FILE", PER_FILE)
    folder = tmp_path / "data" / cifar10.BINARY.folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in cifar10.BINARY.files:
        records = rng.integers(0, 256, (PER_FILE, cifar10.RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(PER_FILE) % 10
        (folder / name).write_bytes(records.tobytes())
    (folder / cifar10.BINARY.names).write_text("\n".join(cifar10.CLASSES))
    return tmp_path / "data"


@pytest.fixture
def whole(data: Path, store: Store, tmp_path: Path) -> Callable[..., tuple[Grid, analysis.Run]]:
    """Runs a packaged study in this process, and opens what it leaves behind."""

    def run(name: str, *assignments: str) -> tuple[Grid, analysis.Run]:
        study = studies.load(name, assignments)
        grid = open_grid(study, data, store)
        work = Evaluator(store)
        for measure in grid.measures.values():
            work.get(measure)
        folder = RunFolder(tmp_path / "runs" / study.folder)
        write_folder(grid, store, folder, rows_of(grid, store, {}), {"seconds": 0, "workers": 1}, {})
        return grid, analysis.load(folder.root)

    return run


def fits(grid: Grid, da: tuple[str, ...]) -> list[FitClassifier]:
    return [c for m in grid.measures.values() for c in m.classifiers if c.da == da]


def test_cifar10_da_corrected_compares_separate_models_at_equal_updates(whole) -> None:
    grid, run = whole("cifar10-da", *SMALL, "seed=[0, 1]")
    augmented, plain = fits(grid, tuple(DA.split("+"))), fits(grid, ())
    assert len(augmented) == len(plain) == 2
    assert all(f.start is None for f in (*augmented, *plain))
    assert len({f.classifier for f in (*augmented, *plain)}) == 1
    assert run.cells["train_accuracy"].between(0, 1).all()
    assert run.summary["primary"]["against"] == "no-da"
    (row,) = analysis.classic_contrasts(run).to_dict("records")
    assert (row["role"], row["clf_da"], row["n_seeds"]) == ("primary", DA, 2)
    assert {tuple(c["curves"][0]["update"]) for c in run.classifier_curves()} == {(2, 4, 6)}
    analysis.write_report(run)
    assert {"classic_changes", "training_gap", "training_curves"} <= {
        p.stem for p in (run.folder / "report/figures").glob("*.png")
    }


def test_cifar10_da_published_goes_on_from_the_first_models_weights(whole) -> None:
    grid, run = whole("cifar10-da", *SMALL, "variant=published")
    (augmented,), (plain,) = fits(grid, tuple(DA.split("+"))), fits(grid, ())
    assert augmented.start is not None
    assert augmented.start.key == plain.key
    assert plain.start is None
    assert run.folder.name == "cifar10-da-published"
    corrected, _ = whole("cifar10-da", *SMALL, "seed=[0]")
    assert fits(corrected, ())[0].key == plain.key  # what the variants share is one cell
    assert fits(corrected, tuple(DA.split("+")))[0].key != augmented.key
    assert analysis.headline(run).verdict == "Cannot tell yet"  # one seed has no interval


def test_cifar10_da_has_the_published_numbers_in_it() -> None:
    study = studies.load("cifar10-da")
    assert study.classifier.steps * 32 == 20 * 49_000
    strength = study.augmentation
    assert (strength.rotation, strength.width_shift, strength.height_shift, strength.zoom) == (10, 0.2, 0.2, 0.2)
    stand_in = studies.load("cifar10-da", ["variant=published"], stand_in=True)
    assert stand_in.dataset.name == "fashion-mnist"
    assert stand_in.stands_in_for == "cifar10"
    assert stand_in.classifier.steps * 32 >= 20 * 500
    assert stand_in.classifier.warm_start


def test_cifar10_da_without_its_files_says_where_to_put_them(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cifar-10-binary\.tar\.gz.*--stand-in"):
        open_grid(studies.load("cifar10-da"), tmp_path, store)


def test_da_impossible_compares_every_transform_with_none(whole) -> None:
    grid, run = whole("da-impossible", *TINY)
    assert len(grid.measures) == 2 * 2 * 5
    table = analysis.classic_contrasts(run)
    assert set(table["clf_da"]) == {"shift", "hflip", "vflip", "rotation"}
    assert (table["n_seeds"] == 2).all()
    assert table["role"].tolist() == ["primary", *["secondary"] * 7]
    assert classic_classes(run) is not None
    assert json.loads((run.folder / "summary.json").read_text())["primary"]["clf_da"] == "vflip"


def test_a_warm_start_as_a_factor_leaves_the_cells_without_augmentation_alone() -> None:
    study = studies.load("cifar10-da", ["factors.classifier.warm_start=[false, true]", "seed=[0]", "primary=null"])
    told = [(f["clf_da"], f["classifier.warm_start"]) for f, _ in study.cells("d")]
    assert told == [("none", None), (DA, False), (DA, True)]
