"""Where a search's history lies: a journal in the run folder, or any database that SQLAlchemy knows."""

import json
import re
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ganaug.errors import UserError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

ATTEMPTS = 5

GRACE = 30  # seconds after which a journal's lock is taken for a dead driver's; a living one holds it for milliseconds

_EXTRAS = {"psycopg": "pip install 'ganaug[postgresql]'"}


def hidden(url: str) -> str:
    """A storage's URL without its password."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", url)


def _repair(journal: Path) -> None:
    """Cut off a last line that a machine's loss left unfinished; a process that dies leaves none.

    ValueError for a file that is no journal.
    """
    data = journal.read_bytes()
    if b"\n" in data and not isinstance(json.loads(data.partition(b"\n")[0]), dict):
        raise ValueError("a journal's lines are JSON objects")
    if data and not data.endswith(b"\n"):
        with open(journal, "r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


def _journal(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    from optuna.storages.journal._file import get_lock_file

    # A killed driver leaves its lock; the next one takes it away after GRACE. Optuna's symbolic link would not do: its
    # age is asked through the link, which leads nowhere from a relative path, and then it is waited for for ever.
    lock = JournalFileOpenLock(str(path), grace_period=GRACE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        with get_lock_file(lock):
            _repair(path)
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    except (ValueError, KeyError):
        raise UserError(
            f"{path}: is not the journal of a search; delete it and search again, finished steps come from the store"
        ) from None


def _database(url: str) -> "BaseStorage":
    """Optuna's storage at a URL. Of two drivers that make its tables at once, one is refused, and finds them then."""
    import optuna
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    for _ in range(ATTEMPTS):
        try:
            return optuna.storages.RDBStorage(url)
        except (IntegrityError, ProgrammingError):
            time.sleep(0.5)
        except OperationalError as error:
            if "already exists" not in str(error):  # SQLite's words for the same
                raise
            time.sleep(0.5)
    return optuna.storages.RDBStorage(url)


def _reason(error: Exception) -> str:
    """The first line of what a database says, without SQLAlchemy's preface."""
    first = next(iter(str(getattr(error, "orig", None) or error).splitlines()), type(error).__name__)
    return hidden(first.strip())


def open_storage(url: str | None, journal: Path) -> "BaseStorage":
    """The storage at an SQLAlchemy URL, made where it is missing; a journal file where there is no URL.

    UserError for a URL that is none, for a driver that is not installed, and where nobody answers.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    if url is None:
        return _journal(journal)
    shown = f"search.storage {hidden(url)}"
    if "://" not in url:
        raise UserError(f"{shown}: must be a URL, e.g. sqlite:///search.db or postgresql+psycopg://user@host/database")
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        return _database(url)
    except ImportError as error:
        module = getattr(error.__cause__ or error, "name", None) or "a driver"
        how = _EXTRAS.get(module, f"pip install {module}" if module != "a driver" else "install it")
        raise UserError(f"{shown}: needs the package {module}, which is not installed; {how}") from None
    except ArgumentError:
        raise UserError(
            f"{shown}: is no URL of a database; write it like postgresql+psycopg://user@host/database"
        ) from None
    except SQLAlchemyError as error:
        raise UserError(f"{shown}: cannot be opened: {_reason(error)}") from None


def dashboard(url: str | None, journal: Path) -> str:
    """How to look at a search's history in Optuna's dashboard."""
    place = hidden(url) if url else str(journal)
    return f"pip install optuna-dashboard\noptuna-dashboard {place}"
