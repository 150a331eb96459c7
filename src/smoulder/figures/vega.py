"""The one door to altair: layers of a plot in, the SVG of their marks and axes out.

Everything that depends on the width of text (titles, labels, tables) is placed by `sheet`, so that the bytes do not depend on the fonts
of a machine. Nothing that a user wrote gets in here: series go by number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from smoulder.figures.drawing import ONE_AT_A_TIME
from smoulder.figures.style import FONTS, GREY, INK, RULE

TICK_TEXT = 11

_INNER = re.compile(r'<g fill="none".*</g>(?=</svg>)', re.DOTALL)
_NEEDLESS = re.compile(r'<path class="(?:background|foreground)"[^>]*/>| (?:role|aria-[a-z]+)="[^"]*"')
"""Empty paths, and what would be read aloud beside the words of the whole figure."""


def axis(values: Sequence[float], *, grid: bool = False, labels: bool = True, **more: Any) -> Any:
    """Return an axis with ticks at `values`; its title is placed by the sheet."""
    import altair as alt

    # Without the count, vega leaves out every other tick of a small plot.
    ticks = {"values": list(values), "tickCount": len(values) + 1}
    return alt.Axis(**ticks, title=None, grid=grid, labels=labels, labelOverlap=False, labelFlush=False, **more)


def drawn(layers: Sequence[Any], *, width: float, height: float) -> str:
    """Return the SVG of layers that share their scales, without the <svg> around it; the plot begins at 0, 0."""
    import altair as alt
    import vl_convert

    # Whatever theme or data transformer a caller has switched on is not for these figures.
    with ONE_AT_A_TIME:
        with alt.data_transformers.enable("default"), alt.theme.enable("none"):
            spec = alt.layer(*layers).properties(width=width, height=height, padding=0, autosize="none").to_dict()
        spec["config"] = _CONFIG
        svg = vl_convert.vegalite_to_svg(spec)
    found = _INNER.search(svg)
    if found is None:
        raise ValueError("the SVG that was drawn is not of the known form")
    return _NEEDLESS.sub("", found.group(0))


_AXIS = {
    "labelColor": INK,
    "labelFontSize": TICK_TEXT,
    "tickColor": GREY,
    "domainColor": GREY,
    "gridColor": RULE,
    "gridWidth": 0.75,
    "labelPadding": 4,
}
_CONFIG: dict[str, Any] = {
    "font": FONTS,
    "aria": False,
    "view": {"stroke": None},
    "axis": _AXIS | {"aria": False},
    "background": None,
}
