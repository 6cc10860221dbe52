"""The command line. It answers `--help` without importing torch, Ray, numpy or pandas."""

import errno
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ganaug.errors import DiskError, Unreachable, UserError
from sweeps import cli_export, cli_preview, cli_report, cli_search, cli_store, terminal
from sweeps.cli_options import (
    DATA,
    STORE,
    Address,
    DataDir,
    Set,
    StandIn,
    StoreUri,
    StudyName,
    Unauthenticated,
    Workers,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Do GAN-generated images help my classifier, and is the gain real?",
)
data_app = typer.Typer(no_args_is_help=False, help="The data sets: what is here, and how to get the rest.")
app.add_typer(data_app, name="data")
app.add_typer(cli_store.app, name="store")


def _say(text: str) -> None:
    terminal.say(text)


@app.command()
def run(
    study: StudyName,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The run folder. Default: runs/NAME, by variant and stand-in."),
    ] = None,
    store: StoreUri = STORE,
    data: DataDir = DATA,
    address: Address = None,
    unauthenticated: Unauthenticated = False,
    workers: Workers = None,
    cpus: Annotated[float | None, typer.Option("--cpus-per-trial", min=0.01)] = None,
    gpus: Annotated[
        float | None, typer.Option("--gpus-per-trial", min=0.0, help="A fraction lets trials share a GPU.")
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(
            "--track",
            metavar="TRACKER",
            help="tensorboard, mlflow, wandb (offline), or none; may be repeated. Default: tensorboard if installed.",
        ),
    ] = None,
    assignments: Set = None,
    stand_in: StandIn = False,
) -> None:
    """Run a study: only what is not in the store is computed, so the same command resumes."""
    from sweeps import study_file as studies
    from sweeps import trackers

    tracked = trackers.chosen(track)
    placement = {"workers": workers, "cpus_per_trial": cpus, "gpus_per_trial": gpus}
    extra = [f"resources.{k}={v}" for k, v in placement.items() if v is not None]
    resolved = studies.load(study, [*(assignments or []), *extra], stand_in)

    from sweeps.adaptive import seeds_line
    from sweeps.cluster.gate import admitted
    from sweeps.progress import Bar
    from sweeps.run import run as run_study
    from sweeps.store import Store

    address = admitted(address, unauthenticated) if address else None
    folder = out or Path("runs") / resolved.folder
    _writable(folder)
    with Bar(resolved.folder) as bar:
        summary, interrupted = run_study(resolved, folder, Store(store), data, address, bar.start, tracked)
    again = shlex.join(["ganaug", *sys.argv[1:]])
    _tell(summary, folder)
    for note, n in summary.get("notes", {}).items():
        _say(f"Memory was short: {note} ({n} cells).")
    if interrupted:
        _say(f"Interrupted; nothing finished is lost. To go on: {again}")
        raise typer.Exit(130)
    if "seeds" in summary:
        _say(seeds_line(summary["seeds"]))
    _report(folder)
    if summary["cells"]["failed"] or summary["cells"]["missing"]:
        failed = summary["cells"]["failed"]
        _say(f"{failed} cells failed ({folder / 'failures.json'} says why). To try them again: {again}")
        raise typer.Exit(1)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {folder}: cannot be made: {error.strerror}") from None


def _tell(summary: dict[str, Any], folder: Path) -> None:
    cells, computed = summary["cells"], summary["computed"]
    odd = "".join(f", {cells[s]} {s}" for s in ("starved", "diverged", "failed", "missing") if cells[s])
    if summary["measure"] == "generators":
        _say(
            f"{summary['study']}: {cells['total']} generators{odd}; computed {computed['fit_gan']} GANs, "
            f"{computed['pool']} chunks of generated images and {computed['assess']} assessments, "
            f"reused {summary['reused']['assess']} assessments; {summary['seconds']:.0f} s"
        )
        return
    _say(
        f"{summary['study']}: {cells['total']} cells{odd}; computed {computed['fit_gan']} GANs, "
        f"{computed['pool']} chunks of generated images and {computed['measure']} records, "
        f"reused {summary['reused']['measure']} records; {summary['seconds']:.0f} s"
    )


