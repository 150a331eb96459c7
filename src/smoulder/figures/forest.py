"""Forest plots: ratios with their limits on a log axis, and the same as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from smoulder.errors import counted
from smoulder.estimates import Effects
from smoulder.figures import axes
from smoulder.figures.chart import Chart
from smoulder.figures.marks import Box, Group, Mark, Words, line
from smoulder.figures.sheet import INNER, MARGIN, NOTE, TEXT, WIDTH, Heading, Plot, centred_note, finished, fitted, sentences
from smoulder.figures.style import GREY, INK, PAPER, RULE, text_width
from smoulder.figures.vega import axis, drawn

NAME, NUMBER, PLOT = 228.0, 52.0, 250.0
ROW, LINE, INDENT = 22.0, 14.0, 12.0
FARTHEST = 4.0
"""The axis shows limits up to so many times the largest estimate (and down to so small a part of the smallest one)."""

MOST_DECADES = 2.9
"""An axis over more powers of ten has ticks at those alone: 1, 2 and 5 of each would touch."""

DIRECTIONS = {
    "hazard ratio": ("lower hazard", "higher hazard"),
    "subdistribution hazard ratio": ("fewer people", "more people"),
    "rate ratio": ("fewer events", "more events"),
    "odds ratio": ("less often", "more often"),
    "time ratio": ("earlier", "later"),
    "mean ratio": ("fewer", "more"),
}
"""What lies left and right of 1."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the plot: an effect, the level compared with, or a heading of those below."""

    lines: tuple[str, ...]
    below: tuple[str, ...] = ()
    """The step that the effect is stated for, in grey below the name."""
    heading: bool = False
    """Whether it names the outcome or the model of the rows below."""
    term: bool = False
    """Whether it names the term whose levels stand below."""
    indent: float = 0.0
    reference: bool = False
    """Whether it is the level compared with."""
    n: int | None = None
    events: int | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    why: tuple[str, ...] = ()
    """Why there is no estimate, in lines."""

    @property
    def height(self) -> float:
        """How high the row is."""
        return ROW + LINE * (max(len(self.lines) + len(self.below), len(self.why)) - 1)

    @property
    def is_drawn(self) -> bool:
        """Whether there is an estimate that a log axis can show."""
        return self.estimate is not None and math.isfinite(self.estimate) and self.estimate > 0

    @property
    def text(self) -> str:
        """The estimate with its limits, as it is written at the right."""
        if self.reference:
            return "1 (reference)"
        if self.estimate is None:
            return "not estimated"
        if self.lower is None or self.upper is None:
            return f"{ratio(self.estimate)} (no limits)"
        return f"{ratio(self.estimate)} ({ratio(self.lower)} to {ratio(self.upper)})"


def ratio(value: float) -> str:
    """Return a ratio as it is written: two decimals, three digits below 0.1.

    >>> ratio(0.672), ratio(12.34), ratio(0.0123), ratio(123.4), ratio(float("inf"))
    ('0.67', '12.3', '0.012', '123', '∞')
    """
    if math.isinf(value):
        return "∞"
    if value == 0 or value < 0.0005:
        return "0" if value == 0 else "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def plot_forest(effects: Effects | Sequence[Effects], *, title: str | None = None) -> Chart:
    """Draw effects as a forest plot.

    Parameters
    ----------
    effects
        What `cox` and the other models give; several are drawn below each other.
    title
        Above the figure; None: the title of the effects where all have the same, otherwise their scale.

    Returns
    -------
    A chart with one row an effect: people, events, estimate with 95 % limits on a log axis and as text. The level that others are
    compared with has a row of its own, with a hollow square at 1. A limit beyond the axis is an arrow; a row without an estimate says
    why.
    """
    every = [effects] if isinstance(effects, Effects) else list(effects)
    title = title or _title(every)
    rows, told = _rows(every, title)
    scales = list(dict.fromkeys(one.scale for one in every))
    heading = Heading(title=title, subtitle="; ".join(told))
    low, high = _domain(rows)
    top = heading.bottom + 22
    left = MARGIN + NAME + 2 * NUMBER + 14
    marks = _column_heads(scales, left, top)
    top += 12
    places: list[float] = []
    behind: list[Mark] = []
    y = top
    for row in rows:
        places.append(y + ROW / 2 + (row.height - ROW) / 2)
        marks += _row_marks(row, y, places[-1], left)
        y += row.height
        behind.append(line(MARGIN, y, WIDTH - MARGIN, y, stroke=RULE))
    if not rows:
        marks += centred_note("There is no effect to show.", WIDTH / 2, y + 24, INNER)
        y += 44
    plots = []
    if rows:
        plots = [Plot(markup=_plot(rows, places, top, y + 4, low, high), x=left, y=top)]
        marks += _directions(scales, low, high, left, y + 38)
    bottom = y + (52 if rows else 8)
    beyond = any(_leaves(row, low, high) for row in rows)
    caption = sentences(
        "Lines are 95 % limits" if any(row.lower is not None for row in rows) else "",
        "Hollow squares: the level compared with" if any(row.reference for row in rows) else "",
        "An arrow: a limit, or the estimate itself, lies beyond the axis" if beyond else "",
        *_notes(every),
    )
    return finished(heading, caption, _alt(heading, every), marks, bottom, behind=behind, plots=plots)


