"""Scores over time with their spread: the median and the quartiles in each year or half-year, and how many people they are of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from smoulder.errors import counted
from smoulder.figures.axes import DAYS_A_MONTH, DAYS_A_YEAR, TimeAxis
from smoulder.figures.chart import Chart
from smoulder.figures.curves import TIME_ZERO, time_title
from smoulder.figures.labels import MARKERS, End, NumberRow, end_labels, key_marks, label_width, left_room, number_table
from smoulder.figures.marks import Mark, Words
from smoulder.figures.palette import DASHES, SERIES_COLOURS, dash_text
from smoulder.figures.panels import axis_title
from smoulder.figures.people import Person, measure_scores, people_in, scored_visits
from smoulder.figures.scales import Scale, round_step
from smoulder.figures.sheet import INNER, MARGIN, TEXT, WIDTH, Heading, Plot, centred_note, finished, sentences
from smoulder.figures.vega import axis, drawn
from smoulder.rulebook.parts import listed
from smoulder.tables import Cohort
from smoulder.terms import Measure

HEIGHT = 280.0
FEWEST = 5
"""Bins with fewer people are not drawn: their quartiles would be single people."""
ROOM_A_NUMBER = 42.0
SIDE_STEP, LEAST_STEP = 6.0, 2.5
"""How far the points of two groups stand beside each other at most; where there is less room than the second, quartiles are not drawn."""


@dataclass(frozen=True)
class Width:
    """The width of the bins."""

    name: str
    days: float
    up_to_days: float
    """Longest follow-up that it is for."""
    unit: str
    days_a_unit: float
    steps: tuple[int, ...]
    """Bins from one tick of the axis to the next: the first that leaves room."""


WIDTHS = (
    Width("week", 7, 31, "days", 1, (1, 2)),
    Width("month", DAYS_A_MONTH, DAYS_A_YEAR / 2, "months", DAYS_A_MONTH, (1,)),
    Width("half-year", DAYS_A_YEAR / 2, 5 * DAYS_A_YEAR, "months", DAYS_A_MONTH, (1, 2, 4)),
    Width("year", DAYS_A_YEAR, math.inf, "years", DAYS_A_YEAR, (1, 2, 5, 10, 20, 50)),
)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The scores of one group in each bin."""

    group: str
    counts: tuple[int, ...]
    """People with a score in each bin; the first bin is time zero."""
    medians: tuple[float | None, ...]
    lowers: tuple[float | None, ...]
    uppers: tuple[float | None, ...]
    """Quartiles in the unit of the measure; None where there are too few people."""


def plot_spread(
    cohort: Cohort,
    *,
    people: pl.DataFrame | None = None,
    by: str | None = None,
    measure: str = "edss",
    title: str | None = None,
    by_title: str | None = None,
    since: str = TIME_ZERO,
) -> Chart:
    """Draw the median and the quartiles of a score over time since time zero.

    Parameters
    ----------
    cohort
        Whose visits are shown.
    people
        One row a person: patient, zero_day, end_day, and the groups (`Followed.people`). None: everybody, from the first visit to the
        last.
    by
        Column of the people that makes groups; None: one line for all.
    measure
        Whose score.
    title
        Above the figure; None: the measure, "over time".
    by_title
        What the groups are, in words; None: the name of the column.
    since
        What time zero is, in words, such as "the first visit": it stands below the axis.

    Returns
    -------
    A chart of bins of half a year where the follow-up is at most five years, otherwise of a year (months and weeks where it is below
    half a year). A bin holds the last score of each person in it and stands at its end; time zero is a bin of its own, with the last
    score up to it. Quartiles are interpolated as R's
    `quantile` does by default (type 7). Bins with fewer than 5 people are not drawn.

    Raises
    ------
    UsageError
        There is no such measure or column.
    """
    scores = measure_scores(cohort, measure)
    what = cohort.measure(measure)
    everybody, notes = people_in(cohort, people, by)
    without = sum(1 for one in everybody if by is not None and one.group is None)
    if without:
        notes.append(f"{counted(without, 'person', 'people')} without a value of {by} not shown")
        everybody = [one for one in everybody if one.group is not None]
    longest = max((one.days for one in everybody), default=0)
    width = next(width for width in WIDTHS if longest <= width.up_to_days)
    # A last visit a few days past the end of a bin does not make a bin of its own.
    n_bins = max(math.ceil(longest / width.days - 0.05), 1)
    groups = _groups(everybody, people, by, cohort)
    spreads = [_spread(cohort, scores, what, [p for p in everybody if by is None or p.group == g], g, width.days, n_bins) for g in groups]
    told = None if by is None else by_title or by
    return _chart(spreads, what, width, n_bins, told, title or f"{what.name} over time", notes, since)


