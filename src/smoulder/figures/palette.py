"""How series are told apart: a colour of Okabe and Ito and a dash pattern each, so that either is enough; patterns for areas."""

from __future__ import annotations

import math

from smoulder.figures.sheet import Pattern
from smoulder.figures.style import BLUE, GREEN, GREY, INK, LOOKS, ORANGE, PAPER, PURPLE, SKY, VERMILION

SERIES_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, INK, ORANGE, SKY, GREY)
DASHES: tuple[tuple[float, ...], ...] = (
    (1, 0),
    (7, 3),
    (2, 2),
    (9, 3, 2, 3),
    (14, 3),
    (5, 2, 1, 2, 1, 2),
    (4, 5),
    (12, 3, 5, 3),
    (1, 3),
)
"""Nine, beside eight colours: no two of 72 series look alike."""

ALIKE = 80.0
"""Colours nearer than this in red, green and blue (0 to 255 each) are taken for one."""

CAUSE_COLOURS = {"PIRA": BLUE, "RAW": VERMILION, "death": INK}
CAUSE_COLOURS |= {label: look.colour for label, look in LOOKS.items() if label not in CAUSE_COLOURS}


def dash_text(dash: tuple[float, ...]) -> str:
    """Return a dash pattern as SVG writes it; empty: one unbroken line."""
    return "" if dash == (1, 0) else " ".join(f"{part:g}" for part in dash)


def cause_colours(causes: list[str]) -> list[str]:
    """Return a colour for each cause: that of its label where it has one, otherwise one that is still free."""
    wanted = [CAUSE_COLOURS.get(label_in(cause) or cause) for cause in causes]
    seen: list[str] = []
    for colour in wanted:
        free = [one for one in SERIES_COLOURS if one not in seen and one not in wanted]
        # The green of a label and the green of the series, say, are two colours that look like one.
        clear = [one for one in free if all(_distance(one, other) >= ALIKE for other in (*seen, *wanted) if other is not None)]
        seen.append(colour if colour is not None and colour not in seen else (clear or free or list(SERIES_COLOURS))[0])
    return seen


def _distance(one: str, other: str) -> float:
    """Return how far two colours are apart in red, green and blue."""
    return math.dist(*([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (one, other)))


def label_in(cause: str) -> str | None:
    """Return the label that a cause is about ("first PIRA" is about "PIRA"); None where it names none."""
    for label in sorted(LOOKS, key=len, reverse=True):
        if cause == label or cause.endswith(f" {label}"):
            return label
    return "death" if cause.lower() == "death" else None


def area_patterns(causes: list[str]) -> list[Pattern]:
    """Return a fill for each cause that can be told apart in black and white: plain, stripes, crosses, dots …"""
    lines = (
        ("", 8.0, 1.6),
        ("M-2 2L2 -2M0 8L8 0M6 10L10 6", 8.0, 2.4),
        ("M0 4H8", 8.0, 2.2),
        ("M0 0L8 8M8 0L0 8", 8.0, 1.4),
        ("M4 0V8", 8.0, 2.2),
        ("M-2 6L2 10M0 0L8 8M6 -2L10 2", 8.0, 1.4),
        ("M3 4H5M0 0H1M7 0H8M0 8H1M7 8H8", 8.0, 2.0),
        ("M0 4H8M4 0V8", 8.0, 1.2),
    )
    order = {"PIRA": 0, "RAW": 1, "RAW and PIRA": 3, "undefined": 6, "undetermined": 2, "death": 5, "improvement": 4}
    taken: list[int] = []
    for cause in causes:
        wanted = order.get(label_in(cause) or "", 0)
        free = [n for n in range(len(lines)) if n not in taken] or [wanted]
        taken.append(wanted if wanted in free else free[0])
    colours = cause_colours(causes)
    return [
        Pattern(name=f"area{n}", ground=colour, ink=PAPER, lines=lines[kind][0], size=lines[kind][1], width=lines[kind][2])
        for n, (colour, kind) in enumerate(zip(colours, taken, strict=True))
    ]
