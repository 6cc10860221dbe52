"""A study's search, settled: its axes, the fixed values of everything else, its seeds; and the study of one step."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganaug.records import FACTORS
from sweeps.refusals import VARIANTS, hint, short
from sweeps.search.spec import N_CONFIRM, STEPS, Choices, Range, SearchSpec
from sweeps.study import _FACTOR_TYPES, SECTIONS, Study, _checked

Value = dict[str, Any]

VERSION = 1  # of what a search's history depends on beside its parameters


@dataclass(frozen=True)
class Axis:
    """One path of the space. A range has low, high, step and log; a choice has choices."""

    path: str
    whole: bool = False
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def points(self) -> list[Any]:
        """Every value of a choice or of a range with steps, the whole numbers of a range of whole numbers."""
        if self.choices:
            return list(self.choices)
        step = self.step or 1
        n = math.floor((self.high - self.low) / step + 1e-9)
        return [int(v) if self.whole else v for v in (round(self.low + i * step, 12) for i in range(n + 1))]

    def ends(self) -> tuple[Any, ...]:
        """The values that have to be allowed for all others to be."""
        return self.choices or (self._typed(self.low), self._typed(self.high))

    def _typed(self, value: float) -> Any:
        return int(value) if self.whole else value

    def told(self) -> Any:
        """As in the study file."""
        if self.choices:
            return {"choices": list(self.choices)}
        extra = ({"step": self.step} if self.step else {}) | ({"log": True} if self.log else {})
        ends = list(self.ends())
        return {"low": ends[0], "high": ends[1], **extra} if extra else ends


@dataclass(frozen=True)
class Search:
    """What is searched and what is not: all that `ganaug search` needs to know of a study."""

    study: Study
    spec: SearchSpec
    axes: dict[str, Axis]
    settings: Value  # every other factor but the seed
    seeds: tuple[int, ...]
    confirm_seeds: tuple[int, ...]
    steps: int

    def felt(self, params: Mapping[str, Any]) -> Value:
        """The settings and these parameters, without what the chosen GAN or filter does not know."""
        values = self.settings | dict(params)
        return {path: value for path, value in values.items() if self.known(path, values)}

    def known(self, path: str, values: Mapping[str, Any]) -> bool:
        """Whether a path leads anywhere under these values: `filter.rank` does not where `filter.name` is rejection."""
        section, _, rest = path.partition(".")
        if section not in VARIANTS or rest in ("", "name"):
            return True
        name = values.get(f"{section}.name", getattr(self.study, section).name)
        return name not in VARIANTS[section] or rest.split(".")[0] in VARIANTS[section][name].model_fields

    def study_at(self, params: Mapping[str, Any], seeds: Iterable[int], **changes: Any) -> Study:
        """The study of one setting on some seeds; `changes` replaces whole parts of it. ValueError where it is none."""
        return self.study_over({path: [value] for path, value in self.felt(params).items()}, seeds, **changes)

    def study_over(self, factors: Mapping[str, list[Any]], seeds: Iterable[int], **changes: Any) -> Study:
        """The study of these lists of values."""
        data = self.study.model_dump(exclude={"factors", "primary", "controls", "search"})
        return Study.model_validate(data | {"factors": {**factors, "seed": list(seeds)}} | changes)

    def digest(self, dataset: str) -> str:
        """Names what a history depends on: everything but how long it goes on and what confirms it."""
        beside = {
            "name",
            "question",
            "primary",
            "controls",
            "margin_points",
            "assess",
            "resources",
            "search",
            "factors",
            "semi",
            "fuse",
        }
        told = {
            "version": VERSION,
            "dataset": dataset,
            "study": self.study.model_dump(mode="json", exclude=beside),
            "space": {path: axis.told() for path, axis in self.axes.items()},
            "settings": self.settings,
            "seeds": self.seeds,
            **self.spec.model_dump(mode="json", include={"sampler", "sampler_seed", "objectives", "warm_start"}),
            **({"fuse": "on"} if self.study.fuse == "on" else {}),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _as_space(error: ValueError, path: str) -> ValueError:
    """The refusal of a factor's value, told of the space."""
    told = str(error)
    if told.startswith("factors: "):
        return ValueError(f"search.space.{path}: {told.removeprefix('factors: ')}")
    return ValueError(f"search.space.{told.removeprefix('factors.')}" if told.startswith("factors.") else told)


def _settled(study: Study, path: str, value: Any, names: Iterable[Any] = ()) -> Any:
    """A value as the study reads it. `names`: what the section's `name` may be; one that knows the path is enough."""
    if path in FACTORS:
        return _checked(_FACTOR_TYPES[path], value, f"search.space.{path}")
    section = path.split(".")[0]
    last: ValueError | None = None
    for name in [None, *names]:
        changes = ((path, value),) if name is None else ((f"{section}.name", name), (path, value))
        try:
            at: Any = study._section(path, changes)
            for part in path.split(".")[1:]:
                at = getattr(at, part)
        except (ValueError, AttributeError) as error:
            last = last or (error if isinstance(error, ValueError) else ValueError(f"factors.{path}: leads nowhere"))
            continue
        if isinstance(value, bool) != isinstance(at, bool):
            raise ValueError(f"search.space.{path}: must be {'true or false' if at in (True, False) else 'a number'}")
        return at
    assert last is not None
    raise _as_space(last, path)


