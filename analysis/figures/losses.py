"""GAN losses over training steps: a line per generator, so that a collapse or a divergence is seen, not
averaged away.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import described, thin, written
from analysis.figures.sheet import OKABE_ITO, is_leftmost, page, styled
from analysis.run import Run

MOST_PANELS = 6
PARTS = (("generator", OKABE_ITO[1], "-"), ("discriminator", OKABE_ITO[0], (0, (4, 1.5))))


def made_by(curve: dict[str, Any]) -> dict[str, str]:
    """The generator's factors but the seed, as text: beside its losses, or in a mapping of their own."""
    besides = ("key", "losses", "factors", "codes", "assessed")
    found = curve.get("factors") or {k: v for k, v in curve.items() if k not in besides}
    return {k: written(v) for k, v in found.items() if k != "seed"}


def numbers(values: Any) -> np.ndarray:
    found = np.array([np.nan if v is None else float(v) for v in values or []])
    return np.where(np.isfinite(found), found, np.nan)


@styled
def gan_losses(run: Run) -> Figure | None:
    """A panel per setting of the generator (at most 6), in it a line per seed and network. None without
    curves.
    """
    groups: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for curve in run.curves():
        groups.setdefault(tuple(made_by(curve).items()), []).append(curve["losses"])
    if not groups:
        return None
    constant = set.intersection(*(set(group) for group in groups)) if len(groups) > 1 else set()
    picked = thin(list(groups), MOST_PANELS)
    most = max(len(curves) for curves in groups.values())
    said = f"one line per generator, {most} seed{'s' * (most != 1)} in a panel, nothing averaged"
    if len(picked) < len(groups):
        said += f"; {len(picked)} of {len(groups)} settings shown"
    if constant:
        said += f"\nat {described(dict(constant), sorted(k for k, _ in constant))}"
    columns = min(3, len(picked))
    fig, axes = page(
        "GAN losses while training",
        said,
        len(picked),
        (3.4, 2.5) if len(picked) > 1 else (6.5, 3.0),
        columns=columns,
        margins=(0.85, 0.3, 0.7, 0.34),
        gap=(0.3, 1.05),
        lowest=1.3,
        keys=[(Line2D([], [], color=colour, ls=ls, lw=2), name) for name, colour, ls in PARTS],
        note="Losses of a GAN say whether training was stable, not how good its images are.",
    )
    values = np.concatenate(
        [numbers(losses.get(part)) for key in picked for losses in groups[key] for part, *_ in PARTS]
    )
    values = values[~np.isnan(values)]
    low, high = np.quantile(values, [0.002, 0.998]) if len(values) else (0.0, 1.0)
    pad = 0.08 * (high - low) or 0.5
    for ax, key in zip(axes, picked, strict=True):
        for losses in groups[key]:
            step = numbers(losses.get("step"))
            for part, colour, ls in PARTS:
                loss = numbers(losses.get(part))
                ax.plot(step[: len(loss)], loss[: len(step)], color=colour, ls=ls, lw=1.2, alpha=0.8)
        ax.set_title(", ".join(f"{k} {v}" for k, v in key if (k, v) not in constant), loc="left")
        ax.set_xlabel("training step")
        ax.set_ylim(low - pad, high + pad)
        ax.grid(axis="y")
        if is_leftmost(ax, axes):
            ax.set_ylabel("loss")
        else:
            ax.set_yticklabels([])
    return fig
