"""How large a report may become: size, seconds to build and to open, of a run of 1,000 cells in 26 classes.

    python benchmarks/report.py [--folder DIR] [--load-cells 10000]

Makes run folders with made-up numbers (the tests' fixture), builds the report in a process with one thread, opens it in
a headless Chromium and clicks a cell, and times `import analysis` with `load` of a larger run.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from html import unescape
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "analysis")]
ONE_CORE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
LETTERS = [chr(ord("a") + i) for i in range(26)]

CLICK = """
<script>
const marks = { map: performance.getEntriesByName("map-ready")[0].startTime, before: performance.now() };
const cell = [...document.querySelectorAll("button.cell")].find((b) => !b.classList.contains("blank"));
cell.click();
document.querySelector("#setting").getBoundingClientRect();
marks.after = performance.now();
marks.rows = document.querySelectorAll("#setting tbody tr").length;
addEventListener("load", () => {
  marks.load = performance.now();
  document.documentElement.setAttribute("data-marks", JSON.stringify(marks));
});
</script></body>"""


def grid(cells: int) -> dict[str, list[object]]:
    """Factors of exactly `cells` cells, a multiple of 1,000: 50 per n_real, clf_da and seed."""
    return {
        "n_real": [10, 30, 100, 300], "n_gen": [0, 10, 30, 100, 200, 300, 500, 1000],
        "threshold": [0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9], "seed": [0, 1, 2, 3, 4],
        "clf_da": [f"recipe {i}" for i in range(cells // 1000)],
    }  # fmt: skip


def spent() -> float:
    """Processor seconds of all children so far: what a busy machine does not stretch."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(code: str) -> tuple[str, list[str]]:
    """What a fresh Python on one core takes for `code`, and what it prints."""
    pinned = "import os; os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})\n"
    began, before = time.perf_counter(), spent()
    done = subprocess.run(
        [sys.executable, "-c", pinned + code], env=os.environ | ONE_CORE | {"PYTHONPATH": str(ROOT)},
        check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return f"{time.perf_counter() - began:.1f} s, {spent() - before:.1f} s of processor", done.stdout.split()


def build(folder: Path) -> Path:
    seconds, _ = timed(f"import analysis; analysis.write_report({str(folder)!r})")
    page = folder / "report" / "index.html"
    pictures = sum(p.stat().st_size for p in (page.parent / "figures").glob("*.png"))
    print(f"built in      {seconds}, on one core, imports and figures among them")
    print(f"page          {page.stat().st_size / 1e6:.2f} MB; figures {pictures / 1e6:.2f} MB as files")
    return page


def open_it(page: Path) -> None:
    from analysis import browser

    program = browser.find()
    if program is None:
        print("opened        not at all: no Chromium here")
        return
    text = re.sub(r"script-src [^;]*", "script-src 'unsafe-inline'", page.read_text(), count=1)
    copy = page.with_name("timed.html")
    copy.write_text(text.replace("</body>", CLICK))
    empty = page.with_name("empty.html")
    empty.write_text("<!doctype html><title>empty</title>")
    try:
        for path in (empty, copy):
            began, before = time.perf_counter(), spent()
            done = browser.browse(program, "--dump-dom", path.as_uri(), timeout=120)
            wall = time.perf_counter() - began
            found = re.findall(r'data-marks="([^"]*)"', done.stdout)
            print(f"opened        {path.name}: {wall:.2f} s from launch to exit, {spent() - before:.1f} s of processor")
        marks = json.loads(unescape(found[0]))
        print(
            f"map ready     {marks['map'] / 1e3:.2f} s after navigation began; whole page {marks['load'] / 1e3:.2f} s"
        )
        print(f"a click       {marks['after'] - marks['before']:.0f} ms to a table of {marks['rows']} rows, laid out")
    finally:
        copy.unlink()
        empty.unlink()


def main() -> None:
    from made_run import write_run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to make the runs; default: a temporary folder")
    parser.add_argument("--load-cells", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.folder or Path(temporary)
        folder = write_run(root / "report", factors=grid(1000), names=LETTERS, n_test=2600, image=(1, 28, 28))
        print("cells         1,000, 26 classes")
        open_it(build(folder))
        larger = write_run(root / "load", factors=grid(arguments.load_cells), names=LETTERS, n_test=260)
        code = f"""
import analysis, sys
run = analysis.load({str(larger)!r})
print(len(run.cells), *sorted({{"torch", "ray"}} & set(sys.modules)))
"""
        seconds, told = timed(code)
        print(f"load          {seconds} for {told[0]} cells, {' and '.join(told[1:]) or 'neither torch nor ray'}")


if __name__ == "__main__":
    main()
