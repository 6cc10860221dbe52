"""One file, several studies: overlays lie in their order, and what is asked in vain is refused in one line."""

from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.grid import open_grid
from sweeps.overlays import laid_over
from sweeps.store import Store

FILE = """
question: Do letters help?
dataset: {name: emnist, protocol: balanced, test_per_class: 400}
factors: {n_real: [300], n_gen: [0, 300], seed: [0, 1, 2]}
gan: {name: projection, mode_seeking: 0.2, steps: 700}
variants:
  published: {factors: {seed: [0]}, classifier_seeds: 5, gan: {name: cgan, width: 64}}
  corrected: {controls: {arms: [duplicated]}}
variant: corrected
stand_in:
  dataset: {name: digits, test_per_class: 70}
  factors: {n_real: [10]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "letters.yaml"
    path.write_text(FILE)
    return path


def test_mappings_merge_and_everything_else_is_replaced() -> None:
    below = {"a": {"x": 1, "y": {"z": 2}}, "b": [1, 2], "gan": {"name": "cgan", "width": 3}}
    above = {"a": {"y": {"w": 4}}, "b": [3], "gan": {"name": "projection"}, "c": None}
    assert laid_over(below, above) == {
        "a": {"x": 1, "y": {"z": 2, "w": 4}}, "b": [3], "gan": {"name": "projection"}, "c": None,
    }  # fmt: skip
    assert laid_over(below, {"gan": {"name": "cgan", "steps": 5}})["gan"] == {"name": "cgan", "width": 3, "steps": 5}
    assert below["a"] == {"x": 1, "y": {"z": 2}}


def test_the_files_own_variant_is_the_default(file: Path) -> None:
    study = studies.load(str(file))
    assert (study.variant, study.folder, study.controls.arms) == ("corrected", "letters", ("duplicated",))
    assert (study.factors["seed"], study.classifier_seeds, study.gan.name) == ([0, 1, 2], 1, "projection")
    assert (study.dataset.name, study.stands_in_for, study.stand_in_offered) == ("emnist", None, "digits")


def test_a_variant_is_chosen_before_anything_else_is_set(file: Path) -> None:
    """Wherever it stands among them, the other assignments have the last word."""
    study = studies.load(str(file), ["gan.width=16", "seed=[4]", "variant=published"])
    assert (study.variant, study.folder) == ("published", "letters-published")
    assert (study.factors["seed"], study.classifier_seeds) == ([4], 5)
    assert study.gan.model_dump(include={"name", "width", "steps"}) == {"name": "cgan", "width": 16, "steps": 1000}


def test_a_stand_in_lies_below_the_variant(file: Path) -> None:
    study = studies.load(str(file), ["variant=published"], stand_in=True)
    assert (study.dataset.name, study.dataset.protocol, study.dataset.test_per_class) == ("digits", None, 70)
    assert (study.stands_in_for, study.folder) == ("emnist", "letters-published-on-digits")
    assert (study.factors["n_real"], study.factors["seed"]) == ([10], [0])


def test_what_a_variant_says_of_the_original_data_is_not_said_of_a_stand_in(file: Path) -> None:
    text = FILE.replace("{factors: {seed: [0]}", "{dataset: {name: emnist, protocol: letters}, factors: {seed: [0]}")
    file.write_text(text)
    assert studies.load(str(file), ["variant=published"]).dataset.protocol == "letters"
    assert studies.load(str(file), ["variant=published"]).dataset.test_per_class == 400
    there = studies.load(str(file), ["variant=published"], stand_in=True)
    assert (there.dataset.name, there.dataset.protocol, there.factors["seed"]) == ("digits", None, [0])
    file.write_text(text.replace("{dataset: {name: emnist, protocol: letters}", "{dataset: {test_per_class: 50}"))
    assert studies.load(str(file), ["variant=published"], stand_in=True).dataset.test_per_class == 50


def test_a_resolved_study_is_read_back_as_it_is(file: Path, tmp_path: Path) -> None:
    """Neither overlay is laid over it again, whatever was changed since."""
    study = studies.load(str(file), ["variant=published", "seed=[7, 8]"], stand_in=True)
    (tmp_path / "study.yaml").write_text(studies.to_yaml(study))
    again = studies.load(str(tmp_path / "study.yaml"))
    assert again == study
    assert studies.load(str(tmp_path / "study.yaml"), stand_in=True) == study


@pytest.mark.parametrize(
    ("assignments", "stand_in", "text", "said"),
    [
        (["variant=publishd"], False, FILE,
         "variant: must be one of published, corrected, got 'publishd'; did you mean 'published'?"),
        (["variant=published"], False, "dataset: {name: digits}\nfactors: {n_real: [3]}\n",
         "variant: this study has no variants, got 'published'; leave it out"),
        ([], True, "dataset: {name: digits}\nfactors: {n_real: [3]}\n",
         "--stand-in: this study has none; it needs a section stand_in: {dataset: {name: ...}}"),
        ([], True, FILE.replace("dataset: {name: digits, test_per_class: 70}", "classifier_seeds: 2"),
         "stand_in.dataset: must say which data stand in, e.g. dataset: {name: fashion-mnist}"),
        ([], False, FILE.replace("{controls: {arms: [duplicated]}}", "3"),
         "variants.corrected: must be a mapping of settings, got 3"),
        ([], False, FILE.replace("stand_in:\n  dataset: {name: digits, test_per_class: 70}\n  factors: {n_real: [10]}",
                                 "stand_in: digits"),
         "stand_in: must be a mapping of settings, got 'digits'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(file: Path, assignments: list[str], stand_in: bool, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(UserError) as refused:
        studies.load(str(file), assignments, stand_in)
    assert str(refused.value) == f"{file}: {said}"


def test_absent_images_are_told_with_what_could_stand_in(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        open_grid(studies.load(str(file)), tmp_path / "data", Store(tmp_path / "store"))
    assert str(refused.value).startswith("emnist-balanced needs 4 more of its 4 files: ")
    assert str(refused.value).endswith("; or run it on digits, named in every result, with --stand-in")
    open_grid(studies.load(str(file), stand_in=True), tmp_path / "data", Store(tmp_path / "store"))
