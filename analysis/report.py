"""One page per run, in one file: the finding first, then figures, tables, method, provenance, and what is missing.

The same records give the same bytes. The figures lie beside the page as files, for slides.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.factors import described, is_control, levels, varied, written
from analysis.finding import Headline, headline
from analysis.found import search_finding
from analysis.generator_report import generator_facts, generator_method, generator_missing, generator_sections
from analysis.interactive import interactive
from analysis.method import method
from analysis.page import render
from analysis.paired import usable
from analysis.pictures import pictures
from analysis.run import Run, load
from analysis.sections import sections
from analysis.words import plural, plural_points, setting_names
from ganaug.files import put


@dataclass(frozen=True)
class Running:
    """A run that still goes on: what to say of it, and every how many seconds its page is worth reading again."""

    line: str
    seconds: int


def _status(run: Run) -> str:
    counts = run.summary.get("cells") or run.cells["status"].value_counts().to_dict()
    told = [f"{n} {status}" for status, n in counts.items() if n and status != "total"]
    return f"{counts.get('total', len(run.cells))}: {', '.join(told) or 'none has run'}"


def _warnings(run: Run, running: Running | None) -> list[str]:
    found = []
    if run.summary.get("stand_in"):
        found.append(f"Stand-in data, not the data set of the question: {run.summary['stand_in']}.")
    if run.summary.get("synthetic"):
        found.append("The images of this data set are drawn by a program; the numbers say nothing about photographs.")
    if skipped := run.summary.get("skipped_images"):
        found.append(
            f"{plural(int(skipped), 'damaged image')} left out of the data set, as its study asks (on_bad_image: skip)."
        )
    for note, n in (run.summary.get("notes") or {}).items():
        found.append(f"Memory was short: {note} ({plural(int(n), 'cell')}). The results are not touched by it.")
    if run.summary.get("status") == "partial" and running is None:
        missing = (run.summary.get("cells") or {}).get("missing", 0)
        found.append(
            f"Partial run: {plural(int(missing), 'cell')} missing. Run the same command again to fill "
            "them in; the finding may change."
        )
    dropped = int(run.cells["status"].isin(["diverged", "failed"]).sum())
    if dropped and len(usable(run.cells)):
        found.append(
            f"{plural(dropped, 'cell')} diverged or failed and left the means: what remains may look "
            "better than the method is."
        )
    return found


def _primary(run: Run) -> str:
    if not run.primary:
        return "none was named before the run"
    names = [name for name in setting_names(run.grid) if name in run.primary]
    return f"{described(run.primary, names)}, against {run.primary.get('against')}"


def _seeds(run: Run) -> str:
    if run.looks is None:
        return str(len(levels(run.grid, "seed", run.planned)))
    told = run.summary["seeds"]
    used = f"; {told['cells_used']:,} cells of at most {told['cells_at_most']:,}" if "cells_used" in told else ""
    return f"{run.looks.first} to {run.looks.last}, until decided{used}"


def _intervals(run: Run) -> str:
    if run.looks is None:
        return "Every interval is a 95 % t-interval over seeds."
    return (
        "Intervals of a change against a control allow for the look after every seed; those of accuracies, single "
        "classes and confusions are 95 % t-intervals over the seeds there are, and describe."
    )


def _facts(run: Run) -> list[tuple[str, str]]:
    """What a reader wants to know beside the finding."""
    told = run.summary
    image = "×".join(str(side) for side in told.get("image") or ())
    data = [f"{told.get('dataset') or 'unnamed'}", f"{len(told.get('classes') or [])} classes", image and f"{image} px"]
    n_test = run.cells["n_test"].max() if len(usable(run.cells)) else None
    return [
        ("data", ", ".join(part for part in [*data, f"{n_test} test images" if n_test else ""] if part)),
        ("seeds", _seeds(run)),
        ("cells", _status(run)),
        ("primary contrast", _primary(run)),
        ("no effect means", f"within ±{plural_points(run.margin_points)}"),
    ]


def _provenance(run: Run) -> list[tuple[str, str]]:
    told = run.summary
    rows: list[tuple[str, Any]] = [
        ("study", run.name),
        ("status", f"{told.get('status', 'unknown')}, cells {_status(run)}"),
    ]
    rows += [("command", told.get("command")), ("finished", told.get("finished"))]
    if told.get("seconds") is not None:
        rows.append(("took", f"{told['seconds']:.0f} s with {plural(int(told.get('workers') or 1), 'worker')}"))
    rows.append(("machine", told.get("machine")))
    for name in ("computed", "reused", "versions"):
        rows.append((name, ", ".join(f"{k} {v}" for k, v in (told.get(name) or {}).items())))
    rows += [("primary contrast", _primary(run)), ("margin", f"±{run.margin_points:g} points")]
    controls = told.get("controls") or {}
    rows.append(("controls", ", ".join(controls.get("arms") or []) or "none beside real only"))
    rows.append(("classic augmentation", controls.get("classic_da")))
    for name, values in (told.get("factors") or {}).items():
        rows.append((name, ", ".join("default" if v is None else written(v) for v in values)))
    rows += [("data set’s digest", told.get("digest")), ("store", told.get("store"))]
    return [(key, str(value)) for key, value in rows if value not in (None, "")]


def _missing(run: Run, figures: list[dict[str, Any]]) -> list[str]:
    """What the study asked for and does not have, and what the page leaves out."""
    found = []
    counts = run.summary.get("cells") or {}
    for name in ("missing", "failed", "diverged"):
        if counts.get(name):
            found.append(f"{plural(int(counts[name]), 'cell')} of {counts.get('total', len(run.cells))}: {name}.")
    sheets = sum(figure["id"].startswith("samples") for figure in figures)
    if sheets < len(run.samples()):
        found.append(f"{sheets} of {len(run.samples())} sample sheets are among the figures.")
    if not run.semi and len(usable(run.grid)) and not is_control(run.grid).all():
        if len(levels(run.grid, "threshold")) < 2:
            found.append("The threshold was not varied, so there is no heatmap over it.")
        if not set(run.cells["arm"]) - {"real-only", "generated"}:
            found.append(
                "No control beside real only was run (duplicated, shuffled, more real images): a gain may come from "
                "the number of images rather than from what they show."
            )
    if not run.primary:
        found.append("No primary contrast was named before the run.")
    if len(levels(run.grid, "seed", run.planned)) < 5:
        found.append("Fewer than five seeds: intervals are wide, and their width is itself uncertain.")
    if run.samples() == [] and not run.semi:
        found.append("No sample images were kept.")
    return found


def _start(run: Run, said: Headline) -> dict[str, Any] | None:
    return None if said.contrast is None else {n: said.contrast[n] for n in varied(run.grid) if n in said.contrast}


def write_report(run: str | Path | Run, running: Running | None = None) -> Path:
    """Write `report/index.html`, one file, and `report/figures/` into the run folder; return the page's path.

    running: of a run that still goes on; the page then says so and reads itself again. UserError as `analysis.load`.
    """
    run = load(run)
    said = headline(run)
    folder = run.folder / "report"
    figures = pictures(run, said, folder / "figures")
    alone = run.of_generators
    found = None if alone or run.semi else interactive(run, _start(run, said))
    study = run.folder / "study.yaml"
    page = render(
        "report.html.j2",
        ("page.js", *(["heatmap.js"] if found else []), *(["live.js"] if running else [])),
        title=f"{run.name} — ganaug",
        name=run.name,
        dataset=run.summary.get("dataset"),
        question=run.summary.get("question"),
        headline=said,
        search=search_finding(run),
        running=running,
        warnings=_warnings(run, running),
        facts=generator_facts(run) if alone else _facts(run),
        unit="" if alone else "Points are percentage points of accuracy. ",
        intervals=_intervals(run),
        map=found,
        figures=figures,
        tables=generator_sections(run) if alone else sections(run, said),
        method=generator_method(run) if alone else method(run),
        provenance=_provenance(run),
        study=study.read_text(encoding="utf-8"),
        missing=generator_missing(run) if alone else _missing(run, figures),
    )
    return put(folder / "index.html", page.encode())
