"""Days to the width of a figure, scores to the height of a panel, and where the ticks go."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from itertools import pairwise

from smoulder.events import ExplainedMeasure, Explanation
from smoulder.rulebook.model import Definition
from smoulder.terms import Calendar, date_of, day_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Scale:
    """A straight scale from values to places; both may run either way."""

    low: float
    high: float
    first: float
    """Place of `low`."""
    last: float
    """Place of `high`."""

    def __call__(self, value: float) -> float:
        """Return the place of a value; what lies outside is put on the edge."""
        held = min(max(value, self.low), self.high)
        return self.first + (held - self.low) / (self.high - self.low) * (self.last - self.first)

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the scale."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Tick:
    """A value of an axis with its label; `below` is a second line."""

    value: float
    label: str = ""
    below: str = ""


# -- days -----------------------------------------------------------------------------------


def day_range(explanation: Explanation) -> tuple[int, int] | None:
    """Return first and last day of the figure; None where nothing has a day.

    From the first to the last visit; relapses, scans and windows beyond may widen it by a sixth, or by 60 days.
    """
    visits = [day for judged in explanation.measures for day in judged.days] + list(explanation.follow_up or ())
    events = [event for judged in explanation.measures for event in judged.events]
    spans = [span for event in events for span in (*event.relapse_free, *event.raw_windows, *event.mri_spans)]
    spans += [(sought.first_day, sought.last_day) for judged in explanation.measures for sought in judged.sought]
    others = [*explanation.relapse_days, *(day for day, _, _ in explanation.scans), *(day for span in spans for day in span)]
    if not visits:
        treated = [day for _, first, last in explanation.treatments for day in (first, last) if day is not None]
        visits, others = [*others, *treated], []
        if not visits:
            return None
    start, end = min(visits), max(visits)
    most = max((end - start) // 6, 60)
    near = [day for day in others if start - most <= day <= end + most]
    touching = [span for span in spans if span[0] <= end + most and span[1] >= start - most]
    cut = [max(start - most, min(day, end + most)) for span in touching for day in span]
    start, end = min([start, *near, *cut]), max([end, *near, *cut])
    margin = max(math.ceil(0.015 * (end - start)), 5 if end > start else 90)
    return start - margin, end + margin


def day_ticks(first: int, last: int, calendar: Calendar, most: int = 10) -> list[Tick]:
    """Return ticks at the starts of years or months, or at round day numbers."""
    if calendar == "day":
        return [Tick(day, f"{day:,}") for day in _round_values(first, last, most, smallest=1)]
    for step in (1, 2, 3, 6):
        ticks = _month_ticks(first, last, step)
        if len(ticks) <= most and len(ticks) >= 1:
            return ticks
    years = [(date_of(first).year + 1), date_of(last).year]
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if (years[1] - years[0]) // step < most + 4), 100)
    return [Tick(day_of(datetime.date(year, 1, 1)), str(year)) for year in range(years[0], years[1] + 1) if year % step == 0]


def _month_ticks(first: int, last: int, step: int) -> list[Tick]:
    """Return a tick every `step` months, with the year below the first one and each January."""
    ticks: list[Tick] = []
    start, end = date_of(first), date_of(last)
    for month in range(12 * start.year + start.month - 1, 12 * end.year + end.month):
        if month % step:
            continue
        day = day_of(datetime.date(month // 12, month % 12 + 1, 1))
        if first <= day <= last:
            below = str(month // 12) if month % 12 == 0 or not ticks else ""
            ticks.append(Tick(day, MONTHS[month % 12], below))
    return ticks or [Tick((first + last) // 2, date_of((first + last) // 2).isoformat())]


def _round_values(low: float, high: float, most: int, smallest: float = 0.0) -> list[int]:
    step = round_step(low, high, most, smallest)
    return [int(step * n) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def round_step(low: float, high: float, most: int, smallest: float = 0.0) -> float:
    """Return the smallest of 1, 2, 5, 10, 20… (and 0.1, 0.2, 0.5…) that gives at most `most` steps."""
    wanted = max((high - low) / most, smallest, 1e-6)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(round(factor * power, 9) for factor in (1, 2, 5, 10) if factor * power >= wanted - 1e-9)


# -- scores ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreAxis:
    """The score axis of one panel, in points."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    minor: tuple[float, ...]


def score_axis(judged: ExplainedMeasure, thresholds: list[int | None], most: int = 5) -> ScoreAxis:
    """Return an axis that holds every score, reference and reachable threshold of a measure, cut to what the scale allows."""
    measure = judged.measure
    units = [*judged.scores, *(reference for _, reference in judged.references)]
    units += [score for event in judged.events for score in (event.onset, event.reference)]
    units += [needed for needed in thresholds if needed is not None and _on_scale(measure.points(needed), judged)]
    points = [measure.points(value) for value in units] or [measure.low, measure.high or measure.low + 10]
    low, high = min(points), max(points)
    least = 3.0 if measure.grid is not None else max(0.1 * abs(high), 1.0)
    pad = max(0.12 * (high - low), 0.5 * (least - (high - low)), 0.35 if measure.grid is not None else 0.0)
    low, high = max(measure.low, low - pad), high + pad
    if measure.high is not None and high > measure.high:
        high = measure.high
    # A little room, so that markers on the first and last value of the scale are whole.
    room = 0.06 * (high - low)
    step = max(round_step(low, high, most), measure.grid if measure.grid == 1 else 0.0)
    values = [round(step * n, 9) for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    decimals = max((len(f"{value:g}".partition(".")[2]) for value in values), default=0)
    minor = [(a + b) / 2 for a, b in pairwise(values)] if measure.grid == 0.5 and step == 1 else []
    return ScoreAxis(low - room, high + room, tuple(Tick(value, f"{value:.{decimals}f}") for value in values), tuple(minor))


def _on_scale(points: float, judged: ExplainedMeasure) -> bool:
    return points >= judged.measure.low and (judged.measure.high is None or points <= judged.measure.high)


def worsening_scores(judged: ExplainedMeasure, definition: Definition) -> list[tuple[int, int | None]]:
    """Return for each reference the day it came into force and the first score that counts as worsening (None: no such score)."""
    rule = next((rule for rule in definition.measures if rule.measure == judged.measure.key), None)
    sign = 1 if judged.measure.higher_is_worse else -1
    found: list[tuple[int, int | None]] = []
    for day, reference in judged.references:
        needed = rule.needed(reference, worsening=True) if rule is not None else None
        score = None if needed is None else reference + sign * needed
        found.append((day, score if score is not None and _on_scale(judged.measure.points(score), judged) else None))
    return found
