"""Our metrics beside torch-fidelity and prdc on the same features, as a table: python benchmarks/metric_parity.py"""

import contextlib
import io
from collections.abc import Iterator

import numpy as np
import torch
from prdc import compute_prdc
from scipy.special import softmax
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from ganaug.metrics.frechet import frechet_distance
from ganaug.metrics.inception_score import inception_score
from ganaug.metrics.kernel import kernel_distance
from ganaug.metrics.neighbours import neighbourhood

SEED, K = 2020, 5


def features(n: int, d: int, seed: int, shift: float) -> np.ndarray:
    """Float32 features as after a ReLU, correlated, of unequal scales; (n, d)."""
    mixing = np.random.default_rng(99).normal(size=(d, d)) / d**0.5
    draws = np.random.default_rng(seed).normal(size=(n, d))
    return np.maximum(draws @ mixing + shift, 0).astype(np.float32)


def theirs_fid(one: np.ndarray, other: np.ndarray) -> float:
    stats = (fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other))
    return fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]


def rows(n: int, d: int) -> Iterator[tuple[str, float, float]]:
    """Name, ours, theirs."""
    one, other = features(n, d, 0, 0.1), features(n, d, 1, 0.0)
    yield "Fréchet distance", frechet_distance(one, other), theirs_fid(one, other)
    logits = features(n, 10, 2, 0.0) * 5
    score = isc_features_to_metric(torch.from_numpy(logits), 10, True, SEED)
    ours = inception_score(softmax(logits.astype(np.float64), axis=1), 10, np.random.RandomState(SEED))
    yield from zip(("score of probabilities, mean", "its deviation"), ours, score.values(), strict=True)
    pair = (torch.from_numpy(one), torch.from_numpy(other))
    kid = kid_features_to_metric(*pair, kid_subsets=50, kid_subset_size=n // 2, rng_seed=SEED, verbose=False)
    drawn = kernel_distance(one, other, np.random.RandomState(SEED), 50, n // 2)
    yield from zip(("kernel distance, mean", "its deviation"), drawn, kid.values(), strict=True)
    prc = prc_features_to_metric(*pair, prc_neighborhood=K, prc_batch_size=1000, save_cpu_ram=False, verbose=False)
    near = neighbourhood(one, other, K, "inside")
    yield "precision, ties inside", near.precision, prc["precision"]
    yield "recall, ties inside", near.recall, prc["recall"]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = compute_prdc(other, one, K)
    outside = neighbourhood(one, other, K, "outside")._asdict()
    yield from ((f"{name}, ties outside", outside[name], reference[name]) for name in outside)


def main() -> None:
    print("| images, features | metric | ours | reference | relative difference |")
    print("|---|---|---|---|---|")
    for n, d in ((1000, 128), (100, 128)):
        for name, ours, theirs in rows(n, d):
            print(f"| {n}, {d} | {name} | {ours:.7g} | {theirs:.7g} | {abs(ours - theirs) / abs(theirs):.0e} |")
    x = features(50, 128, 0, 0.1).astype(np.float64)
    exact = 128 * 0.001**2
    for name, value in (("ours", frechet_distance(x, x + 0.001)), ("torch-fidelity", theirs_fid(x, x + 0.001))):
        print(f"50 images, 128 features, all shifted by 0.001, exactly {exact:.6e}: {name} {value:.6e}")


if __name__ == "__main__":
    main()
