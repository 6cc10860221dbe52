"""Generated images on the real-count curve: is an image in the training set worth a photograph?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import factors, is_level, pick, thin, written
from analysis.figures.learning import line_with_bars, number_axis
from analysis.figures.sheet import INK, MARKERS, OKABE_ITO, page, styled
from analysis.figures.slices import mean_words
from analysis.paired import accuracy_over_seeds
from analysis.run import Run, axis

MOST_LINES = 6
CURVE: dict[str, Any] = {"color": INK, "marker": "o", "ls": (0, (4, 2))}


def counted(run: Run) -> pd.DataFrame:
    """Settings over seeds with `images`, the real and generated ones per class together."""
    found = accuracy_over_seeds(run.with_curve)
    return found.assign(images=found["n_real"].astype(float) + found["n_gen"].astype(float))


def _lines(run: Run, table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """What generated images were added to: a line for every other setting, at most six."""
    made = table[table["n_gen"].gt(0)]
    names = [n for n in factors(made) if n not in ("seed", "n_gen") and made[n].nunique(dropna=False) > 1]
    if not names:
        return [("", made)]
    groups = list(made.groupby(names, dropna=False, sort=True))
    return [
        (", ".join(f"{n} {written(v)}" for n, v in zip(names, key, strict=True) if written(v) != "—"), group)
        for key, group in thin(groups, MOST_LINES)
    ]


def _apart(values: list[float], log: bool) -> list[float]:
    """Those of the ascending `values` whose labels do not run into each other, the first and the last among them."""
    at = np.log(values) if log else np.asarray(values)
    step = 0.075 * float(at[-1] - at[0])
    kept = [0]
    for i in range(1, len(values) - 1):
        if at[i] - at[kept[-1]] >= step and at[-1] - at[i] >= step:
            kept.append(i)
    return [values[i] for i in [*kept, len(values) - 1]]


@styled
def count_curve(run: Run) -> Figure | None:
    """Accuracy against all images per class: real ones alone (dashed), and real ones with more and more generated ones
    (a line per other setting). None without a real-only curve of two sizes, or with fewer than two n_gen above 0.
    """
    if len([v for v in axis(run, "n_gen") if v]) < 2 or run.with_curve.empty:
        return None
    table = counted(run)
    plain = pick(table, {"clf_da": axis(run, "clf_da")[0]}, ())
    curve = plain[is_level(plain["n_gen"], 0)].sort_values("images")
    if len(curve) < 2:
        return None
    lines = _lines(run, table)
    looks: list[dict[str, Any]] = [
        {"color": OKABE_ITO[i % 6], "marker": MARKERS[1 + i % 6], "ls": "-"} for i in range(len(lines))
    ]
    keys: list[tuple[Any, str]] = [(Line2D([], [], lw=2, ms=7, mec="white", **CURVE), "real images only")]
    keys += [
        (Line2D([], [], lw=2, ms=7, mec="white", **look), f"real + generated{': ' if said else ''}{said}")
        for look, (said, _) in zip(looks, lines, strict=True)
    ]
    fig, (ax,) = page(
        "Generated images on the curve of real ones",
        mean_words(table),
        1,
        (7.2, 3.6),
        margins=(0.85, 0.3, 0.75, 0.2),
        lowest=2.4,
        keys=keys,
        note="A generated image that is worth a real one lies on the dashed line. Below it, it is worth less.",
    )
    shown = [curve, *(group for _, group in lines)]
    number_axis(ax, sorted({float(v) for t in shown for v in t["images"]}), "images")
    ticks = sorted({float(v) for t in shown for v in t["images"]})
    spread = _apart(ticks, ax.get_xscale() == "log")
    ax.set_xticks(spread, [f"{v:g}" for v in spread])
    ax.set_xlabel("images per class, real and generated")
    ax.set_ylabel("test accuracy, %")
    for part, look in zip(shown, [CURVE, *looks], strict=True):
        part = part.sort_values("images")
        x, y, half = (part[c].to_numpy(float) for c in ("images", "accuracy", "half"))
        line_with_bars(ax, x, 100 * y, 100 * half, look)
    every = np.concatenate([100 * t["accuracy"].to_numpy(float) for t in shown])
    pad = max(1.0, 0.25 * float(np.ptp(every)))
    ax.set_ylim(float(every.min()) - pad, min(101.0, float(every.max()) + pad))
    return fig
