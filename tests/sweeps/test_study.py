"""Studies: a refusal is one line with the key, the rule and the value; what is accepted survives a round trip."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganaug import specs
from ganaug.datasets import DATASETS
from ganaug.errors import UserError
from ganaug.recipe import generator, recipe
from ganaug.records import is_generation_factor
from sweeps import study_file as studies

Load = Callable[..., studies.Study]


@pytest.fixture
def load(tiny: Path) -> Load:
    return lambda *assignments: studies.load(str(tiny), assignments)


DOTTED = (
    "(a dotted path into gan, pool, filter, judge, mixing, augmentation, classifier, semi is a factor too, "
    "e.g. gan.steps)"
)
GANS = "known: cgan, projection, infogan"


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("clasifier.steps=3", "unknown key 'clasifier'; did you mean 'classifier'?"),
        ("gan.stepz=3", "unknown key 'gan.stepz'; did you mean 'gan.steps'?"),
        ("pool.foo=1", "unknown key 'pool.foo'; known: chunk, max_per_class"),
        ("gan.diffaugment.cutou=0", "unknown key 'gan.diffaugment.cutou'; did you mean 'gan.diffaugment.cutout'?"),
        ("thresold=[0]", "unknown key 'thresold'; did you mean the factor 'threshold', under factors?"),
        ("factors.thresold=[0]", f"factors: unknown factor 'thresold'; did you mean 'threshold'? {DOTTED}"),
        ("factors.gan=[1]", f"factors: unknown factor 'gan'; did you mean 'gan_da'? {DOTTED}"),
        ("factors.gan.stepz=[1]", "factors: unknown key 'gan.stepz'; did you mean 'gan.steps'?"),
        ("factors.gan.steps.foo=[1, 2]", 
         "factors.gan.steps.foo: reaches into 'steps', which has no settings of its own"),
        ("factors.gan.steps=[4, '4']", "factors.gan.steps: holds a value twice: [4, 4]"),
        ("factors.gan.steps=[true]", "factors.gan.steps: must be a number or a name, got True"),
        ("factors.gan.diffaugment=[{}]", "factors.gan.diffaugment: each value must be a number or a name, got {}"),
        ("factors.gan.diffaugment.cutout=[2]", "factors.gan.diffaugment.cutout: must be less than 1, got 2"),
        ("factors.gan.name=[cgan, foo]", "factors.gan.name: unknown GAN 'foo'; known: cgan, projection, infogan"),
        ("factors.pool.chunk=[7]", "factors: pool: max_per_class must be a multiple of chunk (7), got 20"),
        ("factors=3", "factors: must be a mapping of factors to lists, got 3"),
        ("factors={n_gen: [0]}", "factors: needs n_real: how many real images per class, e.g. n_real: [100, 300]"),
        ("threshold=[1.3]", "factors.threshold[0]: must lie in [0, 1], got 1.3"),
        ("threshold=[0, -1]", "factors.threshold[1]: must lie in [0, 1], got -1"),
        ("n_real=[3, 2.5]", "factors.n_real[1]: must be a whole number, got 2.5"),
        ("n_real=[0]", "factors.n_real[0]: must be at least 1, got 0"),
        ("n_real=many", "factors.n_real[0]: must be a whole number, got 'many'"),
        ("n_real=[true]", "factors.n_real[0]: must be a number or a name, got True"),
        ("n_real=", "factors.n_real[0]: must be a whole number, got None"),
        ("n_real=[]", "factors.n_real: is an empty list; give at least one value"),
        ("n_real=[3, 5, 3]", "factors.n_real: holds a value twice: [3, 5, 3]"),
        ("seed=[-1]", "factors.seed[0]: must be at least 0, got -1"),
        ("gan_da=[hflop]", "factors.gan_da[0]: unknown augmentation 'hflop'; known: none, "
         f"{', '.join(specs.DA_TYPES)}, generated, or several joined by +"),
        ("clf_da=[hflip+hflip]", "factors.clf_da[0]: an augmentation is named twice in 'hflip+hflip'"),
        ("n_gen=[30]", "factors.n_gen: 30 is more than a pool holds; raise pool.max_per_class (20)"),
        ("classifier.include_real=false", "classifier.include_real false with n_gen 0 leaves nothing to train on; "
         "take 0 out of n_gen"),
        ("gan.name=foo", f"gan.name: unknown GAN 'foo'; {GANS}"),
        ("gan={steps: 4}", f"gan.name: is missing; {GANS}"),
        ("gan.steps=0", "gan.steps: must be at least 1, got 0"),
        ("gan.steps=true", "gan.steps: must be a number or a name, got True"),
        ("gan.loss=foo", "gan.loss: must be 'hinge', 'bce' or 'least-squares', got 'foo'"),
        ("gan.learning_rate=.inf", "gan.learning_rate: must be a finite number, got inf"),
        ("gan=3", "gan: must be a mapping, got 3"),
        ("dataset={}", "dataset.name: is missing"),
        ("dataset.name=digit", "dataset.name: unknown data set 'digit'; did you mean 'digits'?"),
        ("dataset.name=zzz", "dataset.name: unknown data set 'zzz'; "
         f"known: {', '.join(DATASETS)}"),
        ("resources.device=tpu", "resources.device: must be 'auto', 'cpu' or 'cuda', got 'tpu'"),
        ("name=a/b", "name: must be up to 64 letters, digits, '.', '_' and '-', "
         "and begin with a letter or a digit, got 'a/b'"),
        ("name=3", "name: must be text, got 3"),
    ],
)  # fmt: skip
def test_refusals_are_prose(load: Load, tiny: Path, assignment: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        load(assignment)
    assert str(error.value) == f"{tiny}: {told}"


@pytest.mark.parametrize("assignment", ["n_real", "=3", "gan..steps=3", ".=1", "gan.=3", ""])
def test_set_must_be_an_assignment(load: Load, assignment: str) -> None:
    with pytest.raises(UserError) as error:
        load(assignment)
    assert str(error.value) == f"--set {assignment}: must be key=value, e.g. --set n_real=[3,10]"


def test_set_cannot_reach_into_a_value(load: Load) -> None:
    with pytest.raises(UserError, match=r"^--set gan\.steps\.x: gan\.steps has no settings of its own$"):
        load("gan.steps.x=3")


def test_set_reaches_factors_by_name_and_sections_by_path(load: Load) -> None:
    study = load(
        "n_real=7", "threshold=[0.25]", "gan.steps=9", "factors.seed=[4]", "factors.gan.width=[8, 16]", "gan.width=[4]"
    )
    assert study.factors["n_real"] == [7]
    assert study.factors["threshold"] == [0.25]
    assert study.factors["seed"] == [4]
    assert study.factors["gan.width"] == [4], "a dotted factor of the study is set as a factor"
    assert study.gan.steps == 9


def test_no_such_study(tmp_path: Path) -> None:
    for name, told in (
        ("quickstat", "quickstat: no such file and no packaged study; did you mean 'quickstart'? packaged: "),
        ("nowhere/x.yaml", "nowhere/x.yaml: no such file"),
    ):
        with pytest.raises(UserError) as error:
            studies.load(name)
        assert str(error.value).startswith(told)


def test_a_number_in_quotes_is_that_number(load: Load) -> None:
    quoted = load("n_real=['3', 5.0]", "gan.steps='4'", "factors.classifier.steps=['5', 6.0]")
    assert quoted == load("n_real=[3, 5]", "gan.steps=4", "factors.classifier.steps=[5, 6]")
    assert [type(v) for v in quoted.factors["classifier.steps"]] == [int, int]


ODD_NAMES = ["1e5", "123", "2026-11-21", "no", "0x1f"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_looks_like_a_number_survives(load: Load, tmp_path: Path, name: str) -> None:
    study = load(f"name='{name}'")
    path = tmp_path / "again.yaml"
    path.write_text(studies.to_yaml(study))
    assert studies.load(str(path)).name == name


def keys(study: studies.Study) -> list[str]:
    """Of the cells' records, or in a study of generators of the generators."""
    make = generator if study.measure == "generators" else recipe
    return [make(cell).key for _, cell in study.cells("digest")]