# -- rows -----------------------------------------------------------------------------------


def _title(every: Sequence[Effects]) -> str:
    """Return the title that all effects have, otherwise their scale."""
    titles, scales = {one.title for one in every}, {one.scale for one in every}
    if len(titles) == 1:
        return titles.pop()
    return f"{scales.pop()}s".capitalize() if len(scales) == 1 else "Effects"


def _notes(every: Sequence[Effects]) -> list[str]:
    """Return what the reader must know beside the rows: without what the rows say; with the outcome where not all say it."""
    said = [[note for note in one.notes if note not in set(one.references["note"])] for one in every]
    shared = [note for note in dict.fromkeys(note for notes in said for note in notes) if all(note in notes for notes in said)]
    own = []
    for one, notes in zip(every, said, strict=True):
        outcomes = one.table["outcome"].unique(maintain_order=True).to_list()
        whose = f"{', '.join(outcomes)}: " if len(every) > 1 else ""
        own += [f"{whose}{note}" for note in notes if note not in shared]
    return list(dict.fromkeys([*own, *shared]))


def _rows(every: Sequence[Effects], title: str) -> tuple[list[Row], list[str]]:
    """Return the rows, and what is the same in all of them and is said below the title."""
    table = [(one, row) for one in every for row in one.table.iter_rows(named=True)]
    outcomes = list(dict.fromkeys(row["outcome"] for _, row in table))
    models = list(dict.fromkeys(row["model"] for _, row in table))
    scales = list(dict.fromkeys(one.scale for one, _ in table))
    same = [(what, names[0]) for what, names in (("Outcome", outcomes), ("Model", models)) if len(names) == 1]
    told = [f"{what}: {name}" for what, name in same if name and name not in title]
    found: list[Row] = []
    before: tuple[str, ...] = ()
    for (_, term), members in groupby(table, key=lambda pair: ((id(pair[0]), pair[1]["outcome"], pair[1]["model"]), pair[1]["term"])):
        these = list(members)
        one, row = these[0]
        above = tuple(
            text
            for text, shown in ((row["outcome"], len(outcomes) > 1), (row["model"], len(models) > 1), (one.scale, len(scales) > 1))
            if shown and text
        )
        if above and above != before:
            found.append(Row(lines=tuple(fitted(", ".join(above), INNER, TEXT, 1)), heading=True))
        before = above
        levels = [row for _, row in these if row["level"]]
        indent, lead = 0.0, f"{term}: "
        # A long name of a term stands once, above its levels.
        widest = max((text_width(f"{lead}{name}", TEXT) for row in levels for name in (row["level"], row["against"] or "")), default=0.0)
        if len(levels) > 1 or (levels and widest > NAME - 8):
            found.append(Row(lines=tuple(fitted(term, NAME + 2 * NUMBER, TEXT, 2)), term=True))
            indent, lead = INDENT, ""
        told_reference = _reference(one, row)
        if levels and row["against"]:
            n, events = (None, None) if told_reference is None else told_reference
            name = f"{lead}{row['against']}"
            found.append(Row(lines=_name(name, indent), indent=indent, reference=True, n=n, events=events))
        for _, row in these:
            # A term of which everybody has the same level has one row without a level; that level is in its reason.
            step = row["against"] if not row["level"] and told_reference is None else ""
            found.append(
                Row(
                    lines=_name(f"{lead}{row['level']}" if row["level"] else term, indent),
                    below=tuple(fitted(step, NAME - 8, NOTE, 2)) if step else (),
                    indent=indent,
                    n=row["n"],
                    events=row["events"],
                    estimate=row["estimate"],
                    lower=row["lower"],
                    upper=row["upper"],
                    why=tuple(fitted(row["why"] or "no reason is given", PLOT - 10, NOTE, 3)) if row["estimate"] is None else (),
                )
            )
    return found, told


