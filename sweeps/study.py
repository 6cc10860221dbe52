"""A study: one YAML file that asks the question as a grid. Read, checked and resolved here, without torch or Ray."""

import difflib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator

from ganaug import specs
from ganaug.datasets import DATASETS
from ganaug.errors import UserError
from ganaug.recipe import Cell
from ganaug.records import FACTORS, is_generation_factor
from ganaug.specs import PositiveInt, Spec
from sweeps import yaml_file
from sweeps.refusals import GANS, explain, hint, short

PACKAGED = Path(__file__).parent / "studies"
SECTIONS = ("gan", "pool", "augmentation", "classifier")  # what a dotted factor may reach into

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Value = dict[str, Any]


def _da(text: str) -> str:
    specs.parse_da(text)
    return text


_FACTOR_TYPES: dict[str, TypeAdapter[Any]] = {
    "n_real": TypeAdapter(PositiveInt),
    "n_gen": TypeAdapter(Count),
    "threshold": TypeAdapter(Annotated[float, Field(ge=0, le=1)]),
    "gan_da": TypeAdapter(Annotated[str, AfterValidator(_da)]),
    "n_da": TypeAdapter(PositiveInt | None),
    "clf_da": TypeAdapter(Annotated[str, AfterValidator(_da)]),
    "seed": TypeAdapter(Annotated[int, Field(ge=0, lt=2**31)]),
}
_FACTOR_DEFAULTS: Value = {
    "n_gen": [0], "threshold": [0.0], "gan_da": ["none"], "n_da": [None], "clf_da": ["none"], "seed": [0],
}  # fmt: skip


def _renamed(gan: Spec, name: str) -> Value:
    """A GAN's settings for the GAN called `name`: those that differ from their default go along where it knows them."""
    known = GANS[name].model_fields if name in GANS else {}
    return {k: v for k, v in gan.model_dump(exclude_defaults=True).items() if k in known} | {"name": name}


class DatasetSpec(Spec):
    """Which images. `protocol` is EMNIST's; `path`, `size` and `channels` belong to a folder of the user's own."""

    name: str
    protocol: str | None = None
    path: str | None = None
    size: PositiveInt | None = None
    channels: int | None = None
    test_per_class: PositiveInt | None = None  # None: the official test images
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
        return {k: getattr(self, k) for k in ("protocol", "path", "size", "channels") if getattr(self, k) is not None}


class Resources(Spec):
    """Where trials run; no part of any identity."""

    workers: PositiveInt | None = None  # trials at a time; None: as many as the CPUs or GPUs allow
    cpus_per_trial: Annotated[float, Field(gt=0)] = 1.0
    gpus_per_trial: Annotated[float, Field(ge=0)] | None = None  # None: the GPUs there are, shared by the trials
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Study(Spec):
    """The whole of a study, every default written out."""

    name: str
    question: str = ""
    dataset: DatasetSpec
    factors: dict[str, list[Any]]
    gan: specs.AnyGan
    pool: specs.PoolSpec = specs.PoolSpec()
    augmentation: specs.AugmentationSpec = specs.AugmentationSpec()
    classifier: specs.ClassifierSpec = specs.ClassifierSpec()
    classifier_seeds: Annotated[int, Field(ge=1, le=100)] = 1
    resources: Resources = Resources()

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            raise ValueError("must be up to 64 letters, digits, '.', '_' and '-', and begin with a letter or a digit")
        return name

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
        for name in self.paths:
            values = [self._settled(name, value) for value in self.factors[name]]
            self.factors[name] = _distinct(name, values)
        for setting in self._settings():
            classifier = setting["classifier"]
            if not (classifier.include_real or classifier.include_validation) and 0 in self.factors["n_gen"]:
                raise ValueError(
                    "classifier.include_real false with n_gen 0 leaves nothing to train on; take 0 out of n_gen"
                )
            if max(self.factors["n_gen"]) > setting["pool"].max_per_class:
                raise ValueError(
                    f"factors.n_gen: {max(self.factors['n_gen'])} is more than a pool holds; raise pool.max_per_class "
                    f"({setting['pool'].max_per_class})"
                )
        return self

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

    def _section(self, section: str, changes: tuple[tuple[str, Any], ...]) -> Spec:
        """A section's spec with the dotted changes that reach into it, checked again."""
        section = section.split(".")[0]
        own = [(path, value) for path, value in changes if path.split(".")[0] == section]
        spec: Spec = getattr(self, section)
        if not own:
            return spec
        name = dict(own).get("gan.name")
        data = spec.model_dump() if name is None else _renamed(spec, name)
        for path, value in own:
            at = data
            *parts, last = path.split(".")[1:]
            for part in parts:
                if not isinstance(at.get(part), dict):
                    raise ValueError(f"factors.{path}: reaches into {part!r}, which has no settings of its own")
                at = at[part]
            at[last] = value
        try:
            return TypeAdapter(type(spec) if section != "gan" else specs.AnyGan).validate_python(data)
        except ValidationError as error:
            told = explain(error, Study, (section,))
            raise ValueError(f"factors.{told}" if told.startswith(f"{section}.") else f"factors: {told}") from None

    def _settings(self) -> Iterator[Value]:
        """The specs of every combination of the dotted factors."""
        for values in itertools.product(*(self.factors[p] for p in self.paths)):
            changes = tuple(zip(self.paths, values, strict=True))
            yield {s: self._section(s, changes) for s in SECTIONS} | {"factors": dict(changes)}

    def cells(self, dataset: str) -> Iterator[tuple[Value, Cell]]:
        """Every distinct cell of the grid, on the data set with this digest: its factors, and what the recipe needs.

        A factor that cannot change a cell is None in its factors, and the cell comes once.
        """
        seen: set[str] = set()
        for setting in self._settings():
            for values in itertools.product(*(self.factors[f] for f in FACTORS)):
                factors = dict(zip(FACTORS, values, strict=True)) | setting["factors"]
                if not factors["n_gen"]:
                    factors = {f: None if is_generation_factor(f) else v for f, v in factors.items()}
                elif factors["gan_da"] == "none":
                    factors["n_da"] = None
                elif factors["n_da"] == factors["n_real"] and None in self.factors["n_da"]:
                    factors["n_da"] = None  # the default by its number
                if factors["clf_da"] == "none" and factors["gan_da"] in (None, "none"):
                    factors = {f: None if f.startswith("augmentation.") else v for f, v in factors.items()}
                mark = repr(factors)
                if mark in seen:
                    continue
                seen.add(mark)
                yield factors, self._cell(factors, setting, dataset)

    def _cell(self, factors: Value, setting: Value, dataset: str) -> Cell:
        return Cell(
            dataset=dataset,
            n_real=factors["n_real"],
            n_gen=factors["n_gen"],
            threshold=factors["threshold"] or 0.0,
            gan_da=specs.parse_da(factors["gan_da"] or "none"),
            n_da=factors["n_da"],
            clf_da=specs.parse_da(factors["clf_da"]),
            seed=factors["seed"],
            n_validation=self.dataset.validation_per_class,
            gan=setting["gan"],
            pool=setting["pool"],
            augmentation=setting["augmentation"],
            classifier=setting["classifier"],
            classifier_seeds=self.classifier_seeds,
        )


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


