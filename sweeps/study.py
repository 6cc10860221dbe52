"""A study: one YAML file that asks the question as a grid. Read, checked and resolved here, without torch or Ray."""

import difflib
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError, field_validator, model_validator

from ganaug import specs
from ganaug.datasets import DATASETS
from ganaug.errors import UserError
from ganaug.recipe import Cell
from ganaug.records import FACTORS, is_generation_factor
from ganaug.specs import PositiveInt, Spec
from sweeps import yaml_file

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
    "gan_da": TypeAdapter(str),
    "n_da": TypeAdapter(PositiveInt | None),
    "clf_da": TypeAdapter(str),
    "seed": TypeAdapter(Annotated[int, Field(ge=0, lt=2**31)]),
}
_FACTOR_DEFAULTS: Value = {
    "n_gen": [0], "threshold": [0.0], "gan_da": ["none"], "n_da": [None], "clf_da": ["none"], "seed": [0],
}  # fmt: skip


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
            raise ValueError(f"unknown data set; known: {', '.join(DATASETS)}")
        return name

    @property
    def options(self) -> Value:
        """What the loader is told beside the name."""
        return {k: getattr(self, k) for k in ("protocol", "path", "size", "channels") if getattr(self, k) is not None}


class Resources(Spec):
    """Where trials run; no part of any identity."""

    workers: PositiveInt | None = None  # trials at a time; None: as many as the CPUs or GPUs allow
    cpus_per_trial: Annotated[float, Field(gt=0)] = 1.0
    gpus_per_trial: Annotated[float, Field(ge=0)] = 0.0
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda)$")] = "auto"


class Study(Spec):
    """The whole of a study, every default written out."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    question: str = ""
    dataset: DatasetSpec
    factors: dict[str, list[Any]]
    gan: specs.AnyGan
    pool: specs.PoolSpec = specs.PoolSpec()
    augmentation: specs.AugmentationSpec = specs.AugmentationSpec()
    classifier: specs.ClassifierSpec = specs.ClassifierSpec()
    classifier_seeds: Annotated[int, Field(ge=1, le=100)] = 1
    resources: Resources = Resources()
    _sections: dict[str, Value] = PrivateAttr(default_factory=dict)

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
                raise ValueError(f"{name} is an empty list; give at least one value")
            if name in _FACTOR_TYPES:
                values = [_checked(_FACTOR_TYPES[name], v, f"{name}[{i}]") for i, v in enumerate(values)]
                if name in ("gan_da", "clf_da"):
                    for v in values:
                        _da(v)
            elif name.split(".")[0] not in SECTIONS or "." not in name:
                close = difflib.get_close_matches(name, FACTORS, 1)
                raise ValueError(
                    f"unknown factor {name!r}{f'; did you mean {close[0]!r}?' if close else ''}; known: {', '.join(FACTORS)}, "
                    f"or a dotted path into {', '.join(SECTIONS)}, e.g. gan.steps"
                )
            if any(a == b for a, b in itertools.combinations(values, 2)):
                raise ValueError(f"{name} holds a value twice: {values}")
            out[name] = values
        return out

    @model_validator(mode="after")
    def _whole(self) -> "Study":
        for name in self.paths:
            for value in self.factors[name]:
                self._section(name, ((name, value),))
        for setting in self._settings():
            if not setting["classifier"].include_real and not setting["classifier"].include_validation:
                if 0 in self.factors["n_gen"]:
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

    def _section(self, section: str, changes: tuple[tuple[str, Any], ...]) -> Spec:
        """A section's spec with the dotted changes that reach into it, checked again."""
        section = section.split(".")[0]
        own = [(path.split(".")[1:], value) for path, value in changes if path.split(".")[0] == section]
        spec: Spec = getattr(self, section)
        if not own:
            return spec
        data = spec.model_dump()
        for keys, value in own:
            at = data
            for k in keys[:-1]:
                at = at.get(k) if isinstance(at.get(k), dict) else {}
            at[keys[-1]] = value
        try:
            return TypeAdapter(type(spec) if section != "gan" else specs.AnyGan).validate_python(data)
        except ValidationError as error:
            raise ValueError(f"factors.{'.'.join([section, *own[-1][0]])}: {explain(error)}") from None

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


