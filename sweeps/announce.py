"""What a run says of itself while it goes on: `progress.json` in its folder, gone once the run's tables are there.

Whoever looks on needs nothing else: the study lies beside it, and the store that it names holds what is finished.
"""

import os
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from ganaug.errors import UserError
from ganaug.files import put
from sweeps.estimate import totals
from sweeps.plan import relative_seconds
from sweeps.run_folder import RunFolder, write_json
from sweeps.store import Store
from sweeps.study_file import to_yaml

if TYPE_CHECKING:
    from sweeps.grid import Grid


def _moment(text: str) -> str:
    """A time that says its zone; ValueError for another text."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("must say its time zone")
    return text


@dataclass(frozen=True)
class Announcement:
    """total, done: cells in all, and finished when the run began. work: what was missing then, in planned seconds of
    one core. started: ISO 8601, UTC. process, host: of the driver.
    """

    study: str
    started: Annotated[str, AfterValidator(_moment)]
    total: int
    done: int
    work: float
    command: str
    store: str
    process: Annotated[int, Field(gt=0, lt=2**31)]
    host: str

    def seconds(self) -> float:
        """Since the run began."""
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(self.started)).total_seconds())

    def alive(self) -> bool:
        """False where the driver was on this machine and is no more; another machine's is taken to be alive."""
        if self.host != platform.node():
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # somebody else's
            return True
        return True


def work_left(grid: "Grid", store: Store) -> float:
    """What is not stored, in planned seconds of one core; good for shares, not for the clock."""
    return totals(grid.leaves(), grid.stored(store), relative_seconds)[0]


def begin(folder: RunFolder, grid: "Grid", store: Store, done: int) -> None:
    """Write the study and the announcement before anything runs."""
    put(folder.study, to_yaml(grid.study).encode())
    told = Announcement(
        study=grid.study.name,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        total=len(grid.asked),
        done=done,
        work=work_left(grid, store),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        store=store.uri,
        process=os.getpid(),
        host=platform.node(),
    )
    write_json(folder.progress, asdict(told))


def end(folder: RunFolder) -> None:
    """The run is over, and its tables say the rest."""
    folder.progress.unlink(missing_ok=True)


def read(folder: RunFolder) -> Announcement | None:
    """What the run in this folder said when it began; None where none goes on. UserError for a damaged file."""
    try:
        return TypeAdapter(Announcement).validate_json(folder.progress.read_bytes(), strict=True)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # pydantic's is one
        raise UserError(
            f"{folder.progress}: is not what a run writes when it begins; delete it and run the study again"
        ) from None
