"""What every single panel of a notebook has in common: its axis, its title, its legend, and how it refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from analysis.factors import described
from analysis.run import Run
from analysis.words import setting_names


def new_axes(ax: Axes | None, inches: tuple[float, float]) -> Axes:
    """`ax`, or an axis of a new figure of this size."""
    return plt.subplots(figsize=inches, layout="constrained")[1] if ax is None else ax


def titled(ax: Axes, title: str, run: Run, where: Mapping[str, Any]) -> Axes:
    """`ax` under its title, and under that the levels `where`."""
    at = described(where, [name for name in setting_names(run.grid) if name in where])
    ax.set_title(f"{title}\nat {at}" if at else title, loc="left")
    return ax


def legend_below(ax: Axes, keys: Sequence[tuple[Any, str]]) -> None:
    """The legend below the axis and its label, whatever the height of the axis."""
    if keys:
        handles, words = zip(*keys, strict=True)
        below = ax.transAxes + ScaledTranslation(0, -0.62, ax.get_figure(root=True).dpi_scale_trans)  # type: ignore[union-attr]
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": below}
        ax.legend(handles, words, borderaxespad=0, **place)


def without_data(what: str, why: str) -> ValueError:
    """The refusal of the plot `what` where the run has nothing for it."""
    return ValueError(f"{what}: there is nothing to draw, {why}")
