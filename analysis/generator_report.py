"""The report of a study of generators: its finding, its tables and its figures, in the frame that every report has."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.generator_pictures import arm_sheet, arms_over_steps, score_illustrated
from analysis.figures.generators import leak_bars, metric_bars, orientation, step_curves
from analysis.figures.losses import gan_losses
from analysis.finding import Headline
from analysis.generator_claims import claims_held
from analysis.generator_tables import (
    BETTER,
    arms,
    assessed,
    generators,
    imagenet_classes,
    leaks,
    over_steps,
    ranked,
    reference_sets,
    score_name,
)
from analysis.run import Run
from analysis.sections import Section
from analysis.tables import Table, p_text, table
from analysis.words import plural


def _number(value: Any) -> str:
    return "—" if pd.isna(value) else f"{value:.3g}".replace("-", "−")


def _interval(mean: Any, low: Any, high: Any) -> str:
    return _number(mean) + ("" if pd.isna(low) else f" [{_number(low)}, {_number(high)}]")


def _called(run: Run, metric: str) -> str:
    """A metric as tables call it."""
    if metric.startswith("leaked_"):
        return f"nearer to {metric.removeprefix('leaked_')}"
    return score_name(run) if metric == "score" else metric.upper() if metric in ("kid", "fid") else metric


def _reading(run: Run) -> tuple[str, str]:
    told = run.summary.get("ranking") or {}
    return str(told.get("metric", "kid")), str(told.get("better", "lower"))


def generator_headline(run: Run) -> Headline:
    """What the study's own metric says of its arms, and whether it is read the right way."""
    if assessed(run).empty:
        return Headline("No result yet", "No generator has been assessed.", (), None)
    found, (metric, better) = generators(run), _reading(run)
    own = found[found["metric"].eq(metric) & found["verdict"].ne("")]
    order, name = ranked(run), _called(run, metric)
    best = order.iloc[0]
    n = int(assessed(run)["seed"].nunique())
    said = f"By {name}, read as “{better} is better”, {best['arm']} comes first ({_number(best['mean'])})."
    notes = []
    if better != BETTER[metric]:
        last = order.sort_values("mean", ascending=BETTER[metric] == "lower")["arm"].iloc[0]
        said += f" But {name} is better where it is {BETTER[metric]}: read so, {last} comes first."
        notes.append("This variant repeats the published reading of the score; the corrected one does not.")
    if n < 2:
        notes.append("One seed: no interval, and nothing can be told from luck.")
        return Headline("Cannot tell yet", said, tuple(notes), None)
    sure = {word: own.loc[own["verdict"].eq(word), "arm"].tolist() for word in ("better", "worse")}
    for word, those in sure.items():
        if those:
            said += f" Shown to be {word} than no augmentation: {', '.join(dict.fromkeys(those))}."
    if not any(sure.values()):
        said += " None is shown to be better or worse than no augmentation."
    notes.append(f"{plural(n, 'seed')}; paired by seed, corrected over {plural(len(own), 'arm')} (Holm).")
    verdict = "Better for some, worse for others" if all(sure.values()) else ""
    verdict = verdict or (
        "Some are better" if sure["better"] else "Some are worse" if sure["worse"] else "Cannot tell yet"
    )
    return Headline(verdict, said, tuple(notes), None)


def _metrics(run: Run) -> Table:
    """A row per arm, a column per metric, means and intervals."""
    found = generators(run)
    others = [n for n in found.columns.astype(str) if n not in _STATISTICS]
    wide = found.assign(
        told=[_interval(*v) for v in zip(found["mean"], found["low"], found["high"], strict=True)],
        called=[_called(run, metric) for metric in found["metric"]],
    ).pivot_table(index=["arm", *others], columns="called", values="told", aggfunc="first", sort=False)
    wide = wide.reset_index()
    order = {arm: i for i, arm in enumerate(arms(run))}
    wide = wide.sort_values("arm", key=lambda column: column.map(order), kind="stable")
    return table(wide, text=("arm",))


_STATISTICS = (
    "arm", "metric", "better", "n_seeds", "mean", "low", "high", "change", "change_low", "change_high", "p", "p_holm",
    "verdict",
)  # fmt: skip


