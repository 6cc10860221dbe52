"""The report's tables in their order, each under a title and with a text that says how to read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis.classic import classic_contrasts
from analysis.factors import described
from analysis.finding import Headline, contrast_of
from analysis.paired import deltas_over_seeds, usable
from analysis.run import Run
from analysis.search_tables import filters, steps
from analysis.semi_table import semi_gains
from analysis.tables import (
    Table,
    accuracies,
    against_controls,
    classes,
    classes_in_alarm,
    classic,
    contrasts,
    effective,
    metrics,
    over_all_settings,
    primary_by_every_test,
    reasons,
)
from analysis.variant_tables import variants, worth
from analysis.words import plural, setting_names

MOST_OPEN_ROWS = 40


@dataclass(frozen=True)
class Section:
    """A table of the report under its title, with a text that says how to read it. `open`: unless it is long."""

    title: str
    text: str
    table: Table
    open: bool = False


def _reasons(run: Run, said: Headline) -> Section | None:
    text = (
        "Cells that did not come out as planned. Starved ones enter every mean and are marked; diverged and failed "
        "ones have no accuracy and enter nothing."
    )
    return Section("Not as planned", text, reasons(run), open=True)


def _contrasts(run: Run, said: Headline) -> Section | None:
    n = len(deltas_over_seeds(run.grid))
    text = (
        "Each setting against its control over the same seeds. p is of a paired t-test, then corrected for all "
        "secondary rows (Holm); “no effect” is of the two one-sided tests. “By itself” reads the row’s own interval, "
        "uncorrected; dropped counts seeds without a usable pair."
    )
    if run.looks is not None:
        text += " Seeds were added until a row was decided, and its p-values and interval allow for every look."
    return Section(plural(n, "contrast"), text, contrasts(run), open=True) if n else None


def _classic(run: Run, said: Headline) -> Section | None:
    if classic_contrasts(run).empty:
        return None
    text = (
        "Real images only, under each classic augmentation, against the same seeds without it. Holm’s correction is "
        "over the secondary rows. The gap is what a classifier gets right of its own training images, as they are, "
        "less what it gets right of the test images."
    )
    return Section("Classic augmentation, against none", text, classic(run), open=True)


def _against_controls(run: Run, said: Headline) -> Section | None:
    text = (
        "The setting named before the run against every control it has, over the same seeds: copies of its own real "
        "images (placebo), the same images under shuffled labels, classic augmentation, and as many more real images."
    )
    return Section("The primary contrast against its controls", text, against_controls(run), open=True)


def _semi(run: Run, said: Headline) -> Section | None:
    text = (
        "Each method against the supervised fit of the same network, labels and seed. Equal: with as many updates. "
        "Fewer: with as few as an unmatched comparison gives it. The last column is the part of the second gain that "
        "the difference in updates makes, no unlabelled image being needed for it; paired by seed, 95 % t-intervals, "
        "uncorrected."
    )
    return Section("Unlabelled images, against labelled ones alone", text, semi_gains(run), open=True)


def _filters(run: Run, said: Headline) -> Section | None:
    text = (
        "Each filtered setting against the same generated cell in which every image was kept (threshold 0), over the "
        "same seeds: the same generator and as many images, differently chosen. Better and worse are said after "
        "correction over the rows of this table (Holm). Accepted: of the images looked at. Coverage: real images of "
        "the training set near a chosen one, beside the same of as many unfiltered ones; a filter that loves one "
        "kind of image loses it."
    )
    return Section("Filters, against none", text, filters(run), open=True)


def _steps(run: Run, said: Headline) -> Section | None:
    if run.search is None:
        return None
    text = (
        "What the search tried, the best first: mean share of validation images right ± half-width of the 95 % "
        "t-interval over seeds. Every step had the same seeds. The first row is flattered by being the first."
    )
    return Section("Steps of the search", text, steps(run.search))


def _variants(run: Run, said: Headline) -> Section | None:
    text = (
        "The same question as it was published, and corrected. ± is the half-width of the 95 % t-interval over the "
        "replicates named in the head: classifiers of one seed share their images and their GAN, so their interval "
        f"says nothing of other images. {worth(run)}"
    )
    return Section("Published and corrected", text.strip(), variants(run), open=True)


def _effective(run: Run, said: Headline) -> Section | None:
    text = (
        "How many real images alone would do as well, read off the run’s own learning curve; ≤ and ≥ where the curve "
        "ends before the answer."
    )
    return Section("Generated images, told in real ones", text, effective(run))


def _metrics(run: Run, said: Headline) -> Section | None:
    text = (
        "The generators by themselves. FID and KID: lower is better, and both depend on the number of "
        "images, so compare within the column only. Recognised: generated images that a classifier trained on real "
        "ones calls by their class. Taught: recall on validation images of a classifier that saw generated ones alone."
    )
    return Section("Metrics of the generators", text, metrics(run))


def _primary_tests(run: Run, said: Headline) -> Section | None:
    text = (
        "How much hangs on the choice of a test. The t-test over seeds was named before the run and decides; the "
        "others are there to be compared with it."
    )
    text = text if run.looks is None else text.replace("The t-test over seeds", "The sequential t-test over seeds")
    return Section("The primary contrast by every test", text, primary_by_every_test(run))


def _overall(run: Run, said: Headline) -> Section | None:
    text = (
        "The grid in a few numbers that nobody chose. Probability of improvement: how often a run with generated "
        "images beats one without at the same setting, ties half; the interquartile mean leaves the best and worst "
        "quarter out."
    )
    if run.looks is not None:
        text += f" Over the first {run.looks.first} seeds, which every setting has."
    return Section("Over all settings", text, over_all_settings(run))


def _alarms(run: Run, said: Headline) -> Section | None:
    text = (
        "Classes that a generator has lost, judged on validation images. Not recognised: a classifier trained on real "
        "images does not know what was generated. Does not teach: one trained on generated images does not know real "
        "ones. Cannot say: not even real images show the class to the first."
    )
    return Section("Classes in alarm", text, classes_in_alarm(run))


def _accuracies(run: Run, said: Headline) -> Section | None:
    text = "Mean over seeds ± half-width of the 95 % t-interval; — is a factor that cannot change the cell."
    return Section("Accuracy of every setting", text, accuracies(run)) if len(usable(run.grid)) else None


def _classes(run: Run, said: Headline) -> Section | None:
    where = contrast_of(run) if said.contrast is not None else None
    if where is None or run.per_class.empty:
        return None
    return Section(
        "Class by class", f"Recall per class at {described(where, setting_names(run.grid))}.", classes(run, where)
    )


TABLES: tuple[Callable[[Run, Headline], Section | None], ...] = (
    _reasons,
    _contrasts,
    _classic,
    _against_controls,
    _variants,
    _filters,
    _steps,
    _primary_tests,
    _overall,
    _accuracies,
    _effective,
    _classes,
    _metrics,
    _alarms,
)
"""The tables in the order of the page; one without rows is left out."""


SEMI_TABLES: tuple[Callable[[Run, Headline], Section | None], ...] = (
    _reasons,
    _semi,
    _contrasts,
    _primary_tests,
    _accuracies,
)
"""The tables of a study of unlabelled images."""


def sections(run: Run, said: Headline) -> list[dict[str, Any]]:
    """The report's tables with their titles and texts; long ones closed."""
    tables = SEMI_TABLES if run.semi else TABLES
    found = [section for find in tables if (section := find(run, said)) is not None and section.table.rows]
    return [
        {"title": s.title, "text": s.text, "table": s.table, "open": s.open and len(s.table.rows) <= MOST_OPEN_ROWS}
        for s in found
    ]
