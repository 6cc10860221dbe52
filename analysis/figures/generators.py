"""The figures of a study of generators: metrics per arm and over training, what leaked, what scores say."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import thin
from analysis.figures.acceptance import line_look
from analysis.figures.sheet import INK, OKABE_ITO, RULE, SOFT, is_leftmost, page, shortened, styled
from analysis.generator_tables import (
    BETTER,
    arms,
    assessed,
    generators,
    leaks,
    over_steps,
    reference_sets,
    score_column,
    score_name,
)
from analysis.run import Run

LONG = {
    "kid": "kernel distance (KID)", "fid": "Fréchet distance (FID)", "precision": "precision", "recall": "recall",
    "density": "density", "coverage": "coverage", "taught": "recall taught",
}  # fmt: skip
BARS = ("kid", "score", "fid", "precision", "recall", "coverage")
CURVES = ("kid", "score", "fid")
MOST_ARMS = 14


def metric_words(run: Run, metric: str) -> str:
    """A metric's name and which way it is good; the score's is Inception's only over Inception's classes."""
    if metric.startswith("leaked_"):
        return f"nearer to {metric.removeprefix('leaked_')}"
    return f"{score_name(run) if metric == 'score' else LONG[metric]}, {BETTER[metric]} is better"


def _floor(run: Run, metric: str) -> float:
    """The metric of fresh real images, mean over the generators."""
    name = f"floor_{score_column(run) if metric == 'score' else metric}"
    table = assessed(run)
    return float(table[name].astype(float).mean()) if name in table and table[name].notna().any() else np.nan


def _draw_arms(ax: Axes, run: Run, table: pd.DataFrame, metric: str, order: list[str]) -> None:
    """One metric: a point and its interval per arm, the first on top, and a dot per seed."""
    seeds = assessed(run)
    for row, arm in enumerate(order):
        own = table[table["arm"].eq(arm) & table["metric"].eq(metric)]
        dots = seeds.loc[seeds["arm"].eq(arm), metric].dropna().to_numpy(float)
        ax.plot(dots, np.full(len(dots), row + 0.22), ls="", marker="o", ms=4, mfc="white", mec=SOFT, mew=0.9, zorder=2)
        if own.empty:
            continue
        mean, low, high = own[["mean", "low", "high"]].astype(float).mean()
        colour = SOFT if row == 0 else OKABE_ITO[0]
        if not np.isnan(low):
            ax.plot([low, high], [row, row], color=colour, lw=2, zorder=3)
        ax.plot([mean], [row], ls="", marker="D" if row == 0 else "o", ms=7, color=colour, mec="white", zorder=4)
        if row == 0:
            ax.axvline(mean, color=RULE, lw=1.2, zorder=0)
    ax.set_yticks(range(len(order)), [shortened(arm, 30) for arm in order], parse_math=False)
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.margins(x=0.08)


@styled
def metric_bars(run: Run) -> Figure | None:
    """Metrics of every arm over seeds, a panel per metric. None where nothing was assessed."""
    if assessed(run).empty:
        return None
    table = generators(run)
    shown = [m for m in BARS if table["metric"].eq(m).any()]
    order = thin(arms(run), MOST_ARMS)
    room = 0.3 + 0.1 * max(len(shortened(arm, 30)) for arm in order)
    columns = min(3, len(shown))
    fig, axes = page(
        "How good are the generators, by augmentation of their training set?",
        "means and 95 % t-intervals over seeds, a dot per seed",
        len(shown),
        ((12.4 - room) / columns - 0.35, 0.36 * len(order) + 0.3),
        columns=columns,
        margins=(room, 0.3, 0.45, 0.4),
        gap=(0.35, 0.95),
        note="Grey line and diamond: without augmentation. Dotted: fresh real images, as good as it gets.",
        lowest=1.0,
    )
    for ax, metric in zip(axes, shown, strict=True):
        _draw_arms(ax, run, table, metric, order)
        floor = _floor(run, metric)
        if not np.isnan(floor):
            ax.axvline(floor, color=OKABE_ITO[2], lw=1.5, ls=":", zorder=1)
        ax.set_title(metric_words(run, metric), loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    return fig


@styled
def step_curves(run: Run) -> Figure | None:
    """Metrics over the steps of training, a line per arm. None where no generators were kept on the way."""
    table = over_steps(run)
    if table.empty:
        return None
    shown = [m for m in CURVES if table["metric"].eq(m).any()]
    order = thin([arm for arm in arms(run) if table["arm"].eq(arm).any()], 7)
    keys = [(Line2D([], [], lw=2, ms=6, **line_look(k)), arm) for k, arm in enumerate(order)]
    fig, axes = page(
        "The metrics while the generators train",
        "means over seeds, bars: 95 % t-intervals; every step from the same latent vectors",
        len(shown),
        (3.7, 2.9),
        columns=len(shown),
        margins=(0.8, 0.3, 0.7, 0.4),
        gap=(0.65, 0.8),
        keys=keys,
        lowest=1.6,
    )
    for ax, metric in zip(axes, shown, strict=True):
        for k, arm in enumerate(order):
            own = table[table["arm"].eq(arm) & table["metric"].eq(metric)].sort_values("step")
            x = own["step"].to_numpy(float) * (1 + 0.012 * (k - len(order) / 2))
            mean, half = own["mean"].to_numpy(float), (own["high"] - own["mean"]).to_numpy(float)
            ax.plot(x, mean, lw=1.8, ms=5, **line_look(k))
            if np.isfinite(half).any():
                ax.errorbar(x, mean, yerr=half, fmt="none", ecolor=OKABE_ITO[k % 7], elinewidth=1, alpha=0.6)
        ax.set_title(metric_words(run, metric), loc="left", fontsize=11)
        ax.set_xlabel("training steps")
        ax.grid(axis="y")
    return fig


@styled
def orientation(run: Run) -> Figure | None:
    """The score against kernel distance, of every arm and of sets that are worthless: which way is the score read?
    None where the run has no such sets.
    """
    sets, table = reference_sets(run), assessed(run)
    if sets.empty or table.empty:
        return None
    order = thin(arms(run), 7)
    name = score_name(run)
    means = sets.groupby("set", sort=False)[["kid", "score"]].mean()
    means.loc["fresh real images"] = [_floor(run, "kid"), _floor(run, "score")]
    keys = [(Line2D([], [], ls="", ms=7, **line_look(k)), arm) for k, arm in enumerate(order)]
    fig, (ax,) = page(
        f"{name} read as “lower is better” prefers one image repeated for ever",
        "a point per generator; in black, sets of images whose worth is known",
        1,
        (8.2, 4.3),
        margins=(0.9, 2.4, 0.7, 0.2),
        keys=keys,
        lowest=2.5,
        note="Good images lie at the lower right: near to real ones, and each surely of one of many classes.",
    )
    for k, arm in enumerate(order):
        own = table[table["arm"].eq(arm)]
        look: dict[str, Any] = {"ls": "", "ms": 7, "mec": "white", "mew": 0.8, **line_look(k)}
        ax.plot(own["score"].to_numpy(float), own["kid"].to_numpy(float), **look)
    for label, (kid, score) in means.iterrows():
        ax.plot([score], [kid], ls="", marker="*", ms=13, color=INK)
        ax.annotate(str(label), (float(score), float(kid)), (9, 4), textcoords="offset points", fontsize=12)
    ax.axvline(1, color=RULE, lw=1.2)
    ax.set_xlabel(f"{name} (1 is the least there is)")
    ax.set_ylabel("kernel distance (KID)")
    near = max(1e-3, abs(float(table["kid"].astype(float).median())))
    ax.set_yscale("symlog", linthresh=near)
    ax.set_ylim(-near, 3 * max(float(means["kid"].max()), float(table["kid"].astype(float).max())))
    ax.grid(axis="both")
    return fig


@styled
def leak_bars(run: Run) -> Figure | None:
    """Share of generated images that lie nearer to a changed real image than to any real one, per arm. None where it
    was not asked for.
    """
    names, table = leaks(run), assessed(run)
    if not names or table.empty:
        return None
    order, stats = thin(arms(run), MOST_ARMS), generators(run)
    room = 0.3 + 0.1 * max(len(shortened(arm, 30)) for arm in order)
    fig, axes = page(
        "What of the training set's augmentation is in the samples?",
        "share of generated images nearer, by pixels, to a changed real image than to any real one; means and 95 % "
        "t-intervals over seeds",
        len(names),
        ((12.0 - room) / max(2, len(names)) - 0.3, 0.36 * len(order) + 0.3),
        columns=len(names),
        margins=(room, 0.3, 0.5, 0.4),
        gap=(0.35, 0.8),
        note="Dotted: the same share of fresh real images (left), and of these once they are changed (right).",
        lowest=1.0,
    )
    for ax, name in zip(axes, names, strict=True):
        _draw_arms(ax, run, stats, name, order)
        for of in ("validation", "changed"):
            ax.axvline(float(table[f"{name}_{of}"].astype(float).mean()), color=OKABE_ITO[2], lw=1.5, ls=":")
        ax.set_xlim(-0.03, 1.03)
        ax.set_title(metric_words(run, name), loc="left")
        if not is_leftmost(ax, axes):
            ax.set_yticklabels([])
    return fig
