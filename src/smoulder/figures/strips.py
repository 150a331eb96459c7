"""The rows above the panels: treatments as bars, relapses as diamonds with a line through every panel."""

from __future__ import annotations

from collections.abc import Sequence

from smoulder.events import Explanation
from smoulder.figures.marks import Box, Group, Mark, Path, Words, diamond, line
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import no_relapse_text, treatment_text
from smoulder.figures.style import BODY, GREY, INK, PAPER, RELAPSE_COLOUR, SMALL, shortened, text_width
from smoulder.terms import day_text

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


def treatment_strip(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the bars of the treatments, each with its name, and where the strip ends."""
    if not explanation.treatments:
        return [], top
    order = sorted(range(len(explanation.treatments)), key=lambda number: explanation.treatments[number][1])
    placed = [_bar(explanation, number, x) for number in order]
    rows = lanes([(min(bar[0], text_x), max(bar[1], text_x + text_width(text, SMALL))) for bar, text, text_x, _ in placed])
    marks: list[Mark] = [Words(text="Treatments", x=x.first - 10, y=top + 12, size=BODY, fill=GREY, anchor="end")]
    for position, (number, row, ((left, right), text, text_x, inside)) in enumerate(zip(order, rows, placed, strict=True)):
        y = top + row * LANE
        fill = BAR_FILLS[position % len(BAR_FILLS)]
        bar = Box(x=left, y=y, width=right - left, height=LANE - 3, fill=fill, stroke="#8c8c8c")
        name = Words(text=text, x=text_x, y=y + 10.5, size=SMALL, fill=INK if inside else GREY)
        marks.append(Group(role="treatment", tip=treatment_text(explanation, number), marks=(bar, name)))
    return marks, top + (max(rows) + 1) * LANE + 6


def _bar(explanation: Explanation, number: int, x: Scale) -> tuple[tuple[float, float], str, float, bool]:
    """Return the ends of a bar, its name, where the name starts, and whether it stands in the bar."""
    name, first, last = explanation.treatments[number]
    left, right = x(first), x(x.high if last is None else last)
    right = max(right, left + 3) if left + 3 <= x.last else x.last
    left = min(left, right - 3)
    if last is not None and last < x.low:
        name = f"{name}, until {day_text(last, explanation.calendar)}"
    elif first > x.high:
        name = f"{name}, from {day_text(first, explanation.calendar)}"
    text = shortened(name, 0.45 * (x.last - x.first), SMALL)
    width = text_width(text, SMALL)
    if width + 8 <= right - left:
        return (left, right), text, left + 4, True
    if right + 4 + width <= x.last:
        return (left, right), text, right + 4, False
    return (left, right), text, left - 4 - width, False


def relapse_strip(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the row of relapses, and where it ends."""
    middle = top + 8
    row: list[Mark] = [Words(text="Relapses", x=x.first - 10, y=middle + 4, size=BODY, fill=GREY, anchor="end")]
    row.append(line(x.first, middle, x.last, middle, stroke="#cccccc", width=0.75))
    if not explanation.relapse_days:
        text = no_relapse_text(explanation)
        row.append(Box(x=x.first, y=middle - 7, width=text_width(text, SMALL) + 10, height=14, fill=PAPER))
        row.append(Words(text=text, x=x.first + 4, y=middle + 3.5, size=SMALL, fill=GREY, italic=True))
        return row, top + 24
    inside = [day for day in explanation.relapse_days if x.holds(day)]
    row += _dates(explanation, inside, x, middle)
    row += [_relapse(explanation, day, (diamond(x(day), middle, 5, RELAPSE_COLOUR),)) for day in inside]
    outside = _outside(explanation, x, middle)
    return row + outside, top + (34 if outside else 24)


def relapse_lines(explanation: Explanation, x: Scale, top: float, bottom: float) -> list[Mark]:
    """Return a line a relapse, from the row down through the panels."""
    inside = [day for day in explanation.relapse_days if x.holds(day)]
    return [line(x(day), top + 8, x(day), bottom, stroke=RELAPSE_COLOUR, width=1, dash="2 2.5") for day in inside]


def _relapse(explanation: Explanation, day: int, marks: tuple[Mark, ...]) -> Group:
    return Group(role="relapse", tip=f"relapse, {day_text(day, explanation.calendar)}", marks=marks)


def _outside(explanation: Explanation, x: Scale, middle: float) -> list[Mark]:
    """Return an arrow at either end for the relapses beyond it, with their days below."""
    found: list[Mark] = []
    earlier = [day for day in explanation.relapse_days if day < x.low]
    later = [day for day in explanation.relapse_days if day > x.high]
    for days, edge, way, side in ((earlier, x.first, 1, "earlier"), (later, x.last, -1, "later")):
        if not days:
            continue
        points = ((edge, middle), (edge + way * 8, middle - 5), (edge + way * 8, middle + 5))
        arrow = Path(points=points, stroke=RELAPSE_COLOUR, fill=PAPER, closed=True)
        found += [_relapse(explanation, day, (arrow,)) for day in days]
        listed_days = ", ".join(day_text(day, explanation.calendar) for day in days)
        text = shortened(f"{len(days)} {side}: {listed_days}", 0.45 * (x.last - x.first), SMALL)
        found.append(Words(text=text, x=edge, y=middle + 17, size=SMALL, fill=GREY, anchor="start" if way > 0 else "end"))
    return found


def _dates(explanation: Explanation, inside: Sequence[int], x: Scale, middle: float) -> list[Mark]:
    """Return the day beside each relapse, where there is room for all of them."""
    texts = [day_text(day, explanation.calendar) for day in inside]
    boxes = [(x(day) + 8, x(day) + 10 + text_width(text, SMALL)) for day, text in zip(inside, texts, strict=True)]
    beyond = len(inside) < len(explanation.relapse_days)
    if beyond or any(end > x.last for _, end in boxes) or max(lanes(boxes, gap=16), default=0) > 0:
        return []
    marks: list[Mark] = []
    for (start, end), text in zip(boxes, texts, strict=True):
        marks.append(Box(x=start, y=middle - 6, width=end - start, height=12, fill=PAPER))
        marks.append(Words(text=text, x=start + 1, y=middle + 3.5, size=SMALL, fill=GREY))
    return marks
