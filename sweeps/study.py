"""A study: the question as a grid. Its parts, what may stand in them, and its cells; without torch or Ray."""

import itertools
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator

from ganaug import specs
from ganaug.datasets import DATASETS
from ganaug.recipe import Cell
from ganaug.records import AFTER_PATHS, FACTORS
from ganaug.specs import PositiveInt, Spec
from sweeps import claim, layout, semi
from sweeps.plan import AT_MOST
from sweeps.refusals import VARIANTS, explain, hint, short
from sweeps.search.spec import SearchSpec
from sweeps.seeds import SeedsSpec, as_factor

SECTIONS = (
    "gan",
    "pool",
    "filter",
    "judge",
    "mixing",
    "augmentation",
    "classifier",
    "semi",
)  # what a dotted factor may reach into

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Value = dict[str, Any]


def _da(text: str) -> str:
    specs.parse_da(text)
    return text


def _gan_da(text: str) -> str:
    specs.parse_gan_da(text)
    return text


_FACTOR_TYPES: dict[str, TypeAdapter[Any]] = {
    "n_real": TypeAdapter(PositiveInt),
    "n_gen": TypeAdapter(Count),
    "threshold": TypeAdapter(Annotated[float, Field(ge=0, le=1)]),
    "gan_da": TypeAdapter(Annotated[str, AfterValidator(_gan_da)]),
    "n_da": TypeAdapter(PositiveInt | None),
    "clf_da": TypeAdapter(Annotated[str, AfterValidator(_da)]),
    "seed": TypeAdapter(Annotated[int, Field(ge=0, lt=2**31)]),
}
_UNIONS: dict[str, Any] = {"gan": specs.AnyGan, "filter": specs.AnyFilter}
_FACTOR_DEFAULTS: Value = {
    "n_gen": [0], "threshold": [0.0], "gan_da": ["none"], "n_da": [None], "clf_da": ["none"], "seed": [0],
}  # fmt: skip


def _renamed(spec: Spec, section: str, name: str) -> Value:
    """A GAN's or filter's settings for the one called `name`: those that differ from their default go along where it
    knows them."""
    known = VARIANTS[section][name].model_fields if name in VARIANTS[section] else {}
    changed = spec.model_dump(exclude_defaults=True).keys() & known
    return {k: v for k, v in spec.model_dump().items() if k in changed} | {"name": name}


class DatasetSpec(Spec):
    """Which images. `protocol` is EMNIST's; `path` and `channels` belong to a folder of the user's own, `images` to
    celeba, and `size` to these and to pomeranian; `set`, `characters` and `per_class` to the ETL database, and
    `characters`, `per_class` and `fonts` to drawn glyphs.
    """

    name: str
    protocol: str | None = None
    path: str | None = None
    size: PositiveInt | None = None
    channels: int | None = None
    set: str | None = None
    characters: str | None = None
    per_class: PositiveInt | None = None
    fonts: list[str] | None = None
    images: PositiveInt | None = None  # how many of a large set are read, drawn once
    on_bad_image: Literal["refuse", "skip"] | None = None  # None: a damaged file of a folder ends the run
    test_per_class: Count | None = None  # None: the official test images; 0, for a study of generators alone: none
    validation_per_class: PositiveInt = 10  # labelled images too: they count in the budget

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in DATASETS:
            raise ValueError(f"unknown data set {name!r}{hint(name, DATASETS)}")
        return name

    @property
    def options(self) -> Value:
        """What the loader is told beside the name."""
        names = set(type(self).model_fields) - {"name", "test_per_class", "validation_per_class"}
        return {k: v for k, v in self if k in names and v is not None}


class Resources(Spec):
    """Where trials run; no part of any identity."""

    workers: PositiveInt | None = None  # trials at a time; None: as many as the CPUs or GPUs allow
    cpus_per_trial: Annotated[float, Field(gt=0)] = 1.0
    gpus_per_trial: Annotated[float, Field(ge=0)] | None = None  # None: the GPUs there are, shared by the trials
    device: Literal["auto", "cpu", "cuda"] = "auto"
    fuse_at_most: PositiveInt = AT_MOST  # where trainings are fused: members of one batched model; memory may say fewer


