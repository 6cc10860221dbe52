"""How accuracy moved while the classifiers learned: on their own images and on validation images, over updates."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.factors import described, thin, written
from analysis.figures.sheet import OKABE_ITO, is_leftmost, page, styled
from analysis.run import Run

MOST_PANELS = 4
PARTS = (("train", "training images", OKABE_ITO[5], "-"), ("validation", "validation images", OKABE_ITO[1], "-"))


def curve_groups(run: Run) -> dict[tuple[tuple[str, str], ...], list[tuple[str, dict[str, Any]]]]:
    """(cell, curve) of every classifier by its cell's setting: the factors but the seed, as text."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[str, dict[str, Any]]]] = {}
    for cell in run.classifier_curves():
        setting = tuple((k, written(v)) for k, v in cell["factors"].items() if k not in ("seed", "arm"))
        groups.setdefault(setting, []).extend((cell["cell"], curve) for curve in cell["curves"])
    return groups


@styled
def training_curves(run: Run) -> Figure | None:
    """A panel per setting (at most 4): thin lines are classifiers, thick ones their mean. None without curves."""
    groups = curve_groups(run)
    if not groups:
        return None
    common = set.intersection(*(set(group) for group in groups))
    picked = thin(list(groups), MOST_PANELS)
    tested = run.cells.set_index("cell")["accuracy"]
    most = max(len(own) for own in groups.values())
    said = f"thin: each of {most} classifiers; thick: their mean" if most > 1 else "one classifier each"
    if len(picked) < len(groups):
        said += f"; {len(picked)} of {len(groups)} settings shown"
    kept = [(k, v) for k, v in sorted(common) if v != "—" and (k, v) != ("n_gen", "0")]
    if len(groups) > 1 and kept:
        said += f"\nat {described(dict(kept), [k for k, _ in kept])}"
    keys: list[tuple[Any, str]] = [(Line2D([], [], color=c, ls=ls, lw=2.5), name) for _, name, c, ls in PARTS]
    keys.append((Line2D([], [], ls="", marker="s", ms=8, mfc="white", mec=OKABE_ITO[1], mew=2), "test images, mean"))
    titles = [", ".join(f"{k} {v}" for k, v in key if (k, v) not in common) for key in picked]
    broken = ["\n".join(_lines(title)) for title in titles]
    columns = min(2, len(picked))
    fig, axes = page(
        "Accuracy while the classifiers learned",
        said,
        len(picked),
        (5.2, 3.2) if len(picked) > 1 else (7, 3.4),
        columns=columns,
        margins=(0.85, 0.3, 0.7, 0.14 + 0.22 * max(t.count("\n") + bool(t) for t in broken)),
        gap=(0.4, 1.3),
        keys=keys,
        lowest=1.5,
    )
    for ax, key, title in zip(axes, picked, broken, strict=True):
        curves = [curve for _, curve in groups[key]]
        for part, _, colour, ls in PARTS:
            lines = 100 * np.array([curve[part] for curve in curves], float)
            update = np.array(curves[0]["update"], float)
            if len(lines) > 1:
                ax.plot(update, lines.T, color=colour, lw=0.7, alpha=0.5)
            ax.plot(update, lines.mean(0), color=colour, ls=ls, lw=2.5)
        cells = list(dict.fromkeys(cell for cell, _ in groups[key]))
        known = 100 * tested.reindex(cells).dropna().to_numpy(float)
        if len(known):
            last = curves[0]["update"][-1]
            ax.plot([last], [known.mean()], "s", ms=8, mfc="white", mec=OKABE_ITO[1], mew=2, clip_on=False)
        ax.set_title(title, loc="left", parse_math=False)
        ax.set_xlabel("update")
        ax.grid(axis="y")
        if is_leftmost(ax, axes):
            ax.set_ylabel("accuracy, %")
        else:
            ax.set_yticklabels([])
    low = min(ax.get_ylim()[0] for ax in axes)
    for ax in axes:
        ax.set_ylim(max(0, low), 100.8)
    return fig


def _lines(title: str, most: int = 44) -> list[str]:
    """A title on lines of at most about `most` letters, broken at the + of an augmentation."""
    out = [""]
    for part in title.replace("+", "+\0").split("\0"):
        if out[-1] and len(out[-1]) + len(part) > most:
            out.append("")
        out[-1] += part
    return out
