"""Studies of generators: planned, refused, run whole at a tiny size, and reported."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tiny_run import Ganaug

import analysis
from analysis.generator_tables import assessed
from ganaug.errors import UserError
from ganaug.specs import DA_TYPES
from ganaug.stages import FitGan
from sweeps import study_file as studies
from sweeps.collect import write_folder
from sweeps.estimate import totals
from sweeps.execute import Evaluator
from sweeps.grid import Grid, open_grid
from sweeps.plan import Job, plan, relative_seconds
from sweeps.run_folder import RunFolder
from sweeps.samples import PER_CLASS
from sweeps.store import Store

PACKAGED = [name for name in studies.packaged() if "-da-" in name and name.startswith(("celeba", "pomeranian"))]
SMALL = (
    "dataset={name: digits, test_per_class: 0, validation_per_class: 4}", "n_real=[5]", "gan.steps=3", "gan.batch=16",
    "gan.width=8", "gan.discriminator_width=8", "gan.checkpoints=2", "pool={chunk: 10, max_per_class: 20}",
    "assess.images_per_class=8", "assess.steps=3", "assess.neighbours=3", "classifier.width=4",
)  # fmt: skip
EXTRA = {"seconds": 1.0, "command": "ganaug run", "workers": 1, "computed": {}, "reused": {}}


def small(name: str, *more: str) -> studies.Study:
    """A packaged study on digits, with a few images and steps; pairs of 2,000 keep the numbers that claims speak of."""
    sizes = ("pool={chunk: 50, max_per_class: 100}",) if "2000" in name else ("n_da=[5]",)
    return studies.load(name, [*SMALL, *sizes, "seed=[0]", *more], stand_in=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One store for all of them: what two studies share is made once."""
    torch.set_num_threads(1)
    return Store(tmp_path_factory.mktemp("generators"))


def whole(study: studies.Study, store: Store, folder: Path) -> Grid:
    """Run a study in this process and write its folder."""
    grid, evaluator = open_grid(study, folder, store), Evaluator(store)
    for wave in plan(grid.leaves(), grid.stored(store), 1):
        for job in wave:
            for stage in job.leaves or (job.shared,):
                assert stage is not None
                evaluator.get(stage)
    write_folder(grid, store, RunFolder(folder), [], EXTRA, {})
    return grid


VARIANTS = [  # online was never published
    (name, variant) for name in PACKAGED for variant in ("published", "corrected")
    if variant == "corrected" or "online" not in name
]  # fmt: skip


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_packaged_study_runs_whole(name: str, variant: str, store: Store, tmp_path: Path) -> None:
    grid = whole(small(name, *(() if "online" in name else (f"variant={variant}",))), store, tmp_path)
    run = analysis.load(tmp_path)
    assert run.summary["cells"] == {
        "total": len(grid.asked), "ok": len(grid.asked), "starved": 0, "diverged": 0, "failed": 0, "missing": 0,
    }  # fmt: skip
    assert run.summary["stand_in"] == f"digits for {name.split('-')[0]}"
    assert run.cells.empty
    assert len(run.generators) == len(grid.asked)
    assert run.generators["kid"].notna().all()
    table = analysis.generators(run)
    assert set(table["arm"]) == set(assessed(run)["arm"])
    if variant == "published":
        assert "But classifier-IS is better where it is higher" in analysis.headline(run).statement
    held = analysis.claims_held(run)
    assert len(held) == len(run.summary["claims"])
    unheld = held.loc[held["held"].eq("not run"), "claim"]
    assert unheld.str.endswith("beside as many real ones").all(), "what only the corrected variant can say"
    assert unheld.empty or variant == "published"


@pytest.mark.parametrize("name", ["pomeranian-da-single", "celeba-da-online"])
def test_the_report_shows_every_figure_of_the_study(name: str, store: Store, tmp_path: Path) -> None:
    whole(small(name, "seed=[0, 1]"), store, tmp_path)
    analysis.write_report(tmp_path)
    figures = {path.stem for path in (tmp_path / "report" / "figures").glob("*.png")}
    assert {
        "generator_metrics", "arm_sheet", "leaks", "orientation", "score_illustrated", "steps", "snapshots_arms",
    } <= figures  # fmt: skip
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Stand-in data, not the data set of the question: digits for" in page


def test_the_images_of_a_first_gan_are_made_a_wave_before_those_who_learn_from_them(
    store: Store, tmp_path: Path
) -> None:
    grid = open_grid(small("celeba-da-pairs", "seed=[0, 1]", "gan_da=[generated]"), tmp_path, store)
    waves = plan(grid.leaves(), set(), slots=4)
    first, second = (flat(wave) for wave in waves)
    assert all(isinstance(job.shared, FitGan) and not job.leaves for job in first)
    assert [len(job.leaves) for job in second] == [1, 1]
    on = {job.shared.images.generator.key for job in second}  # type: ignore[union-attr]
    assert on == {job.shared.key for job in first if job.shared}
    assert len(plan(grid.leaves(), on, slots=4)) == 1, "what is stored needs no wave"
    shared, _ = totals(grid.leaves(), set(), relative_seconds)
    fewer, _ = totals(grid.leaves(), on, relative_seconds)
    assert shared - fewer == pytest.approx(2 * 5e-3 * 3), "the first GANs are in the estimate"


