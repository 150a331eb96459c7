"""The rows above the panels: treatments as bars, relapses as diamonds with a line through every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smoulder.events import Explanation
from smoulder.figures.marks import Box, Group, Mark, Path, Words, diamond, line
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import no_relapse_text, treatment_text
from smoulder.figures.style import BODY, GREY, INK, PAPER, RELAPSE_COLOUR, SMALL, shortened, text_width
from smoulder.terms import Calendar, day_text

LANE = 17
BAR_FILLS = ("#d9d9d9", "#f2f2f2", "#bdbdbd")


def lanes(extents: Sequence[tuple[float, float]], gap: float = 8) -> list[int]:
    """Return a row for each stretch, so that no two in one row touch; the first free row is taken."""
    ends: list[float] = []
    rows: list[int] = []
    for start, end in extents:
        row = next((number for number, taken in enumerate(ends) if start >= taken + gap), len(ends))
        if row == len(ends):
            ends.append(end)
        else:
            ends[row] = end
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Bar:
    """A treatment with its place: the ends of the bar, its name, and where the name starts or ends."""

    left: float
    right: float
    text: str
    text_x: float
    anchor: str
    inside: bool

    @property
    def extent(self) -> tuple[float, float]:
        """Where bar and name together begin and end."""
        width = text_width(self.text, SMALL)
        start = self.text_x if self.anchor == "start" else self.text_x - width
        return min(self.left, start), max(self.right, start + width)


def treatment_strip(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the bars of the treatments, each with its name, and where the strip ends."""
    if not explanation.treatments:
        return [], top
    order = sorted(range(len(explanation.treatments)), key=lambda number: explanation.treatments[number][1])
    bars = [_bar(explanation, number, x) for number in order]
    rows = lanes([bar.extent for bar in bars])
    marks: list[Mark] = [Words(text="Treatments", x=x.first - 10, y=top + 11, size=BODY, fill=GREY, anchor="end")]
    for position, (number, row, bar) in enumerate(zip(order, rows, bars, strict=True)):
        y = top + row * LANE
        _, first, last = explanation.treatments[number]
        shape = _bar_shape(bar, y, BAR_FILLS[position % len(BAR_FILLS)], early=first < x.low, late=last is None or last > x.high)
        name = Words(text=bar.text, x=bar.text_x, y=y + 10.5, size=SMALL, fill=INK if bar.inside else GREY, anchor=bar.anchor)
        marks.append(Group(role="treatment", tip=treatment_text(explanation, number), marks=(shape, name)))
    return marks, top + (max(rows) + 1) * LANE + 6


def _bar(explanation: Explanation, number: int, x: Scale) -> Bar:
    name, first, last = explanation.treatments[number]
    left, right = x(first), x(x.high if last is None else last)
    right = max(right, left + 3) if left + 3 <= x.last else x.last
    left = min(left, right - 3)
    when = ""
    if last is not None and last < x.low:
        when = f", until {day_text(last, explanation.calendar)}"
    elif first > x.high:
        when = f", from {day_text(first, explanation.calendar)}"
    # Only the name is shortened: half a date would be another date.
    most = 0.45 * (x.last - x.first)
    width = min(text_width(f"{name}{when}", SMALL), most)
    rooms = {"inside": right - left - 14, "right": x.last - right - 4, "left": left - 4 - x.first}
    place = next((place for place, room in rooms.items() if width <= room), None) or max(rooms, key=lambda place: rooms[place])
    text = shortened(name, max(min(rooms[place], most) - text_width(when, SMALL), 0), SMALL) + when
    if place == "inside":
        return Bar(left, right, text, left + 7, "start", inside=True)
    if place == "right":
        return Bar(left, right, text, right + 4, "start", inside=False)
    return Bar(left, right, text, left - 4, "end", inside=False)


def _bar_shape(bar: Bar, y: float, fill: str, *, early: bool, late: bool) -> Path:
    """Return a bar; an end that lies beyond the figure is drawn as a point."""
    bottom, tip = y + LANE - 3, min(5.0, (bar.right - bar.left) / 2)
    middle = (y + bottom) / 2
    points = [(bar.left + tip, y), (bar.left, middle), (bar.left + tip, bottom)] if early else [(bar.left, y), (bar.left, bottom)]
    points += [(bar.right - tip, bottom), (bar.right, middle), (bar.right - tip, y)] if late else [(bar.right, bottom), (bar.right, y)]
    return Path(points=tuple(points), stroke="#8c8c8c", fill=fill, closed=True)


