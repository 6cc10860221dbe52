"""The run folder: the one owner of its file names, and the only writer of its tables. See docs/run-folder.md."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganaug.artifact import Artifact
from ganaug.files import put
from ganaug.records import AFTER_PATHS, FACTORS, SECONDS, validation_accuracy
from sweeps.store import Cost

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = ("n_real", "n_gen", "n_da", "seed")
_NAMES = {"fit_gan": "gan", "fit_classifier": "classifier", "fit_judge": "judge"}  # stages' names as columns say them


@dataclass(frozen=True)
class Row:
    """A cell with what is known of it: its factors, and its record or why it failed."""

    key: str
    factors: dict[str, Any]
    record: Artifact | None
    cost: Cost
    failure: str = ""
    generator: str | None = None  # the key of the one its images come from


@dataclass(frozen=True)
class GeneratorRow:
    """A generator with what is known of its images: its factors, and the facts of its assessment."""

    key: str
    factors: dict[str, Any]
    facts: dict[str, Any]


def of_generator(factors: dict[str, Any]) -> dict[str, Any]:
    """Those of a cell's factors that made its generator, and the seed."""
    beside = ("arm", "n_gen", "threshold", "clf_da")
    return {k: v for k, v in factors.items() if k not in beside and not k.startswith(AFTER_PATHS)}


