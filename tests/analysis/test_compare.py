"""Two runs side by side: which test, against SciPy; which settings; what is refused; and the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from made_run import write_run
from scipy import stats

import analysis
from analysis.comparison import differences, only_in_one
from ganaug.errors import UserError

SMALL: dict[str, Any] = {"n_real": [3, 10], "n_gen": [0, 50], "threshold": [0.5]}
MakeRun = Callable[..., analysis.Run]


def shifted(points: float, seed: int = 7) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Every accuracy moved by about as many points."""

    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        noise = np.random.default_rng(seed).normal(points, 0.3, len(table)) / 100
        return table.assign(accuracy=table["accuracy"] + noise)

    return mutate


def accuracies(run: analysis.Run, n_real: int, n_gen: int) -> np.ndarray:
    cells = run.cells[run.cells["n_real"].eq(n_real) & run.cells["n_gen"].eq(n_gen)]
    return 100 * cells.sort_values("seed")["accuracy"].to_numpy(float)


def test_the_same_seeds_on_the_same_images_are_paired(make_run: MakeRun) -> None:
    a, b = make_run(factors=SMALL, mutate=shifted(2)), make_run(factors=SMALL)
    table = analysis.compare(a, b)
    assert len(table) == 4
    assert table["test"].eq("paired").all()
    for row in table.to_dict("records"):
        one, other = accuracies(a, row["n_real"], row["n_gen"]), accuracies(b, row["n_real"], row["n_gen"])
        wanted = stats.ttest_rel(one, other)
        interval = wanted.confidence_interval(0.95)
        assert row["difference_points"] == pytest.approx((one - other).mean())
        assert (row["low_points"], row["high_points"]) == pytest.approx((interval.low, interval.high))
        assert row["p"] == pytest.approx(wanted.pvalue)
        assert (row["n_pairs"], row["df"]) == (3, 2)
        assert row["accuracy_a"] == pytest.approx(one.mean())
    assert table["verdict"].eq("higher").any()
    assert (table["p_holm"] >= table["p"]).all()
    assert table["p_holm"].max() <= 1
    generated = table[table["arm"].eq("generated")]
    wanted = analysis.deltas_over_seeds(a.grid).set_index("n_real")["delta_points"]
    assert generated.set_index("n_real")["delta_a"].to_dict() == pytest.approx(wanted.to_dict())
    assert table.loc[table["arm"].eq("real-only"), ["delta_a", "delta_b"]].isna().all(axis=None)


def test_other_seeds_or_other_images_are_independent(make_run: MakeRun) -> None:
    a = make_run(factors=SMALL, digest="aaa")
    for b in (make_run(factors=SMALL | {"seed": [5, 6, 7, 8]}, digest="aaa"), make_run(factors=SMALL, digest="bbb")):
        table = analysis.compare(a, b)
        assert table["test"].eq("welch").all()
        for row in table.to_dict("records"):
            one, other = accuracies(a, row["n_real"], row["n_gen"]), accuracies(b, row["n_real"], row["n_gen"])
            wanted = stats.ttest_ind(one, other, equal_var=False)
            interval = wanted.confidence_interval(0.95)
            assert (row["low_points"], row["high_points"]) == pytest.approx((interval.low, interval.high))
            assert row["p"] == pytest.approx(wanted.pvalue)
            assert row["df"] == pytest.approx(wanted.df)


def test_seeds_that_only_one_has_leave_the_pairs(make_run: MakeRun) -> None:
    table = analysis.compare(make_run(factors=SMALL), make_run(factors=SMALL | {"seed": [1, 2, 3, 4]}))
    assert table["test"].eq("paired").all()
    assert table[["n_a", "n_b", "n_pairs"]].drop_duplicates().to_numpy().tolist() == [[3, 4, 2]]


def test_a_run_against_itself_has_no_difference(make_run: MakeRun) -> None:
    run = make_run(factors=SMALL)
    table = analysis.compare(run, run)
    assert table["difference_points"].eq(0).all()
    assert table["verdict"].eq("cannot tell yet").all(), "no spread is no evidence"
    assert table["p"].isna().all()
    assert only_in_one(run, run).empty
    assert differences(run, run).empty


