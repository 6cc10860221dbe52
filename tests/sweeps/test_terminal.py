"""Whatever a name holds, a terminal shows it and does nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps import study_file, terminal
from sweeps.progress import Bar


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Añb 95\u202f% “ü” 漢 😀", "Añb 95\u202f% “ü” 漢 😀"),  # a narrow blank is a blank
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb\bc\x07\x9b2J\x7f", "a\\rb\\x08c\\x07\\x9b2J\\x7f"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff", "\\udcff"),
        ("[red]no markup[/red]", "[red]no markup[/red]"),
        ("two\nlines\u2028three", "two\\nlines\\u2028three"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert terminal.plain(text) == shown


def test_a_command_tells_in_lines_and_complains_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("one\ntwo\x1b[2J")
    terminal.complain("three\nfour\x1b[2J")
    told = capsys.readouterr()
    assert told.out == "one\ntwo\\x1b[2J\n"
    assert told.err == "three\\nfour\\x1b[2J\n"


def ganaug(*arguments: str, at: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sweeps.cli", *arguments], cwd=at, capture_output=True, text=True, errors="replace",
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}, timeout=120,
    )  # fmt: skip


def test_the_command_line_prints_no_escape_of_a_file_or_a_folder(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07[red]"
    study = tmp_path / f"{evil}.yaml"
    study.write_text("name: x\n")
    done = ganaug("plan", str(study), at=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/\\x1b]0;owned\\x07[red].yaml: ")
    assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("key", ["variant", "name"])
def test_no_study_names_a_run_folder_elsewhere(tmp_path: Path, key: str) -> None:
    study = tmp_path / "s.yaml"
    study.write_text(
        "dataset: {name: digits}\nfactors: {n_real: [3]}\ngan: {name: cgan}\n"
        + (f"{key}: ../../x\n" if key == "name" else "variants: {../../x: {}}\n")
    )
    done = ganaug("plan", str(study), at=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {study}: {key}: must be up to 64 letters, digits, '.', '_' and '-', and begin with a letter or a "
        "digit, got '../../x'\n"
    )


def test_the_bar_reads_no_markup() -> None:
    bar = Bar("x[blink]y[/blink][red]")
    bar.start(3, 3)
    shown = bar.progress.columns[0].render(bar.progress.tasks[0])  # type: ignore[attr-defined]
    assert str(shown) == "x[blink]y[/blink][red]"


@pytest.mark.parametrize("key", ["se\udcffed", "se\x1bed", "se\ned"])
def test_a_setting_with_a_name_that_cannot_be_shown_is_none(key: str) -> None:
    with pytest.raises(UserError) as caught:
        study_file.load("quickstart", [f"{key}=1"])
    assert str(caught.value).endswith(f"--set {terminal.plain(key)}=1: must be key=value, e.g. --set n_real=[3,10]")


def test_a_setting_of_a_thousand_parts_is_none() -> None:
    with pytest.raises(UserError, match=r"--set gan\.gan.*…: a key has at most 20 parts, got 1000$"):
        study_file.load("quickstart", [f"{'.'.join(['gan'] * 1000)}=1"])
