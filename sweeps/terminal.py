"""What is printed. File names, class names and a study's words may be anybody's: none of them moves the cursor, changes
a colour, or turns a line around."""

import logging

import typer

from ganaug.plain import plain


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
