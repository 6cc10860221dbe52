"""Members that train together against the same trainings one by one on a GPU: images per second, memory, share of peak.

    python benchmarks/gpu.py [--members 1 2 4 8 16 32 64 128] [--precisions float32 bfloat16] [--out table.md]

Needs torch, numpy, pydantic and scipy beside this repository: no Ray, no data set, no network. Some 15 minutes on one
GPU; with `--device cpu --members 1 2 --steps 4` it shows that it runs, and what a CPU makes of it.

First it is checked on the device that the ways agree. Then each way runs twice, `--warm-up` updates and `--steps` more,
and the difference of the two times counts, so that reading, stacking and recording do not. An image per second is one
real image of one member's batch. The rate of the device's own matrix product is measured beside; the share of it is of
the floating-point operations that PyTorch counts in one training alone.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # before anything else: a file beside this one has the name of a module that torch imports

# ruff: noqa: E402
import argparse
import contextlib
import gc
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from ganaug.classifiers.fit import fit
from ganaug.classifiers.fused import Member, fit_together
from ganaug.gans.fused import GanMember, train_together
from ganaug.gans.training import Trainer, train
from ganaug.specs import CganSpec, ClassifierSpec, ProjectionSpec, parse_da

SIDE, CLASSES, PER_CLASS = 28, 26, 300
SPECS: dict[str, Any] = {
    "cnn": ClassifierSpec(name="cnn", batch=128),
    "deep": ClassifierSpec(name="deep", batch=128, width=16),
    "cgan": CganSpec(name="cgan"),
    "projection": ProjectionSpec(name="projection"),
}
WAYS = ("grouped", "grouped, graph", "unfold", "unfold, graph")
CLOSE64, CLOSE32 = 1e-8, 1e-3  # weights in float64; losses in float32
PRODUCT = {"cuda": 8192, "cpu": 1024}  # side of the matrices of the product that stands for the peak


@dataclass(frozen=True)
class Work:
    """Images of glyph-like blobs, which decide nothing here, and how they are augmented for a classifier."""

    images: np.ndarray
    labels: np.ndarray
    da: tuple[str, ...]

    @classmethod
    def made(cls, per_class: int, da: str) -> "Work":
        rng = np.random.default_rng(0)
        blobs = rng.integers(0, 256, (CLASSES, 1, SIDE // 4, SIDE // 4)).repeat(4, 2).repeat(4, 3)
        noise = rng.integers(-40, 41, (CLASSES, per_class, 1, SIDE, SIDE))
        images = (blobs[:, None] + noise).clip(0, 255).astype(np.uint8).reshape(-1, 1, SIDE, SIDE)
        return cls(images, np.repeat(np.arange(CLASSES), per_class), parse_da(da))


def alone(spec: Any, work: Work, seed: int, device: str) -> tuple[dict[str, torch.Tensor], list[float]]:
    """One training by itself: weights and losses."""
    if isinstance(spec, ClassifierSpec):
        net, losses = fit(spec, work.images, work.labels, CLASSES, seed, work.da, device=device)
        return dict(net.state_dict()), losses
    images, labels = torch.from_numpy(work.images), torch.from_numpy(work.labels)
    return _of_gan(train(spec, images, labels, CLASSES, seed, device))


def together(spec: Any, work: Work, k: int, device: str, way: str) -> list[tuple[dict[str, torch.Tensor], list[float]]]:
    """The same of k trainings with seeds 0 to k - 1, in one of `WAYS`."""
    options: Any = {"how": way.split(",")[0], "graph": "graph" in way}
    if isinstance(spec, ClassifierSpec):
        members = [Member(work.images, work.labels, seed, work.da) for seed in range(k)]
        return [(dict(n.state_dict()), losses) for n, losses in fit_together(spec, members, CLASSES, device, **options)]
    images, labels = torch.from_numpy(work.images), torch.from_numpy(work.labels)
    gans = [GanMember(images, labels, seed) for seed in range(k)]
    return [_of_gan(trained) for trained in train_together(spec, gans, CLASSES, device, **options)]


def _of_gan(trained: Any) -> tuple[dict[str, torch.Tensor], list[float]]:
    nets = (("g", trained.generator), ("d", trained.discriminator))
    weights = {f"{name}.{key}": value for name, net in nets for key, value in net.state_dict().items()}
    return weights, [*trained.losses["generator"], *trained.losses["discriminator"]]


@contextlib.contextmanager
def arithmetic_of(dtype: torch.dtype) -> Iterator[None]:
    """PyTorch's default type, and no TF32."""
    before, tf32 = torch.get_default_dtype(), torch.backends.cudnn.allow_tf32
    torch.set_default_dtype(dtype)
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.set_default_dtype(before)
    torch.backends.cudnn.allow_tf32 = tf32


