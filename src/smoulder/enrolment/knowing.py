"""What is known of a person at time zero: groups and covariates, one column each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl

from smoulder.enrolment.periods import drug, is_one_of, spellings
from smoulder.enrolment.times import Times, attribute_days
from smoulder.errors import DataError
from smoulder.protocol.known import Known
from smoulder.tables import Cohort
from smoulder.terms import MISSING, SEX_WORDS

DAYS_A_YEAR = 365.25
NOT_YET = "not yet treated"
YES_NO = pl.Enum(["no", "yes"])

Values = list[float | None]


def known_column(cohort: Cohort, times: Times, part: Known, past_events: pl.DataFrame) -> tuple[pl.Series, tuple[str, ...]]:
    """Return (n_patients,) what is known by the name of its key, and what the reader must know of it; all null where it cannot be known.

    `past_events` has definition, patient, kind, pira, raw, label and onset_day of events on all visits.
    """
    if part.what == "column":
        return _column(cohort, part)
    if part.what == "event before":
        return _event_before(cohort, times, part, past_events)
    if part.what == "treatment":
        return _treatment(cohort, times, part)
    makers: dict[str, Callable[[], tuple[Values, tuple[str, ...]]]] = {
        "age": lambda: _years_since(cohort, times, "birth_date"),
        "disease duration": lambda: _years_since(cohort, times, "onset_date"),
        "score": lambda: _score(cohort, times, part.measure),
        "relapses before": lambda: _relapses(cohort, times, part.days),
        "treatments before": lambda: _treatments(cohort, times),
        "time to first treatment": lambda: _to_first_treatment(cohort, times),
    }
    values, notes = makers[part.what]()
    if not part.cut:
        return pl.Series(part.key, values, dtype=pl.Float64), notes
    extra = [NOT_YET] if part.what == "time to first treatment" else []
    names = [None if value is None else part.groups()[sum(value >= edge for edge in part.cut)] for value in values]
    if extra:
        treated = [any(one.start_day <= time.zero_day for one in mine) if time else None for time, mine in _with_periods(times)]
        names = [NOT_YET if name is None and been is False else name for name, been in zip(names, treated, strict=True)]
    return pl.Series(part.key, names, dtype=pl.Enum([*part.groups(), *extra])), notes


def _with_periods(times: Times) -> list[tuple]:
    return list(zip(times.of, times.periods, strict=True))


def _years_since(cohort: Cohort, times: Times, column: str) -> tuple[Values, tuple[str, ...]]:
    days = attribute_days(cohort, column)
    if all(day is None for day in days):
        return _stated_years(cohort, column)
    return [
        None if time is None or day is None else (time.zero_day - day) / DAYS_A_YEAR for time, day in zip(times.of, days, strict=True)
    ], ()


YEARS_STATED = {"birth_date": "age", "onset_date": "disease_duration"}
"""Column of the patients table that states the years themselves, where the day from which they count is not there: as trials write it."""


def _stated_years(cohort: Cohort, column: str) -> tuple[Values, tuple[str, ...]]:
    """Return the years that the tables state, taken as those at time zero."""
    name = YEARS_STATED[column]
    stated = cohort.attributes[name] if cohort.attributes is not None and name in cohort.attributes.columns else None
    if stated is None or not stated.dtype.is_numeric():
        return [None] * cohort.n_patients, (f"The patients table has no {column}, so it is not known for anybody.",)
    note = f"The patients table has no {column}; its column '{name}' was taken as the years at time zero."
    return stated.cast(pl.Float64).to_list(), (note,)


def _score(cohort: Cohort, times: Times, measure: str) -> tuple[Values, tuple[str, ...]]:
    if not cohort.has_measure(measure):
        return [None] * cohort.n_patients, (f"The visits have no {measure}, so it is not known for anybody.",)
    scores, spec = cohort.scores(measure), cohort.measure(measure)
    values: Values = []
    for index, time in enumerate(times.of):
        value = None
        if time is not None and time.start_day is not None:
            where = cohort.visits_of(index)
            units = scores[where][cohort.visits.day[where] == time.start_day]
            value = spec.points(int(units[0])) if len(units) and units[0] != MISSING else None
        values.append(value)
    return values, ()


def _relapses(cohort: Cohort, times: Times, days: int | None) -> tuple[Values, tuple[str, ...]]:
    if cohort.relapse_knowledge == "unknown":
        return [None] * cohort.n_patients, ("There is no table of relapses, so relapses before time zero are not known for anybody.",)
    recorded_before = _recorded_before_visits(cohort)
    values: Values = []
    unsure = unknown = 0
    for index, time in enumerate(times.of):
        if time is None:
            values.append(None)
            continue
        onsets = cohort.relapse_days_of(index)
        first = time.zero_day - days if days is not None else None
        mine = (onsets < time.zero_day) & (onsets >= first if first is not None else True)
        seen = cohort.visits.day[cohort.visits_of(index)]
        known_from = cohort.recorded_from[index] if cohort.recorded_from is not None else MISSING
        begins = int(known_from) if known_from != MISSING else int(seen[0]) if len(seen) else time.zero_day
        late = first is not None and begins > first and not mine.any()
        missing = late and (known_from != MISSING or not recorded_before)
        unknown, unsure = unknown + missing, unsure + (late and not missing)
        values.append(None if missing else float(mine.sum()))
    notes = []
    if unknown:
        notes.append(
            f"Of {unknown:,} people in the tables no relapse is known in the {days:,} days before time zero, because recording begins "
            "within these days: how many they had is missing."
        )
    if unsure:
        notes.append(
            f"Of {unsure:,} people in the tables without a relapse in the {days:,} days before time zero the first visit lies within these "
            "days: their relapses may be missing rather than none."
        )
    return values, tuple(notes)


def _recorded_before_visits(cohort: Cohort) -> bool:
    """Return whether anybody has a relapse before the first visit: then the table was not begun with the visits."""
    firsts = [cohort.visits.day[cohort.visits_of(index)] for index in range(cohort.n_patients)]
    return any(len(mine) > 0 and bool((cohort.relapse_days_of(index) < mine[0]).any()) for index, mine in enumerate(firsts))


def _treatments(cohort: Cohort, times: Times) -> tuple[Values, tuple[str, ...]]:
    if cohort.treatments is None:
        return [None] * cohort.n_patients, ("There is no table of treatments, so treatments before time zero are not known for anybody.",)
    values: Values = []
    for time, periods in _with_periods(times):
        if time is None:
            values.append(None)
            continue
        begun = {drug(one.treatment, times.one_drug) for one in periods if one.start_day < time.zero_day}
        begun.discard(drug(time.index_treatment or "", times.one_drug))
        values.append(float(len(begun)))
    return values, ()


def _to_first_treatment(cohort: Cohort, times: Times) -> tuple[Values, tuple[str, ...]]:
    if cohort.treatments is None:
        raise DataError("The study asks when the first treatment began, and the cohort has no table of treatments.")
    onsets = attribute_days(cohort, "onset_date")
    values: Values = []
    for time, periods, onset in zip(times.of, times.periods, onsets, strict=True):
        starts = [one.start_day for one in periods]
        first = min(starts, default=None)
        # Only what is known on the day counts: a later start would be knowledge of the future.
        known = time is not None and onset is not None and first is not None and first <= time.zero_day
        values.append((first - onset) / DAYS_A_YEAR if known else None)  # type: ignore[operator]
    return values, ()


def _treatment(cohort: Cohort, times: Times, part: Known) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the treatment at time zero: of several the one that began last; each in one spelling, the study's own where it has one."""
    spelled = spellings(times.periods, times.one_drug)
    names: list[str | None] = []
    for time, periods in _with_periods(times):
        if time is None:
            names.append(None)
            continue
        on = [spelled[drug(one.treatment, times.one_drug)] for one in periods if one.covers(time.zero_day)]
        names.append(on[-1] if on else "none")
    if cohort.treatments is None:
        return pl.Series(part.key, [None] * cohort.n_patients, dtype=pl.String), ("There is no table of treatments.",)
    return _words(part, pl.Series(part.key, names, dtype=pl.String)), ()


