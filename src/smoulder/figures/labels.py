"""Names at the right ends of lines, pushed apart so that none overlaps, and tables of numbers below the ticks of an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from smoulder.figures.marks import Box, Dot, Group, Mark, Words, diamond, line, triangle
from smoulder.figures.sheet import MARGIN, NOTE, Pattern, fitted
from smoulder.figures.style import GREY, INK, shortened, text_width

Marker = Literal["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"]
MARKERS: tuple[Marker, ...] = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
LINE = 14.0
SWATCH, GAP = 20.0, 6.0
NEAR = 24.0
"""Leaders are drawn to lines that end no farther from their names than this; the others are known by colour and dash."""
WIDEST_NAME = 150.0


@dataclass(frozen=True, kw_only=True)
class End:
    """Where a line ends, and how it is drawn."""

    name: str
    x: float
    y: float
    colour: str = INK
    dash: str = ""
    thickness: float = 2.0
    value: str = ""
    """A second line below the name."""
    pattern: Pattern | None = None
    """Of an area; then the swatch is a box."""
    marker: Marker | None = None
    """Of the point on the swatch, as the line has it; None: no point."""


def spaced(wanted: Sequence[tuple[float, float]], top: float, bottom: float) -> list[float] | None:
    """Return the tops of boxes so that none overlaps and all lie between `top` and `bottom`; None where they do not fit.

    `wanted` is the middle and the height of each; the order of the middles is kept.
    """
    if sum(height for _, height in wanted) > bottom - top:
        return None
    order = sorted(range(len(wanted)), key=lambda n: wanted[n][0])
    tops = [0.0] * len(wanted)
    free = top
    for n in order:
        middle, height = wanted[n]
        tops[n] = max(middle - height / 2, free)
        free = tops[n] + height
    limit = bottom
    for n in reversed(order):
        tops[n] = min(tops[n], limit - wanted[n][1])
        limit = tops[n]
    return tops


def label_width(names: Sequence[str]) -> float:
    """Return the width that a column of names takes, the swatches included; 0 without names."""
    if not any(names):
        return 0.0
    return SWATCH + 2 * GAP + math.ceil(min(max(text_width(name, NOTE) for name in names), WIDEST_NAME)) + 1


def end_labels(ends: Sequence[End], left: float, width: float, top: float, bottom: float) -> list[Mark] | None:
    """Return a name for each line in a column that begins at `left`; None where there is no room for all of them.

    Two that are alike once they are shortened have no room either.
    """
    room = width - SWATCH - 2 * GAP
    texts = [[*fitted(end.name, room, NOTE, 2), *([end.value] if end.value else [])] for end in ends]
    places = spaced([(end.y, LINE * len(lines) + 2) for end, lines in zip(ends, texts, strict=True)], top, bottom)
    told_apart = len({tuple(lines) for lines in texts}) == len({(end.name, end.value) for end in ends})
    if places is None or not told_apart:
        return None
    marks: list[Mark] = []
    for end, lines, place in zip(ends, texts, places, strict=True):
        middle = place + (LINE * len(lines) + 2) / 2
        parts: list[Mark] = []
        if left - end.x <= NEAR and (left - end.x > 2 or abs(middle - end.y) > 2):
            parts.append(line(end.x + 1, end.y, left + 1, middle, stroke="#a6a6a6", width=0.6))
        parts += swatch(end, left + 2, middle)
        first = middle - LINE * (len(lines) - 1) / 2 + 4
        parts += [Words(text=text, x=left + 2 + SWATCH + GAP, y=first + LINE * n, size=NOTE) for n, text in enumerate(lines)]
        marks.append(Group(role="label", tip=end.name, marks=tuple(parts)))
    return marks


def swatch(end: End, left: float, middle: float) -> list[Mark]:
    """Return a short sample of how a line or an area is drawn."""
    if end.pattern is not None:
        ground = Box(x=left, y=middle - 5.5, width=SWATCH, height=11, fill=end.pattern.ground)
        return [ground, replace(ground, fill=f"@{end.pattern.name}", stroke=INK)]
    marks: list[Mark] = [line(left, middle, left + SWATCH, middle, stroke=end.colour, width=end.thickness, dash=end.dash)]
    if end.marker is not None:
        marks.append(_point(end.marker, left + SWATCH / 2, middle, end.colour))
    return marks


def _point(marker: Marker, x: float, y: float, colour: str) -> Mark:
    if marker == "circle":
        return Dot(x=x, y=y, radius=3.4, fill=colour)
    if marker == "square":
        return Box(x=x - 3, y=y - 3, width=6, height=6, fill=colour)
    if marker == "cross":
        strokes = (line(x - 4, y, x + 4, y, stroke=colour, width=2.6), line(x, y - 4, x, y + 4, stroke=colour, width=2.6))
        return Group(role="cross", marks=strokes)
    return diamond(x, y, 4.4, colour) if marker == "diamond" else triangle(x, y, 4, colour, up=marker == "triangle-up")


def key_marks(ends: Sequence[End], left: float, right: float, top: float) -> tuple[list[Mark], float]:
    """Return a key in columns, and where it ends: for what has no room beside the lines."""
    width = min(max(text_width(end.name, NOTE) for end in ends) + SWATCH + 3 * GAP, right - left)
    columns = max(int((right - left) // width), 1)
    width = (right - left) / columns
    rows = -(-len(ends) // columns)
    marks: list[Mark] = []
    for n, end in enumerate(ends):
        x, middle = left + n // rows * width, top + n % rows * 17 + 8
        name = shortened(end.name, width - SWATCH - 2 * GAP, NOTE)
        words = Words(text=name, x=x + SWATCH + GAP, y=middle + 4, size=NOTE)
        marks.append(Group(role="key", tip=end.name, marks=(*swatch(end, x, middle), words)))
    return marks, top + 17 * rows + 4


# -- numbers below an axis ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NumberRow:
    """One row of numbers, each below a place of the axis; None: no number there."""

    name: str
    numbers: tuple[int | None, ...]
    colour: str = INK
    dash: str = ""


NAME_ROOM = 130.0
"""Names of rows stand left of the numbers where all are narrower than this, otherwise above them."""


def left_room(rows: Sequence[str], least: float = 44.0) -> float:
    """Return how far right of the margin the numbers may begin."""
    widest = max((text_width(name, NOTE) + SWATCH + GAP for name in rows), default=0.0)
    return least if widest > NAME_ROOM else max(widest + 22, least)


def number_table(heading: str, rows: Sequence[NumberRow], places: Sequence[float], top: float, right: float) -> tuple[list[Mark], float]:
    """Return a table of numbers below the ticks, and where it ends."""
    marks: list[Mark] = [Words(text=heading, x=MARGIN, y=top + 11, size=NOTE, fill=GREY, bold=True)]
    y = top + LINE + 4
    beside = all(text_width(row.name, NOTE) + SWATCH + GAP <= NAME_ROOM for row in rows)
    for row in rows:
        parts: list[Mark] = []
        if row.name:
            parts += swatch(End(name=row.name, x=0, y=0, colour=row.colour, dash=row.dash), MARGIN, y + 7)
            room = (NAME_ROOM if beside else right - MARGIN) - SWATCH - GAP
            parts.append(Words(text=shortened(row.name, room, NOTE), x=MARGIN + SWATCH + GAP, y=y + 11, size=NOTE))
            if not beside:
                y += LINE + 1
        for number, place in zip(row.numbers, places, strict=True):
            if number is not None:
                parts.append(Words(text=f"{number:,}", x=place, y=y + 11, size=NOTE, anchor="middle"))
        marks.append(Group(role="at-risk", tip=row.name, marks=tuple(parts)))
        y += LINE + 3
    return marks, y + 2
