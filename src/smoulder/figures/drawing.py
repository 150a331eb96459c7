"""What every finished figure can do: be shown, turned into PNG or PDF, and written to a file, whole or not at all."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from smoulder.errors import UsageError
from smoulder.figures.pdf import in_order

SUFFIXES = (".svg", ".png", ".pdf", ".html")
PNG_WIDTH = 2250
"""Pixels across: 300 to the inch at the width of a journal page (190 mm)."""
PDF_WIDTH = 190 / 25.4 * 72
"""Points across: the width of a journal page (190 mm)."""

_SIZE = re.compile(r'(?<=\s)(width|height)="([\d.]+)"')
ONE_AT_A_TIME = threading.Lock()
"""Held around every call of vl_convert, which is not safe from several threads."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure as SVG, with the words that stand for it. The same input gives the same bytes."""

    svg: str
    alt: str
    """The text that stands for the figure, made from its numbers."""
    title: str
    subtitle: str

    def _repr_svg_(self) -> str:
        """Return the SVG: notebooks show it."""
        return self.svg

    @property
    def html(self) -> str:
        """The figure and its words as one page that fetches nothing."""
        raise NotImplementedError

    def png(self) -> bytes:
        """Return the figure as PNG, 2,250 pixels across."""
        import vl_convert

        with ONE_AT_A_TIME:
            return vl_convert.svg_to_png(self.svg, scale=PNG_WIDTH / _width(self.svg))

    def pdf(self) -> bytes:
        """Return the figure as PDF, 190 mm across."""
        import vl_convert

        with ONE_AT_A_TIME:
            return in_order(vl_convert.svg_to_pdf(_resized(self.svg, PDF_WIDTH)))

    def save(self, path: str | Path) -> None:
        """Write the figure as .svg, .png, .pdf or .html, by the end of the name; whole or not at all.

        Raises
        ------
        UsageError
            The name ends otherwise, or the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(f"A figure is written as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; got '{path.name}'.")
        try:
            _write_whole(path, self._content(suffix))
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror or error}).") from error

    def _content(self, suffix: str) -> bytes:
        if suffix == ".png":
            return self.png()
        if suffix == ".pdf":
            return self.pdf()
        return (self.svg if suffix == ".svg" else self.html).encode()


def _width(svg: str) -> float:
    """Return the width that the first element of an SVG states."""
    found = _SIZE.search(svg)
    if found is None or found[1] != "width":
        raise ValueError("the SVG states no width")
    return float(found[2])


def _resized(svg: str, width: float) -> str:
    """Return the same drawing at another width; its own measures stay in the viewBox."""
    scale = width / _width(svg)
    return _SIZE.sub(lambda found: f'{found[1]}="{float(found[2]) * scale:.2f}"', svg, count=2)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; on a failure nothing is left behind and nothing is lost."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