class RankingSpec(Spec):
    """What a study of generators ranks them by, and which way it reads it; the wrong way can be said too."""

    metric: Literal["kid", "fid", "precision", "recall", "density", "coverage", "score"] = "kid"
    better: Literal["lower", "higher"] = "lower"


class ScoreClaim(Spec):
    """What a published study said of its generators: the metric of one arm reads higher or lower than another's."""

    text: str
    of: Value  # factors of the arm, e.g. {gan_da: negative}
    than: Value | Literal["all others"]
    reads: Literal["higher", "lower"]
    metric: Literal["kid", "fid", "precision", "recall", "density", "coverage", "score"] = "score"


class Study(Spec):
    """The whole of a study, every default written out."""

    name: str
    question: str = ""
    measure: Literal["classifiers", "generators"] = "classifiers"  # what a cell's record is of
    variant: str | None = None  # the overlay of the study's file that was laid over it; see `overlays`
    stands_in_for: str | None = None  # the data set that `dataset` takes the place of
    stand_in_offered: str | None = Field(default=None, exclude=True)  # the data set that --stand-in would take
    dataset: DatasetSpec
    factors: dict[str, list[Any]]
    seeds: SeedsSpec | None = None  # adds seeds until verdicts are there, in place of factors.seed
    gan: specs.AnyGan
    pool: specs.PoolSpec = specs.PoolSpec()
    filter: specs.AnyFilter = specs.DiscriminatorFilterSpec()
    judge: specs.JudgeSpec = specs.JudgeSpec()
    mixing: specs.MixingSpec = specs.MixingSpec()
    augmentation: specs.AugmentationSpec = specs.AugmentationSpec()
    classifier: specs.ClassifierSpec = specs.ClassifierSpec()
    classifier_seeds: Annotated[int, Field(ge=1, le=100)] = 1
    primary: Value | None = None  # the one contrast the study is about, named before it runs; see `claim`
    controls: claim.ControlsSpec = claim.ControlsSpec()
    semi: specs.SemiSpec | None = None  # a study of unlabelled images takes the place of one of generated ones
    search: SearchSpec | None = None  # what `ganaug search` looks for; None: the threshold; see `search/space.py`
    margin_points: Annotated[float, Field(gt=0, le=100)] = 1.0  # a change inside ± this is "no effect"
    assess: specs.AssessSpec | None = specs.AssessSpec()  # metrics of every generator; null: none
    ranking: RankingSpec = RankingSpec()  # of generators, where they are what is measured
    claims: tuple[ScoreClaim, ...] = ()  # of the published study, to be held against what is measured
    # trainings of one spec as one batched model; auto: where trials have a GPU. What results are, not where they run:
    fuse: Literal["auto", "on", "off"] = "auto"
    resources: Resources = Resources()

    @property
    def folder(self) -> str:
        """The name of its run folder: a variant other than `corrected`, or stand-in data, is another run."""
        variant = f"-{self.variant}" if self.variant not in (None, "corrected") else ""
        return f"{self.name}{variant}" + (f"-on-{self.dataset.name}" if self.stands_in_for else "")

    @field_validator("fuse", mode="before")
    @classmethod
    def _on(cls, value: Any) -> Any:
        """To YAML, on and off without quotes are yes and no."""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value

    @field_validator("name", "variant", "stands_in_for")  # they name the run folder
    @classmethod
    def _plain_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            raise ValueError("must be up to 64 letters, digits, '.', '_' and '-', and begin with a letter or a digit")
        return name

    @model_validator(mode="before")
    @classmethod
    def _without_gan(cls, data: Any) -> Any:
        """A study of unlabelled images has no generator beside its own."""
        if isinstance(data, dict) and data.get("semi") is not None and "gan" not in data:
            return data | {"gan": {"name": "projection"}}
        return data

    @model_validator(mode="before")
    @classmethod
    def _seeds(cls, data: Any) -> Any:
        return as_factor(data) if isinstance(data, dict) else data

    @field_validator("factors", mode="before")
    @classmethod
    def _factors(cls, factors: Any) -> Any:
        if not isinstance(factors, dict):
            raise ValueError("must be a mapping of factors to lists")
        if "n_real" not in factors:
            raise ValueError("needs n_real: how many real images per class, e.g. n_real: [100, 300]")
        out = {}
        for name in [*FACTORS, *(f for f in factors if f not in FACTORS)]:
            values = factors.get(name, _FACTOR_DEFAULTS.get(name))
            values = values if isinstance(values, list) else [values]
            if not values:
                raise ValueError(f"factors.{name}: is an empty list; give at least one value")
            if name in _FACTOR_TYPES:
                values = [_checked(_FACTOR_TYPES[name], v, f"factors.{name}[{i}]") for i, v in enumerate(values)]
            elif name.split(".")[0] not in SECTIONS or "." not in name:
                raise ValueError(
                    f"factors: unknown factor {name!r}{hint(name, FACTORS)} (a dotted path into "
                    f"{', '.join(SECTIONS)} is a factor too, e.g. gan.steps)"
                )
            out[name] = _distinct(name, values)
        return out

    @model_validator(mode="after")
    def _whole(self) -> "Study":
        semi.check(self)
        for name in self.paths:
            values = [self._settled(name, value) for value in self.factors[name]]
            self.factors[name] = _distinct(name, values)
        if self.measure == "generators":
            self._generators_alone()
        elif self.dataset.test_per_class == 0:
            raise ValueError("dataset.test_per_class: 0 leaves no test images; only measure: generators needs none")
        if self.primary is not None:
            settled = claim.settle(self.primary, self.factors, self.semi)
            own = next(s for s in self.settings() if all(settled[p] == s["factors"][p] for p in self.paths))
            arm = "semi-supervised" if self.semi else "generated" if settled["n_gen"] else "real-only"
            marked = layout.felt(settled | {"arm": arm}, own, self)
            self.primary.clear()
            self.primary.update({f: v for f, v in marked.items() if f != "arm"})
        if self.seeds is not None:
            self._comparing()
        for setting in self.settings():
            classifier = setting["classifier"]
            if not (classifier.include_real or classifier.include_validation) and 0 in self.factors["n_gen"]:
                raise ValueError(
                    "classifier.include_real false with n_gen 0 leaves nothing to train on; take 0 out of n_gen"
                )
            if not classifier.include_real and self.primary and self.primary["against"] in ("real-only", "classic-da"):
                raise ValueError(
                    f"primary.against: {self.primary['against']} has nothing to train on where classifier.include_real "
                    "is false; take duplicated, which is the same real images as often, or more-real"
                )
            if all(f.threshold is not None for f in specs.chain_of(setting["filter"])):
                raise ValueError(
                    "filter.threshold: every filter has its own, so the factor threshold would do nothing; leave it "
                    "out of the filter that factors.threshold is meant for"
                )
            if max(self.factors["n_gen"]) > setting["pool"].max_per_class:
                raise ValueError(
                    f"factors.n_gen: {max(self.factors['n_gen'])} is more than a pool holds; raise pool.max_per_class "
                    f"({setting['pool'].max_per_class})"
                )
        return self

    def _comparing(self) -> None:
        """Refuse `seeds` where there is no verdict to wait for."""
        if self.measure == "generators":
            raise ValueError(
                "seeds: waits for verdicts on classifiers, and measure: generators has none; give factors.seed"
            )
        if self.search is not None:
            raise ValueError(
                "seeds: a search compares its steps over the same seeds; give factors.seed, or leave search out"
            )
        if next(layout.partners(self), None) is None:
            raise ValueError(
                "seeds: the study has no setting with a control, so no verdict to wait for; give factors.seed"
            )

    def _generators_alone(self) -> None:
        """Refuse what a study of generators, which trains no classifier, would do nothing with."""
        if self.assess is None:
            raise ValueError("assess: measure: generators asks for nothing else; leave assess: null out")
        for name in ("n_gen", "threshold", "clf_da"):
            if self.factors[name] != _FACTOR_DEFAULTS[name]:
                raise ValueError(f"factors.{name}: measure: generators trains no classifier; leave {name} out")
        for name in self.paths:
            if name.startswith(AFTER_PATHS):
                raise ValueError(f"factors.{name}: comes after the generator, which measure: generators stops at")
        for i, said in enumerate(self.claims):
            for side in (said.of, said.than):
                if isinstance(side, dict) and (odd := sorted(side.keys() - self.factors.keys())):
                    raise ValueError(f"claims[{i}]: unknown factor {odd[0]!r}{hint(odd[0], self.factors)}")
        if self.primary is not None:
            raise ValueError("primary: compares classifiers, and measure: generators trains none; leave it out")
        if self.search is not None:
            raise ValueError("search: compares classifiers, and measure: generators trains none; leave it out")
        if self.controls != claim.ControlsSpec():
            raise ValueError("controls: accompany classifiers, and measure: generators trains none; leave them out")

    @property
    def paths(self) -> list[str]:
        """The factors that are dotted paths."""
        return [f for f in self.factors if f not in FACTORS]

    def _settled(self, path: str, value: Any) -> Any:
        """A dotted factor's value as the section it reaches into reads it, so that 4 and 4.0 steps are one value."""
        if isinstance(value, list | dict | None):
            raise ValueError(f"factors.{path}: each value must be a number or a name, got {short(value)}")
        at: Any = self._section(path, ((path, value),))
        for part in path.split(".")[1:]:
            at = getattr(at, part)
        if isinstance(value, bool) and not isinstance(at, bool):
            raise ValueError(f"factors.{path}: must be a number or a name, got {value}")
        return at

    def _section(self, section: str, changes: tuple[tuple[str, Any], ...]) -> Any:
        """A section's spec with the dotted changes that reach into it, checked again."""
        section = section.split(".")[0]
        own = [(path, value) for path, value in changes if path.split(".")[0] == section]
        spec: Spec | None = getattr(self, section)
        if not own or spec is None:  # `semi.check` has refused paths into a section that is not there
            return spec
        name = dict(own).get(f"{section}.name") if section in VARIANTS else None
        data = spec.model_dump() if name is None else _renamed(spec, section, name)
        for path, value in own:
            at = data
            *parts, last = path.split(".")[1:]
            for part in parts:
                if not isinstance(at.get(part), dict):
                    raise ValueError(f"factors.{path}: reaches into {part!r}, which has no settings of its own")
                at = at[part]
            at[last] = value
        try:
            return TypeAdapter(_UNIONS.get(section, type(spec))).validate_python(data)
        except ValidationError as error:
            told = explain(error, Study, (section,))
            raise ValueError(f"factors.{told}" if told.startswith(f"{section}.") else f"factors: {told}") from None

    def settings(self) -> Iterator[Value]:
        """The specs of every combination of the dotted factors."""
        for values in itertools.product(*(self.factors[p] for p in self.paths)):
            changes = tuple(zip(self.paths, values, strict=True))
            yield {s: self._section(s, changes) for s in SECTIONS} | {"factors": dict(changes)}

    def cells(self, dataset: str) -> Iterator[tuple[Value, Cell]]:
        """Every distinct cell of the study on the data set with this digest, controls included (see `layout`)."""
        return layout.cells(self, dataset)


def _distinct(name: str, values: list[Any]) -> list[Any]:
    if any(a == b for a, b in itertools.combinations(values, 2)):
        raise ValueError(f"factors.{name}: holds a value twice: {short(values)}")
    return values


def _checked(adapter: TypeAdapter[Any], value: Any, name: str) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{name}: must be a number or a name, got {value}")
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        bounds = adapter.json_schema()
        if error.errors()[0]["type"] in ("greater_than_equal", "less_than_equal") and "maximum" in bounds:
            rule = f"must lie in [{bounds['minimum']}, {bounds['maximum']}]"
            raise ValueError(f"{name}: {rule}, got {value}") from None
        raise ValueError(explain(error, Study, (name,))) from None