def _column(cohort: Cohort, part: Known) -> tuple[pl.Series, tuple[str, ...]]:
    assert part.column is not None
    if cohort.attributes is None or part.column not in cohort.attributes.columns:
        note = f"The patients table has no column '{part.column}', so {part.title} is not known for anybody."
        return pl.Series(part.key, [None] * cohort.n_patients, dtype=pl.String), (note,)
    column = cohort.attributes[part.column].alias(part.key)
    if column.dtype.is_numeric() and not part.levels:
        values = column.cast(pl.Float64)
        if not part.cut:
            return values, ()
        groups = [None if value is None else part.groups()[sum(value >= edge for edge in part.cut)] for value in values]
        return pl.Series(part.key, groups, dtype=pl.Enum(list(part.groups()))), ()
    text = column.cast(pl.String).str.strip_chars()
    notes = []
    if part.column == "sex":
        meaning = {word: sex for sex, words in SEX_WORDS.items() for word in words}
        read = [None if value is None else meaning.get(value.casefold(), value) for value in text.to_list()]
        if read != text.to_list():
            notes.append("Words for the sex such as w, f or m were read as female and male.")
        text = pl.Series(part.key, read, dtype=pl.String)
    one, alike = _one_spelling(text)
    if alike:
        notes.append(f"Spellings that differ in case only are one group: {'; '.join(alike)}.")
    return _words(part, one), tuple(notes)