def agree(name: str, work: Work, device: str, ways: list[str], k: int = 3, steps: int = 8) -> Iterator[str]:
    """A table's rows: how far each way is from the trainings alone, on the device."""
    spec = SPECS[name].model_copy(update={"steps": steps, "batch": 16, "width": 8})
    for way in ways:
        found = []
        for dtype in (torch.float64, torch.float32):
            with arithmetic_of(dtype):
                whole = together(spec, work, k, device, way)
                lone = [alone(spec, work, seed, device) for seed in range(k)]
            weights = max(
                float((v.double() - b[key].double()).abs().max())
                for (a, _), (b, _) in zip(whole, lone, strict=True)
                for key, v in a.items()
            )
            losses = max(float(np.abs(np.subtract(a, b)).max()) for (_, a), (_, b) in zip(whole, lone, strict=True))
            found.append(weights if dtype == torch.float64 else losses)
        fine = found[0] < CLOSE64 and found[1] < CLOSE32
        yield f"| {name} | {way} | {found[0]:.1e} | {found[1]:.1e} | {'yes' if fine else '**no**'} |"


def timed(run: Callable[[int], object], device: str, few: int, many: int) -> tuple[float, float, str]:
    """Seconds of `many` further updates, the most memory allocated meanwhile in GiB (nan on a CPU), and a remark."""
    cuda, seconds, notes = device.startswith("cuda"), [], []
    clock = (
        time.perf_counter if cuda else time.process_time
    )  # on one thread: others' work on the machine is not counted
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    for steps in (few, few + many):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            began = clock()
            run(steps)
            if cuda:
                torch.cuda.synchronize()
            seconds.append(clock() - began)
        notes += [str(w.message) for w in said if "CUDA graph" in str(w.message)]
    memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else float("nan")
    return seconds[1] - seconds[0], memory, notes[0] if notes else ""


def rate(device: str, precision: str) -> float:
    """Floating-point operations per second of a large matrix product; float32 with TF32, as convolutions have it."""
    n = PRODUCT[torch.device(device).type]
    a = torch.randn(n, n, device=device, dtype=torch.bfloat16 if precision == "bfloat16" else torch.float32)
    before, torch.backends.cuda.matmul.allow_tf32 = torch.backends.cuda.matmul.allow_tf32, True
    best, clock = 0.0, time.perf_counter if device.startswith("cuda") else time.process_time
    for _ in range(6):
        began = clock()
        for _ in range(5):
            a @ a
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        best = max(best, 5 * 2 * n**3 / (clock() - began))
    torch.backends.cuda.matmul.allow_tf32 = before
    return best


