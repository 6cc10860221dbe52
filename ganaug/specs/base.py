"""What all specs share: frozen, validated where they are made, with unknown keys forbidden. Free of torch and Ray."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

PositiveInt = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]

Strictness = Annotated[float, Field(ge=0, le=1)]
Precision = Literal["float32", "bfloat16"]  # of the arithmetic of a training: see `ganaug/precision.py`


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    later: ClassVar[tuple[str, ...]] = ()  # settings younger than results already stored

    def identity(self) -> dict[str, Any]:
        """What a key is made of, as JSON: every setting, but a `later` one only where it differs from its default."""
        told = self.model_dump(mode="json")
        for name, known in type(self).model_fields.items():
            own = getattr(self, name)
            if name in self.later and own == known.default:
                del told[name]
            elif isinstance(own, Spec):
                told[name] = own.identity()
        return told
