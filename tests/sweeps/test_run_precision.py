from pathlib import Path

import pytest
import torch

from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.run import _require_precision


@pytest.mark.parametrize("setting", ["classifier.precision=bfloat16", "gan.precision=bfloat16"])
def test_a_machine_without_bfloat16_is_told_before_anything_runs(
    setting: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64"})
    with pytest.raises(UserError) as told:
        _require_precision(studies.load(str(tiny), [setting]), "cpu")
    key = setting.split("=")[0]
    assert str(told.value) == (
        f"{key}: bfloat16 is not in this machine's CPU (it needs AVX-512 BF16, AMX or ARM's BF16, or a GPU from Ampere "
        "on); take float32, which gives other results under other keys"
    )
    _require_precision(studies.load(str(tiny)), "cpu")


def test_a_precision_nobody_knows_is_refused(tiny: Path) -> None:
    with pytest.raises(UserError, match=r"classifier\.precision: must be 'float32' or 'bfloat16', got 'float16'$"):
        studies.load(str(tiny), ["classifier.precision=float16"])


def test_a_semi_supervised_study_is_asked_of_its_own_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64"})
    with pytest.raises(UserError, match=r"^semi\.precision: bfloat16 is not in this machine's CPU"):
        _require_precision(studies.load("sgan-mnist", ["semi.precision=bfloat16"]), "cpu")
    _require_precision(studies.load("sgan-mnist", ["classifier.precision=bfloat16"]), "cpu")  # it trains no such one
