"""The notebook runs from top to bottom on a run folder, and shows tables and figures."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from made_run import write_run
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_sweep.ipynb"


def outputs(cell: Any) -> set[str]:
    """The MIME types that a cell shows."""
    return {kind for output in cell.get("outputs", []) for kind in output.get("data", {})}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    primary = {
        "n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none",
        "against": "real-only",
    }  # fmt: skip
    folder = write_run(tmp_path_factory.mktemp("explored"), primary=primary)
    book = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANAUG_RUN", str(folder))
        NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return book


def test_every_cell_of_code_shows_something(executed: Any) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert len(code) >= 8
    assert all(outputs(cell) for cell in code), [cell.source for cell in code if not outputs(cell)]


def test_tables_are_tables_and_figures_are_pictures(executed: Any) -> None:
    shown = {cell.source.splitlines()[-1]: outputs(cell) for cell in executed.cells if cell.cell_type == "code"}
    for line, kinds in shown.items():
        assert ("image/png" in kinds) if line.endswith(";") else ("text/html" in kinds), line
    assert sum("image/png" in kinds for kinds in shown.values()) >= 3


def test_it_needs_neither_torch_nor_ray() -> None:
    source = "".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    assert "import torch" not in source
    assert "import ray" not in source
