"""A study's cells on its data: what is asked, and what of it the store has answered."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganaug.artifact import Artifact
from ganaug.datasets import missing
from ganaug.errors import UserError
from ganaug.gans.sides import check_side
from ganaug.recipe import Cell, recipe
from ganaug.specs import InfoGanSpec, ProjectionSpec, judging
from ganaug.stages import Assess, Measure, TrainImages
from sweeps.imports import import_dataset
from sweeps.plan import Leaf, generator_of
from sweeps.store import Store
from sweeps.study import Study


@dataclass
class Grid:
    """A study's cells on its data: what is asked, and under which keys the answers lie."""

    study: Study
    digest: str
    test: Artifact
    factors: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    assessments: dict[str, Assess] = field(default_factory=dict)  # by their generator's key

    def leaves(self) -> list[Leaf]:
        """All that is asked for: records, and what the generators are worth by themselves."""
        return [*self.measures.values(), *self.assessments.values()]

    def stored(self, store: Store) -> set[str]:
        """Keys of the records, assessments, generators and judges that need no work."""
        return set().union(*(store.keys(kind) for kind in ("measure", "fit_gan", "fit_judge", "assess")))

    def unassessed(self, store: Store) -> list[Assess]:
        have = store.keys("assess")
        return [a for a in self.assessments.values() if a.key not in have]

    def missing(self, store: Store) -> list[Measure]:
        have = store.keys("measure")
        return [m for k, m in self.measures.items() if k not in have]


def open_grid(study: Study, data: Path, store: Store) -> Grid:
    """Import the study's data set and lay out its cells; UserError where a class has too few images."""
    digest, test = _imported(study, data, store)
    grid = Grid(study, digest, test)
    _check_counts(study, store, digest)
    # whatever the cells' classifiers learn from, a generator's judge learns from real images
    judge = judging(study.classifier)
    for factors, cell in study.cells(digest):
        if cell.arm == "semi-supervised" and cell.semi and cell.semi.method != "fixmatch":
            _check_side("semi-supervised", test.facts["shape"][1], "semi", "semi.method fixmatch")
        if cell.n_gen and isinstance(cell.gan, ProjectionSpec | InfoGanSpec):
            _check_side(cell.gan.name, test.facts["shape"][1])
        measure = recipe(cell)
        grid.factors[measure.key], grid.cells[measure.key], grid.measures[measure.key] = (
            factors,
            cell,
            measure,
        )
        generator = generator_of(measure)
        if generator is not None and study.assess is not None:
            grid.assessments.setdefault(generator.key, Assess(generator, study.pool, judge, study.assess))
    return grid


def _imported(study: Study, data: Path, store: Store) -> tuple[str, Artifact]:
    try:
        return import_dataset(study.dataset, data, store)
    except UserError as error:
        offered, spec = study.stand_in_offered, study.dataset
        if offered is None or not missing(spec.name, data, **spec.options):
            raise
        raise UserError(f"{error}; or run it on {offered}, named in every result, with --stand-in") from None


def _check_side(network: str, side: int, section: str = "gan", instead: str = "gan.name cgan") -> None:
    try:
        check_side(side, network)
    except ValueError as error:
        raise UserError(f"{section}: {error}; choose another dataset.size, or {instead}") from None


def _check_counts(study: Study, store: Store, digest: str) -> None:
    from ganaug.split import split

    found = store.load(TrainImages(digest))
    if found is not None:
        split(found[0], max([*study.factors["n_real"], *study.controls.curve]), study.dataset.validation_per_class, 0)