def _changes(run: Run) -> Table:
    found = generators(run)
    found = found[found["verdict"].ne("")]
    others = [n for n in found.columns.astype(str) if n not in _STATISTICS]
    shown: dict[str, Any] = {"metric": [_called(run, m) for m in found["metric"]], "arm": found["arm"]}
    shown |= {name: found[name] for name in others}
    bounds = zip(found["change"], found["change_low"], found["change_high"], strict=True)
    shown["change against none"] = [_interval(*b) for b in bounds]
    shown |= {"better is": found["better"], "seeds": found["n_seeds"], "p": found["p"].map(p_text)}
    shown |= {"p, Holm": found["p_holm"].map(p_text), "verdict": found["verdict"]}
    return table(pd.DataFrame(shown), text=("metric", "arm", "better is", "verdict"))


def _order(run: Run) -> Table:
    found, (metric, better) = ranked(run), _reading(run)
    shown = {
        "arm": found["arm"],
        f"{_called(run, metric)}": found["mean"].map(_number),
        f"place, {better} first": found["place"],
        "place by KID, lower first": found["place_kid"].map(lambda v: "—" if pd.isna(v) else str(int(v))),
    }
    return table(pd.DataFrame(shown), text=("arm",))


def _claims(run: Run) -> Table:
    found = claims_held(run)
    shown = {
        "claim": found["claim"],
        "metric": [_called(run, m) for m in found["metric"]],
        "should be": found["reads"],
        "difference": [_interval(*v) for v in zip(found["difference"], found["low"], found["high"], strict=True)],
        "seeds": found["n_seeds"],
        "here": found["held"],
    }
    return table(pd.DataFrame(shown), text=("claim", "metric", "should be", "here"), wrap=("claim",))


def _references(run: Run) -> Table:
    sets = reference_sets(run).groupby("set", sort=False)[["score", "kid"]].mean().reset_index()
    shown = {"images": sets["set"], score_name(run): sets["score"].map(_number), "KID": sets["kid"].map(_number)}
    return table(pd.DataFrame(shown), text=("images",))


def _imagenet(run: Run) -> Table:
    found = imagenet_classes(run)
    shown = {
        "arm": found["arm"],
        "class": found["class"],
        "mean probability, %": (100 * found["probability"]).map("{:.1f}".format),
        "called so first, %": (100 * found["first"]).map("{:.1f}".format),
    }
    return table(pd.DataFrame(shown), text=("arm", "class"))


def _steps(run: Run) -> Table:
    found = over_steps(run)
    found = found[found["metric"].isin(["kid", "fid", "score"])]
    shown = {
        "arm": found["arm"],
        "step": found["step"],
        "metric": [_called(run, m) for m in found["metric"]],
        "value": [_interval(*v) for v in zip(found["mean"], found["low"], found["high"], strict=True)],
        "seeds": found["n_seeds"],
    }
    return table(pd.DataFrame(shown), text=("arm", "metric"))


def generator_sections(run: Run) -> list[dict[str, Any]]:
    """The tables of the report in their order; one without rows is left out."""
    if assessed(run).empty:
        return []
    found = [
        Section("Claims of the published study", "Each difference over seeds with its 95 % t-interval. It holds where "
                "the whole interval lies on the claim’s side, and is refuted where it lies on the other.",
                _claims(run), True),
        Section("The arms in order", "By the study’s own reading of its metric, and by kernel distance.",
                _order(run), True),
        Section("Metrics of the arms", "Means over seeds with 95 % t-intervals. They depend on the number of images: "
                "compare within a column only.", _metrics(run), True),
        Section("Changes against no augmentation", "Seed by seed; p of a paired t-test, corrected over the arms of a "
                "metric (Holm).", _changes(run), True),
        Section("Sets that no score should take for good", "A score that is read the wrong way prefers them: one image "
                "repeated has the lowest score there is.", _references(run), True),
        Section("What ResNet-50 calls the images", "The five ImageNet classes of highest mean probability per arm.",
                _imagenet(run)),
        Section("Metrics over training", "Of generators kept on the way, from the same latent vectors.", _steps(run)),
    ]  # fmt: skip
    return [{"title": s.title, "text": s.text, "table": s.table, "open": s.open} for s in found if s.table.rows]


