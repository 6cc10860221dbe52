"""Bad trials among good ones: losses that are not finite, collapse, no memory. Each is labelled, and leaves no trace
in the others or in what is ranked.

What goes wrong is put where it would arise: the loss itself is made NaN, the trained generator's weights are made 0,
the allocation raises. Finding it, and saying so, is the product's.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import analysis
from analysis.paired import paired_deltas, usable
from ganaug.gans import fit, step
from ganaug.stages import FitClassifier

from .command import Place
from .here import ganaug

STUDY = """\
dataset: {{name: digits, test_per_class: 70, validation_per_class: 10}}
factors: {{n_real: [3], n_gen: [0, 6], threshold: [0], seed: {seeds}}}
gan: {{name: projection, steps: 4, batch: 8, width: 8, discriminator_width: 8}}
pool: {{chunk: 10, max_per_class: 20}}
classifier: {{steps: 5, width: 8}}
assess: null
"""
KINDS = ("nan", "collapse", "memory", "cuda memory")
LABELS = {"nan": "diverged", "collapse": "diverged", "memory": "failed", "cuda memory": "failed"}
REASONS = {
    "nan": "a loss is not finite", "collapse": "collapsed: ", "memory": "MemoryError: ", "cuda memory":
    "OutOfMemoryError: ",
}  # fmt: skip


def inject(bad: dict[int, str]) -> Callable[[], None]:
    """A patch under which the cells with generated images of these seeds go wrong in these ways."""

    def patch() -> None:
        train, run = fit.train, FitClassifier.run

        def trained(spec: Any, images: Any, labels: Any, n_classes: int, seed: int, *more: Any) -> Any:
            kind, losses = bad.get(seed), dict(step.LOSSES)
            if kind == "nan":
                for name, pair in losses.items():
                    step.LOSSES[name] = tuple(_nan(loss) for loss in pair)  # type: ignore[index,assignment]
            done = train(spec, images, labels, n_classes, seed, *more)
            step.LOSSES.update(losses)  # type: ignore[attr-defined]
            if kind == "collapse":
                with torch.no_grad():
                    for weights in done.generator.parameters():
                        weights.zero_()
            return done

        def classified(self: FitClassifier, work: Any) -> Any:
            kind = bad.get(self.split.seed) if self.extra else None
            if kind == "memory":
                raise MemoryError("cannot allocate 2 GiB")
            if kind == "cuda memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return run(self, work)

        fit.train = trained
        FitClassifier.run = classified  # type: ignore[method-assign]

    return patch


def _nan(loss: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *scores: loss(*scores) * float("nan")


@dataclass
class Found:
    """cells, bad: numbers of cells, and of those that something was done to. The rest should be 0."""

    cells: int
    bad: int
    by_kind: dict[str, int]
    mislabelled: list[str]
    touched: int
    ranked: int
    unhealed: int  # failed cells that a run on a machine with memory does not finish as the clean run did

    def wrong(self) -> int:
        return len(self.mislabelled) + self.touched + self.ranked + self.unhealed

    def line(self) -> str:
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.by_kind.items())
        right = self.bad - len(self.mislabelled)
        return (
            f"{self.bad} of {self.cells} cells made to go wrong ({kinds}): {right} labelled, {len(self.mislabelled)} "
            f"mislabelled, {self.touched} others touched, {self.ranked} ranked, "
            f"{self.unhealed} failed ones that the same command did not finish later"
        )


def _rows(place: Place) -> pd.DataFrame:
    table = pd.read_parquet(place.folder / "records.parquet")
    return table.drop(columns=[c for c in table if c.startswith("seconds_")]).set_index("cell")


def bad_trials(folder: Path, seeds: int, bad: int, seed: int) -> Found:
    """A study of `seeds` seeds of which `bad` go wrong, in every way by turns, beside the same study undisturbed."""
    chosen = random.Random(seed).sample(range(seeds), bad)
    ways = {s: KINDS[i % len(KINDS)] for i, s in enumerate(chosen)}
    text = STUDY.format(seeds=list(range(seeds)))
    clean, place = Place.make(folder / "clean", text), Place.make(folder / "bad", text)
    command = ("run", "tiny.yaml", "--track", "none")
    assert ganaug(*command, cwd=clean.root).code == 0
    done = ganaug(*command, cwd=place.root, patch=inject(ways))
    assert done.code == 1, done
    whole, rows = _rows(clean), _rows(place)
    struck = {key for key, row in rows.iterrows() if row["n_gen"] and row["seed"] in ways}
    mislabelled = []
    for key in struck:
        way = ways[int(rows.loc[key, "seed"])]
        as_it_should = rows.loc[key, "status"] == LABELS[way] and REASONS[way] in rows.loc[key, "reason"]
        mislabelled += [] if as_it_should else [f"{way}: {rows.loc[key, 'status']}: {rows.loc[key, 'reason']}"]
    others = [key for key in whole.index if key not in struck]
    touched = sum(not rows.loc[key].equals(whole.loc[key]) for key in others)
    run = analysis.load(place.folder)
    ranked = {*usable(run.cells)["cell"], *paired_deltas(run.cells)["cell"]} & struck
    assert ganaug(*command, cwd=place.root).code == 0, "failed cells are tried again; diverged ones have a record"
    healed = _rows(place)
    failed = [key for key in struck if LABELS[ways[int(rows.loc[key, "seed"])]] == "failed"]
    return Found(
        cells=len(whole),
        bad=len(struck),
        by_kind={kind: list(ways.values()).count(kind) for kind in KINDS},
        mislabelled=mislabelled,
        touched=touched,
        ranked=len(ranked),
        unhealed=sum(not healed.loc[key].equals(whole.loc[key]) for key in failed),
    )
