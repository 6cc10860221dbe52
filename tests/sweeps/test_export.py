"""Exports: what a cell's classifier was trained on leaves the run unchanged, whole or not at all."""

import csv
import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from tiny_run import TINY, environment
from torchvision.datasets import MNIST, ImageFolder

import analysis
from ganaug.classifiers.fit import fit, predict
from ganaug.datasets.folder import load_folder
from ganaug.datasets.idx import read_idx
from ganaug.datasets.mnist import CLASSES
from ganaug.errors import UserError
from ganaug.randomness import derive
from ganaug.stages import Pool
from sweeps import study_file
from sweeps.collect import write_folder
from sweeps.execute import Evaluator
from sweeps.export import Format, formats
from sweeps.export.cell import export_cell
from sweeps.export.choose import choose
from sweeps.export.collection import Collection
from sweeps.export.images import export_images
from sweeps.export.names import class_folders
from sweeps.grid import Grid, open_grid
from sweeps.plan import generator_of
from sweeps.run_folder import Row, RunFolder
from sweeps.store import Store

STUDY = (
    TINY
    + """\
primary: {n_real: 5, n_gen: 6, threshold: 0.5, against: duplicated}
controls: {arms: [duplicated, shuffled, more-real]}
classifier_seeds: 2
"""
)
ARMS = ("real-only", "generated", "shuffled", "duplicated", "more-real")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Made:
    """A run folder, its store, and its grid."""

    folder: Path
    store: Store
    grid: Grid

    @property
    def run(self) -> analysis.Run:
        return analysis.load(self.folder)

    def key(self, arm: str, **factors: Any) -> str:
        """The first cell of an arm with these factors."""
        wanted = {"arm": arm, "n_real": 5, **factors}
        return next(k for k, own in self.grid.factors.items() if all(own[f] == v for f, v in wanted.items()))

    def export(self, to: Path, form: Format = Format.folder, **options: Any) -> dict[str, Any]:
        given = {"cell": None, "best": False, "primary": False, "test": False, "store": None} | options
        return export_cell(self.folder, to, form, data=to.parent, say=lambda text: None, **given)


def make(root: Path, text: str = STUDY) -> Made:
    """A study run in this process, without Ray: records in a store, and a run folder of them."""
    (root / "tiny.yaml").write_text(text)
    store = Store(root / "store")
    grid = open_grid(study_file.load(str(root / "tiny.yaml")), root, store)
    evaluator = Evaluator(store)
    for measure in grid.measures.values():
        evaluator.get(measure)
    rows = [
        Row(key, grid.factors[key], *found)
        for key, measure in grid.measures.items()
        if (found := store.load(measure)) is not None
    ]
    extra = {"computed": {}, "reused": {}, "seconds": 0.0, "workers": 1, "command": "ganaug run tiny.yaml"}
    write_folder(grid, store, RunFolder(root / "run"), rows, extra, {})
    return Made(root / "run", store, grid)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made"))


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "provenance.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def in_order(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The PNGs read by our folder data set, put back in the order that their names state."""
    dataset = load_folder(folder, size=8)
    names = [p.name for home in sorted(folder.iterdir()) if home.is_dir() for p in sorted(home.iterdir())]
    order = np.argsort([int(name.split("_")[0]) for name in names])
    return dataset.images[order], dataset.labels[order]


@pytest.mark.parametrize("arm", ARMS)
def test_an_exported_folder_trains_to_the_same_predictions(made: Made, tmp_path: Path, arm: str) -> None:
    key = made.key(arm)
    told = made.export(tmp_path / "out", cell=key[:20])
    images, labels = in_order(tmp_path / "out")
    stage = made.grid.measures[key].classifiers[0]
    record = made.store.load(made.grid.measures[key])
    assert record is not None
    assert told["images"] == len(labels) == record[0].facts["n_train"]
    for classifier, wanted in zip(made.grid.measures[key].classifiers, record[0].arrays["predictions"], strict=True):
        seed = derive(stage.split.seed, "member", classifier.member)
        net, _ = fit(stage.classifier, images, labels, 10, seed, stage.da, stage.strength)
        assert predict(net, made.grid.test.arrays["images"]).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("arm", ARMS)
