"""A figure of a study, finished: its SVG with title and caption inside, and the text that stands for it."""

from __future__ import annotations

from dataclasses import dataclass

from smoulder.figures.drawing import Drawing
from smoulder.figures.templates import rendered


@dataclass(frozen=True, kw_only=True)
class Chart(Drawing):
    """A figure of a study with its words; `.save("figure.svg")`, `.png`, `.pdf` or `.html` writes it.

    The same numbers give the same bytes.
    """

    caption: str
    """What the reader must know to read the figure; it stands below the drawing too."""

    @property
    def html(self) -> str:
        """The figure and the same in words, as one page that fetches nothing."""
        return rendered("chart.html.j2", chart=self)
