"""Periods on treatment: rows of one treatment that follow each other are one period."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smoulder.errors import DataError, agreed, counted
from smoulder.tables import Cohort
from smoulder.terms import plain_treatment


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


def treatment_periods(cohort: Cohort, joined_days: int, one_drug: Sequence[str] = ()) -> tuple[list[list[Period]], tuple[str, ...]]:
    """Return (n_patients,) the periods of each patient, by start, and what the reader must know of them.

    Parameters
    ----------
    cohort
        Must have a table of treatments; DataError where it has none.
    joined_days
        Rows of one treatment with at most so many days between them are one period.
    one_drug
        Names of one and the same treatment.
    """
    if cohort.treatments is None:
        raise DataError("The study needs a table of treatments (patient, treatment, start_date, end_date), and the cohort has none.")
    rows: dict[str, list[Period]] = {}
    for patient, treatment, start, end in cohort.treatments.select("patient", "treatment", "start_day", "end_day").iter_rows():
        rows.setdefault(patient, []).append(Period(treatment, start, end))
    ended_by: Counter[str] = Counter()
    n_ended = 0
    found = []
    for patient in cohort.patients:
        mine, later = _with_ends(rows.get(patient, []), one_drug)
        ended_by.update(later)
        n_ended += bool(later)
        found.append(joined(mine, joined_days, one_drug))
    return found, _ends_told(n_ended, ended_by)


def _with_ends(rows: Sequence[Period], one_drug: Sequence[str]) -> tuple[list[Period], set[str]]:
    """Return the rows of one patient with the ends that are not stated where another treatment started later, and which those were.

    The day before that start counts as the last one (ours): the end of a treatment is often not filled in when people switch.
    """
    done: list[Period] = []
    later: set[str] = set()
    starts = sorted((row.start_day, drug(row.treatment, one_drug)) for row in rows)
    for row in rows:
        name = drug(row.treatment, one_drug)
        first = next(((day, other) for day, other in starts if day > row.start_day and other != name), None)
        if row.end_day is not None or first is None:
            done.append(row)
            continue
        done.append(row._replace(end_day=first[0] - 1))
        later.add(first[1])
    return done, later


MOST_NAMED = 5
"""Treatments that a note names; more are only counted."""


def _ends_told(n: int, ended_by: Counter[str]) -> tuple[str, ...]:
    if not n:
        return ()
    ranked = sorted(ended_by.items(), key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"{name} ({n_people:,})" for name, n_people in ranked[:MOST_NAMED])
    more = f" and {len(ranked) - MOST_NAMED:,} more" if len(ranked) > MOST_NAMED else ""
    have = agreed(n, "has", "have")
    return (
        f"{counted(n, 'person', 'people')} in the tables {have} a treatment with no end date although another one started later: {named}"
        f"{more}. Its last day was taken as the day before the other one started; where both were taken together, state the end.",
    )


def joined(rows: Sequence[Period], joined_days: int, one_drug: Sequence[str] = ()) -> list[Period]:
    """Return periods of one patient, where rows of one treatment with at most `joined_days` days between them are one."""
    done: list[Period] = []
    current: dict[str, Period] = {}
    for row in sorted(
        rows, key=lambda period: (period.start_day, period.treatment.casefold(), period.end_day is None, period.end_day or 0)
    ):
        name = drug(row.treatment, one_drug)
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


def drug(treatment: str, one_drug: Sequence[str]) -> str:
    """Return the name under which a treatment counts: that of the first of the names of one drug where it is among them.

    >>> drug("TYSABRI", ["natalizumab", "Tysabri"]), drug("Gilenya ", ["natalizumab", "Tysabri"])
    ('natalizumab', 'gilenya')
    """
    name = plain_treatment(treatment)
    return plain_treatment(one_drug[0]) if one_drug and name in {plain_treatment(one) for one in one_drug} else name


def spellings(periods: Iterable[Iterable[Period]], one_drug: Sequence[str]) -> dict[str, str]:
    """Return name under which a treatment counts -> how it is written: as the study has it first, else as it is met first."""
    written = {drug(name, one_drug): name for name in one_drug[:1]}
    for mine in periods:
        for one in mine:
            written.setdefault(drug(one.treatment, one_drug), one.treatment.strip())
    return written


def is_one_of(treatment: str, names: Sequence[str]) -> bool:
    """Return whether a treatment is among names; True where no name is given.

    Upper and lower case are the same, and blanks around it and trademark signs do not count.
    """
    return not names or plain_treatment(treatment) in {plain_treatment(name) for name in names}


def names_not_taken(cohort: Cohort, names: Sequence[str]) -> str:
    """Return which treatments of the tables hold one of the names as a whole word but are not it, so were not taken; "" where none."""
    if cohort.treatments is None or not names:
        return ""
    patterns = [(name, re.compile(rf"(?<!\w){re.escape(plain_treatment(name))}(?!\w)")) for name in names]
    people: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    near: dict[str, str] = {}
    for patient, treatment in cohort.treatments.select("patient", "treatment").iter_rows():
        plain = plain_treatment(treatment)
        if plain not in spelled:
            spelled[plain] = treatment.strip()
            like = next((name for name, pattern in patterns if pattern.search(plain)), None)
            if like is not None and not is_one_of(treatment, names):
                near[plain] = like
        if plain in near:
            people.setdefault(plain, set()).add(patient)
    ranked = sorted(near, key=lambda plain: (-len(people[plain]), plain))
    told = [
        f"'{spelled[plain]}' ({counted(len(people[plain]), 'person', 'people')}) was not taken as {near[plain]}: name it in the study or "
        "rename it"
        for plain in ranked[:MOST_NAMED]
    ]
    more = [f"{len(ranked) - MOST_NAMED:,} more such names"] if len(ranked) > MOST_NAMED else []
    return "; ".join([*told, *more])
