"""The obvious sweep: a Ray Tune function that trains a GAN and a classifier for every grid point.

    python benchmarks/obvious/sweep.py CELLS.json OUT.json

CELLS.json: a list of objects with n_real, n_gen, threshold and seed. OUT.json: `seconds` that the trials took, without
Ray's own start, and `accuracy` per cell in per cent.
"""

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)

UPDATES, BATCH, TEST_PER_CLASS, MOST = 300, 64, 70, 1000


def split(n_real: int, seed: int):
    """Of scikit-learn's digits: `n_real` per class to train on, and 70 per class to test on, the same for all seeds."""
    import numpy as np
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    images = np.rint(x.reshape(-1, 1, 8, 8) * 255 / 16).astype(np.uint8)
    fixed, own = np.random.default_rng(0), np.random.default_rng(seed)
    train, test = [], []
    for c in range(10):
        of_class = fixed.permutation(np.flatnonzero(y == c))
        test.append(of_class[:TEST_PER_CLASS])
        train.append(own.permutation(of_class[TEST_PER_CLASS:])[:n_real])
    train, test = np.concatenate(train), np.concatenate(test)
    return images[train], y[train], images[test], y[test]


def generated(generator, discriminator, n_gen: int, threshold: float):
    """The first `n_gen` images per class whose sigmoid score is at least the threshold."""
    import numpy as np
    import torch

    images, labels = [], []
    with torch.no_grad():
        for c in range(10):
            kept: list = []
            seen = 0
            while sum(map(len, kept)) < n_gen and seen < MOST:
                asked = torch.full((100,), c)
                fake = generator(torch.randn(100, 64), asked)
                kept.append(fake[torch.sigmoid(discriminator(fake, asked)) >= threshold])
                seen += 100
            of_class = torch.cat(kept)[:n_gen]
            images.append(((of_class + 1) * 127.5).round().to(torch.uint8).numpy())
            labels.append(np.full(len(of_class), c))
    return np.concatenate(images), np.concatenate(labels)


def trial(config: dict) -> None:
    import numpy as np
    from ray import tune

    from benchmarks.obvious import classifier, projection
    from ganaug.specs import ProjectionSpec

    x, y, test, test_labels = split(config["n_real"], config["seed"])
    if config["n_gen"]:
        spec = ProjectionSpec(name="projection")
        generator, discriminator = projection.train(x, y, 10, config["seed"], UPDATES, spec)
        more, more_labels = generated(generator, discriminator, config["n_gen"], config["threshold"] or 0.0)
        x, y = np.concatenate([x, more]), np.concatenate([y, more_labels])
    net = classifier.train(x, y, 10, config["seed"], UPDATES, BATCH)
    tune.report({"accuracy": classifier.accuracy(net, test, test_labels)})


def main() -> None:
    import os

    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray
    from ray import tune

    cells = json.loads(Path(sys.argv[1]).read_text())
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
             runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}})  # fmt: skip
    began = time.perf_counter()
    results = tune.Tuner(
        tune.with_resources(lambda config: trial(config["cell"]), {"cpu": 1}),
        param_space={"cell": tune.grid_search(cells)},
        run_config=tune.RunConfig(verbose=0, storage_path=str(Path(sys.argv[2]).resolve().parent / "tune")),
    ).fit()
    seconds = time.perf_counter() - began
    if results.errors:
        raise SystemExit(str(results.errors[0]))
    accuracy = [result.metrics["accuracy"] for result in results]
    Path(sys.argv[2]).write_text(json.dumps({"seconds": seconds, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
