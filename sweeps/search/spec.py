"""What a study may say about its search: the space, the sampler, how long, on which seeds. See docs/search.md.

    search: {space: {threshold: [0, 1], filter.name: {choices: [discriminator, agreement]}}, steps: 30, sampler: gp}

Imports neither Optuna nor Ray; what needs the rest of the study to be judged is in `sweeps/search/space.py`.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from ganaug.specs import PositiveInt, Spec
from sweeps.refusals import hint, short

Sampler = Literal["tpe", "gp", "random", "grid"]
Objective = Literal["accuracy", "cost"]
Seed = Annotated[int, Field(ge=0, lt=2**31)]

STEPS = 15  # where neither the study nor the grid's size says how many
N_CONFIRM = 5

_FORMS = "must be [low, high], {low, high, step, log} or {choices: [...]}"


class Range(Spec):
    """Numbers from low to high, both included; whole ones where the field holds whole numbers."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


class Choices(Spec):
    """A list of names or numbers, in no order."""

    choices: tuple[Any, ...]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _axis(path: str, given: Any) -> Range | Choices:
    """A line of `space`; ValueError says what it must look like."""
    at = f"search.space.{path}"
    match given:
        case Range() | Choices():
            return given
        case [low, high] if _number(low) and _number(high):
            axis = Range(low=low, high=high)
        case {"choices": choices, **rest} if not rest and isinstance(choices, list | tuple):
            if not choices:
                raise ValueError(f"{at}.choices: is an empty list; give at least two values")
            if any(isinstance(c, list | dict | None) for c in choices):
                raise ValueError(f"{at}.choices: each must be a number or a name, got {short(list(choices))}")
            if len({(type(c), c) for c in choices}) < len(choices):
                raise ValueError(f"{at}.choices: holds a value twice: {short(list(choices))}")
            return Choices(choices=tuple(choices))
        case {"low": low, "high": high, **rest} if _number(low) and _number(high) and set(rest) <= {"step", "log"}:
            step, log = rest.get("step"), rest.get("log", False)
            if not (step is None or _number(step)) or not isinstance(log, bool):
                raise ValueError(f"{at}: {_FORMS}, got {short(given)}")
            axis = Range(low=low, high=high, step=step, log=log)
        case _:
            raise ValueError(f"{at}: {_FORMS}, got {short(given)}")
    if axis.low >= axis.high:
        raise ValueError(f"{at}: low must be less than high, got {axis.low:g} and {axis.high:g}")
    if axis.step is not None and not 0 < axis.step <= axis.high - axis.low:
        raise ValueError(f"{at}.step: must lie between 0 and high - low, got {axis.step:g}")
    if axis.log and (axis.low <= 0 or axis.step is not None):
        raise ValueError(f"{at}.log: goes with low > 0 and without step, got {short(given)}")
    return axis


class SearchSpec(Spec):
    """A search of a study's factors for the setting with the best accuracy on validation images."""

    space: dict[str, Range | Choices] = {"threshold": Range(low=0, high=1)}  # noqa: RUF012  # a frozen field, not shared
    sampler: Sampler = "tpe"
    sampler_seed: Seed = 0
    steps: PositiveInt | None = None  # None: 15, or every point of a grid
    seeds: tuple[Seed, ...] | None = None  # a step's value is the mean over them; None: the study's factors.seed
    confirm_seeds: tuple[Seed, ...] | None = None  # None: 5 that neither the search nor the study has
    parallel: PositiveInt | None = None  # steps asked at a time; None: as many as fill the machine
    objectives: tuple[Objective, ...] = ("accuracy",)
    storage: str | None = None  # None: a journal in the run folder; else an SQLAlchemy URL
    warm_start: bool = True  # records of the study's grid that the store holds already are told first
    settings: dict[str, Any] = {}  # noqa: RUF012  # fixed values of the other factors

    @field_validator("space", mode="before")
    @classmethod
    def _axes(cls, space: Any) -> Any:
        if not isinstance(space, dict):
            raise ValueError("search.space: must be a mapping of factors to what they may be, e.g. threshold: [0, 1]")
        if not space:
            raise ValueError("search.space: is empty; name at least one factor, e.g. threshold: [0, 1]")
        return {path: _axis(path, given) for path, given in space.items()}

    @field_validator("sampler", mode="before")
    @classmethod
    def _known_sampler(cls, name: Any) -> Any:
        if name not in get_args(Sampler):
            raise ValueError(f"search.sampler: unknown sampler {short(name)}{hint(str(name), get_args(Sampler))}")
        return name

    @field_validator("objectives")
    @classmethod
    def _accuracy_first(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if objectives not in (("accuracy",), ("accuracy", "cost")):
            raise ValueError(
                f"search.objectives: must be [accuracy] or [accuracy, cost], got {short(list(objectives))}"
            )
        return objectives

    @field_validator("seeds", "confirm_seeds", mode="before")
    @classmethod
    def _listed(cls, seeds: Any) -> Any:
        return [seeds] if isinstance(seeds, int) and not isinstance(seeds, bool) else seeds

    @field_validator("seeds", "confirm_seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if seeds is not None and len(set(seeds)) < max(1, len(seeds)):
            raise ValueError(f"must be one or more different seeds, got {short(list(seeds))}")
        return seeds