@pytest.mark.parametrize("name", [*studies.packaged(), None])
def test_a_resolved_study_is_read_back_as_it_was(load: Load, tmp_path: Path, name: str | None) -> None:
    study = (
        studies.load(name)
        if name
        else load("gan_da=[none, hflip]", "n_da=[null, 7]", "factors.gan.learning_rate=[1e-3, 1]")
    )
    path = tmp_path / "again.yaml"
    path.write_text(studies.to_yaml(study))
    again = studies.load(str(path))
    assert again == study.model_copy(update={"stand_in_offered": None})  # a resolved study's data are settled
    assert studies.to_yaml(again) == path.read_text()
    assert keys(again) == keys(study)


def brute_force(study: studies.Study) -> set[tuple[Any, ...]]:
    """The cells of a grid, said in another way than the code does: what a cell can feel, and nothing else."""
    names = list(study.factors)
    felt = set()
    for values in itertools.product(*study.factors.values()):
        at = dict(zip(names, values, strict=True))
        if at["n_gen"] == 0:
            at |= {"threshold": "-", "gan_da": "-", "n_da": "-"} | {
                k: "-" for k in at if k.startswith(("gan.", "pool."))
            }
        elif at["gan_da"] == "none":
            at["n_da"] = "-"
        felt.add(tuple(at.items()))
    return felt


