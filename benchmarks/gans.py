"""Training of the two GANs beside their obvious loops: two workers of one thread each."""

import numpy as np
import torch

from benchmarks.letters import CLASSES, letters
from benchmarks.obvious import cgan, projection
from benchmarks.sides import Row, Side, Workers, alternate, difference
from ganaug.classifiers.fit import fit
from ganaug.classifiers.networks import Network
from ganaug.gans.training import train
from ganaug.images import to_float, to_uint8
from ganaug.specs import CganSpec, ClassifierSpec, ProjectionSpec
from sweeps.engine import WORKER_ENVIRONMENT

PER_CLASS, LATENT = 40, {"cgan": 100, "projection": 64}
STEPS = {"cgan": 250, "projection": 60}
PAIRS = {"cgan": 4, "projection": 3}
SPECS = {"cgan": CganSpec(name="cgan"), "projection": ProjectionSpec(name="projection")}
_JUDGE: list[Network] = []


def judge() -> Network:
    """A classifier of the letters, one for all sides."""
    if not _JUDGE:
        x, y, _, _ = letters()
        _JUDGE.append(fit(ClassifierSpec(steps=200, width=16), x, y, CLASSES, 0)[0])
    return _JUDGE[0]


def recognised(generator: torch.nn.Module, latent: int) -> float:
    """Per cent of generated letters that a classifier of real ones takes for what they were asked to be."""
    net, labels = judge(), torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    z = torch.randn(len(labels), latent, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        images = to_float(to_uint8(generator.eval()(z, labels)))
        return 100 * float((net(images).argmax(1) == labels).double().mean())


def plain(seed: int, name: str, steps: int) -> float:
    x, y, _, _ = letters()
    if name == "cgan":
        generator = cgan.train(x, y, CLASSES, seed, steps)
    else:
        generator, _ = projection.train(x, y, CLASSES, seed, steps, ProjectionSpec(name="projection"))
    return recognised(generator, LATENT[name])


def ours(seed: int, name: str, steps: int, precision: str) -> float:
    x, y, _, _ = letters()
    spec = SPECS[name].model_copy(update={"steps": steps, "precision": precision})
    trained = train(spec, torch.from_numpy(x), torch.from_numpy(y), CLASSES, seed)
    return recognised(trained.generator, LATENT[name])


def part(precisions: list[str]) -> list[Row]:
    """Both GANs on 26 x 300 letters."""
    rows = []
    targets = {("cgan", "float32"): 2.0, ("cgan", "bfloat16"): 3.5, ("projection", "bfloat16"): 1.5}
    against = {"cgan": "the tutorials' loop, two workers", "projection": "its own straightforward loop, two workers"}
    for name, steps in STEPS.items():
        old, new = Workers(2, {}), Workers(2, WORKER_ENVIRONMENT)
        kinds = {p: Side(new, ours, (name, steps, p)) for p in precisions}
        sides = {"obvious": Side(old, plain, (name, steps))} | kinds
        for side in sides.values():
            side.workers.seconds(side.work, [0, 1], name, 2, *side.told[2:])
        alternate(sides, PAIRS[name])
        old.close()
        new.close()
        base = sides["obvious"]
        for p, side in kinds.items():
            said = f"{np.mean(side.quality):.1f} % recognised, {difference(side.quality, base.quality)}"
            rows.append(Row(f"{name}, {p}", against[name], targets.get((name, p)), side.ratios(base), said))
    return rows
