"""Relapses that count and relapse rates: hand-worked patients and their near misses; nothing is silently lost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from smoulder.engine import detect
from smoulder.engine.beside.relapse_events import (
    HYGIENE_SCHEMA,
    RATE_SCHEMA,
    relapse_hygiene,
    relapse_rates,
    with_clean_relapses,
)
from smoulder.errors import UsageError
from smoulder.rulebook.relapse_events import RelapseHygiene, RelapseRate
from smoulder.tables import Cohort
from tests.cohorts import cohort_of

TEN_YEARS = {"edss": "0:2.0 3652:2.0"}


def people(relapses: Mapping[str, Sequence[int]], **about: Any) -> Cohort:
    return cohort_of(dict.fromkeys(relapses, TEN_YEARS), relapses, **about)


def details(*rows: tuple[int, int | None, float | None, bool | None, bool | None], patient: str = "A") -> pl.DataFrame:
    """Return (day, end_day, duration_hours, fever, infection) of a patient's relapses."""
    schema = {"patient": pl.String, "day": pl.Int32, "end_day": pl.Int32, "duration_hours": pl.Float64}
    schema |= {"fever": pl.Boolean, "infection": pl.Boolean}
    return pl.DataFrame([(patient, *row) for row in rows], schema=schema, orient="row")


def fates(relapses: Sequence[int], rule: RelapseHygiene | None = None, known: pl.DataFrame | None = None) -> list[str]:
    """Return what becomes of each relapse of a patient A."""
    return relapse_hygiene(people({"A": relapses}), rule, details=known).table["fate"].to_list()


# Merging


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([100, 129], ["kept", "merged"]),
        ([100, 130], ["kept", "kept"]),
        ([100, 120, 140], ["kept", "merged", "kept"]),
        ([100, 120, 129], ["kept", "merged", "merged"]),
        ([100, 120, 140, 169], ["kept", "merged", "kept", "merged"]),
    ],
)
def test_relapses_near_an_onset_are_merged_into_it(days: list[int], expected: list[str]) -> None:
    assert fates(days) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([100, 120, 140, 160], ["kept", "merged", "merged", "merged"]),
        ([100, 129, 159], ["kept", "merged", "kept"]),
        ([100, 129, 158], ["kept", "merged", "merged"]),
    ],
)
def test_in_a_chain_each_report_holds_the_next(days: list[int], expected: list[str]) -> None:
    assert fates(days, RelapseHygiene(counted_from="the onset before")) == expected


def test_the_first_day_counts() -> None:
    table = relapse_hygiene(people({"A": [100, 129, 200]})).table
    assert table.select("reported_day", "counts_as_day").rows() == [(100, 100), (129, 100), (200, 200)]


def test_merging_can_be_switched_off() -> None:
    assert fates([100, 101], RelapseHygiene(apart_days=0)) == ["kept", "kept"]


# What is no relapse


@pytest.mark.parametrize(
    ("end_day", "hours", "fate"),
    [
        (100, None, "dropped"),  # over on its first day: less than 24 hours
        (101, None, "kept"),
        (99, None, "kept"),  # an end before the onset says nothing
        (None, None, "kept"),
        (None, 24.0, "kept"),
        (None, 23.9, "dropped"),
        (100, 24.0, "kept"),  # stated hours are better than days
    ],
)
def test_24_hours(end_day: int | None, hours: float | None, fate: str) -> None:
    assert fates([100], known=details((100, end_day, hours, None, None))) == [fate]


@pytest.mark.parametrize(
    ("fever", "infection", "fate"),
    [(True, None, "dropped"), (None, True, "dropped"), (False, False, "kept"), (None, None, "kept"), (False, None, "kept")],
)
def test_fever_and_infection(fever: bool | None, infection: bool | None, fate: str) -> None:
    known = details((100, None, None, fever, infection))
    assert fates([100], known=known) == [fate]
    assert fates([100], RelapseHygiene(without_fever=False), known) == ["kept"]


@pytest.mark.parametrize(("day", "fate"), [(-1, "dropped"), (0, "kept"), (3652, "kept"), (3653, "dropped")])
def test_follow_up_has_both_ends(day: int, fate: str) -> None:
    assert fates([day]) == [fate]
    assert fates([day], RelapseHygiene(outside_follow_up="kept")) == ["kept"]


def test_follow_up_is_what_was_recorded_where_the_tables_say() -> None:
    cohort = people({"A": [-100, 50, 90]}, recorded={"A": (-200, 80)})
    assert relapse_hygiene(cohort).table["fate"].to_list() == ["kept", "kept", "dropped"]


