"""A finished figure: its SVG, the text that stands for it, and how it is written to a file."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from smoulder.errors import UsageError
from smoulder.figures.templates import rendered

SUFFIXES = (".svg", ".png", ".html")
PNG_SCALE = 2.5
"""Pixels a unit: 2,250 across, 300 to the inch at the width of a journal page (190 mm)."""

# vl_convert is not safe from several threads.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing with its words. The same explanation gives the same bytes."""

    svg: str
    alt: str
    """The text that stands for the figure, made from its numbers."""
    title: str
    subtitle: str
    verdicts: tuple[str, ...]
    """One sentence an event, or that there is none."""
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    """Name of each measure, and what the engine did there, visit by visit."""
    methods: str
    """The definition in words."""
    footnote: str

    def _repr_svg_(self) -> str:
        """Return the SVG: notebooks show it."""
        return self.svg

    @property
    def html(self) -> str:
        """The figure and its sentences as one page that fetches nothing."""
        return rendered("figure.html.j2", figure=self)

    def png(self) -> bytes:
        """Return the figure as PNG; UsageError where the extra `png` is not installed."""
        try:
            import vl_convert
        except ImportError as error:
            raise UsageError("A PNG needs one more library: pip install 'smoulder[png]'. An .svg or .html needs none.") from error
        with _ONE_AT_A_TIME:
            return vl_convert.svg_to_png(self.svg, scale=PNG_SCALE)

    def save(self, path: str | Path) -> None:
        """Write the figure as .svg, .png or .html, by the end of the name; whole or not at all.

        Raises
        ------
        UsageError
            The name ends otherwise, the file cannot be written, or .png is asked for without the extra `png`.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(f"A figure is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; got '{path.name}'.")
        content = self.png() if suffix == ".png" else (self.svg if suffix == ".svg" else self.html).encode()
        try:
            _write_whole(path, content)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; on a failure nothing is left behind and nothing is lost."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
