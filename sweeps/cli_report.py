"""The commands that look at a run: `ganaug status`, `ganaug report`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ganaug.errors import UserError
from sweeps.cli_options import DATA, DataDir
from sweeps.terminal import say

RunFolder = Annotated[Path, typer.Argument(help="A run folder.")]
Follow = Annotated[bool, typer.Option("--follow", help="While the run goes on: again and again, until it is over.")]
Every = Annotated[int, typer.Option("--every", min=1, metavar="SECONDS", help="How often --follow looks.")]


def _follow(run: Path, data: Path, every: int, page: bool) -> None:
    from sweeps.follow import follow

    os.nice(10)  # whoever looks on must not slow what it looks at
    follow(run, data, every, say, page)


def status(run: RunFolder, follow: Follow = False, every: Every = 30, data: DataDir = DATA) -> None:
    """How far a run is: cells done and missing, read from its study and its store; the time left while it goes on."""
    from sweeps.follow import Onlooker, is_running

    if is_running(run):
        if follow:
            return _follow(run, data, every, page=False)
        there = Onlooker(run, data)
        look = there.look()
        say(look.line())
        if there.said is not None and look.running:
            say(f"running     since {there.said.started}")
        elif there.said is not None:
            say(f"stopped     begun {there.said.started}, no longer alive")
            say(f"to go on    {there.said.command}")
        return None

    from sweeps.reopen import reopen

    summary, store, grid = reopen(run, data)
    missing, total = len(grid.missing(store)), len(grid.asked)
    say(f"{summary['study']}: {total - missing} of {total} cells done, {missing} missing")
    say(f"last run    {summary['finished']}, {summary['seconds']:.0f} s, {summary['status']}")
    if missing:
        say(f"to go on    {summary['command']}")
    return None


def report(
    run: RunFolder,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="RUN", help="Compare with this run, setting by setting.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="As PDF too; needs Chromium.")] = False,
    follow: Follow = False,
    every: Every = 30,
    data: DataDir = DATA,
) -> None:
    """Write a run's report again; or one of what is finished while it goes on; or one against another run."""
    from sweeps.follow import is_running

    if follow and (against or pdf):
        raise UserError("--follow: goes with neither --against nor --pdf; wait until the run is over")
    if is_running(run):
        if follow:
            return _follow(run, data, every, page=True)
        if not (run / "records.parquet").exists():
            raise UserError(f"{run}: its run goes on and has written no tables yet; look on with --follow")
    if against is None:
        import analysis

        page = analysis.write_report(run)
        say(f"Report: {page}")
    else:
        from analysis.against import write_comparison

        page = write_comparison(run, against)
        say(f"Comparison: {page}")
    if pdf:
        from analysis.browser import write_pdf

        say(f"PDF: {write_pdf(page)}")
    return None
