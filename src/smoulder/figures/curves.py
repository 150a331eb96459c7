"""Survival, cumulative-incidence and mean-count curves with their limits and the numbers at risk."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from smoulder.errors import counted
from smoulder.estimates import Curve
from smoulder.figures import axes
from smoulder.figures.axes import TimeAxis, percent, time_axis
from smoulder.figures.chart import Chart
from smoulder.figures.labels import End, NumberRow, end_labels, key_marks, label_width, left_room, number_table
from smoulder.figures.marks import Mark, Words
from smoulder.figures.palette import DASHES, SERIES_COLOURS, cause_colours, dash_text
from smoulder.figures.scales import Scale
from smoulder.figures.sheet import MARGIN, TEXT, WIDTH, Heading, Plot, centred_note, finished, sentences
from smoulder.figures.style import GREY, shortened
from smoulder.figures.vega import axis, drawn
from smoulder.rulebook.parts import listed

Kind = Literal["survival", "rising", "incidence", "mean count"]
"""What is drawn; "rising" is 1 minus a survival curve."""
HEIGHT = 300
MOST_BANDS = 3
"""Limits are drawn for at most so many curves: more of them cover each other."""
ROOM_A_NUMBER = 42.0
RISES_ABOVE = 0.7
"""Where every curve ends above this share free of the event, the share with it is drawn instead, on an axis that ends where the data
do: down from 100 %, such curves lie in the uppermost part of an empty plot. Pocock, Clayton and Altman (Lancet 2002;359:1686-9) advise
plots that go up; the limit is ours."""
TIME_ZERO = "time zero"
THICKNESSES = (2.2, 1.1, 3.6, 0.6)
"""By cause where dashes tell the groups apart: for readers in black and white."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve, and how it is drawn."""

    name: str
    """Of the group and the cause, as far as they differ between the curves."""
    group: str
    cause: str
    colour: str
    dash: tuple[float, ...]
    thickness: float
    days: tuple[int, ...]
    at_risk: tuple[int | None, ...]
    exits_known: bool
    """Whether every day at which somebody left has a row; not so where events lie between visits."""
    known_at: Mapping[int, int]
    """Day -> number at risk, where the estimate says it for a day of its own."""
    n: int
    n_events: int
    censored: tuple[int, ...]
    estimates: tuple[float, ...]
    lowers: tuple[float | None, ...]
    uppers: tuple[float | None, ...]

    def at(self, day: float) -> int | None:
        """Return the row in force at a day; None after the end of the curve."""
        return None if not self.days or day > self.days[-1] else bisect.bisect_right(self.days, day) - 1


