"""A study of unlabelled images: its cells, what it refuses, and the packaged one from file to report at a tiny size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import analysis
from analysis.contrasts import contrasts
from analysis.finding import headline
from analysis.semi import gains, semi_means
from ganaug.errors import UserError
from ganaug.stages import FitSemi
from sweeps import study_file as studies
from sweeps.collect import rows_of, write_folder
from sweeps.execute import Evaluator
from sweeps.grid import Grid, open_grid
from sweeps.plan import plan
from sweeps.run_folder import RunFolder
from sweeps.store import Store
from sweeps.study import Study

ON_DIGITS = ("dataset.name=digits", "dataset.test_per_class=70", "dataset.validation_per_class=5")
TINY = (
    *ON_DIGITS, "n_real=[3,5]", "seed=[0,1]", "primary.n_real=3", "semi.n_unlabelled=200", "semi.steps=12",
    "semi.width=8", "semi.labelled_batch=8", "semi.batch=8", "semi.gan.width=8", "semi.gan.latent=8",
)  # fmt: skip


def tiny(variant: str, *more: str) -> Study:
    return studies.load("sgan-mnist", [f"variant={variant}", *TINY, *more])


def run(study: Study, root: Path) -> analysis.Run:
    """What `ganaug run` does, in this process and without a cluster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    store = Store(root / "store")
    grid = open_grid(study, root, store)
    evaluator = Evaluator(store)
    for wave in plan(grid.leaves(), grid.stored(store), slots=2):
        for job in wave:
            assert job.shared is None
            for leaf in job.leaves:
                evaluator.get(leaf)
    torch.set_num_threads(before)
    rows = rows_of(grid, store, {})
    write_folder(grid, store, RunFolder(root / "run"), rows, {"seconds": 1.0}, {})
    analysis.write_report(root / "run")
    return analysis.load(root / "run")


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    return run(tiny("corrected"), tmp_path_factory.mktemp("corrected"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    more = ("semi.fewer_steps=3", "n_real=[3]")
    return run(tiny("published", *more), tmp_path_factory.mktemp("published"))


def grid_of(study: Study, root: Path) -> Grid:
    return open_grid(study, root, Store(root / "store"))


def test_the_control_is_laid_out_once_per_labels_and_seed(tmp_path: Path) -> None:
    grid = grid_of(tiny("corrected"), tmp_path)
    table = pd.DataFrame(grid.factors.values())
    assert table["arm"].value_counts().to_dict() == {"semi-supervised": 2 * 2 * 3, "real-only": 2 * 2}
    assert table.loc[table["arm"].eq("real-only"), "semi.method"].isna().all()
    assert table.loc[table["arm"].eq("semi-supervised"), "n_gen"].isna().all()
    updates = {c.semi.steps for m in grid.measures.values() for c in m.classifiers if isinstance(c, FitSemi)}
    assert updates == {12}, "equal updates in every arm"


def test_the_published_variant_has_both_readings(tmp_path: Path) -> None:
    grid = grid_of(tiny("published", "semi.fewer_steps=3"), tmp_path)
    table = pd.DataFrame(grid.factors.values())
    assert table["arm"].value_counts().to_dict() == {"semi-supervised": 8, "real-only": 8, "fewer-updates": 8}
    for key, measure in grid.measures.items():
        (fit,) = measure.classifiers
        assert isinstance(fit, FitSemi)
        assert fit.semi.steps == (3 if grid.factors[key]["arm"] == "fewer-updates" else 12)
        assert (fit.labelled.kind() == "random_labels") == (grid.factors[key]["semi.labels"] == "random")


def test_the_packaged_study_asks_what_was_published() -> None:
    one, other = (studies.load("sgan-mnist", [f"variant={v}", *ON_DIGITS]) for v in ("published", "corrected"))
    assert one.semi
    assert other.semi
    assert (one.semi.steps, one.semi.fewer_steps, one.factors["n_real"]) == (8000, 120, [5, 10, 100])
    assert one.factors["semi.method"] == ["sgan-published"]
    assert one.factors["semi.labels"] == ["stratified", "random"]
    assert (other.semi.labels, other.semi.fewer_steps, len(other.factors["seed"])) == ("stratified", None, 5)
    assert set(other.factors["semi.method"]) == {"sgan", "fixmatch", "sgan-fixmatch"}
    again = Study.model_validate(other.model_dump())
    assert again.model_dump() == other.model_dump()


REFUSED = {
    ("n_gen=[0,5]",): "factors.n_gen: has no meaning where classifiers learn from unlabelled images (section semi), "
    "got [0, 5]; leave it out",
    ("factors.gan.steps=[5]",): "factors.gan.steps: only the section semi says how a semi-supervised classifier is "
    "trained",
    ("factors.semi.fewer_steps=[5]",): "factors.semi.fewer_steps: belongs to the control fewer-updates, and there is "
    "one; give one number in semi.fewer_steps",
    ("controls.arms=[duplicated]",): "controls: a study with the section semi has its own, the supervised fit with "
    "equal updates and, with semi.fewer_steps, one with fewer; leave them out",
    ("primary.against=duplicated",): "primary.against: must be one of real-only, fewer-updates, got 'duplicated'",
    ("primary.against=fewer-updates",): "primary.against: fewer-updates is a control with semi.fewer_steps updates; "
    "say how many",
    ("semi.width=0",): "semi.width: must be at least 1, got 0",
    ("semi.da=spin",): "semi.da: unknown augmentation 'spin'; known: none, rotation, shift, width_shift, "
    "height_shift, zoom, shear, hflip, vflip, negative, contrast, channel_shift, brightness, or several joined by +",
    ("semi.gan.latents=5",): "unknown key 'semi.gan.latents'; did you mean 'semi.gan.latent'?",
    ("search.steps=5",): "search: looks for settings of generated images, and a study with the section semi has none",
}


@pytest.mark.parametrize("assignments", list(REFUSED))
def test_refusals(assignments: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refusal:
        tiny("corrected", *assignments)
    assert str(refusal.value).split(".yaml: ")[1] == REFUSED[assignments]


def test_a_path_into_a_section_that_is_not_there() -> None:
    with pytest.raises(UserError) as refusal:
        studies.load("quickstart", ["factors.semi.method=[sgan]"])
    assert str(refusal.value).split(".yaml: ")[1] == (
        "factors.semi.method: the study has no section semi, e.g. semi: {method: sgan}"
    )


def test_a_study_of_generated_images_knows_no_control_of_fewer_updates() -> None:
    with pytest.raises(UserError, match=r"primary.against: must be one of real-only, classic-da, .*unfiltered, no-da"):
        studies.load("quickstart", ["primary.against=fewer-updates"])


def test_corrected_every_method_is_paired_with_the_control_of_its_seed(corrected: analysis.Run) -> None:
    table = contrasts(corrected)
    assert len(table) == 2 * 3
    first = table.iloc[0]
    named = (first["role"], first["semi.method"], first["n_real"], first["n_seeds"])
    assert named == ("primary", "sgan", 3, 2)
    cells = corrected.cells.set_index(["arm", "seed", "n_real", "semi.method"])["accuracy"].sort_index()
    change = [
        cells["semi-supervised", seed, 3, "sgan"] - cells["real-only", seed, 3].iloc[0] for seed in (0, 1)
    ]  # fmt: skip
    assert first["delta_points"] == pytest.approx(100 * np.mean(change))
    assert (table["missing_controls"] == "").all()
    said = headline(corrected)
    assert "unlabelled images change accuracy by" in said.statement
    assert "against labelled images only, as many updates" in said.statement


def test_published_the_gain_is_cut_into_updates_and_images(published: analysis.Run) -> None:
    table = gains(published).set_index("semi.labels")
    means = semi_means(published).set_index(["method", "semi.labels"])["mean"]
    for labels in ("stratified", "random"):
        row, own = table.loc[labels], means.xs(labels, level="semi.labels")
        assert row["equal"] == pytest.approx(own["sgan-published"] - own["supervised"])
        assert row["fewer"] == pytest.approx(own["sgan-published"] - own["supervised, 3 updates"])
        assert row["updates"] == pytest.approx(own["supervised"] - own["supervised, 3 updates"])
        assert row["n_seeds"] == 2
    assert contrasts(published).iloc[0]["against"] == "fewer-updates"


def test_the_report_has_every_figure_of_the_founding_study(corrected: analysis.Run, published: analysis.Run) -> None:
    for found, names in (
        (corrected, {"semi_accuracy.png", "semi_losses.png", "samples_semi_0.png"}),
        (published, {"semi_accuracy.png", "semi_losses.png", "samples_semi_0.png", "semi_updates.png"}),
    ):
        there = {path.name for path in (found.folder / "report/figures").glob("*.png")}
        assert names <= there
        page = (found.folder / "report/index.html").read_text()
        assert "Unlabelled images, against labelled ones alone" in page
        assert "share by updates" in page or found is corrected


def test_the_course_of_training_is_kept(corrected: analysis.Run) -> None:
    assert len(corrected.courses) == len(corrected.cells)
    drawn = [course for course in corrected.courses if len(course.snapshots)]
    assert {course.factors["semi.method"] for course in drawn} == {"sgan", "sgan-fixmatch"}
    assert {course.factors["seed"] for course in drawn} == {0}
    for course in drawn:
        assert course.snapshots.shape == (len(course.snapshot_steps), 40, 1, 8, 8)
        assert course.losses["step"][-1] == 12
