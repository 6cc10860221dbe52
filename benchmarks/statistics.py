"""Do the intervals cover what they say? Simulated studies with a known truth, for `analysis.statistics`.

    python benchmarks/statistics.py

prints its tables and rewrites the generated part of docs/statistics.md. One core, a few minutes. Every section
is a function from a generator to Markdown and draws from its own stream, so that adding one to SECTIONS changes
no number of the others.
"""

import platform
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: its statistics.py would hide Python's own
# ruff: noqa: E402  (the imports below need that line first)

import numpy as np
import scipy
from scipy.special import ndtr
from scipy.stats import trim_mean

from analysis.statistics.aggregate import interquartile_mean, probability_of_improvement
from analysis.statistics.decision import decide_all
from analysis.statistics.effective_real import _crossing, _mean_curve, effective_real
from analysis.statistics.planning import seeds_for_equivalence, seeds_needed
from analysis.statistics.resampling import hierarchical_bootstrap
from benchmarks.pages import rewrite, table

SEED = 20261121
SEEDS = (3, 4, 5, 7, 10)
DOCUMENT = ROOT / "docs" / "statistics.md"


def percent(hits: object, digits: int = 1) -> str:
    return f"{100 * float(np.mean(np.asarray(hits, float))):.{digits}f}"


def over_seeds(first: str, rows: dict[str, list[str]], seeds: Sequence[int] = SEEDS) -> str:
    return table([first, *(f"{n} seeds" for n in seeds)], [[name, *cells] for name, cells in rows.items()])


# --- One contrast -----------------------------------------------------------------------------------------


def contrasts(rng: np.random.Generator, repeats: int = 20_000) -> str:
    """Coverage of the t-interval, and how often `decide` says what, margin 1 point."""
    independent = 0.4 * np.sqrt(2)
    shapes: dict[str, Callable[[int], np.ndarray]] = {
        "coverage, normal differences": lambda n: rng.normal(size=(repeats, n)),
        "coverage, heavy tails (t, 4 df)": lambda n: rng.standard_t(4, size=(repeats, n)),
        "coverage, skewed (exponential)": lambda n: rng.exponential(size=(repeats, n)) - 1,
    }
    verdicts = {
        "false helps or hurts: no effect, sd 0.4": (0.0, 0.4, ("helps", "hurts")),
        "false helps or hurts: no effect, sd 2": (0.0, 2.0, ("helps", "hurts")),
        "false no effect: true +1.0 (the margin), sd 0.4": (1.0, 0.4, ("no effect",)),
        "false no effect: true +1.0, sd 1.5": (1.0, 1.5, ("no effect",)),
        "helps: true +1.0, sd 0.4 of the difference": (1.0, 0.4, ("helps",)),
        "helps: true +1.0, sd 0.4 per arm, independent (0.57 of the difference)": (1.0, independent, ("helps",)),
        "no effect shown: true 0, sd 0.4 of the difference": (0.0, 0.4, ("no effect",)),
        "no effect shown: true 0, sd 0.57 of the difference": (0.0, independent, ("no effect",)),
    }
    rows: dict[str, list[str]] = {}
    for name, draw in shapes.items():
        found = [decide_all(draw(n), 1.0) for n in SEEDS]
        rows[name] = [percent((d["low"] <= 0) & (d["high"] >= 0)) for d in found]
    for name, (effect, sd, words) in verdicts.items():
        found = [decide_all(rng.normal(effect, sd, (repeats, n)), 1.0) for n in SEEDS]
        rows[name] = [percent(d["verdict"].isin(words)) for d in found]
    return f"{repeats:,} simulated contrasts per cell, percent.\n\n" + over_seeds("one contrast", rows)


# --- Seeds and test images --------------------------------------------------------------------------------


