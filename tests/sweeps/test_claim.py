"""What a study claims before it runs: the primary contrast, its controls, and the learning curve beside them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganaug.errors import UserError
from ganaug.recipe import recipe
from sweeps import study_file as studies
from sweeps.study import Study

Load = Callable[..., Study]
PRIMARY = "primary={n_real: 3, n_gen: 6, threshold: 0.5}"


@pytest.fixture
def load(tiny: Path) -> Load:
    return lambda *assignments: studies.load(str(tiny), assignments)


def arms(study: Study) -> Counter[str]:
    return Counter(factors["arm"] for factors, _ in study.cells("digest"))


def laid_out(study: Study, arm: str) -> list[dict[str, Any]]:
    return [factors for factors, _ in study.cells("digest") if factors["arm"] == arm]


def test_a_primary_contrast_names_every_factor_but_the_seed(load: Load) -> None:
    assert load().primary is None
    assert load(PRIMARY).primary == {
        "n_real": 3, "n_gen": 6, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none",
        "against": "real-only",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("primary={n_gen: 6, threshold: 0.5}",
         "primary.n_real: is missing, and the study has several: [3, 5]; name one"),
        ("primary={n_real: 4, n_gen: 6, threshold: 0.5}",
         "primary.n_real: 4 is not among the study's [3, 5]; change one of them, "
         "or drop the contrast with primary: null"),
        ("primary={n_real: 3, n_gen: 0, threshold: 0}",
         "primary.n_gen: must be more than 0, for the contrast is about generated images"),
        ("primary={n_real: 3, n_gen: 6, threshold: 0, seed: 1}",
         "primary.seed: a contrast is a mean over all seeds; leave it out"),
        ("primary={n_real: 3, n_gen: 6, treshold: 0}", "primary.treshold: is no factor of this study; "
         "did you mean 'threshold'?"),
        ("primary={n_real: 3, n_gen: 6, threshold: 0, against: placebo}",
         "primary.against: must be one of real-only, classic-da, duplicated, shuffled, more-real, "
         "with-validation, unfiltered, no-da, got 'placebo'"),
        ("primary={n_real: 3, n_gen: 0, threshold: 0, against: no-da}",
         "primary.clf_da: must be an augmentation where primary.against is no-da, for the contrast is about it"),
        ("primary=3", "primary: must be a mapping, got 3"),
        ("controls.arms=[placebo]", "controls.arms[0]: must be 'real-only', 'classic-da', 'duplicated', 'shuffled', "
         "'more-real' or 'with-validation', got 'placebo'"),
        ("controls.classic_da=none", "controls.classic_da: must be an augmentation, e.g. rotation+shift+zoom, "
         "got 'none'"),
        ("controls.curve=[0]", "controls.curve[0]: must be at least 1, got 0"),
        ("margin_points=0", "margin_points: must be greater than 0, got 0"),
    ],
)  # fmt: skip
def test_refusals_are_prose(load: Load, tiny: Path, assignment: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        load(assignment)
    assert str(error.value) == f"{tiny}: {told}"


def test_generated_images_alone_have_no_real_only_control(load: Load, tiny: Path) -> None:
    alone = (PRIMARY, "classifier.include_real=false", "n_gen=[6]")
    with pytest.raises(UserError) as error:
        load(*alone)
    assert str(error.value) == (
        f"{tiny}: primary.against: real-only has nothing to train on where classifier.include_real is false; "
        "take duplicated, which is the same real images as often, or more-real"
    )
    study = load(*alone, "primary.against=duplicated")
    assert arms(study) == {"generated": 2 * 2 * 2, "duplicated": 2}


def test_without_a_primary_there_are_no_controls(load: Load) -> None:
    assert arms(load()) == {"real-only": 4, "generated": 8}


def test_a_primary_brings_the_controls_it_needs_for_every_seed(load: Load) -> None:
    study = load(PRIMARY)
    assert arms(study) == {"real-only": 4 + 2, "generated": 8, "duplicated": 2}
    (first, second) = laid_out(study, "duplicated")
    assert (first["seed"], second["seed"]) == (0, 1)
    assert (first["n_real"], first["n_gen"], first["threshold"]) == (3, 6, None)
    assert [f["clf_da"] for f in laid_out(study, "real-only")[-2:]] == ["rotation+shift+zoom"] * 2


def test_all_controls_of_every_setting(load: Load) -> None:
    study = load("controls={arms: [duplicated, shuffled, more-real, classic-da], of: every setting}")
    # per n_real and seed: two thresholds share their placebo, their oracle and their real-only controls
    assert arms(study) == {"real-only": 4 + 4, "generated": 8, "duplicated": 4, "shuffled": 8, "more-real": 4}
    assert {f["threshold"] for f in laid_out(study, "shuffled")} == {0.0, 0.5}


def test_a_grid_without_real_only_cells_gets_those_the_claim_needs(load: Load) -> None:
    study = load(PRIMARY, "n_gen=[6]")
    plain = [f for f in laid_out(study, "real-only") if f["clf_da"] == "none"]
    assert [(f["n_real"], f["seed"]) for f in plain] == [(3, 0), (3, 1)]


def test_classic_augmentation_is_the_studys_own_where_it_has_one(load: Load) -> None:
    study = load(PRIMARY, "primary.clf_da=none", "clf_da=[none, hflip]")
    assert {f["clf_da"] for f in laid_out(study, "real-only")} == {"none", "hflip"}
    augmented = load(PRIMARY, "primary.clf_da=hflip", "clf_da=[none, hflip]", "controls.arms=[classic-da]")
    assert arms(augmented)["real-only"] == 2 * 2 * 2, "a cell that is augmented itself is controlled by the grid"


def test_a_learning_curve_is_real_only(load: Load) -> None:
    study = load("controls.curve=[4, 9]")
    assert arms(study) == {"real-only": 4 + 4, "generated": 8}
    assert {f["n_real"] for f in laid_out(study, "real-only")} == {3, 4, 5, 9}


def test_a_dotted_factor_belongs_to_the_primary_too(load: Load) -> None:
    several = "factors.gan.steps=[4, 8]"
    study = load(several, PRIMARY, "primary.gan.steps=8")
    assert study.primary is not None
    assert study.primary["gan.steps"] == 8
    assert all(f["gan.steps"] is None for f in laid_out(study, "duplicated"))


def test_cells_are_distinct_and_a_resolved_study_lays_out_the_same(load: Load, tmp_path: Path) -> None:
    study = load(PRIMARY, "controls={arms: [shuffled, duplicated, more-real, classic-da], curve: [7]}")
    keys = [recipe(cell).key for _, cell in study.cells("digest")]
    assert len(set(keys)) == len(keys)
    path = tmp_path / "again.yaml"
    path.write_text(studies.to_yaml(study))
    assert [recipe(cell).key for _, cell in studies.load(str(path)).cells("digest")] == keys


def test_a_primary_without_a_filter_is_read_again_from_the_resolved_study(load: Load, tmp_path: Path) -> None:
    study = load(
        "factors.filter.name=[discriminator, agreement]",
        "primary={n_real: 3, n_gen: 6, threshold: 0, filter.name: agreement}",
    )
    assert study.primary is not None
    assert study.primary["filter.name"] is None, "where every image is kept it does not matter which filter keeps it"
    path = tmp_path / "again.yaml"
    path.write_text(studies.to_yaml(study))
    assert studies.load(str(path)).primary == study.primary


def test_validation_labels_are_labels_too(load: Load) -> None:
    study = load(PRIMARY, "controls.arms=[with-validation]")
    cells = [cell for factors, cell in study.cells("digest") if factors["arm"] == "with-validation"]
    assert [(cell.n_real, cell.n_gen, cell.seed) for cell in cells] == [(3, 0, 0), (3, 0, 1)]
    fits = [recipe(cell).classifiers[0] for cell in cells]
    assert all(fit.classifier.include_validation and fit.extra is None for fit in fits)


def test_a_contrast_may_be_about_classic_augmentation_of_real_images_alone(load: Load, tmp_path: Path) -> None:
    about = ("clf_da=[none, hflip]", "primary={n_real: 3, clf_da: hflip, against: no-da}")
    study = load(*about)
    assert study.primary == {
        "n_real": 3, "n_gen": 0, "threshold": None, "gan_da": None, "n_da": None, "clf_da": "hflip",
        "against": "no-da",
    }  # fmt: skip
    assert arms(study) == arms(load(about[0]))  # its control is a cell of the grid
    (tmp_path / "again.yaml").write_text(studies.to_yaml(study))
    assert studies.load(str(tmp_path / "again.yaml")).primary == study.primary


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (("clf_da=[hflip]", "primary={n_real: 3, n_gen: 0, against: no-da}"),
         "primary.against: no-da is the same cell with clf_da none, and factors.clf_da is ['hflip']; put none into it"),
        (("clf_da=[none, hflip]", "primary={n_real: 3, n_gen: 6, threshold: 0, clf_da: hflip, against: no-da}"),
         "primary.n_gen: must be 0 where primary.against is no-da, which is about real images alone"),
    ],
)  # fmt: skip
def test_a_contrast_about_classic_augmentation_needs_one_and_no_generated_images(
    load: Load, tiny: Path, assignments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UserError) as error:
        load(*assignments)
    assert str(error.value) == f"{tiny}: {told}"
