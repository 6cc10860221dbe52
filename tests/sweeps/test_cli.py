"""The command line: what each command says, and how a user's mistake is told."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import N_CELLS, Ganaug, Place, environment

from sweeps import study_file as studies

HEAVY = ("torch", "ray", "numpy", "pandas", "matplotlib", "pyarrow")
LOADED = f"""
import sys
from sweeps.cli import main
try:
    main()
finally:
    print("loaded:", *sorted(set(sys.modules) & set({HEAVY!r})))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["plan", "--help"], ["data", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_help_names_every_command(ganaug: Ganaug, tmp_path: Path) -> None:
    told = ganaug("--help", cwd=tmp_path).stdout
    assert all(command in told for command in ("run", "plan", "status", "report", "studies", "data"))


def test_plan_counts_without_running(place: Place, tiny: Path, ganaug: Ganaug, tmp_path: Path) -> None:
    fresh = ganaug("plan", tiny, cwd=tmp_path)
    assert fresh.returncode == 0, fresh.stderr
    assert f"cells       {N_CELLS}, of which 0 stored" in fresh.stdout
    assert "generators  4 for the 8 cells that use one, of which 0 stored" in fresh.stdout
    assert "times cheaper than a GAN for every cell" in fresh.stdout
    done = ganaug("plan", tiny, "--store", place.store, cwd=tmp_path)
    assert f"cells       {N_CELLS}, of which {N_CELLS} stored" in done.stdout
    assert "trials      0" in done.stdout


def test_status_and_report_of_a_run(place: Place, ganaug: Ganaug) -> None:
    told = ganaug("status", place.folder, cwd=place.root)
    assert told.returncode == 0, told.stderr
    assert f"tiny: {N_CELLS} of {N_CELLS} cells done, 0 missing" in told.stdout
    page = place.folder / "report/index.html"
    before = page.read_text()
    page.unlink()
    told = ganaug("report", place.folder, cwd=place.root)
    assert told.returncode == 0, told.stderr
    assert len(page.read_text()) == pytest.approx(len(before), rel=0.01)


def test_the_command_of_a_run_can_be_pasted(place: Place, tiny: Path) -> None:
    assert place.summary["command"] == f"ganaug run {tiny} --workers 2"


def test_studies_are_listed_and_their_files_found(ganaug: Ganaug, tmp_path: Path) -> None:
    listed = ganaug("studies", cwd=tmp_path)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(studies.packaged())
    path = ganaug("studies", "--path", "quickstart", cwd=tmp_path).stdout.strip()
    assert Path(path) == studies.packaged()["quickstart"]


def test_data_sets_are_listed(ganaug: Ganaug, tmp_path: Path) -> None:
    told = ganaug("data", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "present: 10 classes" in told.stdout
    assert all(name in told.stdout for name in ("mnist", "kmnist", "emnist", "digits", "folder"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "quickstrat"], "quickstrat: no such file and no packaged study; did you mean 'quickstart'?"),
        (["run", "none.yaml"], "none.yaml: no such file"),
        (["run", "TINY", "--set", "threshold=[1.3]"], "factors.threshold[0]: must lie in [0, 1], got 1.3"),
        (["run", "TINY", "--set", "threshold"], "--set threshold: must be key=value"),
        (["run", "TINY", "--set", "n_real=[500]"], "n_real: class "),
        (["run", "TINY", "--set", "dataset.name=kmnist"], "kmnist"),
        (["run", "TINY", "--set", "dataset.protocol=letters"], "protocol"),
        (["run", "TINY", "--store", "gs://bucket"], "--store gs://…: must be a directory"),
        (["run", "TINY", "--out", "file"], "--out file: cannot be made: File exists"),
        (
            ["plan", "TINY", "--set", "n_reel=3"],
            "unknown key 'n_reel'; did you mean the factor 'n_real', under factors?",
        ),
        (["status", "nowhere"], "nowhere: is not a run folder; it has no summary.json"),
        (["status", "broken"], "broken/summary.json: "),
        (["report", "nowhere"], "nowhere: no such run folder"),
        (["studies", "--path", "quickstrat"], "did you mean 'quickstart'?"),
        (["data", "get", "mnits"], "mnist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    ganaug: Ganaug, tiny: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/summary.json").write_text('{"study":')
    done = ganaug(*[str(tiny) if a == "TINY" else a for a in arguments], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert told in lines[0]


def test_a_file_with_a_mistake_is_named_with_its_line(ganaug: Ganaug, tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("question: a\nquestion: b\n")
    done = ganaug("run", "twice.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, "error: twice.yaml, line 2: not valid YAML: key 'question' stands twice\n"
    )  # fmt: skip


def test_a_variable_that_is_no_number_is_refused_before_anything_runs(
    ganaug: Ganaug, tiny: Path, tmp_path: Path
) -> None:
    done = ganaug("run", tiny, cwd=tmp_path, GANAUG_CHECKPOINT_SECONDS="often")
    assert done.returncode == 2
    told = "error: GANAUG_CHECKPOINT_SECONDS: must be a number of seconds, 0 or more, got often"
    assert done.stderr.strip().splitlines()[-1] == told
    assert "Traceback" not in done.stderr
