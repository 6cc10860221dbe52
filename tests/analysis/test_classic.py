"""Classic augmentation against none: its contrasts, its words, its figures, on a run made by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.classic import classic_contrasts, classic_finding
from analysis.figures.classic import classic_changes, classic_class_changes, classic_classes
from analysis.figures.training import training_curves
from analysis.figures.training_gap import training_gap
from analysis.paired import t_intervals
from ganaug.errors import UserError

CLF = ["none", "shift", "vflip"]
EFFECT = {"none": 0.0, "shift": 0.05, "vflip": -0.08}
PRIMARY = {"n_real": 10, "n_gen": 0, "threshold": None, "gan_da": None, "n_da": None, "clf_da": "vflip"}


@pytest.fixture
def classic_run(make_run: Callable[..., analysis.Run]) -> analysis.Run:
    """Real images only under three augmentations, 5 seeds, with effects that are known and differ by class."""
    factors = {"n_real": [3, 10], "n_gen": [0], "threshold": [0.0], "clf_da": CLF, "seed": [0, 1, 2, 3, 4]}
    run = make_run(factors=factors)
    cells = pd.read_parquet(run.folder / "records.parquet")
    rng = np.random.default_rng(0)
    luck = dict(zip(range(5), rng.normal(0, 0.02, 5), strict=True))
    noise = rng.normal(0, 0.003, len(cells))
    cells["accuracy"] = 0.7 + cells["clf_da"].map(EFFECT) + cells["seed"].map(luck) + noise
    cells["train_accuracy"] = 0.95
    cells.to_parquet(run.folder / "records.parquet")
    summary = json.loads((run.folder / "summary.json").read_text())
    summary["primary"] = PRIMARY | {"against": "no-da"}
    (run.folder / "summary.json").write_text(json.dumps(summary))
    curve = {"update": [1, 2], "train": [0.5, 0.95], "validation": [0.4, 0.7]}
    watched = [
        {"cell": c["cell"], "factors": {k: c[k] for k in ("n_real", "clf_da", "seed")}, "curves": [curve]}
        for c in cells[cells["n_real"].eq(10)].to_dict("records")
    ]
    (run.folder / "classifier_curves.json").write_text(json.dumps(watched))
    return analysis.load(run.folder)


def test_contrasts_are_paired_by_seed_and_the_primary_stands_alone(classic_run: analysis.Run) -> None:
    table = classic_contrasts(classic_run)
    assert list(table["role"]) == ["primary", *["secondary"] * 3]
    assert table["clf_da"].iloc[0] == "vflip"
    assert table["n_real"].iloc[0] == 10
    cells = classic_run.cells[classic_run.cells["n_real"].eq(10)].pivot(
        index="seed", columns="clf_da", values="accuracy"
    )
    by_hand = pd.DataFrame({"d": 100 * (cells["vflip"] - cells["none"]).astype(float), "all": 0})
    expected = t_intervals(by_hand, ["all"], "d").iloc[0]
    row = table.iloc[0]
    assert row["delta_points"] == pytest.approx(expected["mean"])
    assert (row["low_points"], row["high_points"]) == pytest.approx((expected["low"], expected["high"]))
    assert np.isnan(row["p_holm"])
    assert table["p_holm"].iloc[1:].notna().all()
    assert table.set_index(["clf_da", "n_real"])["verdict"].to_dict() == {
        ("vflip", 10): "hurts", ("vflip", 3): "hurts", ("shift", 3): "helps", ("shift", 10): "helps",
    }  # fmt: skip
    assert row["gap_points"] == pytest.approx(95 - 100 * cells["vflip"].mean())
    assert row["control_gap_points"] == pytest.approx(95 - 100 * cells["none"].mean())


def test_a_secondary_contrast_needs_to_survive_correction(classic_run: analysis.Run) -> None:
    cells = pd.read_parquet(classic_run.folder / "records.parquet")
    at = cells["clf_da"].eq("shift") & cells["n_real"].eq(3)
    none = cells["clf_da"].eq("none") & cells["n_real"].eq(3)
    cells.loc[at, "accuracy"] = cells.loc[none, "accuracy"].to_numpy() + np.array([0.003, 0.03, 0.004, 0.035, 0.02])
    vflip = cells["clf_da"].eq("vflip")
    noise = np.random.default_rng(1).normal(0, 0.05, int(vflip.sum()))
    cells.loc[vflip, "accuracy"] = 0.7 + noise
    cells.loc[cells["clf_da"].eq("shift") & cells["n_real"].eq(10), "accuracy"] = 0.7 + noise[:5]
    cells.to_parquet(classic_run.folder / "records.parquet")
    row = classic_contrasts(analysis.load(classic_run.folder)).set_index(["clf_da", "n_real"]).loc[("shift", 3)]
    assert row["by_itself"] == "helps"
    assert row["p"] < 0.05 < row["p_holm"]
    assert row["verdict"] == "cannot tell yet"


def test_the_headline_is_about_augmentation_and_not_about_generated_images(classic_run: analysis.Run) -> None:
    said = analysis.headline(classic_run)
    row = classic_contrasts(classic_run).iloc[0]
    assert said.verdict == "Hurts"
    assert said.statement.startswith("At n_real 10, clf_da vflip, classic augmentation changes accuracy by −")
    assert said.statement.endswith("(5 paired seeds; the primary contrast, named before the run).")
    assert said.notes[0] == (
        f"The gap between training and test accuracy is {row['gap_points']:.1f} points with it and "
        f"{row['control_gap_points']:.1f} without."
    )
    assert said.notes[1] == "3 secondary contrasts, corrected together (Holm): 2 helps, 1 hurts."
    assert "No images were generated: this study is about real ones." in said.notes


def test_a_run_without_augmentation_has_no_such_contrast(run: analysis.Run) -> None:
    assert classic_contrasts(run).empty
    assert classic_finding(run) is None
    assert classic_changes(run) is None
    assert training_gap(run) is None
    assert training_curves(run) is None


def test_the_report_has_its_table_and_its_figures(classic_run: analysis.Run) -> None:
    page = analysis.write_report(classic_run).read_text()
    assert "Classic augmentation, against none" in page
    assert "Generated images against what else could have been done" not in page
    figures = {path.stem for path in (classic_run.folder / "report/figures").glob("*.png")}
    assert {"classic_changes", "classic_classes", "training_gap", "training_curves"} <= figures
    assert "controls" not in figures


def test_the_change_of_a_class_is_the_mean_over_seeds(classic_run: analysis.Run) -> None:
    table = classic_class_changes(classic_run)
    recall = classic_run.per_class.assign(recall=lambda t: t["correct"] / t["total"])
    own = recall[recall["n_real"].eq(10) & recall["class"].eq(recall["class"].iloc[0])]
    by = own.pivot(index="seed", columns="clf_da", values="recall").astype(float)
    row = table[table["n_real"].eq(10) & table["clf_da"].eq("shift") & table["class"].eq(own["class"].iloc[0])]
    assert row["delta_points"].item() == pytest.approx(100 * (by["shift"] - by["none"]).mean())
    assert classic_classes(classic_run) is not None


def test_curves_that_cannot_be_read_are_named(classic_run: analysis.Run) -> None:
    path: Path = classic_run.folder / "classifier_curves.json"
    path.write_text("{")
    with pytest.raises(UserError, match=r"classifier_curves\.json"):
        analysis.load(classic_run.folder).classifier_curves()
