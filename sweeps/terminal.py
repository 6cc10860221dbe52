"""What is printed. File names, class names and a study's words may be anybody's: none of them moves the cursor, changes
a colour, or turns a line around."""

import logging
import unicodedata

import typer

_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's categories of control, format and surrogate, and of separators


def plain(text: str, lines: bool = False) -> str:
    """`text` with every control character written out, e.g. `\\x1b`; `lines`: but for the ends of lines."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _CONTROLS and not (lines and c == "\n") else c
        for c in text
    )


def say(text: str) -> None:
    """Print what a command has to tell, in as many lines as it has."""
    typer.echo(plain(text, lines=True))


def complain(text: str) -> None:
    """Print one line where errors go."""
    typer.echo(plain(text), err=True)


class PlainFormatter(logging.Formatter):
    """Warnings of the library as one plain line each; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record), lines=record.exc_info is not None)


def plain_warnings() -> None:
    """What is logged and nobody else handles is printed plainly too."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(PlainFormatter())
