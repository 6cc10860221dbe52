"""One page per run: the finding first, then status, figures, tables, provenance. The same records give the
same bytes.
"""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from analysis.factors import described, is_control, levels, written
from analysis.paired import deltas_over_seeds, usable
from analysis.run import Run, load
from analysis.tables import accuracies, classes, contrasts, reasons
from analysis.verdict import Headline, contrast_of, headline, plural, setting_names

if TYPE_CHECKING:
    pass

OURS = (
    "learning_curve",
    "accuracy_heatmap_",
    "delta_heatmap_",
    "per_class_change",
    "acceptance",
    "gan_losses",
    "samples_",
)


def _status(run: Run) -> str:
    counts = run.summary.get("cells") or run.cells["status"].value_counts().to_dict()
    told = [f"{n} {status}" for status, n in counts.items() if n and status != "total"]
    total = counts.get("total", len(run.cells))
    return (
        f"{str(run.summary.get('status', 'unknown')).capitalize()} run: of "
        f"{plural(int(total), 'cell')} {', '.join(told) or 'none has run'}."
    )


def _warnings(run: Run) -> list[str]:
    found = []
    if run.summary.get("stand_in"):
        found.append(f"Stand-in data, not the data set of the question: {run.summary['stand_in']}.")
    if run.summary.get("synthetic"):
        found.append("The images of this data set are drawn by a program; the numbers say nothing about photographs.")
    if run.summary.get("status") == "partial":
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


def _tables(run: Run, said: Headline) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    deltas = deltas_over_seeds(run.cells)
    if len(deltas):
        text = (
            "Each setting against the real-only control of the same seeds. p is of a paired t-test, then "
            "corrected for all rows (Holm). "
            "“By itself” reads the row's own interval, uncorrected; dropped counts seeds without a "
            "usable pair."
        )
        found.append(
            {
                "title": plural(len(deltas), "contrast"),
                "text": text,
                "table": contrasts(run),
                "open": len(deltas) <= 60,
            }
        )
    if len(usable(run.cells)):
        text = "Mean over seeds ± half-width of the 95 % t-interval; — is a factor that cannot change the cell."
        found.append({"title": "Accuracy of every setting", "text": text, "table": accuracies(run), "open": False})
    if said.contrast is not None and len(run.per_class):
        where = contrast_of(run) or {}
        text = f"Recall per class at {described(where, setting_names(run.cells))}."
        found.append({"title": "Class by class", "text": text, "table": classes(run, where), "open": False})
    return found


def _provenance(run: Run) -> list[tuple[str, str]]:
    told = run.summary
    rows = [("study", run.name), ("command", told.get("command")), ("finished", told.get("finished"))]
    if told.get("seconds") is not None:
        rows.append(("took", f"{told['seconds']:.0f} s with {plural(int(told.get('workers') or 1), 'worker')}"))
    rows.append(("machine", told.get("machine")))
    for name in ("computed", "reused", "versions"):
        rows.append((name, ", ".join(f"{k} {v}" for k, v in (told.get(name) or {}).items())))
    for name, values in (told.get("factors") or {}).items():
        rows.append((name, ", ".join("default" if v is None else written(v) for v in values)))
    rows.append(("store", told.get("store")))
    return [(key, str(value)) for key, value in rows if value not in (None, "")]


def _left_out(run: Run) -> list[str]:
    found = []
    from analysis.figures.gallery import MOST_SHEETS

    if len(run.samples()) > MOST_SHEETS:
        found.append(f"{MOST_SHEETS} of {len(run.samples())} sample sheets are shown, evenly spread.")
    if len(usable(run.cells)) and not is_control(run.cells).all() and len(levels(run.cells, "threshold")) < 2:
        found.append("The threshold was not varied, so there is no heatmap over it.")
    return found


def write_report(run: str | Path | Run) -> Path:
    """Write `report/index.html` and its PNGs into the run folder; return the page's path. UserError as
    `analysis.load`.
    """
    run = load(run)
    said = headline(run)
    from analysis.figures.gallery import draw

    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    drawn = draw(run, said, folder)
    kept = {figure.file for figure in drawn}
    for stale in folder.glob("*.png"):
        if stale.name.startswith(OURS) and stale.name not in kept:
            stale.unlink()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((files("analysis") / "templates" / "report.html.j2").read_text(encoding="utf-8"))
    n_test = run.cells["n_test"].max() if "n_test" in run.cells and len(usable(run.cells)) else ""
    page = template.render(
        name=run.name,
        summary={"dataset": run.summary.get("dataset"), "question": run.summary.get("question")},
        headline=said,
        warnings=_warnings(run),
        status=_status(run),
        reasons=reasons(run),
        figures=drawn,
        left_out=_left_out(run),
        tables=_tables(run, said),
        provenance=_provenance(run),
        n_test=n_test,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"
