"""What a generator is worth before any downstream classifier is trained; test images are never asked for.

Two classifiers judge it class by class (Shmelkov et al. 2018, arXiv:1807.09499). One is trained on real images and
says what the generated ones show (GAN-test: `recognised`); one is trained on generated images and says what
validation images show (GAN-train: `taught`). A collapsed class shows in the first, a poor one in the second. The
first one's features serve the distribution metrics.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from ganaug.artifact import Artifact, NoResult, Work
from ganaug.classifiers.fit import fit
from ganaug.metrics.compare import compare, first_of_each
from ganaug.metrics.copying import data_copying, nearest, nearest_ratio
from ganaug.metrics.extractor import Extracted, Penultimate, unit_scaled
from ganaug.metrics.inception_score import inception_score
from ganaug.randomness import derive, numpy_rng
from ganaug.stages import Pool

if TYPE_CHECKING:
    from ganaug.stages import Assess

SHOWN = 8  # of a class's generated images, whose nearest real image is named


@dataclass(frozen=True)
class _Images:
    """A kind of images, uint8 (N, C, H, W) and labels (N,), and what the judge makes of them."""

    images: np.ndarray
    labels: np.ndarray
    judged: Extracted

    @property
    def logits(self) -> np.ndarray:
        assert self.judged.logits is not None  # the judge is a classifier
        return self.judged.logits

    def called(self) -> np.ndarray:
        return self.logits.argmax(1)

    def score(self) -> float:
        """Exponentiated mutual information of image and called class, over all images at once."""
        return inception_score(softmax(self.logits.astype(np.float64), axis=1), splits=1)[0]

    def features(self, per_class: int) -> np.ndarray:
        """(classes, per_class, d)"""
        return self.judged.features[first_of_each(self.labels, per_class)]


def _generated(stage: "Assess", work: Work) -> np.ndarray:
    """The first images of the unfiltered stream, uint8 (classes, n, C, H, W)."""
    pool = stage.pool
    n = min(stage.assess.images_per_class, pool.max_per_class)
    chunks = range(-(-n // pool.chunk))
    drawn = [work.get(Pool(stage.generator, i, pool.chunk)).arrays["images"] for i in chunks]
    return np.concatenate(drawn, axis=1)[:, :n]


def _trained(
    stage: "Assess", images: np.ndarray, labels: np.ndarray, n_classes: int, purpose: str, device: str
) -> Penultimate:
    """A classifier of the study's kind. Its seed is the split's: all generators of a split have one judge."""
    spec = stage.classifier
    if stage.assess.steps is not None:
        spec = spec.model_copy(update={"steps": stage.assess.steps})
    seed = derive(stage.generator.split.seed, "assess", purpose)
    net, curve = fit(spec, images, labels, n_classes, seed, device=device)
    if not np.isfinite(curve).all():
        raise NoResult("diverged", f"the loss of the assessment's {purpose} is not finite")
    return Penultimate(net, device)


def _recall(called: np.ndarray, labels: np.ndarray, n_classes: int) -> list[float | None]:
    """Share of each class's images that are called by it; null for a class without images."""
    own = [called[labels == label] == label for label in range(n_classes)]
    return [float(hits.mean()) if len(hits) else None for hits in own]


def _against_real(some: _Images, real: _Images, name: str, stage: "Assess") -> dict[str, Any]:
    """Distribution metrics of equally many of each class's images from both sides, the real ones those of the split."""
    per_class = int(min(np.bincount(kind.labels).min() for kind in (some, real)))
    rng = numpy_rng(stage.generator.split.seed, "assess", "kid", name)
    values, missing = compare(some.features(per_class), real.features(per_class), stage.assess.neighbours, rng)
    return {**values, "classifier_is": some.score(), "compared_per_class": per_class, "missing": missing}


def _copies(generated: _Images, real: _Images, validation: _Images) -> tuple[dict[str, float | None], np.ndarray]:
    """Whether generated images lie nearer to the real ones than validation images do; and which lie nearest."""
    distance, place = nearest(generated.images, real.images)
    fresh, _ = nearest(validation.images, real.images)
    facts = {
        "nearest_ratio": nearest_ratio(distance, fresh),
        "data_copying": data_copying(distance, generated.labels, fresh, validation.labels),
    }
    return facts, place


def _judge(stage: "Assess", split: Artifact, work: Work) -> Artifact:
    n_classes = len(split.facts["classes"])
    drawn = _generated(stage, work)
    n = drawn.shape[1]
    images, labels = drawn.reshape(-1, *drawn.shape[2:]), np.repeat(np.arange(n_classes), n)
    trained = _trained(stage, split.arrays["real"], split.arrays["real_labels"], n_classes, "judge", work.device)
    judge = unit_scaled(trained, split.arrays["real"])
    pupil = _trained(stage, images, labels, n_classes, "pupil", work.device)
    real, validation = (
        _Images(split.arrays[kind], split.arrays[f"{kind}_labels"], judge(split.arrays[kind]))
        for kind in ("real", "validation")
    )
    generated = _Images(images, labels, judge(images))
    confusion = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(confusion, (labels, generated.called()), 1)
    taught = _Images(validation.images, validation.labels, pupil(validation.images))
    copies, place = _copies(generated, real, validation)
    against_real = _against_real(generated, real, "generated", stage)
    if copies["nearest_ratio"] is None:
        against_real["missing"]["nearest_ratio"] = "half of the validation images are among the real ones"
    facts = {
        "recognised": _recall(generated.called(), labels, n_classes),
        "real_recognised": _recall(validation.called(), validation.labels, n_classes),
        "taught": _recall(taught.called(), taught.labels, n_classes),
        "generated_per_class": n,
        "validation_per_class": np.bincount(validation.labels, minlength=n_classes).tolist(),
        **against_real,
        "floor": _against_real(validation, real, "validation", stage),
        **copies,
    }
    return Artifact({"confusion": confusion, "nearest": place.reshape(n_classes, n)[:, :SHOWN]}, facts)


def assess(stage: "Assess", work: Work) -> Artifact:
    """Judge the generator's unfiltered images on its split's real and validation images.

    facts: status, reason; `diverged`, why the generator is no good for a cell, or empty (a collapsed one is judged,
    one whose weights are not finite is not: status `diverged`, no numbers). Per class `recognised`,
    `real_recognised`, `taught` in [0, 1]. fid, kid, kid_error, precision, recall, density, coverage over
    `compared_per_class` images of each class from both sides, with `missing` the reason of each null; `floor`, the
    same of validation images; classifier_is; nearest_ratio, data_copying.

    arrays: `confusion` (classes, classes) int64, row the class asked for, column the class called; `nearest`
    (classes, up to 8) int64, the place among the split's real images of the one nearest to each of the first
    generated.
    """
    made = work.get(stage.generator).facts
    facts = {"status": "ok", "reason": "", "seed": stage.generator.split.seed, "diverged": made["diverged"]}
    if "diversity" not in made:  # training stopped before there was anything to look at
        return Artifact({}, facts | {"status": "diverged", "reason": made["diverged"]})
    try:
        judged = _judge(stage, work.get(stage.generator.split), work)
    except NoResult as none:
        return Artifact({}, facts | {"status": none.status, "reason": none.reason})
    return Artifact(judged.arrays, facts | judged.facts)
