"""What Ray Tune takes for 64 trials that do nothing: sent by ganaug's engine, and by a plain Tuner.

    python benchmarks/empty_trials.py [--trials 64] [--pairs 3]

Both run on a Ray of 2 CPUs of their own, in a fresh process each, in alternation; told are the seconds of their `fit`,
Ray's start left out. ganaug's trials are jobs of one cell each whose record is stored; torch is imported, the store
opened, the record found. A plain trial imports torch, as whatever trains would, and reports a number: a class with
Tune's defaults, so that every trial has a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CPUS = 2
STUDY = """\
dataset: {{name: digits, test_per_class: 70, validation_per_class: 10}}
factors: {{n_real: [3], n_gen: [0], seed: {seeds}}}
gan: {{name: projection}}
assess: null
"""


def ours(trials: int) -> float:
    """Seconds of `run_wave` with so many jobs of a cell that is stored."""
    from ganaug.artifact import Artifact
    from sweeps import engine, study_file
    from sweeps.cluster.placement import Placement
    from sweeps.grid import open_grid
    from sweeps.plan import Job
    from sweeps.store import Store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.yaml"
        path.write_text(STUDY.format(seeds=list(range(trials))))
        store = Store(Path(folder) / "store")
        grid = open_grid(study_file.load(str(path), []), Path(folder), store)
        for measure in grid.measures.values():
            store.publish(measure, Artifact({}, {"status": "ok", "reason": ""}), {})
        jobs = [Job(None, (measure,)) for measure in grid.measures.values()]
        outcome = engine.Outcome()
        with engine.cluster(None, CPUS, {}) as there:
            placement = Placement.of(grid.study.resources, there)
            began = time.perf_counter()
            engine.run_wave(jobs, store.uri, placement, lambda cells: None, outcome)
            seconds = time.perf_counter() - began
    assert sum(outcome.nodes.values()) == trials
    assert not outcome.failures
    return seconds


def plain(trials: int) -> float:
    """Seconds of a Tuner with a class that does nothing and everything else as it comes."""
    import ray
    from ray import tune

    class Empty(tune.Trainable):
        def setup(self, config: dict[str, object]) -> None:
            import torch

            torch.set_num_threads(1)

        def step(self) -> dict[str, object]:
            return {"value": 0.0, "done": True}

    ray.init(num_cpus=CPUS, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        results = tune.Tuner(
            tune.with_resources(Empty, {"cpu": 1}),
            param_space={"trial": tune.grid_search(list(range(trials)))},
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        ).fit()
        seconds = time.perf_counter() - began
    assert len(results) == trials
    ray.shutdown()
    return seconds


SIDES = {"ours": ours, "plain": plain}


def timed(side: str, trials: int) -> float:
    """The seconds of one side, in a fresh process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GANAUG_"))}
    environment = kept | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", __file__, "--side", side, "--trials", str(trials)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main(trials: int, pairs: int) -> None:
    ratios = []
    for pair in range(1, pairs + 1):
        seconds = {side: timed(side, trials) for side in SIDES}
        ratios.append(seconds["plain"] / seconds["ours"])
        told = ", ".join(f"{side} {s:.1f} s" for side, s in seconds.items())
        print(f"pair {pair}: {trials} trials: {told}: {ratios[-1]:.1f} times", flush=True)
    middle = sorted(ratios)[len(ratios) // 2]
    print(f"{trials} empty trials: {middle:.1f} times as fast as a plain Tuner (median of {pairs} pairs)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(SIDES[given.side](given.trials)))
    else:
        main(given.trials, given.pairs)