def flat(wave: Iterable[Job]) -> list[Job]:
    return list(wave)


def test_a_ratio_matched_control_doubles_both(store: Store, tmp_path: Path) -> None:
    """Amount and share of augmented images are told apart: 1:1, 1:2, 2:1 and 2:2."""
    grid = open_grid(small("celeba-da-pairs-2000", "gan_da=[none, contrast+hflip]"), tmp_path, store)
    evaluator, sizes = Evaluator(store), set()
    for assessment in grid.assessments.values():
        images = assessment.generator.images
        made = evaluator.get(images)
        sizes.add((len(made.arrays["real"]) // 10, getattr(images, "n_da", 0)))
    assert sizes == {(5, 0), (105, 100), (205, 200), (110, 100), (210, 200)}


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["n_gen=[0, 3]"], "factors.n_gen: measure: generators trains no classifier; leave n_gen out"),
        (["clf_da=[hflip]"], "factors.clf_da: measure: generators trains no classifier; leave clf_da out"),
        (["threshold=[0.5]"], "factors.threshold: measure: generators trains no classifier; leave threshold out"),
        (["factors.filter.name=[agreement]"],
         "factors.filter.name: comes after the generator, which measure: generators stops at"),
        (["assess=null"], "assess: measure: generators asks for nothing else; leave assess: null out"),
        (["primary={n_gen: 3, against: real-only}"],
         "primary: compares classifiers, and measure: generators trains none; leave it out"),
        (["controls.arms=[duplicated]"],
         "controls: accompany classifiers, and measure: generators trains none; leave them out"),
        (["gan_da=[generatd]"],
         f"factors.gan_da[0]: unknown augmentation 'generatd'; known: none, {', '.join(DA_TYPES)}, generated, "
         "or several joined by +"),
        (["claims=[{text: a, of: {gan_daa: negative}, than: all others, reads: higher}]"],
         "claims[0]: unknown factor 'gan_daa'; did you mean 'gan_da'?"),
        (["measure=classifiers"],
         "dataset.test_per_class: 0 leaves no test images; only measure: generators needs none"),
        (["assess.leaks=[rotation]"], "assess.leaks: must be of hflip, vflip, negative, got 'rotation'"),
    ],
)  # fmt: skip
def test_what_would_do_nothing_is_refused(assignments: list[str], told: str) -> None:
    with pytest.raises(UserError) as refused:
        small("pomeranian-da-single", *assignments)
    assert str(refused.value) == f"{studies.packaged()['pomeranian-da-single']}: {told}"


def test_one_class_has_no_classifier_to_be_judged_by(tmp_path: Path, store: Store) -> None:
    for i in range(8):
        path = tmp_path / "dogs" / "pomeranian" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    own = f"dataset={{name: folder, path: {tmp_path / 'dogs'}, size: 8, test_per_class: 0, validation_per_class: 3}}"
    with pytest.raises(UserError) as refused:
        open_grid(small("pomeranian-da-single", own), tmp_path, store)
    assert str(refused.value) == (
        "assess.features: a classifier of one class (pomeranian) has learned nothing, and neither its features nor "
        "its score mean anything; take assess.features inception, with the file's place in assess.weights"
    )
    with pytest.raises(UserError) as refused:
        open_grid(
            small("pomeranian-da-single", own.replace("test_per_class: 0", "test_per_class: 1"), "n_real=[4]",
                  "measure=classifiers", "claims=[]"), tmp_path, store,
        )  # fmt: skip
    assert str(refused.value) == (
        "dataset: folder has one class, which no classifier can be wrong about; take another, or measure: generators"
    )


def test_sheets_hold_more_images_of_fewer_classes(store: Store, tmp_path: Path) -> None:
    whole(small("pomeranian-da-single", "gan_da=[none]"), store, tmp_path)
    (sheet,) = analysis.load(tmp_path).samples()
    assert sheet.kept.shape[:2] == (10, PER_CLASS)
    assert np.isnan(sheet.rejected_score).all()


def test_the_command_line_counts_generators(ganaug: Ganaug, tmp_path: Path) -> None:
    """Once through Ray: plan, run, run again, status."""
    own = [part for text in (*SMALL, "n_da=[5]", "seed=[0]", "gan_da=[none, generated]") for part in ("--set", text)]
    study = ["pomeranian-da-single", "--stand-in", *own]
    planned = ganaug("plan", *study, cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "cells       2, of which 0 stored" in planned.stdout
    first = ganaug("run", *study, "--workers", 1, "--track", "none", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert (
        "2 generators; computed 2 GANs, 2 chunks of generated images and 2 assessments, reused 0"
        in first.stdout.replace("\n", " ")
    )
    folder = tmp_path / "runs" / "pomeranian-da-single-on-digits"
    before = pd.read_parquet(folder / "generators.parquet")
    again = ganaug("run", *study, cwd=tmp_path)
    assert "computed 0 GANs, 0 chunks of generated images and 0 assessments, reused 2" in again.stdout.replace(
        "\n", " "
    )
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "generators.parquet"), before)
    assert "2 of 2 cells done, 0 missing" in ganaug("status", folder, cwd=tmp_path).stdout
