"""Members of batched models: who trains with whom, and that what goes wrong with one stays with it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mortal import Killed, Mortal

from ganaug.artifact import Artifact, NoResult
from ganaug.classifiers import training
from ganaug.errors import DiskError, LeakError
from ganaug.gans import fit
from ganaug.recipe import validation
from ganaug.stages import FitClassifier, Measure
from sweeps.cluster.placement import Placement
from sweeps.collect import rows_of, write_folder
from sweeps.execute import Evaluator
from sweeps.grid import Grid
from sweeps.plan import Job, generator_of, plan
from sweeps.run_folder import RunFolder
from sweeps.search.workers import Worker
from sweeps.sizes import Sizes
from sweeps.store import Store


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a trial."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """The sizes of the groups that are trained, by what they are of; noted before each begins."""
    sizes: dict[str, list[int]] = {"classifiers": [], "gans": []}
    of_classifiers, of_gans = training.train_members, fit.train_members

    def classifiers(prepared: Sequence[Any], device: str) -> list[Any]:
        sizes["classifiers"].append(len(prepared))
        return of_classifiers(prepared, device)

    def gans(prepared: Sequence[Any], device: str, keep: Any = None) -> list[Any]:
        sizes["gans"].append(len(prepared))
        return of_gans(prepared, device, keep)

    monkeypatch.setattr(training, "train_members", classifiers)
    monkeypatch.setattr(fit, "train_members", gans)
    return sizes


def breaks(
    monkeypatch: pytest.MonkeyPatch, module: Any, goes_wrong: Callable[[Sequence[Any]], Exception | None]
) -> None:
    """Training of these members raises what `goes_wrong` gives for them."""
    train = module.train_members

    def checked(prepared: Sequence[Any], *more: Any) -> list[Any]:
        if (error := goes_wrong(prepared)) is not None:
            raise error
        return list(train(prepared, *more))

    monkeypatch.setattr(module, "train_members", checked)


def run(store: Store, leaves: Sequence[Any], at_most: int = 64, **more: Any) -> tuple[Evaluator, dict[str, Artifact]]:
    """One trial's worth: every job that one slot plans, cell by cell; what was answered, by key."""
    evaluator = Evaluator(store, sizes=Sizes("cpu", at_most), **more)
    answers = {}
    for wave in plan(leaves, set(), 1, together=at_most):
        for job in wave:
            evaluator.take_up(job)
            for stage in job.stages:
                try:
                    answers[stage.key] = evaluator.get(stage)
                except (LeakError, DiskError):
                    raise
                except Exception as error:
                    answers[stage.key] = Artifact({}, {"failed": error})
    return evaluator, answers


