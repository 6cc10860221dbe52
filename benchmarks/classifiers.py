"""Classifier fits, and the training of the GANs, beside the obvious script: two workers of one thread each."""

import numpy as np
import torch

from benchmarks.letters import CLASSES, letters
from benchmarks.obvious import classifier as obvious
from benchmarks.sides import Row, Side, Workers, alternate, difference
from ganaug.classifiers.fit import fit, predict
from ganaug.specs import ClassifierSpec
from sweeps.engine import WORKER_ENVIRONMENT

BATCH, UPDATES, PAIRS = 128, 122, 5  # twice through 26 x 300 images; a pair is a fit on each core, so 10 seeds


def plain(seed: int, updates: int) -> float:
    x, y, test, test_labels = letters()
    return obvious.accuracy(obvious.train(x, y, CLASSES, seed, updates, BATCH), test, test_labels)


def ours(seed: int, updates: int, precision: str) -> float:
    x, y, test, test_labels = letters()
    spec = ClassifierSpec(steps=updates, batch=BATCH, precision=precision)
    net, _ = fit(spec, x, y, CLASSES, seed)
    return 100 * float((predict(net, test) == test_labels).mean())


def flops_of_update() -> int:
    """Floating-point operations of an update: a multiplication and an addition are two."""
    from torch.utils.flop_counter import FlopCounterMode

    from ganaug.classifiers.networks import build

    net = build(ClassifierSpec(), (1, 28, 28), CLASSES, 0)
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(BATCH, 1, 28, 28)).sum().backward()
    return int(counter.get_total_flops())


def part(precisions: list[str]) -> list[Row]:
    """Fits of the small classifier on 26 x 300 letters, evaluation on test images included."""
    old, new = Workers(2, {}), Workers(2, WORKER_ENVIRONMENT)
    kinds = {p: Side(new, ours, (UPDATES, p)) for p in precisions}
    sides = {"obvious": Side(old, plain, (UPDATES,))} | kinds
    for side in sides.values():  # imports, images and oneDNN's choices are made before the clock runs
        side.workers.seconds(side.work, [0, 1], 2, *side.told[1:])
    alternate(sides, PAIRS)
    old.close()
    new.close()
    base, rows = sides["obvious"], []
    for precision, target in (("float32", 2.3), ("bfloat16", 4.2)):
        if precision not in kinds:
            continue
        side = kinds[precision]
        seconds = float(np.median(side.seconds)) / UPDATES
        rate = flops_of_update() / seconds / 1e9
        said = (
            f"{np.mean(side.quality):.2f} % right, {difference(side.quality, base.quality)}; {rate:.0f} GFLOP/s a core"
        )
        rows.append(
            Row(f"classifier fits, {precision}", "DataLoader, PIL, two workers", target, side.ratios(base), said)
        )
    return rows
