"""Figures are drawn again when what they show has changed, and only then."""

import json
from pathlib import Path

import pytest
from made_run import write_run

import analysis
from analysis.figures import gallery
from analysis.figures.heatmap import heatmap
from analysis.finding import headline
from analysis.pictures import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", factors={"n_real": [3], "n_gen": [0, 50], "threshold": [0.5], "seed": [0, 1]})


@pytest.fixture(autouse=True)
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real figure, and only one: drawing all of them takes seconds."""
    one = [("delta", "Changes.", "What changed?")]
    monkeypatch.setattr(
        gallery, "_figures", lambda run, said: ((n, heatmap(run, value="delta"), a, c) for n, a, c in one)
    )


def made(folder: Path) -> tuple[list[dict[str, object]], dict[str, int]]:
    """The figures, and when each of their files was written."""
    run = analysis.load(folder)
    found = pictures(run, headline(run), folder / "figures")
    return found, {path.name: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()}


def test_the_same_run_is_not_drawn_twice(folder: Path) -> None:
    first, written = made(folder)
    assert [figure["id"] for figure in first] == ["delta"]
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"finished": "later", "seconds": 1.0}))
    again, kept = made(folder)
    assert again == first
    assert kept == written


@pytest.mark.parametrize("what", ["records", "margin", "a picture", "a picture is gone", "the memory"])
def test_what_has_changed_is_drawn_again(folder: Path, what: str) -> None:
    first, written = made(folder)
    picture = next((folder / "figures").glob("*.png"))
    match what:
        case "records":
            import pandas as pd

            table = pd.read_parquet(folder / "records.parquet")
            table.assign(accuracy=table["accuracy"] - 0.01 * table["seed"]).to_parquet(folder / "records.parquet")
        case "margin":
            summary = json.loads((folder / "summary.json").read_text())
            (folder / "summary.json").write_text(json.dumps(summary | {"margin_points": 0.1}))
        case "a picture":
            picture.write_bytes(b"not what was drawn")
        case "a picture is gone":
            picture.unlink()
        case "the memory":
            (folder / "figures" / "drawn.json").write_text("[]")
    again, anew = made(folder)
    assert all(anew[name] > at for name, at in written.items())
    if what.startswith(("a picture", "the")):
        assert again == first, "drawn from the same, they are the same"