def _two_arms(
    rng: np.random.Generator, n_seeds: int, n_test: int, members: int, arm_sd: float, image_sd: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Whether arm and control get each image right, and the true difference in points (a probit model).

    An image's difficulty is shared by all seeds and both arms; image_sd is what the arm changes about an image,
    arm_sd what it changes in a seed.
    """
    difficulty_sd, subset_sd, level, gain = 2.0, 0.05, 2.6, 0.1
    shared = level + rng.normal(0, difficulty_sd, n_test) + rng.normal(0, subset_sd, (n_seeds, 1, 1))
    ours = shared + gain + rng.normal(0, image_sd, n_test) + rng.normal(0, arm_sd, (n_seeds, 1, 1))
    shape = (n_seeds, members, n_test)
    variance = difficulty_sd**2 + subset_sd**2 + 1
    truth = ndtr((level + gain) / np.sqrt(variance + image_sd**2 + arm_sd**2)) - ndtr(level / np.sqrt(variance))
    return ours + rng.normal(size=shape) > 0, shared + rng.normal(size=shape) > 0, 100 * float(truth)


def _pigeonhole(differences: np.ndarray, rng: np.random.Generator, n_resamples: int = 300) -> np.ndarray:
    """Percentile interval, seeds and images both resampled (Owen 2007): what is *not* shipped."""
    n_seeds, n_test = differences.shape
    seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), n_resamples)
    images = rng.multinomial(n_test, np.full(n_test, 1 / n_test), n_resamples)
    return np.quantile(((seeds @ differences) * images).sum(1) / differences.size, [0.025, 0.975])


def seeds_and_images(rng: np.random.Generator, repeats: int = 1000, resampled: int = 150) -> str:
    settings = {
        "seeds dominate, 1,000 images": (1000, 1, 0.12, 0.1),
        "typical, 1,000 images": (1000, 1, 0.05, 0.3),
        "typical, 3 classifiers per seed": (1000, 3, 0.05, 0.3),
        "images dominate, 1,000 images": (1000, 1, 0.02, 1.0),
        "images dominate, 300 images": (300, 1, 0.02, 1.0),
    }
    rows: dict[str, list[str]] = {}
    for name, (n_test, members, arm_sd, image_sd) in settings.items():
        for n in SEEDS:
            hits: dict[str, list[bool]] = {}
            for k in range(repeats):
                ours, control, truth = _two_arms(rng, n, n_test, members, arm_sd, image_sd)
                found = hierarchical_bootstrap(ours, control, rng=rng, n_resamples=1000)
                differences = 100 * (ours.mean(1) - control.mean(1))
                t = decide_all(differences.mean(1)[None], 1.0).iloc[0]
                hits.setdefault("hierarchical", []).append(found.low <= truth <= found.high)
                hits.setdefault("t over seeds alone", []).append(t["low"] <= truth <= t["high"])
                if k < resampled:
                    ends = _pigeonhole(differences, rng)
                    hits.setdefault("both resampled, percentile", []).append(ends[0] <= truth <= ends[1])
            for method, covered in hits.items():
                bold = f"**{method}**" if method == "hierarchical" else method
                rows.setdefault(f"{name}: {bold}", []).append(percent(covered))
    text = (
        f"Coverage of 95 % intervals for new seeds and new images, percent, {repeats} simulated pairs of arms per cell "
        f"({resampled} where both are resampled)."
    )
    return f"{text}\n\n" + over_seeds("who makes the noise: interval", rows)


# --- Many settings in one number --------------------------------------------------------------------------


def _rliable(arm: np.ndarray, control: np.ndarray, rng: np.random.Generator, n_resamples: int = 300) -> np.ndarray:
    """Percentile intervals of both aggregates (2, 2), seeds resampled in each setting by itself as rliable does."""
    shape = (n_resamples, *arm.shape)
    a, c = (np.take_along_axis(x[None], rng.integers(len(x), size=shape), 1) for x in (arm, control))
    means = trim_mean(a.reshape(n_resamples, -1), 0.25, axis=1)
    wins = (1 + np.sign(a[:, :, None] - c[:, None])).mean((1, 2, 3)) / 2
    return np.quantile(np.stack([means, wins]), [0.025, 0.975], axis=1).T


def aggregates(rng: np.random.Generator, repeats: int = 500) -> str:
    rows: dict[str, list[str]] = {}
    for n_settings, shared in ((1, 0.0), (4, 0.0), (4, 0.5), (12, 0.0), (12, 0.5)):
        means = np.linspace(0.25, 1.25, n_settings) if n_settings > 1 else np.array([0.75])
        middle = trim_mean((means + rng.normal(size=(200_000, n_settings))).ravel(), 0.25)
        better = ndtr(means / np.sqrt(2)).mean()

        def scores(n: int, n_settings: int = n_settings, shared: float = shared) -> np.ndarray:
            of_seed, own = rng.normal(size=(n, 1)), rng.normal(size=(n, n_settings))
            return np.sqrt(shared) * of_seed + np.sqrt(1 - shared) * own

        for n in SEEDS:
            hits = np.zeros((4, repeats), bool)
            for k in range(repeats):
                arm, control = means + scores(n), scores(n)
                ours = interquartile_mean(arm), probability_of_improvement(arm, control)
                theirs = _rliable(arm, control, rng)
                for row, (found, ends, truth) in enumerate(zip(ours, theirs, (middle, better), strict=True)):
                    hits[2 * row, k] = found.low <= truth <= found.high
                    hits[2 * row + 1, k] = ends[0] <= truth <= ends[1]
            aggregate = ("interquartile mean", "probability of improvement")
            names = [label for name in aggregate for label in (f"**{name}**", f"{name}, bootstrap")]
            noun = "setting" if n_settings == 1 else f"settings, seeds share {shared:.0%}"
            for name, covered in zip(names, hits, strict=True):
                rows.setdefault(f"{n_settings} {noun}: {name}", []).append(percent(covered))
    text = (
        f'Coverage of 95 % intervals, percent, {repeats} simulated studies per cell; "seeds share" is the part of a '
        "score's variance that a seed brings to all settings; the bootstrap is rliable's: percentile, seeds resampled "
        "in each setting by itself."
    )
    return f"{text}\n\n" + over_seeds("settings: interval", rows)


# --- Planning ---------------------------------------------------------------------------------------------


def planning(rng: np.random.Generator, repeats: int = 500) -> str:
    pilots, rows = (3, 5, 8, 10), {}
    plans = {
        "to show +1.0": (seeds_needed, (0.57, 0.8, 1.5)),
        "to show no effect within ±1.0": (seeds_for_equivalence, (0.57, 0.8, 1.5)),
    }
    for what, (plan, sds) in plans.items():
        for sd in sds:
            exact = plan(np.array([-sd, sd]) / np.sqrt(2), 1.0)  # two values whose sd is sd
            assert exact is not None
            cells: list[list[str]] = [[], []]
            for n in pilots:
                found = [plan(pilot, 1.0) for pilot in rng.normal(0, sd, (repeats, n))]
                cells[0].append(percent([f is not None and exact.n / 2 <= f.n <= 2 * exact.n for f in found]))
                cells[1].append(percent([f is not None and f.low <= exact.n <= f.high for f in found]))
            label = f"{what}, sd {sd}: {exact.n} seeds in truth"
            rows[f"{label}; answer within a factor 2"] = cells[0]
            rows[f"{label}; interval covers"] = cells[1]
    text = f"Percent of {repeats:,} simulated pilots per cell, power 0.8."
    return f"{text}\n\n" + over_seeds("seeds needed; seeds of the pilot →", rows, pilots)


# --- Worth in real images ---------------------------------------------------------------------------------


def _study(
    rng: np.random.Generator, sizes: np.ndarray, n_seeds: int, worth: float, sd: float, lost: float
) -> tuple[np.ndarray, np.ndarray]:
    """A saturating curve in points and an arm at 300 real images that is worth `worth`: nested subsets share
    luck with the next larger one; training adds its own. `lost` is the share of cells that are missing.
    """
    fresh, luck = rng.normal(size=(len(sizes), n_seeds)), np.empty((len(sizes), n_seeds))
    luck[0] = fresh[0]
    for i in range(1, len(sizes)):
        kept = sizes[i - 1] / sizes[i]  # the share of images that both subsets have
        luck[i] = np.sqrt(kept) * luck[i - 1] + np.sqrt(1 - kept) * fresh[i]
    luck *= sd * np.sqrt(300 / sizes)[:, None]
    curve = (95 - 90 * sizes**-0.45)[:, None] + luck + rng.normal(0, sd, luck.shape)
    arm = 95 - 90 * worth**-0.45 + luck[list(sizes).index(300)] + rng.normal(0, sd, n_seeds)
    return np.where(rng.random(curve.shape) < lost, np.nan, curve), arm


def _percentile(sizes: np.ndarray, curve: np.ndarray, arm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Percentile bootstrap over seeds of the same estimate: what is *not* shipped."""
    log_sizes = np.log(sizes)
    grid, found = np.linspace(log_sizes[0], log_sizes[-1], 201), []
    for drawn in rng.integers(len(arm), size=(200, len(arm))):
        mean_curve = _mean_curve(log_sizes, curve[:, drawn], grid)
        found.append(_crossing(grid, mean_curve, float(arm[drawn].mean()))[0])
    return np.exp(np.quantile(found, [0.025, 0.975]))


def worth_in_real_images(rng: np.random.Generator, repeats: int = 500, resampled: int = 100) -> str:
    dense, sparse = np.array([50, 100, 200, 300, 500, 1000.0]), np.array([50, 300, 1000.0])
    settings = {
        "worth 352, sd 0.4": (dense, 352.0, 0.4, 0.0),
        "worth 352, sd 1": (dense, 352.0, 1.0, 0.0),
        "worth 250, sd 0.4": (dense, 250.0, 0.4, 0.0),
        "worth 700, sd 0.4": (dense, 700.0, 0.4, 0.0),
        "worth 352, sd 0.4, a tenth of the curve missing": (dense, 352.0, 0.4, 0.1),
        "worth 352, sd 0.4, three sizes only": (sparse, 352.0, 0.4, 0.0),
        "worth 500, sd 0.4, three sizes only": (sparse, 500.0, 0.4, 0.0),
        "worth 500, sd 0.15, three sizes only": (sparse, 500.0, 0.15, 0.0),
    }
    compared = ("worth 352, sd 0.4", "worth 352, sd 1", "worth 700, sd 0.4")  # with the bootstrap, which is slow
    rows: dict[str, list[str]] = {}
    for name, (sizes, worth, sd, lost) in settings.items():
        for n in SEEDS:
            covered, bootstrapped, widths = [], [], []
            for k in range(repeats):
                curve, arm = _study(rng, sizes, n, worth, sd, lost)
                if (~np.isnan(curve)).sum() < 2 * n or (~np.isnan(curve)).sum(0).max() < 2:
                    continue
                found = effective_real(sizes, curve, arm, n_real=300, n_gen=1000)
                covered.append(
                    (found.low <= worth or found.censored_low) and (found.high >= worth or found.censored_high)
                )
                widths.append(found.high / found.low)
                if k < resampled and name in compared:
                    ends = _percentile(sizes, curve, arm, rng)
                    bootstrapped.append(ends[0] <= worth <= ends[1])
            rows.setdefault(f"{name}: **inverted t-test**", []).append(f"{percent(covered)} (×{np.median(widths):.2f})")
            if bootstrapped:
                rows.setdefault(f"{name}: percentile bootstrap over seeds", []).append(percent(bootstrapped, 0))
    text = (
        f"Coverage of 95 % intervals, percent, {repeats} simulated studies per cell ({resampled} for the bootstrap); "
        "×: median of high / low; sizes 50, 100, 200, 300, 500, 1,000 or 50, 300, 1,000."
    )
    return f"{text}\n\n" + over_seeds("effective real images: interval", rows)


# A new section (a whole study's verdict, say) is one more line: title → function from a generator to Markdown.
SECTIONS: dict[str, Callable[[np.random.Generator], str]] = {
    "One contrast": contrasts,
    "Seeds and test images": seeds_and_images,
    "Many settings in one number": aggregates,
    "Seeds needed": planning,
    "Worth in real images": worth_in_real_images,
}


def main() -> None:
    parts = []
    for title, section in SECTIONS.items():
        started = time.perf_counter()
        text = section(np.random.default_rng([SEED, zlib.crc32(title.encode())]))
        parts.append(f"### {title}\n\n{text}")
        print(f"{parts[-1]}\n({time.perf_counter() - started:.0f} s)\n", flush=True)
    made = (
        f"`python benchmarks/statistics.py`, seed {SEED}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}. Monte-Carlo standard errors at 95 %: 0.2 points with "
        "20,000 repeats, 0.7 with 1,000, 1.0 with 500, 2 with 100."
    )
    rewrite(DOCUMENT, "statistics.py", "\n\n".join([made, *parts]))


if __name__ == "__main__":
    main()
