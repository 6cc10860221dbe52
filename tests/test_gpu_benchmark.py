"""The GPU benchmark runs on a CPU too, and says that it is none."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TINY = "--device cpu --networks cnn cgan --members 2 --precisions float32 --steps 2 --warm-up 1 --per-class 2 --batch 4"
NEEDED = "import sys; sys.argv = ['x', '--help']; sys.path.insert(0, 'benchmarks'); import gpu; print(*sys.modules)"


def test_it_prints_and_writes_a_table_of_every_way(tmp_path):
    out = tmp_path / "table.md"
    command = [sys.executable, "benchmarks/gpu.py", *TINY.split(), "--out", str(out)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    page = out.read_text(encoding="utf-8")
    assert page == ran.stdout
    assert "**Not a GPU**" in page
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| c")]
    agree, timed = [c for c in cells if len(c) == 5], [c for c in cells if len(c) == 10]
    assert [c[:2] for c in agree] == [[net, way] for net in ("cnn", "cgan") for way in ("grouped", "unfold")]
    assert all(c[4] == "yes" for c in agree)
    ways = [("1", "alone"), ("2", "grouped"), ("2", "unfold")]
    assert [(c[0], *c[2:4]) for c in timed] == [(net, *way) for net in ("cnn", "cgan") for way in ways]
    assert all(float(c[4].replace(",", "")) > 0 for c in timed)
    assert all(c[7] == "-" for c in timed)  # a GPU's memory was not measured


def test_it_needs_neither_ray_nor_what_a_report_needs():
    command = [sys.executable, "-c", NEEDED]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not {"ray", "pandas", "sklearn", "matplotlib", "torchvision", "sweeps"} & set(loaded)