def test_cells_that_follow_each_other_train_together(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    measures = list(make_grid("fuse=on").measures.values())
    assert len(measures) == 12
    evaluator, answers = run(store, measures)
    assert groups == {"gans": [4], "classifiers": [8, 4]}, "four generators with their cells, and the cells without"
    assert {a.facts["status"] for a in answers.values()} <= {"ok", "starved"}
    assert evaluator.ran["fit_gan"] == 4
    assert evaluator.ran["fit_classifier"] == evaluator.ran["measure"] == 12
    assert evaluator.ran["select"] == 8, "what a measurement asks of a selection is kept with the classifier"
    assert store.keys("measure") == {m.key for m in measures}
    assert not evaluator._together._ready
    assert not evaluator._together._told


def test_members_are_what_they_would_be_alone(
    make_grid: Callable[..., Grid], store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    measures = list(make_grid("fuse=on", "seed=[0]").measures.values())
    _, company = run(store, measures)
    for m in measures:
        found = Evaluator(copied(store, tmp_path_factory, m)).get(m)
        said, alone = company[m.key].arrays["predictions"], found.arrays["predictions"]
        assert (said == alone).mean() > 0.99, "sums in another order move an image that lies on the border"
        assert company[m.key].facts["n_train"] == found.facts["n_train"]


def copied(store: Store, factory: pytest.TempPathFactory, measure: Measure) -> Store:
    """A store with the data set alone."""
    other = Store(factory.mktemp("store"))
    for stage in (measure.test, measure.classifiers[0].split.train):
        found = store.load(stage)
        assert found is not None
        other.publish(stage, *found)
    return other


def test_a_group_is_of_one_spec_and_at_most_so_large(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    run(store, list(make_grid("fuse=on", "factors.classifier.width=[4, 8]", "seed=[0]").measures.values()), at_most=3)
    assert groups == {"gans": [2], "classifiers": [3, 3, 1, 1, 2, 2]}


def test_classifiers_of_one_cell_and_those_they_go_on_from(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    warm = ("classifier.warm_start=true", "clf_da=[none, shift]", "n_gen=[0]", "seed=[0]")
    run(store, list(make_grid("fuse=on", "classifier_seeds=2", *warm).measures.values()))
    assert groups["classifiers"] == [4, 4], "first without augmentation, each once; then what goes on from them"


def test_unequal_updates_do_not_train_together(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    run(store, list(make_grid("fuse=on", "classifier.epochs=9", "n_gen=[0]", "seed=[0]").measures.values()))
    assert groups["classifiers"] == [1, 1], "3 images per class are fewer updates than 5"


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), MemoryError("no"), RuntimeError("can't allocate memory: 8 bytes")],
)
def test_what_does_not_fit_is_halved_and_noted(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch,
    error: Exception, tmp_path: Path,
) -> None:  # fmt: skip
    breaks(monkeypatch, training, lambda members: error if len(members) > 1 else None)
    breaks(monkeypatch, fit, lambda members: error if len(members) > 2 else None)
    grid = make_grid("fuse=on")
    measures = list(grid.measures.values())
    _, answers = run(store, measures, at_most=4)
    assert groups["gans"] == [2, 2], "4 did not fit"
    assert groups["classifiers"] == [1] * 12, "nor did 4 and 2; nobody tries them again"
    assert all("failed" not in a.facts for a in answers.values())
    notes = {tuple(a.facts["notes"]) for a in answers.values()}
    alone = "classifiers trained one at a time after 4 did not fit"
    pairs = "GANs trained together in 2s after 4 did not fit"
    assert notes == {(alone,), (pairs, alone)}
    summary = write_folder(grid, store, RunFolder(tmp_path / "run"), rows_of(grid, store, {}), {}, {})
    assert summary["notes"] == {alone: 12, pairs: 8}


def test_no_memory_for_one_alone_is_that_cells_failure(
    make_grid: Callable[..., Grid], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(
        monkeypatch,
        training,
        lambda members: MemoryError("2 GiB") if any(len(m.images) > 40 for m in members) else None,
    )
    measures = list(make_grid("fuse=on", "n_gen=[0]").measures.values())
    _, answers = run(store, measures)
    failed = {a.facts["failed"].args for a in answers.values() if "failed" in a.facts}
    assert failed == {("2 GiB",)}
    assert [("failed" in answers[m.key].facts) for m in measures] == [
        m.classifiers[0].split.n_real == 5 for m in measures
    ]


def test_an_error_takes_one_member_and_says_where_it_arose(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = list(make_grid("fuse=on").measures.values())
    bad = measures[5]

    def goes_wrong(members: Sequence[Any]) -> Exception | None:
        return ValueError("odd") if any(m.stage in bad.classifiers for m in members) else None

    breaks(monkeypatch, training, goes_wrong)
    _, answers = run(store, measures)
    assert [m for m in measures if "failed" in answers[m.key].facts] == [bad]
    assert "in goes_wrong" not in (notes := "\n".join(answers[bad.key].facts["failed"].__notes__))
    assert "in checked" in notes
    assert not any("notes" in a.facts for a in answers.values()), "memory was not short"


def test_a_generator_that_fails_is_not_trained_again_for_each_cell(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, fit, lambda members: ValueError("odd") if any(m.seed == 1 for m in members) else None)
    measures = list(make_grid("fuse=on", "n_real=[3]").measures.values())
    _, answers = run(store, measures)
    failed = [m for m in measures if "failed" in answers[m.key].facts]
    assert [m.classifiers[0].split.seed for m in failed] == [1, 1]
    assert groups["gans"] == [1], "the good one, by itself"


def test_a_member_without_a_result_is_left_out(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = training.prepare

    def prepared(stage: Any, work: Any) -> Any:
        if stage.split.seed == 1:
            raise NoResult("starved", "nothing is left to train on")
        return prepare(stage, work)

    monkeypatch.setattr(training, "prepare", prepared)
    measures = list(make_grid("fuse=on", "n_gen=[0]").measures.values())
    _, answers = run(store, measures)
    assert groups["classifiers"] == [2]
    statuses = [answers[m.key].facts["status"] for m in measures]
    assert statuses == ["starved" if m.classifiers[0].split.seed == 1 else "ok" for m in measures]


@pytest.mark.parametrize("error", [LeakError("test images"), DiskError("full")])
def test_a_leak_or_a_full_disk_ends_the_group(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:  # fmt: skip
    breaks(monkeypatch, training, lambda members: error)
    measures = list(make_grid("fuse=on", "n_gen=[0]").measures.values())
    with pytest.raises(type(error)):
        run(store, measures)
    assert groups["classifiers"] == [], "nothing is tried in parts"


def test_a_group_goes_on_where_it_was_killed(
    make_grid: Callable[..., Grid], store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    measures = list(make_grid("fuse=on", "n_real=[3]", "n_gen=[6]", "threshold=[0]", "gan.steps=110").measures.values())
    _, whole = run(store, measures)
    mortal = Mortal(copied(store, tmp_path_factory, measures[0]).place.root)
    with pytest.raises(Killed):
        run(mortal, measures, seconds=0)
    generators = {g.key for m in measures if (g := generator_of(m))}
    steps = [int(state["step"]) for key in generators if (state := mortal.load_progress(key)) is not None]
    assert sorted(steps) == [50, 100], "killed between the two"
    assert not mortal.keys("fit_gan")

    seen: list[int] = []

    class Watched(Store):
        def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
            seen.append(int(state["step"]))

    _, resumed = run(Watched(mortal.place.root), measures, seconds=0)
    assert min(seen, default=100) == 100, "neither began afresh"
    for key, artifact in whole.items():
        assert (artifact.arrays["predictions"] == resumed[key].arrays["predictions"]).mean() > 0.99
    assert not list((mortal.place.root / "checkpoints").glob("*"))


def test_costs_are_shares(make_grid: Callable[..., Grid], store: Store) -> None:
    measures = list(make_grid("fuse=on", "n_real=[3]").measures.values())
    run(store, measures)
    gans, classifiers = [], []
    for m in measures:
        found = store.load(m)
        assert found is not None
        gans += [s for kind, s in found[1].values() if kind == "fit_gan"]
        classifiers += [s for kind, s in found[1].values() if kind == "fit_classifier"]
    assert len(gans) == 4
    assert len(classifiers) == 6
    assert all(0 < s < 60 for s in gans + classifiers)


def measures_shape(store: Store, measure: Measure) -> tuple[int, int, int]:
    found = store.load(measure.test)
    assert found is not None
    return tuple(found[0].facts["shape"])


def test_a_guess_at_memory_bounds_a_group(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganaug import memory

    measures = list(make_grid("fuse=on", "n_gen=[0]").measures.values())
    shape = measures_shape(store, measures[0])
    (classifier,) = measures[0].classifiers
    assert isinstance(classifier, FitClassifier)
    one = memory.of_classifier(classifier.classifier, shape, 10) + 30 * 64
    monkeypatch.setattr(memory, "CPU_BYTES", 2 * one + one // 2)
    run(store, measures)
    assert groups["classifiers"] == [2, 2]


def test_a_job_asks_for_nothing_that_is_stored(make_grid: Callable[..., Grid], store: Store) -> None:
    measures = list(make_grid("fuse=on", "n_real=[3]").measures.values())
    _, _ = run(store, measures[2:])
    evaluator, _ = run(store, measures)
    assert evaluator.ran["fit_classifier"] == 2, "of the two that were missing"


def test_what_is_asked_for_beside_a_job_has_no_company(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    measures = list(make_grid("fuse=on", "n_gen=[0]").measures.values())
    evaluator = Evaluator(store)
    evaluator.take_up(Job(None, tuple(measures[1:])))
    evaluator.get(measures[0])
    assert groups["classifiers"] == [1]


def test_a_step_of_a_search_trains_its_seeds_together(
    make_grid: Callable[..., Grid], store: Store, groups: dict[str, list[int]]
) -> None:
    grid = make_grid("fuse=on", "n_real=[3]", "n_gen=[6]", "threshold=[0]")
    leaves = [validation(cell) for cell in grid.cells.values()]
    worker = Worker(store.uri, Placement(slots=1, cpus=1, gpus=0, device="cpu", limit=1, retries=0, together=8))
    for wave in plan(leaves, set(), 1):
        for job in wave:
            ran, failures = worker.run(job)
            assert failures == {}
            assert ran["validate"] == ran["fit_gan"] == ran["select"] == 2
    assert groups == {"gans": [2], "classifiers": [2]}