def operations(spec: Any, work: Work) -> float:
    """Floating-point operations of one update of one training, as PyTorch counts matrix products and convolutions."""
    one = spec.model_copy(update={"steps": 1, "precision": "float32"})
    counter = FlopCounterMode(display=False)
    if isinstance(spec, ClassifierSpec):
        with counter:
            fit(one, work.images[:: PER_CLASS // 10], work.labels[:: PER_CLASS // 10], CLASSES, 0)
    else:
        trainer = Trainer(one, torch.from_numpy(work.images), torch.from_numpy(work.labels), CLASSES, 0, "cpu")
        draws = trainer.draw(0)
        with counter:
            trainer.update(draws, penalise=False)
    return float(counter.get_total_flops())


def rows(
    name: str, work: Work, told: argparse.Namespace, precision: str, peak: float, ways: list[str]
) -> Iterator[str]:
    """A table's rows of one network in one precision."""
    spec = SPECS[name].model_copy(update={"precision": precision})
    if told.batch:
        spec = spec.model_copy(update={"batch": told.batch})
    per_update = operations(spec, work)

    def of(steps: int) -> Any:
        return spec.model_copy(update={"steps": steps})

    def line(k: int, way: str, found: tuple[float, float, str], base: float) -> tuple[str, float]:
        seconds, memory, note = found
        speed = k * told.steps * spec.batch / seconds
        share = speed / spec.batch * per_update / peak
        cells = [name, precision, str(k), way, f"{speed:,.0f}", f"{speed / (base or speed):.2f}"]
        cells += [f"{1e6 * seconds / told.steps / k:,.0f}", "-" if np.isnan(memory) else f"{memory:.2f}"]
        return "| " + " | ".join([*cells, f"{100 * share:.1f} %", note]) + " |", speed

    first, base = line(
        1, "alone", timed(lambda n: alone(of(n), work, 0, told.device), told.device, told.warm_up, told.steps), 0.0
    )
    yield first
    for k in told.members:
        for way in ways:
            try:

                def run(steps: int, k: int = k, way: str = way) -> object:
                    return together(of(steps), work, k, told.device, way)

                yield line(k, way, timed(run, told.device, told.warm_up, told.steps), base)[0]
            except RuntimeError as error:  # torch.OutOfMemoryError is one
                if "out of memory" not in str(error).lower() and not isinstance(error, torch.OutOfMemoryError):
                    raise
                yield f"| {name} | {precision} | {k} | {way} | out of memory | | | | | |"
            gc.collect()
            if told.device.startswith("cuda"):
                torch.cuda.empty_cache()


def report(told: argparse.Namespace) -> Iterator[str]:
    """The page, line by line, as it is measured."""
    cuda = told.device.startswith("cuda")
    ways = [way for way in WAYS if cuda or "graph" not in way]
    work = Work.made(told.per_class, told.da)
    where = torch.cuda.get_device_name() if cuda else f"CPU {platform.machine()}, one thread"
    began = time.perf_counter()
    yield f"Device: {where}; {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}."
    yield f"Command: `python benchmarks/gpu.py {' '.join(sys.argv[1:])}`."
    if not cuda:
        torch.set_num_threads(1)  # as in a study, where each core has a trial of its own
        yield "**Not a GPU**: this shows that the benchmark runs, and what a CPU makes of it; no CUDA graphs, CPU time."
    yield "\n| network | way | weights, float64 | losses, float32 | agree |\n|---|---|---|---|---|"
    for name in told.networks:
        yield from agree(name, Work.made(6, told.da), told.device, ways)
    yield (
        f"\nLargest difference from training alone after 8 updates of 3 members; tolerances {CLOSE64:.0e} and "
        f"{CLOSE32:.0e}.\n"
    )
    peaks = {precision: rate(told.device, precision) for precision in told.precisions}
    for precision, peak in peaks.items():
        yield f"Matrix product of {PRODUCT[torch.device(told.device).type]}², {precision}: {peak / 1e12:.2f} TFLOP/s."
    yield (
        "\n| network | precision | K | way | images/s | times alone | µs per member and update | memory, GiB "
        "| share of peak | remark |\n" + "|---" * 10 + "|"
    )
    for name in told.networks:
        for precision in told.precisions:
            yield from rows(name, work, told, precision, peaks[precision], ways)
    yield (
        f"\n{CLASSES} classes of {told.per_class} images of {SIDE} x {SIDE}, augmentation {told.da}; {told.steps} "
        f"updates after {told.warm_up}; {time.perf_counter() - began:.0f} s in all."
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--members", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64, 128])
    arguments.add_argument("--networks", nargs="+", choices=list(SPECS), default=list(SPECS))
    arguments.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    arguments.add_argument("--da", default="none", help="of the classifiers, as in a study: rotation+shift")
    arguments.add_argument("--batch", type=int, help="of all networks; each has its own otherwise")
    arguments.add_argument("--per-class", type=int, default=PER_CLASS)
    arguments.add_argument("--warm-up", type=int, default=10)
    arguments.add_argument("--steps", type=int, default=60)
    arguments.add_argument("--out", type=Path, help="also write the page there")
    told = arguments.parse_args()
    lines = []
    for line in report(told):
        print(line, flush=True)
        lines.append(line)
        if told.out:
            told.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
