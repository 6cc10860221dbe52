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
from made_search import write_search
from safetensors.numpy import save_file

from ganaug.records import felt_by

FACTORS = {
    "n_real": [3, 10, 30],
    "n_gen": [0, 50, 200],
    "threshold": [0.0, 0.5],
    "gan_da": ["none"],
    "n_da": [None],
    "clf_da": ["none"],
    "seed": [0, 1, 2],
}
SNAPSHOTS = (50, 100, 200, 500, 1000)
CLASSIC = "rotation+shift+zoom"
KINDS = {"threshold": "Float64", "n_real": "Int64", "n_gen": "Int64", "n_da": "Int64", "seed": "Int64"}
STAGES = ("split", "augment", "gan", "pool", "judge", "select", "classifier", "measure")
UNJUDGED = ("discriminator", "rejection", "metropolis-hastings")


def gain(n_real: int, n_gen: int, threshold: float | None, filter_name: str | None = None) -> float:
    """The known effect, a share: generated images help where real ones are few, and a strict filter helps
    more, unless it is the one that keeps what it knows by heart.
    """
    if n_gen == 0:
        return 0.0
    if threshold and filter_name == "memorisation":
        return gain(n_real, n_gen, 0.0)
    return 0.05 * np.log10(1 + n_gen) / 2.3 * (1.5 if threshold else 0.4) * (10 / n_real) ** 0.5 - 0.02


def felt(row: dict[str, Any]) -> dict[str, Any]:
    """A cell's factors with None for those that cannot change it."""
    row = {name: value if felt_by(name, row["arm"]) else None for name, value in row.items() if name != "arm"} | {
        "arm": row["arm"]
    }
    if row["arm"] in ("generated", "shuffled") and not row["threshold"]:
        row = {name: None if name.startswith("filter.") else value for name, value in row.items()}
    if row.get("filter.name") in (None, *UNJUDGED):
        row = {name: None if name.startswith("judge.") else value for name, value in row.items()}
    return {"arm": row.pop("arm")} | row


def grid(factors: dict[str, list[Any]]) -> list[dict[str, Any]]:
    rows = []
    for values in itertools.product(*factors.values()):
        row = dict(zip(factors, values, strict=True))
        row = felt(row | {"arm": "generated" if row["n_gen"] else "real-only"})
        if row not in rows:
            rows.append(row)
    return rows


def with_controls(
    rows: list[dict[str, Any]], primary: dict[str, Any] | None, validation_arm: bool = False
) -> list[dict[str, Any]]:
    """`rows`, and the control cells of the primary contrast; validation_arm: those of validation images."""
    out = list(rows)
    for r in [r for r in out if primary and all(r[f] == v for f, v in primary.items() if f != "against")]:
        beside = {"arm": "real-only", "n_gen": 0}
        out += [felt(r | {"arm": arm}) for arm in ("shuffled", "duplicated", "more-real")]
        more = [felt(r | beside | {"clf_da": CLASSIC})]
        more += [felt(r | beside | {"arm": "with-validation"})] * validation_arm
        out += [row for row in more if row not in out]
    return out


ARM_EFFECT = {"shuffled": -0.08, "duplicated": 0.0, "more-real": 0.06, "with-validation": 0.02}


def records(rows: list[dict[str, Any]], classes: int, n_test: int, rng: np.random.Generator) -> pd.DataFrame:
    lucky = {(r["n_real"], r["seed"]): rng.normal(0, 0.02) for r in rows}
    frame = pd.DataFrame(rows)
    cells = []
    for i, r in enumerate(rows):
        base = 0.5 + 0.25 * np.log10(r["n_real"]) + lucky[r["n_real"], r["seed"]]
        effect = ARM_EFFECT.get(r["arm"], gain(r["n_real"], r["n_gen"], r["threshold"], r.get("filter.name")))
        effect += 0.01 if r["clf_da"] == CLASSIC else 0.0
        accuracy = float(np.clip(base + effect + rng.normal(0, 0.006), 0, 1))
        accept = (
            None
            if r["arm"] not in ("generated", "shuffled")
            else 1.0 - 0.8 * (r["threshold"] or 0.0) - 0.02 * r["seed"]
        )
        looked = 0 if accept is None else int(r["n_gen"] * classes / accept)
        cells.append(
            {
                "cell": f"{i:04x}cell",
                "generator": None if accept is None else f"gan{r['n_real']}-{r['gan_da']}-{r['seed']}",
                "accuracy": round(accuracy * n_test) / n_test,
                "accuracy_sd": None,
                "balanced_accuracy": accuracy,
                "validation_accuracy": round(100 * accuracy) / 100,
                "n_test": n_test,
                "n_train": (r["n_real"] + r["n_gen"]) * classes,
                "n_generated": r["n_gen"] * classes,
                "n_candidates": looked,
                "n_accepted": int(looked * (accept or 0)),
                "classifier_seeds": 1,
                "status": "ok",
                "reason": "",
                "coverage": None if accept is None else 0.9 - 0.2 * (r["threshold"] or 0.0),
                "coverage_unfiltered": None if accept is None else 0.9,
                "gan_diversity": None if accept is None else 0.7,
                "calibration_slope": None if accept is None else 1.1,
            }
            | {f"seconds_{stage}": 0.5 for stage in STAGES}
        )
    measured = pd.DataFrame(cells)
    table = pd.concat([measured[["cell"]], frame, measured.drop(columns="cell")], axis=1)
    floats = ("accuracy", "accuracy_sd", "balanced_accuracy", "gan_diversity", "calibration_slope")
    floats += ("validation_accuracy", "coverage", "coverage_unfiltered")
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
                    "arm": r["arm"],
                    **{f: r[f] for f in factors},
                    "class": name,
                    "correct": int(share * total),
                    "total": total,
                }
                | {"n_generated": r["n_gen"], "n_candidates": r["n_gen"] * 2, "n_accepted": r["n_gen"]}
            )
    columns = ["cell", "arm", *factors, "class", "correct", "total", "n_generated", "n_candidates", "n_accepted"]
    whole = dict.fromkeys(("correct", "total", "n_generated", "n_candidates", "n_accepted"), "Int64")
    return pd.DataFrame(rows, columns=columns).astype(whole | {k: v for k, v in KINDS.items() if k in columns})


