"""The report in a real Chromium: scripts run, keys and clicks do what they should, it fits a phone and a printer."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from made_run import write_run

import analysis
from analysis import browser, report
from ganaug.errors import UserError

CHROMIUM = browser.find()
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH, and CHROMIUM names none")
EVIL = '</script><img src=x onerror="document.title=1">\u2028'
MATCH = {"n_real": "10", "n_gen": "50", "threshold": "0.5"}

# What a reader does, and what the page shows: told as JSON to the page around it, which is as wide as a phone.
VISIT = """
const seen = {}, $ = (s) => document.querySelector(s), all = (s) => [...document.querySelectorAll(s)];
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const linear = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = (rgb) => {
  const [r, g, b] = rgb.match(/[0-9.]+/g).map(Number).map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
try {
  seen.width = [innerWidth, document.documentElement.scrollWidth];
  seen.readout = $(".readout").textContent;
  seen.start = all("button.cell").filter((b) => b.tabIndex === 0).length;
  all("button.cell").find((b) => b.tabIndex === 0).focus();
  const first = document.activeElement.getAttribute("aria-label");
  press("ArrowRight"); press("ArrowDown");
  seen.moved = document.activeElement.getAttribute("aria-label") !== first && document.activeElement.tabIndex === 0;
  seen.told = $(".readout").textContent === document.activeElement.getAttribute("aria-label") + ".";
  document.activeElement.click();
  seen.expanded = all("button.cell[aria-expanded=true]").length;
  seen.panel = {
    hidden: $("#setting").hidden, rows: all("#setting table.sortable tbody tr").length,
    title: $("#setting h3").textContent, focused: document.activeElement === $("#setting h3"),
  };
  seen.hash = location.hash;
  press("Escape");
  seen.closed = $("#setting").hidden && document.activeElement.matches("button.cell");
  const value = $(".choices select");
  seen.values = [...value.options].map((o) => o.textContent);
  value.value = 1; value.dispatchEvent(new Event("change"));
  seen.caption = $("#map-caption").textContent;
  seen.contrast = Math.min(...all("button.cell:not(.blank)").map((b) => {
    const style = getComputedStyle(b);
    const [a, c] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
    return (a + 0.05) / (c + 0.05);
  }));
  const table = all("main table.sortable").find((t) => t.tHead.textContent.includes("change, points"));
  const column = [...table.tHead.rows[0].cells].findIndex((h) => h.textContent.includes("change, points"));
  const read = () => [...table.tBodies[0].rows].map((r) => Number(r.cells[column].textContent.replace("\\u2212", "-")));
  const head = table.tHead.rows[0].cells[column], button = head.querySelector("button");
  button.focus();
  seen.focusable = document.activeElement === button;
  button.click(); seen.down = read(); seen.sortDown = head.getAttribute("aria-sort");
  button.click(); seen.up = read(); seen.sortUp = head.getAttribute("aria-sort");
  window.dispatchEvent(new Event("beforeprint"));
  seen.closedInPrint = all("details:not([open])").length;
  seen.smuggled = all("img[onerror], img:not([src^=data])").length + (document.title === "1" ? 1 : 0);
} catch (error) { seen.error = String(error); }
seen.error ??= document.documentElement.dataset.error ?? null;
parent.postMessage(JSON.stringify(seen), "*");
"""
PHONE = """<!doctype html><iframe width="390" height="900" style="border:0" src="visited.html"></iframe><script>
addEventListener("message", (event) => document.documentElement.setAttribute("data-seen", event.data));
</script>"""


def dom(url: str, *flags: str) -> str:
    assert CHROMIUM is not None
    done = browser.browse(CHROMIUM, *flags, "--virtual-time-budget=4000", "--dump-dom", url, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout


def visit(page: Path) -> dict[str, Any]:
    """Do what VISIT does in a copy of the page that lets one more script in."""
    text = re.sub(r"script-src [^;]*", "script-src 'unsafe-inline'", page.read_text(), count=1)
    page.with_name("visited.html").write_text(text.replace("</body>", f"<script>{VISIT}</script></body>"))
    around = page.with_name("phone.html")
    around.write_text(PHONE)
    (seen,) = re.findall(r'data-seen="([^"]*)"', dom(around.as_uri()))
    return dict(json.loads(unescape(seen)))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with controls, and with names that mean harm; without figures."""
    primary = {"n_real": 10, "n_gen": 50, "threshold": 0.5, "gan_da": EVIL, "n_da": None, "clf_da": "none"}
    folder = write_run(
        tmp_path_factory.mktemp("seen"), factors={"n_real": [3, 10], "n_gen": [0, 50, 200], "gan_da": [EVIL, "none"]},
        names=[EVIL, *"bcdef"], primary=primary | {"against": "real-only"}, question=EVIL,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "pictures", lambda *arguments: [])
        return analysis.write_report(folder)


@needs_chromium
def test_a_reader_finds_a_way_through_the_map(page: Path) -> None:
    seen = visit(page)
    assert seen["error"] is None
    assert seen["width"] == [390, 390], "nothing scrolls sideways but tables in their boxes"
    assert seen["start"] == 1
    assert "n_real 10, n_gen 50, threshold 0.5" in seen["readout"], "the reader sets out from the finding's setting"
    assert seen["moved"]
    assert seen["told"]
    assert seen["expanded"] == 1
    panel = seen["panel"]
    assert (panel["hidden"], panel["rows"], panel["focused"]) == (False, 6, True)
    assert panel["title"].startswith("Real only: n_real 10")
    assert seen["hash"].startswith("#cell=n_real:10,n_gen:0")
    assert seen["closed"]
    assert seen["values"][:2] == ["Change against real only, points", "Accuracy, %"]
    assert seen["caption"].startswith("Accuracy, %, at threshold 0.5")
    assert seen["contrast"] >= 4.5
    assert seen["focusable"]
    assert seen["down"] == sorted(seen["down"], reverse=True) != seen["up"] == sorted(seen["up"])
    assert (seen["sortDown"], seen["sortUp"]) == ("descending", "ascending")
    assert seen["closedInPrint"] == 0
    assert seen["smuggled"] == 0


@needs_chromium
def test_a_link_opens_a_setting_under_the_page_s_own_policy(page: Path) -> None:
    cell = ",".join(f"{name}:{value}" for name, value in MATCH.items())
    found = dom(f"{page.as_uri()}#cell={cell},gan_da:none&value=accuracy")
    assert 'data-map="ready"' in found
    assert "data-error" not in found
    (panel,) = re.findall(r'<section class="panel".*?</section>', found, re.DOTALL)
    assert "n_real 10, n_gen 50, threshold 0.5, gan_da none" in panel
    assert panel.count("<tr") > 6
    assert '<option value="1" selected="">Accuracy, %</option>' in found
    lost = dom(f"{page.as_uri()}#cell=n_real:77")
    assert "The setting that this link names is not in this run." in lost


@needs_chromium
def test_it_prints(page: Path) -> None:
    made = browser.write_pdf(page)
    assert made == page.with_suffix(".pdf")
    assert made.read_bytes().startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made.read_bytes())) >= 3
    assert not list(page.parent.glob(".pdf-*"))


def test_without_chromium_the_pdf_is_refused(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(UserError) as told:
        browser.write_pdf(page)
    assert str(told.value) == (
        "--pdf: needs Chromium, and none of chromium, chromium-browser, google-chrome, google-chrome-stable, chrome is "
        f"on the PATH; install one, name it in the environment variable CHROMIUM, or print {page} from any browser"
    )
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'no display' >&2\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(broken))
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    with pytest.raises(UserError, match=r"broken wrote no PDF \(no display\); print .* from a browser"):
        browser.write_pdf(page)
