"""One contrast class by class: against the table over seeds, by its laws, and what few test images cost."""

from collections.abc import Callable

import numpy as np
import pytest
from made_run import write_run

import analysis
from analysis.classes import class_verdicts
from analysis.paired import holm

Make = Callable[..., analysis.Run]
SETTING = {"n_real": 10, "n_gen": 200, "threshold": 0.5}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> analysis.Run:
    return analysis.load(write_run(tmp_path_factory.mktemp("classes"), factors={"seed": list(range(6))}))


def test_the_changes_average_to_the_change_of_balanced_accuracy(run: analysis.Run) -> None:
    table = class_verdicts(run, SETTING)
    assert table["class"].tolist() == [str(c) for c in range(10)]
    assert table["n_test"].tolist() == [40] * 10
    pairs = analysis.paired_deltas(run.grid)
    pairs = pairs[pairs["n_real"].eq(10) & pairs["n_gen"].eq(200) & pairs["threshold"].eq(0.5)]
    assert table["delta_points"].mean() == pytest.approx(pairs["delta_points"].mean()), "classes are equally large here"


def test_one_class_by_hand(run: analysis.Run) -> None:
    row = class_verdicts(run, SETTING).iloc[3]
    made = run.predictions()
    own = made["labels"] == 3
    pairs = analysis.paired_deltas(run.grid)
    pairs = pairs[pairs["n_real"].eq(10) & pairs["n_gen"].eq(200) & pairs["threshold"].eq(0.5)]
    by_hand = [
        100 * ((made[a][:, own] == 3).mean() - (made[b][:, own] == 3).mean())
        for a, b in zip(pairs["cell"], pairs["control"], strict=True)
    ]
    assert row["delta_points"] == pytest.approx(np.mean(by_hand))
    assert row["n_seeds"] == 6


def test_words_are_corrected_over_the_classes(run: analysis.Run) -> None:
    table = class_verdicts(run, SETTING)
    np.testing.assert_allclose(table["p_holm"].to_numpy(float), holm(table["p"].to_numpy(float)))
    decided = table["verdict"].isin(["helps", "hurts"])
    assert (table.loc[decided, "p_holm"] < 0.05).all()


def test_new_test_images_widen_the_interval(run: analysis.Run) -> None:
    table = class_verdicts(run, SETTING)
    over_seeds = table["high_points"] - table["low_points"]
    with_images = table["high_with_images"] - table["low_with_images"]
    assert with_images.mean() > over_seeds.mean()
    assert (table["seeds_needed"] > 6).all(), "40 test images cannot show a change of one point in six seeds"
    again = class_verdicts(run, SETTING)
    assert again.equals(table)


def test_one_seed_says_nothing(make_run: Make) -> None:
    assert class_verdicts(make_run(factors={"seed": [0]}), SETTING).empty
