"""Two runs side by side: the settings they share, and what they differ in.

Settings are matched on every factor but the seed. A factor that only one of the studies varies has one value in the
other, which its study file names. Where both ran a setting with the same seeds on the same images, the real images of a
seed are the same in both, and the difference is taken seed by seed (a paired t-test, Student 1908); otherwise the two
are independent samples of unequal variance (Welch 1947). Differences are `a` minus `b`.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t: its distribution function and its quantile

from analysis.factors import factors, is_level
from analysis.paired import deltas_over_seeds, holm, usable
from analysis.run import Run, load
from ganaug.errors import UserError
from ganaug.records import felt_by

LEVEL = 0.95


def _of_study(run: Run, path: str) -> Any:
    """The value that a run's study gives a dotted factor that it does not vary; None where it knows no such key."""
    at: Any = run.study
    for part in path.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def _cells(run: Run, names: list[str]) -> pd.DataFrame:
    """The run's usable cells, with a column for every factor of either run."""
    cells = usable(run.cells)
    for name in names:
        if name not in cells:
            felt = cells["arm"].map(lambda arm, name=name: felt_by(name, arm)).astype(bool)
            if name.startswith("filter."):
                felt &= ~is_level(cells["threshold"], 0)
            value = _of_study(run, name)
            cells = cells.assign(**{name: pd.Series([value if here else None for here in felt], cells.index)})
    return cells


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(None if pd.isna(value) else value for value in row)


def _settings(run: Run, names: list[str]) -> dict[tuple[Any, ...], dict[int, float]]:
    """Accuracy in percent by seed, of every setting: its arm, then its factors."""
    found: dict[tuple[Any, ...], dict[int, float]] = {}
    cells = _cells(run, names)
    for arm, seed, accuracy, *levels in cells[["arm", "seed", "accuracy", *names]].itertuples(index=False, name=None):
        found.setdefault((arm, *_key(tuple(levels))), {})[int(seed)] = 100 * float(accuracy)
    return found


def same_images(a: Run, b: Run) -> bool:
    """Whether a seed draws the same real images and meets the same test images in both runs."""
    digests = (a.summary.get("digest"), b.summary.get("digest"))
    if all(digests):
        return digests[0] == digests[1]
    specs = [run.study.get("dataset") for run in (a, b)]
    parts = [
        {k: v for k, v in s.items() if k not in ("validation_per_class", "path")} if isinstance(s, dict) else s
        for s in specs
    ]
    return parts[0] == parts[1]


def _check(a: Run, b: Run) -> None:
    for what, one, other in (
        ("data set", a.summary.get("dataset"), b.summary.get("dataset")),
        ("classes", a.summary.get("classes"), b.summary.get("classes")),
    ):
        if one != other:
            said = [
                ", ".join(v[:12]) + (", …" if len(v) > 12 else "") if isinstance(v, list) else v for v in (one, other)
            ]
            raise UserError(
                f"{b.folder}: its {what} must be those of {a.folder} ({said[0]}), got {said[1]}; "
                "only runs on the same data can be compared"
            )


def _paired(a: dict[int, float], b: dict[int, float], seeds: list[int]) -> tuple[float, float, float]:
    differences = np.array([a[s] - b[s] for s in seeds])
    spread = differences.std(ddof=1)
    return float(differences.mean()), float(spread / np.sqrt(len(seeds))), float(len(seeds) - 1)


def _welch(a: dict[int, float], b: dict[int, float]) -> tuple[float, float, float]:
    one, other = np.array(list(a.values())), np.array(list(b.values()))
    mean = float(one.mean() - other.mean())
    if min(len(one), len(other)) < 2:
        return mean, np.nan, np.nan
    parts = one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)
    total = sum(parts)
    if total == 0:
        return mean, 0.0, float(len(one) + len(other) - 2)
    df = total**2 / (parts[0] ** 2 / (len(one) - 1) + parts[1] ** 2 / (len(other) - 1))  # Welch–Satterthwaite
    return mean, float(np.sqrt(total)), float(df)


def _word(mean: float, error: float, df: float, margin: float) -> tuple[float, float, float, str]:
    """low, high, p and what the difference says by itself."""
    if not error > 1e-12 * max(1.0, abs(mean)):  # no spread, or none known
        return np.nan, np.nan, np.nan, "cannot tell yet"
    half = float(stdtrit(df, (1 + LEVEL) / 2) * error)
    p = float(2 * stdtr(df, -abs(mean) / error))
    inside = float(stdtr(df, -(margin - abs(mean)) / error)) < 1 - LEVEL  # two one-sided tests (Schuirmann 1987)
    word = "higher" if mean - half > 0 else "lower" if mean + half < 0 else "no difference" if inside else None
    return mean - half, mean + half, p, word or "cannot tell yet"


