"""The commands that take images and generators out of a run: `ganaug export`, `ganaug generate`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sweeps.cli_options import DATA, DataDir
from sweeps.export import Format
from sweeps.terminal import say

To = Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write, new or empty.")]
Form = Annotated[Format, typer.Option("--format", help="PNG folders, one safetensors file, or MNIST's files (grey).")]


def _one_thread() -> None:
    """As in a trial: an image that is drawn again is the same to the bit."""
    import torch

    torch.set_num_threads(1)


def _tell(told: dict[str, Any], to: Path) -> None:
    kinds = ", ".join(f"{sum(counts)} {kind}" for kind, counts in told["per_class"].items())
    test = told["test_per_class"]
    apart = f"; {sum(test)} test images apart" if test else ""
    say(f"{to}: {told['images']} images ({kinds}){apart}; README.txt there says what they are")


def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    to: To,
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="KEY", help="The cell, by the first digits of its key.")
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="The generated one of highest mean test accuracy that does not hurt.")
    ] = False,
    primary: Annotated[
        bool, typer.Option("--primary", help="The study's primary contrast; the default where it names one.")
    ] = False,
    form: Form = Format.folder,
    with_test: Annotated[bool, typer.Option("--with-test", help="The test images too, apart from the rest.")] = False,
    store: Annotated[
        str | None, typer.Option("--store", help="Where the run's store is now. Default: where the run had it.")
    ] = None,
    data: DataDir = DATA,
) -> None:
    """Write a cell's augmented training set, and its generator, for other tools to use."""
    from sweeps.export.cell import export_cell

    _one_thread()
    _tell(export_cell(run, to, form, cell, best, primary, with_test, data, store, say), to)


def generate(
    bundle: Annotated[Path, typer.Argument(help="A folder that holds generator.json, as `ganaug export` writes it.")],
    to: To,
    n: Annotated[int, typer.Option("--n", min=1, help="Images per class.")] = 100,
    classes: Annotated[
        list[str] | None, typer.Option("--classes", metavar="A,B", help="Only these classes. Default: all.")
    ] = None,
    threshold: Annotated[float, typer.Option("--threshold", help="Least calibrated probability; 0 keeps all.")] = 0.0,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the stream. Default: the study's own, with its images.")
    ] = None,
    max_candidates: Annotated[
        int | None, typer.Option("--max-candidates", min=1, help="Looked at per class. Default: 50 per image wanted.")
    ] = None,
    form: Form = Format.folder,
) -> None:
    """Draw images from an exported generator; it needs neither the run nor its store."""
    from sweeps.export.images import export_images

    _one_thread()
    _tell(export_images(bundle, to, form, n, classes or [], threshold, seed, max_candidates, say), to)
