"""The primary contrast, the secondary family, the controls, and which words may be said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_run import write_run
from scipy import stats
from statsmodels.stats.multitest import multipletests

import analysis
from analysis.arms import at, pairs_against
from analysis.contrasts import against_controls, contrasts, deltas, primary_differences, recommended, verdict
from analysis.finding import headline
from analysis.images import over_seeds_and_images
from analysis.statistics.planning import minimum_detectable_effect, seeds_needed
from ganaug.records import ARMS, COMPARISONS, NO_DA

SETTING: dict[str, Any] = {
    "n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none",
}  # fmt: skip
SEEDS = {"seed": list(range(6))}
Make = Callable[..., analysis.Run]
OF_GENERATED = [
    kind for kind in COMPARISONS if kind not in (NO_DA, "fewer-updates")
]  # those are of other treated cells


def primary(**changes: Any) -> dict[str, Any]:
    return SETTING | {"against": "real-only"} | changes


def moved(arm: str, points: float, **at_levels: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Cells of an arm with their accuracy moved."""

    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        hit = table["arm"].eq(arm)
        for name, value in at_levels.items():
            hit &= table[name].eq(value).fillna(False)
        return table.assign(accuracy=table["accuracy"].mask(hit, table["accuracy"] + points / 100))

    return mutate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    return analysis.load(write_run(tmp_path_factory.mktemp("claimed"), factors=SEEDS, primary=primary()))


