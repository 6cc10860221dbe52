"""Confirming the winner: an ordinary study of it on fresh seeds, with its controls, measured on test images once.

The search's own number is the best of many on the validation images of the search seeds, so it is too good by as much
as luck helped it. Fresh seeds give fresh splits, generators and classifiers; nothing of the search knows them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganaug.records import CONTROLS, NEEDED, Control
from sweeps.run_folder import RunFolder, write_json
from sweeps.search.space import Search
from sweeps.study import Study

Value = dict[str, Any]


def confirming(search: Search, params: Mapping[str, Any]) -> Study:
    """The study of the winner: threshold 0 and its own, its controls, and its contrast named before it runs."""
    study = search.study
    factors = {path: [value] for path, value in search.felt(params).items()}
    threshold = factors["threshold"][0]
    factors["threshold"] = sorted({0.0, threshold})
    against = study.primary["against"] if study.primary else "real-only"
    if against not in CONTROLS:
        against = "real-only"
    if not study.classifier.include_real and against in ("real-only", "classic-da"):
        against = "duplicated"
    asked = study.controls.arms or ()
    arms: list[Control] = [c for c in CONTROLS if c in asked or c in NEEDED or c == "with-validation"]
    primary = {path: values[0] for path, values in factors.items()} | {"threshold": threshold, "against": against}
    return search.study_over(
        factors,
        search.confirm_seeds,
        name=f"{study.name[:57]}-search",
        question=f"Does what a search of {study.name} found help on fresh seeds, and its filter beyond none?",
        controls=study.controls.model_dump() | {"arms": arms, "of": "primary"},
        primary=primary,
    )


def tell_best(folder: RunFolder, facts: Value) -> Value:
    """Put `best` into summary.json: what the fresh seeds and the test images say of the winner; returns it."""
    import analysis

    run = analysis.load(folder.root)
    summary = json.loads(folder.summary.read_text(encoding="utf-8"))
    primary = summary["primary"]
    setting = {k: v for k, v in primary.items() if k != "against"}
    found = analysis.against_controls(run, setting)
    rows: dict[str, Value] = {
        row["against"]: {
            "delta_points": float(row["delta_points"]),
            "interval": [float(row["low_points"]), float(row["high_points"])],
            "verdict": row["verdict"],
            "n_seeds": int(row["n_seeds"]),
        }
        for row in found.to_dict("records")
    }
    none = rows.get("unfiltered")
    threshold = primary["threshold"]
    better = False if not threshold else none["interval"][0] > 0 if none else None
    own = rows.get(primary["against"], {"delta_points": None, "interval": None, "verdict": None})
    best = {
        "threshold": threshold,
        "params": facts["best"]["params"],
        "validation_accuracy": facts["best"]["value"],
        "against": primary["against"],
        **{name: own[name] for name in ("delta_points", "interval", "verdict")},
        "contrasts": rows,
        "better_than_none": better,
    }
    write_json(folder.summary, summary | {"best": best})
    return best


def confirmed(folder: Path) -> Value | None:
    """The summary of a run folder, None where there is none."""
    path = RunFolder(folder).summary
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