def test_what_is_no_relapse_does_not_swallow_one() -> None:
    # The fever of day 100 is no relapse, so that of day 120 is one; without knowledge of it, it would be part of the first.
    known = details((100, None, None, True, None))
    assert fates([100, 120], known=known) == ["dropped", "kept"]
    assert fates([100, 120]) == ["kept", "merged"]
    assert fates([-10, 5]) == ["dropped", "kept"]


def test_every_report_has_its_reason() -> None:
    known = details((100, 100, None, None, None), (200, None, None, True, None), (300, 310, None, False, False))
    found = relapse_hygiene(people({"A": [-5, 100, 200, 300, 320, 400], "B": []}), explain=["A", "B"], details=known)
    assert found.reasons["A"] == (
        "day -5: dropped; outside follow-up (day 0 to day 3652).",
        "day 100: dropped; lasted less than 24 hours.",
        "day 200: dropped; fever.",
        "day 300: kept; counts.",
        "day 320: merged; part of the relapse of day 300, 20 days after it (30 needed).",
        "day 400: kept; counts; duration, fever and infection not known.",
    )
    assert found.reasons["B"] == ("No relapse was reported.",)
    assert [(line, share.numerator, share.denominator) for line, share in found.counts] == [
        ("reported relapses kept", 2, 6),
        ("reported relapses merged", 1, 6),
        ("reported relapses dropped", 3, 6),
    ]
    assert "Dropped: 1 fever; 1 lasted less than 24 hours; 1 outside follow-up." in found.notes
    assert "1 of 2 relapses counted without knowing its duration." in found.notes


def test_the_cleaned_cohort_is_what_events_are_looked_for_in() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 180:3.0 300:3.0 420:3.0"}, "B": {"edss": "0:2.0"}}, {"A": [20, 40, 110], "B": [-3, 0]})
    cleaned = with_clean_relapses(cohort)
    assert [cleaned.relapse_days_of(index).tolist() for index in (0, 1)] == [[20, 110], [0]]
    assert cohort.relapse_days_of(0).tolist() == [20, 40, 110]
    assert cleaned.sha256 != cohort.sha256
    fever = details((110, None, None, True, None))
    definition = "mueller-2023"
    assert detect(cleaned, definition).table["label"].to_list() == ["RAW"]
    assert "RAW" not in detect(with_clean_relapses(cohort, details=fever), definition).table["label"].to_list()


def test_details_must_fit() -> None:
    cohort = people({"A": [100]})
    twice = details((100, None, None, None, None), (100, None, None, True, None))
    with pytest.raises(UsageError, match="name patient 'A', day 100 twice"):
        relapse_hygiene(cohort, details=twice)
    with pytest.raises(UsageError, match="there is no such relapse in the cohort"):
        relapse_hygiene(cohort, details=details((101, None, None, None, None)))
    with pytest.raises(UsageError, match="severity is not right"):
        relapse_hygiene(cohort, details=pl.DataFrame({"patient": ["A"], "day": [100], "severity": [1]}))
    with pytest.raises(UsageError, match="day is not right"):
        relapse_hygiene(cohort, details=pl.DataFrame({"patient": ["A"]}))
    elsewhere = details((7, None, None, True, None), patient="set aside")
    assert relapse_hygiene(cohort, details=elsewhere).table["fate"].to_list() == ["kept"]


def test_hygiene_without_anything() -> None:
    for cohort in (cohort_of({}, measures=["edss"]), people({"A": []}), people({"A": []}, knowledge="unknown")):
        found = relapse_hygiene(cohort)
        assert (found.table.schema, found.table.height) == (HYGIENE_SCHEMA, 0)
    assert "There was no relapse table: this says nothing about relapses." in found.notes


def test_hygiene_prose_follows_the_settings() -> None:
    text = RelapseHygiene().prose()
    assert "less than 30 days after the onset of the relapse before it was merged" in text
    assert "merged or not" in RelapseHygiene(counted_from="the onset before").prose()
    off = RelapseHygiene(least_hours=0, without_fever=False, apart_days=0, outside_follow_up="kept")
    assert off.prose().startswith("Every reported relapse counted.")
    assert fates([-5, 1, 2], off) == ["kept"] * 3


# Rates