def _checked(adapter: TypeAdapter[Any], value: Any, name: str) -> Any:
    try:
        if isinstance(value, bool):
            raise ValueError(f"{name}: must be a number or a name, got {value}")
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{name}: {explain(error)}") from None


_RULES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "missing": "is missing",
    "union_tag_not_found": "needs a name; known: {expected_tags}",
    "union_tag_invalid": "unknown name; known: {expected_tags}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def explain(error: ValidationError) -> str:
    """The first thing wrong, in one line: the key, the rule, the value."""
    first = error.errors(include_url=False)[0]
    tags = {"cgan", "projection"}
    path = [str(p) if not isinstance(p, int) else f"[{p}]" for p in first["loc"] if p not in tags]
    key = ".".join(path).replace(".[", "[")
    context = first.get("ctx", {})
    match first["type"]:
        case "extra_forbidden":
            parent, _, name = key.rpartition(".")
            known = _known_keys(parent)
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}" if known else ""
            return f"unknown key {key!r}{hint}"
        case "value_error" | "assertion_error":
            inner = str(context.get("error", first["msg"]))
            if inner.startswith(("factors.", "classifier.")):
                return inner
            got = "" if isinstance(first["input"], dict) or "got " in inner else f", got {_short(first['input'])}"
            return f"{key}: {inner}{got}" if key else inner
        case kind:
            rule = _RULES[kind].format(**context) if kind in _RULES else first["msg"]
            if {"ge", "le"} <= set(context):
                rule = f"must lie in [{context['ge']}, {context['le']}]"
            got = "" if kind in ("missing", "union_tag_not_found") else f", got {_short(first['input'])}"
            return f"{key}: {rule}{got}" if key else f"{rule}{got}"


@cache
def _known_keys(parent: str) -> tuple[str, ...]:
    """The keys a section of a study knows; for a GAN, those of all of them."""
    at: Any = Study
    for part in filter(None, parent.split(".")):
        if part == "gan":
            models = get_args(get_args(specs.AnyGan)[0])
            return tuple(dict.fromkeys(f for m in models for f in m.model_fields))
        fields = getattr(at, "model_fields", {})
        if part not in fields:
            return ()
        at = fields[part].annotation
    return tuple(getattr(at, "model_fields", ()))


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
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UserError(f"{study}: no such file and no packaged study; {hint}packaged: {', '.join(known)}")


def _set(data: Value, assignment: str) -> None:
    """Apply `--set key=value`: a dotted path, or the bare name of a factor."""
    key, sign, text = assignment.partition("=")
    if not sign or not key:
        raise UserError(f"--set {assignment}: must be key=value, e.g. --set n_real=[3,10]")
    factors = data.get("factors")
    path = key.split(".")
    if key in FACTORS or (isinstance(factors, dict) and key in factors):
        path = ["factors", key]
    elif path[0] == "factors":
        path = ["factors", ".".join(path[1:])]
    at = data
    for part in path[:-1]:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise UserError(f"--set {key}: {part} is not a mapping")
    at[path[-1]] = yaml_file.parse_value(text, f"--set {key}")


def load(study: str, assignments: tuple[str, ...] | list[str] = ()) -> Study:
    """A study from a file or a packaged name, with `--set` assignments applied; UserError says what is wrong where."""
    path = find(study)
    data = yaml_file.read(path)
    for assignment in assignments:
        _set(data, assignment)
    data.setdefault("name", path.stem)
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error)}") from None


def to_yaml(study: Study) -> str:
    """The resolved study as YAML that `load` reads back."""
    return yaml_file.dump(study.model_dump(mode="json"))
