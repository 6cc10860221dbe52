"""The report: its files, its first sentence, and what it says when there is little to say."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_run import write_run
from PIL import Image

import analysis

SMALL: dict[str, Any] = {"n_real": [3, 10], "n_gen": [0, 50], "seed": [0, 1]}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return analysis.write_report(write_run(tmp_path_factory.mktemp("reported")))


def test_images_lie_beside_the_page_with_words_for_them(page: Path) -> None:
    found = Page(page.read_text())
    names = {str(image["src"]) for image in found.images}
    assert names == {path.name for path in page.parent.glob("*.png")}
    wanted: tuple[str, ...] = (
        "learning_curve",
        "delta_heatmap_n_real_n_gen",
        "accuracy_heatmap_n_real_n_gen",
        "gan_losses",
    )
    wanted += (
        "delta_heatmap_threshold_n_gen",
        "accuracy_heatmap_threshold_n_gen",
        "per_class_change",
        "samples_0",
    )
    assert {f"{name}.png" for name in wanted} | {"acceptance.png"} <= names
    assert all(image["alt"] for image in found.images)
    for image in found.images:
        path = page.parent / str(image["src"])
        assert path.stat().st_size < 250_000
        width, height = Image.open(path).size
        assert width / height == pytest.approx(int(image["width"] or 0) / int(image["height"] or 1), rel=0.01)


def test_the_finding_comes_first_and_owns_up_to_the_choice(page: Path) -> None:
    text = page.read_text()
    assert text.index('class="verdict"') < text.index("<h2>Status") < text.index("<img") < text.index("Provenance")
    assert "best paired change +11.0 points [+7.8, +14.2] at n_real 3, n_gen 200, threshold 0.5" in text
    assert "chosen after looking at 12 contrasts" in text
    assert '<p class="verdict">Helps in some settings</p>' in text
    assert "script" not in Page(text).tags
    assert not re.search(r"https?://", text)


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    folder = write_run(tmp_path, factors=SMALL)
    first = {path.name: path.read_bytes() for path in analysis.write_report(folder).parent.iterdir()}
    (folder / "report" / "samples_9.png").write_bytes(b"of an earlier run")
    again = {path.name: path.read_bytes() for path in analysis.write_report(folder).parent.iterdir()}
    assert first == again


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    evil = '<img src=x onerror="alert(1)">$\\frac{'

    def fail(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(status=["failed", *table["status"][1:]], reason=[evil, *table["reason"][1:]])

    folder = write_run(tmp_path, factors=SMALL, names=[evil, "b", "c"], mutate=fail, question=evil, study=evil)
    text = analysis.write_report(folder).read_text()
    assert "onerror" in text
    assert "<img src=x" not in text
    assert all(image.keys() == {"src", "width", "height", "alt"} for image in Page(text).images)


def spoiled(status: str, only: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        hit = only(table)
        accuracy = table["accuracy"].mask(hit)
        return table.assign(accuracy=accuracy, status=table["status"].mask(hit, status), reason="it broke")

    return mutate


@pytest.mark.parametrize(
    ("kwargs", "verdict", "words"),
    [
        ({"mutate": spoiled("diverged", lambda t: t["n_gen"].ge(0))}, "No result yet", "12 diverged"),
        (
            {"mutate": spoiled("failed", lambda t: t["n_gen"].gt(0))},
            "Cannot tell yet",
            "nothing to compare with",
        ),
        ({"factors": {"n_gen": [0]}}, "Cannot tell yet", "no cells with generated images"),
        ({"factors": {"n_gen": [50]}}, "Cannot tell yet", "No real-only control"),
        (
            {"mutate": lambda t: t.iloc[:0], "status": "partial"},
            "No result yet",
            "Partial run: 12 cells missing",
        ),
        ({"mutate": lambda t: t.iloc[:7], "status": "partial"}, None, "Partial run: 5 cells missing"),
        ({"factors": {"threshold": [None]}}, None, "The threshold was not varied"),
        ({"factors": {"n_real": [10], "seed": [4]}}, "Cannot tell yet", "run more seeds"),
        ({"stand_in": "digits for faces"}, None, "Stand-in data"),
    ],
)
def test_a_report_says_what_there_is(tmp_path: Path, kwargs: dict[str, Any], verdict: str | None, words: str) -> None:
    factors = SMALL | kwargs.pop("factors", {})
    folder = write_run(tmp_path, factors=factors, **kwargs)
    text = analysis.write_report(folder).read_text()
    assert words in text
    if verdict:
        assert f'<p class="verdict">{verdict}</p>' in text


def test_many_factors_and_many_classes(tmp_path: Path) -> None:
    names = [f"a rather long name of class {i}" for i in range(47)]
    factors = SMALL | {"gan_da": ["none", "flip"], "clf_da": ["none", "classic"], "gan.steps": [100, 300]}
    page = analysis.write_report(write_run(tmp_path, factors=factors, names=names, image=(3, 12, 12)))
    assert (page.parent / "delta_heatmap_clf_da_gan_da.png").exists()
    assert "gan.steps" in page.read_text()