def rate(cohort: Cohort, **settings: Any) -> list[tuple[Any, ...]]:
    """Return period, start, end, relapses and days of every row."""
    return relapse_rates(cohort, RelapseRate(**settings)).table.select("period", "start_day", "end_day", "relapses", "person_days").rows()


@pytest.mark.parametrize(("day", "n"), [(0, 0), (1, 1), (365, 1), (366, 0)])
def test_a_period_has_its_last_day_and_not_its_first(day: int, n: int) -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 365:2.0"}}, {"A": [day]})
    found = relapse_rates(cohort)
    assert (found.table["relapses"][0], found.table["person_days"][0]) == (n, 365)
    said = "1 relapse outside the days at risk, or on the first of them, not counted."
    assert (said in found.notes) == (n == 0)


def test_periods_follow_each_other_without_counting_twice() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 800:2.0"}}, {"A": [365, 366, 730, 800]})
    assert rate(cohort, period_days=365) == [(1, 0, 365, 1, 365), (2, 365, 730, 2, 365), (3, 730, 800, 1, 70)]
    assert rate(cohort, period_days=800) == [(1, 0, 800, 4, 800)]
    assert rate(cohort, period_days=799) == [(1, 0, 799, 3, 799), (2, 799, 800, 1, 1)]
    assert rate(cohort) == [(1, 0, 800, 4, 800)]


def test_the_offset_is_the_log_of_the_years() -> None:
    row = relapse_rates(cohort_of({"A": {"edss": "0:2.0 1461:2.0"}}, {"A": [5]})).table.row(0, named=True)
    assert (row["person_years"], row["log_person_years"]) == (4.0, math.log(4))


@pytest.mark.parametrize(
    ("recorded", "by_visits", "by_recording"),
    [
        ((100, 300), (100, 300, 1), (100, 300, 1)),
        ((-100, 500), (0, 365, 2), (-100, 500, 4)),
        ((None, 300), (0, 300, 2), (0, 300, 2)),
        ((400, 500), (None, None, None), (400, 500, 1)),
        ((500, 400), (None, None, None), (None, None, None)),
    ],
)
def test_days_at_risk(recorded: tuple[int | None, int | None], by_visits: tuple[Any, ...], by_recording: tuple[Any, ...]) -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0 365:2.0"}}, {"A": [-50, 50, 200, 450]}, recorded={"A": recorded})
    for bounds, expected in (("visits", by_visits), ("recording", by_recording)):
        assert [row[1:4] for row in rate(cohort, bounds=bounds)] == [expected]


def test_nobody_is_lost_for_want_of_days() -> None:
    cohort = cohort_of({"A": {"edss": "0:2.0"}, "B": {"edss": "0:2.0 365:2.0"}}, {"A": [0], "B": [10]})
    found = relapse_rates(cohort, explain=["A", "B"])
    assert found.table["person_days"].to_list() == [0, 365]
    assert found.table["log_person_years"][0] is None
    assert [(line, share.numerator, share.denominator) for line, share in found.counts] == [
        ("patients with a day at risk", 1, 2),
        ("patients with a relapse", 1, 1),
    ]
    assert "1 patient without a day at risk listed with 0 days; a count model must leave them out." in found.notes
    assert "1 relapse in 1.00 person-years: 1.001 a year (crude; a model needs the offset)." in found.notes
    assert found.reasons["B"] == ("Relapses: day 10.", "Period 1, day 0 to day 365 (visits): 1 relapse in 365 days (1.00 years).")


def test_without_a_relapse_table_there_is_no_rate() -> None:
    found = relapse_rates(cohort_of({"A": {"edss": "0:2.0 365:2.0"}}, knowledge="unknown"), explain=["A"])
    assert found.table["relapses"].to_list() == [None]
    assert found.notes == ("There was no relapse table: relapses are not known, and there is no rate.",)
    assert found.counts[1][1].denominator == 0
    assert "relapses unknown" in found.reasons["A"][1]
    none = relapse_rates(cohort_of({"A": {"edss": "0:2.0 365:2.0"}}, knowledge="none"))
    assert none.table["relapses"].to_list() == [0]


def test_rates_of_nobody() -> None:
    found = relapse_rates(cohort_of({}, measures=["edss"]))
    assert (found.table.schema, found.table.height) == (RATE_SCHEMA, 0)


def test_rate_prose_follows_the_settings() -> None:
    assert "in periods of 365 days" in RelapseRate(period_days=365).prose()
    assert "over the days on which relapses were recorded" in RelapseRate(bounds="recording").prose()
