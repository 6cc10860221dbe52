"""What a study claims before it runs: its primary contrast, and the controls the claim is measured against.

    primary: {n_real: 100, n_gen: 300, threshold: 0.5, against: real-only}

names one setting of the grid, every factor but the seed, and the control it is compared with. Its test needs no
correction for the rest of the grid, because nobody chose it for its result.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from ganaug import specs
from ganaug.records import COMPARISONS, FACTORS, NEEDED, NO_DA, SEMI_AGAINST, UNFILTERED, Control, is_generation_factor
from sweeps.refusals import hint, short

Value = dict[str, Any]

CLASSIC_DA = "rotation+shift+zoom"


def _some_da(text: str) -> str:
    if not specs.parse_da(text):
        raise ValueError("must be an augmentation, e.g. rotation+shift+zoom")
    return text


class ControlsSpec(specs.Spec):
    """Cells beside the grid: which controls, for which settings; what classic augmentation is; a learning curve."""

    arms: tuple[Control, ...] | None = None  # None: those without which "helps" may not be said, if there is a primary
    of: Literal["primary", "every setting"] = "primary"
    curve: tuple[specs.PositiveInt, ...] = ()  # further n_real of real-only cells: the learning curve to read gains off
    classic_da: Annotated[str, AfterValidator(_some_da)] | None = (
        None  # None: the study's first clf_da that is not none
    )

    def wanted(self, has_primary: bool) -> tuple[Control, ...]:
        """The kinds of control cells to lay out; none where there is nothing to control."""
        if not has_primary and self.of == "primary":
            return ()
        return NEEDED if self.arms is None else ("real-only", *(a for a in self.arms if a != "real-only"))

    def covers(self, factors: Value, primary: Value | None) -> bool:
        """Whether the setting of a cell of the grid gets controls."""
        return self.of == "every setting" or (
            primary is not None and all(factors[f] == v for f, v in primary.items() if f != "against")
        )

    def classic(self, clf_da: list[str]) -> str:
        """The augmentation of the control `classic-da` in a study whose factor `clf_da` has these values."""
        return self.classic_da or next((da for da in clf_da if da != "none"), CLASSIC_DA)


def _idle(name: str, primary: Value) -> bool:
    """Whether a factor cannot change the primary's setting, and so may be null in it."""
    without_da = name == "n_da" and primary.get("gan_da", "none") == "none"
    if primary.get("n_gen") == 0 and is_generation_factor(name):
        return True
    return without_da or (primary.get("threshold", 0) == 0 and name.startswith(("filter.", "judge.")))


def settle(primary: Value, factors: dict[str, list[Any]], semi: specs.SemiSpec | None = None) -> Value:
    """The primary contrast with every factor but the seed written out; ValueError says what does not fit."""
    names = [f for f in (*FACTORS, *(n for n in factors if n not in FACTORS)) if f != "seed"]
    for name in primary:
        if name == "seed":
            raise ValueError("primary.seed: a contrast is a mean over all seeds; leave it out")
        if name not in names and name != "against":
            raise ValueError(f"primary.{name}: is no factor of this study{hint(name, [*names, 'against'])}")
    against = primary.get("against", "real-only")
    known = SEMI_AGAINST if semi else tuple(c for c in COMPARISONS if c != "fewer-updates")
    if against not in known:
        raise ValueError(f"primary.against: must be one of {', '.join(known)}, got {short(against)}")
    if semi and against == "fewer-updates" and semi.fewer_steps is None:
        raise ValueError("primary.against: fewer-updates is a control with semi.fewer_steps updates; say how many")
    if against == UNFILTERED and 0 not in factors["threshold"]:
        raise ValueError(
            "primary.against: unfiltered is the same cell with threshold 0, and factors.threshold is "
            f"{short(factors['threshold'])}; put 0 into it"
        )
    if against == NO_DA and "none" not in factors["clf_da"]:
        raise ValueError(
            "primary.against: no-da is the same cell with clf_da none, and factors.clf_da is "
            f"{short(factors['clf_da'])}; put none into it"
        )
    settled = {}
    for name in names:
        values = factors[name]
        if against == NO_DA and (name == "n_gen" or is_generation_factor(name)):
            # real images alone: n_gen is 0, and what only generated images can feel need not be named
            values = [0] if name == "n_gen" and name not in primary else values
            primary = {name: values[0]} | primary
        if name not in primary and len(values) > 1:
            raise ValueError(f"primary.{name}: is missing, and the study has several: {short(values)}; name one")
        value = primary.get(name, values[0])
        if value is None and None not in values and (semi or _idle(name, primary)):
            value = values[0]  # a resolved study says null where a factor cannot matter
        same = [v for v in values if v == value and isinstance(v, bool) == isinstance(value, bool)]
        if not same:
            raise ValueError(
                f"primary.{name}: {short(value)} is not among the study's {short(values)}; change one of them, "
                "or drop the contrast with primary: null"
            )
        settled[name] = same[0]
    if semi:
        return settled | {"against": against}
    if against == NO_DA and settled["clf_da"] == "none":
        raise ValueError(
            "primary.clf_da: must be an augmentation where primary.against is no-da, for the contrast is about it"
        )
    if settled["n_gen"] and against == NO_DA:
        raise ValueError("primary.n_gen: must be 0 where primary.against is no-da, which is about real images alone")
    if not settled["n_gen"] and against != NO_DA:
        raise ValueError("primary.n_gen: must be more than 0, for the contrast is about generated images")
    if against == UNFILTERED and not settled["threshold"]:
        raise ValueError(
            "primary.threshold: must be more than 0 where primary.against is unfiltered, for the contrast is about the "
            "filter"
        )
    if settled["gan_da"] == "none":
        settled["n_da"] = None
    return settled | {"against": against}
