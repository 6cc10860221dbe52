"""Every reader of what comes from outside, by name."""

import os
import time
from pathlib import Path

import fuzz_archives
import fuzz_arrays
import fuzz_results
import fuzz_studies
import fuzz_weights
from fuzz_target import Refusal, Target

from ganaug.errors import UserError

__all__ = ["TARGETS", "Refusal", "Target"]


def _planted(name: str, data: bytes, folder: Path) -> object:
    """A reader that is known to be bad, so that a test can see that the harness sees it."""
    match int(data):
        case 3:
            raise KeyError("planted")
        case 5:
            bytearray(1 << 32)
        case 7:
            try:
                bytearray(1 << 32)
            except MemoryError as error:
                raise UserError("no memory is no refusal") from error
        case 11:
            os._exit(9)
        case 13:
            raise UserError("two\nlines")
        case 17:
            began = time.process_time()
            while time.process_time() - began < 1.2:
                pass
        case even if even % 2 == 0:
            raise UserError("even")
    return None


TARGETS: dict[str, Target] = {
    **fuzz_arrays.TARGETS,
    **fuzz_archives.TARGETS,
    **fuzz_studies.TARGETS,
    **fuzz_results.TARGETS,
    **fuzz_weights.TARGETS,
    "planted": Target(lambda: {"x": b"1"}, _planted, lambda name, data, others, rng: str(rng.randrange(20)).encode()),
}