def _names(a: Run, b: Run) -> list[str]:
    return [n for n in dict.fromkeys([*factors(a.cells), *factors(b.cells)]) if n != "seed"]


def _deltas(run: Run, names: list[str]) -> dict[tuple[Any, ...], tuple[float, float, float]]:
    found = deltas_over_seeds(run.grid, run.margin_points, run.looks)
    for name in names:
        if name not in found:
            found = found.assign(**{name: pd.Series([_of_study(run, name)] * len(found), found.index)})
    columns = ["delta_points", "low_points", "high_points"]
    rows = found[[*names, *columns]].itertuples(index=False, name=None)
    return {("generated", *_key(row[: len(names)])): tuple(map(float, row[len(names) :])) for row in rows}  # type: ignore[misc]


def compare(a: Run, b: Run) -> pd.DataFrame:
    """A row per setting that both runs have a result for, in the order of `a`.

    Columns: arm; the factors of either run but seed; accuracy_a, accuracy_b (percent, means over all seeds of each);
    n_a, n_b (seeds); difference_points (a − b; paired: over the common seeds), low_points, high_points (95 %), df;
    n_pairs, test (`paired` over the seeds that both have, at least two of them and the same images; `welch` otherwise);
    p, p_holm (over all rows), verdict (higher, lower, no difference: inside ± `a`'s margin, cannot tell yet; of the row
    alone); delta_a, delta_b with low_ and high_ (points against real only in each run, NaN without).

    Raises UserError where the data sets or the class lists differ, or where no setting is in both.
    """
    a, b = load(a), load(b)
    _check(a, b)
    names = _names(a, b)
    ours, theirs = _settings(a, names), _settings(b, names)
    gains = _deltas(a, names), _deltas(b, names)
    same = same_images(a, b)
    rows = []
    for key, mine in ours.items():
        if key not in theirs:
            continue
        other = theirs[key]
        common = sorted(set(mine) & set(other))
        paired = same and len(common) >= 2
        mean, error, df = _paired(mine, other, common) if paired else _welch(mine, other)
        low, high, p, word = _word(mean, error, df, a.margin_points)
        row = {"arm": key[0], **dict(zip(names, key[1:], strict=True))}
        row |= {"accuracy_a": float(np.mean([*mine.values()])), "accuracy_b": float(np.mean([*other.values()]))}
        row |= {"n_a": len(mine), "n_b": len(other), "difference_points": mean, "low_points": low, "high_points": high}
        row |= {"df": df, "n_pairs": len(common) if paired else 0, "test": "paired" if paired else "welch"}
        row |= {"p": p, "p_holm": np.nan, "verdict": word}
        for side, found in zip("ab", gains, strict=True):
            values = found.get(key, (np.nan, np.nan, np.nan))
            row |= dict(zip((f"delta_{side}", f"low_{side}", f"high_{side}"), values, strict=True))
        rows.append(row)
    if not rows:
        raise UserError(
            f"{b.folder}: has no setting with a result in common with {a.folder}; compare runs whose studies share "
            f"levels of {', '.join(names)}"
        )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"].to_numpy(float)))


def only_in_one(a: Run, b: Run) -> pd.DataFrame:
    """The settings with a result in one run alone. Columns: `run` (`a` or `b`), arm, the factors but seed, seeds."""
    names = _names(a, b)
    ours, theirs = _settings(a, names), _settings(b, names)
    rows = [
        {"run": side, "arm": key[0], **dict(zip(names, key[1:], strict=True)), "seeds": len(found)}
        for side, own, others in (("a", ours, theirs), ("b", theirs, ours))
        for key, found in own.items()
        if key not in others
    ]
    return pd.DataFrame(rows, columns=["run", "arm", *names, "seeds"])


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for key, part in value.items() for k, v in _flat(part, f"{path}.{key}" if path else key).items()}
    return {path: value}


def differences(a: Run, b: Run) -> pd.DataFrame:
    """What made the two runs and is not the same. Columns: key, a, b: keys of the studies, then versions, machine."""
    told = []
    for run in (a, b):
        study = _flat({k: v for k, v in run.study.items() if k not in ("name", "question", "resources")})
        about = {k: run.summary.get(k) for k in ("digest", "versions", "machine", "margin_points")}
        told.append(study | {k: v for k, v in _flat(about).items() if k})
    keys = [k for k in dict.fromkeys([*told[0], *told[1]]) if told[0].get(k) != told[1].get(k)]
    return pd.DataFrame([{"key": k, "a": told[0].get(k), "b": told[1].get(k)} for k in keys], columns=["key", "a", "b"])