def test_provenance_has_a_line_per_image(made: Made, tmp_path: Path, arm: str) -> None:
    key = made.key(arm)
    measure = made.grid.measures[key]
    made.export(tmp_path / "out", cell=key)
    told = lines(tmp_path / "out")
    ids = Evaluator(made.store).get(measure.classifiers[0]).arrays["ids"]
    assert [line["id"] for line in told] == ids.tolist()
    assert [int(line["position"]) for line in told] == list(range(len(told)))
    pngs = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")}
    assert {line["file"] for line in told} == pngs
    assert all(line["file"].startswith(f"{line['class']}/") for line in told)
    assert {line["kind"] for line in told} == {"real", arm} - {"real-only"}
    assert {(line["seed"], line["dataset"]) for line in told} == {("0", "digits")}
    assert all(line["licence"].startswith("CC BY 4.0") for line in told)
    extra = [line for line in told if line["kind"] != "real"]
    generator = generator_of(measure)
    if generator is None:
        assert not any(line["generator"] or line["place"] or line["probability"] for line in told)
        assert not (tmp_path / "out/generator.json").exists()
        return
    assert all(line["generator"] == generator.key for line in extra)
    assert all(line["id"] == f"{generator.key[:12]}/{line['drawn_as']}/{line['place']}" for line in extra)
    assert all(0 <= float(line["probability"]) <= 1 for line in extra)
    assert (arm == "generated") == all(line["class"] == line["drawn_as"] for line in extra)


def test_an_export_says_what_it_is(made: Made, tmp_path: Path) -> None:
    told = made.export(tmp_path / "out")
    assert json.loads((tmp_path / "out/export.json").read_text()) == told
    assert told["chosen"] == "primary"
    assert told["cell"] == made.key("generated", threshold=0.5)
    assert told["factors"]["seed"] == 0
    assert told["per_class"]["real"] == [5] * 10
    text = (tmp_path / "out/README.txt").read_text()
    for part in ("arm generated", "n_real 5, n_gen 6, threshold 0.5", "CC BY 4.0", f"torch {version('torch')}"):
        assert part in text


def test_a_starved_cell_is_exported_as_it_is(tmp_path: Path) -> None:
    made = make(tmp_path, TINY.replace("threshold: [0, 0.5]", "threshold: [0.999]").replace("[0, 1]", "[0]"))
    key = made.key("generated")
    told = made.export(tmp_path / "out", cell=key)
    assert set(made.run.cells.set_index("cell").loc[key, ["status"]]) == {"starved"}
    assert sum(told["per_class"].get("generated", [])) < 60
    assert in_order(tmp_path / "out")[1].tolist() == [int(line["label"]) for line in lines(tmp_path / "out")]


def test_a_cell_with_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    nothing = TINY.replace("n_gen: [0, 6]", "n_gen: [6]").replace("threshold: [0, 0.5]", "threshold: [0.999]")
    text = nothing.replace("classifier: {", "classifier: {include_real: false, ").replace("seed: [0, 1]", "seed: [0]")
    made = make(tmp_path, text)
    with pytest.raises(UserError, match=r"^cell [0-9a-f]{12}: (starved|diverged), so it has no training set: "):
        made.export(tmp_path / "out", cell=made.key("generated"))
    assert not (tmp_path / "out").exists()


def test_test_images_lie_apart(made: Made, tmp_path: Path) -> None:
    told = made.export(tmp_path / "out", test=True)
    dataset = load_folder(tmp_path / "out", size=8)
    assert dataset.test is not None
    assert dataset.test.sum() == 700
    assert told["test_per_class"] == [70] * 10
    test = made.grid.test.arrays
    order = np.argsort(test["labels"], kind="stable")  # a folder is read class by class
    assert dataset.images[dataset.test].tobytes() == test["images"][order].tobytes()
    ids = {line["kind"]: set() for line in lines(tmp_path / "out")}
    for line in lines(tmp_path / "out"):
        ids[line["kind"]].add(line["id"])
    assert ids["test"] == set(map(str, test["ids"]))
    assert not ids["test"] & (ids["real"] | ids["generated"])


def test_safetensors_hold_the_same(made: Made, tmp_path: Path) -> None:
    made.export(tmp_path / "png")
    made.export(tmp_path / "out", Format.safetensors, test=True)
    images, labels = in_order(tmp_path / "png")
    with safe_open(tmp_path / "out/images.safetensors", "np") as file:
        told = {k: json.loads(v) for k, v in file.metadata().items()}
        assert file.get_tensor("images").tobytes() == images.tobytes()
        assert file.get_tensor("labels").tolist() == labels.tolist()
        assert file.get_tensor("test_images").tobytes() == made.grid.test.arrays["images"].tobytes()
        kinds = [told["kinds"][k] for k in file.get_tensor("kinds")]
        likely = file.get_tensor("probabilities")
    rows = lines(tmp_path / "png")
    assert told["ids"] == [row["id"] for row in rows]
    assert kinds == [row["kind"] for row in rows]
    assert [float(row["probability"]) for row in rows if row["probability"]] == pytest.approx(
        likely[~np.isnan(likely)].tolist(), rel=1e-7
    )


