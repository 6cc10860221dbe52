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
from ganaug.measure import noted
from ganaug.metrics.compare import compare, first_of_each
from ganaug.metrics.copying import data_copying, nearest, nearest_ratio
from ganaug.metrics.extractor import Extracted, Extractor, Penultimate, unit_scaled
from ganaug.metrics.further import at_checkpoint, leaks, references, top_classes
from ganaug.metrics.imagenet import Inception, resnet_probabilities
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

    def probabilities(self) -> np.ndarray:
        """(N, K) float64"""
        return softmax(self.logits.astype(np.float64), axis=1)

    @property
    def logits(self) -> np.ndarray:
        assert self.judged.logits is not None  # the judge is a classifier
        return self.judged.logits

    def called(self) -> np.ndarray:
        return self.logits.argmax(1)

    def score(self) -> float:
        """Exponentiated mutual information of image and called class, over all images at once."""
        return inception_score(self.probabilities(), splits=1)[0]

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


def score_name(stage: "Assess") -> str:
    """What the score of class probabilities may be called: Inception Score only over Inception's classes."""
    return "inception_score" if stage.assess.features == "inception" else "classifier_is"


def _recall(called: np.ndarray, labels: np.ndarray, n_classes: int) -> list[float | None]:
    """Share of each class's images that are called by it; null for a class without images."""
    own = [called[labels == label] == label for label in range(n_classes)]
    return [float(hits.mean()) if len(hits) else None for hits in own]


def _against_real(some: _Images, real: _Images, name: str, stage: "Assess", error: bool = True) -> dict[str, Any]:
    """Distribution metrics of equally many of each class's images from both sides, the real ones those of the split.

    error: with the standard error of `kid`, which takes most of the time.
    """
    per_class = int(min(np.bincount(kind.labels).min() for kind in (some, real)))
    rng = numpy_rng(stage.generator.split.seed, "assess", "kid", name) if error else None
    values, missing = compare(some.features(per_class), real.features(per_class), stage.assess.neighbours, rng)
    return {**values, score_name(stage): some.score(), "compared_per_class": per_class, "missing": missing}


def _copies(generated: _Images, real: _Images, validation: _Images) -> tuple[dict[str, float | None], np.ndarray]:
    """Whether generated images lie nearer to the real ones than validation images do; and which lie nearest."""
    distance, place = nearest(generated.images, real.images)
    fresh, _ = nearest(validation.images, real.images)
    facts = {
        "nearest_ratio": nearest_ratio(distance, fresh),
        "data_copying": data_copying(distance, generated.labels, fresh, validation.labels),
    }
    return facts, place


def _extractor(stage: "Assess", split: Artifact, n_classes: int, device: str) -> Extractor:
    """What the metrics are computed on: a classifier trained on the split's real images, or Inception."""
    if stage.inception is not None:
        return Inception.read(stage.inception, device)
    real, labels = split.arrays["real"], split.arrays["real_labels"]
    return unit_scaled(_trained(stage, real, labels, n_classes, "judge", device), real)


def _by_class(stage: "Assess", generated: _Images, validation: _Images, n_classes: int, device: str) -> Artifact:
    """What classifiers of the study's kind make of it, class by class; nothing where Inception judges."""
    if stage.assess.features == "inception":
        return Artifact()
    pupil = _trained(stage, generated.images, generated.labels, n_classes, "pupil", device)
    confusion = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(confusion, (generated.labels, generated.called()), 1)
    taught = _Images(validation.images, validation.labels, pupil(validation.images))
    facts = {
        "recognised": _recall(generated.called(), generated.labels, n_classes),
        "real_recognised": _recall(validation.called(), validation.labels, n_classes),
        "taught": _recall(taught.called(), taught.labels, n_classes),
    }
    return Artifact({"confusion": confusion}, facts)


