"""The field's words: measures, kinds of event, labels; and the arithmetic of days and scores.

A day is an integer, days since 1970-01-01 where the tables hold dates, or the tables' own day
number. A score is an integer, in hundredths of the measure's unit.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

MISSING = -(2**31)
"""Stands for "not measured" in arrays of scores and "no such day" in arrays of days (int32)."""

HUNDREDTHS = 100
"""Score units in one point, second or step of a measure."""

Kind = Literal["worsening", "improvement"]
Label = Literal["PIRA", "RAW", "RAW and PIRA", "undefined", "undetermined", "PIRA with relapse during confirmation"]
Calendar = Literal["date", "day"]

EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing measured at a visit."""

    key: str
    """Column name in `visits`."""
    name: str
    """Name in sentences."""
    unit: str
    """Unit of the score as tables give it."""
    low: float
    """Smallest possible score; outside is an error."""
    high: float | None
    """Largest possible score; None where the scale has no end."""
    unusual_above: float | None = None
    """Scores above this are possible and reported as a warning."""
    higher_is_worse: bool = True
    grid: float | None = None
    """Step of the scale; scores off it are kept and reported as a warning."""
    units_per_point: int = HUNDREDTHS
    """Score units in one point: 200 for the mean of two hands, which is kept as their sum."""
    above_zero: bool = False
    """Whether a score of 0 is impossible (times)."""

    def units(self, points: float) -> int:
        """Return `points` of this measure in score units.

        Raises ValueError where `points` has more than two decimals.
        """
        return exact_units(points, self.units_per_point)

    def points(self, units: int) -> float:
        """Return a score in the unit that tables and sentences use."""
        return units / self.units_per_point

    def text(self, units: int) -> str:
        """Return a score as it is written in sentences.

        >>> MEASURES["edss"].text(350), MEASURES["t25fw"].text(483), MEASURES["sdmt"].text(5400)
        ('3.5', '4.83', '54')
        """
        value = self.points(units)
        if self.grid == 0.5:
            return f"{value:.1f}" if round(value * 10) == value * 10 else f"{value:g}"
        return f"{value:g}"


def exact_units(points: float, units_per_point: int = HUNDREDTHS) -> int:
    """Return `points` in score units; ValueError where that is not a whole number."""
    units = round(points * units_per_point)
    if not math.isclose(points * units_per_point, units, abs_tol=1e-6):
        raise ValueError(f"{points:g} has more than two decimals")
    return units


def _functional_system(key: str, name: str, high: float) -> Measure:
    return Measure(key=key, name=f"{name} functional system", unit="points", low=0, high=high, grid=1)


MEASURES: dict[str, Measure] = {
    measure.key: measure
    for measure in (
        Measure(key="edss", name="EDSS", unit="points", low=0, high=10, grid=0.5),
        Measure(key="t25fw", name="T25FW", unit="s", low=0, high=None, unusual_above=180, above_zero=True),
        Measure(key="nhpt_dominant", name="9HPT (dominant hand)", unit="s", low=0, high=None, unusual_above=300, above_zero=True),
        Measure(key="nhpt_nondominant", name="9HPT (other hand)", unit="s", low=0, high=None, unusual_above=300, above_zero=True),
        Measure(key="nhpt", name="9HPT", unit="s", low=0, high=None, unusual_above=300, units_per_point=2 * HUNDREDTHS, above_zero=True),
        Measure(key="sdmt", name="SDMT", unit="points", low=0, high=110, higher_is_worse=False, grid=1),
        _functional_system("pyramidal", "pyramidal", 6),
        _functional_system("cerebellar", "cerebellar", 5),
        _functional_system("brainstem", "brainstem", 5),
        _functional_system("sensory", "sensory", 6),
        _functional_system("bowel_bladder", "bowel and bladder", 6),
        _functional_system("visual", "visual", 6),
        _functional_system("cerebral", "cerebral", 5),
        _functional_system("ambulation", "ambulation", 16),
    )
}
"""The measures known without declaring them (engine semantics, section 2)."""


FUNCTIONAL_SYSTEMS = ("pyramidal", "cerebellar", "brainstem", "sensory", "bowel_bladder", "visual", "cerebral", "ambulation")
"""The functional systems of the EDSS (Kurtzke 1983), with the walking distance."""


def weeks(n: int) -> int:
    """Return n weeks in days (a week is 7 days)."""
    return 7 * n


def months(n: float, *, days_a_month: float) -> int:
    """Return n months in whole days, rounded up; the field uses 30, 30.25, 30.4375 and 30.5 days."""
    return math.ceil(n * days_a_month)


def day_of(date: datetime.date) -> int:
    """Return a date as days since 1970-01-01."""
    return (date - EPOCH).days


def date_of(day: int) -> datetime.date:
    """Return the date of a day since 1970-01-01."""
    return EPOCH + datetime.timedelta(days=day)


def day_text(day: int, calendar: Calendar) -> str:
    """Return a day as it is written in sentences: an ISO date, or 'day 84'."""
    return date_of(day).isoformat() if calendar == "date" else f"day {day}"


@lru_cache(maxsize=4096)
def plain_treatment(name: str) -> str:
    """Return the name of a treatment as it is compared: lower case, single blanks, no trademark signs.

    >>> plain_treatment(" TYSABRI\u00ae "), plain_treatment("Natalizumab (R)  300mg")
    ('tysabri', 'natalizumab 300mg')
    """
    return " ".join(_TRADEMARK.sub(" ", name).casefold().split())


_TRADEMARK = re.compile(r"[\u00ae\u2122\u2120]|\((?:r|tm)\)", re.IGNORECASE)


SEX_WORDS = {
    "female": ("female", "f", "w", "woman", "weiblich", "frau", "femme", "féminin"),
    "male": ("male", "m", "man", "männlich", "mann", "homme", "masculin"),
}
"""How tables write the sex. Numbers are not read: 1 is a woman in some tables and a man in others."""
