"""What holds of every filter, on the stream of a real GAN judged by a real judge."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from tiny import CELL, PROJECTION, InMemory, imported

from ganaug import specs
from ganaug.artifact import Artifact, Work
from ganaug.filters import rejection
from ganaug.filters.calibration import by_class
from ganaug.filters.select import select
from ganaug.gans.fit import networks
from ganaug.gans.judge import scores
from ganaug.randomness import numpy_rng
from ganaug.recipe import recipe
from ganaug.stages import Judged, Pool, Select

LENGTH, BURN_IN, CHAIN = 60, 25, 3
FIRST = recipe(dataclasses.replace(CELL, filter=specs.AgreementFilterSpec(), threshold=0.5)).classifiers[0].extra
GENERATOR, JUDGE = FIRST.generator, FIRST.judge
WHOLE = Pool(GENERATOR, 0, LENGTH)

THRESHOLDED = {
    "discriminator": specs.DiscriminatorFilterSpec(),
    "agreement": specs.AgreementFilterSpec(),
    "realism": specs.NeighboursFilterSpec(measure="realism", k=2),
    "density": specs.NeighboursFilterSpec(measure="density", k=9),  # more than the real images of a class
    "memorisation": specs.MemorisationFilterSpec(),
}
SAMPLERS = {
    "rejection": specs.RejectionFilterSpec(threshold=1.0, burn_in=BURN_IN),
    "rejection gamma": specs.RejectionFilterSpec(threshold=1.0, burn_in=BURN_IN, gamma=0.5),
    "metropolis-hastings": specs.MetropolisHastingsFilterSpec(threshold=1.0, chain=CHAIN),
}


@cache
def world():
    """The GAN, its judge and its whole stream, every other image of it a real one, so that filters differ.

    The calibration is one that tells images apart, whatever so short a training has learned.
    """
    memory = InMemory()
    fit = memory.get(GENERATOR)
    facts = fit.facts | {"diverged": "", "calibration": [4.0, [0.1 * label for label in range(10)]]}
    memory.made[GENERATOR.key] = Artifact(fit.arrays, facts)
    images, train = memory.get(WHOLE).arrays["images"].copy(), imported()[0].arrays
    discriminator = networks(PROJECTION, fit)[1]
    for label, own in enumerate(images):
        own[::2] = train["images"][train["labels"] == label][: LENGTH // 2]
    raw = np.stack([scores(discriminator, own, np.full(LENGTH, label)) for label, own in enumerate(images)])
    memory.made[WHOLE.key] = Artifact({"images": images, "scores": raw})
    for stage in (JUDGE, Judged(WHOLE, JUDGE)):
        memory.get(stage)
    return memory


class Cut:
    """The same stream, cut into chunks of `size`; `drawn` counts them."""

    def __init__(self, size):
        self.size, self.drawn = size, set()

    def get(self, stage):
        match stage:
            case Pool():
                self.drawn.add(stage.index)
                return self.part(world().get(WHOLE), stage.index)
            case Judged():
                return self.part(world().get(Judged(WHOLE, JUDGE)), stage.pool.index)
            case _:
                return world().get(stage)

    def part(self, artifact, index):
        own = slice(index * self.size, (index + 1) * self.size)
        return Artifact({k: v[:, own] for k, v in artifact.arrays.items()})


def selected(spec, n_gen=LENGTH, size=6, length=LENGTH, cut=None):
    stage = Select(GENERATOR, specs.PoolSpec(chunk=size, max_per_class=length), spec, n_gen, JUDGE)
    return select(stage, Work((cut or Cut(size)).get))


def ids(spec, *args, **kwargs):
    return set(selected(spec, *args, **kwargs).arrays["ids"].tolist())


@cache
def middle(name):
    """The filter at a threshold that about half of the images pass."""
    if name in SAMPLERS:
        return SAMPLERS[name]
    spec = THRESHOLDED[name]
    scores = selected(spec.model_copy(update={"threshold": 0.0})).arrays["score"]
    return spec.model_copy(update={"threshold": float(np.clip(np.median(scores), 0.01, 1))})


NAMES = (*THRESHOLDED, *SAMPLERS)
each = pytest.mark.parametrize("name", NAMES)


def per_class(out):
    labels = out.arrays["labels"]
    return [out.arrays["ids"][labels == label].tolist() for label in range(10)]


@each
def test_it_refuses_some_and_keeps_some(name):
    kept = len(ids(middle(name)))
    assert 0 < kept < 10 * LENGTH


@each
def test_threshold_zero_keeps_every_image(name):
    out = selected(middle(name).model_copy(update={"threshold": 0.0}), 7)
    head = [[f"{GENERATOR.key[:12]}/{label}/{place}" for place in range(7)] for label in range(10)]
    assert per_class(out) == head
    assert out.facts["candidates"] == [7] * 10


@each
def test_scores_are_in_the_unit_interval(name):
    score = selected(middle(name).model_copy(update={"threshold": 0.0})).arrays["score"]
    assert score.dtype == np.float32
    assert ((score >= 0) & (score <= 1)).all()


@each
def test_fewer_are_the_first_of_more_however_the_stream_is_cut(name):
    whole = selected(middle(name), size=LENGTH)
    for n_gen, size in ((1, 4), (3, 60), (5, 10), (9, 6), (9, 20)):
        few = selected(middle(name), n_gen, size)
        assert per_class(few) == [own[:n_gen] for own in per_class(whole)]
    assert len({tuple(selected(middle(name), 4, size).facts["candidates"]) for size in (4, 6, 20, 60)}) == 1


@each
def test_no_more_chunks_are_drawn_than_needed(name):
    cut = Cut(4)
    facts = selected(middle(name), 2, 4, cut=cut).facts
    least = BURN_IN if name.startswith("rejection") else 0
    assert cut.drawn == set(range(-(-max(*facts["candidates"], least) // 4)))


@each
@pytest.mark.parametrize("other", NAMES)
def test_also_is_an_and_in_either_order(name, other):
    one, two = middle(name), middle(other)
    both = ids(one) & ids(two)
    assert ids(one.model_copy(update={"also": two})) == ids(two.model_copy(update={"also": one})) == both


@pytest.mark.parametrize("name", THRESHOLDED)
def test_a_ranking_gives_every_class_its_quota_and_the_best(name):
    spec = THRESHOLDED[name].model_copy(update={"threshold": 0.7, "rank": True})
    out = selected(spec, 9)
    score = selected(spec.model_copy(update={"threshold": 0.0, "rank": False})).arrays["score"].reshape(10, LENGTH)
    assert (out.facts["accepted"], out.facts["candidates"]) == ([9] * 10, [30] * 10)
    for label, own in enumerate(per_class(out)):
        best = sorted(range(30), key=lambda place: (-score[label, place], place))[:9]
        assert own == [f"{GENERATOR.key[:12]}/{label}/{place}" for place in sorted(best)]


def test_a_ranking_ranks_those_that_passed_the_other_filter_wherever_it_stands():
    ranking = specs.AgreementFilterSpec(threshold=0.5, rank=True)
    other = middle("discriminator")
    passed = {label: own[:8] for label, own in enumerate(per_class(selected(other)))}
    out = selected(ranking.model_copy(update={"also": other}), 4)
    score = selected(ranking.model_copy(update={"threshold": 0.0, "rank": False})).arrays["score"].reshape(10, LENGTH)
    for label, own in enumerate(per_class(out)):
        places = [int(name.split("/")[2]) for name in passed[label]]
        best = sorted(places, key=lambda place: (-score[label, place], place))[:4]
        assert [int(name.split("/")[2]) for name in own] == sorted(best)
    assert ids(other.model_copy(update={"also": ranking}), 4) == ids(ranking.model_copy(update={"also": other}), 4)


def test_a_ranking_takes_what_there_is_where_the_stream_ends():
    ranking = specs.DiscriminatorFilterSpec(threshold=0.9, rank=True)
    out = selected(ranking, 9, length=24)  # it would rank 90
    assert (out.facts["accepted"], out.facts["candidates"]) == ([9] * 10, [24] * 10)
    starved = selected(ranking.model_copy(update={"also": specs.DiscriminatorFilterSpec(threshold=1.0)}), 9)
    assert (starved.facts["accepted"], starved.facts["candidates"]) == ([0] * 10, [LENGTH] * 10)


def test_of_a_chain_all_candidates_are_counted():
    for n_gen in (1, 2, 5):
        facts = selected(middle("metropolis-hastings"), n_gen, 4).facts
        assert facts["candidates"] == [n_gen * CHAIN] * 10
    half = selected(middle("metropolis-hastings"), size=10, length=20, n_gen=7).facts
    assert (half["accepted"], half["candidates"]) == ([6] * 10, [20] * 10)  # the last chain was never whole


def test_a_stream_shorter_than_the_burn_in_is_read_to_its_end():
    cut = Cut(4)
    long = specs.RejectionFilterSpec(threshold=1.0, burn_in=999)
    out = selected(long, 1, 4, 40, cut)
    assert cut.drawn == set(range(10))
    assert per_class(out) == [own[:1] for own in per_class(selected(long, length=40, size=20))]


def test_rejection_draws_by_the_seed_and_the_class_alone():
    calibration = world().get(GENERATOR).facts["calibration"]
    p = by_class(world().get(WHOLE).arrays["scores"], calibration)
    draws = np.stack([numpy_rng(GENERATOR.seed, "RejectionFilterSpec", label).random(LENGTH) for label in range(10)])
    kept = rejection.accept(p, 1.0, draws, BURN_IN)
    assert per_class(selected(middle("rejection"), size=4)) == [
        [f"{GENERATOR.key[:12]}/{label}/{place}" for place in np.flatnonzero(row)] for label, row in enumerate(kept)
    ]
