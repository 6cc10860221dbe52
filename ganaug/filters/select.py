"""The walk along a generator's stream: score, filter, and take the first images of each class that pass.

Pool in; accepted ids and a score per image out. A filter is a score per image and a rule on the scores. No rule's word
on an image changes when the stream is drawn further: a threshold looks at that image alone, rejection at those before
it and the burn-in, a chain at its own candidates. So the first 300 accepted are the first 300 of the first 500. A
ranked filter states how many candidates it ranks, and is not nested.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ganaug import specs
from ganaug.artifact import Artifact, NoResult, Work
from ganaug.filters import agreement, discriminator, memorisation, metropolis_hastings, neighbours, rejection
from ganaug.filters.coverage import coverage
from ganaug.filters.rank import best, candidates
from ganaug.filters.threshold import accept
from ganaug.gans.fit import networks
from ganaug.gans.judge import scores as scores_of
from ganaug.metrics.copying import nearest
from ganaug.randomness import numpy_rng
from ganaug.stages import Judged, Pool

if TYPE_CHECKING:
    from ganaug.stages import FitJudge, Select


class _Sources:
    """What the filters of a selection ask, beside the images they judge."""

    def __init__(self, stage: "Select", work: Work) -> None:
        self.stage, self.work = stage, work
        self.fit = work.get(stage.generator)
        self.split = work.get(stage.generator.split).arrays

    @property
    def judge(self) -> "FitJudge":
        assert self.stage.judge is not None  # the recipe gives one to every filter that asks it
        return self.stage.judge

    def real(self, label: int) -> np.ndarray:
        """The split's real images of a class."""
        return self.split["real"][self.split["real_labels"] == label]

    @cached_property
    def fresh(self) -> np.ndarray:
        """Each validation image's distance to the nearest real one of its class, (M,)."""
        images, labels = self.split["validation"], self.split["validation_labels"]
        out = np.empty(len(images))
        for label in np.unique(labels):
            out[labels == label] = nearest(images[labels == label], self.real(label))[0]
        return out

    @cached_property
    def held_out(self) -> np.ndarray:
        """Calibrated probabilities of the validation images, (classes, M)."""
        labels = self.split["validation_labels"]
        raw = scores_of(networks(self.stage.generator.gan, self.fit)[1], self.split["validation"], labels)
        by_class = np.stack([raw[labels == c] for c in range(self.fit.facts["n_classes"])])
        return discriminator.score(by_class, self.fit.facts["calibration"])

    def draws(self, spec: specs.FilterSpec, n: int) -> np.ndarray:
        """A uniform draw for each image of the stream so far, (classes, n); the same however long the stream is."""
        seed, purpose = self.stage.generator.seed, type(spec).__name__
        return np.stack([numpy_rng(seed, purpose, c).random(n) for c in range(self.fit.facts["n_classes"])])


def _scores(spec: specs.FilterSpec, pool: Pool, ask: _Sources) -> np.ndarray:
    """A filter's score of each image of a chunk, float32 (classes, size) in [0, 1]."""
    get = ask.work.get
    match spec:
        case specs.AgreementFilterSpec():
            return agreement.score(get(Judged(pool, ask.judge)))
        case specs.NeighboursFilterSpec():
            features, real = get(Judged(pool, ask.judge)).arrays["features"], get(ask.judge).arrays["features"]
            return neighbours.score(features, real, ask.split["real_labels"], spec.measure, spec.k)
        case specs.MemorisationFilterSpec():
            apart = memorisation.distances(get(pool).arrays["images"], ask.split["real"], ask.split["real_labels"])
            return memorisation.score(apart, ask.fresh, ask.split["validation_labels"])
        case specs.DiscriminatorFilterSpec() | specs.RejectionFilterSpec() | specs.MetropolisHastingsFilterSpec():
            return discriminator.score(get(pool).arrays["scores"], ask.fit.facts["calibration"])
        case _:
            raise TypeError(spec)


def _passed(spec: specs.FilterSpec, scores: np.ndarray, ask: _Sources) -> np.ndarray:
    """Which of the stream so far a filter's rule accepts, bool (classes, N); a ranked filter is asked later."""
    strictness, n = spec.threshold or 0.0, scores.shape[1]
    match spec:
        case specs.RankedSpec(rank=True):
            return np.ones(scores.shape, np.bool_)
        case specs.RankedSpec():
            return accept(scores, strictness)
        case specs.RejectionFilterSpec():
            return rejection.accept(scores, strictness, ask.draws(spec, n), spec.burn_in, spec.gamma)
        case specs.MetropolisHastingsFilterSpec():
            return metropolis_hastings.accept(scores, strictness, ask.draws(spec, n), spec.chain, ask.held_out)
        case _:
            raise TypeError(spec)