@pytest.fixture(scope="module")
def every_arm(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    folder = tmp_path_factory.mktemp("every_arm")
    return analysis.load(write_run(folder, factors=SEEDS, primary=primary(), validation_arm=True))


def test_the_primary_comes_first_and_is_no_part_of_the_family(run: analysis.Run) -> None:
    table = contrasts(run)
    assert table["role"].tolist() == ["primary"] + ["secondary"] * 11
    first = table.iloc[0]
    assert {name: first[name] for name in ("n_real", "n_gen", "threshold")} == {
        name: SETTING[name] for name in ("n_real", "n_gen", "threshold")
    }
    assert np.isnan(first["p_holm"])
    rest = table.iloc[1:]
    by_hand = multipletests(rest["p"].to_numpy(float), method="holm")[1]
    np.testing.assert_allclose(rest["p_holm"].to_numpy(float), by_hand)


def test_without_a_primary_every_contrast_is_of_the_family(make_run: Make) -> None:
    table = contrasts(make_run())
    assert set(table["role"]) == {"secondary"}
    by_hand = multipletests(table["p"].to_numpy(float), method="holm")[1]
    np.testing.assert_allclose(table["p_holm"].to_numpy(float), by_hand)


def test_the_grid_leaves_the_controls_out(run: analysis.Run) -> None:
    assert set(run.cells["arm"]) == set(ARMS) - {"with-validation", "semi-supervised", "fewer-updates"}
    assert set(run.grid["arm"]) == {"real-only", "generated"}
    assert set(run.grid["clf_da"]) == {"none"}
    assert len(run.cells) - len(run.grid) == 4 * 6


@pytest.mark.parametrize("against", OF_GENERATED)
def test_a_contrast_against_each_control_is_scipys_paired_t_test(every_arm: analysis.Run, against: str) -> None:
    run = every_arm
    row = against_controls(run, SETTING).set_index("against").loc[against]
    cells = run.cells
    treated = at(cells[cells["arm"].eq("generated")], SETTING).sort_values("seed")
    arm, levels = {
        "unfiltered": ("generated", {"n_real": 10, "n_gen": 200, "threshold": 0.0}),
        "with-validation": ("with-validation", {"n_real": 10, "n_gen": 0}),
        "real-only": ("real-only", {"n_real": 10, "clf_da": "none"}),
        "classic-da": ("real-only", {"n_real": 10, "clf_da": "rotation+shift+zoom"}),
    }.get(against, (against, {"n_real": 10, "n_gen": 200}))
    control = at(cells[cells["arm"].eq(arm)], levels).sort_values("seed")
    assert len(treated) == len(control) == 6
    test = stats.ttest_rel(100 * treated["accuracy"].to_numpy(float), 100 * control["accuracy"].to_numpy(float))
    bounds = test.confidence_interval(0.95)
    assert (row["low_points"], row["high_points"]) == (pytest.approx(bounds.low), pytest.approx(bounds.high))
    assert row["p"] == pytest.approx(test.pvalue)


def test_every_kind_of_control_is_known_and_no_other(run: analysis.Run) -> None:
    with pytest.raises(ValueError, match=r"^against must be one of real-only, .*, got 'placebo'$"):
        pairs_against(run, "placebo")


def test_a_cell_that_is_augmented_itself_is_its_own_classic_control(make_run: Make) -> None:
    run = make_run(factors={"clf_da": ["none", "rotation+shift+zoom"]})
    pairs = pairs_against(run, "classic-da")
    control = run.cells.set_index("cell").loc[pairs["control"]]
    assert set(control["clf_da"]) == {"rotation+shift+zoom"}
    assert set(control["arm"]) == {"real-only"}
    assert len(pairs) == run.cells["arm"].eq("generated").sum(), "plain cells and augmented ones alike"
    assert (control["seed"].to_numpy() == pairs["seed"].to_numpy()).all()


def test_a_gain_without_its_controls_is_not_said_to_help(make_run: Make) -> None:
    run = make_run(factors=SEEDS)  # no primary, so no controls
    table = contrasts(run)
    gains = table[table["by_itself"].eq("helps") & table["p_holm"].lt(0.05)]
    assert len(gains)
    assert not table["verdict"].eq("helps").any()
    assert set(table["missing_controls"]) == {"duplicated, classic-da"}
    said = headline(run)
    assert said.verdict == "Better than real only in some settings; hurts in some settings; controls are missing"
    assert "duplicated, classic-da (see controls.arms in the study)" in " ".join(said.notes)
    assert recommended(run) is None


def test_with_its_controls_it_is(run: analysis.Run) -> None:
    first = contrasts(run).iloc[0]
    assert (first["verdict"], first["missing_controls"]) == ("helps", "")
    said = headline(run)
    assert said.verdict == "Helps"
    assert "the primary contrast, named before the run" in said.statement
    best = recommended(run)
    assert best is not None
    assert (best["n_real"], best["n_gen"], best["threshold"]) == (10, 200, 0.5)


@pytest.mark.parametrize(
    ("arm", "levels", "name"),
    [
        ("duplicated", {}, "duplicated real images"),
        ("real-only", {"clf_da": "rotation+shift+zoom"}, "classic augmentation"),
    ],
)
def test_a_gain_that_a_control_has_as_well_is_told_so(
    make_run: Make, arm: str, levels: dict[str, Any], name: str
) -> None:
    run = make_run(factors=SEEDS, primary=primary(), mutate=moved(arm, 10, **levels))
    assert headline(run).verdict == f"Helps, but is not shown to beat {name}"


def test_what_hurts_needs_no_control(make_run: Make) -> None:
    run = make_run(factors=SEEDS, mutate=moved("generated", -20))
    assert contrasts(run)["verdict"].eq("hurts").any()
    assert headline(run).verdict == "Hurts"


def test_the_primary_may_be_against_another_control(make_run: Make) -> None:
    run = make_run(factors=SEEDS, primary=primary(against="more-real"))
    table = contrasts(run)
    assert table["against"].tolist() == ["more-real"] + ["real-only"] * 12
    row = against_controls(run, SETTING).set_index("against").loc["more-real"]
    assert table.iloc[0]["delta_points"] == pytest.approx(row["delta_points"])
    assert table.iloc[0]["low_points"] == pytest.approx(row["low_points"])


@pytest.mark.parametrize(("margin", "verdict"), [(0.05, "Cannot tell yet"), (50, "No effect beyond ±50 points")])
def test_no_effect_is_a_matter_of_the_margin(make_run: Make, margin: float, verdict: str) -> None:
    def null(table: pd.DataFrame) -> pd.DataFrame:
        control = table[table["arm"].eq("real-only") & table["n_real"].eq(10) & table["clf_da"].eq("none")]
        accuracy = control.set_index("seed")["accuracy"]
        hit = table["arm"].eq("generated") & table["n_real"].eq(10)
        wobble = table["seed"].map({s: (-1) ** s * 0.004 for s in range(6)})
        return table.assign(accuracy=table["accuracy"].mask(hit, table["seed"].map(accuracy) + wobble))

    run = make_run(factors=SEEDS, primary=primary(), mutate=null, margin_points=margin)
    said = headline(run)
    assert said.verdict == verdict
    told = " ".join(said.notes)
    assert "in 4 studies of 5" in told
    assert ("seeds in all" in told) == (verdict == "Cannot tell yet")
    assert "Recommended: real images only" in told


def test_a_primary_without_a_result_is_said_to_be_missing(make_run: Make) -> None:
    def lose(table: pd.DataFrame) -> pd.DataFrame:
        return table[~(table["n_gen"].eq(200) & table["n_real"].eq(10))]

    said = headline(make_run(factors=SEEDS, primary=primary(), mutate=lose))
    assert said.verdict == "Cannot tell yet"
    assert said.statement == "The primary contrast has no finished pair of a cell and its control yet."


def test_the_choice_of_test_images_widens_the_interval(run: analysis.Run) -> None:
    whole = over_seeds_and_images(run)
    assert whole is not None
    differences = primary_differences(run)["delta_points"].to_numpy(float)
    assert whole.mean == pytest.approx(differences.mean())
    first = contrasts(run).iloc[0]
    assert whole.high - whole.low > first["high_points"] - first["low_points"]
    again = over_seeds_and_images(run)
    assert again == whole, "the same run gives the same interval"


@pytest.mark.parametrize("against", OF_GENERATED)
def test_deltas_against_a_control_are_those_of_the_setting(every_arm: analysis.Run, against: Any) -> None:
    run = every_arm
    table = deltas(run, against)
    row = at(table, SETTING).iloc[0]
    by_hand = against_controls(run, SETTING).set_index("against").loc[against]
    for name in ("delta_points", "low_points", "high_points", "p", "p_equivalence", "verdict"):
        assert row[name] == by_hand[name] or row[name] == pytest.approx(by_hand[name])


def test_the_verdict_says_what_would_settle_it_and_what_to_use(run: analysis.Run) -> None:
    table = verdict(run)
    pd.testing.assert_frame_equal(table[contrasts(run).columns.tolist()], contrasts(run))
    assert table["recommended"].tolist() == [True] + [False] * 11
    row = table.iloc[3]
    pairs = at(pairs_against(run, "real-only"), row.to_dict())["delta_points"].to_numpy(float)
    needed = seeds_needed(pairs, run.margin_points)
    assert needed is not None
    assert (row["seeds_needed"], row["seeds_low"], row["seeds_high"]) == (needed.n, needed.low, needed.high)
    assert row["detectable_points"] == pytest.approx(minimum_detectable_effect(pairs.std(ddof=1), len(pairs)))


def test_one_seed_plans_nothing(make_run: Make) -> None:
    table = verdict(make_run(factors={"seed": [0]}))
    assert table[["detectable_points", "seeds_needed", "seeds_low", "seeds_high"]].isna().all(axis=None)
    assert not table["recommended"].any()


def test_the_tables_over_seeds_never_mix_arms(run: analysis.Run) -> None:
    accuracies = analysis.accuracy_over_seeds(run.cells)
    assert accuracies["n_seeds"].eq(6).all()
    by_hand = run.cells.groupby("arm")["accuracy"].mean()
    for arm in ("duplicated", "shuffled", "more-real"):
        row = accuracies[accuracies["arm"].eq(arm)]
        assert len(row) == 1
        assert row["accuracy"].item() == pytest.approx(by_hand[arm])
    pd.testing.assert_frame_equal(analysis.paired_deltas(run.cells), analysis.paired_deltas(run.grid))
    pd.testing.assert_frame_equal(analysis.deltas_over_seeds(run.cells), analysis.deltas_over_seeds(run.grid))