def test_one_seed_has_no_interval(make_run: MakeRun) -> None:
    a, b = make_run(factors=SMALL | {"seed": [0]}), make_run(factors=SMALL | {"seed": [0]}, mutate=shifted(1))
    table = analysis.compare(a, b)
    assert table[["low_points", "high_points", "p"]].isna().all(axis=None)
    assert table["verdict"].eq("cannot tell yet").all()


def test_swapping_the_runs_turns_the_signs(make_run: MakeRun) -> None:
    a, b = make_run(factors=SMALL, mutate=shifted(-1)), make_run(factors=SMALL)
    one, other = analysis.compare(a, b), analysis.compare(b, a)
    np.testing.assert_allclose(one["difference_points"], -other["difference_points"])
    np.testing.assert_allclose(one["low_points"], -other["high_points"])
    opposite = {"higher": "lower", "lower": "higher"}
    assert one["verdict"].map(lambda word: opposite.get(word, word)).tolist() == other["verdict"].tolist()


def test_a_factor_that_one_study_varies_is_read_from_the_other(make_run: MakeRun) -> None:
    a = make_run(factors=SMALL | {"gan.steps": [100, 200]})
    b = make_run(factors=SMALL)
    study = {"name": "b", "dataset": {"name": "made-up"}, "gan": {"name": "projection", "steps": 200}}
    (b.folder / "study.yaml").write_text(yaml.safe_dump(study))
    b = analysis.load(b.folder)
    table = analysis.compare(a, b)
    assert sorted(table["arm"]) == ["generated", "generated", "real-only", "real-only"]
    assert table.loc[table["arm"].eq("generated"), "gan.steps"].tolist() == [200, 200]
    assert table.loc[table["arm"].eq("real-only"), "gan.steps"].isna().all()
    only = only_in_one(a, b)
    assert only["run"].tolist() == ["a", "a"]
    assert only["gan.steps"].tolist() == [100, 100]
    assert "gan.name" in set(differences(a, b)["key"])


def test_what_differs_is_listed(make_run: MakeRun) -> None:
    a = make_run(factors=SMALL, versions={"torch": "2.1"}, machine="here")
    b = make_run(factors=SMALL, versions={"torch": "2.2"}, machine="here")
    (b.folder / "study.yaml").write_text(yaml.safe_dump({"name": "x", "dataset": "made-up", "pool": {"chunk": 5}}))
    found = differences(a, analysis.load(b.folder)).set_index("key")
    assert found.loc["versions.torch"].tolist() == ["2.1", "2.2"]
    assert pd.isna(found.loc["pool.chunk", "a"])
    assert found.loc["pool.chunk", "b"] == 5
    assert "machine" not in found.index
    assert "name" not in found.index


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dataset": "other"}, r"run1: its data set must be those of .*run0 \(made-up\), got other; only runs on the"),
        ({"names": ["a", "b"]}, r"run1: its classes must be those of .*run0 \(0, 1, .*, 9\), got a, b; only runs on"),
        (
            {"factors": SMALL | {"n_real": [99]}},
            r"run1: has no setting with a result in common with .*run0; compare runs whose studies share levels of n_",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(make_run: MakeRun, change: dict[str, Any], told: str) -> None:
    a, b = make_run(factors=SMALL), make_run(**{"factors": SMALL} | change)
    with pytest.raises(UserError, match=told) as error:
        analysis.compare(a, b)
    assert "\n" not in str(error.value)


def test_the_page_of_a_comparison(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    a = write_run(tmp_path / "a", factors=SMALL, mutate=shifted(6))
    b = write_run(tmp_path / "b & co", factors=SMALL | {"n_gen": [0, 50, 200]}, study=evil)
    page = analysis.write_comparison(a, b)
    assert page == a / "report" / "against-b & co.html"
    text = page.read_text()
    assert "onerror" in text
    assert "<img src=x" not in text
    assert "4 settings in both" in text
    assert "2 settings in one run only" in text
    assert text.count("data:image/png;base64,") == 2
    assert len(list((a / "report/figures").glob("against-b & co-*.png"))) == 2
    before = page.read_bytes()
    assert analysis.write_comparison(a, b).read_bytes() == before
