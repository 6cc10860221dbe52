"""A primary contrast against the same cell without a filter: when it may be named, and what is refused."""

from pathlib import Path

import pytest

from ganaug.errors import UserError
from sweeps import study_file as studies

PRIMARY = "primary={n_real: 3, n_gen: 6, threshold: 0.5, against: unfiltered}"


def test_the_filter_itself_may_be_the_question(tiny: Path) -> None:
    study = studies.load(str(tiny), ["factors.threshold=[0, 0.5]", PRIMARY])
    assert study.primary is not None
    assert study.primary["against"] == "unfiltered"
    arms = {factors["arm"] for factors, _ in study.cells("digest")}
    assert arms == {"real-only", "generated", "duplicated"}, "it needs no cells of its own"


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["factors.threshold=[0.25, 0.5]", PRIMARY],
         "primary.against: unfiltered is the same cell with threshold 0, and factors.threshold is [0.25, 0.5]; "
         "put 0 into it"),
        (["factors.threshold=[0, 0.5]", PRIMARY.replace("0.5", "0")],
         "primary.threshold: must be more than 0 where primary.against is unfiltered, for the contrast is about the "
         "filter"),
    ],
)  # fmt: skip
def test_what_has_no_unfiltered_cell_is_refused(tiny: Path, assignments: list[str], told: str) -> None:
    with pytest.raises(UserError) as refusal:
        studies.load(str(tiny), assignments)
    assert str(refusal.value).endswith(told)