def predicted(labels: np.ndarray, accuracy: float, rng: np.random.Generator) -> np.ndarray:
    """Predictions (1, n_test) of which the share `accuracy` is right; a wrong one is most often the next class."""
    classes = labels.max() + 1
    wrong = np.zeros(len(labels), bool)
    wrong[rng.permutation(len(labels))[: round((1 - accuracy) * len(labels))]] = True
    step = np.where(rng.random(len(labels)) < 0.7, 1, 2)
    return np.where(wrong, (labels + step) % classes, labels)[None].astype(np.uint8)


def generator_tables(
    table: pd.DataFrame, names: list[str], rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row per generator with its metrics; a row per generator and class."""
    made = table[table["generator"].notna()].drop_duplicates("generator")
    factors = [f for f in made if f in ("n_real", "gan_da", "n_da", "seed") or str(f).startswith("gan.")]
    rows = made[["generator", *factors]].reset_index(drop=True)
    quality = np.log10(rows["n_real"].to_numpy(float)) + rng.normal(0, 0.05, len(rows))
    rows = rows.assign(
        status="ok",
        images_per_class=100,
        classifier_is=2 + quality,
        fid=60 - 20 * quality,
        kid=0.3 - 0.1 * quality,
        precision=0.4 + 0.1 * quality,
        recall=0.2 + 0.1 * quality,
        density=0.5 + 0.1 * quality,
        coverage=0.4 + 0.2 * quality,
        nearest_ratio=0.8 + 0.1 * quality,
        recognised=np.clip(0.5 + 0.2 * quality, 0, 1),
        real_recognised=0.9,
        taught=np.clip(0.4 + 0.2 * quality, 0, 1),
    )
    classes = [
        {"generator": r["generator"], **{f: r[f] for f in factors}, "class": name}
        | {"recognised": 0.3 if name == names[-1] else 0.9, "real_recognised": 0.95, "taught": 0.8}
        for r in rows.to_dict("records")
        for name in names
    ]
    columns = ["generator", *factors, "class", "recognised", "real_recognised", "taught"]
    return rows, pd.DataFrame(classes, columns=columns)


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
        tensors[f"{i}/nearest"] = tensors[f"{i}/real"][:, ::-1].copy()
        tensors[f"{i}/nearest_distance"] = rng.uniform(5, 60, (classes, m)).astype(np.float32)
        clearer = [(k * ramp[0] / len(SNAPSHOTS) + noise[:, :3]).astype(np.uint8) for k in range(1, len(SNAPSHOTS) + 1)]
        tensors[f"{i}/snapshots"] = np.stack(clearer)
    groups = [group | {"snapshot_steps": list(SNAPSHOTS)} for group in groups]
    save_file(tensors, path, metadata={"groups": json.dumps(groups)})


def write_run(
    folder: Path,
    factors: dict[str, list[Any]] | None = None,
    names: list[str] | None = None,
    n_test: int = 400,
    image: tuple[int, int, int] = (1, 8, 8),
    mutate: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
    status: str = "complete",
    primary: dict[str, Any] | None = None,
    validation_arm: bool = False,
    search: dict[str, Any] | None = None,
    **summary: Any,
) -> Path:
    """Write a run folder of the grid `factors` (changes to FACTORS); `mutate` may mark cells or drop rows. search: see
    `made_search.write_search`.
    """
    rng = np.random.default_rng(0)
    axes = FACTORS | (factors or {})
    names = names or [str(c) for c in range(10)]
    folder.mkdir(parents=True, exist_ok=True)
    rows = with_controls(grid(axes), primary, validation_arm)
    table = mutate(records(rows, len(names), n_test, rng))
    table.to_parquet(folder / "records.parquet")
    per_class(table, names, list(axes), rng).to_parquet(folder / "per_class.parquet")
    labels = np.arange(n_test, dtype=np.int64) % len(names)
    generators, generator_classes = generator_tables(table, names, rng)
    generators.to_parquet(folder / "generators.parquet")
    generator_classes.to_parquet(folder / "generator_classes.parquet")
    found = table[table["accuracy"].notna()]
    save_file(
        {"labels": labels}
        | {cell: predicted(labels, a, rng) for cell, a in zip(found["cell"], found["accuracy"], strict=True)},
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
        "primary": primary,
        "controls": {"arms": ["real-only", "duplicated", "classic-da"], "of": "primary", "classic_da": CLASSIC},
        "margin_points": 1.0,
        "seconds": 93.1,
        "command": "ganaug run fixture",
        "store": "runs/store",
        "versions": {"ganaug": "0.1.0", "torch": "0", "ray": "0", "python": "3.11"},
        "machine": "Linux x86_64, 2 cores",
        "workers": 2,
        "finished": "2026-11-21T06:00:00+00:00",
    } | summary
    if search is not None:
        told["best"] = write_search(folder, **search)
    (folder / "summary.json").write_text(json.dumps(told))
    (folder / "study.yaml").write_text(yaml.safe_dump({"name": "fixture", "dataset": "made-up"}))
    return folder
