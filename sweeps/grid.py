"""A study's cells on its data: what is asked, and what of it the store has answered."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganaug.artifact import Artifact
from ganaug.datasets import missing
from ganaug.errors import UserError
from ganaug.gans.sides import check_side
from ganaug.metrics import weights
from ganaug.recipe import Cell, recipe
from ganaug.recipe import generator as make_generator
from ganaug.specs import InfoGanSpec, ProjectionSpec, judging
from ganaug.stages import Assess, LocalFile, Measure, TrainImages
from sweeps.imports import import_dataset
from sweeps.plan import Leaf, generator_of
from sweeps.store import Store
from sweeps.study import Study


@dataclass
class Grid:
    """A study's cells on its data: what is asked, and under which keys the answers lie.

    A cell's answer is a record, or in a study of generators the assessment of one; `factors` and `cells` lie under its
    key.
    """

    study: Study
    digest: str
    test: Artifact
    factors: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    assessments: dict[str, Assess] = field(default_factory=dict)  # by their generator's key
    generators: dict[str, dict[str, Any]] = field(default_factory=dict)  # by their key, the factors of their first cell

    @property
    def asked(self) -> dict[str, Leaf]:
        """A cell's answer, by its key."""
        return dict(self.measures) if self.measures else {a.key: a for a in self.assessments.values()}

    def leaves(self) -> list[Leaf]:
        """All that is asked for: records, and what the generators are worth by themselves."""
        return [*self.measures.values(), *self.assessments.values()]

    def stored(self, store: Store) -> set[str]:
        """Keys of the records, assessments, generators and judges that need no work."""
        return set().union(*(store.keys(kind) for kind in ("measure", "fit_gan", "fit_judge", "assess")))

    def unassessed(self, store: Store) -> list[Assess]:
        have = store.keys("assess")
        return [a for a in self.assessments.values() if a.key not in have]

    def missing(self, store: Store) -> list[Leaf]:
        have = store.keys("measure" if self.measures else "assess")
        return [leaf for key, leaf in self.asked.items() if key not in have]


def open_grid(study: Study, data: Path, store: Store) -> Grid:
    """Import the study's data set and lay out its cells; UserError where a class has too few images."""
    digest, test = _imported(study, data, store)
    _check_counts(study, store, digest)
    return lay_out(study, digest, test)


def lay_out(study: Study, digest: str, test: Artifact) -> Grid:
    """The study's cells on the data set with this digest and these test images; UserError where they do not fit."""
    grid = Grid(study, digest, test)
    # whatever the cells' classifiers learn from, a generator's judge learns from real images
    judge = judging(study.classifier)
    files = _files(study, test)
    asked = study.assess and study.assess.model_copy(update={"weights": None, "imagenet": None})
    alone = study.measure == "generators"
    for factors, cell in study.cells(digest):
        if cell.arm == "semi-supervised" and cell.semi and cell.semi.method != "fixmatch":
            _check_side("semi-supervised", test.facts["shape"][1], "semi", "semi.method fixmatch")
        if (cell.n_gen or alone) and isinstance(cell.gan, ProjectionSpec | InfoGanSpec):
            _check_side(cell.gan.name, test.facts["shape"][1])
        measure = None if alone else recipe(cell)
        generator = generator_of(measure) if measure else make_generator(cell)
        if generator is not None and generator.key not in grid.generators:
            grid.generators[generator.key] = factors
            if asked is not None:
                grid.assessments[generator.key] = Assess(generator, study.pool, judge, asked, *files)
        leaf = measure or (grid.assessments.get(generator.key) if generator else None)
        assert leaf is not None  # a study of generators always assesses
        if measure is not None:
            grid.measures[measure.key] = measure
        grid.factors[leaf.key], grid.cells[leaf.key] = factors, cell
    return grid


def _files(study: Study, test: Artifact) -> tuple[LocalFile | None, LocalFile | None]:
    """The weights of Inception and of ResNet-50 that the study's assessments ask for."""
    asked, classes = study.assess, test.facts["classes"]
    if len(classes) < 2 and study.measure == "classifiers":
        raise UserError(
            f"dataset: {study.dataset.name} has one class, which no classifier can be wrong about; take another, or "
            "measure: generators"
        )
    if asked is None:
        return None, None
    if asked.features == "classifier" and len(classes) < 2:
        raise UserError(
            f"assess.features: a classifier of one class ({classes[0]}) has learned nothing, and neither its features "
            "nor its score mean anything; take assess.features inception, with the file's place in assess.weights"
        )
    inception = weights.inception(asked.weights) if asked.features == "inception" else None
    return inception, weights.resnet(asked.imagenet) if asked.imagenet else None


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
