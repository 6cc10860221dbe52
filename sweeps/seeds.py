"""What a study says of seeds that are added until its verdicts are there: how few, how many at most.

    seeds: {min: 3, max: 20, until: decided}

takes the place of `factors.seed`: the seeds are 0, 1, 2, ... How it is decided is in `analysis.statistics.sequential`,
which cells get another seed in `sweeps/adaptive.py`.
"""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ganaug.specs import Spec
from sweeps.refusals import short

LEAST, MOST = 3, 100


class SeedsSpec(Spec):
    """Every cell gets seeds 0 to min - 1; then those whose verdict is open one more at a time, up to max."""

    min: int = LEAST
    max: int = Field(default=20, le=MOST)
    until: Literal["decided"] = "decided"

    @field_validator("min")
    @classmethod
    def _enough(cls, least: int) -> int:
        if least < LEAST:
            raise ValueError(f"must be at least {LEAST}, for two differences know too little of their spread, got {least}")
        return least

    @model_validator(mode="after")
    def _ordered(self) -> "SeedsSpec":
        if self.min > self.max:
            raise ValueError(f"min must not be more than max, got {self.min} and {self.max}")
        return self


def as_factor(data: dict[str, Any]) -> dict[str, Any]:
    """A study's file with `seeds` written out as the factor `seed`; ValueError where it names both.

    A resolved study says both, and they agree. What is wrong in `seeds` itself is said where it is checked.
    """
    seeds, factors = data.get("seeds"), data.get("factors")
    if seeds is None or not isinstance(factors, dict) or not isinstance(seeds, dict | SeedsSpec):
        return data
    most = seeds.max if isinstance(seeds, SeedsSpec) else seeds.get("max", SeedsSpec.model_fields["max"].default)
    if not isinstance(most, int) or isinstance(most, bool) or not LEAST <= most <= MOST:
        return data
    named = factors.get("seed")
    if named is not None and named != list(range(most)):
        raise ValueError(
            f"seeds: says how many seeds there are, and factors.seed says so too ({short(named)}); leave one of them out"
        )
    return data | {"factors": factors | {"seed": list(range(most))}}