def _one_spelling(column: pl.Series) -> tuple[pl.Series, list[str]]:
    """Return words where spellings that differ in case only are one, the most frequent (then the first by alphabet), and which were."""
    counts = Counter(value for value in column.to_list() if value is not None)
    by_word: dict[str, list[str]] = {}
    for value in sorted(counts, key=lambda one: (-counts[one], one)):
        by_word.setdefault(value.casefold(), []).append(value)
    chosen = {value: same[0] for same in by_word.values() for value in same}
    alike = [f"'{same[0]}' (also {', '.join(repr(other) for other in same[1:])})" for same in by_word.values() if len(same) > 1]
    return pl.Series(column.name, [None if value is None else chosen[value] for value in column.to_list()], dtype=pl.String), sorted(alike)


def _words(part: Known, column: pl.Series) -> pl.Series:
    """Return words as groups: in the order of `levels`, then the others by alphabet; the reference first where one is named."""
    found = sorted(set(column.drop_nulls().to_list()))
    if part.levels:
        by_name = {name.casefold(): name for name in found}
        found = [by_name[name.casefold()] for name in part.levels if name.casefold() in by_name] + [
            name for name in found if not is_one_of(name, part.levels)
        ]
    first = reference_level(part, found)
    if first is not None:
        found = sorted(found, key=lambda name: name != first)
    return column.cast(pl.Enum(found)) if found else column


def reference_level(part: Known, levels: Sequence[str]) -> str | None:
    """Return the group that the others are compared with: the first named one that is there; None where no name is there."""
    by_name = {level.casefold(): level for level in levels}
    return next((by_name[name.casefold()] for name in part.reference if name.casefold() in by_name), None)


def _event_before(cohort: Cohort, times: Times, part: Known, past_events: pl.DataFrame) -> tuple[pl.Series, tuple[str, ...]]:
    """Return who had an event up to time zero: "yes", "no", or null of those with a worsening that may have been one."""
    if part.event != "worsening" and cohort.relapse_knowledge == "unknown":
        note = f"There is no table of relapses, so {part.event} before time zero is not known for anybody."
        return pl.Series(part.key, [None] * cohort.n_patients, dtype=YES_NO), (note,)
    is_it = {"worsening": pl.col("kind") == "worsening", "PIRA": pl.col("pira"), "RAW": pl.col("raw")}[part.event]
    mine = past_events.filter(pl.col("definition") == part.definition)
    found, unsure = _days_of(mine.filter(is_it)), {}
    if part.event != "worsening":
        unsure = _days_of(mine.filter((pl.col("kind") == "worsening") & (pl.col("label") == "undetermined")))
    values: list[str | None] = []
    for patient, time in zip(cohort.patients, times.of, strict=True):
        if time is None:
            values.append(None)
            continue
        first = time.zero_day - part.days if part.days is not None else None
        had, may_have = (
            any(day <= time.zero_day and (first is None or day >= first) for day in days.get(patient, [])) for days in (found, unsure)
        )
        values.append("yes" if had else None if may_have else "no")
    return pl.Series(part.key, values, dtype=YES_NO), ()


def _days_of(events: pl.DataFrame) -> dict[str, list[int]]:
    days: dict[str, list[int]] = {}
    for patient, day in events.select("patient", "onset_day").iter_rows():
        days.setdefault(patient, []).append(day)
    return days
