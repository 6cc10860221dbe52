"""Tables of a study of generators: paired by seed, corrected over arms, read the right way round."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.generator_agreement import agreement
from analysis.generator_tables import arms, over_steps, ranked, reference_sets
from analysis.paired import holm, t_intervals
from analysis.run import Run
from ganaug.errors import UserError

ARMS = ("none", "negative", "hflip")
SCORE = {"none": 3.0, "negative": 2.0, "hflip": 3.1}


def made(better: str = "lower", metric: str = "kid", seeds: int = 4, flip: float = 1.0) -> Run:
    """Three arms; negatives lower the score and raise the distance, whatever the seed's own level is."""
    rng = np.random.default_rng(0)
    rows, curves = [], []
    for seed in range(seeds):
        level = rng.normal()
        for arm in ARMS:
            score = 5 + level + flip * (SCORE[arm] - 3) + 0.01 * rng.normal()
            key = f"{arm}{seed}"
            rows.append({"generator": key, "n_real": 5, "gan_da": arm, "n_da": {"none": None}.get(arm, 5),
                         "seed": seed, "status": "ok", "classifier_is": score, "kid": (10 - score) / 10,
                         "floor_kid": 0.0, "floor_classifier_is": 9.0,
                         "leaked_negative": float(arm == "negative")})  # fmt: skip
            at = [{"step": s, "kid": s * 0.1, "classifier_is": float(s)} for s in (1, 2)]
            worthless = {"one image": {"kid": 3.0, "classifier_is": 1.0}}
            curves.append({"key": key, "seed": seed, "losses": {}, "assessed": {"steps": at, "references": worthless}})
    claims = [
        {"text": "negative is highest", "of": {"gan_da": "negative"}, "than": "all others", "reads": "higher"},
        {"text": "negative is below none", "of": {"gan_da": "negative"}, "than": {"gan_da": "none"}, "reads": "lower"},
        {"text": "vflip is below none", "of": {"gan_da": "vflip"}, "than": {"gan_da": "none"}, "reads": "lower"},
    ]
    summary = {"measure": "generators", "ranking": {"metric": metric, "better": better}, "claims": claims,
               "factors": {"gan_da": list(ARMS)}}  # fmt: skip
    run = Run(Path("nowhere"), pd.DataFrame(), pd.DataFrame(), summary, {}, pd.DataFrame(rows))
    run.__dict__["_curves"] = curves
    return run


def test_changes_are_paired_by_seed_and_corrected_over_arms() -> None:
    run = made()
    table = analysis.generators(run)
    assert arms(run) == ["none", "negative", "hflip"]
    own = table[table["metric"].eq("score")].set_index("arm")
    wide = run.generators.pivot(index="seed", columns="gan_da", values="classifier_is")
    expected = t_intervals(pd.DataFrame({"a": 0, "v": wide["negative"] - wide["none"]}), ["a"], "v").iloc[0]
    assert own.loc["negative", "change"] == pytest.approx(expected["mean"])
    assert own.loc["negative", "change_low"] == pytest.approx(expected["low"])
    assert (
        own.loc["negative", "change_high"] - own.loc["negative", "change_low"]
        < 0.1
        < own.loc["none", "high"] - own.loc["none", "low"]
    )
    assert np.allclose(
        own.loc[["negative", "hflip"], "p_holm"], holm(own.loc[["negative", "hflip"], "p"].to_numpy(float))
    )
    assert np.isnan(own.loc["none", "change"])


def test_each_metric_is_read_its_own_way() -> None:
    table = analysis.generators(made()).set_index(["metric", "arm"])["verdict"]
    assert (table["score", "negative"], table["kid", "negative"]) == ("worse", "worse")
    assert (table["score", "hflip"], table["kid", "hflip"], table["kid", "none"]) == ("better", "better", "")


def test_the_wrong_reading_is_said_to_be_wrong() -> None:
    wrong, right = made("lower", "score"), made("lower", "kid")
    assert list(ranked(wrong)["arm"]) == ["negative", "none", "hflip"]
    assert list(ranked(wrong)["place_kid"]) == [3, 2, 1]
    assert list(ranked(right)["arm"]) == ["hflip", "none", "negative"]
    said = analysis.headline(wrong).statement
    assert said.startswith("By classifier-IS, read as “lower is better”, negative comes first (")
    assert "But classifier-IS is better where it is higher: read so, hflip comes first." in said
    assert "But" not in analysis.headline(right).statement


def test_claims_hold_are_refuted_or_were_not_run() -> None:
    assert list(analysis.claims_held(made())["held"]) == ["refuted", "holds", "not run"]
    assert list(analysis.claims_held(made(flip=0.0))["held"])[:2] != ["refuted", "holds"]
    assert list(analysis.claims_held(made(seeds=1))["held"]) == ["not seen", "seen", "not run"]


def test_two_data_sets_agree_or_do_not() -> None:
    found = agreement(made(), made(seeds=3), "score")
    assert (found.spearman, len(found.arms)) == (1.0, 2)
    assert np.isnan(found.low), "two arms have no interval"
    assert agreement(made(), made(flip=-1.0), "score").spearman == -1.0
    classifiers = Run(Path("other"), pd.DataFrame(), pd.DataFrame(), {}, {})
    with pytest.raises(
        UserError, match="other: measures classifiers; an agreement is between two studies of generators"
    ):
        agreement(made(), classifiers)


def test_what_lies_beside_the_metrics() -> None:
    steps = over_steps(made())
    assert set(steps["step"]) == {1, 2}
    assert steps.loc[steps["metric"].eq("kid") & steps["step"].eq(2), "mean"].eq(0.2).all()
    assert reference_sets(made()).groupby("set")["score"].mean()["one image"] == 1.0
