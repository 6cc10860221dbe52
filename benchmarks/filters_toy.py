"""What rejection sampling and Metropolis-Hastings give back of a distribution that is known exactly.

    python benchmarks/filters_toy.py

prints its tables and rewrites its part of docs/filters.md. One core, about five minutes.

The real images are points in the plane from a 5 x 5 grid of equal Gaussians. The generator draws from the same modes
with wrong weights, and a tenth of its points are junk, spread evenly over the square. Both densities are known, and so
is the perfect discriminator, p = real / (real + generated). The filters are those of a study, run on its probabilities.
"""

import argparse
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.special import expit, ndtr

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from benchmarks.pages import rewrite  # noqa: E402
from ganaug.filters import metropolis_hastings, rejection  # noqa: E402
from ganaug.filters.calibration import by_class, calibrate  # noqa: E402

DOCUMENT = ROOT / "docs" / "filters.md"
SEEDS, CANDIDATES = 5, 4_000_000
SIDE, DEVIATION, SQUARE = 5, 0.05, 3.0  # the modes lie at -2, -1, 0, 1, 2 along each axis; the square reaches to ±3
JUNK, RADIUS = 0.1, 4.0  # a point further than this many deviations from every mode is junk
BINS = 60  # of the fine histogram, along each axis
MODES = np.array([(x, y) for x in range(-2, 3) for y in range(-2, 3)], float)
WEIGHTS = np.random.default_rng(2018).dirichlet(np.ones(SIDE**2))  # of the generator's modes
REAL_WEIGHTS = np.full(SIDE**2, 1 / SIDE**2)


def points(weights: np.ndarray, junk: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 2) of Gaussians with these weights, the share `junk` of them spread evenly over the square."""
    out = MODES[rng.choice(len(MODES), n, p=weights)] + DEVIATION * rng.normal(size=(n, 2))
    spoilt = rng.random(n) < junk
    out[spoilt] = rng.uniform(-SQUARE, SQUARE, (int(spoilt.sum()), 2))
    return out


def nearest(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the nearest mode of each of (n, 2), and the squared distance to it."""
    steps = np.clip(np.rint(x), -2, 2)
    return ((steps[:, 0] + 2) * SIDE + steps[:, 1] + 2).astype(int), ((x - steps) ** 2).sum(1)


def log_ratio(x: np.ndarray) -> np.ndarray:
    """Log density real : generated; other modes than the nearest are 20 deviations away and count for nothing."""
    mode, squared = nearest(x)
    bell = np.exp(-squared / (2 * DEVIATION**2)) / (2 * np.pi * DEVIATION**2)
    generated = (1 - JUNK) * WEIGHTS[mode] * bell + JUNK / (2 * SQUARE) ** 2
    return np.log(np.maximum(REAL_WEIGHTS[mode] * bell, 1e-300)) - np.log(generated)


def coarse(x: np.ndarray) -> np.ndarray:
    """Shares of (n, 2) by mode, and of junk at the end."""
    mode, squared = nearest(x)
    where = np.where(squared <= (RADIUS * DEVIATION) ** 2, mode, SIDE**2)
    return np.bincount(where, minlength=SIDE**2 + 1) / len(x)


def fine(x: np.ndarray) -> np.ndarray:
    """Shares of (n, 2) in `BINS` by `BINS` squares."""
    at = np.clip(((x + SQUARE) / (2 * SQUARE) * BINS).astype(int), 0, BINS - 1)
    return np.bincount(at[:, 0] * BINS + at[:, 1], minlength=BINS**2) / len(x)


def exact_coarse() -> np.ndarray:
    """What `coarse` would be of endlessly many real points."""
    outside = np.exp(-(RADIUS**2) / 2)
    return np.append((1 - outside) * REAL_WEIGHTS, outside)


