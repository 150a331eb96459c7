"""What a figure is made of: paths, boxes, dots and words, in groups with a role. The template writes them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smoulder.figures.style import BODY, INK


@dataclass(frozen=True, kw_only=True)
class Path:
    """A line through points, or a filled shape where it is closed."""

    points: tuple[tuple[float, float], ...]
    stroke: str = INK
    width: float = 1
    dash: str = ""
    fill: str = "none"
    closed: bool = False
    shape: str = "path"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    stroke: str = "none"
    dash: str = ""
    radius: float = 0
    shape: str = "box"


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A circle."""

    x: float
    y: float
    radius: float
    fill: str = INK
    stroke: str = "none"
    width: float = 1
    shape: str = "dot"


@dataclass(frozen=True, kw_only=True)
class Words:
    """One line of text; `y` is its base line."""

    text: str
    x: float
    y: float
    size: float = BODY
    fill: str = INK
    anchor: str = "start"
    bold: bool = False
    italic: bool = False
    shape: str = "words"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Marks that belong together; `role` says what they show, `tip` is read out and shown on pointing."""

    role: str
    marks: tuple[Mark, ...]
    tip: str = ""
    shape: str = "group"


Mark = Path | Box | Dot | Words | Group


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, width: float = 1, dash: str = "") -> Path:
    """Return a straight line."""
    return Path(points=((x1, y1), (x2, y2)), stroke=stroke, width=width, dash=dash)


def triangle(x: float, y: float, size: float, colour: str, *, up: bool) -> Path:
    """Return a filled triangle about a point: the onset of a change, pointing the way the score went."""
    tip, base = (y - size, y + 0.75 * size) if up else (y + size, y - 0.75 * size)
    return Path(points=((x, tip), (x + size, base), (x - size, base)), stroke="#ffffff", fill=colour, closed=True)


def square(x: float, y: float, size: float, colour: str) -> Box:
    """Return a filled square about a point: a confirming visit."""
    return Box(x=x - size, y=y - size, width=2 * size, height=2 * size, fill=colour, stroke="#ffffff")


def diamond(x: float, y: float, size: float, colour: str) -> Path:
    """Return a filled diamond about a point: a relapse."""
    points = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
    return Path(points=points, stroke="none", fill=colour, closed=True)


def hexagon(x: float, y: float, size: float, colour: str, fill: str, *, dash: str = "") -> Path:
    """Return a hexagon about a point: a scan."""
    corners = ((0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0), (-0.87, 0.5), (-0.87, -0.5))
    points = tuple((x + size * right, y + size * down) for right, down in corners)
    return Path(points=points, stroke=colour, width=1.3, dash=dash, fill=fill, closed=True)


def bracketed(x: float, y: float, size: float) -> tuple[Path, Path]:
    """Return a pair of round brackets about a point: a visit that was forgiven."""
    bow = ((0.5, -1.0), (0.85, -0.55), (1.0, 0.0), (0.85, 0.55), (0.5, 1.0))
    left, right = (Path(points=tuple((x + way * size * a, y + size * b) for a, b in bow), width=1.3) for way in (-1, 1))
    return left, right


def stairs(points: Sequence[tuple[float, float]], end: float | None = None) -> tuple[tuple[float, float], ...]:
    """Return the points of a step line: each value holds until the next one; the last until `end`."""
    found: list[tuple[float, float]] = []
    for x, y in points:
        if found:
            found.append((x, found[-1][1]))
        found.append((x, y))
    if found and end is not None and end > found[-1][0]:
        found.append((end, found[-1][1]))
    return tuple(found)


def moved(mark: Mark, right: float, down: float) -> Mark:
    """Return a mark moved to the right and down."""
    if isinstance(mark, Group):
        return replace(mark, marks=tuple(moved(inner, right, down) for inner in mark.marks))
    if isinstance(mark, Path):
        return replace(mark, points=tuple((x + right, y + down) for x, y in mark.points))
    return replace(mark, x=mark.x + right, y=mark.y + down)
