"""The sheet that a figure of a study is drawn on: title and subtitle above, caption below, and what lies between."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from smoulder.figures.chart import Chart
from smoulder.figures.marks import Mark, Words
from smoulder.figures.style import GREY, printable, text_width, wrapped
from smoulder.figures.templates import rendered

WIDTH, MARGIN = 760, 20
INNER = WIDTH - 2 * MARGIN
TITLE, TEXT, NOTE = 16, 12, 11
"""Sizes of text; 12 is 8.5 points where the figure is 190 mm wide."""
MOST_TITLE_LINES, MOST_SUBTITLE_LINES = 3, 4


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawn plot at its place."""

    markup: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A fill that can be told apart without colour: lines on a ground, repeated.

    The ground is filled apart from the lines: where tiles meet, a ground in the tile would show hairlines.
    """

    name: str
    ground: str
    ink: str
    lines: str = ""
    """Path of the lines in one tile; empty: plain."""
    size: float = 8
    width: float = 1.6


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Title and subtitle in lines."""

    title: str
    subtitle: str

    @property
    def marks(self) -> list[Mark]:
        """The lines, each at its place."""
        lines, more = self._lines()
        marks: list[Mark] = [Words(text=text, x=MARGIN, y=28 + 20 * n, size=TITLE, bold=True) for n, text in enumerate(lines)]
        top = 28 + 20 * len(lines)
        return [*marks, *(Words(text=text, x=MARGIN, y=top + 16 * n, size=TEXT, fill=GREY) for n, text in enumerate(more))]

    @property
    def bottom(self) -> float:
        """Where the heading ends."""
        lines, more = self._lines()
        return 28 + 20 * len(lines) + 16 * len(more) - 6

    def _lines(self) -> tuple[list[str], list[str]]:
        title = at_most(wrapped(self.title, INNER / 1.1, TITLE), MOST_TITLE_LINES)
        return title, at_most(wrapped(self.subtitle, INNER, TEXT), MOST_SUBTITLE_LINES)


def at_most(lines: Sequence[str], most: int) -> list[str]:
    """Return lines, the last of `most` with an ellipsis where there are more."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"{lines[most - 1].rstrip(' ,;…')} …"]


def caption_marks(caption: str, top: float) -> tuple[list[Mark], float]:
    """Return the caption in lines, and where it ends."""
    lines = wrapped(caption, INNER, NOTE)
    marks: list[Mark] = [Words(text=text, x=MARGIN, y=top + 11 + 14.5 * n, size=NOTE, fill=GREY) for n, text in enumerate(lines)]
    return marks, top + 14.5 * len(lines)


def key_of(*texts: str) -> str:
    """Return a short name that keeps the ids of two figures in one page apart."""
    return f"c{hashlib.sha256(chr(31).join(texts).encode('utf-8', 'replace')).hexdigest()[:10]}"


def finished(
    heading: Heading,
    caption: str,
    alt: str,
    marks: Sequence[Mark],
    bottom: float,
    *,
    behind: Sequence[Mark] = (),
    plots: Sequence[Plot] = (),
    patterns: Sequence[Pattern] = (),
    key: str | None = None,
) -> Chart:
    """Return the chart: heading, then what lies behind the plots, the plots, the marks; below them, from `bottom` on, the caption."""
    notes, end = caption_marks(caption, bottom)
    alt = printable(alt)
    svg = rendered(
        "chart.svg.j2",
        width=WIDTH,
        height=round(end + 14),
        marks=[*heading.marks, *marks, *notes],
        behind=behind,
        plots=plots,
        patterns=patterns,
        title=heading.title,
        alt=alt,
        key=key or key_of(heading.title, alt, caption),
    )
    return Chart(svg=svg, alt=alt, title=heading.title, subtitle=heading.subtitle, caption=caption)


def sentences(*parts: str) -> str:
    """Return parts as sentences in a row; each ends in a full stop, and empty ones are left out."""
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in (p.strip() for p in parts) if part)


def centred_note(text: str, x: float, y: float, width: float) -> list[Mark]:
    """Return a sentence about a point, in lines: what is said where nothing can be drawn."""
    lines = wrapped(text, width, TEXT)
    return [Words(text=one, x=x, y=y + 16 * n, size=TEXT, fill=GREY, anchor="middle", italic=True) for n, one in enumerate(lines)]


def fitted(text: str, width: float, size: float, most: int) -> list[str]:
    """Return text in at most `most` lines of a width; what does not fit ends in an ellipsis."""
    lines = wrapped(text, width, size)
    if len(lines) <= most:
        return lines or [""]
    last = lines[most - 1]
    while last and text_width(f"{last}…", size) > width:
        last = last[:-1]
    return [*lines[: most - 1], f"{last.rstrip()}…"]