def packaged() -> dict[str, Path]:
    """The studies that come with the package, by name."""
    return {p.stem: p for p in sorted(PACKAGED.glob("*.yaml"))}


def find(study: str) -> Path:
    """The file of a study given as a path or as the name of a packaged one."""
    path = Path(study)
    if path.is_file():
        return path
    known = packaged()
    if study in known:
        return known[study]
    if path.suffix in (".yaml", ".yml") or "/" in study:
        raise UserError(f"{study}: no such file")
    close = difflib.get_close_matches(study, known, 1, cutoff=0.5)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise UserError(f"{study}: no such file and no packaged study; {meant}packaged: {', '.join(known)}")


def _set(data: Value, assignment: str) -> None:
    """Apply `--set key=value`: a dotted path, or the bare name of a factor."""
    key, _, text = assignment.partition("=")
    path = key.split(".")
    if "=" not in assignment or not all(path):
        raise UserError(f"--set {assignment}: must be key=value, e.g. --set n_real=[3,10]")
    factors = data.get("factors")
    if key in FACTORS or (isinstance(factors, dict) and key in factors):
        path = ["factors", key]
    elif path[0] == "factors" and len(path) > 1:
        path = ["factors", ".".join(path[1:])]
    at = data
    for depth, part in enumerate(path[:-1], 1):
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise UserError(f"--set {key}: {'.'.join(path[:depth])} has no settings of its own")
    at[path[-1]] = yaml_file.parse_value(text, f"--set {key}")


def _refuse_yes(data: Value, checked: Spec, above: str = "") -> None:
    """A yes or no where a number belongs would pass for 1 or 0."""
    for key, value in data.items():
        known = getattr(checked, key)
        if isinstance(value, dict) and isinstance(known, Spec):
            _refuse_yes(value, known, f"{above}{key}.")
        elif isinstance(value, bool) and not isinstance(known, bool):
            raise UserError(f"{above}{key}: must be a number or a name, got {value}")


def load(study: str, assignments: tuple[str, ...] | list[str] = ()) -> Study:
    """A study from a file or a packaged name, with `--set` assignments applied; UserError says what is wrong where.

    A number in quotes is a number; `true` and `false` are not.
    """
    path = find(study)
    data = yaml_file.read(path)
    for assignment in assignments:
        _set(data, assignment)
    data.setdefault("name", path.stem)
    try:
        checked = Study.model_validate(data)
        _refuse_yes(data, checked)
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, Study)}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return checked


def to_yaml(study: Study) -> str:
    """The resolved study as YAML that `load` reads back."""
    return yaml_file.dump(study.model_dump(mode="json"))
