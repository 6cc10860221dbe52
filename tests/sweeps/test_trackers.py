"""Experiment trackers: what they are told, that it changes nothing, and how a missing one is refused."""

import json
import logging
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from tiny_run import Place, environment

from ganaug.errors import UserError
from sweeps import trackers
from sweeps.execute import Evaluator
from sweeps.grid import Grid
from sweeps.plan import Job, generator_of, plan
from sweeps.scalars import Ledger
from sweeps.store import Store

ONE_GENERATOR = ("n_real=[3]", "seed=[0]")
WITHOUT_REPORT = """
import sys
from pathlib import Path
from sweeps import study_file, trackers
from sweeps.run import run
from sweeps.store import Store

study, track, *assignments = sys.argv[1:]
resolved = study_file.load(study, ["resources.workers=1", *assignments])
out = Path("runs/tiny")
run(resolved, out, Store("runs/store"), Path("data"), None, lambda *_: lambda _: None, trackers.chosen(track.split()))
"""
Scalars = dict[int, dict[str, float]]


def computed(root: Path, study: Path, track: str, *assignments: str) -> Place:
    """A run as `ganaug run` makes it but for the report, which nothing here looks at."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_REPORT, study, track, *assignments],
        cwd=root, capture_output=True, text=True, timeout=200, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Place(root, done)


def tensorboard_scalars(folder: Path) -> Scalars:
    """By step, what the event files of a run of TensorBoard's hold; TFRecords: length, its CRC, event, its CRC."""
    from tensorboardX.proto.event_pb2 import Event

    found: Scalars = {}
    for file in folder.glob("events.out.tfevents.*"):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            for value in event.summary.value:
                found.setdefault(event.step, {})[value.tag.removeprefix("ray/tune/")] = value.simple_value
            at += 16 + length
    return found


def wandb_records(file: Path) -> Iterator[bytes]:
    """The records of an offline run: LevelDB's log after a header of 7 bytes, in blocks of 32 KiB."""
    data, at, parts = file.read_bytes(), 7, b""
    while at < len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def assert_same_cells(steps: list[dict[str, float]], records: pd.DataFrame) -> None:
    """Every record was told once, with its numbers; what is null in it was left out."""
    names = ["n_real", "n_gen", "threshold", "accuracy", "n_train"]
    told = [{k: s[k] for k in names if k in s} for s in steps if "n_real" in s]
    wanted = [{k: float(v) for k, v in row.items() if pd.notna(v)} for row in records[names].to_dict("records")]
    for one in (told, wanted):
        one.sort(key=lambda step: [step.get(k, -1.0) for k in names])
    assert len(told) == len(wanted)
    for mine, theirs in zip(told, wanted, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-6)  # TensorBoard keeps float32


def test_a_run_tells_tensorboard_of_every_cell(place: Place) -> None:
    pytest.importorskip("tensorboardX")
    runs = {p.name: tensorboard_scalars(p) for p in (place.folder / "tracking/tensorboard").iterdir()}
    assert_same_cells([step for steps in runs.values() for step in steps.values()], place.records())
    generators = pd.read_parquet(place.folder / "generators.parquet").set_index(["n_real", "seed"])
    losses = {c["key"]: c["losses"] for c in json.loads((place.folder / "curves.json").read_text())}
    for (n_real, seed), generator in generators.iterrows():
        own = [steps for name, steps in runs.items() if name.startswith(f"generator,n_real={n_real},seed={seed},job=")]
        (assessed,) = [step for steps in own for step in steps.values() if "fid" in step]
        assert [assessed[k] for k in ("fid", "kid", "recognised")] == pytest.approx(
            [generator[k] for k in ("fid", "kid", "recognised")], rel=1e-6
        )
        (trained,) = [step for steps in own for step in steps.values() if "generator_loss" in step]
        for side in ("generator", "discriminator"):
            assert trained[f"{side}_loss"] == pytest.approx(losses[generator["generator"]][side][-1], rel=1e-6)
    assert all(step["seconds"] > 0 for steps in runs.values() for step in steps.values())


