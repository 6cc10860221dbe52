"""Damage: bytes that are wrong in the ways that readers meet, and in a few that nobody thought of."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

MOST = 1 << 16  # bytes that an input may grow to: a bomb has to be small, or it is none

_NUMBERS = (
    0, 1, 2, 127, 128, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1,
    1 << 63, (1 << 64) - 1,
)  # fmt: skip

Mutator = Callable[[bytearray, Sequence[bytes], Random], bytearray]


def _place(data: bytearray, rng: Random) -> int:
    """Somewhere; as often near an end as anywhere, for that is where headers and directories are."""
    if rng.random() < 0.5:
        return rng.randrange(len(data) + 1)
    near = min(len(data), 64)
    return rng.randrange(near + 1) if rng.random() < 0.6 else len(data) - rng.randrange(near + 1)


def _truncate(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    return data[: _place(data, rng)]


def _flip(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[min(_place(data, rng), len(data) - 1)] ^= 1 << rng.randrange(8)
    return data


def _number(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    """A length or a count made another, in either byte order."""
    at, size = _place(data, rng), rng.choice((1, 2, 4, 8))
    value = rng.choice((*_NUMBERS, rng.getrandbits(8 * size))) % (1 << 8 * size)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))
    return data


def _nudge(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    """A number made one larger or smaller."""
    if data:
        at = min(_place(data, rng), len(data) - 1)
        data[at] = (data[at] + rng.choice((-1, 1))) % 256
    return data


def _splice(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    other = rng.choice(others) if others else b""
    a, b = _place(data, rng), rng.randrange(len(other) + 1)
    return data[:a] + other[b:]


def _cut(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    a = _place(data, rng)
    del data[a : a + rng.choice((1, 2, 7, 64, 512))]
    return data


def _repeat(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    a = _place(data, rng)
    piece = data[a : a + rng.choice((1, 4, 30, 512))]
    return data[:a] + piece * rng.choice((1, 2, 50, 1000)) + data[a:]


def _insert(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    a = _place(data, rng)
    return data[:a] + rng.randbytes(rng.choice((1, 3, 16, 200))) + data[a:]


def _blank(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    a, n = _place(data, rng), rng.choice((1, 8, 64, 512))
    n = min(n, len(data) - a)
    data[a : a + n] = bytes([rng.choice((0, 255, 32))]) * n
    return data


def _random(data: bytearray, others: Sequence[bytes], rng: Random) -> bytearray:
    return data[: rng.choice((0, 2, 8))] + rng.randbytes(rng.randrange(300))


MUTATORS: tuple[Mutator, ...] = (
    _truncate, _flip, _flip, _number, _number, _nudge, _splice, _cut, _repeat, _insert, _blank, _random,
)  # fmt: skip


def mutated(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """`data` with one to four damages, at most MOST bytes; one in fifty stays whole."""
    out = bytearray(data)
    if rng.randrange(50) == 0:
        return data
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        out = rng.choice(MUTATORS)(out, others, rng)[: max(MOST, len(data))]
    return bytes(out)


_WORDS = (
    "null", "true", "no", "~", ".inf", "-.inf", ".nan", "0", "-1", "1e308", "1e-3", "99999999999999999999", "1.5", "''",
    "'\\0'", "[]", "{}", "[[]]", "[0, 0]", "[null]", "{a: 1}", "../../x", "/etc/passwd", "<script>", "x" * 300,
    "9" * 5000,
    "!!int x", "!!python/name:os.system", "&a [*a]", "*a", "<<: *a", "os:system", "gan.steps", "seed", "name", "\t",
    "# ",
    "- ", "? ", ": ", "[", "]", "{", "}", "&b", "|", ">", "%", "@", "`", "\x85", "\u2028", "\ufeff", "é", "😀", "1_0",
    "0x1f",
    "0b1", "1:30", "2026-11-21", "!!binary aa", "!!set {a}", "!!omap [a: 1]",
)  # fmt: skip


def mutated_text(text: str, others: Sequence[str], rng: Random) -> str:
    """The same of YAML: lines moved, doubled and lost, values exchanged for ones that are hard to read."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(lines)) if lines else 0
        match rng.randrange(9):
            case 0 | 1 | 2 if lines:
                head, colon, _ = lines[at].partition(": ")
                lines[at] = f"{head}{colon}{rng.choice(_WORDS)}" if colon else rng.choice(_WORDS)
            case 3 if lines:
                del lines[at]
            case 4 if lines:
                lines.insert(rng.randrange(len(lines) + 1), lines[at])
            case 5 if lines:
                lines[at] = rng.choice(("  ", " ", "    ")) + lines[at] if rng.random() < 0.6 else lines[at].lstrip()
            case 6 if others:
                other = rng.choice(others).splitlines() or [""]
                a = rng.randrange(len(other))
                lines[at:at] = other[a : a + rng.choice((1, 3, 20))]
            case 7:
                joined = "\n".join(lines)
                a = rng.randrange(len(joined) + 1)
                lines = (joined[:a] + rng.choice(_WORDS) + joined[a + rng.choice((0, 1, 5)) :]).splitlines()
            case _:
                piece = rng.choice(("[", "{a: ", "- ", "a: &a0 [x, x]\nb: &a1 [*a0, *a0]\n", "? ", "(", "'"))
                lines.insert(at, piece * rng.choice((1, 60, 3000)))
    return "\n".join(lines)


_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3.5, 1e308, float("nan"), float("inf"), 1 << 70, -(1 << 70), "", "x", "../../x", "\0",
    "\x1b[31m",
    "x" * 2000, [], {}, [[]], [None], {"a": None}, [0] * 300, "nan", "1", ["a", 1], {"": {"": {}}},
)  # fmt: skip


def mutated_value(value: Any, rng: Random) -> Any:
    """A JSON value with one of its parts lost, doubled, or exchanged for one of another kind."""
    if rng.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return rng.choice(_VALUES)
    if isinstance(value, dict):
        key = rng.choice(list(value))
        if rng.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        if rng.random() < 0.1:
            return value | {rng.choice(("x", "", "check", "../x")): rng.choice(_VALUES)}
        return value | {key: mutated_value(value[key], rng)}
    at = rng.randrange(len(value))
    if rng.random() < 0.2:
        return value[:at] + value[at + 1 :]
    if rng.random() < 0.1:
        return value + value[at:]
    return [*value[:at], mutated_value(value[at], rng), *value[at + 1 :]]


def mutated_json(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """JSON that is still JSON in two of three cases."""
    if rng.randrange(3) == 0:
        return mutated(data, others, rng)
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = mutated_value(value, rng)
    return json.dumps(value).encode()
