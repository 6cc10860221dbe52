"""What an export says of itself: provenance.csv, a line per image; export.json for programs; README.txt for people."""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sweeps.export import Format
from sweeps.export.collection import Collection
from sweeps.export.formats import Files
from sweeps.export.names import class_folders

LICENCES = {
    "digits": "CC BY 4.0 (UCI Machine Learning Repository, Optical Recognition of Handwritten Digits)",
    "mnist": "CC BY-SA 3.0 (Yann LeCun and Corinna Cortes; a derivative of NIST's data)",
    "kmnist": "CC BY-SA 4.0 (ROIS-DS Center for Open Data in the Humanities)",
    "fashion-mnist": "MIT (Zalando SE)",
    "emnist": "none stated; made by NIST, an agency of the United States, from its Special Database 19",
}
UNKNOWN = "not known to ganaug; ask whoever the images come from"

COLUMNS = (
    "file", "position", "class", "label", "kind", "id", "generator", "drawn_as", "place", "probability", "seed",
    "dataset", "licence",
)  # fmt: skip


def licence(dataset: str) -> str:
    """What is known of the licence of a data set's images."""
    return LICENCES.get(dataset, UNKNOWN)


def _drawn(collection: Collection, i: int) -> tuple[str, str]:
    """The class a generated image was drawn as and its place in that class's stream, from its id."""
    _, label, place = str(collection.ids[i]).split("/")
    return collection.classes[int(label)], place


def _lines(collection: Collection, files: Files) -> Iterator[tuple[Any, ...]]:
    note, drawn = licence(collection.dataset), collection.drawn
    for i, (label, kind, probability) in enumerate(
        zip(collection.labels, collection.kinds, collection.probabilities, strict=True)
    ):
        likely = "" if math.isnan(probability) else f"{probability:.9g}"  # 9 digits give a float32 back
        generator, (drawn_as, place) = (collection.generator, _drawn(collection, i)) if drawn[i] else ("", ("", ""))
        yield (
            files[i], i, collection.classes[label], label, kind, collection.ids[i], generator, drawn_as, place, likely,
            collection.seed, collection.dataset, note,
        )  # fmt: skip


def write_provenance(path: Path, collection: Collection, files: Files) -> None:
    """A line per image, in the order of the training set, test images after it."""
    n = len(collection.labels)
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_lines(collection, files[:n]))
        if collection.test is not None:
            writer.writerows(_lines(collection.test, files[n:]))


def contents(collection: Collection, form: Format) -> dict[str, Any]:
    """What is in the files, for export.json."""
    test = collection.test
    homes = class_folders(collection.classes) if form is Format.folder else [None] * len(collection.classes)
    return {
        "format": form.value,
        "images": len(collection.labels),
        "shape": list(collection.images.shape[1:]),
        "classes": [
            {"label": i, "name": n, "folder": f} for i, (n, f) in enumerate(zip(collection.classes, homes, strict=True))
        ],
        "per_class": collection.counts(),
        "test_per_class": test.counts()["test"] if test is not None else None,
        "dataset": collection.dataset,
        "licence": licence(collection.dataset),
        "seed": collection.seed,
        "generator": collection.generator or None,
    }


_LEARNED = "Generated images were learned from these; whether the licence extends to them is not for this file to say."
_BESIDE = "generator.json and generator.safetensors are the generator: `ganaug generate` reads this folder."
_WHERE = {
    Format.folder: "A sub-folder of PNG files per class; a file's name begins with its place in the training set.",
    Format.safetensors: "images.safetensors: images uint8 (N, C, H, W), labels int64, kinds uint8 and probabilities "
    "float32 (NaN: not generated); its metadata holds classes, kinds and ids as JSON.",
    Format.idx: "MNIST/raw: MNIST's IDX files. Labels are numbers; export.json has the classes' names.",
}


def write_words(folder: Path, title: str, lines: list[str], told: dict[str, Any]) -> None:
    """README.txt and export.json."""
    (folder / "export.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sums = (f"  {kind}: {sum(counts)}" for kind, counts in told["per_class"].items())
    test = told["test_per_class"]
    text = [
        title,
        "=" * len(title),
        "",
        *lines,
        "",
        f"{told['images']} images of {' x '.join(map(str, told['shape']))} (channels, height, width):",
        *sums,
        *([f"  test, apart from the rest: {sum(test)}"] if test else []),
        "",
        _WHERE[Format(told["format"])],
        "provenance.csv says of each image where it comes from; export.json says all of this to programs.",
        *([_BESIDE] if (folder / "generator.json").exists() else []),
        "",
        f"Data set: {told['dataset']}. Licence of its images: {told['licence']}.",
        *([_LEARNED] if told["generator"] else []),
        "",
        f"Made by: {told['command']}",
        f"With: {', '.join(f'{k} {v}' for k, v in told['versions'].items())}; {told['made']}",
    ]
    (folder / "README.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