def test_no_tracker_no_trace_and_the_same_records(place: Place, tiny: Path, tmp_path: Path) -> None:
    run = computed(tmp_path, tiny, "none", *ONE_GENERATOR, "n_gen=[0]")
    assert not (run.folder / "tracking").exists()
    assert not list(tmp_path.rglob("*tfevents*"))
    wanted = place.records().query("n_real == 3 and seed == 0 and n_gen == 0").reset_index(drop=True)
    assert len(wanted) == 1
    pd.testing.assert_frame_equal(run.records()[list(wanted)], wanted, check_exact=True)


@pytest.fixture(scope="module")
def tracked(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A generator and its cells, told to MLflow and W&B where they are installed."""
    there = [name for name in ("mlflow", "wandb") if find_spec(name)]
    if not there:
        pytest.skip("neither MLflow nor W&B is installed; pip install 'ganaug[mlflow,wandb]'")
    root = tmp_path_factory.mktemp("tracked")
    run = computed(root, tiny, " ".join(there), *ONE_GENERATOR)
    assert "is told no more" not in run.done.stderr
    assert {p.name for p in (run.folder / "tracking").iterdir()} == set(there)
    return run


def test_records_are_the_same_whoever_listens(place: Place, tracked: Place) -> None:
    wanted = place.records().query("n_real == 3 and seed == 0").reset_index(drop=True)
    pd.testing.assert_frame_equal(tracked.records()[list(wanted)], wanted, check_exact=True)


def test_mlflow_keeps_runs_in_files(tracked: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in trackers.environment(["mlflow"]).items():
        monkeypatch.setenv(name, value)
    pytest.importorskip("mlflow", reason="pip install 'ganaug[mlflow]'")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=(tracked.folder / "tracking/mlflow").as_uri())
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    steps: list[dict[str, float]] = []
    for run in runs:
        mine: Scalars = {}
        for name in run.data.metrics:
            for metric in client.get_metric_history(run.info.run_id, name):
                mine.setdefault(metric.step, {})[name] = metric.value
        steps += mine.values()
        assert {"study": "tiny", "n_real": "3", "seed": "0"}.items() <= run.data.params.items()
        if "threshold" in run.data.metrics:
            assert run.info.run_name.startswith("generator,job=")
    assert_same_cells(steps, tracked.records())


def test_wandb_stays_offline(tracked: Place) -> None:
    pytest.importorskip("wandb", reason="pip install 'ganaug[wandb]'")
    from wandb.proto.wandb_internal_pb2 import Record

    folders = [p for p in (tracked.folder / "tracking/wandb/wandb").glob("offline-run-*") if p.is_dir()]
    steps: list[dict[str, float]] = []
    for folder in folders:
        (file,) = folder.glob("*.wandb")
        records = [Record.FromString(data) for data in wandb_records(file)]
        (run,) = [r.run for r in records if r.WhichOneof("record_type") == "run"]
        assert run.project == "tiny"
        assert "job=" in run.display_name
        assert {u.key: json.loads(u.value_json) for u in run.config.update}["n_real"] == 3
        for record in records:
            if record.WhichOneof("record_type") == "history":
                items = {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in record.history.item}
                steps.append(items)
        log = (folder / "logs/debug-core.log").read_text()
        assert '"disable-analytics":true' in log
        assert '"Net":"unix"' in log
        assert not (folder / "files/wandb-metadata.json").exists(), "says nothing of the machine"
    assert_same_cells(steps, tracked.records())


WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from sweeps.cli import main; main()"


@pytest.mark.parametrize(("tracker", "module"), trackers.MODULES.items())
def test_a_missing_tracker_is_refused_before_anything_is_computed(
    tiny: Path, tmp_path: Path, tracker: str, module: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, module, "run", tiny, "--track", tracker],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment(),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: --track {tracker}: is not installed; pip install 'ganaug[{tracker}]'\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["tensorbord"], "--track tensorbord: unknown tracker; did you mean 'tensorboard'?"),
        (["aim"], "--track aim: unknown tracker; known: tensorboard, mlflow, wandb, none"),
        (["none", "mlflow"], "--track none: turns every tracker off, so it stands alone"),
    ],
)
def test_a_mistaken_choice_is_told(asked: list[str], told: str) -> None:
    with pytest.raises(UserError) as error:
        trackers.chosen(asked)
    assert str(error.value) == told


def test_the_default_is_tensorboard_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda module: object())
    assert trackers.chosen(None) == ("tensorboard",)
    assert trackers.chosen(["wandb", "mlflow", "wandb"]) == ("wandb", "mlflow")
    assert trackers.chosen(["none"]) == ()
    monkeypatch.setattr(trackers, "find_spec", lambda module: None)
    assert trackers.chosen(None) == ()


def jobs_of(grid: Grid) -> list[Job]:
    return [job for wave in plan(grid.measures.values(), set(), 1) for job in wave]


def test_text_is_told_by_its_place(make_grid: Callable[..., Grid], store: Store) -> None:
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[0]", "clf_da=[none, hflip]")
    ledger = Ledger(grid, store)
    assert ledger.legend() == {"clf_da_is": "0 none, 1 hflip"}
    told = []
    for job in jobs_of(grid):
        for at, leaf in enumerate(job.leaves):
            Evaluator(store).get(leaf)
            told.append(ledger.numbers(job, {"at": at, "ran": {"measure": 1}, "time_this_iter_s": 0.5}))
    assert [step["clf_da"] for step in told] == [0, 1]
    assert all(step.keys() == {"seconds", "n_real", "n_gen", "clf_da", "accuracy", "n_train"} for step in told)


def test_what_was_found_in_the_store_is_not_told_again(make_grid: Callable[..., Grid], store: Store) -> None:
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[0]")
    (job,) = jobs_of(grid)
    Evaluator(store).get(job.leaves[0])
    assert Ledger(grid, store).numbers(job, {"at": 0, "ran": {}, "time_this_iter_s": 0.0}) == {}


def test_a_diverged_cell_has_no_accuracy(make_grid: Callable[..., Grid], store: Store) -> None:
    """One image of every generated class, again and again: no spread, so the generator has collapsed."""
    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[6]", "threshold=[0]", "gan.learning_rate=1.0", "gan.steps=60")
    ((key, measure),) = grid.measures.items()
    record = Evaluator(store).get(measure)
    assert record.facts["status"] == "diverged", "else the study above has to be made worse"
    job = Job(generator_of(measure), (measure,))
    told = Ledger(grid, store).numbers(job, {"at": 0, "ran": {"fit_gan": 1, "measure": 1}, "time_this_iter_s": 1.0})
    assert told.keys() >= {"seconds", "n_real", "n_gen", "threshold"}
    assert not told.keys() & {"accuracy", "n_train"}
    assert key == measure.key


def test_a_tracker_that_fails_is_told_no_more(
    make_grid: Callable[..., Grid], store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sweeps.tell import Tell

    grid = make_grid("n_real=[3]", "seed=[0]", "n_gen=[0]")
    (job,) = jobs_of(grid)
    (tmp_path / "tracking").write_text("a file is in its way")
    tell = Tell(("tensorboard",), tmp_path / "tracking", Ledger(grid, store), [job])
    trial = SimpleNamespace(trial_id="a", config={"job": 0})
    with caplog.at_level(logging.WARNING, "ganaug.trackers"):
        tell.setup()
        tell.on_trial_start(0, [trial], trial)
        tell.on_trial_result(0, [trial], trial, {"at": 0, "ran": {"measure": 1}, "time_this_iter_s": 0.1})
        tell.on_trial_complete(0, [trial], trial)
        tell.on_experiment_end([trial])
    (warned,) = [r.getMessage() for r in caplog.records]
    assert warned.startswith("tensorboard is told no more: ")


def test_jobs_of_one_generator_have_names_of_their_own(make_grid: Callable[..., Grid], store: Store) -> None:
    """With few generators and many slots, a job trains one and further jobs take slices of its cells."""
    from sweeps.tell import Tell

    grid = make_grid("n_real=[3]")
    names = []
    for wave in plan(grid.measures.values(), set(), 8):
        tell = Tell((), Path("nowhere"), Ledger(grid, store), wave)
        trials = [SimpleNamespace(trial_id=str(i), config={"job": i}) for i in range(len(wave))]
        names += [tell._view(trial, "tensorboard").name for trial in trials]
    assert len(names) > 2 + 2, "more jobs than generators and their real-only cells"
    assert len(set(names)) == len(names)
    alone = "no-generator,arm=real-only,n_gen=0"
    assert {name.partition(",job=")[0] for name in names} == {
        f"{made_by},seed={seed}" for made_by in ("generator", alone) for seed in (0, 1)
    }
