"""Samples over training: what the generator made of each class after more and more steps, from the same latent
vectors, so that a collapse or a late start is seen.
"""

import numpy as np
from matplotlib.figure import Figure

from analysis.factors import described, thin
from analysis.figures.samples import Block, draw_mosaic, name_rows
from analysis.figures.sheet import page, shortened, styled
from analysis.run import Run, SampleSheet

MOST_CLASSES, MOST_STEPS, IMAGES = 10, 7, 3
SIZE, STEP = 0.48, 1.1


@styled
def snapshots(run: Run, sheet: SampleSheet) -> Figure | None:
    """A row per class (at most 10, evenly spread), a column per step (at most 7), up to 3 images each. None where the
    sheet has no snapshots.
    """
    if sheet.snapshots is None or sheet.snapshot_steps is None or not len(sheet.snapshots):
        return None
    names = [str(name) for name in run.summary.get("classes") or range(sheet.snapshots.shape[1])]
    classes = thin(range(sheet.snapshots.shape[1]), MOST_CLASSES)
    steps = thin(range(len(sheet.snapshots)), MOST_STEPS)
    m = min(IMAGES, sheet.snapshots.shape[2])
    longest = max(len(shortened(names[c], 16)) for c in classes)
    few = [f"{len(classes)} of {len(names)} classes"] if len(classes) < len(names) else []
    few += [f"{len(steps)} of {len(sheet.snapshots)} snapshots"] if len(steps) < len(sheet.snapshots) else []
    made = {k: v for k, v in sheet.factors.items() if k != "threshold"}  # the filter comes after training
    fig, axes = page(
        "Generated images while the GAN trains",
        f"{described(made, made)}; unfiltered{'; ' if few else ''}{', '.join(few)}",
        len(steps),
        (m * STEP * SIZE, len(classes) * STEP * SIZE),
        columns=len(steps),
        margins=(0.35 + 0.1 * longest, 0.2, 0.1, 0.3),
        gap=(0.18, 0.3),
    )
    for ax, t in zip(axes, steps, strict=True):
        draw_mosaic(ax, Block("", np.asarray(sheet.snapshots[t])[:, :m]), classes, STEP)
        ax.set_title(f"step {int(sheet.snapshot_steps[t])}", loc="left", fontsize=12)
    name_rows(axes[0], [names[c] for c in classes], STEP)
    return fig