# -- numbers --------------------------------------------------------------------------------


def _groups(everybody: Sequence[Person], people: pl.DataFrame | None, by: str | None, cohort: Cohort) -> list[str]:
    """Return the groups in the order of the column's categories where it has them, otherwise sorted."""
    if by is None:
        return ["all"]
    present = {one.group for one in everybody if one.group is not None}
    frame = people if people is not None else cohort.attributes
    dtype = None if frame is None else frame[by].dtype
    if isinstance(dtype, pl.Enum):
        return [name for name in dtype.categories.to_list() if name in present]
    if frame is not None and dtype is not None and dtype.is_numeric():
        values = frame[by].drop_nulls().unique().sort()
        return [name for name in values.cast(pl.String).to_list() if name in present]
    return sorted(present)


def _spread(
    cohort: Cohort, scores: np.ndarray, what: Measure, people: Sequence[Person], group: str, width_days: float, n_bins: int
) -> Spread:
    """Return median and quartiles of each bin from the last score of each person in it."""
    bins: list[list[float]] = [[] for _ in range(n_bins + 1)]
    for person in people:
        days, units = scored_visits(cohort, scores, person)
        last: dict[int, float] = {}
        for day, score in zip(days.tolist(), units.tolist(), strict=True):
            last[min(max(math.ceil(day / width_days), 0), n_bins)] = what.points(score)
        for number, points in last.items():
            bins[number].append(points)
    quartiles = [tuple(float(np.percentile(values, q)) for q in (25, 50, 75)) if len(values) >= FEWEST else None for values in bins]
    return Spread(
        group=group,
        counts=tuple(len(values) for values in bins),
        medians=tuple(None if three is None else three[1] for three in quartiles),
        lowers=tuple(None if three is None else three[0] for three in quartiles),
        uppers=tuple(None if three is None else three[2] for three in quartiles),
    )


# -- drawing --------------------------------------------------------------------------------


