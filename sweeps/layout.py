"""From a study to its cells: the grid, and the controls that a claim about it needs; every distinct cell once."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ganaug import specs
from ganaug.recipe import Cell, strict
from ganaug.records import FACTORS, UNFILTERED, felt_by
from sweeps import semi

if TYPE_CHECKING:
    from sweeps.study import Study

Value = dict[str, Any]


def _grid(study: "Study") -> Iterator[tuple[Value, Value]]:
    """Every combination of the factors, with its arm, and the specs it acts on."""
    for setting in study.settings():
        for values in itertools.product(*(study.factors[f] for f in FACTORS)):
            factors = dict(zip(FACTORS, values, strict=True)) | setting["factors"]
            arm = "semi-supervised" if study.semi else "generated" if factors["n_gen"] else "real-only"
            yield {"arm": arm} | factors, setting


def _generators(study: "Study") -> Iterator[tuple[Value, Value]]:
    """The same of a study that measures generators: no cell has a classifier, and every one has a generator."""
    for factors, setting in _grid(study):
        yield factors | {"arm": "generated"}, setting


def _controls(study: "Study") -> Iterator[tuple[Value, Value]]:
    """The control cells of the settings that the study wants controlled, for every seed."""
    if study.semi is not None:
        yield from semi.arms(study, _grid(study))
    elif study.controls.wanted(study.primary is not None):
        for factors, setting in _grid(study):
            yield from _controls_of(factors, setting, study)


def _controls_of(factors: Value, setting: Value, study: "Study") -> Iterator[tuple[Value, Value]]:
    """The control cells of one cell of the grid."""
    claims = study.controls
    if factors["arm"] != "generated" or not claims.covers(factors, study.primary):
        return
    has_real = setting["classifier"].include_real
    for control in claims.wanted(study.primary is not None):
        match control:
            case "duplicated" | "shuffled" | "more-real":
                yield factors | {"arm": control}, setting
            case "real-only" if has_real:
                yield factors | {"arm": "real-only", "n_gen": 0}, setting
            case "with-validation" if has_real:
                yield factors | {"arm": "with-validation", "n_gen": 0}, setting
            case "classic-da" if has_real and factors["clf_da"] == "none":
                changed = {"arm": "real-only", "n_gen": 0, "clf_da": claims.classic(study.factors["clf_da"])}
                yield factors | changed, setting


def partners(study: "Study") -> Iterator[tuple[Value, list[Value]]]:
    """Every cell of the grid that is compared, and the cells that it is compared with: the factors that each feels."""
    against = study.primary["against"] if study.primary else None
    for factors, setting in _grid(study):
        beside = [f for f, _ in _controls_of(factors, setting, study)]
        if study.semi is not None:
            beside = [f for f, _ in semi.arms(study, iter([(factors, setting)]))]
        elif factors["arm"] == "generated":
            real = {"arm": "real-only", "n_gen": 0}
            beside += [factors | real] if setting["classifier"].include_real else []
            beside += [factors | {"threshold": 0.0}] if against == UNFILTERED and factors["threshold"] else []
        elif factors["clf_da"] != "none" and "none" in study.factors["clf_da"]:
            beside = [factors | {"clf_da": "none"}]
        if beside:
            yield felt(factors, setting, study), [felt(f, setting, study) for f in beside]


def _curve(study: "Study") -> Iterator[tuple[Value, Value]]:
    """Real-only cells of further sizes, so that a gain can be told in real images without a GAN for every size."""
    for factors, setting in _grid(study) if study.controls.curve else ():
        for n_real in study.controls.curve:
            if setting["classifier"].include_real:
                yield factors | {"arm": "real-only", "n_gen": 0, "n_real": n_real}, setting


def felt(factors: Value, setting: Value, study: "Study") -> Value:
    """The factors with None for each that cannot change this cell."""
    factors = {f: v if felt_by(f, factors["arm"]) else None for f, v in factors.items()}
    if factors["arm"] == "semi-supervised":
        factors = factors | dict.fromkeys(semi.unfelt(factors, setting["semi"]))
    judged = bool(factors["n_gen"] and setting["mixing"].soft_labels)
    if factors["arm"] in ("generated", "shuffled"):
        if factors["gan_da"] == "none" or (factors["n_da"] == factors["n_real"] and None in study.factors["n_da"]):
            factors = factors | {"n_da": None}  # there is none, or it is the default by its number
        chosen = strict(setting["filter"], factors["threshold"])
        if not chosen.threshold:
            factors = {f: None if f.startswith("filter.") else v for f, v in factors.items()}
        judged = judged or specs.asks_judge(chosen)
    if not judged:
        factors = {f: None if f.startswith("judge.") else v for f, v in factors.items()}
    if factors["clf_da"] == "none":  # a warm start is one under augmentation alone
        factors = {f: None if f == "classifier.warm_start" else v for f, v in factors.items()}
    if factors["clf_da"] == "none" and factors["gan_da"] in (None, "none") and not judged:
        factors = {f: None if f.startswith("augmentation.") else v for f, v in factors.items()}
    return factors


def cells(study: "Study", dataset: str) -> Iterator[tuple[Value, Cell]]:
    """Every distinct cell: its arm and factors, and what the recipe needs; first the grid, then what accompanies it.

    A factor that cannot change a cell is None in its factors, and the cell comes once.
    """
    seen: set[str] = set()
    asked = itertools.chain(_grid(study), _controls(study), _curve(study))
    for raw, setting in _generators(study) if study.measure == "generators" else asked:
        factors = felt(raw, setting, study)
        mark = repr(factors)
        if mark in seen:
            continue
        seen.add(mark)
        yield (
            factors,
            Cell(
                dataset=dataset,
                arm=factors["arm"],
                n_real=factors["n_real"],
                n_gen=factors["n_gen"] or 0,
                threshold=factors["threshold"] or 0.0,
                gan_da=specs.parse_gan_da(factors["gan_da"] or "none"),
                n_da=factors["n_da"],
                clf_da=specs.parse_da(factors["clf_da"]),
                seed=factors["seed"],
                n_validation=study.dataset.validation_per_class,
                gan=setting["gan"],
                pool=setting["pool"],
                filter=setting["filter"],
                judge=setting["judge"],
                mixing=setting["mixing"],
                augmentation=setting["augmentation"],
                classifier=setting["classifier"],
                classifier_seeds=study.classifier_seeds,
                fused=study.fuse == "on",
                semi=setting["semi"],
            ),
        )
