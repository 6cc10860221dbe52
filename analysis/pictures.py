"""The report's figures as a page wants them; drawn again only when something that they show has changed.

Drawing is nearly all of a report's time, and most reports are written again over the same records. So beside the
figures lies what they were drawn from, as one hash over the run's tables, the words of the finding, this package's
sources and matplotlib's version. Where it agrees and every file is what it was, nothing is drawn.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from analysis.finding import Headline
from analysis.page import data_uri
from analysis.run import Run
from ganaug.files import put

MEMORY = "drawn.json"
TABLES = (
    "records.parquet", "per_class.parquet", "predictions.safetensors", "samples.safetensors", "curves.json",
    "classifier_curves.json", "generators.parquet", "generator_classes.parquet", "study.yaml", "semi.safetensors",
    "search/trials.parquet", "search/search.json",
)  # fmt: skip
OF_THE_CLOCK = ("finished", "seconds", "computed", "reused", "workers", "command", "machine")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@cache
def _sources() -> str:
    """One hash over this package's Python files."""
    root = Path(str(files("analysis")))
    return _sha256(b"".join(path.read_bytes() for path in sorted(root.rglob("*.py"))))


def _inputs(run: Run, said: Headline) -> str:
    tables = {name: _sha256((run.folder / name).read_bytes()) for name in TABLES if (run.folder / name).exists()}
    summary = {key: value for key, value in run.summary.items() if key not in OF_THE_CLOCK}
    parts = [tables, summary, str(said), _sources(), version("matplotlib")]
    return _sha256(json.dumps(parts, sort_keys=True, default=str).encode())


def _remembered(folder: Path, inputs: str) -> list[dict[str, Any]] | None:
    """The figures as they lie there, if they were drawn from these inputs and nobody changed them since."""
    try:
        memory = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
        same = memory["inputs"] == inputs and all(
            _sha256((folder / name).read_bytes()) == digest for name, digest in memory["files"].items()
        )
        return list(memory["figures"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _draw(run: Run, said: Headline, folder: Path, inputs: str) -> list[dict[str, Any]]:
    from analysis.figures.gallery import draw

    drawn = [asdict(figure) for figure in draw(run, said, folder)]
    names = [figure[kind] for figure in drawn for kind in ("file", "svg", "moving") if figure[kind]]
    for stale in folder.iterdir():
        compared = stale.name.startswith("against-")  # of `analysis.against`
        if stale.suffix in (".png", ".svg", ".gif") and stale.name not in names and not compared:
            stale.unlink()
    digests = {name: _sha256((folder / name).read_bytes()) for name in names}
    memory = {"inputs": inputs, "files": digests, "figures": drawn}
    put(folder / MEMORY, json.dumps(memory, ensure_ascii=False, indent=1).encode())
    return drawn


def pictures(run: Run, said: Headline, folder: Path) -> list[dict[str, Any]]:
    """The figures of a run, as PNG and SVG in `folder`: id, width, height (CSS pixels), alt, caption, and `uri`, an
    address that holds the PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = _inputs(run, said)
    figures = _remembered(folder, inputs)
    if figures is None:
        figures = _draw(run, said, folder, inputs)
    return [
        {name: figure[name] for name in ("id", "width", "height", "alt", "caption")}
        | {"uri": data_uri((folder / figure["file"]).read_bytes(), Path(figure["file"]).suffix)}
        for figure in figures
    ]
