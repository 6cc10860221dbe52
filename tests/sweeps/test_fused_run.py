"""The tiny study with fused trainings, by the real command line on a real Ray, beside the same study without."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file
from tiny_run import N_CELLS, Ganaug, Place

from sweeps import study_file as studies


@pytest.fixture(scope="module")
def fused(tiny: Path, ganaug: Ganaug, tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("fused")
    return Place(root, ganaug("run", tiny, "--workers", 2, "--set", "fuse=on", "--track", "none", cwd=root))


def test_a_fused_run_has_the_same_cells_and_nearly_the_same_records(fused: Place, place: Place) -> None:
    assert fused.done.returncode == 0, fused.done.stderr
    assert "Traceback" not in fused.done.stderr
    assert "computed 4 GANs" in fused.done.stdout
    assert fused.summary["fuse"] == "on"
    assert place.summary["fuse"] == "off"
    one, other = fused.records(), place.records()
    assert len(one) == N_CELLS
    assert not set(one["cell"]) & set(other["cell"]), "another arithmetic is another result"
    known = [c for c in one if c in ("arm", "n_real", "n_gen", "threshold", "seed", "status", "n_train")]
    assert one[known].equals(other[known])
    folders = [p.folder / "predictions.safetensors" for p in (fused, place)]
    mine, theirs = (load_file(path) for path in folders)
    agree = [(mine[a] == theirs[b]).mean() for a, b in zip(one["cell"], other["cell"], strict=True)]
    assert min(agree) > 0.97, "sums in another order move an image that lies on the border"


def test_the_folder_says_how_it_was_run_and_goes_on_so(fused: Place, ganaug: Ganaug, tiny: Path) -> None:
    assert studies.load(str(fused.folder / "study.yaml")).fuse == "on"
    told = ganaug("status", fused.folder, cwd=fused.root)
    assert f"tiny: {N_CELLS} of {N_CELLS} cells done, 0 missing" in told.stdout
    again = ganaug("run", tiny, "--track", "none", cwd=fused.root)  # says nothing of fusing
    assert again.returncode == 0, again.stderr
    assert f"computed 0 GANs, 0 chunks of generated images and 0 records, reused {N_CELLS} records" in again.stdout