def test_idx_is_read_by_ours_and_by_torchvisions_reader(made: Made, tmp_path: Path) -> None:
    made.export(tmp_path / "png")
    made.export(tmp_path / "out", Format.idx, test=True)
    images, labels = in_order(tmp_path / "png")
    raw = tmp_path / "out/MNIST/raw"
    assert read_idx(raw / "train-images-idx3-ubyte", ndim=3).tobytes() == images.tobytes()
    assert read_idx(raw / "train-labels-idx1-ubyte", ndim=1).tolist() == labels.tolist()
    train, test = (MNIST(tmp_path / "out", train=train) for train in (True, False))
    assert train.data.numpy().tobytes() == images.tobytes()
    assert train.targets.tolist() == labels.tolist()
    assert test.data.numpy().tobytes() == made.grid.test.arrays["images"].tobytes()
    assert test.targets.tolist() == made.grid.test.arrays["labels"].tolist()


def some_images(channels: int, side: int, classes: tuple[str, ...]) -> Collection:
    rng = np.random.default_rng(0)
    n = 2 * len(classes)
    return Collection(
        images=rng.integers(0, 256, (n, channels, side, side), np.uint8),
        labels=np.arange(n) % len(classes),
        ids=np.arange(n).astype(np.str_),
        kinds=np.full(n, "real"),
        probabilities=np.full(n, np.nan, np.float32),
        classes=classes,
        dataset="mine",
        seed=0,
    )


FASHION = (*CLASSES["fashion-mnist"], "x")


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (1, 28), (3, 32), (3, 17)])
def test_pngs_come_back_unchanged_under_the_same_labels(tmp_path: Path, channels: int, side: int) -> None:
    collection = some_images(channels, side, FASHION)
    formats.write_images(Format.folder, tmp_path, collection)
    order = np.argsort(collection.labels, kind="stable")
    ours = load_folder(tmp_path, size=side)
    assert ours.images.shape == collection.images.shape
    assert ours.images.tobytes() == collection.images[order].tobytes()
    assert ours.labels.tolist() == collection.labels[order].tolist()
    theirs = ImageFolder(str(tmp_path))
    assert [label for _, label in theirs.samples] == collection.labels[order].tolist()
    pixels = np.asarray(theirs[0][0]).transpose(2, 0, 1)  # always RGB
    assert (pixels[:channels] == collection.images[order[0]]).all()


def test_colour_does_not_go_into_idx(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        formats.write_images(Format.idx, tmp_path, some_images(3, 8, ("a", "b")))
    assert str(refused.value) == (
        "--format idx: must be grey images, MNIST's format has no colour, got 3 channels; use folder or safetensors"
    )
    with pytest.raises(UserError, match=r"^--format idx: must have at most 256 classes, got 257; use folder"):
        formats.write_images(Format.idx, tmp_path, some_images(1, 8, tuple(map(str, range(257)))))


@pytest.mark.parametrize(
    ("classes", "folders"),
    [
        (tuple("0123456789"), tuple("0123456789")),
        (("cat", "dog"), ("cat", "dog")),
        (("dog", "cat"), ("0_dog", "1_cat")),
        (("2", "10"), ("0_2", "1_10")),  # letter by letter 10 comes first
        (("a", "A"), ("0_a", "1_A")),
        (("../up", "/etc", "..", ""), ("0__up", "1__etc", "2", "3")),
        (("C/c", "con", "lpt1.x"), ("C_c", "_con", "_lpt1.x")),
        ((".hidden", "é", "e\u0301"), ("0_hidden", "1_é", "2_é")),
        (("line\nbreak", "tab\t"), ("line_break", "tab_")),
    ],
)
def test_class_folders(classes: tuple[str, ...], folders: tuple[str, ...]) -> None:
    assert class_folders(classes) == folders


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=90), min_size=1, max_size=12))
def test_any_class_names_give_safe_folders_in_the_order_of_the_labels(classes: list[str]) -> None:
    folders = class_folders(tuple(classes))
    assert sorted(folders) == list(folders)
    assert len({name.casefold() for name in folders}) == len(classes)
    for name in folders:
        assert Path(name).name == name
        assert name not in ("", ".", "..")
        assert not name.startswith(".")
        assert not name.endswith((".", " "))
        assert len(name.encode()) <= 255
        assert name.isprintable()


