"""Every InfoGAN study, end to end and tiny: drawn letters stand in, stages run in this process, the report is drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import analysis
from analysis.report import write_report
from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.collect import rows_of, write_folder
from sweeps.execute import Evaluator
from sweeps.grid import Grid, open_grid
from sweeps.run_folder import RunFolder
from sweeps.store import Store

STUDIES = {
    "infogan-mnist": 10,
    "infogan-etl-hiragana10": 10,
    "infogan-etl-hiragana10-few": 10,
    "infogan-etl-hiragana20": 20,
    "infogan-etl-hiragana30": 30,
    "infogan-etl-hiragana46": 46,
    "infogan-etl-kanji10": 10,
}
SMALL = (
    "n_real=[3]", "n_gen=[0,3]", "primary.n_gen=3", "dataset.validation_per_class=2", "gan.steps=3", "gan.width=8",
    "gan.batch=16", "gan.discriminator_width=8", "gan.labels_per_class=2", "pool.chunk=5", "pool.max_per_class=5",
    "gan.views.images=16", "classifier.steps=3", "classifier.width=8", "assess=null",
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def drawn(name: str) -> tuple[str, ...]:
    """Assignments under which the stand-in needs no fonts but matplotlib's."""
    if name == "infogan-mnist":
        return ()
    return f"dataset.characters={LETTERS[: STUDIES[name]]}", "dataset.per_class=7", "dataset.size=8"


def run(name: str, root: Path, *assignments: str) -> tuple[Grid, dict]:
    study = studies.load(name, [*SMALL, *drawn(name), *assignments], stand_in=True)
    store = Store(root / "store")
    grid = open_grid(study, root, store)
    evaluator = Evaluator(store)
    for leaf in grid.leaves():
        evaluator.get(leaf)
    return grid, write_folder(grid, store, RunFolder(root / "run"), rows_of(grid, store, {}), {}, {})


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        *((name, "corrected") for name in STUDIES),
        ("infogan-mnist", "published"),
        ("infogan-etl-hiragana20", "published"),
        ("infogan-mnist", "guided"),
        ("infogan-mnist", "invariant"),
    ],
)
def test_a_study_runs_whole_on_its_stand_in(name: str, variant: str, tmp_path: Path) -> None:
    grid, summary = run(name, tmp_path, f"variant={variant}", "seed=[0]")
    assert len(summary["classes"]) == STUDIES[name]
    assert summary["cells"]["ok"] == summary["cells"]["total"] == 3  # real only, generated, and the placebo
    assert summary["variant"] == variant
    stands_in, original = ("digits", "mnist") if name == "infogan-mnist" else ("glyphs", "etl")
    assert summary["stand_in"] == f"{stands_in} for {original}"
    assert summary["synthetic"] == (stands_in == "glyphs")
    assert grid.study.gan.information == ("softmax" if variant == "published" else "logits")
    loaded = analysis.load(tmp_path / "run")
    (curve,) = loaded.curves()
    floor = np.log(np.e + STUDIES[name] - 1) - 1
    if variant == "published":
        assert min(curve["losses"]["information"]) > floor
    assert curve["codes"]["information"]["most"] == pytest.approx(np.log(STUDIES[name]))


def test_what_the_variants_of_each_study_differ_in() -> None:
    for name in STUDIES:
        one, two = (studies.load(name, [f"variant={v}"], stand_in=True) for v in ("published", "corrected"))
        assert (one.factors["seed"], len(two.factors["seed"])) == ([0], 3)
        assert one.gan.steps == two.gan.steps
        assert studies.load(name, ["variant=guided", "gan.guidance=0"]) == studies.load(name).model_copy(
            update={"variant": "guided"}
        )
        invariant = studies.load(name, ["variant=invariant"]).gan
        assert invariant.views.weight > 0
        assert (invariant.steps, invariant.information) == (one.gan.steps, "logits")
        disjoint = name == "infogan-etl-hiragana20"
        assert (one.dataset != two.dataset) == disjoint
    ten, twenty = (studies.load(f"infogan-etl-hiragana{n}").dataset.characters for n in (10, 20))
    assert (ten, twenty) == ("hiragana-10", "hiragana-20")


def test_without_the_files_a_study_names_them_and_offers_its_stand_in(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_grid(studies.load("infogan-etl-hiragana10"), tmp_path, Store(tmp_path / "store"))
    assert str(caught.value) == (
        "etl etl7 needs 4 more of its 4 files: get them from the publisher of the ETL Character Database, whose terms "
        f"forbid passing them on, and put ETL7LC_1, ETL7LC_2, ETL7SC_1, ETL7SC_2 into {tmp_path}/ETL7; or run it on "
        "glyphs, named in every result, with --stand-in"
    )


def test_the_report_of_such_a_run_shows_its_codes(tmp_path: Path) -> None:
    run("infogan-etl-hiragana20", tmp_path, "seed=[0,1]")
    page = write_report(tmp_path / "run")
    figures = page.parent / "figures"
    for name in ("information", "class_grid_0", "traversal_0", "snapshots_0", "gan_losses"):
        with Image.open(figures / f"{name}.png") as image:
            assert image.width > 500
    with Image.open(figures / "snapshots_0.gif") as moving:
        assert moving.n_frames == len(analysis.load(tmp_path / "run").samples()[0].snapshots)
    text = page.read_text()
    assert "Stand-in data, not the data set of the question: glyphs for etl." in text
    assert 'id="traversal-0"' in text
    loaded = analysis.load(tmp_path / "run")
    sheet = loaded.samples()[0]
    assert sheet.traversal.shape[:3] == (2, 20, 9)
    assert len(sheet.traversal_values) == 9
    # the same page again draws nothing anew, and does not lose the moving picture
    before = (figures / "snapshots_0.gif").stat().st_mtime_ns
    write_report(tmp_path / "run")
    assert (figures / "snapshots_0.gif").stat().st_mtime_ns == before
