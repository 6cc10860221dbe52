"""Effective real images of a run: the right curve for each setting, and what is said of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.effective import effective_real, real_curve, told_in_real_images
from analysis.statistics.effective_real import effective_real as in_real_images

Make = Callable[..., analysis.Run]
FACTORS: dict[str, Any] = {"n_real": [10, 20, 40, 80], "n_gen": [0, 50], "threshold": [0.5], "seed": list(range(5))}


def known(gain_in_sizes: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Accuracy rises by 10 points a doubling; generated images are worth a number of doublings; seeds differ."""

    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        total = table["n_real"] + table["n_gen"].where(table["arm"].eq("more-real"), 0)
        doublings = np.log2(total.to_numpy(float)) + gain_in_sizes * table["arm"].eq("generated")
        own = table["seed"].map({s: 0.01 * s for s in range(5)}) + table["arm"].eq("generated") * table["seed"].map(
            {s: 0.002 * (s - 2) for s in range(5)}
        )
        da = 0.05 * table["clf_da"].ne("none")
        return table.assign(accuracy=(0.1 * doublings + own + da).astype("Float64"))

    return mutate


def test_a_known_gain_is_found_and_its_interval_holds_it(make_run: Make) -> None:
    run = make_run(factors=FACTORS, mutate=known(0.5))
    table = effective_real(run)
    assert len(table) == 4
    row = table[table["n_real"].eq(20)].iloc[0]
    assert row["effective_real"] == pytest.approx(20 * 2**0.5, rel=0.02)
    assert row["low"] < 20 * 2**0.5 < row["high"]
    assert row["per_generated"] == pytest.approx((20 * 2**0.5 - 20) / 50, rel=0.05)
    assert not row[["below", "above", "censored_low", "censored_high"]].any()


def test_beyond_the_curve_nothing_is_said(make_run: Make) -> None:
    run = make_run(factors=FACTORS, mutate=known(0.5))
    last = effective_real(run).set_index("n_real").loc[80]
    assert last["above"]
    assert last["effective_real"] == pytest.approx(80)
    row = {name: last[name] for name in ("n_gen", "threshold", "gan_da", "n_da", "clf_da")} | {"n_real": 80}
    assert told_in_real_images(run, row) == (
        "In real images: 80 real + 50 generated per class do as well as ≥ 80 [80, ≥ 80] real ones alone."
    )


def test_it_is_the_arrays_result(make_run: Make) -> None:
    run = make_run(factors=FACTORS)
    cells = run.cells
    curve = cells[cells["arm"].eq("real-only")].pivot(index="n_real", columns="seed", values="accuracy")
    arm = cells[cells["arm"].eq("generated") & cells["n_real"].eq(20)].set_index("seed")["accuracy"]
    by_hand = in_real_images(
        curve.index.to_numpy(float), curve.to_numpy(float), arm[curve.columns].to_numpy(float), 20, 50
    )
    row = effective_real(run).set_index("n_real").loc[20]
    for name in ("effective_real", "low", "high", "per_generated"):
        assert row[name] == pytest.approx(getattr(by_hand, name))


def test_the_oracle_is_a_point_of_the_curve(make_run: Make) -> None:
    setting = {"n_real": 20, "n_gen": 50, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"}
    run = make_run(factors=FACTORS, primary=setting | {"against": "real-only"}, mutate=known(0.0))
    plain = real_curve(run)
    plain = plain[plain["clf_da"].eq("none")]
    assert sorted(set(plain["n_real"])) == [10, 20, 40, 70, 80]
    assert len(plain) == 5 * 5


def test_each_augmentation_has_a_curve_of_its_own(make_run: Make) -> None:
    run = make_run(factors=FACTORS | {"clf_da": ["none", "hflip"]}, mutate=known(0.5))
    own = effective_real(run).set_index(["clf_da", "n_real"])["effective_real"]
    assert own["hflip", 20] == pytest.approx(own["none", 20])
    plain = effective_real(run, clf_da="none").set_index(["clf_da", "n_real"])["effective_real"]
    assert plain["none", 20] == pytest.approx(own["none", 20])
    assert plain["hflip", 20] == pytest.approx(40, rel=0.02), "augmentation is worth another half doubling"


def test_one_size_is_no_curve(make_run: Make) -> None:
    assert effective_real(make_run(factors=FACTORS | {"n_real": [10]})).empty