def _further(
    stage: "Assess", judge: Extractor, generated: _Images, real: _Images, validation: _Images, work: Work
) -> Artifact:
    """What a study asks for beside the metrics: `steps`, `leaks`, `references`, `imagenet`."""
    asked, labels = stage.assess, generated.labels
    facts: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    fit = work.get(stage.generator)
    n_classes, n = len(np.unique(labels)), len(labels) // len(np.unique(labels))

    def measured(images: np.ndarray) -> dict[str, Any]:
        return _against_real(_Images(images, labels, judge(images)), real, "", stage, error=False)

    if steps := fit.facts.get("checkpoint_steps"):
        drawn = {step: at_checkpoint(stage, fit, step, n) for step in steps}
        facts["steps"] = [{"step": step, **measured(images)} for step, images in drawn.items()]
    if asked.leaks:
        facts["leaks"] = leaks(generated.images, real.images, validation.images, asked.leaks)
    if asked.references:
        rng = numpy_rng(stage.generator.split.seed, "assess", "references")
        sets = references(real.images, n_classes, n, rng)
        facts["references"] = {name: measured(images) for name, images in sets.items()}
        said = generated.probabilities().reshape(n_classes, n, -1)
        arrays["marginal"] = said.mean((0, 1)).astype(np.float32)  # p(y)
        arrays["probabilities"] = said[:, :SHOWN].astype(np.float32)  # p(y|x) of the images shown
    if stage.imagenet is not None:
        probabilities, names = resnet_probabilities(generated.images, stage.imagenet, work.device)
        arrays["imagenet"] = probabilities.astype(np.float16)
        facts["imagenet"] = top_classes(probabilities, names)
    return Artifact(arrays, facts)


def _judge(stage: "Assess", split: Artifact, work: Work) -> Artifact:
    n_classes = len(split.facts["classes"])
    drawn = _generated(stage, work)
    n = drawn.shape[1]
    images, labels = drawn.reshape(-1, *drawn.shape[2:]), np.repeat(np.arange(n_classes), n)
    judge = _extractor(stage, split, n_classes, work.device)
    real, validation = (
        _Images(split.arrays[kind], split.arrays[f"{kind}_labels"], judge(split.arrays[kind]))
        for kind in ("real", "validation")
    )
    generated = _Images(images, labels, judge(images))
    by_class = _by_class(stage, generated, validation, n_classes, work.device)
    copies, place = _copies(generated, real, validation)
    against_real = _against_real(generated, real, "generated", stage)
    if copies["nearest_ratio"] is None:
        against_real["missing"]["nearest_ratio"] = "half of the validation images are among the real ones"
    further = _further(stage, judge, generated, real, validation, work)
    facts = {
        **by_class.facts,
        "generated_per_class": n,
        "validation_per_class": np.bincount(validation.labels, minlength=n_classes).tolist(),
        **against_real,
        "floor": _against_real(validation, real, "validation", stage),
        **copies,
        **further.facts,
    }
    shown = {"nearest": place.reshape(n_classes, n)[:, :SHOWN]}
    return Artifact(by_class.arrays | shown | further.arrays, facts)


def assess(stage: "Assess", work: Work) -> Artifact:
    """Judge the generator's unfiltered images on its split's real and validation images.

    facts: status, reason; `diverged`, why the generator is no good for a cell, or empty (a collapsed one is judged,
    one whose weights are not finite is not: status `diverged`, no numbers). Per class `recognised`,
    `real_recognised`, `taught` in [0, 1]. fid, kid, kid_error, precision, recall, density, coverage over
    `compared_per_class` images of each class from both sides, with `missing` the reason of each null; `floor`, the
    same of validation images; classifier_is (over Inception inception_score, and then nothing per class);
    nearest_ratio, data_copying. Where they are asked for: `steps`, a row of these metrics per checkpoint; `leaks` and
    `references` (`ganaug.metrics.further`); `imagenet`, the classes that ResNet-50 calls the images most.

    arrays: `confusion` (classes, classes) int64, row the class asked for, column the class called; `nearest`
    (classes, up to 8) int64, the place among the split's real images of the one nearest to each of the first
    generated; with `references`, `marginal` p(y) (K,) and `probabilities` p(y|x) (classes, up to 8, K) float32; with
    `imagenet`, its probabilities (N, 1000) float16.
    """
    facts: dict[str, Any] = {"status": "ok", "reason": "", "seed": stage.generator.split.seed, "diverged": ""}
    try:
        facts |= {"diverged": work.get(stage.generator).facts["diverged"]} | noted(work.get(stage.generator).facts)
        if "diversity" not in work.get(stage.generator).facts:  # training stopped before there was anything to look at
            raise NoResult("diverged", facts["diverged"])
        judged = _judge(stage, work.get(stage.generator.split), work)
    except NoResult as none:
        return Artifact({}, facts | {"status": none.status, "reason": none.reason})
    return Artifact(judged.arrays, facts | judged.facts)
