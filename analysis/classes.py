"""Class by class: whom generated images help, and whom they hurt.

A class has few test images, and all seeds are judged by the same ones: 400 of them leave a standard error of 1.5
points at a recall of 90 %, which a spread over seeds does not show. So beside the t-interval over seeds stands the one
for new test images as well, and how many seeds would show a change as large as the margin.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.arms import at
from analysis.confusion import class_names
from analysis.contrasts import ALPHA, CANNOT_TELL
from analysis.factors import factors, generation_factors, pick
from analysis.images import SEED, correct
from analysis.paired import decisions, holm, paired_deltas, t_intervals
from analysis.run import Run
from analysis.statistics.planning import seeds_needed
from analysis.statistics.resampling import hierarchical_bootstrap

RESAMPLES = 2000


def per_class_deltas(run: Run, where: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row per contrast and class: the mean paired delta of that class's recall, t-interval over seeds.

    where: levels of factors to keep, e.g. one contrast. Columns: the factors but seed, class, n_seeds, df,
    delta_points, half_points, low_points, high_points (percentage points of the class's test images), p
    (paired t-test, uncorrected), accuracy, control_accuracy (shares).
    """
    pairs = paired_deltas(run.grid)
    pairs = pick(pairs, where or {}, generation_factors(run.grid))
    shares = run.per_class[["cell", "class"]].assign(share=run.per_class["correct"] / run.per_class["total"])
    names = [name for name in factors(run.grid) if name != "seed"]
    both = pairs[["cell", "control", *names]].merge(shares, on="cell")
    control = shares.rename(columns={"cell": "control", "share": "control_accuracy"})
    both = both.rename(columns={"share": "accuracy"}).merge(control, on=["control", "class"])
    both["delta_points"] = 100 * (both["accuracy"] - both["control_accuracy"])
    both = both[both["delta_points"].notna()]  # a class without test images has no recall
    by = [*names, "class"]
    stats = t_intervals(both, by, "delta_points").drop(columns="sd").rename(columns={"mean": "delta_points"})
    stats = stats.rename(columns={name: f"{name}_points" for name in ("half", "low", "high")})
    means = both.groupby(by, dropna=False, sort=False)[["accuracy", "control_accuracy"]].mean().reset_index()
    return stats.merge(means, on=by, how="left")


def class_verdicts(run: Run, setting: Mapping[str, Any]) -> pd.DataFrame:
    """A row per class of one generated setting against real only, in the order of the classes.

    Columns: class, n_test (images), n_seeds, delta_points, low_points, high_points (95 % t-interval over seeds), p,
    p_holm (over the classes), low_with_images, high_with_images (over seeds and test images), verdict (helps and hurts
    only after correction, no effect inside the study's margin), seeds_needed (in all, for a true change as large as
    the margin; test images as they are), accuracy, control_accuracy (recalls, shares). Empty without two pairs.
    """
    pairs = at(paired_deltas(run.grid), dict(setting)).sort_values("seed", kind="stable")
    if len(pairs) < 2:
        return pd.DataFrame()
    labels, names = run.predictions()["labels"], class_names(run)
    treated, control = correct(run, pairs["cell"]), correct(run, pairs["control"])
    rng = np.random.default_rng(SEED)
    rows, long = [], []
    for label, name in enumerate(names):
        own = labels == label
        if own.sum() < 2:
            continue
        ours, theirs = treated[:, :, own], control[:, :, own]
        differences = 100 * (ours.mean(axis=(1, 2)) - theirs.mean(axis=(1, 2)))
        whole = hierarchical_bootstrap(ours, theirs, n_resamples=RESAMPLES, rng=rng)
        needed = seeds_needed(differences, run.margin_points)
        long += [{"class": name, "seed": i, "delta": delta} for i, delta in enumerate(differences)]
        rows.append(
            {
                "class": name,
                "n_test": int(own.sum()),
                "low_with_images": whole.low,
                "high_with_images": whole.high,
                "seeds_needed": needed.n if needed else None,
                "accuracy": float(ours.mean()),
                "control_accuracy": float(theirs.mean()),
            }
        )
    found = decisions(pd.DataFrame(long), ["class"], "delta", run.margin_points, run.looks)
    found = found.rename(columns={"mean": "delta_points", "low": "low_points", "high": "high_points"})
    found["p_holm"] = holm(found["p"].to_numpy(float))
    said = found["verdict"].isin(["helps", "hurts"]) & ~found["p_holm"].lt(ALPHA)
    found["verdict"] = found["verdict"].mask(said, CANNOT_TELL)
    table = pd.DataFrame(rows).merge(found, on="class").astype({"seeds_needed": "Int64"})
    first = ["class", "n_test", "n_seeds", "delta_points", "low_points", "high_points", "p", "p_holm"]
    rest = ["low_with_images", "high_with_images", "verdict", "seeds_needed", "accuracy", "control_accuracy"]
    return table[first + rest]
