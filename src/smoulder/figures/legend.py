"""The key below the panels: only what the figure shows, in columns."""

from __future__ import annotations

from dataclasses import replace

from smoulder.events import Explanation
from smoulder.figures.marks import Box, Dot, Group, Mark, Path, Words, diamond, line, square, triangle
from smoulder.figures.panels import shown_windows
from smoulder.figures.scales import Scale, worsening_scores
from smoulder.figures.sentences import unconfirmed
from smoulder.figures.style import (
    FREE_EDGE,
    INK,
    NEEDED_COLOUR,
    PAPER,
    REFERENCE_COLOUR,
    RELAPSE_COLOUR,
    RELAPSE_FREE_FILL,
    SMALL,
    VERMILION,
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
        moved = tuple(_moved(mark, at, y) for mark in swatch)
        marks.append(Group(role="key", marks=(*moved, Words(text=text, x=at + SWATCH + 6, y=y + 10, size=SMALL))))
    return marks, top + rows * ROW


def _entries(explanation: Explanation) -> list[tuple[str, tuple[Mark, ...]]]:
    """Return text and swatch of each entry; swatches are drawn in a field of 26 by 13 at the origin."""
    judged = explanation.measures
    events = [event for measure in judged for event in measure.events]
    windows = [shown_windows(explanation, measure) for measure in judged]
    reachable = [score for measure in judged for _, score in worsening_scores(measure, explanation.definition)]
    hatch = Box(x=1, y=0.5, width=24, height=12, fill="raw-hatch", stroke=VERMILION)
    free = Box(x=1, y=0.5, width=24, height=12, fill=RELAPSE_FREE_FILL, stroke=FREE_EDGE)
    steps = Path(points=((1, 10), (13, 10), (13, 3), (25, 3)), stroke=INK, width=1.4)
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
            any(score is not None for score in reachable),
            "counts as worsening from here",
            (line(0, 6.5, 26, 6.5, stroke=NEEDED_COLOUR, dash="1 3"),),
        ),
        (bool(events), "onset", (triangle(13, 6.5, 6, INK, up=True),)),
        (any(event.confirmation_day is not None for event in events), "confirming visit, with its windows", (square(13, 6.5, 4.2, INK),)),
        (any(unconfirmed(m) for m in judged), "change that became no event", (hollow,)),
        (any(found for found, _ in windows), "must be free of relapses for PIRA", (free,)),
        (any(found for _, found in windows), "a relapse here makes it RAW", (hatch,)),
        (
            bool(explanation.relapse_days),
            "relapse",
            (line(13, 0, 13, 13, stroke=RELAPSE_COLOUR, width=1.5, dash="1.5 2.5"), diamond(13, 6.5, 5, RELAPSE_COLOUR)),
        ),
    ]
    return [(text, swatch) for wanted, text, swatch in entries if wanted]


def _moved(mark: Mark, right: float, down: float) -> Mark:
    """Return a mark of a swatch at its place."""
    if isinstance(mark, Path):
        return replace(mark, points=tuple((x + right, y + down) for x, y in mark.points))
    return replace(mark, x=mark.x + right, y=mark.y + down) if isinstance(mark, Box | Dot) else mark
