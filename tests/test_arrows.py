"""The arrows between the packages: sweeps → ganaug ← analysis, and Ray in sweeps alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"ray", "torch"}


def modules(package: str) -> list[str]:
    """Every module of a package, by its dotted name."""
    paths = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths]
    return [n for n in names if not n.endswith("__main__")]


def loaded_after(statements: str) -> set[str]:
    """Which heavy packages a fresh Python holds after these statements."""
    code = f"{statements}\nimport sys\nprint(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ("import ganaug", set()),
        ("import analysis", set()),
        ("import sweeps, sweeps.cli, sweeps.study, sweeps.study_file, sweeps.refusals", set()),
        ("import " + ", ".join(modules("analysis")), set()),
        ("import " + ", ".join(modules("ganaug")), {"torch"}),
    ],
    ids=["ganaug", "analysis", "study files", "all of analysis", "all of ganaug"],
)
def test_an_import_loads_only_what_it_may(statements: str, allowed: set[str]) -> None:
    assert loaded_after(statements) <= allowed


def imported(path: Path) -> set[str]:
    """The top-level packages a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import hides its package"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [("ganaug", {"sweeps", "analysis", "ray"}), ("analysis", {"sweeps", "ray", "torch"})],
)
def test_no_file_points_the_other_way(package: str, forbidden: set[str]) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert len(files) > 5
    assert {str(f.relative_to(ROOT)): imported(f) & forbidden for f in files if imported(f) & forbidden} == {}