def plot_curve(
    curve: Curve,
    *,
    title: str | None = None,
    by: str | None = None,
    since: str = TIME_ZERO,
    rising: bool | None = None,
    censor_ticks: bool = False,
) -> Chart:
    """Draw curves over time as steps, with their 95 % limits and the numbers at risk below.

    Parameters
    ----------
    curve
        What `kaplan_meier`, `cumulative_incidence` or `mean_cumulative` gives.
    title
        Above the figure; None: the title of the curve.
    by
        What the groups are, in words, such as "EDSS at the start"; None: it is not said.
    since
        What time zero is, in words, such as "the first visit": it stands below the axis.
    rising
        Of a survival curve: whether the share with the event is drawn, 1 minus the estimate, instead of the share free of it. None: where
        every curve ends above 70 % free of the event. Other curves are drawn as they are.
    censor_ticks
        Whether a short stroke marks each day at which people were censored.

    Returns
    -------
    A chart with one line a group (and cause): a colour, a dash pattern and a name each. A curve ends where nobody is followed any more.
    """
    series = series_of(curve)
    risen = curve.kind == "survival" and (_are_high(series) if rising is None else rising)
    if risen:
        series = [_risen(one) for one in series]
    kind: Kind = "rising" if risen else curve.kind
    groups = list(dict.fromkeys(one.group for one in series)) or curve.quantiles["group"].unique(maintain_order=True).to_list()
    several = len(series) > 1
    last_day = max((one.days[-1] for one in series if one.days), default=0)
    counted_groups = [group for group in groups if any(_has_numbers(one) for one in series if one.group == group)] if series else groups
    left = MARGIN + left_room(counted_groups if len(groups) > 1 else [])
    names = [one.name for one in series] if several else []
    beside = label_width(names)
    right = WIDTH - MARGIN - (beside + 8 if beside else 12)
    time = time_axis(last_day, most_ticks=int((right - left) // ROOM_A_NUMBER))
    heading = Heading(title=title or _title(curve, kind), subtitle=subtitle_of(curve, groups, by))
    top = heading.bottom + 30
    values = _value_ticks(kind, series)
    x, y = time.scale(left, right), Scale(0, values[-1], top + HEIGHT, top)
    marks: list[Mark] = [Words(text=_value_title(curve, kind), x=left, y=top - 12, size=TEXT, bold=True)]
    factor = 1.0 if curve.kind == "mean count" else 100.0
    ends = [
        End(
            name=one.name,
            x=x(one.days[-1]),
            y=y(factor * one.estimates[-1]),
            colour=one.colour,
            dash=dash_text(one.dash),
            thickness=one.thickness,
        )
        for one in series
        if one.days
    ]
    placed = end_labels(ends, right + 8, beside, top, top + HEIGHT) if several else []
    marks += time_title(time, (left + right) / 2, top + HEIGHT + 34, since=since)
    bottom = top + HEIGHT + 42
    if several and placed is None:
        key, bottom = key_marks(ends, left, WIDTH - MARGIN, bottom)
        marks += key
    marks += placed or []
    rows = risk_rows(series, groups, time, causes_differ=len({one.cause for one in series}) > 1)
    rows = [row for row, group in zip(rows, groups, strict=True) if group in counted_groups]
    if rows:
        table, bottom = number_table("Number at risk", rows, [x(tick * time.days_a_unit) for tick in time.ticks], bottom, right)
        marks += table
    if not any(len(one.days) > 1 for one in series):
        marks += centred_note("Nobody was followed.", (left + right) / 2, top + HEIGHT / 2, right - left)
    plot = Plot(markup=_plot(series, time, values, factor, right - left, ticks=censor_ticks), x=left, y=top)
    numberless = [group for group in groups if group not in counted_groups]
    caption = _caption(curve, kind, series, values[-1], numberless, ticks=censor_ticks)
    return finished(heading, caption, _alt(curve, kind, series, time, heading), [*marks], bottom + 4, plots=[plot])


# -- what there is to draw ------------------------------------------------------------------


def series_of(curve: Curve) -> list[Series]:
    """Return the curves of a table in its order, each with its colour and dash pattern."""
    table = curve.table
    pairs = [(group, cause) for group, cause in table.select("group", "cause").unique(maintain_order=True).iter_rows()]
    groups = list(dict.fromkeys(group for group, _ in pairs))
    causes = list(dict.fromkeys(cause for _, cause in pairs))
    colours = cause_colours(causes) if len(causes) > 1 else []
    found: list[Series] = []
    for group, cause in pairs:
        g, c = groups.index(group), causes.index(cause)
        # A row with nobody at risk says nothing of anybody; the first one, day 0, is kept.
        rows = table.filter((pl.col("group") == group) & (pl.col("cause") == cause)).sort("day")
        rows = rows.filter(pl.col("estimate").is_not_null() & ((pl.col("at_risk").fill_null(1) > 0) | (pl.col("day") == 0)))
        told = curve.quantiles.filter((pl.col("group") == group) & (pl.col("cause") == cause)).head(1).to_dicts()
        known = curve.at_days.filter((pl.col("group") == group) & (pl.col("cause") == cause)).select("day", "at_risk").drop_nulls()
        parts = ([cause] if len(causes) > 1 else []) + ([group] if len(groups) > 1 else [])
        dash = DASHES[(g if len(groups) > 1 else c) % len(DASHES)]
        found.append(
            Series(
                name=", ".join(parts),
                group=group,
                cause=cause,
                colour=colours[c] if colours else SERIES_COLOURS[g % len(SERIES_COLOURS)],
                dash=dash,
                thickness=THICKNESSES[c % len(THICKNESSES)] if min(len(groups), len(causes)) > 1 else 2.0,
                days=tuple(rows["day"].to_list()),
                at_risk=tuple(rows["at_risk"].to_list()),
                exits_known=rows["censored"].null_count() == 0,
                known_at=dict(known.iter_rows()),
                n=int((told[0]["n"] if told else rows["at_risk"].to_list()[0]) or 0) if rows.height else 0,
                n_events=int((told[0]["events"] if told else rows["events"].sum()) or 0),
                censored=tuple(rows["censored"].fill_null(0).to_list()),
                estimates=tuple(rows["estimate"].to_list()),
                lowers=tuple(rows["lower"].to_list()),
                uppers=tuple(rows["upper"].to_list()),
            )
        )
    return found


def _are_high(series: Sequence[Series]) -> bool:
    """Return whether there are events, and every curve ends above `RISES_ABOVE`."""
    return any(one.n_events for one in series) and all(min(one.estimates, default=1.0) > RISES_ABOVE for one in series)


def _risen(one: Series) -> Series:
    """Return the share with the event of a share free of it."""

    def other(values: Sequence[float | None]) -> tuple[float | None, ...]:
        return tuple(None if value is None else 1 - value for value in values)

    return replace(one, estimates=tuple(1 - value for value in one.estimates), lowers=other(one.uppers), uppers=other(one.lowers))


def _has_numbers(one: Series) -> bool:
    return any(number is not None for number in one.at_risk)


def number_at_risk(series: Series, after_days: float) -> int | None:
    """Return the number at risk at a time: people whose time is that day or later; None where the curve does not say it.

    Between two rows nobody leaves, so the number at a day is that of the next row.
    """
    day = math.ceil(after_days)
    if day in series.known_at:
        return series.known_at[day]
    place = bisect.bisect_left(series.days, day)
    if place == len(series.days):
        return 0
    return series.at_risk[place] if series.exits_known or series.days[place] == day else None


def risk_rows(series: Sequence[Series], groups: Sequence[str], time: TimeAxis, *, causes_differ: bool) -> list[NumberRow]:
    """Return one row of numbers at risk a group; a group has one name, colour and dash pattern where causes do not share it."""
    rows = []
    for group in groups:
        one = next((one for one in series if one.group == group), None)
        numbers = tuple(0 if one is None else number_at_risk(one, tick * time.days_a_unit) for tick in time.ticks)
        colour = GREY if one is None or causes_differ else one.colour
        dash = "" if one is None or len(groups) == 1 else dash_text(one.dash)
        rows.append(NumberRow(name=group if len(groups) > 1 else "", numbers=numbers, colour=colour, dash=dash))
    return rows


def time_title(time: TimeAxis, middle: float, y: float, *, since: str, width: float = 460.0) -> list[Mark]:
    """Return the title of the time axis, at most `width` wide."""
    text = shortened(f"{time.unit.capitalize()} since {since}", width, TEXT)
    return [Words(text=text, x=middle, y=y, size=TEXT, anchor="middle")]


# -- the plot -------------------------------------------------------------------------------


def _value_ticks(kind: Kind, series: Sequence[Series]) -> list[float]:
    limits = [one.uppers for one in series] if len(series) <= MOST_BANDS else []
    highest = max((value for values in (*(one.estimates for one in series), *limits) for value in values if value is not None), default=0.0)
    if kind == "survival":
        return axes.percent_ticks(100)
    if kind != "mean count":
        return axes.percent_ticks(axes.round_top(100 * highest, axes.PERCENT_TOPS[1:]))
    return axes.number_axis(highest or 1.0)


def _title(curve: Curve, kind: Kind) -> str:
    """Return the title of the curve; one that says it shows who is free of the event says instead that it shows the time to it."""
    return f"Time to {curve.title.removeprefix('Free of ')}" if kind == "rising" and curve.title.startswith("Free of ") else curve.title


def _value_title(curve: Curve, kind: Kind) -> str:
    if kind == "survival":
        return f"Free of {curve.outcome} (%)"
    if kind == "mean count":
        return f"Mean number a person: {curve.outcome}"
    causes = curve.table["cause"].n_unique()
    return f"With {curve.outcome} (%)" if causes <= 1 else "With the event, by cause (%)"


def _plot(series: Sequence[Series], time: TimeAxis, values: Sequence[float], factor: float, width: float, *, ticks: bool) -> str:
    import altair as alt

    xs = alt.X("at:Q", scale=alt.Scale(domain=[0, time.of(time.last_day)], nice=False), axis=axis(time.ticks))
    on = alt.Scale(domain=[0, values[-1]], nice=False)
    keys = [str(n) for n in range(len(series))]
    colours = alt.Color("series:N", legend=None, scale=alt.Scale(domain=keys, range=[one.colour for one in series]))
    dashes = alt.StrokeDash("series:N", legend=None, scale=alt.Scale(domain=keys, range=[list(one.dash) for one in series]))
    frame = alt.Chart(alt.Data(values=[{"at": 0, "value": 0}])).mark_point(opacity=0)
    layers = [frame.encode(x=xs, y=alt.Y("value:Q", scale=on, axis=axis(values, grid=True)))]
    bands = band_rows(series, time, factor) if len(series) <= MOST_BANDS else []
    if bands:
        area = alt.Chart(alt.Data(values=bands), name="limits").mark_area(interpolate="step-after", opacity=0.16)
        layers.append(area.encode(x=xs, y=alt.Y("low:Q", scale=on), y2="high:Q", color=colours, detail="part:N"))
    points = [
        {"series": keys[n], "at": time.of(day), "value": round(factor * estimate, 6), "thick": one.thickness}
        for n, one in enumerate(series)
        for day, estimate in zip(one.days, one.estimates, strict=True)
    ]
    thick = alt.StrokeWidth("thick:Q", legend=None, scale=None)
    steps = alt.Chart(alt.Data(values=points), name="curves").mark_line(interpolate="step-after")
    layers.append(steps.encode(x=xs, y=alt.Y("value:Q", scale=on), color=colours, strokeDash=dashes, strokeWidth=thick))
    censored = [
        {"series": keys[n], "at": time.of(day), "value": round(factor * estimate, 6)}
        for n, one in enumerate(series)
        for day, estimate, left in zip(one.days, one.estimates, one.censored, strict=True)
        if left > 0
    ]
    if ticks and censored:
        strokes = alt.Chart(alt.Data(values=censored), name="censored").mark_tick(orient="vertical", size=7, thickness=1)
        layers.append(strokes.encode(x=xs, y=alt.Y("value:Q", scale=on), color=colours))
    return drawn(layers, width=width, height=HEIGHT)


def band_rows(series: Sequence[Series], time: TimeAxis, factor: float) -> list[dict[str, Any]]:
    """Return the limits as rows; where a limit is missing, the band is interrupted."""
    rows: list[dict[str, Any]] = []
    part = 0
    for n, one in enumerate(series):
        part += 1
        for place, (day, lower, upper) in enumerate(zip(one.days, one.lowers, one.uppers, strict=True)):
            if lower is not None and upper is not None:
                row = {"series": str(n), "part": part, "low": round(factor * lower, 6), "high": round(factor * upper, 6)}
                rows.append(row | {"at": time.of(day)})
                # The last value before a gap holds up to it.
                following = place + 1
                if following < len(one.days) and (one.lowers[following] is None or one.uppers[following] is None):
                    rows.append(row | {"at": time.of(one.days[following])})
            else:
                part += 1
    return rows


# -- words ----------------------------------------------------------------------------------


def subtitle_of(curve: Curve, groups: Sequence[str], by: str | None) -> str:
    """Return what the groups are, and the tests of a curve with their p values, in one line."""
    named = f"by {by}" if by is not None and len(groups) > 1 else ""
    tests = [f"{test}: {axes.p_text(p)}" for test, p in curve.tests.select("test", "p").iter_rows() if p is not None]
    text = "; ".join([*([named] if named else []), *tests])
    return text[:1].upper() + text[1:]


def events_text(series: Sequence[Series]) -> str:
    """Return how many people had each event: 'Events: 19 of 142 people (control), 14 of 141 (active)'; "" where no curve says it.

    With several causes: 'Events of 85 people: PIRA 24, RAW 12', one group after the other.
    """
    causes = list(dict.fromkeys(one.cause for one in series))
    if len(causes) <= 1:
        return _events_of(series, "of")
    groups = list(dict.fromkeys(one.group for one in series if one.n))
    parts = []
    for group in groups:
        own = [one for one in series if one.group == group]
        people = counted(own[0].n, "person", "people")
        whose = f"{group} ({people}):" if len(groups) > 1 else f"of {people}:"
        parts.append(f"{whose} {', '.join(f'{one.cause} {one.n_events:,}' for one in own)}")
    return f"Events{':' if len(groups) > 1 else ''} {'; '.join(parts)}" if parts else ""


def _events_of(series: Sequence[Series], word: str) -> str:
    told = [one for one in series if one.n]
    parts = []
    for n, one in enumerate(told):
        people = "" if n else " person" if one.n == 1 else " people"
        parts.append(f"{one.n_events:,} {word} {one.n:,}{people}{f' ({one.name})' if one.name else ''}")
    return f"Events: {', '.join(parts)}" if parts else ""


def _caption(curve: Curve, kind: Kind, series: Sequence[Series], top: float, numberless: Sequence[str], *, ticks: bool) -> str:
    events = events_text(series) if kind != "mean count" else _events_of(series, "in")
    has_limits = any(limit is not None for one in series for limit in one.lowers[1:])
    limits = ""
    if has_limits and len(series) <= MOST_BANDS:
        limits = "Shaded: 95 % limits at each point in time"
    elif has_limits:
        limits = f"The 95 % limits of {len(series)} curves would cover each other and are not drawn"
    cut = f"The axis ends at {top:g} %" if kind in ("incidence", "rising") and top < 100 else ""
    risen = "The share with the event is 1 minus the Kaplan–Meier estimate of the share free of it" if kind == "rising" else ""
    strokes = "Short strokes: people censored" if ticks else ""
    # Where nobody had an event, the curve says so itself in its notes, one sentence a group.
    none = "There was no event" if len(series) > 1 and not any(one.n_events for one in series) else ""
    with_numbers = [one for one in series if one.group not in numberless]
    unknown = "" if all(one.exits_known for one in with_numbers) else "Numbers at risk are given where the curve says them"
    without = f"No numbers at risk are known of {listed(numberless)}" if numberless else ""
    return sentences(none or events, risen, limits, strokes, unknown, without, cut, *curve.notes)


def _alt(curve: Curve, kind: Kind, series: Sequence[Series], time: TimeAxis, heading: Heading) -> str:
    what = {
        "survival": f"Share free of {curve.outcome}",
        "rising": f"Share with {curve.outcome}",
        "incidence": "Share with the event",
        "mean count": "Mean number a person",
    }
    text = [heading.title, f"{what[kind]} over {time.text(time.last_day)}" if series else "Nobody was followed"]
    for one in series:
        text.append(_alt_series(curve, one, time))
    return sentences(*text, heading.subtitle)


def _alt_series(curve: Curve, one: Series, time: TimeAxis) -> str:
    found = curve.quantiles.filter((pl.col("group") == one.group) & (pl.col("cause") == one.cause)).head(1).to_dicts()
    parts = [f"{counted(one.n, 'person', 'people')}, {counted(one.n_events, 'event')}"] if one.n else []
    if found and curve.kind == "survival":
        row = found[0]
        if row["median_days"] is None:
            parts.append("median not reached")
        else:
            limits = [None if row[name] is None else time.text(row[name]) for name in ("lower_days", "upper_days")]
            span = f" (95 % limits {limits[0] or 'not reached'} to {limits[1] or 'not reached'})" if any(limits) else ""
            parts.append(f"median {time.text(row['median_days'])}{span}")
    for tick in _told_ticks(time, one):
        place = one.at(tick * time.days_a_unit)
        if place is None:
            continue
        value, low, high = one.estimates[place], one.lowers[place], one.uppers[place]
        at = f"{tick} {time.unit if tick != 1 else time.unit[:-1]}"
        if curve.kind == "mean count":
            limits = f" (95 % limits {low:.2f} to {high:.2f})" if low is not None and high is not None else ""
            parts.append(f"at {at} {value:.2f}{limits}")
        else:
            limits = f" (95 % limits {percent(low)} to {percent(high)})" if low is not None and high is not None else ""
            parts.append(f"at {at} {percent(value)}{limits}")
    return f"{one.name or 'All'}: {', '.join(parts) or 'nobody was followed'}"


def _told_ticks(time: TimeAxis, one: Series) -> list[int]:
    """Return the middle and the last tick at which the curve still runs."""
    reached = [tick for tick in time.ticks if tick > 0 and one.days and tick * time.days_a_unit <= one.days[-1]]
    return sorted({reached[(len(reached) - 1) // 2], reached[-1]}) if reached else []
