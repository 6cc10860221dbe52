"""Does a whole study say the truth? Simulated records with a known effect, read by `analysis.contrasts` as a run's are.

    python benchmarks/verdicts.py

prints its tables and rewrites its part of docs/statistics.md. One core, about a quarter of an hour.

A simulated study has 3 n_real x 2 n_gen x 2 thresholds = 12 settings with all needed controls, a primary contrast, and
10,000 test images. A cell's accuracy is that of its n_real, plus what its seed's subset contributes (shared with the
controls), plus training noise of its own, rounded to whole test images.
"""

import argparse
import platform
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from analysis.contrasts import contrasts  # noqa: E402
from analysis.run import Run  # noqa: E402
from benchmarks.pages import rewrite  # noqa: E402

DOCUMENT = ROOT / "docs" / "statistics.md"
SEED, STUDIES = 20261121, 2000
N_TEST, SUBSET_SD = 10_000, 0.8
CLASSIC = "rotation+shift+zoom"
SETTINGS = [(n, g, t) for n in (100, 300, 1000) for g in (300, 1000) for t in (0.0, 0.5)]
PRIMARY = {"n_real": 100, "n_gen": 300, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"}
SUMMARY = {
    "primary": PRIMARY | {"against": "real-only"},
    "controls": {"classic_da": CLASSIC},
    "margin_points": 1.0,
    "factors": {"clf_da": ["none"], "n_real": [100, 300, 1000]},
}


def cells(n_seeds: int) -> pd.DataFrame:
    """The cells of a study, controls for every setting, without their accuracies."""
    rows: list[tuple[object, ...]] = []
    for seed in range(n_seeds):
        for n_real in (100, 300, 1000):
            rows += [("real-only", n_real, 0, None, da, seed) for da in ("none", CLASSIC)]
            rows += [("duplicated", n_real, n_gen, None, "none", seed) for n_gen in (300, 1000)]
        rows += [("generated", n, g, t, "none", seed) for n, g, t in SETTINGS]
    frame = pd.DataFrame(rows, columns=["arm", "n_real", "n_gen", "threshold", "clf_da", "seed"])
    whole = {name: "Int64" for name in ("n_real", "n_gen", "seed")}
    generated = frame["arm"].eq("generated")
    frame = frame.astype(whole | {"threshold": "Float64"})
    frame.insert(4, "gan_da", pd.Series("none", index=frame.index).where(generated))
    frame.insert(5, "n_da", pd.Series(pd.NA, index=frame.index, dtype="Int64"))
    return frame.assign(cell=[f"{i:04d}" for i in range(len(frame))], status="ok", reason="")


def simulated(frame: pd.DataFrame, effect: float, noise: float, rng: np.random.Generator) -> Run:
    """A study whose generated cells are all better by `effect` points; `noise`: sd of each cell's training, points."""
    subset = {key: rng.normal(0, SUBSET_SD) for key in frame.groupby(["n_real", "seed"]).groups}
    base = frame["n_real"].map({100: 82.0, 300: 87.0, 1000: 90.0}).to_numpy(float)
    shared = np.array([subset[key] for key in zip(frame["n_real"], frame["seed"], strict=True)])
    points = base + shared + effect * frame["arm"].eq("generated").to_numpy() + rng.normal(0, noise, len(frame))
    accuracy = pd.array(np.round(points / 100 * N_TEST) / N_TEST, dtype="Float64")
    return Run(Path("nowhere"), frame.assign(accuracy=accuracy), pd.DataFrame(), SUMMARY, {})


def share(hits: list[bool]) -> str:
    """A share in percent with its Monte-Carlo standard error."""
    p = float(np.mean(hits))
    return f"{100 * p:.1f} ± {100 * np.sqrt(p * (1 - p) / len(hits)):.1f}"


def study(n_seeds: int, effect: float, noise: float, studies: int) -> list[object]:
    """How often the primary says what, and how often any secondary is called helps or hurts."""
    rng = np.random.default_rng([SEED, n_seeds, round(1000 * effect) % 2**31, round(1000 * noise)])
    frame = cells(n_seeds)
    words: list[str] = []
    wrong: list[bool] = []
    covered: list[bool] = []
    for _ in range(studies):
        table = contrasts(simulated(frame, effect, noise, rng))
        first, rest = table.iloc[0], table.iloc[1:]
        words.append(first["verdict"])
        covered.append(first["low_points"] <= effect <= first["high_points"])
        wrong.append(bool((rest["verdict"].isin(["helps", "hurts"])).any()))
    said = [share([w == word for w in words]) for word in ("helps", "hurts", "no effect", "cannot tell yet")]
    decided = share([w in ("helps", "hurts") for w in words])
    return [n_seeds, f"{effect:g}", f"{noise * np.sqrt(2):.2f}", *said, decided, share(wrong), share(covered), studies]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--studies", type=int, default=STUDIES, help="simulated studies per row (default 2,000)")
    studies = arguments.parse_args().studies
    began = time.perf_counter()
    each, both = 0.4 / np.sqrt(2), 0.4  # so that the sd of a paired difference is 0.4, or that of each arm is
    rows = [study(n, 0.0, both, studies) for n in (3, 5, 10)]
    rows += [study(5, 1.0, noise, studies) for noise in (each, both)]
    head = [
        "seeds", "true effect, points", "sd of a paired difference", "primary: helps, %", "hurts, %", "no effect, %",
        "cannot tell, %", "helps or hurts, %", "any secondary helps or hurts, %", "interval covers, %", "studies",
    ]  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    text = "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
    where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    text += f"\n\n`python benchmarks/verdicts.py`, seed {SEED}; {where}, scipy {scipy.__version__}; "
    text += f"{time.perf_counter() - began:.0f} s. ± is the Monte-Carlo standard error.\n"
    print(text)
    if studies == STUDIES:
        rewrite(DOCUMENT, "verdicts.py", text)


if __name__ == "__main__":
    main()