def _name(text: str, indent: float) -> tuple[str, ...]:
    return tuple(fitted(text, NAME - 8 - indent, TEXT, 2))


def _reference(one: Effects, row: dict[str, Any]) -> tuple[int, int] | None:
    """Return people and events of the level that a row is compared with; None where they are not known."""
    for told in one.references.iter_rows(named=True):
        if all(told[name] == row[name] for name in ("outcome", "model", "term")) and told["level"] == row["against"]:
            return told["n"], told["events"]
    return None


def _domain(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the ends of the axis: ticks that hold 1, every estimate, and the limits that are not too far away."""
    drawn_rows = [row for row in rows if row.is_drawn]
    estimates = [min(max(row.estimate or 1.0, axes.RATIO_TICKS[0]), axes.RATIO_TICKS[-1]) for row in drawn_rows]
    lowers = [row.lower for row in drawn_rows if row.lower is not None]
    uppers = [row.upper for row in drawn_rows if row.upper is not None]
    low = min([0.5, *estimates, max(min([1.0, *lowers]), min([1.0, *estimates]) / FARTHEST)])
    high = max([2.0, *estimates, min(max([1.0, *uppers]), max([1.0, *estimates]) * FARTHEST)])
    below = [tick for tick in axes.RATIO_TICKS if tick <= low * (1 + 1e-9)]
    above = [tick for tick in axes.RATIO_TICKS if tick >= high * (1 - 1e-9)]
    ends = (below or [axes.RATIO_TICKS[0]])[-1], (above or [axes.RATIO_TICKS[-1]])[0]
    if math.log10(ends[1] / ends[0]) <= MOST_DECADES:
        return ends
    return 10.0 ** math.floor(math.log10(ends[0]) + 1e-9), 10.0 ** math.ceil(math.log10(ends[1]) - 1e-9)


def ticks_between(low: float, high: float) -> list[float]:
    """Return the ticks of the axis from `low` to `high`."""
    ticks = [tick for tick in axes.RATIO_TICKS if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    return ticks if math.log10(high / low) <= MOST_DECADES else [tick for tick in ticks if math.log10(tick) % 1 == 0]


def _leaves(row: Row, low: float, high: float) -> bool:
    if not row.is_drawn or row.estimate is None:
        return False
    lower = row.estimate if row.lower is None else row.lower
    upper = row.estimate if row.upper is None else row.upper
    return lower < low or upper > high


# -- drawing --------------------------------------------------------------------------------


def _column_heads(scales: Sequence[str], left: float, y: float) -> list[Mark]:
    what = scales[0] if len(scales) == 1 else "ratio"
    return [
        Words(text="People", x=MARGIN + NAME + NUMBER - 8, y=y, size=NOTE, fill=GREY, anchor="end", bold=True),
        Words(text="Events", x=MARGIN + NAME + 2 * NUMBER - 6, y=y, size=NOTE, fill=GREY, anchor="end", bold=True),
        Words(
            text=f"{what.capitalize()} (95 % limits)",
            x=WIDTH - MARGIN,
            y=y,
            size=NOTE,
            fill=GREY,
            anchor="end",
            bold=True,
        ),
        line(MARGIN, y + 6, WIDTH - MARGIN, y + 6, stroke=GREY, width=0.75),
    ]


def _row_marks(row: Row, top: float, middle: float, left: float) -> list[Mark]:
    first = top + ROW / 2 + 4
    x, below = MARGIN + row.indent, first + LINE * len(row.lines)
    parts: list[Mark] = [Words(text=text, x=x, y=first + LINE * n, size=TEXT, bold=row.heading) for n, text in enumerate(row.lines)]
    parts += [Words(text=text, x=x, y=below + LINE * n, size=NOTE, fill=GREY) for n, text in enumerate(row.below)]
    if row.heading or row.term:
        return [Group(role="heading" if row.heading else "term", marks=tuple(parts))]
    for number, column in ((row.n, NUMBER - 8), (row.events, 2 * NUMBER - 6)):
        if number is not None:
            parts.append(Words(text=f"{number:,}", x=MARGIN + NAME + column, y=middle + 4, size=TEXT, anchor="end"))
    parts.append(Words(text=row.text, x=WIDTH - MARGIN, y=middle + 4, size=TEXT, anchor="end"))
    if row.why:
        start = middle - LINE * (len(row.why) - 1) / 2 + 4
        parts.append(Box(x=left + 1, y=start - 12, width=PLOT - 2, height=LINE * len(row.why) + 2, fill=PAPER))
        parts += [Words(text=text, x=left + 4, y=start + LINE * n, size=NOTE, fill=GREY, italic=True) for n, text in enumerate(row.why)]
    return [Group(role="reference" if row.reference else "effect", marks=tuple(parts))]


def _directions(scales: Sequence[str], low: float, high: float, left: float, y: float) -> list[Mark]:
    words = {DIRECTIONS[scale] for scale in scales}
    fewer, more = next(iter(words)) if len(words) == 1 else ("lower", "higher")
    one = left + PLOT * math.log(1 / low) / math.log(high / low)
    return [
        Words(text=f"← {fewer}", x=one - 8, y=y, size=NOTE, anchor="end"),
        Words(text=f"{more} →", x=one + 8, y=y, size=NOTE),
    ]


def _plot(rows: Sequence[Row], places: Sequence[float], top: float, bottom: float, low: float, high: float) -> str:
    import altair as alt

    ticks = ticks_between(low, high)
    on = alt.Scale(type="log", domain=[low, high], nice=False)
    xs = alt.X("at:Q", scale=on, axis=axis(ticks, format="~g"))
    ys = alt.Y("y:Q", scale=None, axis=None)
    height = bottom - top
    ones = alt.Chart(alt.Data(values=[{"at": 1, "y": 0, "to": height}]), name="one")
    layers = [ones.mark_rule(stroke=GREY, strokeWidth=1).encode(x=xs, y=ys, y2="to:Q")]
    lines, arrows, points, references = [], [], [], []
    for row, place in zip(rows, places, strict=True):
        y = round(place - top, 3)
        if row.reference:
            references.append({"y": y, "at": 1})
        if not row.is_drawn or row.estimate is None:
            continue
        lower = row.estimate if row.lower is None else row.lower
        upper = row.estimate if row.upper is None else row.upper
        if max(lower, low) < min(upper, high):
            lines.append({"y": y, "at": max(lower, low), "to": min(upper, high)})
        if lower < low:
            arrows.append({"y": y, "at": low, "way": "triangle-left"})
        if upper > high:
            arrows.append({"y": y, "at": high, "way": "triangle-right"})
        if low <= row.estimate <= high:
            points.append({"y": y, "at": row.estimate})
    if lines:
        layers.append(alt.Chart(alt.Data(values=lines), name="limits").mark_rule(stroke=INK, strokeWidth=1.6).encode(x=xs, x2="to:Q", y=ys))
    if arrows:
        shape = alt.Shape("way:N", scale=None, legend=None)
        layers.append(
            alt.Chart(alt.Data(values=arrows), name="arrows")
            .mark_point(fill=INK, stroke=INK, opacity=1, size=70)
            .encode(x=xs, y=ys, shape=shape)
        )
    if references:
        hollow = alt.Chart(alt.Data(values=references), name="references")
        layers.append(hollow.mark_square(fill=PAPER, stroke=INK, strokeWidth=1.2, opacity=1, size=56).encode(x=xs, y=ys))
    if points:
        layers.append(alt.Chart(alt.Data(values=points), name="estimates").mark_square(fill=INK, opacity=1, size=64).encode(x=xs, y=ys))
    return drawn(layers, width=PLOT, height=height)


# -- words ----------------------------------------------------------------------------------


def _alt(heading: Heading, every: Sequence[Effects]) -> str:
    text = [f"Forest plot: {heading.title}", heading.subtitle]
    said = f"{heading.title} {heading.subtitle}"
    for one in every:
        for row in one.table.iter_rows(named=True):
            told = Row(lines=(), estimate=row["estimate"], lower=row["lower"], upper=row["upper"])
            where = ", ".join(part for part in (row["outcome"], row["model"]) if part and part not in said)
            value = f"{one.scale} {told.text}" if row["estimate"] is not None else f"not estimated, {row['why'] or 'no reason is given'}"
            text.append(f"{where + ', ' if where else ''}{_said(one, row)}: {value}")
    return sentences(*text)


def _said(one: Effects, row: dict[str, Any]) -> str:
    """Return an effect in words: the term, what it is compared with, and of how many people and events."""
    own, reference = _counts(row["n"], row["events"]), _reference(one, row)
    if not row["level"]:
        step = f", {row['against']}" if row["against"] and reference is None else ""
        return f"{row['term']}{step}{f' ({own})' if own else ''}"
    name = f"{row['term']}: {row['level']}{f' ({own})' if own else ''}"
    other = f" ({_counts(*reference)})" if reference is not None else ""
    return f"{name} against {row['against']}{other}" if row["against"] else name


def _counts(n: int | None, events: int | None) -> str:
    parts = [counted(n, "person", "people") if n is not None else "", counted(events, "event") if events is not None else ""]
    return ", ".join(part for part in parts if part)
