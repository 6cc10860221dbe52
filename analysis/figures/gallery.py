"""The figures of a report, in the order of the page: which there are, what each is called and what it says in words.

The question comes first, then what else could have been done, then where and for whom, then how good the generators
are, then pictures. A figure that would have nothing to say is not drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from analysis.effective import effective_real
from analysis.factors import described, generation_factors, thin, varied
from analysis.figures.acceptance import acceptance
from analysis.figures.alarms import collapse_alarms
from analysis.figures.animation import save_gif
from analysis.figures.classic import shown_of_classic
from analysis.figures.codes import class_grid, traversal
from analysis.figures.confusion import confusion
from analysis.figures.confusion_pairs import confusion_pairs
from analysis.figures.controls import controls
from analysis.figures.counts import count_curve
from analysis.figures.da import da_bars
from analysis.figures.filters import filters
from analysis.figures.heatmap import heatmap
from analysis.figures.information import information
from analysis.figures.learning import learning_curve
from analysis.figures.losses import gan_losses
from analysis.figures.metrics import metric_scatter
from analysis.figures.per_class import class_forest
from analysis.figures.recall import recall_map
from analysis.figures.samples import sample_sheet
from analysis.figures.search import shown_of_search
from analysis.figures.semi import shown_of_semi
from analysis.figures.sheet import headed, save, save_svg
from analysis.figures.slices import question
from analysis.figures.snapshots import snapshots
from analysis.figures.threshold import threshold_curve
from analysis.figures.trajectories import class_trajectories
from analysis.finding import Headline
from analysis.generator_report import generator_figures
from analysis.paired import deltas_over_seeds, usable
from analysis.run import Run, axis
from analysis.words import setting_names

MOST_SHEETS = 3
PICTURES = (
    "samples_",
    "snapshots_",
    "class_grid_",
    "traversal_",
    "arm_sheet",
    "score_illustrated",
    "confusion",
    "search_values",
)  # shades and photographs need more than a palette

Shown = tuple[str, Figure | None, str, str]  # name, figure, alternative text, caption


@dataclass(frozen=True)
class Drawn:
    """A figure of the report: its PNG and its SVG beside the page, its size in CSS pixels, what it says in words.
    moving: the GIF of the same, if there is one.
    """

    id: str
    file: str
    width: int
    height: int
    alt: str
    caption: str
    svg: str
    moving: str = ""


def _pairs(run: Run) -> list[tuple[str, str]]:
    """The factors the heatmaps lie over: those of the question, and the first two others that vary."""
    found = [("n_real", "n_gen")]
    if len(axis(run, "threshold")) > 1:
        found.append(("threshold", "n_gen"))
    felt = generation_factors(run.grid)
    others = [name for name in varied(run.grid, besides=("n_real", "n_gen", "threshold"))]
    if len(others) > 1:
        found.append(tuple(sorted(others[:2], key=lambda name: name in felt)))  # type: ignore[arg-type]
    return found


def _changes(run: Run, said: Headline) -> Iterator[Shown]:
    felt = generation_factors(run.grid)
    if len(deltas_over_seeds(run.grid)) < 2:
        return
    for x, y in _pairs(run):
        if x in felt or y in felt:
            yield (
                f"delta_heatmap_{x}_{y}",
                heatmap(run, x, y, "delta"),
                f"Heatmap of the paired change in accuracy over {x} and {y}. Numbers: table of contrasts. "
                f"{said.statement}",
                "The question itself: blue cells did better with generated images than the same seeds without them, "
                "orange ones worse. Do not read the colour of a hatched cell: its change cannot be told from none.",
            )


def _accuracies(run: Run) -> Iterator[Shown]:
    for x, y in _pairs(run):
        yield (
            f"accuracy_heatmap_{x}_{y}",
            heatmap(run, x, y, "accuracy"),
            f"Heatmap of test accuracy over {x} and {y}. Numbers: table of accuracies.",
            "The accuracies behind the changes. Their ± holds the luck of the split, which the changes are free of.",
        )


def _worth(run: Run) -> Iterator[Shown]:
    effective = effective_real(run)
    known = effective[~(effective["below"] | effective["above"]).astype(bool)] if len(effective) else effective
    if known.empty:
        return
    yield (
        "effective_heatmap_n_real_n_gen",
        heatmap(run, "n_real", "n_gen", "effective_real", effective=effective),
        "Heatmap of effective real images per class over n_real and n_gen. Numbers: table of settings told in real "
        "images.",
        "The gain as a number of photographs: how many real images per class would have done as well alone. Compare "
        "a cell with the bottom row of its column, the real images that were there.",
    )


def _curves(run: Run, where: dict[str, Any] | None, why: str, n_contrasts: int) -> Iterator[Shown]:
    at = described(where, setting_names(run.grid)) if where else ""
    yield (
        "learning_curve",
        learning_curve(run),
        "Line chart of test accuracy against real images per class, real only, with generated images, and with what "
        "else could have been done. Numbers: table of accuracies.",
        "How far right would the dashed line have to go to be as high as a coloured one? That many real images the "
        "generated ones replace. Does their lead shrink as real ones grow?",
    )
    yield (
        "count_curve",
        count_curve(run),
        "Line chart of test accuracy against all images per class, real only and with more and more generated ones.",
        "Follow a coloured line to the right: does it climb with the dashed one? How far it stays below says what a "
        "generated image is worth.",
    )
    yield (
        "controls",
        controls(run, where, why, least=2 if n_contrasts > 1 else 1),
        f"Points with intervals: generated images against each control at {at}.",
        "A gain counts only if it also beats copies of the real images (more steps, nothing new) and classic "
        "augmentation (cheaper). Against shuffled labels it should be large; against more real images it may be "
        "negative.",
    )
    yield (
        "threshold",
        threshold_curve(run),
        "Line charts over the filter threshold: above the paired change in accuracy, below the accepted share.",
        "Does a stricter filter help? Follow a line upwards to the right, and see below how many images it costs.",
    )
    yield (
        "filters",
        filters(run),
        "Points with intervals: each filter and threshold against keeping every image, with what it accepts and "
        "covers. Numbers: table of filters.",
        "Which filter makes generated images better than no filter at all? Left of 0 it throws away what would have "
        "helped. A coverage that falls says what was lost.",
    )
    yield (
        "augmentation_classifier",
        da_bars(run, "clf_da"),
        "Bar chart of test accuracy by augmentation of the classifier. Numbers: table of accuracies.",
        "Do generated images still add something where the classifier is augmented anyway? Compare the two bars of "
        "a row.",
    )
    yield (
        "augmentation_gan",
        da_bars(run, "gan_da", "delta"),
        "Bar chart of the paired change in accuracy by augmentation of the GAN. Numbers: table of contrasts.",
        "Which augmentation of the GAN's few images makes generated ones worth more? Longer to the right is better.",
    )


def _classes(run: Run, where: dict[str, Any] | None, why: str) -> Iterator[Shown]:
    yield (
        "recall",
        recall_map(run),
        "Map of recall: a row per setting, a column per class.",
        "Which classes does a setting know? A pale column is hard for all; a pale cell in a dark column is what that "
        "setting cannot teach.",
    )
    if where is None:
        return
    at = described(where, setting_names(run.grid))
    yield (
        "per_class_change",
        class_forest(run, where, why) if len(run.per_class) else None,
        f"Points with intervals: paired change in recall of each class at {at}, sorted. Numbers: table of classes.",
        "A mean can hide a class that pays for the others. Filled points are decided after correction for the number "
        "of classes; the others are not.",
    )
    yield (
        "per_class_trajectories",
        class_trajectories(run) if len(run.per_class) else None,
        "Line charts of the paired change in recall against n_gen, a line per class, a panel per n_real.",
        "Who gains from more and more generated images, and who has turned down? Lines that cross the grey crowd "
        "are worth a look at their images.",
    )
    yield (
        "confusion",
        confusion(run, where, why),
        f"Confusion matrix with generated images, and its change against real only, at {at}.",
        "Off the diagonal right, blue is a mistake made more often with generated images, orange one made less often. "
        "On it, blue is a gain.",
    )
    yield (
        "confusion_pairs",
        confusion_pairs(run, where, why),
        f"Points with intervals: the pairs of classes whose confusion changed most at {at}, with example images.",
        "Where a confusion grew, compare the generated images of the two classes: do they look alike?",
    )


def _generators(run: Run) -> Iterator[Shown]:
    yield (
        "alarms",
        collapse_alarms(run),
        "Dots per class: share of generated images recognised, of validation images recognised, and recall taught.",
        "Shaded classes are lost: a classifier that knows the real ones does not recognise the generated ones, or "
        "learns nothing from them. What they add to training is wrong labels.",
    )
    yield (
        "metrics",
        metric_scatter(run),
        "Scatter plots of the gain in accuracy against each metric of the generator, with rank correlations.",
        "Could a metric have told beforehand which generator helps? A useful one orders the points from one corner "
        "to the other; look at its interval before believing it.",
    )
    yield (
        "acceptance",
        acceptance(run),
        "Line chart of the accepted share of generated images against the filter threshold.",
        "A strict filter costs images: what it lets through, per threshold.",
    )
    yield (
        "gan_losses",
        gan_losses(run),
        "Line charts of generator and discriminator loss over training steps, a line per generator.",
        "Did training hold? Look for lines that run away or lie flat from some step on.",
    )


def _codes(run: Run) -> Iterator[Shown]:
    """Of an InfoGAN only."""
    yield (
        "information",
        information(run),
        "Line charts over training steps: losses of generator and discriminator, information loss, and the bound.",
        "Do the codes come to mean anything? The bound rises from 0 towards its dotted ceiling; the loss alone cannot "
        "be compared across numbers of classes.",
    )
    for i, sheet in enumerate(thin(run.samples(), MOST_SHEETS)):
        yield (
            f"class_grid_{i}",
            class_grid(run, sheet),
            f"Generated images, a row per class, at {described(sheet.factors, sheet.factors)}.",
            "Does a row hold one character, and the right one? Two rows alike are one code too many for it, and a "
            "character is missing elsewhere.",
        )
        yield (
            f"traversal_{i}",
            traversal(run, sheet),
            f"Images along each continuous code, a row per class, at {described(sheet.factors, sheet.factors)}.",
            "What did each code find: slant, width, weight of stroke? A row that does not change found nothing.",
        )


def _pictures(run: Run) -> Iterator[Shown]:
    sheets = list(enumerate(thin(run.samples(), MOST_SHEETS)))
    for i, sheet in sheets:
        yield (
            f"samples_{i}",
            sample_sheet(run, sheet),
            f"Real, kept, nearest real and rejected images per class at {described(sheet.factors, sheet.factors)}.",
            "Look before you count: what the generator makes, what the filter does with it, and whether a kept image "
            "is just a copy of the real one that lies nearest.",
        )
    for i, sheet in sheets:
        yield (
            f"snapshots_{i}",
            snapshots(run, sheet),
            f"Generated images after more and more training steps at {described(sheet.factors, sheet.factors)}.",
            "From left to right the same latent vectors as training goes on. A row whose images become one has "
            "collapsed.",
        )


def _figures(run: Run, said: Headline) -> Iterator[Shown]:
    """All figures, in the order of the page."""
    if run.semi:
        yield from shown_of_semi(run)
        return
    if run.of_generators:
        yield from generator_figures(run)
        return
    if len(usable(run.grid)):
        where, why = question(run, said)
        n_contrasts = len(deltas_over_seeds(run.grid))
        yield from _changes(run, said)
        yield from _worth(run)
        yield from shown_of_search(run)
        yield from shown_of_classic(run)
        yield from _curves(run, where, why, n_contrasts)
        yield from _classes(run, where, why)
        yield from _accuracies(run)
        yield from _generators(run)
    else:
        yield from shown_of_search(run)
        yield from _generators(run)
    yield from _codes(run)
    yield from _pictures(run)


def draw(run: Run, said: Headline, folder: Path) -> list[Drawn]:
    """Draw every figure that the run has something for into `folder`, as PNG and as SVG, and the training's
    course as a GIF as well.
    """
    drawn = []
    moving = {f"snapshots_{i}": sheet for i, sheet in enumerate(thin(run.samples(), MOST_SHEETS))}
    for name, figure, alt, caption in _figures(run, said):
        if figure is None:
            continue
        name = name.replace(".", "_")
        if run.data_note:
            headed(figure, run.data_note)
        inches = figure.get_size_inches()
        shaded = name.startswith(PICTURES) or ("heatmap" in name and inches.prod() < 90)
        save(figure, folder / f"{name}.png", colours=0 if shaded else 256)
        save_svg(figure, folder / f"{name}.svg")
        width, height = (round(96 * side) for side in inches)
        gif = save_gif(moving[name], folder / f"{name}.gif").name if name in moving else ""
        drawn.append(Drawn(name.replace("_", "-"), f"{name}.png", width, height, alt, caption, f"{name}.svg", gif))
    return drawn
