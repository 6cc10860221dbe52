"""One image's way: from a PNG in the user's folder to the number in a heatmap's cell."""

import os
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import analysis
from analysis.grid import heatmap_table
from ganaug.datasets import load
from ganaug.split import hold_out

PER_CLASS, TEST, SIDE = 12, 4, 8
CLASSES = ["dark", "light"]
STUDY = f"""\
dataset: {{name: folder, path: shots, size: {SIDE}, channels: 1, test_per_class: {TEST}, validation_per_class: 3}}
factors: {{n_real: [3], n_gen: [0, 6]}}
gan: {{name: projection, steps: 4, width: 8, discriminator_width: 8}}
pool: {{chunk: 10, max_per_class: 20}}
classifier: {{steps: 5, width: 8}}
classifier_seeds: 2
"""


def draw(label: int, index: int) -> np.ndarray:
    """A picture that no other picture equals, (SIDE, SIDE) uint8."""
    rng = np.random.default_rng([label, index])
    return rng.integers(0, 120, (SIDE, SIDE), dtype=np.uint8) + np.uint8(120 * label)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trip")
    for label, name in enumerate(CLASSES):
        (root / "data/shots" / name).mkdir(parents=True)
        for index in range(PER_CLASS):
            Image.fromarray(draw(label, index)).save(root / "data/shots" / name / f"shot{index}.png")
    (root / "trip.yaml").write_text(STUDY)
    command = [str(Path(sysconfig.get_path("scripts")) / "ganaug"), "run", "trip.yaml", "--workers", "1"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GANAUG_", "RAY_"))}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    return root


def test_from_a_png_to_a_cell_of_the_heatmap(folder: Path) -> None:
    # the file is image `shot7` of class `light`, or whichever of that class is held out first: a test image
    dataset = load("folder", folder / "data", path="shots", size=SIDE, channels=1)
    test = np.flatnonzero(hold_out(dataset, TEST))
    assert dataset.classes == tuple(CLASSES)
    place = int(np.flatnonzero(dataset.labels[test] == 1)[0])
    image = dataset.images[test[place]]
    index = int(test[place]) - PER_CLASS
    with Image.open(folder / "data/shots/light" / f"shot{index}.png") as file:
        assert np.array_equal(image[0], np.asarray(file))
    assert np.array_equal(image[0], draw(1, index))

    run = analysis.load(folder / "runs/trip")
    assert len(run.cells) == 2
    labels = run.predictions()["labels"]
    assert labels[place] == 1
    assert labels.tolist() == dataset.labels[test].tolist()

    table = heatmap_table(run, x="n_real", y="n_gen", value="accuracy")
    for _, cell in run.cells.iterrows():
        predicted = run.predictions()[cell["cell"]]  # by two classifiers
        assert predicted.shape == (2, len(test))
        mine = int((predicted[:, place] == 1).sum())

        # its class's count is its share and the others'
        per_class = run.per_class[run.per_class["cell"] == cell["cell"]].set_index("class")
        others = (labels == 1) & (np.arange(len(labels)) != place)
        assert per_class.loc["light", "correct"] == mine + int((predicted[:, others] == 1).sum())
        assert per_class.loc["light", "total"] == 2 * TEST

        # the record's accuracy is the classes' counts, and the heatmap's cell the record's accuracy
        assert cell["accuracy"] == pytest.approx(per_class["correct"].sum() / per_class["total"].sum(), abs=1e-12)
        in_heatmap = table[(table["n_real"] == 3) & (table["n_gen"] == cell["n_gen"])]
        assert len(in_heatmap) == 1
        assert in_heatmap["value"].item() == pytest.approx(100 * cell["accuracy"], abs=1e-9)
        assert in_heatmap["control"].item() == (cell["n_gen"] == 0)


def test_had_the_image_been_judged_otherwise_the_cell_would_show_it(folder: Path) -> None:
    run = analysis.load(folder / "runs/trip")
    key = run.cells.loc[run.cells["n_gen"] == 6, "cell"].item()
    predicted, labels = run.predictions()[key].copy(), run.predictions()["labels"]
    before = (predicted == labels).mean()
    predicted[0, 0] = 1 - predicted[0, 0]
    assert abs((predicted == labels).mean() - before) == pytest.approx(1 / predicted.size)
    shown = pd.DataFrame(heatmap_table(run))
    assert shown.loc[shown["n_gen"] == 6, "value"].item() == pytest.approx(100 * before)
