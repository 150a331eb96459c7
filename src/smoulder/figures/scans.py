"""The row of scans: what each one shows, and the days whose scans count for a PIRA."""

from __future__ import annotations

from smoulder.events import Explanation
from smoulder.figures.marks import Box, Group, Mark, Path, hexagon, line
from smoulder.figures.scales import Scale
from smoulder.figures.sentences import mri_words, no_scan_text, scan_text
from smoulder.figures.strips import beside, beyond, row_name, row_note
from smoulder.figures.style import GREY, INK, PAPER, SCANS_FILL
from smoulder.terms import day_text

MANY = 40
"""Scans; above that they are drawn smaller."""


def scan_strip(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the row of scans, and where it ends; nothing where the definition does not look at MRI."""
    if explanation.definition.mri is None:
        return [], top
    middle = top + 8
    name, rail = row_name("MRI", x, middle)
    spans = counting_spans(explanation)
    row = [name, *(_span(explanation, span, words, x, middle) for span, words in spans)]
    if not explanation.scans:
        # Over the days that would count the words stand alone: the paper below them would hide where these days begin.
        paper, note = row_note(no_scan_text(explanation), x, middle)
        return [*row, *([] if spans else [rail, paper]), note], top + 28
    row.append(rail)
    inside = [scan for scan in explanation.scans if x.holds(scan[0])]
    days = [day for day, _, _ in explanation.scans]
    size = 6.0 if len(inside) <= MANY else 4.0
    # Dates would hide the ends of the days that count.
    row += [] if spans else beside(explanation.calendar, days, x, middle)
    row += [_scan(explanation, scan, scan_mark(x(scan[0]), middle, size, active=scan[1], read=scan[2])) for scan in inside]
    told = dict(zip(days, explanation.scans, strict=True))
    edges = beyond(explanation.calendar, days, x, middle, INK, down=20)
    for edge in edges:
        row += [*(_scan(explanation, told[day], (edge.arrow,)) for day in edge.days), edge.words]
    return row, top + (39 if edges else 28)


def scan_mark(x: float, y: float, size: float, *, active: bool, read: bool) -> tuple[Path, ...]:
    """Return a scan: filled where it shows activity, open where it is free of it, open with a stroke through it where not fully read."""
    if active:
        return (hexagon(x, y, size, INK, INK),)
    if read:
        return (hexagon(x, y, size, INK, PAPER),)
    stroke = line(x - 0.8 * size, y + 0.9 * size, x + 0.8 * size, y - 0.9 * size, stroke=INK, width=1.2)
    return (hexagon(x, y, size, GREY, PAPER, dash="2 1.5"), stroke)


def counting_spans(explanation: Explanation) -> list[tuple[tuple[int, int], str]]:
    """Return the days whose scans count for some PIRA, with what they say of it; each once."""
    events = [event for judged in explanation.measures for event in judged.events]
    return sorted({(span, mri_words(event)) for event in events for span in event.mri_spans})


def _span(explanation: Explanation, span: tuple[int, int], words: str, x: Scale, middle: float) -> Group:
    first, last = span
    left, right, top, bottom = x(first), x(last), middle - 8, middle + 8
    marks: list[Mark] = [Box(x=left, y=top, width=max(right - left, 1.5), height=bottom - top, fill=SCANS_FILL)]
    marks += [line(x(day), top, x(day), bottom, stroke=INK, width=1.2) for day in span if x.holds(day)]
    marks += [line(left, edge, right, edge, stroke=INK, width=0.75, dash="4 3") for edge in (top, bottom)]
    tip = f"{day_text(first, explanation.calendar)} to {day_text(last, explanation.calendar)}: scans here count for the PIRA; {words}"
    return Group(role="mri-span", tip=tip, marks=tuple(marks))


def _scan(explanation: Explanation, scan: tuple[int, bool, bool], marks: tuple[Mark, ...]) -> Group:
    day, active, read = scan
    tip = f"scan, {day_text(day, explanation.calendar)}: {scan_text(active=active, read=read)}"
    return Group(role="scan", tip=tip, marks=marks)
