"""A piece of the fuzz harness for every change, and proof that it sees what it looks for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import fuzz
from fuzz_targets import TARGETS

READERS = [name for name in TARGETS if name != "planted"]
NUMBERS = range(560)


@pytest.mark.parametrize("name", READERS)
def test_damaged_input_is_read_or_refused_in_one_line(name: str) -> None:
    (tally,) = fuzz.fuzz([name], NUMBERS)
    assert tally.crashes == {}
    assert tally.inputs == round(len(NUMBERS) * TARGETS[name].share)
    assert tally.refused > 0.2 * tally.inputs  # damage that nobody notices would test nothing
    assert tally.read > 0.01 * tally.inputs


def test_the_harness_sees_every_kind_of_crash() -> None:
    (tally,) = fuzz.fuzz(["planted"], range(70))
    told = set(tally.crashes.values())
    for expected in (
        "KeyError at fuzz_targets.py", "MemoryError at fuzz_targets.py", "memory: UserError at fuzz_targets.py",
        "ended the process (9)", "a refusal of several lines: 'two\\nlines'", "took 1.2 s",
    ):  # fmt: skip
        assert any(text.startswith(expected) for text in told), expected
    assert tally.inputs == 70
    assert len(tally.crashes) < 35


def test_an_input_is_the_same_everywhere() -> None:
    from random import Random

    target = TARGETS["idx"]
    target.prepare()
    runs = [[target.input(Random(f"idx {n}")).args for n in range(20)] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len({data for _, data in runs[0]}) > 15
