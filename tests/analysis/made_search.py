"""The search files of a run folder made by hand: a hill of validation accuracy over the threshold, and its winner."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SPACE = {"threshold": [0.0, 1.0], "filter.name": {"choices": ["discriminator", "agreement"]}}
CONTRASTS: dict[str, dict[str, Any]] = {
    "real-only": {"delta_points": 2.1, "interval": [0.8, 3.4], "verdict": "helps", "n_seeds": 5},
    "classic-da": {"delta_points": 1.4, "interval": [0.2, 2.6], "verdict": "helps", "n_seeds": 5},
    "duplicated": {"delta_points": 1.9, "interval": [0.6, 3.2], "verdict": "helps", "n_seeds": 5},
    "unfiltered": {"delta_points": 0.3, "interval": [-0.5, 1.1], "verdict": "cannot tell yet", "n_seeds": 5},
}


def trial(number: int, params: dict[str, Any], rng: np.random.Generator, **levels: Any) -> dict[str, Any]:
    """A finished step: three seeds around a hill with its top at threshold 0.6."""
    t = params["threshold"]
    middle = 0.80 + 0.04 * (1 - ((t - 0.6) / 0.6) ** 2) + 0.01 * (params.get("filter.name") == "agreement")
    seeds = [float(middle + noise) for noise in rng.normal(0, 0.008, 3)]
    told = {"value": float(np.mean(seeds)), "value_sd": float(np.std(seeds, ddof=1)), "n_seeds": 3, "accuracies": seeds}
    facts = {
        "state": "complete",
        "source": "search",
        "status": "ok",
        "seconds": 12.0,
        "cost": 100 * round(3 / (1.05 - t)),
    }
    return {"number": number} | facts | params | told | levels


def trials(steps: int, space: dict[str, Any]) -> pd.DataFrame:
    """Three settings of a grid, `steps` steps, one that failed and one that runs."""
    rng = np.random.default_rng(0)
    names = ["discriminator", "agreement"] if "filter.name" in space else []
    rows = []
    for i in range(steps + 3):
        t = [0.0, 0.5, 0.9][i] if i < 3 else float(rng.uniform())
        params = {"threshold": t} | ({"filter.name": names[i % 2]} if names else {})
        rows.append(trial(i, params, rng, source="grid" if i < 3 else "search"))
    rows[-1]["status"] = "starved"
    empty = {"value": None, "value_sd": None, "n_seeds": 0, "accuracies": None, "status": None, "cost": None}
    rows.append(trial(steps + 3, {"threshold": 0.99} | ({"filter.name": names[0]} if names else {}), rng) | empty)
    rows.append(rows[-1] | {"number": steps + 4, "state": "running"})
    rows[-2]["state"] = "failed"
    frame = pd.DataFrame(rows)
    floats = dict.fromkeys(("value", "value_sd", "threshold", "cost", "seconds"), "Float64")
    return frame.astype(floats | {"number": "Int64", "n_seeds": "Int64"})


def write_search(
    folder: Path,
    steps: int = 12,
    space: dict[str, Any] | None = None,
    contrasts: dict[str, Any] | None = None,
    best: dict[str, Any] | None = None,
    **facts: Any,
) -> dict[str, Any] | None:
    """Write `search/` into a run folder; returns what stands under `best` in its summary.json.

    best: changes to the winner's parameters. facts: changes to search.json.
    """
    space = SPACE if space is None else space
    found = trials(steps, space)
    top = found.loc[found["value"].fillna(0).idxmax()]
    params = {path: top[path] for path in space} | (best or {})
    told = {
        "sampler": "tpe",
        "steps": steps,
        "space": space,
        "settings": {"n_real": 10, "n_gen": 200},
        "seeds": [0, 1, 2],
        "confirm_seeds": [100, 101, 102, 103, 104],
        "objectives": ["accuracy"],
        "importances": {"threshold": 0.83, "filter.name": 0.17} if len(space) > 1 else None,
        "storage": "journal",
        "optuna_study": "fixture-0123abcd",
        "best": {"number": int(top["number"]), "params": params, "value": float(top["value"])},
        "none": {"value": 0.803},
        "finished": True,
    }
    (folder / "search").mkdir()
    found.to_parquet(folder / "search" / "trials.parquet")
    (folder / "search" / "search.json").write_text(json.dumps(told | facts))
    if (told | facts)["best"] is None:
        return None
    shown = CONTRASTS if contrasts is None else contrasts
    own = {"threshold": params["threshold"], "params": params, "validation_accuracy": float(top["value"])}
    return own | {"against": "real-only", "contrasts": shown, "better_than_none": None}