def test_a_pool_that_was_removed_is_drawn_again(made: Made, tmp_path: Path) -> None:
    made.export(tmp_path / "before")
    root = tmp_path / "store"
    shutil.copytree(made.store.place.root, root)
    shutil.rmtree(root / "manifests/pool")
    said: list[str] = []
    again = {"cell": None, "best": False, "primary": False, "test": False, "store": str(root), "data": tmp_path}
    export_cell(made.folder, tmp_path / "pool", Format.folder, **again, say=said.append)
    assert len(said) == 1, "the generator is there, so nothing is trained"
    assert same_images(tmp_path / "before", tmp_path / "pool")

    shutil.rmtree(root / "manifests/pool")
    shutil.rmtree(root / "manifests/fit_gan")
    export_cell(made.folder, tmp_path / "gan", Format.folder, **again, say=said.append)
    assert said[-1].startswith("The store has lost generator ")
    assert said[-1].endswith(": training it again, 4 steps")
    assert same_images(tmp_path / "before", tmp_path / "gan")
    assert Store(root).keys("fit_gan") <= made.store.keys("fit_gan")


def same_images(one: Path, other: Path) -> bool:
    files = [{p.relative_to(f): p.read_bytes() for p in f.rglob("*.png")} for f in (one, other)]
    weights = [(f / "generator.safetensors").read_bytes() for f in (one, other)]
    return files[0] == files[1] and weights[0] == weights[1]


