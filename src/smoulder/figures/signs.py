"""The signs of a cohort strip: relapses, events by label, and why an observation ended. Each has a shape of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smoulder.figures.marks import Box, Dot, Group, Mark, Path, line
from smoulder.figures.style import GREY, INK, LOOKS, PAPER, RELAPSE_COLOUR

EDGE = 0.9
"""White edge of a sign at least: on the rows of the worst scores, in black and white, it is what shows the sign."""


def relapse_mark(x: float, y: float, tall: float) -> list[Mark]:
    """Return a relapse: a stroke with a white edge, so that it shows on pale and on dark."""
    halo = [Box(x=x - 1.7, y=y - tall / 2, width=3.4, height=tall, fill=PAPER)] if tall >= 5 else []
    return [*halo, Box(x=x - 0.8, y=y - tall / 2, width=1.6, height=tall, fill=RELAPSE_COLOUR)]


def _polygon(points: Sequence[tuple[float, float]]) -> Callable[[float, float, float, str], Mark]:
    def drawn(x: float, y: float, size: float, colour: str) -> Mark:
        places = tuple((x + size * right, y + size * down) for right, down in points)
        return Path(points=places, stroke=PAPER, width=max(0.18 * size, EDGE), fill=colour, closed=True)

    return drawn


def _dot(x: float, y: float, size: float, colour: str) -> Mark:
    return Dot(x=x, y=y, radius=0.95 * size, fill=colour, stroke=PAPER, width=max(0.18 * size, EDGE))


def _ring(x: float, y: float, size: float, colour: str) -> Mark:
    return Dot(x=x, y=y, radius=0.75 * size, fill=PAPER, stroke=colour, width=0.35 * size)


_STAR = (
    (0, -1.3),
    (0.35, -0.4),
    (1.3, -0.4),
    (0.55, 0.25),
    (0.8, 1.2),
    (0, 0.6),
    (-0.8, 1.2),
    (-0.55, 0.25),
    (-1.3, -0.4),
    (-0.35, -0.4),
)

SHAPES: dict[str, Callable[[float, float, float, str], Mark]] = {
    "PIRA": _polygon(((0, -1.15), (1.1, 0.8), (-1.1, 0.8))),
    "RAW": _polygon(((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0))),
    "RAW and PIRA": _polygon(_STAR),
    "undefined": _polygon(((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))),
    "undetermined": _ring,
    "improvement": _polygon(((0, 1.15), (1.1, -0.8), (-1.1, -0.8))),
    "worsening": _dot,
}
"""A shape for each label, so that black and white is enough."""


def event_mark(label: str, x: float, y: float, size: float) -> Mark:
    """Return an event in the shape and colour of its label."""
    known = label if label in SHAPES else "worsening"
    return SHAPES[known](x, y, size, LOOKS[known].colour)


def _cross(x: float, y: float, size: float) -> Mark:
    strokes = (line(x - size, y - size, x + size, y + size, width=1.4), line(x - size, y + size, x + size, y - size, width=1.4))
    return Group(role="end", tip="death", marks=strokes)


def _small_dot(x: float, y: float, size: float) -> Mark:
    return Group(role="end", tip="last visit", marks=(Dot(x=x, y=y, radius=max(0.4 * size, 0.8), fill=GREY),))


def _stop(x: float, y: float, size: float) -> Mark:
    # The sign of a low row would be all edge.
    side = max(size, 1.8)
    box = Box(x=x - side, y=y - side, width=2 * side, height=2 * side, fill=PAPER, stroke=INK)
    return Group(role="end", tip="treatment stopped", marks=(box,))


def _switch(x: float, y: float, size: float) -> Mark:
    side = max(size, 1.8)
    points = ((x - side, y - side), (x + side, y), (x - side, y + side))
    return Group(role="end", tip="switched treatment", marks=(Path(points=points, fill=PAPER, closed=True),))


def _period_over(x: float, y: float, size: float) -> Mark:
    return Group(role="end", tip="end of the study period", marks=(line(x, y - size, x, y + size, width=1.6),))


def other_end(x: float, y: float, size: float) -> Mark:
    """Return the end of an observation for any other reason."""
    return Group(role="end", tip="other", marks=(Dot(x=x, y=y, radius=0.9 * size, fill=PAPER, stroke=INK),))


END_SIGNS: dict[str, Callable[[float, float, float], Mark]] = {
    "death": _cross,
    "last visit": _small_dot,
    "treatment stopped": _stop,
    "switched treatment": _switch,
    "end of the study period": _period_over,
}