@pytest.mark.parametrize(
    "assignments",
    [
        [],
        ["n_gen=[0]"],
        ["n_gen=[6]"],
        ["gan_da=[none, hflip, rotation+shift]", "n_da=[2, 7]", "clf_da=[none, zoom]"],
        ["factors.gan.steps=[4, 8]"],
        ["factors.gan.steps=[4, 8]", "factors.pool.max_per_class=[10, 20]", "factors.classifier.steps=[5, 6, 7]"],
        ["factors.gan.diffaugment.cutout=[0, 0.5]", "n_gen=[0, 1, 2, 3]"],
    ],
)
def test_cells_are_the_grid_less_what_a_cell_cannot_feel(load: Load, assignments: list[str]) -> None:
    study = load(*assignments)
    cells = list(study.cells("digest"))
    assert len(cells) == len(brute_force(study))
    assert len({recipe(cell).key for _, cell in cells}) == len(cells)
    for factors, cell in cells:
        assert list(factors) == ["arm", *study.factors]
        assert factors["arm"] == ("generated" if cell.n_gen else "real-only")
        if cell.n_gen == 0:
            assert {v for f, v in factors.items() if is_generation_factor(f)} <= {None}


def test_the_full_grid_of_the_question_counts(load: Load) -> None:
    study = load("n_gen=[0, 6, 12]", "clf_da=[none, hflip]")
    # per n_real, seed and clf_da: one control, and two counts under two thresholds
    assert len(list(study.cells("digest"))) == 2 * 2 * 2 * (1 + 2 * 2)


def test_a_dotted_factor_reaches_its_cells(load: Load) -> None:
    study = load("factors.gan.steps=[4, 8]", "n_gen=[0, 6]", "threshold=[0]", "n_real=[3]", "seed=[0]")
    found = [(factors["gan.steps"], cell.n_gen, cell.gan.steps) for factors, cell in study.cells("digest")]
    assert [(f, s) for f, n, s in found if n] == [(4, 4), (8, 8)]
    assert [f for f, n, _ in found if not n] == [None]


def test_gans_are_compared_by_name(load: Load) -> None:
    """What the study sets goes along to the other GAN; what it leaves alone is each GAN's own default."""
    study = load(
        "factors.gan.name=[projection, cgan]", "gan.steps=7", "gan.mode_seeking=0.5", "n_gen=[6]", "threshold=[0]"
    )
    gans = {f["gan.name"]: cell.gan for f, cell in study.cells("digest")}
    assert gans["projection"] == study.gan
    assert gans["cgan"] == specs.CganSpec(name="cgan", steps=7, width=8)


def test_two_ways_to_say_a_cell_are_one_cell(load: Load) -> None:
    default_twice = load("gan_da=[hflip]", "n_da=[null, 3]", "n_gen=[6]", "n_real=[3]", "threshold=[0]", "seed=[0]")
    assert [f["n_da"] for f, _ in default_twice.cells("digest")] == [None]
    unfelt = load(
        "factors.augmentation.rotation=[5, 10]", "clf_da=[none, rotation]", "n_real=[3]", "n_gen=[0]", "seed=[0]"
    )
    found = [(f["clf_da"], f["augmentation.rotation"]) for f, _ in unfelt.cells("digest")]
    assert found == [("none", None), ("rotation", 5.0), ("rotation", 10.0)]


@pytest.mark.parametrize("name", studies.packaged())
def test_every_packaged_study_has_distinct_cells(name: str) -> None:
    study = studies.load(name)
    found = keys(study)
    assert study.name == name
    assert study.question.endswith("?")
    assert len(set(found)) == len(found) > 1