def test_a_full_disk_leaves_nothing(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    real, written = formats._png, []

    def png(path: Path, image: np.ndarray) -> None:
        if len(written) == 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        real(path, image)

    monkeypatch.setattr(formats, "_png", png)
    with pytest.raises(UserError) as refused:
        made.export(place / "out")
    assert str(refused.value) == (
        f"--to {place / 'out'}: cannot be written: No space left on device; nothing is left there"
    )
    assert len(written) == 40
    assert not list(place.iterdir())


def test_a_place_that_is_taken_is_refused(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("precious")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(UserError, match=rf"^--to .*{name}: must be a new or an empty folder, got one that is"):
            made.export(tmp_path / name)
    assert (tmp_path / "full/mine").read_text() == (tmp_path / "file").read_text() == "precious"
    with pytest.raises(UserError, match=r"^--to .*below: cannot be written: "):
        made.export(tmp_path / "file/below")
    monkeypatch.chdir(tmp_path / "full")
    with pytest.raises(UserError, match=r"^--to \.: must not be the folder you are in; name one to be made$"):
        made.export(Path("."))
    (tmp_path / "empty").mkdir()
    made.export(tmp_path / "empty")
    assert (tmp_path / "empty/export.json").exists()


def records(made: Made, accuracy: Callable[[dict[str, Any]], float]) -> analysis.Run:
    """The run, with other accuracies."""
    run = made.run
    rows = run.cells.to_dict("records")
    return replace(run, cells=run.cells.assign(accuracy=pd.array([accuracy(r) for r in rows], "Float64")))


def test_best_is_the_highest_mean_over_seeds_that_does_not_hurt(made: Made) -> None:
    def lucky(row: dict[str, Any]) -> float:
        if row["arm"] != "generated":
            return 0.9 if row["arm"] == "real-only" else 0.99
        setting = (row["n_real"], row["threshold"])
        per_seed = {(3, 0.0): (0.97, 0.5), (3, 0.5): (0.8, 0.82), (5, 0.0): (0.85, 0.7), (5, 0.5): (0.6, 0.6)}
        return per_seed[setting][row["seed"]]

    chosen = choose(records(made, lucky), made.grid, None, best=True, primary=False)
    assert made.grid.factors[chosen.key] | {"n_real": 3, "threshold": 0.5, "seed": 0} == made.grid.factors[chosen.key]
    assert "over 2 seeds" in chosen.why
    assert "flattered by the choice" in chosen.why

    def harmful(row: dict[str, Any]) -> float:
        own = 0.9 if row["n_real"] == 5 else 0.2
        hurt = 0.3 + 0.001 * row["seed"] if row["n_real"] == 5 else -0.1 + 0.1 * row["seed"]
        return own - hurt if row["arm"] == "generated" else own

    chosen = choose(records(made, harmful), made.grid, None, best=True, primary=False)
    assert made.grid.factors[chosen.key]["n_real"] == 3, "0.6 is more than 0.25, but it hurts"
    with pytest.raises(UserError, match=r"^--best: every setting of .* hurts, so none is best; name one with --cell$"):
        choose(records(made, lambda r: harmful(r | {"n_real": 5})), made.grid, None, best=True, primary=False)


def test_a_cell_by_its_key(made: Made) -> None:
    keys = sorted(made.grid.measures)
    assert len(keys) > 16, "so that two keys begin with one digit"
    digits = next(n for n in range(64) if len({k[:n] for k in keys}) == len(keys))
    assert choose(made.run, made.grid, keys[0][:digits], False, False).key == keys[0]
    twice = next(a[0] for a, b in pairwise(keys) if a[0] == b[0])
    with pytest.raises(UserError, match=rf"^--cell {twice}: \d+ cells of .* begin so \(.*\); give more of the key$"):
        choose(made.run, made.grid, twice, False, False)
    for prefix in ("", "xyz", keys[0] + "0"):
        with pytest.raises(UserError, match=rf"^--cell '{prefix}': no cell of .* has a key that begins so; the keys"):
            choose(made.run, made.grid, prefix, False, False)
    ghost = made.run.cells.assign(cell=["f" * 64, *made.run.cells["cell"][1:]])
    with pytest.raises(UserError, match=r"is not what its study makes today: its data set or ganaug has changed"):
        choose(replace(made.run, cells=ghost), made.grid, "f" * 64, False, False)


def test_a_wish_is_needed_and_one_is_enough(made: Made) -> None:
    with pytest.raises(UserError, match=r"^--cell, --best and --primary exclude each other; give one of them$"):
        choose(made.run, made.grid, "ab", True, False)
    aimless = replace(made.run, summary=made.run.summary | {"primary": None})
    with pytest.raises(UserError, match=r"which cell\? --best is .* --cell KEY any one .* no primary contrast$"):
        choose(aimless, made.grid, None, False, False)
    with pytest.raises(UserError, match=r"^--primary: the study of .* names no primary contrast; use --best or"):
        choose(aimless, made.grid, None, False, True)
    assert choose(made.run, made.grid, None, False, True) == choose(made.run, made.grid, None, False, False)


def test_images_from_an_exported_generator(made: Made, tmp_path: Path) -> None:
    key = made.export(tmp_path / "out")["cell"]
    generator = generator_of(made.grid.measures[key])
    assert generator is not None
    pool = Evaluator(made.store).get(Pool(generator, 0, 10)).arrays["images"]
    said: list[str] = []
    told = export_images(tmp_path / "out", tmp_path / "more", Format.folder, 7, ["3,5"], 0, None, None, said.append)
    dataset = load_folder(tmp_path / "more", size=8)
    assert dataset.classes == ("3", "5")
    assert dataset.images.reshape(2, 7, 1, 8, 8).tobytes() == pool[[3, 5], :7].tobytes()
    assert told["own_stream"]
    assert told["dataset"] == "digits"
    assert {row["generator"] for row in lines(tmp_path / "more")} == {generator.key}
    assert said == []
    export_images(tmp_path / "out", tmp_path / "other", Format.idx, 7, [], 0, 1, None, said.append)
    assert read_idx(tmp_path / "other/MNIST/raw/train-images-idx3-ubyte", 3)[:7].tobytes() != pool[0, :7].tobytes()


def test_a_filter_that_starves_is_said(made: Made, tmp_path: Path) -> None:
    made.export(tmp_path / "out")
    config = tmp_path / "out/generator.json"
    assert json.loads(config.read_text())["chunk"] == 10
    whole = export_images(tmp_path / "out", tmp_path / "all", Format.safetensors, 30, [], 0, None, 30, print)
    likely = sorted(float(row["probability"]) for row in lines(tmp_path / "all"))
    assert whole["starved"] == []
    said: list[str] = []
    few = export_images(tmp_path / "out", tmp_path / "few", Format.folder, 29, [], likely[-20], None, 30, said.append)
    assert len(few["starved"]) == 10
    assert sum(few["per_class"]["generated"]) >= 20
    assert said[0].startswith("The filter starved: 10 of 10 classes got fewer than 29 images within 30 candidates: 0 (")
    with pytest.raises(UserError, match=r"^--threshold 1\.0: none of 30 images per class passed the filter; lower it"):
        export_images(tmp_path / "out", tmp_path / "none", Format.folder, 5, [], 1.0, None, 30, print)
    assert not (tmp_path / "none").exists()


def loaded_by(arguments: list[str], heavy: tuple[str, ...], cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The command line in a process of its own, which ends by saying which of `heavy` it has loaded."""
    code = (
        "import sys\nfrom sweeps.cli import main\nsys.argv[0] = 'ganaug'\n"
        "try:\n    main()\nfinally:\n    print('loaded:', *sorted(set(sys.modules) & set(sys.stdin.read().split())))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], input=" ".join(heavy),
        cwd=cwd, capture_output=True, text=True, timeout=60, env=environment(),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["export", "generate"])
def test_help_loads_nothing_heavy(command: str, tmp_path: Path) -> None:
    done = loaded_by([command, "--help"], ("torch", "ray", "numpy", "pandas", "matplotlib", "pyarrow"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_the_commands(made: Made, tmp_path: Path) -> None:
    done = loaded_by(["export", str(made.folder), "--best", "--to", "out", "--with-test"], ("ray",), tmp_path)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert "chosen by the test accuracy of this run, so that accuracy is flattered by the choice" in told[0]
    assert told[1].endswith("700 test images apart; README.txt there says what they are")
    command = json.loads((tmp_path / "out/export.json").read_text())["command"]
    assert command == f"ganaug export {made.folder} --best --to out --with-test"

    heavy = ("ray", "pandas", "sweeps.store", "sweeps.execute", "sweeps.run", "analysis")
    done = loaded_by(["generate", "out", "--n", "3", "--classes", "1", "--to", "more"], heavy, tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (
        0, ["more: 3 images (3 generated); README.txt there says what they are", "loaded:"]
    ), done.stderr  # fmt: skip


def test_a_study_of_an_exported_folder(made: Made, tmp_path: Path) -> None:
    """As docs/export.md shows it: the same test images, and training images that are all of the export."""
    made.export(tmp_path / "out", test=True)
    (tmp_path / "again.yaml").write_text(
        "dataset: {name: folder, path: out, size: 8, validation_per_class: 1}\n"
        "factors: {n_real: [4]}\ngan: {name: projection}\nclassifier: {steps: 5, width: 8}\n"
    )
    store = Store(tmp_path / "store")
    grid = open_grid(study_file.load(str(tmp_path / "again.yaml")), tmp_path, store)
    assert sorted(grid.test.arrays["labels"]) == sorted(made.grid.test.arrays["labels"])
    (measure,) = grid.measures.values()
    assert Evaluator(store).get(measure).facts["n_train"] == 40


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "nowhere", "--to", "out"], "nowhere: no such run folder"),
        (["export", "RUN", "--to", "out", "--cell", "xyz"], "--cell 'xyz': no cell of "),
        (["generate", "nowhere", "--to", "out"], "nowhere/generator.json: cannot be read: No such file"),
        (["generate", "GENERATOR", "--to", "out", "--classes", "0,x"], "--classes: no class 'x'; there are 0, 1, 2"),
        (["generate", "GENERATOR", "--to", "out", "--threshold", "1.3"], "--threshold: must lie in [0, 1], got 1.3"),
        (["generate", "GENERATOR", "--to", "out", "--threshold", "nan"], "--threshold: must lie in [0, 1], got nan"),
        (
            ["generate", "GENERATOR", "--to", "out", "--max-candidates", "9"],
            "--max-candidates: must be at least --n (100), got 9",
        ),
    ],
)
def test_a_mistake_is_one_line(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], told: str,
) -> None:  # fmt: skip
    from sweeps.cli import main

    monkeypatch.chdir(tmp_path)
    if "GENERATOR" in arguments:
        made.export(tmp_path / "generator")
    named = {"RUN": str(made.folder), "GENERATOR": "generator"}
    monkeypatch.setattr(sys, "argv", ["ganaug", *(named.get(a, a) for a in arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert told in said[0]
    assert not (tmp_path / "out").exists()


def test_a_store_that_has_moved(made: Made, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(made.folder, run)
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"store": str(tmp_path / "gone")}))
    moved = replace(made, folder=run)
    with pytest.raises(UserError, match=r"summary\.json: its store .*gone is not here; say where it is with --store$"):
        moved.export(tmp_path / "out")
    with pytest.raises(UserError, match=r"^--store .*gone: must be the store of .*run, got no such directory$"):
        moved.export(tmp_path / "out", store=str(tmp_path / "gone"))
    assert not (tmp_path / "gone").exists(), "an empty store would hide the mistake"
    moved.export(tmp_path / "out", store=made.store.uri)
