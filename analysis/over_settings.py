"""The whole grid in a few numbers that nobody chose, and the primary contrast by every test there is.

Interquartile mean and probability of improvement are those of Agarwal et al. (2021), "Deep Reinforcement Learning at
the Edge of the Statistical Precipice"; see `analysis.statistics.aggregate`.
"""

import numpy as np
import pandas as pd

from analysis.contrasts import primary_differences
from analysis.factors import factors
from analysis.images import over_seeds_and_images
from analysis.paired import average_delta, paired_deltas
from analysis.run import Run
from analysis.statistics.aggregate import interquartile_mean, probability_of_improvement
from analysis.statistics.decision import decide
from analysis.statistics.resampling import sign_flip
from analysis.statistics.sequential import decide_as_they_come

MOST_SIGN_FLIPPED = 24


def _whole_settings(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies in percent of the settings that every seed has, and of their controls: (n_seeds, n_settings) each."""
    pairs = paired_deltas(run.in_common)
    by = [name for name in factors(run.grid) if name != "seed"]
    pairs = pairs.assign(setting=pairs.groupby(by, dropna=False, sort=False).ngroup())
    tables = [
        100 * pairs.pivot(index="seed", columns="setting", values=name).dropna(axis=1).astype(float)
        for name in ("accuracy", "control_accuracy")
    ]
    return tables[0].to_numpy(float), tables[1].to_numpy(float)


def overall(run: Run) -> pd.DataFrame:
    """Generated images against real only over all settings that every seed has; empty where there is none.

    Columns: measure, unit, value, low, high (95 %, over seeds; a seed is one observation however many settings).
    """
    mean = average_delta(run.in_common)
    ours, theirs = _whole_settings(run) if mean else (np.empty((0, 0)), np.empty((0, 0)))
    if mean is None or not ours.size:
        return pd.DataFrame(columns=["measure", "unit", "value", "low", "high"])
    generated, real_only = interquartile_mean(ours), interquartile_mean(theirs)
    better = probability_of_improvement(ours, theirs)
    rows = [
        ("mean change", "points", mean["mean"], mean["low"], mean["high"]),
        ("interquartile mean accuracy, generated", "%", generated.value, generated.low, generated.high),
        ("interquartile mean accuracy, real only", "%", real_only.value, real_only.low, real_only.high),
        ("probability of improvement", "share", better.value, better.low, better.high),
    ]
    return pd.DataFrame(rows, columns=["measure", "unit", "value", "low", "high"])


def primary_tests(run: Run) -> pd.DataFrame:
    """The primary contrast by every test: how much hangs on the choice of one. Empty without two pairs.

    Columns: test, p, low, high (points, NaN where a test has no interval), note.
    """
    differences = primary_differences(run).sort_values("seed", kind="stable")["delta_points"].to_numpy(float)
    if len(differences) < 2:
        return pd.DataFrame(columns=["test", "p", "low", "high", "note"])
    found, none = decide(differences, run.margin_points), float("nan")
    rows = []
    if run.looks is not None:
        now = decide_as_they_come(differences[None], run.margin_points, run.looks).iloc[0]
        note = f"decides; a look after every seed from {run.looks.first} to {run.looks.last}"
        rows += [("sequential t-test, over seeds", now["p"], now["low"], now["high"], note)]
        rows += [("sequential equivalence", now["p_equivalence"], none, none, f"inside ±{run.margin_points:g} points")]
    decides = "decides" if run.looks is None else "as if the seeds had been fixed"
    rows += [
        ("paired t-test, over seeds", found.p, found.low, found.high, decides),
        (
            "equivalence, two one-sided t-tests",
            found.p_equivalence,
            none,
            none,
            f"inside ±{run.margin_points:g} points",
        ),
    ]
    if len(differences) <= MOST_SIGN_FLIPPED:
        flips = sign_flip(differences)
        reach = "" if flips.can_reach() else f"; {flips.n} seeds cannot reach 0.05 in it"
        note = f"no distribution assumed; the smallest p possible is {flips.smallest_p:.2g}{reach}"
        rows.append(("sign flips, exact", flips.p, none, none, note))
    whole = over_seeds_and_images(run)
    if whole is not None:
        note = f"{whole.n_test:,} test images might have been others"
        rows.append(("hierarchical, over seeds and test images", none, whole.low, whole.high, note))
    return pd.DataFrame(rows, columns=["test", "p", "low", "high", "note"])
