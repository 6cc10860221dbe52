"""How far an augmentation may reach, as a study writes it: a number, a range, a list. Free of torch."""

from typing import Any

Span = int | float | tuple[float, ...]
"""Shifts along one axis: below 1 a share of the side, from 1 on pixels, a list one of its values with either sign."""


def _numbers(value: Any) -> tuple[float, ...] | None:
    """The numbers of a list, or None where it is none or holds something else."""
    if not isinstance(value, list | tuple):
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return None
    return tuple(float(v) for v in value)


def pair(value: Any) -> tuple[float, float]:
    """A range [low, high] of factors from 0 on. Raises ValueError."""
    found = _numbers(value)
    if found is None or len(found) != 2 or not 0 <= found[0] <= found[1]:
        raise ValueError(f"must be [low, high] with 0 <= low <= high, got {value!r}")
    return found[0], found[1]


def zoom_span(value: Any) -> float | tuple[float, float]:
    """A number in [0, 1), or a range [low, high] of factors above 0. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return float(value)
    found = _numbers(value)
    if found is None or len(found) != 2 or not 0 < found[0] <= found[1]:
        raise ValueError(f"must be a number in [0, 1) or [low, high] with 0 < low <= high, got {value!r}")
    return found[0], found[1]


def shift_span(value: Any) -> Span:
    """A share below 1, a number of pixels from 1 on, or a list of either. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
        raise ValueError(f"must be a share below 1, a number of pixels, or a list of either, got {value!r}")
    if isinstance(value, list | tuple):
        found = _numbers(value)
        if not found:
            raise ValueError(f"must be a list of at least one number, got {value!r}")
        if max(map(abs, found)) >= 1 and any(0 < abs(v) < 1 for v in found):
            raise ValueError(f"must be a list of shares below 1 or of pixels, not of both, got {value!r}")
        return found
    if value < 0:
        raise ValueError(f"must be at least 0, for the sign is drawn, got {value!r}")
    if isinstance(value, int) and value == 1:
        raise ValueError("whole pixels are drawn from -(p - 1) to p - 1, so 1 moves nothing; 2 is one pixel, got 1")
    return value