def write_json(path: Path, value: Any) -> None:
    put(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _seconds(cost: Cost) -> dict[str, float]:
    sums = dict.fromkeys(SECONDS, 0.0)
    for kind, seconds in cost.values():
        sums[kind] = sums.get(kind, 0.0) + seconds
    return {f"seconds_{_NAMES.get(kind, kind)}": round(s, 4) for kind, s in sums.items()}


def _totals(facts: dict[str, Any]) -> dict[str, int]:
    accepted, candidates = facts.get("accepted", []), facts.get("candidates", [])
    return {"n_generated": sum(accepted), "n_candidates": sum(candidates), "n_accepted": sum(accepted)}


def cell_row(row: Row, labels: np.ndarray) -> dict[str, Any]:
    """A row of records.parquet."""
    facts = row.record.facts if row.record else {"status": "failed", "reason": row.failure.splitlines()[0]}
    out: dict[str, Any] = {"cell": row.key, **row.factors, "generator": row.generator}
    out |= dict.fromkeys(
        ("accuracy", "accuracy_sd", "balanced_accuracy", "validation_accuracy", "train_accuracy", "n_test", "n_train")
    )
    if row.record and "predictions" in row.record.arrays:
        right = row.record.arrays["predictions"] == labels
        each = right.mean(axis=1)
        out["accuracy"] = float(each.mean())
        out["accuracy_sd"] = float(each.std(ddof=1)) if len(each) > 1 else None
        out["balanced_accuracy"] = float(np.mean([right[:, labels == c].mean() for c in np.unique(labels)]))
        out["validation_accuracy"] = validation_accuracy(
            row.record.arrays["validation"], row.record.arrays["validation_labels"]
        )
        out["train_accuracy"] = float(np.mean(row.record.facts["train_accuracy"]))
        out |= {"n_test": facts["n_test"], "n_train": facts["n_train"], "classifier_seeds": len(each)}
    out |= _totals(facts)
    out |= {"status": facts["status"], "reason": facts["reason"]}
    out |= {name: facts.get(name) for name in ("coverage", "coverage_unfiltered")}
    out |= {"gan_diversity": facts.get("diversity"), "calibration_slope": facts.get("calibration", [None])[0]}
    return out | _seconds(row.cost)


def _class_rows(row: Row, labels: np.ndarray, classes: list[str]) -> list[dict[str, Any]]:
    if row.record is None or "predictions" not in row.record.arrays:
        return []
    right = row.record.arrays["predictions"] == labels
    facts = row.record.facts
    none = [0] * len(classes)
    return [
        {
            "cell": row.key,
            **row.factors,
            "class": name,
            "correct": int(right[:, labels == c].sum()),
            "total": int((labels == c).sum()) * len(right),
            "n_generated": facts.get("accepted", none)[c],
            "n_candidates": facts.get("candidates", none)[c],
            "n_accepted": facts.get("accepted", none)[c],
        }
        for c, name in enumerate(classes)
    ]


METRICS = ("fid", "kid", "kid_error", "precision", "recall", "density", "coverage", "classifier_is")
COPYING = ("nearest_ratio", "data_copying")
RATES = ("recognised", "real_recognised", "taught")


def _columns(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """The values of rows by column, None where a row has none; a row is not kept, there may be a million."""
    columns: dict[str, list[Any]] = {}
    for n, row in enumerate(rows):
        for name, value in row.items():
            columns.setdefault(name, [None] * n).append(value)
        if len(row) < len(columns):
            for own in columns.values():
                own += [None] * (n + 1 - len(own))
    return columns


def _mean(rates: list[float | None]) -> float | None:
    known = [r for r in rates if r is not None]
    return float(np.mean(known)) if known else None


def _if_asked(facts: dict[str, Any]) -> dict[str, Any]:
    """Columns of what only some studies ask for."""
    out: dict[str, Any] = {}
    if "inception_score" in facts:
        out |= {"inception_score": facts["inception_score"], "floor_inception_score": facts["floor"]["inception_score"]}
    for kind, shares in facts.get("leaks", {}).items():
        out |= {f"leaked_{kind}": shares["generated"]}
        out |= {f"leaked_{kind}_{of}": shares[of] for of in ("validation", "changed")}
    return out


def _generator_row(row: GeneratorRow) -> dict[str, Any]:
    facts = row.facts
    floor = facts.get("floor", {})
    return {
        "generator": row.key,
        **row.factors,
        "status": facts["status"],
        "reason": facts["reason"] or facts["diverged"],
        "generated_per_class": facts.get("generated_per_class"),
        "compared_per_class": facts.get("compared_per_class"),
        **{name: facts.get(name) for name in (*METRICS, *COPYING)},
        **_if_asked(facts),
        **{f"floor_{name}": floor.get(name) for name in (*METRICS, "compared_per_class")},
        **{name: _mean(facts.get(name, [])) for name in RATES},
    }


def _generator_class_rows(row: GeneratorRow, classes: list[str]) -> list[dict[str, Any]]:
    if "recognised" not in row.facts:
        return []
    return [
        {"generator": row.key, **row.factors, "class": name, **{rate: row.facts[rate][c] for rate in RATES}}
        | {"n_generated": row.facts["generated_per_class"], "n_validation": row.facts["validation_per_class"][c]}
        for c, name in enumerate(classes)
    ]


def tabular(rows: Iterable[dict[str, Any]], factors: list[str]) -> "pa.Table":
    """Rows as an Arrow table whose columns have the types of docs/run-folder.md."""
    import pyarrow as pa

    integers = {
        *_INTEGERS,
        "n_test",
        "n_train",
        "n_generated",
        "n_candidates",
        "n_accepted",
        "classifier_seeds",
        "correct",
        "total",
        "generated_per_class",
        "compared_per_class",
        "floor_compared_per_class",
        "n_validation",
    }
    text = {"cell", "arm", "gan_da", "clf_da", "status", "reason", "class", "generator", "dataset", "stands_in_for"}
    empty = ("cell", "arm", "generator", *factors, "class", "correct", "total", "accuracy", "status", "reason")
    columns = {}
    for name, values in (_columns(rows) or {name: [] for name in empty}).items():
        if name in factors and name not in FACTORS:  # a dotted path: the study made its values of one type
            columns[name] = pa.array(values)
        else:
            kind = pa.int64() if name in integers else pa.string() if name in text else pa.float64()
            columns[name] = pa.array(values, kind)
    return pa.table(columns)


class RunFolder:
    """Where a run's tables, samples and report lie."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.study = root / "study.yaml"
        self.summary = root / "summary.json"
        self.records = root / "records.parquet"
        self.per_class = root / "per_class.parquet"
        self.generators = root / "generators.parquet"
        self.generator_classes = root / "generator_classes.parquet"
        self.predictions = root / "predictions.safetensors"
        self.samples = root / "samples.safetensors"
        self.semi = root / "semi.safetensors"
        self.curves = root / "curves.json"
        self.classifier_curves = root / "classifier_curves.json"  # only where a study asks for them
        self.failures = root / "failures.json"
        self.seeds = root / "seeds.json"  # only where seeds are added until verdicts are there
        self.progress = root / "progress.json"  # only while a run goes on
        self.tracking = root / "tracking"  # a folder for each experiment tracker
        self.live = root / "live"  # what `ganaug report --follow` writes: a run folder of what is finished

    def write_tables(
        self,
        rows: list[Row],
        labels: np.ndarray,
        classes: list[str],
        factors: list[str],
        data: dict[str, str | None],
    ) -> None:
        """records.parquet, per_class.parquet and predictions.safetensors. data: `dataset` and `stands_in_for`, in every
        record."""
        from safetensors.numpy import save

        self._parquet(self.records, (cell_row(r, labels) | data for r in rows), factors)
        self._parquet(self.per_class, (c for r in rows for c in _class_rows(r, labels, classes)), factors)
        arrays = {r.key: r.record.arrays["predictions"] for r in rows if r.record and "predictions" in r.record.arrays}
        put(self.predictions, save({**arrays, "labels": labels}))

    def write_generators(self, rows: list[GeneratorRow], classes: list[str], factors: list[str]) -> None:
        """generators.parquet and generator_classes.parquet; none where nothing was assessed."""
        if rows:
            self._parquet(self.generators, (_generator_row(r) for r in rows), factors)
            own = (c for r in rows for c in _generator_class_rows(r, classes))
            self._parquet(self.generator_classes, own, factors)

    def _parquet(self, path: Path, rows: Iterable[dict[str, Any]], factors: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(tabular(rows, factors), sink, compression="zstd")
        put(path, sink.getvalue().to_pybytes())

    def write_samples(self, groups: list[tuple[dict[str, Any], dict[str, np.ndarray]]]) -> None:
        """samples.safetensors: images for the sheets, a group per generator shown."""
        from safetensors.numpy import save

        arrays = {f"{i}/{k}": np.ascontiguousarray(v) for i, (_, own) in enumerate(groups) for k, v in own.items()}
        put(self.samples, save(arrays, {"groups": json.dumps([facts for facts, _ in groups])}))

    def write_semi(self, rows: list[Row]) -> None:
        """semi.safetensors: how each cell of a study of unlabelled images was trained; none of another study."""
        from safetensors.numpy import save

        done = [(r.factors, r.record) for r in rows if r.record is not None and "course" in r.record.facts]
        if not done:
            return
        first = min(factors["seed"] for factors, _ in done)
        arrays = {
            f"{i}/snapshots": record.arrays["snapshots"][: None if factors["seed"] == first else 0]
            for i, (factors, record) in enumerate(done)
        }
        groups = [
            {"factors": f, "losses": r.facts["course"], "snapshot_steps": r.facts["snapshot_steps"]} for f, r in done
        ]
        put(self.semi, save(arrays, {"groups": json.dumps(groups)}))
