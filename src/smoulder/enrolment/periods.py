"""Periods on treatment: rows of one treatment that follow each other are one period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smoulder.errors import DataError
from smoulder.tables import Cohort


class Period(NamedTuple):
    """A stretch of days on one treatment."""

    treatment: str
    start_day: int
    end_day: int | None
    """Last day on it; None while it goes on."""

    def lasts(self, last_day: int) -> int:
        """Return the days on it, up to `last_day` where it goes on."""
        return (last_day if self.end_day is None else self.end_day) - self.start_day + 1

    def covers(self, day: int) -> bool:
        """Return whether a day is on it."""
        return self.start_day <= day and (self.end_day is None or day <= self.end_day)


def treatment_periods(cohort: Cohort, joined_days: int) -> list[list[Period]]:
    """Return (n_patients,) the periods of each patient, by start; DataError where the cohort has no table of treatments."""
    if cohort.treatments is None:
        raise DataError("The study needs a table of treatments (patient, treatment, start_date, end_date), and the cohort has none.")
    rows: dict[str, list[Period]] = {}
    for patient, treatment, start, end in cohort.treatments.select("patient", "treatment", "start_day", "end_day").iter_rows():
        rows.setdefault(patient, []).append(Period(treatment, start, end))
    return [joined(rows.get(patient, []), joined_days) for patient in cohort.patients]


def joined(rows: Sequence[Period], joined_days: int) -> list[Period]:
    """Return periods of one patient, where rows of one treatment with at most `joined_days` days between them are one."""
    done: list[Period] = []
    current: dict[str, Period] = {}
    for row in sorted(
        rows, key=lambda period: (period.start_day, period.treatment.casefold(), period.end_day is None, period.end_day or 0)
    ):
        name = row.treatment.casefold()
        last = current.get(name)
        if last is None:
            current[name] = row
        elif last.end_day is None or row.start_day - last.end_day - 1 <= joined_days:
            end = None if last.end_day is None or row.end_day is None else max(last.end_day, row.end_day)
            current[name] = Period(last.treatment, last.start_day, end)
        else:
            done.append(last)
            current[name] = row
    return sorted([*done, *current.values()], key=lambda period: (period.start_day, period.treatment.casefold()))


def is_one_of(treatment: str, names: Sequence[str]) -> bool:
    """Return whether a treatment is among names, upper and lower case being the same; True where no name is given."""
    return not names or treatment.strip().casefold() in {name.strip().casefold() for name in names}
