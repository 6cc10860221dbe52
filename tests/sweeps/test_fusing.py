"""Whether trainings are fused: settled before cells are laid out, once for a run folder, and part of their keys."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps import engine, fusing
from sweeps import study_file as studies
from sweeps.cluster.placement import There
from sweeps.fusing import settled
from sweeps.grid import Grid
from sweeps.reach import reach
from sweeps.search.space import settle
from sweeps.store import Store
from sweeps.study_file import to_yaml


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "gpus_here", lambda: 1)


def fuse(tiny: Path, folder: Path, *assignments: str) -> str:
    return settled(studies.load(str(tiny), assignments), folder, None).fuse


def test_auto_is_where_trials_have_a_gpu(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "gpus_here", lambda: 0)
    assert fuse(tiny, tmp_path) == "off"
    assert fuse(tiny, tmp_path, "fuse=on") == "on"
    assert fuse(tiny, tmp_path, "resources.device=cuda") == "on"
    monkeypatch.setattr(fusing, "gpus_here", lambda: 1)
    assert fuse(tiny, tmp_path) == "on"
    assert fuse(tiny, tmp_path, "fuse=off") == "off"
    assert fuse(tiny, tmp_path, "resources.device=cpu") == "off"
    assert fuse(tiny, tmp_path, "resources.gpus_per_trial=0") == "off"


def test_a_cluster_is_asked_for_what_it_has_or_may_get(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = studies.load(str(tiny))

    def on(there: There) -> str:
        monkeypatch.setattr(engine, "cluster", lambda address, cpus, environment: nullcontext(there))
        return settled(study, tmp_path, "10.0.0.1:6379").fuse

    assert on(There({"CPU": 8.0}, {})) == "off"
    assert on(There({"CPU": 8.0}, {"GPU": 4.0, "CPU": 32.0})) == "on"
    with pytest.raises(UserError, match=r"^resources.device: auto cannot tell what to wait for"):
        on(There({}, {}))


@pytest.mark.parametrize("words", ["on", "true", "'on'"])
def test_on_is_on_however_yaml_reads_it(tiny: Path, tmp_path: Path, words: str) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(f"{tiny.read_text()}fuse: {words}\n")
    assert studies.load(str(file)).fuse == "on"
    file.write_text(to_yaml(studies.load(str(file))))
    assert studies.load(str(file)).fuse == "on"


def test_another_word_is_refused(tiny: Path) -> None:
    with pytest.raises(UserError) as error:
        studies.load(str(tiny), ["fuse=always"])
    assert str(error.value) == f"{tiny}: fuse: must be 'auto', 'on' or 'off', got 'always'"


@pytest.mark.usefixtures("gpus")
def test_a_run_goes_on_as_it_began(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    assert fuse(tiny, folder) == "on"
    (folder / "study.yaml").write_text(to_yaml(studies.load(str(tiny), ["fuse=off"])))
    assert fuse(tiny, folder) == "off"
    assert fuse(tiny, folder, "fuse=on") == "on", "whoever says which gets it"
    (folder / "study.yaml").write_text(tiny.read_text())
    assert fuse(tiny, folder) == "off", "a folder of a time before there was a choice"


def test_a_fused_stage_has_a_key_of_its_own_and_nothing_before_it(make_grid: Callable[..., Grid]) -> None:
    off, unsaid, on = (make_grid(f"fuse={word}") for word in ("off", "auto", "on"))
    assert off.measures.keys() == unsaid.measures.keys()
    assert not off.measures.keys() & on.measures.keys()
    assert not off.generators.keys() & on.generators.keys()
    assert list(off.factors.values()) == list(on.factors.values())
    one, other = (next(iter(grid.measures.values())).classifiers[0] for grid in (off, on))
    assert "fused" not in one.describe()
    assert other.describe()["fused"] is True
    assert one.split.key == other.split.key


def test_a_store_keeps_what_a_study_reaches_either_way(
    tiny: Path, make_grid: Callable[..., Grid], store: Store, tmp_path: Path
) -> None:
    keys = [set(make_grid(f"fuse={word}").measures) for word in ("off", "on")]
    assert reach(str(tiny), tmp_path, store).keys >= keys[0] | keys[1]
    only = tmp_path / "off.yaml"
    only.write_text(to_yaml(studies.load(str(tiny), ["fuse=off"])))
    assert reach(str(only), tmp_path, store).keys >= keys[0]
    assert not reach(str(only), tmp_path, store).keys & keys[1]


def test_a_fused_search_has_a_history_of_its_own(tiny: Path) -> None:
    digests = [
        settle(studies.load(str(tiny), ["n_real=[3]", "n_gen=[6]", f"fuse={word}"])).digest("data")
        for word in ("auto", "off", "on")
    ]
    assert digests[0] == digests[1] != digests[2]
