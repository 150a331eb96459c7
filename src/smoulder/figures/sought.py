"""The foot of a panel: when a visit at a set time is sought, by name, and which visit it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smoulder.events import ExplainedMeasure, SoughtVisit
from smoulder.figures.marks import Box, Group, Mark, Path, Words
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import sought_name, sought_sentence
from smoulder.figures.strips import lanes
from smoulder.figures.style import INK, PAPER, SMALL, text_width
from smoulder.terms import Calendar

ROW, BAR, PIN = 17, 5, 5
POINT = 6
"""Length of the point of a bar that goes on beyond the figure."""


@dataclass(frozen=True)
class Sign:
    """A span in which a visit is sought, with the place of its name."""

    sought: SoughtVisit
    left: float
    right: float
    text: str
    text_x: float
    anchor: str
    row: int = 0

    @property
    def words(self) -> tuple[float, float]:
        """Where the name begins and ends."""
        width = text_width(self.text, SMALL)
        return (self.text_x, self.text_x + width) if self.anchor == "start" else (self.text_x - width, self.text_x)

    @property
    def extent(self) -> tuple[float, float]:
        """Where bar and name together begin and end."""
        return min(self.left, self.words[0]) - 2, max(self.right, self.words[1]) + 2


def foot_height(judged: ExplainedMeasure, x: Scale) -> float:
    """Return how much height the foot of a panel needs; 0 where no visit is sought at a set time."""
    signs = place_signs(judged, x)
    return (max(sign.row for sign in signs) + 1) * ROW + 4 if signs else 0


def place_signs(judged: ExplainedMeasure, x: Scale) -> list[Sign]:
    """Return the spans of a measure with their names: right of the bar, left of it, or on it where there is no room beside it."""
    drafts = [_draft(sought, x) for sought in judged.sought]
    rows = lanes([sign.extent for sign in drafts], gap=6)
    return [replace(sign, row=row) for sign, row in zip(drafts, rows, strict=True)]


def _draft(sought: SoughtVisit, x: Scale) -> Sign:
    text = sought_name(sought) if sought.visit_day is not None else f"{sought_name(sought)} (no visit)"
    width = text_width(text, SMALL)
    left, right = x(sought.first_day), x(sought.last_day)
    left, right = min(left, x.last - 2 * POINT), max(right, min(left + 2, x.last))
    if right + 6 + width <= x.last - 4:
        return Sign(sought, left, right, text, right + 6, "start")
    if left - 6 - width >= x.first + 4:
        return Sign(sought, left, right, text, left - 6, "end")
    pinned_left = sought.visit_day is not None and x(sought.visit_day) < (left + right) / 2
    return Sign(sought, left, right, text, right - 14, "end") if pinned_left else Sign(sought, left, right, text, left + 14, "start")


def sign_marks(judged: ExplainedMeasure, calendar: Calendar, x: Scale, top: float) -> list[Mark]:
    """Return the spans as bars with their names, each with a pin at the visit that was taken."""
    return [_sign(sign, calendar, x, top + 4 + sign.row * ROW) for sign in place_signs(judged, x)]


def _sign(sign: Sign, calendar: Calendar, x: Scale, top: float) -> Group:
    y = top + PIN
    late = sign.sought.last_day > x.high
    tip = ((sign.right - POINT, y + BAR), (sign.right, y + BAR / 2), (sign.right - POINT, y)) if late else ()
    points = ((sign.left, y), (sign.left, y + BAR), *(tip or ((sign.right, y + BAR), (sign.right, y))))
    marks: list[Mark] = [Path(points=points, fill=PAPER, stroke=INK, closed=True)]
    day = sign.sought.visit_day
    if day is not None:
        at = x(day)
        marks.append(Path(points=((at, y + BAR - 1), (at - 4, top - 1), (at + 4, top - 1)), stroke=PAPER, fill=INK, closed=True))
    start, end = sign.words
    marks.append(Box(x=start - 2, y=y - 2, width=end - start + 4, height=BAR + 4, fill=PAPER))
    marks.append(Words(text=sign.text, x=sign.text_x, y=y + BAR + 1, size=SMALL, anchor=sign.anchor))
    return Group(role="sought", tip=sought_sentence(sign.sought, calendar), marks=tuple(marks))
