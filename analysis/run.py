"""A run folder, read back: `docs/run-folder.md` is the contract. No torch, no Ray."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.factors import is_control, levels
from analysis.paired import NO_EFFECT_POINTS
from analysis.reading import mapping, optional, read, table
from analysis.statistics.looks import Looks
from ganaug import yaml_file
from ganaug.errors import UserError
from ganaug.records import TREATED

if TYPE_CHECKING:
    from analysis.search import Search

REQUIRED = (
    "cell",
    "n_real",
    "n_gen",
    "threshold",
    "gan_da",
    "clf_da",
    "seed",
    "accuracy",
    "status",
    "reason",
)
SHEET = ("real", "kept", "rejected", "kept_score", "rejected_score")
SHEET_MORE = ("nearest", "nearest_distance", "snapshots", "traversal", "probabilities", "marginal")


@dataclass(frozen=True)
class SampleSheet:
    """Example images of one generator and filter, class by class.

    real, kept, rejected: uint8 (classes, m, C, H, W). kept_score, rejected_score: float32 (classes, m),
    calibrated discriminator scores; NaN where there is no such image. nearest: of the shape of kept, the real
    training image nearest to each kept one (black where there is none); nearest_distance: float32 (classes, m),
    root mean square of the difference in grey levels, 0 to 255 (NaN where there is none). snapshots: uint8 (T,
    classes, m, C, H, W), the generator's images after each of the T snapshot_steps, int64. traversal: uint8 (codes,
    classes, V, C, H, W), of an InfoGAN, one image per class as each continuous code takes the V traversal_values.
    probabilities: float32 (classes, up to 8, K), p(y|x) of the first images; marginal: (K,), p(y) of all. What the
    run did not keep is None.
    """

    factors: dict[str, Any]
    real: np.ndarray
    kept: np.ndarray
    rejected: np.ndarray
    kept_score: np.ndarray
    rejected_score: np.ndarray
    nearest: np.ndarray | None = None
    nearest_distance: np.ndarray | None = None
    snapshots: np.ndarray | None = None
    snapshot_steps: np.ndarray | None = None
    traversal: np.ndarray | None = None
    traversal_values: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    marginal: np.ndarray | None = None


@dataclass(frozen=True, eq=False)  # compared by identity, so that what is dear can be remembered per run
class Run:
    """One run folder. `cells` has a row per cell, `per_class` a row per cell and class, `generators` a row
    per generator and `generator_classes` a row per generator and class; the rest is read when asked for.
    """

    folder: Path
    cells: pd.DataFrame
    per_class: pd.DataFrame
    summary: dict[str, Any]
    study: dict[str, Any]
    generators: pd.DataFrame = field(default_factory=pd.DataFrame)
    generator_classes: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def name(self) -> str:
        return str(self.summary.get("study") or self.folder.name)

    @property
    def data_note(self) -> str:
        """What a reader has to know of the images: that they stand in for others, that nobody took them; or empty."""
        told = [f"stand-in data: {self.summary['stand_in']}"] if self.summary.get("stand_in") else []
        told += ["images drawn by a program"] if self.summary.get("synthetic") else []
        return "; ".join(told)

    @property
    def planned(self) -> dict[str, list[Any]]:
        """Every factor's values in the study."""
        return dict(self.summary.get("factors") or {})

    @cached_property
    def grid(self) -> pd.DataFrame:
        """The cells of the study's own grid: real only and generated, without the controls that accompany it."""
        keep = self.cells["arm"].isin(["real-only", *TREATED])
        for name in (
            "clf_da",
            "n_real",
        ):  # classic augmentation and the learning curve's sizes need not be levels of it
            if self.planned.get(name):
                keep &= self.cells[name].isin(self.planned[name])
        return self.cells[keep].reset_index(drop=True)

    @cached_property
    def with_curve(self) -> pd.DataFrame:
        """The grid, and the real-only cells of further sizes that stand beside it (`controls.curve`)."""
        keep = self.cells["arm"].eq("real-only") & ~self.cells["cell"].isin(self.grid["cell"])
        if self.planned.get("clf_da"):
            keep &= self.cells["clf_da"].isin(self.planned["clf_da"])
        return pd.concat([self.grid, self.cells[keep]], ignore_index=True) if keep.any() else self.grid

    @property
    def semi(self) -> dict[str, Any] | None:
        """The section `semi` of a study of unlabelled images; None of one of generated images."""
        return self.study.get("semi")

    @property
    def primary(self) -> dict[str, Any] | None:
        """The contrast named before the run: every factor but the seed, and `against`; None where none was."""
        return self.summary.get("primary")

    @property
    def of_generators(self) -> bool:
        """Whether its cells are generators, without a classifier behind them."""
        return self.summary.get("measure") == "generators"

    @property
    def margin_points(self) -> float:
        """Half the width of "no effect", percentage points."""
        return float(self.summary.get("margin_points") or NO_EFFECT_POINTS)

    @property
    def looks(self) -> Looks | None:
        """When its contrasts were looked at, where seeds were added until they were decided; None of fixed seeds."""
        told = self.summary.get("seeds")
        return Looks(int(told["min"]), int(told["max"])) if told else None

    @cached_property
    def in_common(self) -> pd.DataFrame:
        """The grid, cut to the seeds that no contrast could do without: all of them, unless they were added."""
        return self.grid if self.looks is None else self.grid[self.grid["seed"] < self.looks.first]

    @cached_property
    def search(self) -> "Search | None":
        """The steps of the search that this run confirms; None where nothing was searched."""
        from analysis.search import open_search

        return open_search(self.folder)

    def predictions(self) -> dict[str, np.ndarray]:
        """Predicted classes per cell key, (classifier_seeds, n_test); `labels` holds the true ones,
        (n_test,).
        """
        return self._predictions

    def samples(self) -> list[SampleSheet]:
        """The sample sheets; an empty list where the run kept none."""
        return self._samples

    def curves(self) -> list[dict[str, Any]]:
        """Per generator: `key`, `factors`, `losses` (`step`, `generator`, `discriminator`; of an InfoGAN `information`
        and `bound`), and of an InfoGAN `codes`; empty where the run kept none.
        """
        return self._curves

    def classifier_curves(self) -> list[dict[str, Any]]:
        """Per cell that was watched as it learned: `cell`, `factors`, `curves` (a classifier each: `update`, `train`,
        `validation`, shares right); empty where the study did not ask for it.
        """
        path = self.folder / "classifier_curves.json"
        return read(path, lambda p: list(json.loads(p.read_text()))) if path.exists() else []

    @cached_property
    def _predictions(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        return read(self.folder / "predictions.safetensors", load_file)

    @cached_property
    def _samples(self) -> list[SampleSheet]:
        path = self.folder / "samples.safetensors"
        return read(path, _sheets) if path.exists() else []

    @cached_property
    def _curves(self) -> list[dict[str, Any]]:
        path = self.folder / "curves.json"
        if not path.exists():
            return []
        return read(path, _curve_list)

    @cached_property
    def courses(self) -> list["Course"]:
        """Of a study of unlabelled images: how each cell's training went; else an empty list."""
        path = self.folder / "semi.safetensors"
        return read(path, _courses) if path.exists() else []

    def _repr_html_(self) -> str:
        from analysis.finding import headline

        counts = self.summary.get("cells", {})
        told = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
        said = headline(self)
        return (
            f"<div><strong>{escape(self.name)}</strong> — {escape(str(self.summary.get('question', '')))}"
            f"<p><strong>{escape(said.verdict)}.</strong> {escape(said.statement)}</p>"
            f"<p><small>{escape(str(self.summary.get('status', '')))}: {escape(told)} — "
            f"{escape(str(self.folder))}</small></p></div>"
        )


@dataclass(frozen=True)
class Course:
    """How a cell with or without unlabelled images was trained.

    losses: `step`, and per loss the means of the updates since the step before. snapshots: uint8 (T, m, C, H, W), the
    generator's images after each of the T snapshot_steps from the same latent vectors; T is 0 without a generator, and
    for seeds but the first.
    """

    factors: dict[str, Any]  # the arm among them
    losses: dict[str, list[float]]
    snapshots: np.ndarray
    snapshot_steps: list[int]


def _curve_list(path: Path) -> list[dict[str, Any]]:
    curves = json.loads(path.read_text())
    if isinstance(curves, dict):  # keyed by generator
        return [{"key": key, **curve} for key, curve in curves.items()]
    return [dict(curve) for curve in curves]


def _courses(path: Path) -> list[Course]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        groups = json.loads((file.metadata() or {})["groups"])
        return [
            Course(g["factors"], g["losses"], file.get_tensor(f"{i}/snapshots"), g["snapshot_steps"])
            for i, g in enumerate(groups)
        ]


def _sheets(path: Path) -> list[SampleSheet]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        groups = json.loads((file.metadata() or {})["groups"])
        there = set(file.keys())
        sheets = []
        for i, group in enumerate(groups):
            steps, values = group.pop("snapshot_steps", None), group.pop("traversal_values", None)
            needed = {part: file.get_tensor(f"{i}/{part}") for part in SHEET}
            more = {part: file.get_tensor(f"{i}/{part}") for part in SHEET_MORE if f"{i}/{part}" in there}
            told = {} if steps is None else {"snapshot_steps": np.array(steps, np.int64)}
            told |= {} if values is None else {"traversal_values": np.array(values, np.float64)}
            sheets.append(SampleSheet(group, **needed, **more, **told))
        return sheets


def axis(run: Run, name: str) -> list[Any]:
    """Every level of factor `name`, the planned ones without a result included."""
    return levels(run.grid, name, run.planned)  # copies of real images have no threshold: that is no level


def load(run: str | Path | Run) -> Run:
    """Read the run folder `run`. A UserError names the file that is missing, damaged or not of a run."""
    if isinstance(run, Run):
        return run
    folder = Path(run)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such run folder; give the folder that `ganaug run` wrote (its --out)")
    if not (folder / "records.parquet").exists():
        raise UserError(
            f"{folder}: is no run folder, it holds no records.parquet; give the folder that `ganaug run` wrote"
        )
    cells = read(folder / "records.parquet", lambda path: table(path, REQUIRED))
    if "arm" not in cells:  # written before there were controls
        cells = cells.assign(arm=np.where(is_control(cells), "real-only", "generated"))
    return Run(
        folder=folder,
        cells=cells,
        generators=optional(folder / "generators.parquet", ("generator",)),
        generator_classes=optional(folder / "generator_classes.parquet", ("generator", "class")),
        per_class=read(folder / "per_class.parquet", lambda path: table(path, ("cell", "class", "correct", "total"))),
        summary=read(folder / "summary.json", lambda path: mapping(path, json.loads)),
        study=read(folder / "study.yaml", yaml_file.read),
    )