def generator_figures(run: Run) -> Iterator[tuple[str, Figure | None, str, str]]:
    """Name, figure, alternative text and caption, in the order of the page."""
    yield (
        "generator_metrics", metric_bars(run),
        "Points with intervals: metrics of the generators per augmentation. Numbers: table of metrics.",
        "Which augmentation of the training set makes better images? Left is better for distances, right for all else.",
    )  # fmt: skip
    yield (
        "arm_sheet", arm_sheet(run), "Rows of generated images, a row per augmentation, real images on top.",
        "Look before you count: unnatural colours, upside-down things, one image over and over.",
    )  # fmt: skip
    yield (
        "leaks", leak_bars(run),
        "Points with intervals: share of generated images nearer to a changed real image, per augmentation.",
        "Augmentation that was in the training set comes out of the generator. Differentiable augmentation, which "
        "changes real and generated images alike, should stay at the dotted line on the left: does it?",
    )  # fmt: skip
    yield (
        "orientation", orientation(run),
        "Scatter plot of the score against kernel distance, with worthless sets of images marked.",
        "Read downwards, the score prefers one image repeated; read upwards, one image per class. Only the distance "
        "to real images tells both from good ones.",
    )  # fmt: skip
    yield (
        "score_illustrated", score_illustrated(run),
        "Bar charts: class probabilities of a few generated images beside those of all together.",
        "The score compares p(y|x), image by image, with p(y). With one class of images there is little to compare.",
    )  # fmt: skip
    yield (
        "steps", step_curves(run), "Line charts of the metrics over training steps. Numbers: table over training.",
        "Is the order of the arms the same at every step, or does it depend on when one stops?",
    )  # fmt: skip
    yield (
        "snapshots_arms", arms_over_steps(run), "Generated images per augmentation after more and more steps.",
        "From left to right the same latent vectors. A row whose images become one has collapsed.",
    )  # fmt: skip
    yield (
        "gan_losses", gan_losses(run),
        "Line charts of generator and discriminator loss over training steps, a line per generator.",
        "Did training hold? Look for lines that run away or lie flat from some step on.",
    )  # fmt: skip


def generator_method(run: Run) -> list[tuple[str, str]]:
    """(title, paragraph) pairs: what was compared, and what an interval covers."""
    features = "Inception’s features" if score_name(run) == "Inception Score" else (
        "the features of a classifier of the study’s own, trained on the same real images"
    )  # fmt: skip
    return [
        (
            "What is compared",
            "Generators trained for the same number of steps on the same real images, each under another augmentation "
            "of them. Differences are taken seed by seed: one seed fixes which real images are drawn and how training "
            "begins. Intervals are 95 % t-intervals over seeds.",
        ),
        (
            "How an image set is judged",
            f"Metrics are computed on {features}, against the real images that the generators were trained on, with "
            "equally many of each class. Kernel distance is unbiased, so that it does not depend on the number of "
            "images. Test images are never seen. docs/metrics.md has the formulas.",
        ),
        (
            "The score and its orientation",
            f"{score_name(run)} is exp of the mutual information of image and called class. Higher is better, as far "
            "as it says anything. It never looks at a real image, and of a set with one class it says little.",
        ),
    ]


def generator_missing(run: Run) -> list[str]:
    """What the study asked for and does not have."""
    counts, found = run.summary.get("cells") or {}, []
    for name in ("missing", "failed", "diverged"):
        if counts.get(name):
            found.append(f"{plural(int(counts[name]), 'generator')} of {counts.get('total')}: {name}.")
    if not leaks(run):
        found.append("What leaked into the samples was not asked for (assess.leaks).")
    if reference_sets(run).empty:
        found.append("The score's orientation was not put to the test (assess.references).")
    if imagenet_classes(run).empty:
        found.append("No classes of ResNet-50: assess.imagenet names no file of its weights.")
    seeds = assessed(run)["seed"].nunique() if len(run.generators) else 0
    if seeds < 5:
        found.append("Fewer than five seeds: intervals are wide, and their width is itself uncertain.")
    return found


def generator_facts(run: Run) -> list[tuple[str, str]]:
    """What a reader wants to know beside the finding."""
    told, (metric, better) = run.summary, _reading(run)
    image, classes = "×".join(str(side) for side in told.get("image") or ()), len(told.get("classes") or [])
    counts = ", ".join(f"{n} {k}" for k, n in (told.get("cells") or {}).items() if n and k != "total")
    return [
        ("data", f"{told.get('dataset')}, {classes} {'class' if classes == 1 else 'classes'}, {image} px"),
        ("seeds", str(run.generators["seed"].nunique() if len(run.generators) else 0)),
        ("generators", f"{(told.get('cells') or {}).get('total', 0)}: {counts or 'none has been assessed'}"),
        ("ranked by", f"{_called(run, metric)}, {better} first"),
    ]
