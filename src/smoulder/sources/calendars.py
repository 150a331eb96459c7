"""Day arithmetic on columns: year, month and day to days since 1970-01-01; Excel's serial days."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXCEL_EPOCH = 25_569
"""Excel's serial day of 1970-01-01 (its calendar counts a 29 February 1900 that never was)."""

_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def days_from_civil(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return days since 1970-01-01 of (n,) valid dates of the Gregorian calendar.

    Source: H. Hinnant, chrono-compatible low-level date algorithms, days_from_civil.
    """
    year = year - (month <= 2)
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def is_date(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (n,) whether year, month and day name a date that exists."""
    in_year = (month >= 1) & (month <= 12)
    length = _LENGTHS[np.where(in_year, month, 1) - 1]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = length + (leap & (month == 2))
    return in_year & (day >= 1) & (day <= length)