class _Stream:
    """A generator's stream as far as it was drawn, with every filter's scores."""

    def __init__(self, stage: "Select", work: Work) -> None:
        self.stage, self.ask = stage, _Sources(stage, work)
        self.filters = list(specs.chain_of(stage.filter))
        self.ranked = next((i for i, f in enumerate(self.filters) if isinstance(f, specs.RankedSpec) and f.rank), None)
        self.chunks: list[np.ndarray] = []
        self.raw: list[np.ndarray] = []  # the discriminator's scores, (classes, size) each
        self.parts: list[list[np.ndarray]] = [[] for _ in self.filters]
        self.scores: list[np.ndarray] = []  # per filter, (classes, N)
        self.passed = np.empty((0, 0), np.bool_)  # every rule but a ranking, (classes, N)

    def draw(self, index: int) -> None:
        """Chunk `index`, scored, and what passes of all so far."""
        pool = Pool(self.stage.generator, index, self.stage.pool.chunk)
        drawn = self.ask.work.get(pool).arrays
        self.chunks.append(drawn["images"])
        self.raw.append(drawn["scores"])
        for part, spec in zip(self.parts, self.filters, strict=True):
            part.append(_scores(spec, pool, self.ask))
        self.scores = [np.concatenate(part, axis=1) for part in self.parts]
        verdicts = [_passed(f, s, self.ask) for f, s in zip(self.filters, self.scores, strict=True)]
        self.passed = np.logical_and.reduce(verdicts)

    @property
    def needed(self) -> int:
        """Images per class that have to pass before the selection can be made."""
        if self.ranked is None:
            return self.stage.n_gen
        strictness = self.filters[self.ranked].threshold or 0.0
        return candidates(self.stage.n_gen, strictness, self.stage.pool.max_per_class)

    @property
    def settled(self) -> bool:
        """Whether drawing further would change nothing."""
        burn_in = max((f.burn_in for f in self.filters if isinstance(f, specs.RejectionFilterSpec)), default=0)
        return self.passed.shape[1] >= burn_in and bool((self.passed.sum(axis=1) >= self.needed).all())

    def taken(self) -> list[np.ndarray]:
        """Per class the places in the stream of the images taken, ascending."""
        n, most = self.stage.n_gen, self.stage.pool.max_per_class
        if self.ranked is None:
            return [np.flatnonzero(row)[:n] for row in self.passed]
        ranking, strictness = self.scores[self.ranked], self.filters[self.ranked].threshold or 0.0
        rows = zip(ranking, self.passed, strict=True)
        return [np.flatnonzero(best(scores, passed, n, strictness, most)) for scores, passed in rows]

    def looked_at(self) -> list[int]:
        """Per class the candidates up to the last one that the selection needed; of a chain, all it was offered."""
        drawn = self.passed.shape[1]
        needed = [np.flatnonzero(row)[: self.needed] for row in self.passed]
        ends = [int(own[-1]) + 1 if len(own) == self.needed else drawn for own in needed]
        for f in self.filters:
            if isinstance(f, specs.MetropolisHastingsFilterSpec) and f.threshold:
                ends = [min(-(-end // f.chain) * f.chain, drawn) for end in ends]
        return ends

    def images(self, label: int, places: np.ndarray) -> np.ndarray:
        """Images (n, C, H, W) of a class at places of the stream."""
        size = self.stage.pool.chunk
        out = np.empty((len(places), *self.chunks[0].shape[2:]), np.uint8)
        for i, place in enumerate(places):
            out[i] = self.chunks[place // size][label, place % size]
        return out


def select(stage: "Select", work: Work) -> Artifact:
    """Walk the stream until every class has its images, or the stream ends.

    A class's candidates are counted up to its last image needed, so counts do not depend on the chunk size.
    Ids are `pool/class/place in the stream`, with the first 12 digits of the generator's key.

    Arrays: images uint8 (N, C, H, W), labels (N,), ids (N,); score (N,) by the first filter, probabilities (N,) by the
    calibrated discriminator, both float32 in [0, 1]; taken bool (classes, size), which of the first chunk are among
    them; seen (M,), ids of the images that GAN and filter have learned from. Facts: accepted and candidates, a number
    per class; wanted; coverage and coverage_unfiltered (see `coverage`), of the images taken and of as many
    unfiltered ones.
    """
    diverged = work.get(stage.generator).facts["diverged"]
    if diverged:
        raise NoResult("diverged", diverged)
    stream = _Stream(stage, work)
    for index in range(stage.pool.chunks):
        stream.draw(index)
        if stream.settled:
            break
    taken = stream.taken()
    counts, classes = [len(own) for own in taken], range(len(taken))
    groups = [stream.images(label, own) for label, own in enumerate(taken)]
    unfiltered = [stream.images(label, np.arange(n)) for label, n in enumerate(counts)]
    real = [stream.ask.real(label) for label in classes]
    likely = discriminator.score(np.concatenate(stream.raw, axis=1), stream.ask.fit.facts["calibration"])
    split, generator = stream.ask.split, stage.generator.key[:12]
    return Artifact(
        {
            "images": np.concatenate(groups),
            "labels": np.repeat(np.arange(len(taken)), counts),
            "ids": np.array([f"{generator}/{c}/{place}" for c in classes for place in taken[c]], np.str_),
            "score": np.concatenate([row[own] for row, own in zip(stream.scores[0], taken, strict=True)]),
            "probabilities": np.concatenate([row[own] for row, own in zip(likely, taken, strict=True)]),
            "taken": np.stack([np.isin(np.arange(stage.pool.chunk), own) for own in taken]),
            "seen": np.concatenate([split["real_ids"], split["validation_ids"]]),
        },
        {
            "accepted": counts,
            "candidates": stream.looked_at(),
            "wanted": stage.n_gen,
            "coverage": coverage(groups, real),
            "coverage_unfiltered": coverage(unfiltered, real),
        },
    )
