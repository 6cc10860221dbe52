"""Run folders made by hand, with effects that are known: a fixture, no result of anything.

`write_run` follows docs/run-folder.md. The accuracy of a cell is a made-up formula plus noise of its seed,
which the control of the same seed shares, so that pairing has something to cancel.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from safetensors.numpy import save_file

FACTORS = {
    "n_real": [3, 10, 30],
    "n_gen": [0, 50, 200],
    "threshold": [0.0, 0.5],
    "gan_da": ["none"],
    "n_da": [None],
    "clf_da": ["none"],
    "seed": [0, 1, 2],
}
GENERATION = ("threshold", "gan_da", "n_da")
KINDS = {"threshold": "Float64", "n_real": "Int64", "n_gen": "Int64", "n_da": "Int64", "seed": "Int64"}
STAGES = ("split", "augment", "gan", "pool", "select", "classifier", "measure")


def gain(n_real: int, n_gen: int, threshold: float | None) -> float:
    """The known effect, a share: generated images help where real ones are few, and a strict filter helps
    more.
    """
    if n_gen == 0:
        return 0.0
    return 0.05 * np.log10(1 + n_gen) / 2.3 * (1.5 if threshold else 0.4) * (10 / n_real) ** 0.5 - 0.02


def grid(factors: dict[str, list[Any]]) -> list[dict[str, Any]]:
    rows = []
    for values in itertools.product(*factors.values()):
        row = dict(zip(factors, values, strict=True))
        if row["n_gen"] == 0:
            row |= {
                name: None for name in factors if name in GENERATION or name.startswith(("gan.", "pool.", "filter."))
            }
        if row not in rows:
            rows.append(row)
    return rows


def records(rows: list[dict[str, Any]], classes: int, n_test: int, rng: np.random.Generator) -> pd.DataFrame:
    lucky = {(r["n_real"], r["seed"], r["clf_da"]): rng.normal(0, 0.02) for r in rows}
    frame = pd.DataFrame(rows)
    cells = []
    for i, r in enumerate(rows):
        base = 0.5 + 0.25 * np.log10(r["n_real"]) + lucky[r["n_real"], r["seed"], r["clf_da"]]
        accuracy = float(np.clip(base + gain(r["n_real"], r["n_gen"], r["threshold"]) + rng.normal(0, 0.006), 0, 1))
        accept = None if r["n_gen"] == 0 else 1.0 - 0.8 * (r["threshold"] or 0.0) - 0.02 * r["seed"]
        looked = 0 if accept is None else int(r["n_gen"] * classes / accept)
        cells.append(
            {
                "cell": f"{i:04x}cell",
                "accuracy": round(accuracy * n_test) / n_test,
                "accuracy_sd": None,
                "balanced_accuracy": accuracy,
                "n_test": n_test,
                "n_train": (r["n_real"] + r["n_gen"]) * classes,
                "n_generated": r["n_gen"] * classes,
                "n_candidates": looked,
                "n_accepted": int(looked * (accept or 0)),
                "classifier_seeds": 1,
                "status": "ok",
                "reason": "",
                "gan_diversity": None if accept is None else 0.7,
                "calibration_slope": None if accept is None else 1.1,
            }
            | {f"seconds_{stage}": 0.5 for stage in STAGES}
        )
    measured = pd.DataFrame(cells)
    table = pd.concat([measured[["cell"]], frame, measured.drop(columns="cell")], axis=1)
    floats = ("accuracy", "accuracy_sd", "balanced_accuracy", "gan_diversity", "calibration_slope")
    return table.astype({k: v for k, v in KINDS.items() if k in table} | dict.fromkeys(floats, "Float64"))


def per_class(table: pd.DataFrame, names: list[str], factors: list[str], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for r in table[table["accuracy"].notna()].to_dict("records"):
        total = max(1, r["n_test"] // len(names))
        for c, name in enumerate(names):
            share = np.clip(r["accuracy"] + 0.03 * np.sin(c) * (1 if r["n_gen"] else 0.2) + rng.normal(0, 0.02), 0, 1)
            rows.append(
                {
                    "cell": r["cell"],
                    **{f: r[f] for f in factors},
                    "class": name,
                    "correct": int(share * total),
                    "total": total,
                }
                | {"n_generated": r["n_gen"], "n_candidates": r["n_gen"] * 2, "n_accepted": r["n_gen"]}
            )
    columns = ["cell", *factors, "class", "correct", "total", "n_generated", "n_candidates", "n_accepted"]
    whole = dict.fromkeys(("correct", "total", "n_generated", "n_candidates", "n_accepted"), "Int64")
    return pd.DataFrame(rows, columns=columns).astype(whole | {k: v for k, v in KINDS.items() if k in columns})


def write_samples(
    path: Path,
    groups: list[dict[str, Any]],
    classes: int,
    image: tuple[int, int, int],
    rng: np.random.Generator,
) -> None:
    tensors, m = {}, 6
    for i in range(len(groups)):
        ramp = np.linspace(0, 200, image[1] * image[2]).reshape(1, 1, 1, *image[1:])
        for part in ("real", "kept", "rejected"):
            noise = rng.integers(0, 55, (classes, m, *image))
            tensors[f"{i}/{part}"] = (ramp + noise).astype(np.uint8)
        tensors[f"{i}/kept_score"] = rng.uniform(0.5, 1, (classes, m)).astype(np.float32)
        rejected = rng.uniform(0, 0.5, (classes, m)).astype(np.float32)
        rejected[0, 3:] = np.nan
        tensors[f"{i}/rejected_score"] = rejected
    save_file(tensors, path, metadata={"groups": json.dumps(groups)})


def write_run(
    folder: Path,
    factors: dict[str, list[Any]] | None = None,
    names: list[str] | None = None,
    n_test: int = 400,
    image: tuple[int, int, int] = (1, 8, 8),
    mutate: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
    status: str = "complete",
    **summary: Any,
) -> Path:
    """Write a run folder of the grid `factors` (changes to FACTORS); `mutate` may mark cells or drop rows."""
    rng = np.random.default_rng(0)
    axes = FACTORS | (factors or {})
    names = names or [str(c) for c in range(10)]
    folder.mkdir(parents=True, exist_ok=True)
    rows = grid(axes)
    table = mutate(records(rows, len(names), n_test, rng))
    table.to_parquet(folder / "records.parquet")
    per_class(table, names, list(axes), rng).to_parquet(folder / "per_class.parquet")
    labels = np.arange(n_test, dtype=np.int64) % len(names)
    found = table[table["accuracy"].notna()]
    save_file(
        {"labels": labels} | {cell: labels[None].astype(np.uint8) for cell in found["cell"]},
        folder / "predictions.safetensors",
    )
    groups = [
        {"n_real": n, "seed": 0, "threshold": max(axes["threshold"]), "gan_da": axes["gan_da"][0]}
        for n in axes["n_real"]
    ]
    write_samples(folder / "samples.safetensors", groups, len(names), image, rng)
    steps = list(range(0, 1001, 20))
    curves = [
        {
            "key": f"gan{n}-{seed}",
            "factors": {"n_real": n, "gan_da": axes["gan_da"][0], "seed": seed},
            "losses": {
                "step": steps,
                "generator": [0.7 + 0.5 * float(1 - np.exp(-s / 300)) + float(rng.normal(0, 0.05)) for s in steps],
                "discriminator": [1.3 - 0.4 * float(1 - np.exp(-s / 300)) + float(rng.normal(0, 0.05)) for s in steps],
            },
        }
        for n in axes["n_real"]
        for seed in axes["seed"]
    ]
    (folder / "curves.json").write_text(json.dumps(curves))
    counts = table["status"].value_counts()
    cells = {"total": len(rows)} | {s: int(counts.get(s, 0)) for s in ("ok", "starved", "diverged", "failed")}
    told = {
        "study": "fixture",
        "question": "Do generated images help, in a folder made up for tests?",
        "dataset": "made-up",
        "stand_in": None,
        "synthetic": True,
        "classes": names,
        "image": list(image),
        "status": status,
        "cells": cells | {"missing": len(rows) - len(table)},
        "computed": {"fit_gan": 9, "pool": 18, "measure": len(table)},
        "reused": {"measure": 0},
        "factors": axes,
        "seconds": 93.1,
        "command": "ganaug run fixture",
        "store": "runs/store",
        "versions": {"ganaug": "0.1.0", "torch": "0", "ray": "0", "python": "3.11"},
        "machine": "Linux x86_64, 2 cores",
        "workers": 2,
        "finished": "2026-11-21T06:00:00+00:00",
    } | summary
    (folder / "summary.json").write_text(json.dumps(told))
    (folder / "study.yaml").write_text(yaml.safe_dump({"name": "fixture", "dataset": "made-up"}))
    return folder
