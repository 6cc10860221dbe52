"""The training set of one cell, rebuilt from its study and the store, and its generator beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import analysis
from ganaug.artifact import NoResult
from ganaug.errors import UserError
from ganaug.recipe import Cell
from ganaug.stages import FitGan, Measure
from sweeps.execute import Evaluator
from sweeps.export import Format
from sweeps.export.choose import Choice, choose
from sweeps.export.collection import Collection, training_set, with_test
from sweeps.export.describe import contents, write_provenance, write_words
from sweeps.export.formats import check, write_images
from sweeps.export.place import fill_new, require_new
from sweeps.export.versions import made_by
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.reopen import reopen
from sweeps.store import Store

Say = Callable[[str], None]


def _title(grid: Grid, choice: Choice) -> str:
    return f"The training set of cell {choice.key[:12]} of the study {grid.study.name}"


def _rebuild(evaluator: Evaluator, grid: Grid, choice: Choice, say: Say) -> Collection:
    """What the cell's classifiers were trained on; generators and pools come from the store, if it has them."""
    measure = grid.measures[choice.key]
    generator = generator_of(measure)
    if generator is not None and evaluator.store.load(generator) is None:
        say(f"The store has lost generator {generator.key[:12]}: training it again, {generator.gan.steps} steps")
    try:
        return training_set(measure.classifiers[0], evaluator.get, grid.study.dataset.name)
    except NoResult as none:
        raise UserError(f"cell {choice.key[:12]}: {none.status}, so it has no training set: {none}") from None


def _checked(collection: Collection, store: Store, measure: Measure) -> Collection:
    """The collection, unless the cell's record counts other images."""
    record = store.load(measure)
    if record is not None and record[0].facts.get("n_train", len(collection.labels)) != len(collection.labels):
        raise RuntimeError(
            f"cell {measure.key[:12]} was trained on {record[0].facts['n_train']} images, "
            f"but {len(collection.labels)} were rebuilt"
        )
    return collection


def _save_generator(evaluator: Evaluator, folder: Path, fit: FitGan, cell: Cell, told: dict[str, Any]) -> None:
    from ganaug.gans.bundle import Bundle, save_bundle

    about = {k: told[k] for k in ("study", "dataset", "licence", "cell", "command", "versions", "made")}
    classes = tuple(c["name"] for c in told["classes"])
    bundle = Bundle(fit.gan, classes, fit.seed, cell.pool.chunk, evaluator.get(fit), {"generator": fit.key, **about})
    save_bundle(bundle, folder)


def _accuracy(run: analysis.Run, key: str) -> float | None:
    own = run.cells.loc[run.cells["cell"].eq(key), "accuracy"].dropna()
    return None if own.empty else float(own.iloc[0])


def _tell(run: analysis.Run, grid: Grid, choice: Choice, collection: Collection, form: Format) -> dict[str, Any]:
    """export.json."""
    return {
        "what": _title(grid, choice),
        "study": grid.study.name,
        "question": grid.study.question,
        "run": str(run.folder),
        "cell": choice.key,
        "factors": grid.factors[choice.key],
        "chosen": choice.by,
        "chosen_why": choice.why,
        "test_accuracy": _accuracy(run, choice.key),
        "synthetic": grid.test.facts["synthetic"],
        **contents(collection, form),
        **made_by(),
    }


def _lines(told: dict[str, Any]) -> list[str]:
    own = {k: v for k, v in told["factors"].items() if v is not None}
    accuracy = told["test_accuracy"]
    lines = [
        "Exactly the images, in their order, that the classifiers of this cell were trained on.",
        f"Cell: {', '.join(f'{k} {v}' for k, v in own.items())}.",
        f"Chosen: {told['chosen_why']}.",
        *([f"Test accuracy of its record: {accuracy:.4f}."] if accuracy is not None else []),
    ]
    if own["clf_da"] != "none":
        lines.append(f"The classifiers saw each image under fresh {own['clf_da']}; what is here is not augmented.")
    return lines


def export_cell(
    run: Path, to: Path, form: Format, cell: str | None, best: bool, primary: bool, test: bool,
    data: Path, store: str | None, say: Say,
) -> dict[str, Any]:  # fmt: skip
    """Write the training set of one cell of the run in the folder `run` into the new folder `to`; export.json's values.

    cell, best, primary: which one, see `choose`.  test: the data set's test images too, apart.
    Raises UserError for a wish that cannot be met; then nothing is at `to`.
    """
    require_new(to)
    told_run = analysis.load(run)
    _, place, grid = reopen(run, data, store)
    channels, height, width = grid.test.facts["shape"]
    check(form, (channels, height, width), len(grid.test.facts["classes"]))
    choice = choose(told_run, grid, cell, best, primary)
    say(f"Cell {choice.key[:12]}: {choice.why}")
    evaluator = Evaluator(place)
    measure = grid.measures[choice.key]
    collection = _checked(_rebuild(evaluator, grid, choice, say), place, measure)
    if test:
        collection = with_test(collection, grid.test)
    told = _tell(told_run, grid, choice, collection, form)
    generator = generator_of(measure)

    def fill(folder: Path) -> None:
        files = write_images(form, folder, collection)
        write_provenance(folder / "provenance.csv", collection, files)
        if generator is not None:
            _save_generator(evaluator, folder, generator, grid.cells[choice.key], told)
        write_words(folder, told["what"], _lines(told), told)

    fill_new(to, fill)
    return told
