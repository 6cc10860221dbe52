"""Loading a run folder, and what is said when it is none."""

import subprocess
import sys
from pathlib import Path

import pytest
from made_run import write_run

import analysis
from ganaug.errors import UserError


def test_everything_of_the_contract_is_there(run: analysis.Run) -> None:
    assert len(run.cells) == 45
    assert len(run.per_class) == 450
    assert run.predictions()["labels"].shape == (400,)
    assert run.predictions()[run.cells["cell"].iloc[0]].shape == (1, 400)
    assert [sheet.factors["n_real"] for sheet in run.samples()] == [3, 10, 30]
    assert run.samples()[0].kept.shape == (10, 6, 1, 8, 8)
    assert len(run.curves()) == 9
    assert run.summary["study"] == run.name == "fixture"
    assert run.study["dataset"] == "made-up"
    assert str(run.cells["n_gen"].dtype) == "Int64"
    assert analysis.load(run) is run


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run folder; give the folder that `ganaug run` wrote"):
        analysis.load(tmp_path / "nowhere")


def test_some_other_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no run folder, it holds no records\.parquet"):
        analysis.load(tmp_path)


@pytest.mark.parametrize("name", ["records.parquet", "per_class.parquet", "summary.json", "study.yaml"])
@pytest.mark.parametrize("damage", [b"", b"PAR1 not really", None])
def test_damage_is_told_in_one_line(tmp_path: Path, name: str, damage: bytes | None) -> None:
    write_run(tmp_path, factors={"n_real": [3], "seed": [0]})
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(UserError) as told:
        analysis.load(tmp_path)
    assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_damaged_tensors_are_told_when_asked_for(tmp_path: Path) -> None:
    run = analysis.load(write_run(tmp_path, factors={"n_real": [3], "seed": [0]}))
    for name in ("predictions.safetensors", "samples.safetensors", "curves.json"):
        (tmp_path / name).write_bytes(b"\x00\x01")
    for read in (run.predictions, run.samples, run.curves):
        with pytest.raises(UserError, match="cannot be read"):
            read()


def test_html_of_a_run_is_escaped(tmp_path: Path) -> None:
    run = analysis.load(write_run(tmp_path, question="<script>alert(1)</script>"))
    assert "<script>" not in run._repr_html_()
    assert "45 ok" in run._repr_html_()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="it has Run, accuracy_over_seeds"):
        _ = analysis.heatmaps  # type: ignore[attr-defined]


def test_neither_torch_nor_ray_is_imported(run: analysis.Run) -> None:
    code = (
        "import sys, analysis\n"
        "light = {'pandas', 'matplotlib', 'seaborn'} & set(sys.modules)\n"
        "assert not light, light\n"
        f"run = analysis.load({str(run.folder)!r}); run.predictions(), run.samples(), run._repr_html_()\n"
        "assert not {'matplotlib', 'seaborn', 'scipy.stats'} & set(sys.modules)\n"
        "analysis.forest(run), analysis.write_report\n"
        "assert not {'torch', 'ray', 'sweeps'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
