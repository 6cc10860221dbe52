"""A study of generators: every arm's metrics over seeds, and the paired change against the arm without augmentation.

An *arm* is a setting of the augmentation: gan_da, n_da, and dotted paths into `augmentation.` and
`gan.diffaugment.`. Its baseline has none of it and the same of everything else; differences are taken seed by seed, so
that what the split contributes cancels. Intervals are 95 % t-intervals over seeds, p-values are corrected over the arms
of a metric (Holm 1979).

`score` is exp of the mutual information of image and called class: the Inception Score over Inception's classes,
classifier-IS over those of the study's own classifier. Higher is better, as far as it says anything.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.factors import factors, is_level, written
from analysis.paired import holm, t_intervals
from analysis.run import Run
from ganaug.errors import UserError

BETTER: Final = {
    "kid": "lower", "fid": "lower", "score": "higher", "precision": "higher", "recall": "higher", "density": "higher",
    "coverage": "higher", "taught": "higher",
}  # fmt: skip
"""The metrics of a generator, and which way each is read."""

ARM_PATHS = ("augmentation.", "gan.diffaugment.")
ALPHA = 0.05


def score_column(run: Run) -> str:
    """The column that is called `score`."""
    return "inception_score" if "inception_score" in run.generators else "classifier_is"


def score_name(run: Run) -> str:
    """What that score may be called: only over Inception's classes is it the Inception Score."""
    return "Inception Score" if score_column(run) == "inception_score" else "classifier-IS"


def arm_factors(run: Run) -> list[str]:
    """The factors that tell arms apart."""
    return [n for n in factors(run.generators) if n in ("gan_da", "n_da") or n.startswith(ARM_PATHS)]


def _varied(table: pd.DataFrame) -> list[str]:
    """Factors with more than one value among the generators, the seed left out; a null is none."""
    return [n for n in factors(table) if n != "seed" and table[n].dropna().nunique() > 1]


def assessed(run: Run) -> pd.DataFrame:
    """A row per generator that has metrics, with `score` and `arm`, its augmentation in words."""
    found = run.generators[run.generators["status"].eq("ok")].reset_index(drop=True)
    names = [n for n in arm_factors(run) if n == "gan_da" or n in _varied(run.generators)]

    def arm(row: dict[str, Any]) -> str:
        told = [written(row["gan_da"])]
        for name in names[1:]:
            value = row[name]
            if written(value) == "—" or value == "none" or name == "gan_da":
                continue
            short = {"augmentation.real_copies": "{} × real", "gan.diffaugment.types": "{} online", "n_da": "n_da {}"}
            told.append(short.get(name, name.split(".")[-1] + " {}").format(written(value)))
        return ", ".join(told)

    rows: Any = found.to_dict("records")
    score = found.get(score_column(run), np.nan)
    return found.assign(score=score, arm=[arm(row) for row in rows])


def is_baseline(run: Run, table: pd.DataFrame) -> pd.Series:
    """True where a generator was trained without augmentation of any kind that the study varies."""
    keep = table["gan_da"].eq("none")
    for name in arm_factors(run):
        if name.startswith("gan.diffaugment."):
            keep &= is_level(table[name], (run.planned.get(name) or table[name].dropna().unique().tolist())[0])
    return keep


def arms(run: Run) -> list[str]:
    """The arms in the order of the study, the baseline first."""
    found = assessed(run)
    base = is_baseline(run, found)
    return list(dict.fromkeys([*found.loc[base, "arm"], *found["arm"]]))


def changes(run: Run, metric: str) -> pd.DataFrame:
    """A row per generator with `metric` and its `change` against the baseline of its seed; NaN without one."""
    found = assessed(run)
    found = found[found[metric].notna()] if metric in found else found.iloc[:0].assign(**{metric: np.nan})
    beside = [n for n in factors(found) if n not in arm_factors(run)]
    base = found[is_baseline(run, found)].drop_duplicates(beside)
    joined = found.merge(base[[*beside, metric]], on=beside, how="left", suffixes=("", "_base"))
    return joined.assign(change=joined[metric].astype(float) - joined[f"{metric}_base"].astype(float))


def _settings(run: Run) -> list[str]:
    """What else the study varies beside augmentation: every arm has a row for each of its settings."""
    return [n for n in _varied(run.generators) if n not in arm_factors(run)]


