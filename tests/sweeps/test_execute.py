"""The body of a trial, on real stages: what it runs, what it finds, and where it goes on."""

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from mortal import Killed, Mortal

from ganaug.artifact import Artifact
from ganaug.errors import LeakError
from ganaug.stages import FitGan, Measure, Stage
from sweeps.execute import Evaluator
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.store import Store


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a trial: the same sums in the same order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def equal(a: Artifact, b: Artifact) -> bool:
    """Bit for bit; facts as the JSON they are kept as."""
    return (
        json.loads(json.dumps(a.facts)) == json.loads(json.dumps(b.facts))
        and a.arrays.keys() == b.arrays.keys()
        and all(v.tobytes() == b.arrays[k].tobytes() and v.shape == b.arrays[k].shape for k, v in a.arrays.items())
    )


def generator_in(measures: list[Measure]) -> FitGan:
    return next(g for m in measures if (g := generator_of(m)))


def test_shared_stages_run_once_and_a_second_look_runs_nothing(store: Store, measures: list[Measure]) -> None:
    first = Evaluator(store)
    records = [first.get(m) for m in measures]
    assert len(measures) == 3
    assert first.ran["fit_gan"] == 1
    assert first.ran["measure"] == first.ran["fit_classifier"] == 3
    assert first.ran["select"] == 2, "a measured cell asks twice, for the images and for the counts; it is made once"
    assert 1 <= first.ran["pool"] <= 2
    second = Evaluator(store)
    assert all(equal(second.get(m), r) for m, r in zip(measures, records, strict=True))
    assert second.ran == {}
    assert store.keys("fit_gan") == {generator_in(measures).key}
    assert store.keys("measure") == {m.key for m in measures}


def test_a_cell_does_not_depend_on_its_company(
    store: Store, measures: list[Measure], make_grid: Callable[..., Grid], tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = Evaluator(store)
    wanted = {m.key: together.get(m) for m in measures}
    for m in reversed(measures):
        alone = Store(tmp_path_factory.mktemp("store"))
        for kind in ("train", "test"):
            copy_images(store, alone, m, kind)
        assert equal(Evaluator(alone).get(m), wanted[m.key])


def copy_images(source: Store, target: Store, measure: Measure, kind: str) -> None:
    stage: Stage = measure.test if kind == "test" else measure.classifiers[0].split.train
    found = source.load(stage)
    assert found is not None
    target.publish(stage, *found)


def test_a_gan_goes_on_where_it_was_interrupted(
    store: Store, make_grid: Callable[..., Grid], tmp_path_factory: pytest.TempPathFactory
) -> None:
    measures = list(make_grid("n_real=[3]", "seed=[0]", "gan.steps=220").measures.values())
    stage = generator_in(measures)
    whole = Evaluator(store).get(stage)

    mortal = Mortal(tmp_path_factory.mktemp("store"))
    copy_images(store, mortal, measures[0], "train")
    with pytest.raises(Killed):
        Evaluator(mortal, seconds=0).get(stage)
    assert not mortal.has(stage)
    kept = mortal.load_progress(stage.key)
    assert kept is not None
    assert int(kept["step"]) == 150

    steps: list[int] = []

    class Watched(Store):
        def save_progress(self, key: str, state: dict[str, np.ndarray]) -> None:
            steps.append(int(state["step"]))

    resumed = Evaluator(Watched(mortal.place.root), seconds=0).get(stage)
    assert steps == [200], "it did not start afresh"
    assert equal(resumed, whole)
    assert mortal.load_progress(stage.key) is None, "dropped once the artifact is there"


def test_damaged_progress_costs_time_only(
    store: Store, measures: list[Measure], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage = generator_in(measures)
    whole = Evaluator(store).get(stage)
    other = Store(tmp_path_factory.mktemp("store"))
    copy_images(store, other, measures[0], "train")
    other.save_progress(stage.key, {"step": np.array(2)})
    path = other.place.root / "checkpoints" / stage.key
    path.write_bytes(path.read_bytes()[:-1])
    assert equal(Evaluator(other).get(stage), whole)


def test_only_the_measurement_sees_test_images(store: Store, measures: list[Measure]) -> None:
    with pytest.raises(LeakError, match=r"^only the final measurement may see test images, not a job$"):
        Evaluator(store).get(measures[0].test)


def test_a_store_without_the_data_set_says_so(
    measures: list[Measure], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(FileNotFoundError, match="the store holds no images of data set"):
        Evaluator(Store(tmp_path_factory.mktemp("empty"))).get(measures[0])


def test_costs_follow_the_record(store: Store, measures: list[Measure]) -> None:
    evaluator = Evaluator(store)
    for m in measures:
        evaluator.get(m)
    with_gan = next(m for m in measures if generator_of(m))
    found = store.load(with_gan)
    assert found is not None
    kinds = {kind for kind, _ in found[1].values()}
    assert {"split", "fit_gan", "pool", "select", "fit_classifier", "measure"} <= kinds
    assert all(seconds >= 0 for _, seconds in found[1].values())
