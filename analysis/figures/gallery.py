"""The figures of a report, in the order of the page: which there are, what each is called and what it says
in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from analysis.factors import described, generation_factors, thin, varied
from analysis.figures.acceptance import acceptance
from analysis.figures.heatmap import heatmap
from analysis.figures.learning import learning_curve
from analysis.figures.losses import gan_losses
from analysis.figures.per_class import per_class_bars
from analysis.figures.samples import sample_sheet
from analysis.figures.sheet import save
from analysis.paired import deltas_over_seeds, usable
from analysis.run import Run, axis
from analysis.verdict import Headline

MOST_SHEETS = 3


@dataclass(frozen=True)
class Drawn:
    """A figure of the report: its file beside the page, its size in CSS pixels, what it says in words."""

    id: str
    file: str
    width: int
    height: int
    alt: str
    caption: str


def _pairs(run: Run) -> list[tuple[str, str]]:
    """The factors the heatmaps lie over: those of the question, and the first two others that vary."""
    found = [("n_real", "n_gen")]
    if len(axis(run, "threshold")) > 1:
        found.append(("threshold", "n_gen"))
    felt = generation_factors(run.cells)
    others = [name for name in varied(run.cells, besides=("n_real", "n_gen", "threshold"))]
    if len(others) > 1:
        found.append(tuple(sorted(others[:2], key=lambda name: name in felt)))  # type: ignore[arg-type]
    return found


def _figures(run: Run, said: Headline) -> Iterator[tuple[str, Figure | None, str, str]]:
    """Name, figure, alternative text, caption: in the order of the page."""

    found = usable(run.cells)
    has_pairs = not deltas_over_seeds(run.cells).empty
    if len(found):
        for x, y in _pairs(run):
            axes = f"{x}_{y}".replace(".", "_")
            if has_pairs and (x in generation_factors(run.cells) or y in generation_factors(run.cells)):
                alt = (
                    f"Heatmap of the paired change in accuracy over {x} and {y}. Numbers: "
                    f"table of contrasts. {said.statement}"
                )
                caption = (
                    "The question itself: each cell against the real-only control of the "
                    "same seeds. Hatched cells are no evidence."
                )
                yield f"delta_heatmap_{axes}", heatmap(run, x, y, "delta"), alt, caption
            alt = f"Heatmap of test accuracy over {x} and {y}. Numbers: table of accuracies."
            yield (
                f"accuracy_heatmap_{axes}",
                heatmap(run, x, y, "accuracy"),
                alt,
                "The accuracies behind the changes.",
            )
        alt = (
            "Line chart of test accuracy against real images per class, real only and with "
            "generated images. Numbers: table of accuracies."
        )
        yield (
            "learning_curve",
            learning_curve(run),
            alt,
            "Does a lead of generated images shrink as real ones grow?",
        )
    alt = "Bar chart of the paired change in recall per class, sorted. Numbers: table of classes."
    yield "per_class_change", per_class_bars(run), alt, "A mean can hide a class that pays for the others."
    alt = "Line chart of the accepted share of generated images against the filter threshold."
    yield (
        "acceptance",
        acceptance(run),
        alt,
        "A strict filter costs images: what it lets through, per threshold.",
    )
    alt = "Line charts of generator and discriminator loss over training steps, a line per generator."
    yield "gan_losses", gan_losses(run), alt, "Did training hold?"
    for i, sheet in enumerate(thin(run.samples(), MOST_SHEETS)):
        alt = f"Real, kept and rejected images per class at {described(sheet.factors, sheet.factors)}."
        yield (
            f"samples_{i}",
            sample_sheet(run, sheet),
            alt,
            "Look before you count: what the generator makes, and what the filter does with it.",
        )


def draw(run: Run, said: Headline, folder: Path) -> list[Drawn]:
    """Draw every figure that the run has something for into `folder`, as PNG."""
    drawn = []
    for name, figure, alt, caption in _figures(run, said):
        if figure is None:
            continue
        inches = figure.get_size_inches()
        shaded = name.startswith("samples") or ("heatmap" in name and inches.prod() < 90)
        save(figure, folder / f"{name}.png", colours=0 if shaded else 256)
        width, height = (round(96 * side) for side in inches)
        drawn.append(Drawn(name.replace("_", "-"), f"{name}.png", width, height, alt, caption))
    return drawn
