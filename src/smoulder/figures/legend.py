"""The key below the panels: only what the figure shows, in columns."""

from __future__ import annotations

from smoulder.events import DURING, Explanation
from smoulder.figures.marks import Box, Dot, Group, Mark, Path, Words, bracketed, diamond, line, moved, square, triangle
from smoulder.figures.panels import RAIL, shown_windows
from smoulder.figures.scales import Scale, worsening_scores
from smoulder.figures.scans import counting_spans, scan_mark
from smoulder.figures.sentences import unconfirmed
from smoulder.figures.style import (
    FREE_EDGE,
    INK,
    LOOKS,
    NEEDED_COLOUR,
    PAPER,
    REFERENCE_COLOUR,
    RELAPSE_COLOUR,
    RELAPSE_FREE_FILL,
    SCANS_FILL,
    SMALL,
    VERMILION,
    Look,
    text_width,
)

ROW, SWATCH = 17, 26


def legend(explanation: Explanation, x: Scale, top: float) -> tuple[list[Mark], float]:
    """Return the key, and where it ends."""
    entries = _entries(explanation)
    if not entries:
        return [], top
    width = SWATCH + 20 + max(text_width(text, SMALL) for text, _ in entries)
    columns = max(int((x.last - x.first) // width), 1)
    rows = -(-len(entries) // columns)
    marks: list[Mark] = []
    for number, (text, swatch) in enumerate(entries):
        at, y = x.first + number // rows * width, top + number % rows * ROW
        placed = tuple(moved(mark, at, y) for mark in swatch)
        marks.append(Group(role="key", marks=(*placed, Words(text=text, x=at + SWATCH + 6, y=y + 10, size=SMALL))))
    return marks, top + rows * ROW


def _entries(explanation: Explanation) -> list[tuple[str, tuple[Mark, ...]]]:
    """Return text and swatch of each entry; swatches are drawn in a field of 26 by 13 at the origin."""
    judged = explanation.measures
    events = [event for measure in judged for event in measure.events]
    kinds = {event.compared_with for event in events}
    windows = [shown_windows(explanation, measure) for measure in judged]
    reachable = [score for measure in judged for _, score in worsening_scores(measure, explanation.definition)]
    hatch = Box(x=1, y=0.5, width=24, height=12, fill="@hatch", stroke=VERMILION)
    free = Box(x=1, y=0.5, width=24, height=12, fill=RELAPSE_FREE_FILL, stroke=FREE_EDGE)
    steps = Path(points=((1, 10), (13, 10), (13, 3), (25, 3)), stroke=INK, width=1.4)
    own = Box(x=1, y=6.5 - RAIL / 2, width=24, height=RAIL, stroke=INK)
    hollow = Dot(x=13, y=6.5, radius=5, fill=PAPER, stroke=INK, width=1.4)
    entries: list[tuple[bool, str, tuple[Mark, ...]]] = [
        (
            any(m.days for m in judged),
            "score, held until the next visit",
            (steps, Dot(x=1.5, y=10, radius=2.6), Dot(x=13, y=3, radius=2.6)),
        ),
        (
            any(m.references for m in judged),
            "reference in force",
            (line(0, 6.5, 26, 6.5, stroke=REFERENCE_COLOUR, width=3.5, dash="7 3.5"),),
        ),
        (
            "second reference" in kinds,
            "second reference, of an undefined worsening",
            (own,),
        ),
        (
            "earlier reference" in kinds,
            "earlier reference, of this event",
            (own,),
        ),
        (
            any(score is not None for score in reachable),
            "counts as worsening from here",
            (line(0, 6.5, 26, 6.5, stroke=NEEDED_COLOUR, dash="1 3"),),
        ),
        (bool(events), "onset", (triangle(13, 6.5, 6, INK, up=True),)),
        (any(event.confirmation_day is not None for event in events), "confirming visit, with its windows", (square(13, 6.5, 4.2, INK),)),
        (any(unconfirmed(m) for m in judged), "change that became no event", (hollow,)),
        (
            any(event.forgiven_days for event in events),
            "single visit that was forgiven",
            (Dot(x=13, y=6.5, radius=2.6), *bracketed(13, 6.5, 7)),
        ),
        (any(event.label == DURING for event in events), DURING, _tag_swatch(LOOKS[DURING])),
        (any(found for found, _ in windows), "must be free of relapses for PIRA", (free,)),
        (any(found for _, found in windows), "a relapse here makes it RAW", (hatch,)),
        (
            bool(explanation.relapse_days),
            "relapse",
            (line(13, 0, 13, 13, stroke=RELAPSE_COLOUR, width=1.5, dash="1.5 2.5"), diamond(13, 6.5, 5, RELAPSE_COLOUR)),
        ),
        *_scan_entries(explanation),
        (any(m.sought for m in judged), "a visit is sought here; pin: the visit", (_sought_bar(), _pin())),
    ]
    return [(text, swatch) for wanted, text, swatch in entries if wanted]


def _scan_entries(explanation: Explanation) -> list[tuple[bool, str, tuple[Mark, ...]]]:
    """Return the entries of the row of scans: only the kinds that are there."""
    kinds = {"activity" if active else "free" if read else "unread" for _, active, read in explanation.scans}
    ends = tuple(line(x, 0, x, 13, width=1.2) for x in (1, 25))
    edges = tuple(line(1, y, 25, y, width=0.75, dash="4 3") for y in (0, 13))
    span = (Box(x=1, y=0, width=24, height=13, fill=SCANS_FILL), *ends, *edges)
    return [
        ("activity" in kinds, "scan with activity", scan_mark(13, 6.5, 6, active=True, read=True)),
        ("free" in kinds, "scan without activity", scan_mark(13, 6.5, 6, active=False, read=True)),
        ("unread" in kinds, "scan not fully read", scan_mark(13, 6.5, 6, active=False, read=False)),
        (bool(counting_spans(explanation)), "scans here count for the PIRA", span),
    ]


def _tag_swatch(look: Look) -> tuple[Mark, ...]:
    return (Box(x=1, y=0.5, width=24, height=12, fill=look.fill, stroke=look.colour, radius=3),)


def _sought_bar() -> Path:
    return Path(points=((1, 6), (1, 11), (25, 11), (25, 6)), fill=PAPER, closed=True)


def _pin() -> Path:
    return Path(points=((13, 10), (9, 0), (17, 0)), stroke=PAPER, fill=INK, closed=True)
