"""What a study of 10^3, 10^4 and 10^5 cells costs beside its training: planning, launching, collecting, reporting.

    python benchmarks/scale.py [--cells 1000 10000 100000] [--folder DIR] [--only plan wave collect report]

The grids are real ones over digits, with a generator for every hundred cells. One cell of a kind is really run; its
record, its generator and its assessment are then published under the keys of all the others, with other predictions in
each, as if all had been run. (Nothing is synced meanwhile: this is about reading.) Every phase has a process of its
own, which tells its seconds and its peak of memory; `wave` sends every cell through Ray Tune on 2 workers, whose trials
find it stored, so that only bookkeeping is left.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PER_SEED = 5 * 5 * (1 + 4 * 5)  # real-only cells, then 4 counts under 5 thresholds; by n_real and clf_da
STUDY = """\
dataset: {{name: digits, test_per_class: 70, validation_per_class: 10}}
factors:
  n_real: [3, 5, 10, 20, 50]
  n_gen: [0, 10, 30, 50, 100]
  threshold: [0, 0.3, 0.5, 0.7, 0.9]
  clf_da: [none, hflip, rotation, shift, zoom]
  seed: {seeds}
gan: {{name: projection, steps: 20, width: 8, discriminator_width: 8}}
pool: {{chunk: 100, max_per_class: 200}}
classifier: {{steps: 20, width: 8}}
"""
WORKERS = 2


def opened(folder: Path) -> tuple[Any, Any]:
    """The grid of the study in a folder, and its store."""
    from sweeps import study_file
    from sweeps.grid import open_grid
    from sweeps.store import Store

    store = Store(folder / "store")
    return open_grid(study_file.load(str(folder / "scale.yaml"), []), folder / "data", store), store


def make(folder: Path) -> None:
    """Publish a record for every cell, and an assessment and a GAN for every generator."""
    from ganaug.artifact import Artifact
    from sweeps.execute import Evaluator
    from sweeps.plan import generator_of
    from sweeps.store import Store

    grid, store = opened(folder)
    made = Evaluator(Store(folder / "one"), seconds=60)
    for name in ("manifests", "blobs"):  # the images, which the import has put
        subprocess.run(["cp", "-r", str(folder / "store" / name), str(folder / "one")], check=True)
    os.fsync = lambda descriptor: None
    rng = np.random.default_rng(0)
    examples: dict[bool, Any] = {}
    for measure in grid.measures.values():
        generator = generator_of(measure)
        if (generator is not None) not in examples:
            made.get(measure)
            examples[generator is not None] = made.store.load(measure)
        like, cost = examples[generator is not None]
        predictions = like.arrays["predictions"].copy()
        wrong = rng.integers(0, predictions.shape[1], 20)
        predictions[0, wrong] = rng.integers(0, 10, 20)
        store.publish(measure, Artifact(like.arrays | {"predictions": predictions}, like.facts), cost)
    like_gan = like_said = None
    for said in grid.assessments.values():
        if like_said is None:
            made.get(said)
            like_said, like_gan = made.store.load(said), made.store.load(said.generator)
        assert like_said is not None
        assert like_gan is not None
        store.publish(said, *like_said)
        store.publish(said.generator, *like_gan)


def plan(folder: Path) -> None:
    """From the study's file to the waves of an empty store; the image import is not counted."""
    from sweeps.plan import plan as make_plan

    grid, _ = opened(folder)
    waves = make_plan(grid.leaves(), set(), 16)
    assert sum(len(job.leaves) for wave in waves for job in wave) == len(grid.leaves())


def lookup(folder: Path) -> None:
    """The same, and what of it is stored: everything."""
    from sweeps.plan import plan as make_plan

    grid, store = opened(folder)
    assert make_plan(grid.leaves(), grid.stored(store), 16) == []


def wave(folder: Path) -> None:
    """Every cell as a step of a Ray trial that finds it stored."""
    from sweeps import engine
    from sweeps.cluster.placement import Placement
    from sweeps.plan import plan as make_plan

    grid, store = opened(folder)
    outcome = engine.Outcome()
    done = 0

    def progress(cells: int) -> None:
        nonlocal done
        done += cells

    with engine.cluster(None, WORKERS, {}) as there:
        placement = Placement.of(grid.study.resources, there)
        told: dict[str, float] = {"idle": peak()}
        began = time.perf_counter()
        waves = make_plan(grid.leaves(), set(), placement.slots)
        for jobs in waves:
            engine.run_wave(jobs, store.uri, placement, progress, outcome)
        told |= {"jobs": sum(map(len, waves)), "launch": time.perf_counter() - began}
    assert done == len(grid.measures)
    print(json.dumps(told))


def collect(folder: Path) -> None:
    """A run that finds every cell finished: each record is read, verified and put into the run folder's tables."""
    from sweeps import study_file
    from sweeps.run import run
    from sweeps.store import Store

    study = study_file.load(str(folder / "scale.yaml"), [])
    store = Store(folder / "store")
    summary, _ = run(study, folder / "run", store, folder / "data", None, lambda total, missing: lambda cells: None)
    assert summary["cells"]["missing"] == 0


def load(folder: Path) -> None:
    """`analysis.load` of the run folder."""
    import analysis

    began = time.perf_counter()
    analysis.load(folder / "run")
    print(json.dumps({"load": time.perf_counter() - began}))


def report(folder: Path) -> None:
    """The report of it, as `ganaug report` writes it."""
    import analysis

    analysis.write_report(folder / "run")


PHASES: dict[str, Callable[[Path], None]] = {
    "make": make, "plan": plan, "lookup": lookup, "wave": wave, "collect": collect, "load": load, "report": report,
}  # fmt: skip


def peak() -> float:
    """This process's peak of resident memory so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def phase(name: str, folder: Path) -> dict[str, Any]:
    """Run one phase in a process of its own: its seconds, its peak MiB, and what it tells beside them."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--phase", name, "--folder", str(folder)],
        env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    told: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            told |= json.loads(line)
    return {"seconds": seconds} | told


def main(cells: list[int], root: Path, only: list[str]) -> None:
    print(f"{'cells':>7} {'phase':<8} {'seconds':>8} {'ms a cell':>9} {'peak MiB':>9}", flush=True)
    for count in cells:
        seeds = max(1, round(count / PER_SEED))
        folder = root / str(count)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scale.yaml").write_text(STUDY.format(seeds=list(range(seeds))))
        if not (folder / "made").exists():
            phase("make", folder)
            (folder / "made").touch()
        for name in only:
            told = phase(name, folder)
            n = seeds * PER_SEED
            more = ", ".join(f"{k} {v:.6g}" for k, v in told.items() if k not in ("seconds", "peak"))
            each = 1e3 * told["seconds"] / n
            print(f"{n:>7} {name:<8} {told['seconds']:>8.1f} {each:>9.2f} {told['peak']:>9.0f}  {more}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="where the grids lie; kept, and made only once")
    parser.add_argument("--only", nargs="+", choices=PHASES, default=[p for p in PHASES if p != "make"])
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        PHASES[given.phase](given.folder)
        print(json.dumps({"peak": peak()}))
    elif given.folder:
        main(given.cells, given.folder, given.only)
    else:
        with tempfile.TemporaryDirectory(prefix="scale-") as made:
            main(given.cells, Path(made), given.only)
