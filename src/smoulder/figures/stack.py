"""Cumulative incidence of several causes, one on top of the other: how much of the worsening is RAW, and how much PIRA."""

from __future__ import annotations

from collections.abc import Sequence

from smoulder.errors import UsageError, counted
from smoulder.estimates import Curve
from smoulder.figures import axes
from smoulder.figures.axes import TimeAxis, percent, time_axis
from smoulder.figures.chart import Chart
from smoulder.figures.curves import TIME_ZERO, Series, events_text, number_at_risk, series_of, subtitle_of, time_title
from smoulder.figures.labels import End, end_labels, key_marks, label_width
from smoulder.figures.marks import Group, Mark, Words
from smoulder.figures.palette import area_patterns
from smoulder.figures.scales import Scale
from smoulder.figures.sheet import (
    INNER,
    MARGIN,
    NOTE,
    TEXT,
    WIDTH,
    Heading,
    Pattern,
    Plot,
    centred_note,
    finished,
    fitted,
    key_of,
    sentences,
)
from smoulder.figures.style import GREY, INK
from smoulder.figures.vega import axis, drawn

HEIGHTS = {1: 280.0, 2: 220.0}
LOWEST = 170.0
GAP = 22.0
ROOM_A_NUMBER = 36.0
LEFT = 58.0
"""Room left of a panel: for the ticks, and for the name of the row of numbers."""