def _chart(
    spreads: Sequence[Spread],
    what: Measure,
    width: Width,
    n_bins: int,
    by: str | None,
    title: str,
    notes: Sequence[str],
    since: str,
) -> Chart:
    several = len(spreads) > 1
    names = [one.group for one in spreads] if by is not None else []
    heading = Heading(title=title, subtitle=f"Median and quartiles{f', by {by}' if by else ''}")
    left = MARGIN + left_room(names)
    beside = label_width(names) if several else 0.0
    right = WIDTH - MARGIN - (beside + 8 if beside else 14)
    top = heading.bottom + 30
    time = _time(width, n_bins, int((right - left) // ROOM_A_NUMBER))
    beside_each_other = _side_by_side(spreads, n_bins, right - left)
    pad = max(beside_each_other.values(), default=0.0) + (4 if len(beside_each_other) > 1 else 0)
    x = time.scale(left + pad, right - pad)
    values = _value_ticks(spreads, what)
    y = Scale(values[0], values[-1], top + HEIGHT, top)
    marks: list[Mark] = [Words(text=axis_title(what), x=left, y=top - 12, size=TEXT, bold=True)]
    ends = []
    for n, one in enumerate(spreads):
        drawn_bins = [number for number, value in enumerate(one.medians) if value is not None]
        if drawn_bins and several:
            at, value = drawn_bins[-1], one.medians[drawn_bins[-1]] or 0.0
            colour, dash = SERIES_COLOURS[n % len(SERIES_COLOURS)], dash_text(DASHES[n % len(DASHES)])
            place = x(at * width.days) + beside_each_other[n]
            ends.append(End(name=one.group, x=place, y=y(value), colour=colour, dash=dash, marker=MARKERS[n % len(MARKERS)]))
    marks += time_title(time, (left + right) / 2, top + HEIGHT + 34, since=since)
    bottom = top + HEIGHT + 42
    placed = end_labels(ends, right + 8, beside, top, top + HEIGHT) if ends else []
    if placed is None:
        key, bottom = key_marks(ends, left, WIDTH - MARGIN, bottom)
        marks += key
    marks += placed or []
    places = [tick * time.days_a_unit for tick in time.ticks]
    rows = [
        NumberRow(
            name=one.group if by is not None else "",
            numbers=tuple(one.counts[round(place / width.days)] for place in places),
            colour=SERIES_COLOURS[n % len(SERIES_COLOURS)],
            dash=dash_text(DASHES[n % len(DASHES)]),
        )
        for n, one in enumerate(spreads)
    ]
    table, bottom = number_table("People with a score", rows, [x(place) for place in places], bottom, right)
    marks += table
    if not beside_each_other:
        marks += centred_note(
            "No bin has enough people with a score." if any(any(one.counts) for one in spreads) else "There is no score to show.",
            (left + right) / 2,
            top + HEIGHT / 2,
            min(right - left, INNER),
        )
    plot = Plot(markup=_plot(spreads, time, values, width.days, right - left, pad, beside_each_other), x=left, y=top)
    caption = _caption(spreads, width.name, beside_each_other, notes)
    return finished(heading, caption, _alt(spreads, what, width, by, title), marks, bottom + 4, plots=[plot])


def _time(width: Width, n_bins: int, most: int) -> TimeAxis:
    """Return an axis whose ticks are ends of bins."""
    step = next((step for step in width.steps if n_bins / step <= most), width.steps[-1])
    # Half a year of 365.25 days is 6 × 30.4375 days.
    units = round(width.days / width.days_a_unit)
    # Rounded up: a tick at the end of the last bin must lie on the axis.
    return TimeAxis(width.unit, width.days_a_unit, math.ceil(n_bins * width.days), tuple(units * n for n in range(0, n_bins + 1, step)))


def _value_ticks(spreads: Sequence[Spread], what: Measure) -> list[float]:
    """Return ticks that hold all quartiles; from the lowest score of the measure where that is not far below them."""
    found = [value for one in spreads for value in (*one.lowers, *one.uppers) if value is not None]
    if not found:
        return [what.low, what.high if what.high is not None else what.low + 10]
    low, high = min(found), max(found)
    if low - what.low <= high - low or what.grid == 0.5:
        low = what.low
    step = round_step(low, max(high, low + 1), 8, smallest=what.grid or 0.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(max(high, low + step) / step - 1e-9)
    ticks = [round(step * n, 9) for n in range(first, last + 1)]
    # Quartiles that end on the uppermost line could be taken for ones that are cut off there.
    room = what.high is None or ticks[-1] + step <= what.high
    return [*ticks, round(step * (last + 1), 9)] if found and room and high > ticks[-1] - 0.1 * step else ticks


def side_step(n_groups: int, n_bins: int, width: float) -> float:
    """Return how far the points of two groups stand beside each other: at most `SIDE_STEP`, and all within 0.7 of a bin."""
    return min(SIDE_STEP, 0.7 * width / (n_bins + 1) / n_groups) if n_groups > 1 else 0.0


def _side_by_side(spreads: Sequence[Spread], n_bins: int, width: float) -> dict[int, float]:
    """Return for each group of which something is drawn how far right of its bin its points stand."""
    shown = [n for n, one in enumerate(spreads) if any(value is not None for value in one.medians)]
    step = side_step(len(shown), n_bins, width)
    return {n: (place - (len(shown) - 1) / 2) * step for place, n in enumerate(shown)}


def _have_room(beside_each_other: dict[int, float]) -> bool:
    """Return whether groups stand far enough apart for their quartiles to be drawn."""
    places = sorted(beside_each_other.values())
    return all(b - a >= LEAST_STEP for a, b in pairwise(places))


def _plot(
    spreads: Sequence[Spread],
    time: TimeAxis,
    values: Sequence[float],
    width_days: float,
    width: float,
    pad: float,
    beside_each_other: dict[int, float],
) -> str:
    import altair as alt

    a_pixel = time.of(time.last_day) / (width - 2 * pad)
    domain = [round(-pad * a_pixel, 6), round(time.of(time.last_day) + pad * a_pixel, 6)]
    xs = alt.X("at:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis(time.ticks))
    on = alt.Scale(domain=[values[0], values[-1]], nice=False, zero=False)
    keys = [str(n) for n in range(len(spreads))]
    palette = alt.Scale(domain=keys, range=[SERIES_COLOURS[n % len(SERIES_COLOURS)] for n in range(len(keys))])
    colours = alt.Color("series:N", legend=None, scale=palette)
    dashes = alt.StrokeDash(
        "series:N", legend=None, scale=alt.Scale(domain=keys, range=[list(DASHES[n % len(DASHES)]) for n in range(len(keys))])
    )
    frame = alt.Chart(alt.Data(values=[{"at": 0, "value": values[0]}])).mark_point(opacity=0)
    layers = [frame.encode(x=xs, y=alt.Y("value:Q", scale=on, axis=axis(values, grid=True)))]
    rows = []
    part = 0
    for n, one in enumerate(spreads):
        part += 1
        for number, (low, middle, high) in enumerate(zip(one.lowers, one.medians, one.uppers, strict=True)):
            if low is None or middle is None or high is None:
                part += 1
                continue
            at = round(time.of(number * width_days) + a_pixel * beside_each_other[n], 6)
            rows.append({"series": keys[n], "part": part, "at": at, "low": low, "value": middle, "high": high})
    if rows:
        data = alt.Data(values=rows)
        low = alt.Y("low:Q", scale=on)
        if len(beside_each_other) == 1:
            band = alt.Chart(data, name="quartiles").mark_area(opacity=0.16)
            layers.append(band.encode(x=xs, y=low, y2="high:Q", color=colours, detail="part:N"))
        elif _have_room(beside_each_other):
            bars = alt.Chart(data, name="quartiles").mark_rule(strokeWidth=1.3)
            layers.append(bars.encode(x=xs, y=low, y2="high:Q", color=colours))
        steps = alt.Chart(data, name="medians").mark_line(strokeWidth=2)
        layers.append(steps.encode(x=xs, y=alt.Y("value:Q", scale=on), color=colours, strokeDash=dashes, detail="part:N"))
        shape = alt.Shape(
            "series:N", legend=None, scale=alt.Scale(domain=keys, range=[MARKERS[n % len(MARKERS)] for n in range(len(keys))])
        )
        fills = alt.Fill("series:N", legend=None, scale=palette)
        points = alt.Chart(data, name="points").mark_point(opacity=1, size=38, strokeWidth=0)
        layers.append(points.encode(x=xs, y=alt.Y("value:Q", scale=on), fill=fills, shape=shape))
    return drawn(layers, width=width, height=HEIGHT)


# -- words ----------------------------------------------------------------------------------


def _caption(spreads: Sequence[Spread], bin_name: str, beside_each_other: dict[int, float], notes: Sequence[str]) -> str:
    few = any(0 < n < FEWEST for one in spreads for n in one.counts)
    never = [f"'{one.group}'" for n, one in enumerate(spreads) if n not in beside_each_other]
    none = f", so there is none of {listed(never)}" if beside_each_other and never else ""
    quartiles = "Shaded: from the lower to the upper quartile" if beside_each_other else ""
    if len(beside_each_other) > 1:
        quartiles = "Upright lines: from the lower to the upper quartile; the groups stand side by side so that all can be seen"
        if not _have_room(beside_each_other):
            quartiles = f"The quartiles of {len(beside_each_other)} groups would cover each other and are not drawn"
    return sentences(
        f"Each point: the last score of each person in the {bin_name} that ends there; at 0 the last one up to time zero",
        quartiles,
        f"No point is drawn of fewer than {FEWEST} people{none}" if few else "",
        *notes,
    )


def _alt(spreads: Sequence[Spread], what: Measure, width: Width, by: str | None, title: str) -> str:
    text = [title, f"Median of the {what.name} with quartiles{f', by {by}' if by else ''}"]
    for one in spreads:
        told = [number for number, value in enumerate(one.medians) if value is not None]
        parts = []
        for number in sorted({told[0], told[len(told) // 2], told[-1]} if told else set()):
            units = round(number * width.days / width.days_a_unit)
            at = "at time zero" if number == 0 else f"at {counted(units, width.unit[:-1])}"
            span = f"{one.lowers[number]:.3g} to {one.uppers[number]:.3g}"
            parts.append(f"{at} {one.medians[number]:.3g} (quartiles {span}, {counted(one.counts[number], 'person', 'people')})")
        name = f"{one.group}: " if by is not None else ""
        text.append(f"{name}{', '.join(parts) or 'no bin has enough people with a score'}")
    return sentences(*text)
