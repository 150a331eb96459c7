"""What the command line says and where: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

PAPER_WIDTH = 150
"""Columns of a table that does not go to a terminal."""


def console(stream: Literal["stdout", "stderr"] = "stdout") -> Console:
    """Return a console that shows ids such as '[1]' as they are."""
    from rich.console import Console

    file = getattr(sys, stream)
    width = None if file.isatty() else PAPER_WIDTH
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def give(text: str) -> None:
    """Write data to stdout."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def fall_silent() -> None:
    """Send what is still to be written to stdout and stderr nowhere."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            here = stream.fileno()
            os.dup2(os.open(os.devnull, os.O_WRONLY), here)


def say(text: str = "") -> None:
    """Say a sentence on stderr, after whatever was given before it."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


@contextmanager
def doing(what: str, *, tell: bool = False) -> Iterator[None]:
    """Show what is being done while it lasts, on a terminal; elsewhere say it only where `tell`."""
    if sys.stderr.isatty():
        with console("stderr").status(f"{what} …"):
            yield
        return
    if tell:
        say(f"{what} …")
    yield


def give_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), title: str = "") -> None:
    """Write a table for people to stdout; `right` names the columns of numbers."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def give_wrapped(text: str, *, indent: str = "") -> None:
    """Write a paragraph for people to stdout, wrapped to the terminal and at most 100 columns."""
    import textwrap

    width = min(console().width, 100)
    give(textwrap.fill(text, width=width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False))
