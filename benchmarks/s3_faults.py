"""Publishes artifacts to a real S3 server behind a proxy that breaks things, and counts what is lost.

    python benchmarks/s3_faults.py [--puts 1000] [--rate 0.2] [--writers 16] [--seed 0]

The server is moto's, in a process of its own on the loopback. Of every request the share `rate` meets a fault: an error
500 or 503, silence beyond the client's patience, a connection closed at once or in the middle of an upload, and three
where the server did what it was asked: no answer, one too late, one that breaks off. Every artifact is published by two
of the writers at once, with different arrays, so that each key has a winner. Lost: an artifact that is not there
afterwards, is not whole, is neither writer's, is not what both writers were given back, or was put more than once; and
a writer that failed. At the end, how long reading takes where a request has the delay of a bucket in the same region.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sweeps")]

import s3_server  # noqa: E402

from ganaug.artifact import Artifact  # noqa: E402
from ganaug.stages import TrainImages  # noqa: E402
from sweeps.store import Store  # noqa: E402
from sweeps.store.check import check  # noqa: E402

PATIENCE = 1.0  # seconds
DELAY = 0.02  # seconds that a request to a bucket of the same region takes


def stage(i: int) -> TrainImages:
    return TrainImages(f"{i:064x}")


def artifact(i: int, writer: int) -> Artifact:
    """About 4 kB."""
    return Artifact({"images": np.random.default_rng((i, writer)).integers(0, 256, 4096, np.uint8)}, {"writer": writer})


def same(a: Artifact, b: Artifact) -> bool:
    return a.facts == b.facts and np.array_equal(a.arrays["images"], b.arrays["images"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--puts", type=int, default=1000, help="artifacts published")
    parser.add_argument("--rate", type=float, default=0.2, help="share of requests that meet a fault")
    parser.add_argument("--writers", type=int, default=16, help="threads")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    asked = parser.parse_args()
    keys = asked.puts // 2
    with s3_server.serving() as upstream, s3_server.Proxy(upstream, patience=PATIENCE, seed=asked.seed) as proxy:
        s3_server.make_bucket(upstream, "laboratory")
        os.environ |= s3_server.environment(upstream) | {"GANAUG_S3_TIMEOUT": str(PATIENCE)}
        sound = Store("s3://laboratory/faults")
        os.environ |= s3_server.environment(proxy.endpoint)
        store = Store(sound.uri)
        proxy.rate = asked.rate

        def publish(job: tuple[int, int]) -> Artifact | Exception:
            try:
                return store.publish(stage(job[0]), artifact(*job), {})[0]
            except Exception as error:
                return error

        began = time.monotonic()
        jobs = [(i, writer) for i in range(keys) for writer in (0, 1)]
        with ThreadPoolExecutor(asked.writers) as pool:
            given = dict(zip(jobs, pool.map(publish, jobs), strict=True))
        seconds = time.monotonic() - began
        through = list(store.load_many(stage(i) for i in range(keys)))  # through the faults as well
        proxy.rate = 0.0
        there = [sound.load(stage(i)) for i in range(keys)]
        checked = check(sound)
        proxy.delay, some = DELAY, [stage(i) for i in range(min(keys, 200))]
        began = time.monotonic()
        for one in some:
            store.load(one)
        middle = time.monotonic()
        list(store.load_many(some))
        one_by_one, many = middle - began, time.monotonic() - middle

    failed = [str(g) for g in given.values() if isinstance(g, Exception)]
    lost = set()
    for i, (now, then) in enumerate(zip(there, through, strict=True)):
        if now is None or then is None:
            lost.add(i)
            continue
        answers = [g for g in (given[i, 0], given[i, 1], then[0]) if isinstance(g, Artifact)]
        ours = any(same(now[0], artifact(i, writer)) for writer in (0, 1))
        if not ours or not all(same(now[0], answer) for answer in answers):
            lost.add(i)
    of_manifests = {path: n for path, n in proxy.created.items() if "/manifests/" in path}
    twice = sum(n > 1 for n in of_manifests.values())
    faults = ", ".join(f"{n} {name}" for name, n in sorted(proxy.done.items()))
    print(f"{len(jobs)} publications of {keys} artifacts by {asked.writers} threads in {seconds:.0f} s")
    print(f"{proxy.requests.total()} requests, {proxy.done.total()} faults: {faults}")
    print(f"conditional puts done by the server: {len(of_manifests)} manifests, {twice} of them more than once")
    print(f"lost: {len(lost)}; writers that failed: {len(failed)}; damaged: {len(checked.damaged)}")
    print(
        f"reading {len(some)} at {1000 * DELAY:.0f} ms a request: {one_by_one:.1f} s one by one, {many:.1f} s together"
    )
    for why in failed[:3]:
        print(f"  {why}")
    return 1 if lost or failed or twice or checked.damaged or len(of_manifests) != keys else 0


if __name__ == "__main__":
    sys.exit(main())
