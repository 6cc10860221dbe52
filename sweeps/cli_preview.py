"""`ganaug preview`: what classic augmentation makes of an image of a data set, before a study spends a night on it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganaug.errors import UserError
from sweeps.terminal import say


def preview(
    da: Annotated[
        str, typer.Argument(help="An augmentation, e.g. rotation+hflip; all: every type; none: a look at the data set.")
    ],
    name: Annotated[
        str | None, typer.Option("--data", metavar="NAME", help="The data set, e.g. digits; see `ganaug data`.")
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Take data set and strengths from this study instead.")
    ] = None,
    files: Annotated[Path, typer.Option("--data-dir", envvar="GANAUG_DATA", help="Where data sets' files are.")] = Path(
        "data"
    ),
    out: Annotated[Path | None, typer.Option("--out", help="The PNG to write. Default: preview-DA-NAME.png.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value, e.g. --set augmentation.rotation=30 or --set dataset.path=mine."),
    ] = None,
    stand_in: Annotated[bool, typer.Option("--stand-in", help="The study's stand-in data.")] = False,
) -> None:
    """Draw six variants of one image per augmentation, seed 0, by the very code that a study trains with; for none,
    30 images of the data set. Says how many images an offline augmentation would really add."""
    from sweeps import study_file as studies

    if (name is None) == (study is None):
        raise UserError("preview: needs --data NAME or --study STUDY, one of them; `ganaug data` lists the data sets")
    if study is not None:
        asked = studies.load(study, assignments or [], stand_in)
    else:
        data: dict[str, Any] = {"name": "preview", "dataset": {"name": name}, "factors": {"n_real": [1]}}
        asked = studies.checked_study(data | {"gan": {"name": "cgan"}}, assignments or [], "preview")

    from sweeps.preview import draw

    path = out or Path(f"preview-{da}-{asked.dataset.name}.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        told = draw(da, asked, files, path)
    except OSError as error:
        raise UserError(f"--out {path}: cannot be written: {error.strerror}") from None
    for line in told:
        say(line)
    say(str(path))
