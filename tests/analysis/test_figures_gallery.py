"""The report's figures together: which there are, that they fit a slide, and that the same run gives the same bytes."""

import string
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from made_run import write_run
from matplotlib.figure import Figure
from matplotlib.text import Text

import analysis
from analysis.figures.controls import controls
from analysis.figures.filters import filters
from analysis.figures.gallery import _figures, draw
from analysis.figures.heatmap import heatmap
from analysis.figures.learning import learning_curve
from analysis.figures.search import shown_of_search
from analysis.figures.sheet import HEAD, SLIDE
from analysis.figures.threshold import threshold_curve
from analysis.finding import headline

PRIMARY: dict[str, Any] = {
    **{"n_real": 10, "n_gen": 200, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"},
    "against": "real-only",
}
SMALL: dict[str, Any] = {"n_real": [10], "n_gen": [0, 200], "threshold": [0.5], "seed": [0, 1]}
LETTERS = [*string.digits, *string.ascii_uppercase, *string.ascii_lowercase]
LEVELS = {"n_real": [3, 10, 30, 100, 300], "n_gen": [0, 50, 200, 800], "threshold": [0.0, 0.25, 0.5, 0.75, 0.9]}
AUGMENTED = {"n_real": [3, 10], "gan_da": ["none", "hflip"], "clf_da": ["none", "rotation+shift+zoom"]}
FILTERS = ["metropolis-hastings", "discriminator", "agreement", "neighbours", "memorisation", "rejection"]
KINDS: dict[str, dict[str, Any]] = {
    "many levels": {"factors": SMALL | LEVELS, "primary": PRIMARY},
    "many classes": {"factors": SMALL, "names": LETTERS, "n_test": 620, "primary": PRIMARY},
    "many factors, one seed": {
        **{"factors": SMALL | AUGMENTED | {"seed": [0]}},
        "names": [f"a long name of class {i}" for i in range(12)],
    },
}


def all_figures(run: analysis.Run) -> dict[str, Figure]:
    return {name: figure for name, figure, *_ in _figures(run, headline(run)) if figure is not None}


def read_on_a_slide(figures: dict[str, Figure]) -> None:
    """Every text of the figures, shown on a slide, is at least 12 points high and on the page."""
    for name, figure in figures.items():
        width, height = figure.get_size_inches()
        scale = min(SLIDE[0] / width, SLIDE[1] / height)
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        figure.draw_without_rendering()
        ticks = {t for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for t in axis.get_ticklabels()}
        for text in figure.findobj(Text):
            if not text.get_visible() or not text.get_text().strip():
                continue
            assert text.get_fontsize() * scale > 11.9, f"{name}: {text.get_text()!r} is too small"
            if text in ticks or any(text in legend.get_texts() for legend in figure.legends):
                continue  # ticks beyond the limits are not drawn; legends are looked at as a whole
            box = text.get_window_extent(renderer)
            inside = box.x0 > -2 and box.y0 > -2 and box.x1 < figure.bbox.x1 + 2 and box.y1 < figure.bbox.y1 + 2
            assert inside, f"{name}: {text.get_text()!r} leaves the page"
        for legend in figure.legends:
            box = legend.get_window_extent(renderer)
            assert box.x1 < figure.bbox.x1 + 2, f"{name}: the legend leaves the page"


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_can_be_read_on_a_slide(tmp_path: Path, kind: str) -> None:
    read_on_a_slide(all_figures(analysis.load(write_run(tmp_path / "run", **KINDS[kind]))))


def test_figures_of_filters_and_of_a_search_can_be_read_too(tmp_path: Path) -> None:
    factors = SMALL | {"threshold": [0.0, 0.5, 0.9], "filter.name": FILTERS}
    primary, search = PRIMARY | {"filter.name": FILTERS[0]}, {"objectives": ["accuracy", "cost"]}
    run = analysis.load(write_run(tmp_path / "run", factors=factors, primary=primary, search=search))
    drawn = {"threshold": threshold_curve(run), "filters": filters(run), "controls": controls(run)}
    drawn |= {"heatmap": heatmap(run, "n_real", "n_gen", "delta"), "learning": learning_curve(run)}
    drawn |= {name: figure for name, figure, *_ in shown_of_search(run)}
    figures = {name: figure for name, figure in drawn.items() if figure is not None}
    assert len(figures) == len(drawn) == 9
    read_on_a_slide(figures)


def test_the_question_comes_first_and_nothing_without_data(tmp_path: Path) -> None:
    factors = SMALL | {"threshold": [0.0, 0.5, 0.75]}
    run = analysis.load(write_run(tmp_path / "run", factors=factors, primary=PRIMARY, search={}))
    names = list(all_figures(run))
    assert names[0] == "delta_heatmap_n_real_n_gen"
    order = ["delta_heatmap_n_real_n_gen", "search_values", "search_history", "learning_curve", "controls"]
    order += ["threshold", "filters", "per_class_change", "alarms"]
    places = [names.index(name) for name in [*order, "metrics", "gan_losses", "samples_0", "snapshots_0"]]
    assert places == sorted(places)
    assert not any(name.startswith("augmentation") for name in names)  # neither was varied
    bare = write_run(tmp_path / "bare", factors=SMALL | {"n_real": [3, 10], "n_gen": [0]})
    for file in ("generators.parquet", "generator_classes.parquet", "samples.safetensors", "curves.json"):
        (bare / file).unlink()
    assert set(all_figures(analysis.load(bare))) == {
        *("accuracy_heatmap_n_real_n_gen", "learning_curve", "recall"),
    }
    empty = write_run(tmp_path / "empty", factors=SMALL, mutate=lambda table: table.iloc[:0])
    (empty / "curves.json").unlink()
    (empty / "samples.safetensors").unlink()
    assert all_figures(analysis.load(empty)) == {}


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = analysis.load(write_run(tmp_path / "run", factors=SMALL, names=["a", "b", "c"], n_test=60, primary=PRIMARY))
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        drawn = draw(run, headline(run), folder)
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert first == second
    assert set(first) == {file for figure in drawn for file in (figure.file, figure.svg, figure.moving) if file}
    assert len({figure.id for figure in drawn}) == len(drawn)
    for figure in drawn:
        assert figure.alt.endswith(".")
        assert figure.caption.endswith((".", "?"))
        text = first[figure.svg].decode()
        assert "<dc:date>" not in text
        assert mpl.__version__ not in text.split("<defs>")[0]
        assert first[figure.file].startswith(b"\x89PNG")


def test_every_figure_names_a_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the title, and without pushing anything off the page."""
    drawn: dict[str, Figure] = {}
    keep = "analysis.figures.gallery.save"
    monkeypatch.setattr(keep, lambda figure, path, colours: drawn.update({path.stem: figure}))
    monkeypatch.setattr("analysis.figures.gallery.save_svg", lambda figure, path: None)
    told = {"stand_in": "glyphs for emnist", "synthetic": True}
    run = analysis.load(write_run(tmp_path / "run", factors=SMALL, primary=PRIMARY, **told))
    assert run.data_note == "stand-in data: glyphs for emnist; images drawn by a program"
    draw(run, headline(run), tmp_path)
    plain = all_figures(analysis.load(write_run(tmp_path / "plain", factors=SMALL, primary=PRIMARY)))
    assert set(drawn) == set(plain)
    for name, figure in drawn.items():
        first = max(figure.texts, key=lambda text: text.get_position()[1])
        assert first.get_text() == run.data_note, name
        assert figure.get_size_inches()[1] == pytest.approx(plain[name].get_size_inches()[1] + HEAD), name
    read_on_a_slide({name: figure for name, figure in drawn.items() if name == "learning_curve"})
