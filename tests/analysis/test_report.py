"""The report: one file that asks for nothing, its first sentence, and what it says when there is little to say."""

import base64
import itertools
import json
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
from analysis import report
from analysis.figures import gallery
from analysis.page import json_block

SMALL: dict[str, Any] = {"n_real": [3, 10], "n_gen": [0, 50], "seed": [0, 1]}
PNG = b"\x89PNG\r\n\x1a\n"


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text inside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open == "script":
            self.scripts.append((self.tags[-1][1].get("type"), data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the figures, which have their own tests."""
    monkeypatch.setattr(report, "pictures", lambda *arguments: [])


def draw_two(run: analysis.Run, said: Any, folder: Path) -> list[gallery.Drawn]:
    """Stands for the gallery, which has tests of its own."""
    drawn = []
    for name in ("one", "two"):
        Image.new("L", (200, 100)).save(folder / f"{name}.png")
        (folder / f"{name}.svg").write_text("<svg/>")
        drawn.append(gallery.Drawn(name, f"{name}.png", 200, 100, f"{name} in words", f"Of {name}.", f"{name}.svg"))
    return drawn


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "draw", draw_two)
        return analysis.write_report(write_run(tmp_path_factory.mktemp("reported"), factors=SMALL))


def test_the_page_is_one_file_and_asks_for_nothing(page: Path) -> None:
    text = page.read_text()
    found = Page(text)
    assert len(found.all("img")) == 2
    for image in found.all("img"):
        kind, _, data = str(image["src"]).partition(";base64,")
        assert kind in ("data:image/png", "data:image/svg+xml")
        assert base64.b64decode(data).startswith(PNG) or kind.endswith("xml")
        assert image["alt"]
        assert int(image["width"] or 0) > 100
    (policy,) = [m["content"] for m in found.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    for attributes in (a for _, a in found.tags):
        assert not {name for name in attributes if name.startswith("on")}
        assert not {"style", "srcset", "action"} & attributes.keys()
        assert str(attributes.get("href", "#")).startswith("#")
        assert str(attributes.get("src", "data:")).startswith("data:")
    assert not re.search(r"https?://|url\((?!\"\$)", text)
    assert {p.name for p in page.parent.iterdir()} == {"index.html", "figures"}
    assert len(list((page.parent / "figures").glob("*.png"))) == len(found.all("img"))


def test_it_is_built_for_readers_who_do_not_see_it(page: Path) -> None:
    found = Page(page.read_text())
    tags = [tag for tag, _ in found.tags]
    assert found.all("html") == [{"lang": "en"}]
    assert {"main", "nav", "header", "footer", "title"} <= set(tags)
    headings = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(headings))
    assert found.all("a")[0] == {"class": "skip", "href": "#content"}
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for a in found.all("a")} <= set(ids)
    assert len(found.all("caption")) == len(found.all("table")) > 3
    assert all(head.get("scope") for head in found.all("th"))
    assert len(found.all("figcaption")) == len(found.all("figure"))


def test_the_finding_comes_first(page: Path) -> None:
    text = page.read_text()
    order = ['class="verdict"', 'id="settings"', 'id="figures"', "<img", 'id="tables"', 'id="method"']
    order += ['id="provenance"', 'id="missing"']
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert f'<p class="verdict">{analysis.headline(analysis.load(page.parents[1])).verdict}</p>' in text
    for said in ("ganaug run fixture", "Linux x86_64, 2 cores", "93 s with 2 workers", "±1 points", "torch 0"):
        assert said in text


@pytest.mark.usefixtures("undrawn")
def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    folder = write_run(tmp_path, factors=SMALL)
    first = analysis.write_report(folder).read_bytes()
    assert analysis.write_report(folder).read_bytes() == first


def test_figures_of_an_earlier_report_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "draw", draw_two)
    folder = write_run(tmp_path, factors=SMALL)
    (folder / "report/figures").mkdir(parents=True)
    for name in ("samples_9.png", "samples_9.svg", "mine.txt", "against-other-forest.png"):
        (folder / "report/figures" / name).write_bytes(b"of an earlier run")
    text = analysis.write_report(folder).read_text()
    kept = {"one.png", "one.svg", "two.png", "two.svg", "mine.txt", "against-other-forest.png", "drawn.json"}
    assert {p.name for p in (folder / "report/figures").iterdir()} == kept
    assert "<b>Figure 2.</b> Of two." in text


def test_images_that_were_left_out_are_told_above_the_figures(tmp_path: Path, undrawn: None) -> None:
    def told(folder: str, **summary: Any) -> str:
        run = analysis.load(write_run(tmp_path / folder, SMALL, **summary))
        return analysis.write_report(run).read_text(encoding="utf-8")

    line = "left out of the data set, as its study asks (on_bad_image: skip)."
    assert f"<p>2 damaged images {line}</p>" in told("two", skipped_images=2)
    assert f"<p>1 damaged image {line}</p>" in told("one", skipped_images=1)
    assert line not in told("none")


def test_where_memory_was_short_is_told_above_the_figures(tmp_path: Path, undrawn: None) -> None:
    note = "classifiers trained together in 16s after 32 did not fit"
    run = analysis.load(write_run(tmp_path, SMALL, notes={note: 45}))
    text = analysis.write_report(run).read_text(encoding="utf-8")
    assert f"<p>Memory was short: {note} (45 cells). The results are not touched by it.</p>" in text


EVIL = '</script><img src=x onerror="alert(\'1\')">\u2028$\\frac{"&amp;'


@pytest.mark.usefixtures("undrawn")
def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    def fail(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(status=["failed", *table["status"][1:]], reason=[EVIL, *table["reason"][1:]])

    folder = write_run(
        tmp_path, factors=SMALL | {"gan_da": [EVIL, "none"]}, names=[EVIL, "b", "c"], mutate=fail, question=EVIL,
        study=EVIL, command=EVIL, store=EVIL, machine=EVIL, versions={EVIL: EVIL}, dataset=EVIL, stand_in=EVIL,
    )  # fmt: skip
    (folder / "study.yaml").write_text(f"name: {json.dumps(EVIL)}\n")
    text = analysis.write_report(folder).read_text()
    plain = Page(write_and_read(tmp_path / "plain"))
    found = Page(text)
    assert "onerror" in text
    assert "<img" not in text
    assert {tag for tag, _ in found.tags} == {tag for tag, _ in plain.tags}
    assert len(found.all("script")) == len(plain.all("script"))
    assert "\u2028" not in text.partition('id="map-data">')[2].partition("</script>")[0]
    (data,) = [json.loads(content) for kind, content in found.scripts if kind == "application/json"]
    assert data["classes"]["names"][0] == EVIL
    assert EVIL in next(f["levels"] for f in data["factors"] if f["name"] == "gan_da")


def write_and_read(folder: Path) -> str:
    return analysis.write_report(write_run(folder, factors=SMALL, stand_in="x")).read_text()


def test_json_in_a_page_cannot_end_its_script() -> None:
    block = str(json_block({EVIL: [EVIL, 1.5, None]}))
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == {EVIL: [EVIL, 1.5, None]}
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        json_block(float("nan"))


def spoiled(status: str, only: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def mutate(table: pd.DataFrame) -> pd.DataFrame:
        hit = only(table)
        accuracy = table["accuracy"].mask(hit)
        return table.assign(accuracy=accuracy, status=table["status"].mask(hit, status), reason="it broke")

    return mutate


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"mutate": spoiled("diverged", lambda t: t["n_gen"].ge(0))}, ["No result yet", "12 cells of 12: diverged"]),
        ({"mutate": spoiled("failed", lambda t: t["n_gen"].gt(0))}, ["nothing to compare", "8 cells of 12: failed"]),
        ({"factors": {"n_gen": [0]}}, ["no cells with generated images"]),
        ({"factors": {"n_gen": [50]}}, ["No real-only control"]),
        ({"mutate": lambda t: t.iloc[:0], "status": "partial"}, ["No result yet", "Partial run: 12 cells missing"]),
        ({"mutate": lambda t: t.iloc[:7], "status": "partial"}, ["Partial run: 5 cells missing", "5 cells of 12"]),
        ({"factors": {"threshold": [None]}}, ["The threshold was not varied"]),
        ({"stand_in": "digits for faces"}, ["Stand-in data, not the data set of the question: digits for faces."]),
        ({}, ["No primary contrast was named before the run.", "Fewer than five seeds"]),
    ],
)  # fmt: skip
def test_a_report_says_what_there_is(tmp_path: Path, kwargs: dict[str, Any], words: list[str]) -> None:
    folder = write_run(tmp_path, **kwargs | {"factors": SMALL | kwargs.get("factors", {})})
    text = analysis.write_report(folder).read_text()
    assert all(said in text for said in words)


@pytest.mark.usefixtures("undrawn")
def test_a_primary_contrast_is_named_with_its_controls(tmp_path: Path) -> None:
    primary = {"n_real": 10, "n_gen": 50, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"}
    folder = write_run(tmp_path, factors=SMALL, primary=primary | {"against": "real-only"}, digest="abc123")
    text = analysis.write_report(folder).read_text()
    assert "One contrast was named in the study before it ran: n_real 10, n_gen 50, threshold 0.5" in text
    assert "The primary contrast against its controls" in text
    assert "abc123" in text
    assert "No control beside real only was run" not in text


@pytest.mark.usefixtures("undrawn")
def test_a_live_page_reads_itself_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path, factors=SMALL)
    text = analysis.write_report(folder, report.Running("5 of 12 cells done <b>", 20)).read_text()
    assert "Finding so far" in text
    assert "5 of 12 cells done &lt;b&gt;" in text
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in text
    assert "live" not in [a.get("class") for a in Page(analysis.write_report(folder).read_text()).all("section")]
