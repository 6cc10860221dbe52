"""Live progress on a terminal: cells done, and the time left."""

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 600:
        return f"{seconds / 60:.1f} min"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class Bar:
    """A progress bar that appears once it is known how many cells there are."""

    def __init__(self, name: str) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self.name = name
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.task: TaskID | None = None

    def __enter__(self) -> "Bar":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def start(self, total: int, missing: int) -> "Bar":
        """Set the scale: `missing` of `total` cells are to do."""
        if self.task is not None:  # a study that adds seeds has rounds
            self.progress.update(self.task, total=total, completed=total - missing)
        else:
            self.task = self.progress.add_task(self.name, total=total, completed=total - missing)
        return self

    def __call__(self, cells: int) -> None:
        assert self.task is not None
        self.progress.advance(self.task, cells)
