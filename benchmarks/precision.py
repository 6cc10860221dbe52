"""Is a classifier trained in bfloat16 as good as one trained in float32? Paired seeds, on digits and letters.

    python benchmarks/precision.py [--seeds 20]

prints a table: both accuracies and their difference with its 95 % interval, which is to lie inside 0.3 points. One
core, about eight minutes.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: its statistics.py would hide Python's own
# ruff: noqa: E402  (the imports below need that line first)

import numpy as np
import torch

from benchmarks.letters import letters
from benchmarks.pages import table
from benchmarks.sides import difference
from ganaug.classifiers.fit import fit, predict
from ganaug.datasets.digits import load_digits
from ganaug.specs import ClassifierSpec

Images = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Training images with labels, test images with labels."""


def digits() -> Images:
    data = load_digits(Path())
    at = np.random.default_rng(0).permutation(len(data.labels))
    train, test = at[:900], at[900:]
    return data.images[train], data.labels[train], data.images[test], data.labels[test]


def accuracy(spec: ClassifierSpec, images: Images, seed: int) -> float:
    x, y, test, test_labels = images
    net, _ = fit(spec, x, y, int(y.max()) + 1, seed)
    return 100 * float((predict(net, test) == test_labels).mean())


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--seeds", type=int, default=20)
    seeds = options.parse_args().seeds
    torch.set_num_threads(1)
    rows = []
    studies: dict[str, tuple[Images, ClassifierSpec]] = {
        "digits, cnn": (digits(), ClassifierSpec(steps=300)),
        "digits, deep": (digits(), ClassifierSpec(name="deep", width=16, steps=300)),
        "letters, cnn": (letters(), ClassifierSpec(steps=200, batch=128)),
    }
    for name, (images, spec) in studies.items():
        said = {
            p: [accuracy(spec.model_copy(update={"precision": p}), images, seed) for seed in range(seeds)]
            for p in ("float32", "bfloat16")
        }
        means = [f"{np.mean(values):.2f}" for values in said.values()]
        rows.append([name, *means, difference(said["bfloat16"], said["float32"])])
    print(table(["data, network", "float32, %", "bfloat16, %", "difference"], rows))


if __name__ == "__main__":
    main()
