"""The primary contrast's interval when not only seeds but also test images might have been others."""

import numpy as np
import pandas as pd

from analysis.contrasts import primary_differences
from analysis.run import Run
from analysis.statistics.resampling import HierarchicalInterval, hierarchical_bootstrap

SEED = 0  # of the resampling: the same run gives the same interval


def correct(run: Run, cells: pd.Series) -> np.ndarray:
    """Whether each test image was classified right, bool (n_seeds, members, n_test)."""
    predictions = run.predictions()
    return np.stack([predictions[cell] == predictions["labels"] for cell in cells])


def over_seeds_and_images(run: Run) -> HierarchicalInterval | None:
    """The interval of the primary contrast over new seeds and new test images; None without two pairs of it."""
    pairs = primary_differences(run)
    if len(pairs) < 2:
        return None
    rng = np.random.default_rng(SEED)
    return hierarchical_bootstrap(correct(run, pairs["cell"]), correct(run, pairs["control"]), rng=rng)
