"""The numbers behind the report's interactive heatmap: the same as the tables', whole, and small."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.contrasts import contrasts
from analysis.interactive import interactive
from analysis.run import SampleSheet
from analysis.sprites import MOST_IMAGES, _mosaic, sprites

PRIMARY = {"n_real": 10, "n_gen": 50, "threshold": 0.5, "gan_da": "none", "n_da": None, "clf_da": "none"}


def place(data: dict[str, Any], control: bool, **levels: str) -> int:
    """The one setting at these levels, as the page finds it: -1 fits all."""
    names = [f["name"] for f in data["factors"]]
    texts = {f["name"]: f["levels"] for f in data["factors"]}
    (found,) = [
        i
        for i in range(len(data["settings"]["control"]))
        if bool(data["settings"]["control"][i]) == control
        and all(
            (code := data["settings"]["levels"][names.index(name)][i]) == -1 or texts[name][code] == text
            for name, text in levels.items()
        )
    ]
    return found


def shown(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(value for value in data["values"] if value["name"] == name)


def test_every_contrast_and_accuracy_is_there(run: analysis.Run) -> None:
    data = interactive(run)
    assert data is not None
    assert len(data["settings"]["control"]) == 15
    delta, accuracy = shown(data, "delta"), shown(data, "accuracy")
    for row in analysis.deltas_over_seeds(run.grid).to_dict("records"):
        i = place(data, False, n_real=str(row["n_real"]), n_gen=str(row["n_gen"]), threshold=f"{row['threshold']:.4g}")
        assert delta["value"][i] == round(100 * row["delta_points"])
        assert (delta["low"][i], delta["high"][i]) == (round(100 * row["low_points"]), round(100 * row["high_points"]))
        assert delta["n"][i] == row["n_seeds"] == 3
        assert accuracy["value"][i] == round(1e4 * row["accuracy"])
    control = place(data, True, n_real="10")
    assert delta["value"][control] is None
    assert 0 < accuracy["value"][control] < 10000
    assert json.loads(json.dumps(data)) == data


def test_the_map_corrects_as_the_table_of_contrasts_does(make_run: Callable[..., analysis.Run]) -> None:
    run = make_run(primary=PRIMARY | {"against": "real-only"})
    data = interactive(run)
    assert data is not None
    holm = shown(data, "delta")["holm"]
    for row in contrasts(run).to_dict("records"):
        i = place(data, False, n_real=str(row["n_real"]), n_gen=str(row["n_gen"]), threshold=f"{row['threshold']:.4g}")
        assert holm[i] == (None if row["role"] == "primary" else round(1e4 * row["p_holm"]))


def test_classes_are_those_of_the_table(run: analysis.Run) -> None:
    data = interactive(run)
    assert data is not None
    classes = data["classes"]
    i = place(data, False, n_real="3", n_gen="200", threshold="0.5")
    found = analysis.per_class_deltas(run, {"n_real": 3, "n_gen": 200, "threshold": 0.5})
    start = classes["at"][i] * len(classes["names"])
    for row in found.to_dict("records"):
        at = start + classes["names"].index(row["class"])
        assert classes["delta"][at] == round(100 * row["delta_points"])
        assert classes["control"][at] == round(1e4 * row["control_accuracy"])
    assert all(classes["delta"][classes["at"][place(data, True, n_real="3")] * 10 + c] is None for c in range(10))


def test_controls_and_real_images_are_values_too(make_run: Callable[..., analysis.Run]) -> None:
    data = interactive(make_run(primary=PRIMARY | {"against": "real-only"}), PRIMARY)
    assert data is not None
    names = ["delta", "accuracy", "effective", "classic-da", "duplicated", "shuffled", "more-real", "unfiltered"]
    assert [v["name"] for v in data["values"]] == names
    assert data["start"] == place(data, False, n_real="10", n_gen="50", threshold="0.5")
    assert shown(data, "duplicated")["value"][data["start"]] is not None
    assert data["factors"][-1]["levels"] == ["none"], "the control's augmentation is no level of the grid"


def test_a_factor_that_cannot_matter_fits_all(make_run: Callable[..., analysis.Run]) -> None:
    def moot(table: pd.DataFrame) -> pd.DataFrame:
        return table.drop(table.index[table["gan_da"].eq("none") & table["n_da"].notna()]).reset_index(drop=True)

    run = make_run(factors={"gan_da": ["none", "hflip"], "n_da": [None, 20], "seed": [0, 1]}, mutate=moot)
    data = interactive(run)
    assert data is not None
    assert next(f["levels"] for f in data["factors"] if f["name"] == "n_da") == ["default", "20"]
    at = {"n_real": "3", "n_gen": "50", "threshold": "0"}
    assert place(data, False, **at, gan_da="none", n_da="20") == place(data, False, **at, gan_da="none", n_da="default")
    assert place(data, False, **at, gan_da="hflip", n_da="20") != place(
        data, False, **at, gan_da="hflip", n_da="default"
    )


def test_cells_that_went_wrong_are_counted(make_run: Callable[..., analysis.Run]) -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        bad = table["n_real"].eq(3) & table["n_gen"].eq(50) & table["threshold"].eq(0.0)
        lost = bad & table["seed"].eq(1)
        status = table["status"].mask(bad, "starved").mask(lost, "diverged")
        return table.assign(status=status, accuracy=table["accuracy"].mask(lost))

    data = interactive(make_run(mutate=spoil))
    assert data is not None
    i = place(data, False, n_real="3", n_gen="50", threshold="0")
    told = {name: data["settings"][name][i] for name in ("cells", "starved", "diverged", "failed")}
    assert told == {"cells": 3, "starved": 2, "diverged": 1, "failed": 0}
    assert shown(data, "delta")["n"][i] == 2


def test_without_a_result_there_is_no_map(make_run: Callable[..., analysis.Run]) -> None:
    assert interactive(make_run(mutate=lambda table: table.iloc[:0])) is None


def test_a_sheet_belongs_to_the_settings_of_its_generator(run: analysis.Run) -> None:
    data = interactive(run)
    assert data is not None
    assert len(data["sheets"]) == 3
    for n_gen in ("50", "200"):
        assert data["settings"]["sheet"][place(data, False, n_real="10", n_gen=n_gen, threshold="0.5")] == 1
    assert data["settings"]["sheet"][place(data, False, n_real="10", n_gen="50", threshold="0")] == -1
    assert data["settings"]["sheet"][place(data, True, n_real="10")] == -1


def sheet(images: np.ndarray) -> SampleSheet:
    scores = np.ones(images.shape[:2], np.float32)
    return SampleSheet({"n_real": 3}, images, images, images, scores, scores)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mosaic_keeps_every_image_in_its_place(channels: int) -> None:
    images = np.arange(2 * 3 * channels * 4 * 5, dtype=np.uint8).reshape(2, 3, channels, 4, 5)
    found = np.asarray(_mosaic(images)).reshape(8, 15, channels)
    for c in range(2):
        for m in range(3):
            block = found[4 * c : 4 * c + 4, 5 * m : 5 * m + 5]
            np.testing.assert_array_equal(block, images[c, m].transpose(1, 2, 0))


def test_large_images_are_shrunk_and_too_many_left_out() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 8, 3, 128, 128), dtype=np.uint8)
    assert _mosaic(noise[:, :MOST_IMAGES]).size == (6 * 64, 20 * 64)
    found, at = sprites([sheet(noise)] * 3)
    assert at == [-1, -1, -1], "noise does not compress: 5 MB a sheet"
    assert found == []
    flat = sheet(np.zeros((2, 8, 1, 8, 8), np.uint8))
    found, at = sprites([flat, flat])
    assert at == [0, 1]
    assert found[0]["title"] == "n_real 3"
    assert (found[0]["across"], found[0]["shape"]) == (6, [8, 8])
