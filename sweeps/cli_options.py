"""Options and arguments that several commands share, said once."""

from pathlib import Path
from typing import Annotated

import typer

StudyName = Annotated[str, typer.Argument(help="A study file, or the name of a packaged study (see `ganaug studies`).")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value, e.g. --set n_real=[3,10] or --set gan.steps=500."),
]
StandIn = Annotated[
    bool, typer.Option("--stand-in", help="Run on the study's stand-in data, named everywhere, not on its own.")
]
DataDir = Annotated[Path, typer.Option("--data", envvar="GANAUG_DATA", help="Where data sets' files are.")]
StoreUri = Annotated[
    str,
    typer.Option(
        "--store", envvar="GANAUG_STORE", help="Directory, or s3://bucket/prefix, of everything computed; share it."
    ),
]
Address = Annotated[
    str | None, typer.Option("--address", help="A Ray cluster to join, e.g. auto. Default: this machine alone.")
]
Unauthenticated = Annotated[
    bool,
    typer.Option(
        "--allow-unauthenticated-cluster",
        envvar="GANAUG_ALLOW_UNAUTHENTICATED_CLUSTER",
        help="Join a cluster even if it lets in whoever reaches it.",
    ),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Trials at a time. Default: one per CPU.")]

DATA = Path("data")
STORE = "runs/store"