def generators(run: Run) -> pd.DataFrame:
    """A row per arm and metric: arm, metric, better, n_seeds, mean, low, high, change, change_low, change_high, p,
    p_holm, verdict (better, worse, cannot tell yet; of the baseline empty). UserError where the run has none.
    """
    if run.generators.empty:
        raise UserError(f"{run.folder}: no generator of this run was assessed")
    by = ["arm", *_settings(run)]
    parts = []
    for metric in (*BETTER, *leaks(run)):
        table = changes(run, metric)
        if table.empty:
            continue
        own = t_intervals(table.assign(value=table[metric].astype(float)), by, "value")
        paired = t_intervals(table, by, "change").set_index(by)
        base = set(table.loc[is_baseline(run, table), "arm"])
        rows = own[[*by, "n_seeds", "mean", "low", "high"]].assign(metric=metric, better=BETTER.get(metric, "lower"))
        index = pd.MultiIndex.from_frame(rows[by]) if len(by) > 1 else pd.Index(rows["arm"])
        told = paired.reindex(index)
        first = rows["arm"].isin(base).to_numpy()
        for name, column in (("mean", "change"), ("low", "change_low"), ("high", "change_high"), ("p", "p")):
            rows[column] = np.where(first, np.nan, told[name].to_numpy(float))
        rows["p_holm"] = holm(rows["p"].to_numpy(float))
        good = np.sign(rows["change"]) == (1 if BETTER.get(metric, "lower") == "higher" else -1)
        sure = rows["p_holm"] < ALPHA
        rows["verdict"] = np.where(first, "", np.where(~sure, "cannot tell yet", np.where(good, "better", "worse")))
        parts.append(rows)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def leaks(run: Run) -> list[str]:
    """Columns of the shares of generated images that lie nearer to a changed real image than to any real one."""
    names = [str(n) for n in run.generators.columns]
    return [n for n in names if n.startswith("leaked_") and not n.endswith(("_validation", "_changed"))]


def ranked(run: Run) -> pd.DataFrame:
    """The arms by the study's own reading of its metric, the best first: arm, mean, place, and place_kid, the place by
    kernel distance, lower first.
    """
    table = generators(run)
    told = run.summary.get("ranking") or {"metric": "kid", "better": "lower"}
    own = table[table["metric"].eq(told["metric"])].groupby("arm", sort=False)["mean"].mean()
    kid = table[table["metric"].eq("kid")].groupby("arm", sort=False)["mean"].mean()
    out = pd.DataFrame({"arm": own.index, "mean": own.to_numpy(float)})
    out["place"] = out["mean"].rank(ascending=told["better"] == "lower", method="min").astype(int)
    out["place_kid"] = out["arm"].map(kid.rank(method="min"))
    return out.sort_values("place", kind="stable").reset_index(drop=True)


def over_steps(run: Run) -> pd.DataFrame:
    """A row per arm, step and metric of the generators kept on the way: n_seeds, mean, low, high."""
    named = assessed(run).set_index("generator")["arm"]
    rows = []
    for curve in run.curves():
        for at in (curve.get("assessed") or {}).get("steps", []):
            if curve["key"] in named.index:
                told = at | {"score": at.get("inception_score", at.get("classifier_is"))}
                rows += [
                    {"arm": named[curve["key"]], "step": at["step"], "metric": m, "value": told[m]}
                    for m in BETTER
                    if told.get(m) is not None
                ]
    if not rows:
        return pd.DataFrame(columns=["arm", "step", "metric", "n_seeds", "mean", "low", "high"])
    return t_intervals(pd.DataFrame(rows), ["arm", "step", "metric"], "value").drop(columns=["df", "sd", "half", "p"])


def reference_sets(run: Run) -> pd.DataFrame:
    """What the metrics say of sets that no score should take for good: a row per generator and set, with `kid` and
    `score`.
    """
    rows = []
    for curve in run.curves():
        for name, told in ((curve.get("assessed") or {}).get("references") or {}).items():
            score = told.get("inception_score", told.get("classifier_is"))
            rows.append({"set": name, "kid": told["kid"], "score": score, "seed": curve.get("seed")})
    return pd.DataFrame(rows, columns=["set", "kid", "score", "seed"])


def imagenet_classes(run: Run) -> pd.DataFrame:
    """What ResNet-50 calls the images of each arm most: arm, class, probability, first (means over seeds)."""
    named = assessed(run).set_index("generator")["arm"]
    rows = [
        {"arm": named[curve["key"]], **told}
        for curve in run.curves()
        if curve["key"] in named.index
        for told in (curve.get("assessed") or {}).get("imagenet", [])
    ]
    if not rows:
        return pd.DataFrame(columns=["arm", "class", "probability", "first"])
    seeds = named.value_counts()
    sums = pd.DataFrame(rows).groupby(["arm", "class"], sort=False)[["probability", "first"]].sum().reset_index()
    for name in ("probability", "first"):
        sums[name] = sums[name] / sums["arm"].map(seeds)
    return sums.sort_values(["arm", "probability"], ascending=[True, False]).groupby("arm").head(5)
