"""What an InfoGAN's codes stand for: images of every class, and what each continuous code changes in them."""

import numpy as np
from matplotlib.figure import Figure

from analysis.factors import described, thin
from analysis.figures.samples import Block, draw_mosaic, name_rows
from analysis.figures.sheet import page, shortened, styled
from analysis.run import Run, SampleSheet

MOST_ROWS, MOST_TRAVERSED, IMAGES = 16, 12, 8
SIZE, STEP = 0.4, 1.1


def _names(run: Run, n: int) -> list[str]:
    return [str(name) for name in run.summary.get("classes") or range(n)]


@styled
def class_grid(run: Run, sheet: SampleSheet) -> Figure | None:
    """Up to 8 kept images of every class, 16 classes in a column; black where a class has fewer. None for a generator
    without codes, or without images.
    """
    if sheet.traversal is None:
        return None
    n = len(sheet.kept)
    names, there = _names(run, n), int((~np.isnan(sheet.kept_score)).sum(axis=1).max())
    m = min(IMAGES, there)
    if not m:
        return None
    columns = -(-n // MOST_ROWS)
    rows = -(-n // columns)
    longest = max(len(shortened(name, 14)) for name in names)
    fig, axes = page(
        "Generated images of every class",
        f"{described(sheet.factors, sheet.factors)}; a row per class, its code matched from a few labelled images",
        columns,
        (m * STEP * SIZE, rows * STEP * SIZE),
        columns=columns,
        margins=(0.35 + 0.1 * longest, 0.2, 0.1, 0.1),
        gap=(0.35 + 0.1 * longest, 0.3),
    )
    for column, ax in enumerate(axes):
        picked = list(range(column * rows, min(n, (column + 1) * rows)))
        draw_mosaic(ax, Block("", sheet.kept), picked, STEP, m)
        if len(picked) < rows:  # the last column may be shorter: its rows keep their height
            box = ax.get_position()
            high = box.height * len(picked) / rows
            ax.set_position((box.x0, box.y0 + box.height - high, box.width, high))
        name_rows(ax, [names[c] for c in picked], STEP)
    return fig


@styled
def traversal(run: Run, sheet: SampleSheet) -> Figure | None:
    """A panel per continuous code, a row per class (at most 12), the code growing from left to right. None without
    continuous codes.
    """
    if sheet.traversal is None or sheet.traversal_values is None or not len(sheet.traversal):
        return None
    n_codes, n, n_values = sheet.traversal.shape[:3]
    names, picked = _names(run, n), thin(range(n), MOST_TRAVERSED)
    longest = max(len(shortened(names[c], 14)) for c in picked)
    few = f"; {len(picked)} of {n} classes" if len(picked) < n else ""
    low, high = sheet.traversal_values[0], sheet.traversal_values[-1]
    fig, axes = page(
        "What each continuous code changes",
        f"{described(sheet.factors, sheet.factors)}{few}\nin a row one image, its code going from {low:.2f} to "
        f"{high:.2f} while all else stays",
        n_codes,
        (n_values * STEP * SIZE, len(picked) * STEP * SIZE),
        columns=min(2, n_codes),
        margins=(0.35 + 0.1 * longest, 0.2, 0.1, 0.3),
        gap=(0.35 + 0.1 * longest, 0.5),
    )
    for code, ax in enumerate(axes):
        draw_mosaic(ax, Block("", np.asarray(sheet.traversal[code])), picked, STEP, n_values)
        ax.set_title(f"code {code + 1}", loc="left", fontsize=12)
        name_rows(ax, [names[c] for c in picked], STEP)
    return fig
