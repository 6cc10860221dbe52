"""What a search section may say, what is refused in which words, and what a step's study is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.search.space import Search, grid_points, settle

Load = Callable[..., Search]
DOTTED = (
    "(a dotted path into gan, pool, filter, judge, mixing, augmentation, classifier, semi is a factor too, "
    "e.g. gan.steps)"
)
FORMS = "must be [low, high], {low, high, step, log} or {choices: [...]}"


@pytest.fixture
def load(tiny: Path) -> Load:
    """The tiny study's search, with 3 real images per class unless another assignment says so."""

    def call(*assignments: str) -> Search:
        return settle(studies.load(str(tiny), ["search.settings.n_real=3", *assignments]))

    return call


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("search.space={}", "search.space: is empty; name at least one factor, e.g. threshold: [0, 1]"),
        ("search.space=3", "search.space: must be a mapping of factors to what they may be, e.g. threshold: [0, 1]"),
        ("search.space.threshold=[0, 1.3]", "search.space.threshold: must lie in [0, 1], got 1.3"),
        ("search.space.threshold=[-0.5, 1]", "search.space.threshold: must lie in [0, 1], got -0.5"),
        ("search.space.threshold=[0.5, 0.5]",
         "search.space.threshold: low must be less than high, got 0.5 and 0.5"),
        ("search.space.threshold=[0, 0.5, 1]", f"search.space.threshold: {FORMS}, got [0, 0.5, 1]"),
        ("search.space.threshold={low: 0}", f"search.space.threshold: {FORMS}, got {{'low': 0}}"),
        ("search.space.threshold={low: 0, high: 1, log: true}",
         "search.space.threshold.log: goes with low > 0 and without step, got {'low': 0, 'high': 1, 'log': True}"),
        ("search.space.threshold={low: 0, high: 1, step: 2}",
         "search.space.threshold.step: must lie between 0 and high - low, got 2"),
        ("search.space.treshold=[0, 1]",
         f"search.space: unknown factor 'treshold'; did you mean 'threshold'? {DOTTED}"),
        ("search.space.gan.stepz=[1, 2]", "search.space.gan.stepz: unknown key 'gan.stepz'; did you mean 'gan.steps'?"),
        ("search.space.gan.steps=[0, 2]", "search.space.gan.steps: must be at least 1, got 0"),
        ("search.space.gan.steps=[1.5, 2.5]", "search.space.gan.steps: must be a whole number, got 1.5"),
        ("search.space.seed=[0, 2]",
         "search.space.seed: a step is a mean over all seeds; name them in search.seeds"),
        ("search.space.n_gen=[0, 6]",
         "search.space.n_gen: low must be at least 1; without generated images a setting is the control real-only"),
        ("search.space={threshold: [0, 1], n_gen: [1, 60]}",
         "factors.n_gen: 60 is more than a pool holds; raise pool.max_per_class (20)"),
        ("search.space.clf_da={choices: []}",
         "search.space.clf_da.choices: is an empty list; give at least two values"),
        ("search.space.clf_da={choices: [none, none]}",
         "search.space.clf_da.choices: holds a value twice: ['none', 'none']"),
        ("search.space.filter.name={choices: [judge]}",
         "search.space.filter.name: unknown filter 'judge'; known: discriminator, agreement, neighbours, memorisation, "
         "rejection, metropolis-hastings"),
        ("search.settings={}",
         "search.settings.n_real: is missing, and the study has several: [3, 5]; name one, or put the factor into "
         "search.space"),
        ("search.settings.threshold=0.5",
         "search.settings.threshold: is searched; take it out of settings or of search.space"),
        ("search.settings.n_gen=0",
         "search.settings.n_gen: must be more than 0, for a search is about generated images"),
        ("search.confirm_seeds=[1, 2]",
         "search.confirm_seeds: must be fresh, but the search uses [1] too; leave them out of one of them"),
        ("search.confirm_seeds=[]", "search.confirm_seeds: must be one or more different seeds, got []"),
        ("search.sampler=tpee", "search.sampler: unknown sampler 'tpee'; did you mean 'tpe'?"),
        ("search.sampler=grid", "search.space.threshold: the grid sampler needs a step, e.g. "
         "{low: 0, high: 1, step: 0.1}"),
        ("search.objectives=[cost]", "search.objectives: must be [accuracy] or [accuracy, cost], got ['cost']"),
        ("search.steps=0", "search.steps: must be at least 1, got 0"),
        ("search.stepps=3", "unknown key 'search.stepps'; did you mean 'search.steps'?"),
        ("classifier.include_validation=true",
         "search: classifier.include_validation is true, so no validation image is left to judge a setting by; "
         "set it to false"),
        ("dataset.validation_per_class=0", "dataset.validation_per_class: must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_refusals_are_prose(load: Load, tiny: Path, assignment: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        load(assignment)
    assert str(error.value) == f"{tiny}: {told}"


def test_what_nobody_says_is_said_by_the_study(load: Load) -> None:
    search = load()
    assert {p: (a.low, a.high, a.whole) for p, a in search.axes.items()} == {"threshold": (0, 1, False)}
    assert search.settings == {"n_real": 3, "n_gen": 6, "gan_da": "none", "n_da": None, "clf_da": "none"}
    assert (search.seeds, search.steps) == ((0, 1), 15)
    assert search.confirm_seeds == (2, 3, 4, 5, 6), "five that neither the search nor the study has"


def test_a_primary_contrast_is_the_setting(load: Load) -> None:
    primary = "primary={n_real: 5, n_gen: 6, threshold: 0.5}"
    search = load("search.settings={}", primary, "search.space={classifier.steps: [2, 9]}")
    assert (search.settings["n_real"], search.settings["threshold"]) == (5, 0.5)
    assert search.axes["classifier.steps"].whole, "the field holds whole numbers, so the range does"


def test_a_path_that_the_chosen_filter_does_not_know_is_left_out(load: Load) -> None:
    space = "search.space={threshold: [0, 1], filter.rank: {choices: [true, false]}, filter.name: {choices: [%s]}}"
    search = load(space % "discriminator, rejection")
    assert list(search.axes) == ["filter.name", "threshold", "filter.rank"], "names come first: others depend on them"
    ranked = {"filter.name": "discriminator", "threshold": 0.5, "filter.rank": True}
    assert search.study_at(ranked, [0]).factors["filter.rank"] == [True]
    assert "filter.rank" not in search.study_at(ranked | {"filter.name": "rejection"}, [0]).factors


def test_a_grid_has_every_point_and_no_more_steps(load: Load) -> None:
    space = "search.space={threshold: {low: 0, high: 0.3, step: 0.1}, n_gen: [5, 6]}"
    search = load(space, "search.sampler=grid", "search.steps=100")
    assert [(p["threshold"], p["n_gen"]) for p in grid_points(search)] == [
        (t, n) for t in (0, 0.1, 0.2, 0.3) for n in (5, 6)
    ]
    assert search.steps == 8


@pytest.mark.parametrize(
    ("assignment", "same"),
    [
        ("search.steps=40", True),
        ("search.confirm_seeds=[8]", True),
        ("resources.workers=7", True),
        ("margin_points=3", True),
        ("search.seeds=[0]", False),
        ("search.sampler=gp", False),
        ("search.sampler_seed=1", False),
        ("search.space.threshold=[0, 0.9]", False),
        ("classifier.steps=6", False),
        ("search.settings.n_real=5", False),
    ],
)
def test_a_changed_search_is_another_one_and_a_longer_one_is_not(load: Load, assignment: str, same: bool) -> None:
    assert (load(assignment).digest("d") == load().digest("d")) == same


def test_a_study_file_with_a_search_is_read_back_as_it_was(tiny: Path, tmp_path: Path) -> None:
    study = studies.load(
        str(tiny),
        ["search.settings.n_real=3", "search.space={threshold: [0, 1], mixing.weight: {low: 0.1, high: 2, log: true}}"],
    )
    (tmp_path / "again.yaml").write_text(studies.to_yaml(study))
    assert studies.load(str(tmp_path / "again.yaml")) == study
