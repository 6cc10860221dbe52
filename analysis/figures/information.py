"""How an InfoGAN learned to use its codes: losses of generator and discriminator, information loss, and the bound on
the information, in nats, which alone can be compared across numbers of classes.
"""

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import described, thin
from analysis.figures.losses import PARTS, made_by, numbers
from analysis.figures.sheet import OKABE_ITO, SOFT, page, styled
from analysis.run import Run

MOST_SETTINGS = 3
INFORMATION, BOUND, SHARED = OKABE_ITO[2], OKABE_ITO[3], OKABE_ITO[4]
LIMIT: dict[str, Any] = {"color": SOFT, "lw": 1.2, "ls": ":"}


def twice_softmax_floor(n_codes: int) -> float:
    """The least information loss where the head's softmax goes through a softmax again: ln(e + K - 1) - 1 nats."""
    return math.log(math.e + n_codes - 1) - 1


@styled
def information(run: Run) -> Figure | None:
    """A row per setting of the generator (at most 3), in each panel a line per seed. None without codes."""
    groups: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for curve in run.curves():
        if "codes" in curve:
            groups.setdefault(tuple(made_by(curve).items()), []).append(curve)
    if not groups:
        return None
    picked = thin(list(groups), MOST_SETTINGS)
    n_codes = len(groups[picked[0]][0]["codes"]["matching"])
    most, floor = math.log(n_codes), twice_softmax_floor(n_codes)
    few = f"; {len(picked)} of {len(groups)} settings" if len(picked) < len(groups) else ""
    stated = (run.study.get("gan") or {}).get("information")
    viewed = any("shared" in curve["losses"] for key in picked for curve in groups[key])
    twice = {key: dict(key).get("gan.information", stated) == "softmax" for key in picked}
    told = " and ".join(dict.fromkeys("through two softmaxes" if twice[key] else "of the logits" for key in picked))
    fig, axes = page(
        "What the generator's codes come to say",
        f"{n_codes} codes, one line per generator{few}; information loss {told}",
        3 * len(picked),
        (3.5, 2.6),
        columns=3,
        margins=(0.75, 0.3, 0.7, 0.34),
        gap=(0.75, 1.05),
        lowest=1.3,
        keys=[
            *((Line2D([], [], color=colour, ls=ls, lw=2), name) for name, colour, ls in PARTS),
            (Line2D([], [], color=INFORMATION, lw=2), "information loss"),
            (Line2D([], [], color=BOUND, lw=2), "bound: ln K − cross-entropy"),
            *([(Line2D([], [], color=SHARED, lw=2), "shared by two views of a real image")] if viewed else []),
            (Line2D([], [], **LIMIT), f"ln {n_codes}" + (", floor of two softmaxes" if any(twice.values()) else "")),
        ],
        note=f"The bound is 0 where codes do nothing, and ln {n_codes} = {most:.2f} nats where they are always read. "
        f"A softmax before the cross-entropy keeps the loss above {floor:.2f}, however well they are read.",
    )
    for row, key in enumerate(picked):
        losses_ax, information_ax, bound_ax = axes[3 * row : 3 * row + 3]
        for curve in groups[key]:
            losses, step = curve["losses"], numbers(curve["losses"].get("step"))
            for part, colour, ls in PARTS:
                losses_ax.plot(step, numbers(losses[part]), color=colour, ls=ls, lw=1.2, alpha=0.8)
            information_ax.plot(step, numbers(losses["information"]), color=INFORMATION, lw=1.2, alpha=0.8)
            bound_ax.plot(step, numbers(losses["bound"]), color=BOUND, lw=1.2, alpha=0.8)
            if "shared" in losses:
                bound_ax.plot(step, numbers(losses["shared"]), color=SHARED, lw=1.2, alpha=0.8)
        information_ax.axhline(floor if twice[key] else most, **LIMIT)
        bound_ax.axhline(most, **LIMIT)
        information_ax.set_ylim(0, 1.15 * most)
        bound_ax.set_ylim(min(0.0, bound_ax.get_ylim()[0]), 1.15 * most)
        names = described(dict(key), [k for k, _ in key]) if len(picked) > 1 else ""
        titles = ("losses of the GAN", "information loss, nats", "bound, nats")
        for place, (ax, title) in enumerate(zip((losses_ax, information_ax, bound_ax), titles, strict=True)):
            ax.set_title(names if names and not place else title, loc="left")
            ax.set_xlabel("training step")
            ax.grid(axis="y")
    return fig
