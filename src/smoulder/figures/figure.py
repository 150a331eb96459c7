"""One patient's timeline, finished: its SVG, and the sentences that go with it."""

from __future__ import annotations

from dataclasses import dataclass

from smoulder.figures.drawing import Drawing
from smoulder.figures.templates import rendered


@dataclass(frozen=True, kw_only=True)
class Figure(Drawing):
    """A timeline with its words. The same explanation gives the same bytes."""

    verdicts: tuple[str, ...]
    """One sentence an event, or that there is none."""
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    """Name of each measure, and what the engine did there, visit by visit."""
    methods: str
    """The definition in words."""
    footnote: str

    @property
    def html(self) -> str:
        """The figure and its sentences as one page that fetches nothing."""
        return rendered("figure.html.j2", figure=self)
