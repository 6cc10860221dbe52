"""How many steps a search needs, replayed on grids that were run: every sampler, many sampler seeds.

    python benchmarks/search_efficiency.py --make          # runs four grids of 50 thresholds (4 min each on one core)
    python benchmarks/search_efficiency.py [FOLDER ...]    # replays them, or the run folders given

A step's value is the mean validation accuracy over the grid's seeds at the nearest threshold, so the replay has the
noise of the record and no other. Counted are the steps until one is within 0.2 points of the grid's best. Beside it
stands what that best is worth: the standard error of its gain over threshold 0 on validation images, and its gain and
interval on test images, which no sampler saw. A grid whose noise is larger than 0.2 points has a best by luck, and a
sampler that finds it quickly has found luck.
"""

import argparse
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from scipy import stats

from sweeps.search import sampler
from sweeps.search.space import Axis

WITHIN = 0.2  # points
STEPS = 40
AT = 15
SEEDS = 50
COMMAND = str(Path(sysconfig.get_path("scripts")) / "ganaug")
MADE = Path("runs/search-grids")
THRESHOLDS = "threshold=[" + ", ".join(f"{t / 50:g}" for t in range(50)) + "]"
GRIDS = {"few": (5, 50), "some": (10, 30), "more": (20, 100), "many": (40, 100)}  # n_real, n_gen


def make(workers: int) -> list[Path]:
    """Run the grids; a second time finds them stored."""
    for name, (n_real, n_gen) in GRIDS.items():
        settings = [
            THRESHOLDS, f"n_real=[{n_real}]", f"n_gen=[{n_gen}]", "seed=[0, 1, 2]", "primary=null",
            "controls={}", "assess=null", "classifier.steps=150", "dataset.validation_per_class=30",
        ]  # fmt: skip
        sets = [part for setting in settings for part in ("--set", setting)]
        out = ["--out", str(MADE / name), "--track", "none", "--workers", str(workers)]
        subprocess.run([COMMAND, "run", "quickstart", *out, *sets], check=True)
    return [MADE / name for name in GRIDS]


def load(folder: Path) -> pd.DataFrame:
    """Accuracies in points: a row per threshold, columns (which, seed). Cells without a result drop their threshold."""
    table = pd.read_parquet(folder / "records.parquet")
    table = table[table["arm"] == "generated"]
    table = table.melt(["threshold", "seed"], ["validation_accuracy", "accuracy"], "which", "points")
    table["points"] *= 100
    wide = table.pivot(index="threshold", columns=["which", "seed"], values="points")
    return wide.dropna().sort_index()


def replay(grid: pd.Series, name: str, seed: int) -> int:
    """Steps until one is within `WITHIN` of the grid's best; STEPS + 1 where none is. grid: threshold -> points."""
    axis = Axis("threshold", low=float(grid.index[0]), high=float(grid.index[-1]))
    study = optuna.create_study(direction="maximize")
    thresholds = grid.index.to_numpy()
    for number in range(STEPS):
        study.sampler = sampler.make(name, seed, number, parallel=False)
        if number == 0:
            study.sampler = sampler.Given({"threshold": axis.low}, study.sampler)
        trial = study.ask()
        asked = trial._suggest("threshold", sampler.distribution(axis))
        value = float(grid.iloc[int(np.abs(thresholds - asked).argmin())])
        if value >= grid.max() - WITHIN:
            return number + 1
        study.tell(trial, value)
    return STEPS + 1


def gain(points: pd.DataFrame, best: float) -> tuple[float, float, float]:
    """Mean gain of a threshold over the lowest, its standard error and half its 95 % interval, paired by seed."""
    differences = (points.loc[best] - points.iloc[0]).to_numpy(float)
    if len(differences) < 2:
        return float(differences.mean()), float("nan"), float("nan")
    error = float(differences.std(ddof=1) / np.sqrt(len(differences)))
    return float(differences.mean()), error, float(stats.t.ppf(0.975, len(differences) - 1) * error)


def describe(folder: Path, samplers: Sequence[str], seeds: int) -> None:
    """Print what the grid is worth, and a line per sampler."""
    points = load(folder)
    mean = points["validation_accuracy"].mean(axis=1)
    best = float(mean.idxmax())
    ours, error, _ = gain(points["validation_accuracy"], best)
    test, _, half = gain(points["accuracy"], best)
    near = int((mean >= mean.max() - WITHIN).sum())
    print(
        f"\n{folder}: {len(mean)} thresholds, {points.shape[1] // 2} seeds; {near} within {WITHIN} points of the best"
    )
    print(f"  best threshold {best:g}: {ours:+.2f} points on validation images (standard error {error:.2f}),")
    print(f"  {test:+.2f} ± {half:.2f} on test images (95 % interval), against threshold {mean.index[0]:g}")
    print(f"  {'sampler':<8} {'median steps':>12} {'90 % of runs':>12} {f'there by {AT}':>12}")
    for name in samplers:
        steps = np.array([replay(mean, name, seed) for seed in range(seeds)])
        median, most = (
            f"{q:.0f}" if q <= STEPS else f"> {STEPS}" for q in np.quantile(steps, [0.5, 0.9], method="higher")
        )
        print(f"  {name:<8} {median:>12} {most:>12} {(steps <= AT).mean():>12.0%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe", "gp"])
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folders = make(given.workers) if given.make else given.folders or [MADE / name for name in GRIDS]
    for folder in folders:
        describe(folder, given.samplers, given.seeds)


if __name__ == "__main__":
    main()
