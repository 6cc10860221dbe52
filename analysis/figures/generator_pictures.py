"""Pictures of a study of generators: a row of samples per arm, the same over training, and what a classifier says."""

import numpy as np
from matplotlib.figure import Figure

from analysis.factors import thin
from analysis.figures.samples import picture
from analysis.figures.sheet import INK, OKABE_ITO, SOFT, page, shortened, styled
from analysis.generator_tables import arms, assessed, is_baseline, score_name
from analysis.run import Run, SampleSheet

ACROSS, MOST_ROWS, MOST_STEPS, PER_STEP = 20, 14, 7, 3
MOST_CLASSES = 12  # whose probabilities are drawn as bars


def _named(run: Run) -> dict[str, SampleSheet]:
    """The sheets by their arm, in the order of the study."""
    table = assessed(run)
    found: dict[str, SampleSheet] = {}
    for sheet in run.samples():
        keep = np.ones(len(table), bool)
        for name, value in sheet.factors.items():
            if name in table:
                keep &= (table[name].isna() if value is None else table[name].eq(value).fillna(False)).to_numpy(bool)
        if keep.any():
            found.setdefault(str(table.loc[keep, "arm"].iloc[0]), sheet)
    order = arms(run)
    return {arm: found[arm] for arm in sorted(found, key=order.index)}


def _strip(images: np.ndarray, scale: int) -> np.ndarray:
    """(n, C, H, W) side by side with white between them, each pixel `scale` wide: (scale H, n (scale W + gap), 3)."""
    gap = np.full((images.shape[2] * scale, max(1, scale), 3), 255, np.uint8)
    parts = [np.concatenate([picture(image).repeat(scale, 0).repeat(scale, 1), gap], axis=1) for image in images]
    return np.concatenate(parts, axis=1)


def _first(images: np.ndarray, n: int) -> np.ndarray:
    """The first `n` of (classes, m, C, H, W), class by class in turn: (n, C, H, W)."""
    turns = images.swapaxes(0, 1).reshape(-1, *images.shape[2:])
    return turns[: min(n, len(turns))]


@styled
def arm_sheet(run: Run) -> Figure | None:
    """A row of generated images per arm of the first seed, real ones on top. None without pictures."""
    sheets = _named(run)
    if not sheets:
        return None
    names = thin(list(sheets), MOST_ROWS)
    first = sheets[names[0]]
    rows = [("real", _first(first.real, ACROSS)), *((arm, _first(sheets[arm].kept, ACROSS)) for arm in names)]
    scale = max(1, round(64 / first.real.shape[-1]))
    room = 0.3 + 0.105 * max(len(shortened(arm, 30)) for arm, _ in rows)
    fig, (ax,) = page(
        "What the generators make, by augmentation of their training set",
        f"the first images of each stream, unfiltered, seed {first.factors.get('seed')}; the same latent vectors in "
        f"every row",
        1,
        (12.9 - room, 0.56 * len(rows)),
        margins=(room, 0.1, 0.1, 0.1),
    )
    _draw_rows(ax, [(shortened(arm, 30), _strip(images, scale)) for arm, images in rows])
    return fig


def _draw_rows(ax, rows: list[tuple[str, np.ndarray]]) -> None:  # type: ignore[no-untyped-def]
    """Strips of one size below one another, each under its name on the left."""
    gap = np.full((max(1, rows[0][1].shape[0] // 12), rows[0][1].shape[1], 3), 255, np.uint8)
    canvas = np.concatenate([part for _, strip in rows for part in (strip, gap)])
    ax.imshow(canvas, aspect="auto", interpolation="nearest")
    ax.set_axis_off()
    for i, (name, _) in enumerate(rows):
        at = 1 - (i + 0.5) / len(rows)
        ax.text(-0.008, at, name, ha="right", va="center", fontsize=12, transform=ax.transAxes, parse_math=False)


@styled
def arms_over_steps(run: Run) -> Figure | None:
    """A row per arm, a column per step: the same latent vectors as training goes on. None without snapshots."""
    sheets = {arm: s for arm, s in _named(run).items() if s.snapshots is not None and s.snapshot_steps is not None}
    if not sheets:
        return None
    names = thin(list(sheets), MOST_ROWS)
    some = sheets[names[0]]
    assert some.snapshots is not None  # of those kept above
    assert some.snapshot_steps is not None
    at = thin(range(len(some.snapshots)), MOST_STEPS)
    scale = max(1, round(64 / some.real.shape[-1]))
    room = 0.3 + 0.105 * max(len(shortened(arm, 30)) for arm in names)
    fig, axes = page(
        "The generators' images while they train",
        f"the same latent vectors after more and more steps, seed {some.factors.get('seed')}",
        len(at),
        ((12.9 - room) / len(at) - 0.12, 0.52 * len(names)),
        columns=len(at),
        margins=(room, 0.1, 0.1, 0.35),
        gap=(0.12, 0.3),
    )
    for ax, t in zip(axes, at, strict=True):
        rows = []
        for arm in names:
            shots = sheets[arm].snapshots
            assert shots is not None
            shown = _first(np.asarray(shots[min(t, len(shots) - 1)]), PER_STEP)
            rows.append((shortened(arm, 30) if ax is axes[0] else "", _strip(shown, scale)))
        _draw_rows(ax, rows)
        ax.set_title(f"step {int(some.snapshot_steps[t])}", loc="left", fontsize=12)
    return fig


@styled
def score_illustrated(run: Run) -> Figure | None:
    """p(y|x) of a few generated images beside p(y) of all of them: what the score measures. None where the run kept
    no probabilities.
    """
    table = assessed(run)
    base = set(table.loc[is_baseline(run, table), "arm"])
    found = [s for arm, s in _named(run).items() if arm in base and s.probabilities is not None]
    if not found or found[0].marginal is None or found[0].probabilities is None:
        return None
    sheet, marginal, said = found[0], found[0].marginal, found[0].probabilities
    names = [str(name) for name in run.summary.get("classes") or []]
    few = len(marginal) <= MOST_CLASSES and len(names) == len(marginal)
    shown = np.arange(len(marginal)) if few else np.sort(np.argsort(-marginal, kind="stable")[:MOST_CLASSES])
    words = [shortened(names[k], 12) if few else f"class {k}" for k in shown]
    classes = thin(range(len(said)), 4)
    picks = [(c, 0) for c in classes] if len(classes) > 1 else [(0, i) for i in range(min(4, said.shape[1]))]
    fig, axes = page(
        f"What {score_name(run)} measures",
        "each image surely of one class, and all of them together of many: the further each p(y|x) is from p(y), the "
        "higher the score; no real image is looked at",
        len(picks) + 1,
        (2.2, 0.22 * len(shown) + 0.3),
        columns=len(picks) + 1,
        margins=(1.35, 0.25, 0.6, 1.25),
        gap=(0.25, 0.3),
    )
    for i, ax in enumerate(axes):
        last = i == len(picks)
        values = marginal[shown] if last else said[picks[i]][shown]
        ax.barh(range(len(shown)), values, color=SOFT if last else OKABE_ITO[0], height=0.75)
        ax.set_yticks(range(len(shown)), words if i == 0 else [""] * len(shown), parse_math=False)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.5], ["0", "0.5"])
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("p(y), all images" if last else "p(y|x)", color=INK)
        if not last:
            inset = ax.inset_axes((0.0, 1.04, 1.0, 0.9 / (0.22 * len(shown) + 0.3)))
            inset.imshow(picture(sheet.kept[picks[i]]), interpolation="nearest")
            inset.set_axis_off()
    return fig