def row_name(text: str, x: Scale, middle: float) -> list[Mark]:
    """Return the name of a row, and its line."""
    name = Words(text=text, x=x.first - 10, y=middle + 4, size=BODY, fill=GREY, anchor="end")
    return [name, line(x.first, middle, x.last, middle, stroke="#cccccc", width=0.75)]


def row_note(text: str, x: Scale, middle: float) -> list[Mark]:
    """Return what is said on a row that shows nothing."""
    paper = Box(x=x.first, y=middle - 7, width=text_width(text, SMALL) + 10, height=14, fill=PAPER)
    return [paper, Words(text=text, x=x.first + 4, y=middle + 3.5, size=SMALL, fill=GREY, italic=True)]


def relapse_strip(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the row of relapses, and where it ends."""
    middle = top + 8
    row = row_name("Relapses", x, middle)
    if not explanation.relapse_days:
        return row + row_note(no_relapse_text(explanation), x, middle), top + 24
    inside = [day for day in explanation.relapse_days if x.holds(day)]
    row += beside(explanation.calendar, explanation.relapse_days, x, middle)
    row += [_relapse(explanation, day, (diamond(x(day), middle, 5, RELAPSE_COLOUR),)) for day in inside]
    outside: list[Mark] = []
    for edge in beyond(explanation.calendar, explanation.relapse_days, x, middle, RELAPSE_COLOUR):
        outside += [*(_relapse(explanation, day, (edge.arrow,)) for day in edge.days), edge.words]
    return row + outside, top + (34 if outside else 24)


def relapse_lines(explanation: Explanation, x: Scale, top: float, bottom: float) -> list[Mark]:
    """Return a line a relapse, from the row down through the panels."""
    inside = [day for day in explanation.relapse_days if x.holds(day)]
    return [line(x(day), top + 8, x(day), bottom, stroke=RELAPSE_COLOUR, width=1.5, dash="1.5 2.5") for day in inside]


def _relapse(explanation: Explanation, day: int, marks: tuple[Mark, ...]) -> Group:
    return Group(role="relapse", tip=f"relapse, {day_text(day, explanation.calendar)}", marks=marks)


@dataclass(frozen=True)
class Edge:
    """What lies beyond one end of a row: its days, the arrow that stands for each, and the words below."""

    days: tuple[int, ...]
    arrow: Path
    words: Words


def beyond(calendar: Calendar, days: Sequence[int], x: Scale, middle: float, colour: str, *, down: float = 17) -> list[Edge]:
    """Return an arrow at either end of a row for the days beyond it, with these days below."""
    found = []
    earlier = tuple(day for day in days if day < x.low)
    later = tuple(day for day in days if day > x.high)
    for outside, edge, way, side in ((earlier, x.first, 1, "earlier"), (later, x.last, -1, "later")):
        if not outside:
            continue
        points = ((edge, middle), (edge + way * 8, middle - 5), (edge + way * 8, middle + 5))
        arrow = Path(points=points, stroke=colour, fill=PAPER, closed=True)
        text = as_many_as_fit(f"{len(outside)} {side}: ", [day_text(day, calendar) for day in outside], 0.45 * (x.last - x.first))
        words = Words(text=text, x=edge, y=middle + down, size=SMALL, fill=GREY, anchor="start" if way > 0 else "end")
        found.append(Edge(outside, arrow, words))
    return found


def as_many_as_fit(start: str, items: Sequence[str], width: float) -> str:
    """Return a list of whole items that fits a width; an ellipsis stands for the others."""
    for n in range(len(items), 0, -1):
        text = start + ", ".join([*items[:n], *(["…"] if n < len(items) else [])])
        if text_width(text, SMALL) <= width:
            return text
    return f"{start}…"


def beside(calendar: Calendar, days: Sequence[int], x: Scale, middle: float) -> list[Mark]:
    """Return the day beside each mark of a row, where there is room for all of them."""
    texts = [day_text(day, calendar) for day in days]
    boxes = [(x(day) + 8, x(day) + 10 + text_width(text, SMALL)) for day, text in zip(days, texts, strict=True)]
    outside = not all(x.holds(day) for day in days)
    if outside or any(end > x.last for _, end in boxes) or max(lanes(boxes, gap=16), default=0) > 0:
        return []
    marks: list[Mark] = []
    for (start, end), text in zip(boxes, texts, strict=True):
        marks.append(Box(x=start, y=middle - 6, width=end - start, height=12, fill=PAPER))
        marks.append(Words(text=text, x=start + 1, y=middle + 3.5, size=SMALL, fill=GREY))
    return marks
