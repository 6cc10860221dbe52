"""The page every figure is drawn on: sizes in inches, a title that says what, a subtitle that says how,
panels, a footnote.

Positions are computed rather than searched for (no constrained layout): the same run gives the same bytes,
quickly. Colours are Okabe and Ito's, which colour-blind readers can tell apart; every figure also tells its
lines apart by marker. A page fits a slide of 13.33 × 7.5 inches, and shown there no text is below 12 points.
"""

import logging
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganaug.datasets.fonts import installed
from ganaug.files import put

INK, SOFT, RULE = "#1d1f24", "#5b616b", "#d5d8dd"
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
JAPANESE = ("notosanscjk-regular.ttc", "ipagp.ttf", "ipag.ttf", "takaogothic.ttf", "setofont.ttf", "kiloji.ttf")
SLIDE = (13.33, 7.5)  # inches
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
    "legend.fontsize": 12,
    "hatch.linewidth": 0.7,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "ganaug",
}
P = ParamSpec("P")
R = TypeVar("R")


# a notebook's backend is what shows its figures; it is no matter of style
_DEFAULTS: dict[Any, Any] = {
    key: value
    for key, value in mpl.rcParamsDefault.items()
    if not key.startswith(("backend", "interactive", "toolbar"))
}


@cache
def _families() -> list[str]:
    """The style's font, and after it a Japanese one of this machine, if any, for class names that it cannot write."""
    from matplotlib.font_manager import FontProperties, fontManager

    # a face without bold is used as it is, which is no news to whoever reads a report
    log = logging.getLogger("matplotlib.font_manager")
    log.addFilter(lambda record: "Failed to find font weight" not in record.getMessage())
    known = installed()
    for path in (known[name] for name in JAPANESE if name in known):
        fontManager.addfont(path)
        return [STYLE["font.family"], FontProperties(fname=path).get_name()]
    return [STYLE["font.family"]]


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the project's style, and leave matplotlib's settings as they were."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context({**_DEFAULTS, **STYLE, "font.family": _families()}):
            return draw(*args, **kwargs)

    return inside


def wrapped(text: str, inches: float, points: float) -> str:
    """`text` broken so that it fits `inches` at `points`; its own line breaks stay."""
    width = max(20, int(inches * 72 / (points * 0.53)))
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def shortened(text: str, most: int = 24) -> str:
    """A class name that fits beside an axis; its middle gives way."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"


def axes_inches(ax: Axes) -> tuple[float, float]:
    """Width and height of an axis, in inches."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # every axis here is on one
    box, (width, height) = ax.get_position(), figure.get_size_inches()
    return float(box.width * width), float(box.height * height)


def shade(ax: Axes, values: np.ndarray, scale: Mapping[str, Any], gaps: bool = True) -> Any:
    """Colour the cells of values (rows, columns), row 0 on top, NaN left empty; returns matplotlib's mesh.

    scale: `cmap` and `norm`. gaps: white lines between cells. (seaborn's heatmap draws the whole figure to do this.)
    """
    lines: dict[str, Any] = {"linewidth": 1.5, "edgecolor": "white"} if gaps else {}
    mesh = ax.pcolormesh(np.ma.masked_invalid(values), **scale, **lines)
    ax.set(xlim=(0, values.shape[1]), ylim=(values.shape[0], 0))
    return mesh


def is_leftmost(ax: Axes, axes: Sequence[Axes]) -> bool:
    """Whether `ax` stands in the first column: it alone names and numbers a common vertical axis."""
    return bool(ax.get_position().x0 == axes[0].get_position().x0)


