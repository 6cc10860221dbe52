"""A generator's two files: what they give back, what is drawn from them, and what is refused."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from safetensors.numpy import load_file, save_file

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.gans.bundle import Bundle, load_bundle, save_bundle
from ganaug.gans.generate import generate
from ganaug.specs import DiscriminatorFilterSpec
from ganaug.stages import FitGan, Pool, Select, Split, TrainImages

CLASSES = tuple("0123456789")
SEED = 3


@pytest.fixture(scope="module", params=["projection", "cgan"])
def fitted(request: pytest.FixtureRequest) -> tuple[FitGan, tiny.InMemory]:
    work = tiny.InMemory()
    stage = FitGan(Split(TrainImages("digits"), 5, 4, SEED), tiny.GANS[request.param], SEED)
    fit = work.get(stage)
    # a calibration that tells images apart, whatever so short a training has learned
    facts = fit.facts | {"diverged": "", "calibration": [2.5, [0.1 * label for label in range(10)]]}
    work.made[stage.key] = Artifact(fit.arrays, facts)
    return stage, work


@pytest.fixture(scope="module")
def bundle(fitted: tuple[FitGan, tiny.InMemory]) -> Bundle:
    stage, work = fitted
    return Bundle(stage.gan, CLASSES, SEED, tiny.POOL.chunk, work.get(stage), {"study": "tiny", "generator": stage.key})


@pytest.fixture
def saved(bundle: Bundle, tmp_path: Path) -> Path:
    save_bundle(bundle, tmp_path)
    return tmp_path


def test_a_bundle_comes_back_whole(bundle: Bundle, saved: Path) -> None:
    back = load_bundle(saved)
    assert (back.gan, back.classes, back.seed, back.chunk) == (bundle.gan, CLASSES, SEED, tiny.POOL.chunk)
    assert back.provenance == bundle.provenance
    assert back.fit.facts["calibration"] == bundle.fit.facts["calibration"]
    kept = {k: v for k, v in bundle.fit.arrays.items() if k.startswith(("generator.", "discriminator."))}
    assert back.fit.arrays.keys() == kept.keys()
    assert all(back.fit.arrays[k].tobytes() == v.tobytes() for k, v in kept.items())


def test_the_studys_own_stream_comes_back_to_the_bit(fitted: tuple[FitGan, tiny.InMemory], saved: Path) -> None:
    stage, work = fitted
    chunks = [work.get(Pool(stage, i, tiny.POOL.chunk)).arrays["images"] for i in range(3)]
    pool = np.concatenate(chunks, axis=1)  # (classes, 30, C, H, W)
    made = generate(load_bundle(saved), list(range(10)), n=23, threshold=0, seed=None, max_candidates=100)
    assert made.arrays["images"].reshape(10, 23, *pool.shape[2:]).tobytes() == pool[:, :23].tobytes()
    assert made.arrays["places"].tolist() == list(range(23)) * 10
    some = generate(load_bundle(saved), [7, 2], n=5, threshold=0, seed=SEED, max_candidates=100)
    assert some.arrays["images"].tobytes() == pool[[7, 2], :5].tobytes()
    assert some.arrays["labels"].tolist() == [7] * 5 + [2] * 5


def test_another_seed_gives_other_images(saved: Path) -> None:
    own, other, again = (
        generate(load_bundle(saved), [0, 1], 4, 0, seed, 10).arrays["images"] for seed in (SEED, SEED + 1, SEED + 1)
    )
    assert other.tobytes() == again.tobytes()
    assert not (own == other).all(axis=(1, 2, 3)).any()


def test_the_filter_keeps_what_a_study_keeps(fitted: tuple[FitGan, tiny.InMemory], saved: Path) -> None:
    stage, work = fitted
    loaded = load_bundle(saved)
    whole = generate(loaded, list(range(10)), 40, 0, None, 40).arrays["probabilities"]
    threshold = float(np.median(whole))
    wanted = work.get(Select(stage, tiny.POOL, DiscriminatorFilterSpec(threshold=threshold), 6))
    made = generate(loaded, list(range(10)), 6, threshold, None, tiny.POOL.max_per_class)
    for name in ("images", "labels", "probabilities"):
        assert made.arrays[name].tobytes() == wanted.arrays[name].tobytes()
    assert made.facts == {k: wanted.facts[k] for k in ("accepted", "candidates")}
    places = [int(i.split("/")[2]) for i in wanted.arrays["ids"]]
    assert made.arrays["places"].tolist() == places


def test_a_filter_that_starves_stops_at_the_cap(saved: Path) -> None:
    loaded = load_bundle(saved)
    likely = generate(loaded, [4], 40, 0, None, 40).arrays["probabilities"]
    threshold = float(np.sort(likely[:25])[-3])
    passing = int((likely[:25] >= threshold).sum())
    made = generate(loaded, [4], 24, threshold, None, max_candidates=25)  # inside a chunk of 10
    assert made.facts == {"accepted": [passing], "candidates": [25]}
    none = generate(loaded, [4, 5], 5, float(np.nextafter(np.float32(likely.max()), np.float32(1))), None, 20)
    assert none.facts["candidates"][0] == 20
    assert none.arrays["images"].shape[1:] == (1, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((0, 0.0, 10), "n must lie in [1, max_candidates], got 0 with max_candidates 10"),
        ((11, 0.0, 10), "n must lie in [1, max_candidates], got 11 with max_candidates 10"),
        ((1, 1.3, 10), "threshold must lie in [0, 1], got 1.3"),
        ((1, float("nan"), 10), "threshold must lie in [0, 1], got nan"),
    ],
)
def test_numbers_out_of_range(bundle: Bundle, arguments: tuple[int, float, int], told: str) -> None:
    n, threshold, cap = arguments
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        generate(bundle, [0], n, threshold, None, cap)


def test_a_diverged_generator_is_not_saved(bundle: Bundle, tmp_path: Path) -> None:
    broken = replace(bundle, fit=Artifact(bundle.fit.arrays, bundle.fit.facts | {"diverged": "collapsed"}))
    with pytest.raises(ValueError, match=r"^a generator that diverged has nothing to give: collapsed$"):
        save_bundle(broken, tmp_path)
    assert not list(tmp_path.iterdir())


def rewrite(folder: Path, **changes: Any) -> None:
    """Change the JSON and give it a checksum that fits, as its writer would."""
    path = folder / "generator.json"
    config = json.loads(path.read_text()) | changes
    config.pop("check")
    config["weights_sha256"] = hashlib.sha256((folder / "generator.safetensors").read_bytes()).hexdigest()
    check = hashlib.sha256(json.dumps(config, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    path.write_text(json.dumps(config | {"check": check}))


def reweigh(folder: Path, change: Callable[[dict[str, np.ndarray]], Any]) -> None:
    arrays = load_file(folder / "generator.safetensors")
    change(arrays)
    save_file(arrays, folder / "generator.safetensors")
    rewrite(folder)


def flip_a_byte(folder: Path) -> None:
    path = folder / "generator.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def edit(folder: Path) -> None:
    path = folder / "generator.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))


def no_safetensors(folder: Path) -> None:
    (folder / "generator.safetensors").write_bytes(b"PK\x03\x04 a pickle, perhaps")
    rewrite(folder)


def a_giant(folder: Path) -> None:
    gan = json.loads((folder / "generator.json").read_text())["gan"]
    rewrite(folder, gan=gan | {"width": 10**7})  # terabytes, were it built before it is compared


REFUSED: list[tuple[Callable[[Path], Any], str]] = [
    (lambda f: (f / "generator.json").unlink(), "/generator.json: cannot be read: No such file or directory; give the"),
    (lambda f: (f / "generator.safetensors").unlink(), "/generator.safetensors: cannot be read: No such file"),
    (lambda f: (f / "generator.json").write_text("{"), "/generator.json: is not JSON; export it again"),
    (lambda f: (f / "generator.json").write_text("[" * 100_000), "/generator.json: is not JSON; export it again"),
    (lambda f: (f / "generator.json").write_text("3"), "/generator.json: must say format 'ganaug generator', got 3"),
    (lambda f: rewrite(f, version=2), "/generator.json: version must be 1, got 2; use the ganaug that wrote it"),
    (edit, "/generator.json: differs from its checksum: damaged or changed by hand; export it again"),
    (flip_a_byte, "/generator.safetensors: differs from the sha256 in generator.json: damaged, or another's"),
    (no_safetensors, "/generator.safetensors: is no safetensors file ("),
    (lambda f: rewrite(f, intercepts=[0.0]), "/generator.json: the file: must have an intercept per class (10), got 1"),
    (lambda f: rewrite(f, chunk=0), "/generator.json: chunk: Input should be greater than or equal to 1"),
    (lambda f: rewrite(f, gan={"name": "stylegan"}), "/generator.json: the file: Input tag 'stylegan'"),
    (lambda f: rewrite(f, shape=[1, 16, 16]), "/generator.safetensors: generator."),
    (a_giant, "/generator.safetensors: generator."),
    (
        lambda f: reweigh(f, lambda a: a.pop("generator.out.bias")),
        "/generator.safetensors: must hold the tensor generator.out.bias, got none of that name",
    ),
    (
        lambda f: reweigh(f, lambda a: a.update({"generator.out.bias": np.zeros((2, 2), np.float32)})),
        "/generator.safetensors: generator.out.bias must be float32 [",
    ),
    (
        lambda f: reweigh(f, lambda a: a.update({"generator.out.bias": a["generator.out.bias"] * np.nan})),
        "/generator.safetensors: generator.out.bias must be finite, got NaN or infinity",
    ),
    (
        lambda f: reweigh(f, lambda a: a.update({"generator.more": np.zeros(1, np.float32)})),
        "/generator.safetensors: holds the tensor generator.more, which this GAN does not have",
    ),
]


@pytest.mark.parametrize(("harm", "told"), REFUSED)
def test_what_is_not_whole_is_refused_in_one_line(saved: Path, harm: Callable[[Path], Any], told: str) -> None:
    harm(saved)
    with pytest.raises(UserError) as refused:
        load_bundle(saved)
    assert str(refused.value).startswith(f"{saved}{told}")
    assert len(str(refused.value).splitlines()) == 1
