"""The page on which two studies of generators are compared: does the pattern over augmentations agree?"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.generators import metric_words
from analysis.figures.sheet import OKABE_ITO, RULE, page, save, save_svg, styled
from analysis.generator_agreement import Agreement, agreement
from analysis.page import data_uri, render
from analysis.run import Run
from analysis.tables import table
from analysis.words import plural
from ganaug.files import put

METRICS = ("score", "kid")


def _told(found: Agreement) -> str:
    span = "no interval" if np.isnan(found.low) else f"95 % interval [{found.low:+.2f}, {found.high:+.2f}]"
    return f"{found.spearman:+.2f}, {span}, {plural(len(found.arms), 'arm')}".replace("-", "−")


@styled
def agreement_scatter(a: Run, b: Run, names: tuple[str, str]) -> Figure:
    """Each arm's change against no augmentation in the one run, against the other's; a panel per metric."""
    fig, axes = page(
        "Does the pattern over augmentations agree between the two data sets?",
        "change against no augmentation, means and 95 % t-intervals over seeds; Spearman’s correlation over arms",
        len(METRICS),
        (4.8, 3.8),
        columns=len(METRICS),
        margins=(0.95, 0.6, 0.7, 0.6),
        gap=(1.1, 0.8),
    )
    for ax, metric in zip(axes, METRICS, strict=True):
        found = agreement(a, b, metric)
        ax.axhline(0, color=RULE, lw=1.2)
        ax.axvline(0, color=RULE, lw=1.2)
        rows: Any = found.arms.sort_values("a").to_dict("records")
        gaps = [np.inf, *np.diff([row["a"] for row in rows]), np.inf]
        for place, row in enumerate(rows):
            if not np.isnan(row["a_low"]):
                ax.plot([row["a_low"], row["a_high"]], [row["b"]] * 2, color=OKABE_ITO[0], lw=1, alpha=0.6)
            if not np.isnan(row["b_low"]):
                ax.plot([row["a"]] * 2, [row["b_low"], row["b_high"]], color=OKABE_ITO[0], lw=1, alpha=0.6)
            ax.plot([row["a"]], [row["b"]], ls="", marker="o", ms=7, color=OKABE_ITO[0], mec="white")
            side = 1 if gaps[place] <= gaps[place + 1] else -1  # a name stands away from the nearest arm
            ax.annotate(
                row["arm"], (row["a"], row["b"]), (6 * side, 6 * side), textcoords="offset points", parse_math=False,
                ha="left" if side > 0 else "right", va="bottom" if side > 0 else "top",
            )  # fmt: skip
        for scale, values in ((ax.set_xscale, found.arms["a"]), (ax.set_yscale, found.arms["b"])):
            sizes = values.abs()[values != 0]
            if len(sizes) and sizes.max() > 10 * sizes.median():  # one arm far out would press the others together
                scale("symlog", linthresh=float(sizes.median()))
        ax.margins(0.12)
        ax.set_xlabel(f"change on {names[0]}")
        ax.set_ylabel(f"change on {names[1]}")
        ax.set_title(f"{metric_words(a, metric)}\n{_told(found)}", loc="left", fontsize=11)
        ax.grid()
    return fig


def _data(run: Run) -> str:
    return str(run.summary.get("stand_in") or run.summary.get("dataset"))


def write_agreement(a: Run, b: Run) -> Path:
    """Write `report/against-<b's folder>.html` into the folder of `a`; UserError as `agreement`."""
    found = {metric: agreement(a, b, metric) for metric in METRICS}
    names = (_data(a), _data(b)) if _data(a) != _data(b) else (a.folder.name, b.folder.name)
    stem = f"against-{b.folder.resolve().name}"
    path = a.folder / "report" / "figures" / f"{stem}-agreement.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = agreement_scatter(a, b, names)
    save(figure, path)
    save_svg(figure, path.with_suffix(".svg"))
    width, height = (round(96 * side) for side in figure.get_size_inches())
    rows = [{"metric": metric_words(a, metric), "Spearman": _told(one)} for metric, one in found.items()]
    page_text = render(
        "agreement.html.j2",
        ("page.js",),
        title=f"{a.name} against {b.name} — ganaug",
        names=names,
        folders=(str(a.folder), str(b.folder)),
        statement=f"Rank correlation of the arms by {metric_words(a, 'score')}: {_told(found['score'])}; by "
        f"{metric_words(a, 'kid')}: {_told(found['kid'])}.",
        figures=[
            {
                "id": "agreement", "uri": data_uri(path.read_bytes()), "width": width, "height": height,
                "alt": "Scatter plots of the arms’ changes on two data sets. Numbers: table of correlations.",
                "caption": "Each arm once: were the pattern the same, the points would rise from left to right.",
            }
        ],
        table=table(pd.DataFrame(rows), text=("metric", "Spearman")),
    )  # fmt: skip
    return put(a.folder / "report" / f"{stem}.html", page_text.encode(), "against.html")