def _key_columns(keys: Sequence[tuple[Any, str]], width: float) -> int:
    """As many legend columns as fit; matplotlib fills them from the top, each as wide as its longest text."""
    for columns in range(len(keys), 1, -1):
        parts = np.array_split([len(text) for _, text in keys], columns)  # as a legend shares them out
        widest = [int(part.max()) for part in parts]
        if sum(0.75 + 0.09 * n for n in widest) <= width - 0.4:
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
    lowest: float | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with `panels` axes of `panel` (width, height) inches, `columns` in a row.

    margins: left, right, bottom, top inches around the panels, top above it carries the panel titles. gap:
    between panels. keys: (handle, text) of the one legend under all panels, above the footnote `note`.
    least: the page is at least this wide. lowest: panels may become as low as this, to fit a slide.
    """
    columns = max(1, min(columns, panels))
    rows = -(-panels // columns)
    left, right, bottom, top = margins
    width = max(least, left + columns * panel[0] + (columns - 1) * gap[0] + right)
    title, subtitle = wrapped(title, width - 0.4, 18), wrapped(subtitle, width - 0.4, 12)
    note = wrapped(note, width - 0.4, 12)
    head = 0.2 + 0.27 * len(title.splitlines()) + 0.21 * len(subtitle.splitlines()) + 0.1
    foot = (0.12 + 0.21 * len(note.splitlines())) if note else 0.05
    key_columns = _key_columns(keys, width)
    legend = 0.08 + 0.25 * -(-len(keys) // key_columns) if keys else 0.0
    around = head + top + (rows - 1) * gap[1] + bottom + legend + foot
    tall = panel[1] if lowest is None else min(panel[1], max(lowest, (SLIDE[1] - around) / rows))
    height = around + rows * tall
    fig = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(fig)
    fig.text(0.2 / width, 1 - 0.17 / height, title, fontsize=15, fontweight="bold", va="top", linespacing=1.15)
    under = 1 - (0.24 + 0.27 * len(title.splitlines())) / height
    fig.text(0.2 / width, under, subtitle, fontsize=12, color=SOFT, va="top", linespacing=1.15)
    if note:
        fig.text(0.2 / width, 0.1 / height, note, fontsize=12, color=SOFT, va="bottom", linespacing=1.15)
    axes = []
    for i in range(panels):
        row, column = divmod(i, columns)
        x = left + column * (panel[0] + gap[0])
        y = height - head - top - (row + 1) * tall - row * gap[1]
        axes.append(fig.add_axes((x / width, y / height, panel[0] / width, tall / height)))
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


HEAD = 0.3  # inches that a line above the title takes


def headed(fig: Figure, text: str) -> None:
    """Put a line above the title of a `page`; everything on it keeps its size and moves down."""
    width, height = fig.get_size_inches()
    share = height / (height + HEAD)
    for ax in fig.axes:
        box = ax.get_position()
        ax.set_position((box.x0, box.y0 * share, box.width, box.height * share))
    for written in fig.texts:
        written.set_y(written.get_position()[1] * share)
    for legend in fig.legends:
        x, y = legend.get_bbox_to_anchor().transformed(fig.transFigure.inverted()).p0
        legend.set_bbox_to_anchor((x, y * share), transform=fig.transFigure)
    fig.set_size_inches(width, height + HEAD)
    top = 1 - 0.12 / (height + HEAD)
    fig.text(0.2 / width, top, text, fontsize=12, color=OKABE_ITO[1], va="top")


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
        palette = [255 if level > 251 else level for level in palette]
        white = 3 * int(np.asarray(picture)[0, 0])  # the page's corner: white stays white
        palette[white : white + 3] = [255, 255, 255]
        picture.putpalette(palette)
    made = BytesIO()
    picture.save(made, "PNG", dpi=(DPI, DPI))
    return put(path, made.getvalue(), "figure")


@styled
def save_svg(fig: Figure, path: Path) -> Path:
    """Write `fig` as SVG: text as outlines, so that it looks the same everywhere; no date and no version in it."""
    made = BytesIO()
    fig.savefig(made, format="svg", metadata={"Date": None, "Creator": "ganaug"})
    return put(path, made.getvalue(), "figure")