def _report(folder: Path) -> None:
    import analysis

    page = analysis.write_report(folder)
    _say(f"Report: {page}")


@app.command()
def plan(
    study: StudyName,
    store: StoreUri = STORE,
    data: DataDir = DATA,
    assignments: Set = None,
    stand_in: StandIn = False,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", help="What an hour costs, e.g. 2.50/gpu-hour or '0.04 EUR/cpu-hour'; may be repeated."),
    ] = None,
) -> None:
    """What a study would compute: cells, generators, what is stored, time and hours, and what sharing saves."""
    from sweeps import price as pricing
    from sweeps import study_file as studies

    prices = pricing.parse(price or [])
    resolved = studies.load(study, assignments or [], stand_in)

    from sweeps.fusing import settled
    from sweeps.grid import open_grid
    from sweeps.outlook import outlook
    from sweeps.store import Store

    place = Store(store)
    resolved = settled(resolved, Path("runs") / resolved.folder, None)
    _say(f"{resolved.folder}: {resolved.question}".rstrip(": "))
    for line in outlook(open_grid(resolved, data, place), place, prices):
        _say(line)


app.command()(cli_search.search)
app.command()(cli_report.status)
app.command()(cli_report.report)
app.command()(cli_preview.preview)
app.command()(cli_export.export)
app.command()(cli_export.generate)


@app.command()
def studies(
    path: Annotated[
        str | None, typer.Option("--path", metavar="NAME", help="Print the file of one packaged study.")
    ] = None,
) -> None:
    """The packaged studies."""
    from ganaug import yaml_file
    from sweeps import study_file

    if path is not None:
        found = study_file.packaged().get(path)
        _say(str(found or study_file.find(path)))
        return
    for name, file in study_file.packaged().items():
        _say(f"{name:<24} {yaml_file.read(file).get('question', '')}")


@data_app.callback(invoke_without_command=True)
def data_list(context: typer.Context, data: DataDir = DATA) -> None:
    """List the data sets: images per class of those that are here, the files to put where of those that are not."""
    if context.invoked_subcommand is not None:
        return
    from ganaug.datasets import DATASETS, missing, summary

    for name, entry in DATASETS.items():
        _say(f"{name:<14} {entry.about}")
        if entry.required:
            options = ", ".join(f"{option}: …" for option in entry.required)
            _say(f"{'':<14} a study says which: dataset: {{name: {name}, {options}}}")
            continue
        try:
            found = summary(name, data)
        except UserError as error:
            _say(f"{'':<14} {error}")
            continue
        if found.present:
            _say(f"{'':<14} present: {_counts(found)}, {found.where}")
        else:
            _say(f"{'':<14} absent; put these files there, or `ganaug data get {name}`:")
            for file in missing(name, data):
                _say(f"{'':<16} {file}")


def _counts(found: Any) -> str:
    low, high = min(found.per_class), max(found.per_class)
    per_class = f"{low}" if low == high else f"{low} to {high}"
    return f"{len(found.classes)} classes, {per_class} images per class"


@data_app.command("get")
def data_get(name: Annotated[str, typer.Argument()], data: DataDir = DATA) -> None:
    """Download a data set's files."""
    from ganaug.datasets import download

    download(name, data)
    _say(f"{name}: in {data}")


def main() -> None:
    """The console script: a user's mistake is one line and exit code 2, a store that does not answer exit code 1."""
    terminal.plain_warnings()
    try:
        app()
    except UserError as error:
        terminal.complain(f"error: {error}")
        sys.exit(2)
    except Unreachable as error:
        terminal.complain(f"error: {error}; nothing finished is lost, the same command goes on from it")
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise
        terminal.complain(f"error: {DiskError.of(error.filename or 'a temporary file', error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        terminal.complain("interrupted; nothing finished is lost")
        sys.exit(130)


if __name__ == "__main__":
    main()
