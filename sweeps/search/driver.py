"""Drivers: processes that work on one search. Whose step a running one is, and whether that process still lives."""

import contextlib
import os
import platform
import threading
import time
from pathlib import Path
from types import TracebackType

import optuna

EVERY = 60.0  # seconds between signs of life
PATIENCE = 300.0  # a driver on another machine that gave no new one for so long is taken for dead
_heard: dict[str, tuple[float, float]] = {}  # its last sign, and when this process first saw that one, by its own clock


def _born(pid: int) -> str:
    """When a process began, in the kernel's ticks, so that a number used again is not taken for it; "" if unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def myself() -> str:
    """This process, as others can look it up: host, number and birth."""
    return f"{platform.node()}/{os.getpid()}/{_born(os.getpid())}"


def alive(driver: str, study: optuna.Study) -> bool:
    """Whether the driver of that name goes on. On this machine the kernel knows; elsewhere its signs of life.

    A sign is new if it differs from the last: two machines' clocks may be an hour apart, so nobody compares them.
    """
    host, pid, born = driver.rsplit("/", 2)
    if host != platform.node():
        sign = study.user_attrs.get(_mark(driver))
        if sign is None:
            return False
        if driver not in _heard or _heard[driver][0] != sign:
            _heard[driver] = (sign, time.monotonic())
        return time.monotonic() - _heard[driver][1] < PATIENCE
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return _born(int(pid)) == born


def _mark(driver: str) -> str:
    return f"alive {driver}"


class Alive:
    """Gives signs of life in the background, for drivers on other machines."""

    def __init__(self, study: optuna.Study) -> None:
        self.study, self.over = study, threading.Event()
        self.thread = threading.Thread(target=self._signal, daemon=True)

    def _signal(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # the database is away for a moment; the next sign may arrive
                self.study.set_user_attr(_mark(myself()), time.time())
            if self.over.wait(EVERY):
                return

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.thread.join(timeout=5)