def _known_path(path: str, at: str) -> None:
    if path == "seed":
        raise ValueError(f"{at}.seed: a step is a mean over all seeds; name them in search.seeds")
    if path not in FACTORS and (path.split(".")[0] not in SECTIONS or "." not in path):
        raise ValueError(
            f"{at}: unknown factor {path!r}{hint(path, [f for f in FACTORS if f != 'seed'])} (a dotted path into "
            f"{', '.join(SECTIONS)} is a factor too, e.g. gan.steps)"
        )


def _axis(study: Study, path: str, given: Range | Choices, names: Iterable[Any]) -> Axis:
    """One line of the space as an axis, its values as the study reads them."""
    _known_path(path, "search.space")
    if isinstance(given, Choices):
        return Axis(path, choices=tuple(_settled(study, path, value, names) for value in given.choices))
    ends = [_settled(study, path, int(v) if v == int(v) else v, names) for v in (given.low, given.high)]
    if any(isinstance(v, str | bool) for v in ends):
        raise ValueError(f"search.space.{path}: is no number; use {{choices: [...]}}")
    whole = all(isinstance(v, int) for v in ends)
    if whole and given.step is not None and given.step != int(given.step):
        raise ValueError(f"search.space.{path}.step: must be a whole number, got {given.step:g}")
    if path == "n_gen" and given.low < 1:
        raise ValueError(
            "search.space.n_gen: low must be at least 1; without generated images a setting is the control real-only"
        )
    return Axis(path, whole, float(ends[0]), float(ends[1]), given.step, given.log)


def _fixed(study: Study, name: str) -> Any:
    """The value that a factor outside the space has: the primary contrast's, or the only one there is."""
    values = [v for v in study.factors[name] if v or name not in ("n_gen",)]
    if study.primary is not None and study.primary.get(name) is not None:
        return study.primary[name]
    if len(values) > 1:
        raise ValueError(
            f"search.settings.{name}: is missing, and the study has several: {short(values)}; name one, or put the "
            "factor into search.space"
        )
    if not values:
        raise ValueError("search.settings.n_gen: must be more than 0, for a search is about generated images")
    return values[0]


def _seeds(study: Study, spec: SearchSpec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The seeds of the search, and those of the confirmation."""
    seeds = spec.seeds or tuple(study.factors["seed"])
    if spec.confirm_seeds is None:
        first = max(*seeds, *study.factors["seed"]) + 1
        return seeds, tuple(range(first, first + N_CONFIRM))
    both = sorted(set(seeds) & set(spec.confirm_seeds))
    if both:
        raise ValueError(
            f"search.confirm_seeds: must be fresh, but the search uses {short(both)} too; leave them out of one of them"
        )
    return seeds, spec.confirm_seeds


def settle(study: Study) -> Search:
    """The search that a study asks for, every default written out; ValueError says what does not fit."""
    spec = study.search or SearchSpec()
    axes: dict[str, Axis] = {}
    for path, given in sorted(spec.space.items(), key=lambda item: not item[0].endswith(".name")):  # names come first
        name = f"{path.split('.')[0]}.name"
        axes[path] = _axis(study, path, given, axes[name].choices if name in axes and name != path else ())
    for path in spec.settings:
        _known_path(path, "search.settings")
        if path in axes:
            raise ValueError(f"search.settings.{path}: is searched; take it out of settings or of search.space")
    names = [f for f in (*FACTORS, *study.paths, *spec.settings) if f != "seed" and f not in axes]
    settings = {
        name: _settled(study, name, spec.settings[name]) if name in spec.settings else _fixed(study, name)
        for name in dict.fromkeys(names)
    }
    includes = [settings.get(p) or (p in axes and True in axes[p].choices) for p in ("classifier.include_validation",)]
    if study.classifier.include_validation or any(includes):
        raise ValueError(
            "search: classifier.include_validation is true, so no validation image is left to judge a setting by; "
            "set it to false"
        )
    if settings.get("n_gen") == 0 or (("n_gen" in axes) and 0 in axes["n_gen"].choices):
        raise ValueError("search.settings.n_gen: must be more than 0, for a search is about generated images")
    steps = spec.steps or STEPS
    if spec.sampler == "grid":
        for axis in axes.values():
            if not (axis.choices or axis.whole or axis.step):
                raise ValueError(
                    f"search.space.{axis.path}: the grid sampler needs a step, e.g. "
                    f"{{low: {axis.low:g}, high: {axis.high:g}, step: {(axis.high - axis.low) / 10:g}}}"
                )
        size = math.prod(len(a.points()) for a in axes.values())
        steps = min(spec.steps or size, size)
    seeds, confirm_seeds = _seeds(study, spec)
    search = Search(study, spec, axes, settings, seeds, confirm_seeds, steps)
    for params in corners(search):
        search.study_at(params, seeds)  # refuses what no step could be
    return search


def corners(search: Search) -> Iterable[Value]:
    """Settings at the ends of each axis, the others at their first value; then all at their last."""
    first = {path: axis.ends()[0] for path, axis in search.axes.items()}
    for path, axis in search.axes.items():
        for value in axis.ends():
            yield first | {path: value}
    yield {path: axis.ends()[-1] for path, axis in search.axes.items()}


def grid_points(search: Search) -> list[Value]:
    """Every point of a space that has steps, the lowest threshold first."""
    axes = list(search.axes.values())
    return [
        dict(zip((a.path for a in axes), values, strict=True))
        for values in itertools.product(*(a.points() for a in axes))
    ]