def plot_stack(curve: Curve, *, title: str | None = None, by: str | None = None, since: str = TIME_ZERO) -> Chart:
    """Draw the cumulative incidence of the causes stacked, one panel a group.

    Parameters
    ----------
    curve
        What `cumulative_incidence` gives. The first cause lies at the bottom.
    title
        Above the figure; None: the title of the curve.
    by
        What the groups are, in words, such as "EDSS at the start"; None: it is not said.
    since
        What time zero is, in words, such as "the first visit": it stands below the axis.

    Returns
    -------
    A chart in which the height of all areas together is the share with any of the events. Areas differ by colour, pattern and border.

    Raises
    ------
    UsageError
        The curve is no cumulative incidence.
    """
    if curve.kind != "incidence":
        raise UsageError(f"Only cumulative incidences can be stacked; this curve is of the kind '{curve.kind}'. Use plot_curve.")
    series = series_of(curve)
    causes = list(dict.fromkeys(one.cause for one in series))
    groups = list(dict.fromkeys(one.group for one in series))
    stacks = {group: _stacked([one for one in series if one.group == group]) for group in groups}
    heading = Heading(title=title or curve.title, subtitle=subtitle_of(curve, groups, by))
    alt = _alt(heading, series, groups, stacks)
    key = key_of(heading.title, alt)
    patterns = area_patterns(causes)
    by_cause = dict(zip(causes, patterns, strict=True))
    columns = 1 if len(groups) <= 1 else 2
    cell = (INNER - GAP * (columns - 1)) / columns
    beside = _label_room(causes, cell)
    width = cell - LEFT - (beside + 6 if beside else 8)
    height = HEIGHTS.get(len(groups) or 1, LOWEST)
    last_day = max((one.days[-1] for one in series if one.days), default=0)
    time = time_axis(last_day, most_ticks=int(width // ROOM_A_NUMBER))
    highest = max((column[-1] for stack in stacks.values() for _, column in stack), default=0.0)
    values = axes.percent_ticks(axes.round_top(100 * highest, axes.PERCENT_TOPS[1:]))
    marks: list[Mark] = []
    plots: list[Plot] = []
    labelled = True
    two_lines = any(len(fitted(group, (cell - LEFT) / 1.1, TEXT, 2)) > 1 for group in groups)
    first_top = heading.bottom + (18 if two_lines else 4)
    each = height + (106 if two_lines else 92)
    for n, group in enumerate(groups):
        left, top = MARGIN + n % columns * (cell + GAP), first_top + n // columns * each + 30
        own = [one for one in series if one.group == group]
        panel, plot, has_labels = _panel(own, stacks[group], time, values, by_cause, key, (left, top, width, height, beside), since)
        labelled = labelled and has_labels
        marks += panel
        plots.append(plot)
        name = group if len(groups) > 1 else "With the event, by cause (%)"
        lines = fitted(name, (cell - LEFT) / 1.1, TEXT, 2)
        for up, text in enumerate(reversed(lines)):
            marks.append(Words(text=text, x=left + LEFT, y=top - 12 - 15 * up, size=TEXT, bold=True))
    if not groups:
        marks += centred_note("Nobody was followed.", WIDTH / 2, first_top + 40, INNER)
    rows = -(-len(groups) // columns)
    bottom = first_top + (rows * each if groups else 80)
    if causes and not labelled:
        ends = [End(name=cause, x=0, y=0, pattern=pattern) for cause, pattern in by_cause.items()]
        more, bottom = key_marks(ends, MARGIN, WIDTH - MARGIN, bottom + 4)
        marks += more
    top_value = values[-1]
    cut = f"The axis ends at {top_value:g} %" if top_value < 100 else ""
    none = "There was no event" if series and not any(one.n_events for one in series) else ""
    unit = "Share of people with the event, in per cent" if len(groups) > 1 else ""
    caption = sentences(
        none or events_text(series),
        unit,
        "The areas lie on top of each other: the upper edge is the share with any of the events",
        cut,
        *curve.notes,
    )
    return finished(heading, caption, alt, marks, bottom + 4, plots=plots, patterns=patterns, key=key)


def _label_room(causes: Sequence[str], cell: float) -> float:
    """Return the width of the labels beside a panel; 0 where they would take a third of it or more."""
    width = label_width([*causes, "99.99 %"]) if causes else 0.0
    return width if width <= 0.36 * cell else 0.0


def _stacked(series: Sequence[Series]) -> list[tuple[int, list[float]]]:
    """Return for each day at which a curve of the group changes the upper edges of the areas, from the bottom up."""
    days = sorted({day for one in series for day in one.days})
    found: list[tuple[int, list[float]]] = []
    for day in days:
        total, edges = 0.0, []
        for one in series:
            place = one.at(min(day, one.days[-1])) if one.days else None
            total += one.estimates[place] if place is not None else 0.0
            edges.append(total)
        found.append((day, edges))
    return found


def _panel(
    series: Sequence[Series],
    stack: Sequence[tuple[int, list[float]]],
    time: TimeAxis,
    values: Sequence[float],
    patterns: dict[str, Pattern],
    key: str,
    box: tuple[float, float, float, float, float],
    since: str,
) -> tuple[list[Mark], Plot, bool]:
    """Return the words and the plot of one group, and whether each area has a name beside it.

    `box` is left, top, width and height of the plot, and the room beside it.
    """
    left, top, width, height, beside = box
    left += LEFT
    x, y = time.scale(left, left + width), Scale(0, values[-1], top + height, top)
    marks: list[Mark] = []
    labels: list[Mark] | None = None
    if stack:
        day, edges = stack[-1]
        ends = []
        # From the top down, so that the names of areas of no height stand in that order too.
        for n, one in reversed(list(enumerate(series))):
            below = edges[n - 1] if n else 0.0
            value = percent(edges[n] - below)
            ends.append(End(name=one.cause, value=value, x=x(day), y=y(50 * (edges[n] + below)), pattern=patterns[one.cause]))
        if beside:
            labels = end_labels(ends, left + width + 6, beside, top, top + height)
            marks += labels or []
    marks += time_title(time, left + width / 2, top + height + 32, since=since, width=width + 40)
    numbers: list[Mark] = [Words(text="At risk", x=left - 16, y=top + height + 49, size=NOTE, fill=GREY, anchor="end", bold=True)]
    for tick in time.ticks:
        day = tick * time.days_a_unit
        number = number_at_risk(series[0], day)
        numbers.append(Words(text="" if number is None else f"{number:,}", x=x(day), y=top + height + 49, size=NOTE, anchor="middle"))
    marks.append(Group(role="at-risk", tip=series[0].group, marks=tuple(numbers)))
    return marks, Plot(markup=_areas(series, stack, time, values, patterns, key, width, height), x=left, y=top), labels is not None


def _areas(
    series: Sequence[Series],
    stack: Sequence[tuple[int, list[float]]],
    time: TimeAxis,
    values: Sequence[float],
    patterns: dict[str, Pattern],
    key: str,
    width: float,
    height: float,
) -> str:
    import altair as alt

    xs = alt.X("at:Q", scale=alt.Scale(domain=[0, time.of(time.last_day)], nice=False), axis=axis(time.ticks))
    on = alt.Scale(domain=[0, values[-1]], nice=False)
    frame = alt.Chart(alt.Data(values=[{"at": 0, "value": 0}])).mark_point(opacity=0)
    layers = [frame.encode(x=xs, y=alt.Y("value:Q", scale=on, axis=axis(values, grid=True)))]
    for n, one in enumerate(series):
        rows = [
            {"at": time.of(day), "low": round(100 * edges[n - 1], 6) if n else 0.0, "high": round(100 * edges[n], 6)}
            for day, edges in stack
        ]
        data = alt.Data(values=rows)
        pattern = patterns[one.cause]
        for name, fill in ((f"area{n}", pattern.ground), (f"lines{n}", f"url(#{key}-{pattern.name})")):
            area = alt.Chart(data, name=name).mark_area(interpolate="step-after", fill=fill)
            layers.append(area.encode(x=xs, y=alt.Y("low:Q", scale=on), y2="high:Q"))
        edge = alt.Chart(data, name=f"edge{n}").mark_line(interpolate="step-after", stroke=INK, strokeWidth=1)
        layers.append(edge.encode(x=xs, y=alt.Y("high:Q", scale=on)))
    return drawn(layers, width=width, height=height)


def _alt(heading: Heading, series: Sequence[Series], groups: Sequence[str], stacks: dict[str, list[tuple[int, list[float]]]]) -> str:
    if not series:
        return sentences(heading.title, "Nobody was followed")
    text = [heading.title, "Cumulative incidence of the causes, stacked"]
    for group in groups:
        own = [one for one in series if one.group == group]
        day, edges = stacks[group][-1] if stacks[group] else (0, [0.0] * len(own))
        time = time_axis(day)
        parts = [f"{one.cause} {percent(edges[n] - (edges[n - 1] if n else 0.0))}" for n, one in enumerate(own)]
        who = counted(own[0].n, "person", "people")
        name = f"{group}: " if len(groups) > 1 else ""
        text.append(f"{name}{who}; after {time.text(day)} {', '.join(parts)}; together {percent(edges[-1])}")
    return sentences(*text, heading.subtitle)
