"""Does the pattern over augmentations agree between two data sets? The correlation of two runs' arms.

Each arm's mean paired change against no augmentation in the one run, against the same arm's in the other. The arms are
the units: an interval says what other types of augmentation might have given, and with five types it is wide whatever
the correlation (Bonett & Wright 2000, Psychometrika 65, for Spearman's, by Fisher's z).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.generator_tables import generators
from analysis.metrics_table import rank_correlation
from analysis.paired import LEVEL
from analysis.run import Run, load
from ganaug.errors import UserError

LEAST = 4  # arms, below which Fisher's z has no interval


@dataclass(frozen=True)
class Agreement:
    """arms: arm, a, b (mean changes in the two runs), with a_low … b_high. spearman in [-1, 1], NaN where one does not
    vary; low, high: its 95 % interval, NaN with fewer than four arms.
    """

    metric: str
    arms: pd.DataFrame
    spearman: float
    low: float
    high: float


def _changes(run: Run, metric: str) -> pd.DataFrame:
    """The arms' changes, by arm without its numbers of images: those differ between data sets."""
    found = generators(run)
    found = found[found["metric"].eq(metric) & found["change"].notna()]
    return found[["arm", "change", "change_low", "change_high"]].groupby("arm", sort=False).mean()


def agreement(a: str | Run, b: str | Run, metric: str = "score") -> Agreement:
    """The arms that both runs have, and how far their changes agree. UserError where they share fewer than two."""
    one, other = load(a), load(b)
    for run in (one, other):
        if not run.of_generators:
            raise UserError(f"{run.folder}: measures classifiers; an agreement is between two studies of generators")
    joined = _changes(one, metric).reset_index().merge(_changes(other, metric), on="arm", suffixes=("_a", "_b"))
    if len(joined) < 2:
        raise UserError(
            f"{one.folder} and {other.folder}: share {len(joined)} arms with a change in {metric}, need two"
        )
    names = {"change_a": "a", "change_low_a": "a_low", "change_high_a": "a_high"}
    names |= {k.replace("_a", "_b"): v.replace("a", "b", 1) for k, v in names.items()}
    arms = joined.rename(columns=names)
    r, n = rank_correlation(arms["a"].to_numpy(float), arms["b"].to_numpy(float)), len(arms)
    if n < LEAST or np.isnan(r):
        return Agreement(metric, arms, r, np.nan, np.nan)
    z, half = (
        np.arctanh(np.clip(r, -(1 - 1 / n**2), 1 - 1 / n**2)),
        ndtri((1 + LEVEL) / 2) * np.sqrt((1 + r**2 / 2) / (n - 3)),
    )
    return Agreement(metric, arms, r, float(np.tanh(z - half)), float(np.tanh(z + half)))
