"""Colours, sizes and the width of text: what every part of a figure shares.

The colours are those of Okabe and Ito (2008), told apart with any colour vision; shapes, dashes and
hatching say the same things a second time, for readers in black and white.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

INK = "#1a1a1a"
GREY = "#595959"
RULE = "#e3e3e3"
PAPER = "#ffffff"
BLUE = "#0072b2"
VERMILION = "#d55e00"
ORANGE = "#e69f00"
PURPLE = "#cc79a7"
GREEN = "#009e73"
SKY = "#56b4e9"

RELAPSE_COLOUR = VERMILION
REFERENCE_COLOUR = PURPLE
NEEDED_COLOUR = "#8f4f78"
RELAPSE_FREE_FILL = "#dcedf9"
FREE_EDGE = "#9cc6e6"
SCANS_FILL = "#ececec"

SMALL, BODY, HEADING, TITLE = 10, 11, 12, 17


@dataclass(frozen=True)
class Look:
    """How an event of one label is drawn."""

    colour: str
    """Of the bracket and the markers."""
    fill: str
    """Of the tag."""
    text: str
    """Colour of the text on the tag."""
    dash: str = ""
    """Dash pattern of the tag's edge."""


LOOKS: dict[str, Look] = {
    "PIRA": Look(BLUE, BLUE, PAPER),
    "RAW": Look(VERMILION, "#c04f00", PAPER),
    "RAW and PIRA": Look("#b87400", ORANGE, INK),
    "PIRA with relapse during confirmation": Look("#2a8ac0", "#56b4e9", INK),
    "undefined": Look(GREY, GREY, PAPER),
    "undetermined": Look(GREY, PAPER, INK, "3 2"),
    "improvement": Look("#00795a", "#00795a", PAPER),
    "worsening": Look(INK, INK, PAPER),
}
"""By label; by kind where there is none. Text on its tag keeps a contrast of 4.5 to 1 or more."""

_NARROW = frozenset("iljtfrI.,:;'|!()[]/ -")
_WIDE = frozenset("mwMW%@—")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide text is at most in the fonts named here (DejaVu Sans is the widest), in the unit of `size`."""
    em = sum(_character(character) for character in text)
    return em * size * (1.1 if bold else 1.0)


def _character(character: str) -> float:
    if character in _NARROW:
        return 0.41
    if character in _WIDE:
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character.isupper():
        return 0.73
    return 0.64 if character.isascii() else 0.8


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return text that fits a width; what does not ends in an ellipsis."""
    if text_width(text, size, bold=bold) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}…", size, bold=bold) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return text broken into lines that fit a width; a word that is too long is shortened."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(shortened(word, width, size))
    return lines


def printable(text: str) -> str:
    """Return text without the characters that XML cannot hold (most control characters)."""
    return "".join(character if _may_stand_in_xml(ord(character)) else "\N{REPLACEMENT CHARACTER}" for character in text)


def _may_stand_in_xml(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
