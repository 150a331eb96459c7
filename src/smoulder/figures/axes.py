"""Axes of the figures of studies: time since time zero in a unit that fits, shares up to a round number, ratios on a log scale."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from smoulder.figures.scales import Scale

DAYS_A_MONTH, DAYS_A_YEAR = 30.4375, 365.25
MOST_DAYS, MOST_MONTHS = 92, 48
"""Up to three months an axis is in days, up to four years in months, then in years."""

_STEPS = {"days": (1, 2, 5, 7, 14, 28), "months": (1, 2, 3, 6, 12), "years": (1, 2, 5, 10, 20)}


@dataclass(frozen=True)
class TimeAxis:
    """Time since time zero."""

    unit: str
    """"days", "months" or "years"."""
    days_a_unit: float
    last_day: int
    """Where it ends."""
    ticks: tuple[int, ...]
    """In its unit."""

    def of(self, day: float) -> float:
        """Return a day in the unit of the axis."""
        return round(day / self.days_a_unit, 6)

    def scale(self, first: float, last: float) -> Scale:
        """Return the scale from days to places."""
        return Scale(0, self.last_day, first, last)

    def text(self, day: float) -> str:
        """Return a length of time as sentences say it: '2.5 years'."""
        value = day / self.days_a_unit
        return f"{value:.0f} days" if self.unit == "days" else f"{value:.1f} {self.unit}"


def time_axis(last_day: int, *, most_ticks: int = 10) -> TimeAxis:
    """Return the axis from 0 to `last_day` with at most `most_ticks` steps."""
    last_day = max(last_day, 1)
    unit, days = "years", DAYS_A_YEAR
    if last_day <= MOST_DAYS:
        unit, days = "days", 1.0
    elif last_day <= MOST_MONTHS * DAYS_A_MONTH + 1:
        unit, days = "months", DAYS_A_MONTH
    # The last visit of a year is often a day or two short of it.
    whole = math.floor(last_day / days + 0.005)
    steps = _STEPS[unit] if unit != "months" or whole < 12 else _STEPS[unit][2:]
    step = next((step for step in steps if whole / step <= most_ticks), steps[-1])
    ticks = tuple(tick for tick in range(0, whole + 1, step))
    return TimeAxis(unit, days, max(last_day, math.ceil(ticks[-1] * days)), ticks)


def round_top(highest: float, tops: Iterable[float]) -> float:
    """Return the smallest of some round numbers that is not below `highest`; the last one where all are."""
    tops = tuple(tops)
    return next((top for top in tops if top >= highest - 1e-9), tops[-1])


PERCENT_TOPS = (5, 10, 20, 30, 40, 50, 60, 80, 100)


def percent_ticks(top: float) -> list[float]:
    """Return the ticks of an axis in per cent that ends at one of `PERCENT_TOPS`."""
    step = {5: 1, 10: 2, 20: 5, 30: 10, 40: 10, 50: 10, 60: 20, 80: 20, 100: 20}[int(top)]
    return [float(value) for value in range(0, int(top) + 1, step)]


def number_axis(highest: float) -> list[float]:
    """Return ticks from 0 to a round number not below `highest`, in four to six steps."""
    highest = max(highest, 1e-3)
    power = 10.0 ** math.floor(math.log10(highest))
    top, step = next(
        (factor * power, step * power)
        for factor, step in ((1, 0.2), (1.2, 0.2), (1.5, 0.5), (2, 0.5), (2.5, 0.5), (3, 0.5), (4, 1), (5, 1), (6, 1), (8, 2), (10, 2))
        if factor * power >= highest * (1 - 1e-9)
    )
    return [round(step * n, 9) for n in range(round(top / step) + 1)]


RATIO_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def percent(share: float) -> str:
    """Return a share as sentences say it.

    >>> percent(0.1234), percent(1.0), percent(0.0), percent(0.0004), percent(0.9998)
    ('12.3 %', '100 %', '0 %', '0.04 %', '99.98 %')
    """
    value = 100 * share
    digits = 1 if 0.05 <= value < 99.95 or value in (0, 100) else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def p_text(p: float) -> str:
    """Return a p value with its sign.

    >>> p_text(0.0001), p_text(0.0312), p_text(0.4567), p_text(1.0)
    ('p < 0.001', 'p = 0.031', 'p = 0.46', 'p = 1.00')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"
