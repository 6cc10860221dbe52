"""The command that searches: `ganaug search`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ganaug.errors import UserError
from sweeps.cli_options import DATA, STORE, Address, DataDir, StoreUri, StudyName, Unauthenticated, Workers
from sweeps.terminal import say

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value, e.g. --set search.steps=30 or --set search.settings.n_real=10."),
]


def search(
    study: StudyName,
    out: Annotated[Path | None, typer.Option("--out", help="The run folder. Default: runs/NAME-search.")] = None,
    store: StoreUri = STORE,
    data: DataDir = DATA,
    address: Address = None,
    unauthenticated: Unauthenticated = False,
    workers: Workers = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Settings to try. Default: 15.")] = None,
    sampler: Annotated[str | None, typer.Option("--sampler", help="tpe, gp, random or grid. Default: tpe.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            envvar="GANAUG_STORAGE",
            help="A database for the history. Default: a file in the run folder.",
        ),
    ] = None,
    assignments: Set = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Only say how to look at the history in Optuna's dashboard.")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Measure the winner on fresh seeds and test images.")
    ] = True,
    stand_in: Annotated[bool, typer.Option("--stand-in", help="Search on the study's stand-in data.")] = False,
) -> None:
    """Find the best threshold, or any setting, by validation images; confirm it on fresh seeds and test images."""
    from sweeps import study_file as studies

    given = {"search.steps": steps, "search.sampler": sampler, "search.storage": storage, "resources.workers": workers}
    extra = [f"{key}={value}" for key, value in given.items() if value is not None]
    resolved = studies.load(study, [*(assignments or []), *extra], stand_in)
    if resolved.seeds is not None:
        raise UserError("seeds: a search compares its steps over the same seeds; give factors.seed, or search.seeds")
    folder = out or Path("runs") / f"{resolved.folder}-search"

    from sweeps.search.run import settled
    from sweeps.search.storage import hidden

    sys.argv[1:] = map(hidden, sys.argv[1:])  # what a run writes down of its command line holds no password

    asked = settled(resolved)
    if dashboard:
        from sweeps.search.folder import SearchFolder
        from sweeps.search.storage import dashboard as how

        say(how(asked.spec.storage, SearchFolder(folder).journal))
        return

    from sweeps import fusing
    from sweeps.cluster.gate import admitted
    from sweeps.search.run import search as run_search
    from sweeps.store import Store

    address = admitted(address, unauthenticated) if address else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {folder}: cannot be made: {error.strerror}") from None
    place = Store(store)
    asked = settled(fusing.settled(resolved, folder, address))
    found = run_search(asked, folder, place, data, address, say)
    again = shlex.join(["ganaug", *sys.argv[1:]])
    if found.interrupted:
        say(f"Interrupted; no finished step is lost. To go on: {again}")
        raise typer.Exit(130)
    if found.failures:
        say(f"{len(found.failures)} steps failed; the same command tries them again: {again}")
        raise typer.Exit(1)
    if found.facts["best"] is None:
        say("No step has a value: see the reasons above. A GAN that diverges does so at every threshold.")
        raise typer.Exit(1)
    say(_searched(found.facts))
    if confirm:
        _confirm(asked, found.facts, folder, place, data, address, again)


def _confirm(
    asked: Any, facts: dict[str, Any], folder: Path, store: Any, data: Path, address: str | None, again: str
) -> None:
    from sweeps.progress import Bar
    from sweeps.run import run
    from sweeps.run_folder import RunFolder
    from sweeps.search.confirm import confirming, tell_best

    study = confirming(asked, facts["best"]["params"])
    say(f"Confirming on {len(asked.confirm_seeds)} fresh seeds and the test images.")
    with Bar(study.name) as bar:
        summary, interrupted = run(study, folder, store, data, address, bar.start)
    if interrupted:
        say(f"Interrupted; nothing finished is lost. To go on: {again}")
        raise typer.Exit(130)
    if summary["cells"]["failed"] or summary["cells"]["missing"]:
        why = folder / "failures.json"
        say(f"{summary['cells']['failed']} cells failed ({why} says why). To try them again: {again}")
        raise typer.Exit(1)
    best = tell_best(RunFolder(folder), facts)
    say(_confirmed(best))

    import analysis

    say(f"Report: {analysis.write_report(folder)}")


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{p} {v:.4g}" if isinstance(v, float) else f"{p} {v}" for p, v in params.items())


def _searched(facts: dict[str, Any]) -> str:
    """What validation images say of the winner."""
    best, none = facts["best"], facts["none"]
    said = f"Best by validation images: {_params(best['params'])}, accuracy {100 * best['value']:.2f} %"
    odd = f"\nIts filter starves it: {best['reason']}." if best["status"] == "starved" else ""
    if none is None:
        return f"{said}.{odd}"
    gain = f"{100 * (best['value'] - none['value']):+.2f} points against no filter"
    return f"{said}, {gain}. It was chosen for this number, so the number is too good.{odd}"


def _between(interval: list[float]) -> str:
    return f"{interval[0]:+.2f} to {interval[1]:+.2f}"


def _confirmed(best: dict[str, Any]) -> str:
    """What fresh seeds and test images say of it."""
    lines = []
    for against, told in best["contrasts"].items():
        lines.append(
            f"Confirmed against {against}: {told['delta_points']:+.2f} points "
            f"(95 % interval {_between(told['interval'])}, {told['n_seeds']} seeds): {told['verdict']}"
        )
    if best["better_than_none"] is False:
        lines.append("The best threshold is not shown to be better than no filter.")
    elif best["better_than_none"]:
        lines.append("The best threshold is better than no filter.")
    return "\n".join(lines)
