"""Variants side by side: each by its own replicates, matched by setting, and told where the other lies beside."""

from pathlib import Path

import numpy as np
import pytest
from made_run import write_run
from safetensors.numpy import load_file, save_file
from scipy import stats

import analysis
import analysis.report
from analysis.run import Run
from analysis.variant_tables import variants, worth
from analysis.variants import beside, narrower, unit, variants_table

GRID = {"n_real": [3, 10], "n_gen": [0, 50], "threshold": [0.0]}


def nested(folder: Path, classifiers: int) -> None:
    """Several classifiers in every cell: the one that is there, and copies of it that err once more each."""
    path = folder / "predictions.safetensors"
    said = load_file(path)
    labels = said.pop("labels")
    for cell, predictions in said.items():
        members = np.repeat(predictions, classifiers, axis=0)
        for k, row in enumerate(members):
            right = np.flatnonzero(row == labels)[: 2 * k]
            row[right] = (labels[right] + 1) % 10
        said[cell] = members
    save_file({"labels": labels} | said, path)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Run, Run]:
    """Corrected: four seeds. Published: three classifiers of one seed, which lack a setting and have one more."""
    ours = GRID | {"seed": [0, 1, 2, 3]}
    theirs = GRID | {"n_gen": [0, 50, 200], "n_real": [10], "seed": [0]}
    write_run(tmp_path / "letters", ours, study="letters", variant="corrected")
    write_run(tmp_path / "letters-published", theirs, study="letters", variant="published")
    nested(tmp_path / "letters-published", 3)
    write_run(tmp_path / "other", ours, study="others", variant="published")
    write_run(tmp_path / "plain", ours, study="letters")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "summary.json").write_text("{")
    return analysis.load(tmp_path / "letters"), analysis.load(tmp_path / "letters-published")


def test_only_the_same_studys_other_variants_lie_beside(runs: tuple[Run, Run]) -> None:
    ours, theirs = runs
    assert [r.folder.name for r in beside(ours)] == ["letters-published"]
    assert [r.folder.name for r in beside(theirs)] == ["letters"]
    assert beside(analysis.load(ours.folder.parent / "plain")) == []
    assert (unit(ours), unit(theirs)) == ("seeds", "classifiers")


def test_every_number_is_that_of_its_replicates(runs: tuple[Run, Run]) -> None:
    ours, theirs = runs
    table = variants_table(ours, theirs)
    assert set(table["n_real"]) == {10}
    assert set(table["n_gen"]) == {0, 50}
    row = table[(table["variant"] == "published") & (table["n_gen"] == 50)].iloc[0]
    said = theirs.predictions()
    cells = theirs.cells.set_index("n_gen")["cell"]
    points = {n: 100 * (said[cells[n]] == said["labels"]).mean(axis=1) for n in (0, 50)}
    assert len(points[50]) == row["n"] == 3
    assert row["accuracy"] == pytest.approx(points[50].mean())
    low, high = stats.t.interval(0.95, 2, points[50].mean(), stats.sem(points[50]))
    assert row["half"] == pytest.approx((high - low) / 2)
    assert row["change"] == pytest.approx((points[50] - points[0]).mean())
    row = table[(table["variant"] == "corrected") & (table["n_gen"] == 50)].iloc[0]
    cells = ours.cells[ours.cells["n_real"].eq(10)].set_index(["n_gen", "seed"])["accuracy"].astype(float) * 100
    change = cells[50] - cells[0]
    assert (row["n"], row["unit"]) == (4, "seeds")
    assert row["change"] == pytest.approx(change.mean())
    low, high = stats.t.interval(0.95, 3, change.mean(), stats.sem(change))
    assert row["change_half"] == pytest.approx((high - low) / 2)
    assert table[table["n_gen"].eq(0)]["change"].isna().all()


def test_the_report_says_what_the_published_way_was_worth(
    runs: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis.report, "pictures", lambda *arguments: [])  # drawing has its own tests
    ours, theirs = runs
    ratio = narrower(variants_table(ours, theirs), "published", than="corrected")
    assert ratio > 1
    assert worth(ours) == (
        f"Intervals of published are {ratio:.1f} times narrower than those of corrected (median over settings)."
    )
    assert worth(theirs).startswith("Intervals of corrected are ")
    assert "wider than those of published" in worth(theirs)
    heads = variants(ours).columns
    assert heads[-2:] == ("published, 3 classifiers: accuracy, %", "published, 3 classifiers: change, points")
    assert len(variants(ours).rows) == 2
    page = analysis.write_report(ours).read_text()
    assert "Published and corrected" in page
    assert "Published and corrected" not in analysis.write_report(ours.folder.parent / "plain").read_text()