def exact_fine() -> np.ndarray:
    """What `fine` would be of endlessly many real points; the grid is the product of its axes."""
    edges = np.linspace(-SQUARE, SQUARE, BINS + 1)[:, None]
    axis = np.diff(ndtr((edges - np.arange(-2, 3)) / DEVIATION), axis=0).mean(1)
    return np.outer(axis, axis).ravel()


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation."""
    return float(np.abs(one - other).sum() / 2)


def probabilities(kind: str, ratio: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What a discriminator says of the stream, and of 500 real points to begin chains at; both (1, n)."""
    fresh = log_ratio(points(REAL_WEIGHTS, 0.0, 500, rng))
    match kind:
        case "perfect":
            said = expit(ratio), expit(fresh)
        case "three times too sure":
            said = expit(3 * ratio), expit(3 * fresh)
        case "three times too timid":
            said = expit(ratio / 3), expit(fresh / 3)
        case "three times too sure, calibrated":
            # as a study does it: Platt on 500 held-out real points and 2,500 generated ones of their own
            own = log_ratio(points(WEIGHTS, JUNK, 2500, rng))
            zeros = np.zeros(500, int), np.zeros(2500, int)
            fitted = calibrate(3 * fresh, zeros[0], 3 * own, zeros[1], 1)
            return by_class(3 * ratio[None], fitted), by_class(3 * fresh[None], fitted)
        case _:
            raise ValueError(f"kind must be a known discriminator, got {kind!r}")
    return said[0][None], said[1][None]


Row = tuple[str, str, list[list[float]]]


def rows(kind: str, chains: tuple[int, ...], seeds: int, n: int) -> Iterator[Row]:
    """Discriminator, method, and per seed: kept per 100 candidates, points kept, both total variations and floors."""
    methods = ["raw", "rejection", *(f"Metropolis-Hastings, chain {c}" for c in chains)]
    told: dict[str, list[list[float]]] = {m: [] for m in methods}
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 810])
        x = points(WEIGHTS, JUNK, n, rng)
        p, held_out = probabilities(kind, log_ratio(x), rng)
        draws = rng.random((1, n))
        for method in methods:
            if method == "raw":
                kept = np.ones(n, bool)
            elif method == "rejection":
                kept = rejection.accept(p, 1.0, draws, 100)[0]
            else:
                kept = metropolis_hastings.accept(p, 1.0, draws, int(method.split()[-1]), held_out)[0]
            got, fresh = x[kept], points(REAL_WEIGHTS, 0.0, int(kept.sum()), rng)
            exact = exact_coarse(), exact_fine()
            told[method].append(
                [100 * kept.mean(), kept.sum()]
                + [apart(of(y), e) for of, e in zip((coarse, fine), exact, strict=True) for y in (got, fresh)]
            )
    for method in methods:
        yield kind, method, told[method]


def line(row: Row, raw: Row) -> str:
    """A row of the table: means over seeds, with their standard deviation where it is not about the sample size."""
    kind, method, told = row
    share, kept, coarse_, coarse_floor, fine_, fine_floor = np.mean(told, axis=0)
    spread = np.std(told, axis=0, ddof=1)
    fold = np.mean(raw[2], axis=0)[2] / coarse_
    cells = [kind, method, f"{share:.2f}", f"{kept:,.0f}", f"{coarse_:.4f} ± {spread[2]:.4f}", f"{coarse_floor:.4f}"]
    return "| " + " | ".join([*cells, f"{fold:.1f}", f"{fine_:.4f}", f"{fine_floor:.4f}"]) + " |"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=SEEDS)
    arguments.add_argument("--candidates", type=int, default=CANDIDATES)
    told = arguments.parse_args()
    began = time.perf_counter()
    lines = [
        "| discriminator | method | kept, % | points kept | TV, modes and junk | of as many real points | times less "
        "than raw | TV, fine grid | of as many real points |",
        "|" + "---|" * 9,
    ]
    wrong = ("three times too sure", "three times too sure, calibrated", "three times too timid")
    for kind, chains in (("perfect", (10, 20, 50, 200)), *((w, (50,)) for w in wrong)):
        table = list(rows(kind, chains, told.seeds, told.candidates))
        lines += [line(row, table[0]) for row in table if row[1] != "raw" or kind == "perfect"]
    text = "\n".join(lines)
    where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    text += f"\n\n`python benchmarks/filters_toy.py`, {told.seeds} seeds of {told.candidates:,} candidates; {where}; "
    text += f"{time.perf_counter() - began:.0f} s. ± is the standard deviation over seeds.\n"
    print(text)
    if (told.seeds, told.candidates) == (SEEDS, CANDIDATES):
        rewrite(DOCUMENT, "filters_toy.py", text)


if __name__ == "__main__":
    main()
