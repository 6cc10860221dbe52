"""The page every figure is drawn on: sizes in inches, a title that says what, a subtitle that says how,
panels, a footnote.

Positions are computed rather than searched for (no constrained layout): the same run gives the same bytes,
quickly. Colours are Okabe and Ito's, which colour-blind readers can tell apart; every figure also tells its
lines apart by marker.
"""

import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

INK, SOFT, RULE = "#1d1f24", "#5b616b", "#d5d8dd"
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DPI = 120
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "hatch.linewidth": 0.7,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the project's style, and leave matplotlib's settings as they were."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
            return draw(*args, **kwargs)

    return inside


def wrapped(text: str, inches: float, points: float) -> str:
    """`text` broken so that it fits `inches` at `points`; its own line breaks stay."""
    width = max(20, int(inches * 72 / (points * 0.53)))
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def _key_columns(keys: Sequence[tuple[Any, str]], width: float) -> int:
    """As many legend columns as fit; matplotlib fills them from the top, each as wide as its longest text."""
    for columns in range(len(keys), 1, -1):
        rows = -(-len(keys) // columns)
        widest = [max(len(text) for _, text in keys[i : i + rows]) for i in range(0, len(keys), rows)]
        if sum(0.75 + 0.088 * n for n in widest) <= width - 0.4:
            return columns
    return 1


def page(
    title: str,
    subtitle: str,
    panels: int,
    panel: tuple[float, float],
    columns: int = 1,
    margins: tuple[float, float, float, float] = (0.9, 0.3, 0.7, 0.3),
    gap: tuple[float, float] = (0.4, 0.8),
    least: float = 6.4,
    note: str = "",
    keys: Sequence[tuple[Any, str]] = (),
) -> tuple[Figure, list[Axes]]:
    """A figure with `panels` axes of `panel` (width, height) inches, `columns` in a row.

    margins: left, right, bottom, top inches around the panels, top above it carries the panel titles. gap:
    between panels. keys: (handle, text) of the one legend under all panels, above the footnote `note`.
    least: the page is at least this wide.
    """
    columns = max(1, min(columns, panels))
    rows = -(-panels // columns)
    left, right, bottom, top = margins
    width = max(least, left + columns * panel[0] + (columns - 1) * gap[0] + right)
    title, subtitle = wrapped(title, width - 0.4, 15), wrapped(subtitle, width - 0.4, 11)
    note = wrapped(note, width - 0.4, 10)
    head = 0.2 + 0.27 * len(title.splitlines()) + 0.2 * len(subtitle.splitlines()) + 0.1
    foot = (0.12 + 0.18 * len(note.splitlines())) if note else 0.05
    key_columns = _key_columns(keys, width)
    legend = 0.08 + 0.25 * -(-len(keys) // key_columns) if keys else 0.0
    height = head + top + rows * panel[1] + (rows - 1) * gap[1] + bottom + legend + foot
    fig = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(fig)
    fig.text(0.2 / width, 1 - 0.17 / height, title, fontsize=15, fontweight="bold", va="top", linespacing=1.15)
    under = 1 - (0.24 + 0.27 * len(title.splitlines())) / height
    fig.text(0.2 / width, under, subtitle, fontsize=11, color=SOFT, va="top", linespacing=1.15)
    if note:
        fig.text(0.2 / width, 0.1 / height, note, fontsize=10, color=SOFT, va="bottom", linespacing=1.15)
    axes = []
    for i in range(panels):
        row, column = divmod(i, columns)
        x = left + column * (panel[0] + gap[0])
        y = height - head - top - (row + 1) * panel[1] - row * gap[1]
        axes.append(fig.add_axes((x / width, y / height, panel[0] / width, panel[1] / height)))
    if keys:
        handles, words = zip(*keys, strict=True)
        at = (0.2 / width, (foot + legend) / height)
        fig.legend(
            handles,
            words,
            loc="upper left",
            bbox_to_anchor=at,
            ncols=key_columns,
            borderpad=0,
            borderaxespad=0,
            columnspacing=1.6,
        )
    return fig, axes


@styled
def save(fig: Figure, path: Path, colours: int = 256) -> Path:
    """Write `fig` as PNG, without a date or a version in it; a palette of `colours` keeps it small (0:
    every colour).
    """
    canvas = fig.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if colours:
        picture = picture.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette = picture.getpalette() or []
        picture.putpalette([255 if shade > 251 else shade for shade in palette])  # white stays white
    picture.save(path, dpi=(DPI, DPI))
    return path
