"""The report's table of what unlabelled images are worth, and what unequal updates are."""

from typing import Any

import numpy as np

from analysis.factors import written
from analysis.run import Run
from analysis.semi import gains, settings_of
from analysis.tables import Table, table
from analysis.words import between, signed


def _change(mean: float, low: float, high: float) -> str:
    return "—" if np.isnan(mean) else f"{signed(mean)} {between(low, high)}"


def semi_gains(run: Run) -> Table:
    """A row per method and setting; the gains in points with their intervals."""
    found = gains(run)
    shown: dict[str, Any] = {"method": found["method"], "labels per class": found["n_real"]}
    shown |= {name: found[name].map(written) for name in settings_of(run)}
    heads = {"equal": "gain, equal updates"}
    if found["fewer"].notna().any():
        heads |= {"fewer": "gain, fewer updates", "updates": "of it by updates"}
    for name, head in heads.items():
        columns = (found[name], found[f"{name}_low"], found[f"{name}_high"])
        shown[head] = [_change(*row) for row in zip(*columns, strict=True)]
    if "fewer" in heads:
        shown["share by updates"] = ["—" if np.isnan(s) else f"{100 * s:.0f} %" for s in found["share"].astype(float)]
    shown["seeds"] = found["n_seeds"]
    return table(found[[]].assign(**shown), text=("method", *settings_of(run)))
