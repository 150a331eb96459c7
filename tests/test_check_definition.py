"""What a definition meets in the tables of a cohort, told before anybody counts on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from cohorts import cohort_of

from smoulder import check_definition, definition
from smoulder.checks import met_in
from smoulder.rulebook import Definition, definition_from, traps
from smoulder.tables import Cohort


def rules(**parts: Any) -> Definition:
    """Return a definition without a trap of its own: bounded window, reference moving on worsening."""
    data: dict[str, Any] = {
        "key": "rules",
        "title": "rules",
        "measures": [{"measure": "edss", "worsening": {"points": 1.0}, "improvement": {"steps": [{}]}}],
        "baseline": {"moves_after": ["worsening"], "moves_to": "onset"},
        "confirmation": {"windows": [{"name": "3m", "from_day": 91, "to_day": 400}]},
        "days_a_month": 30.25,
        **parts,
    }
    return definition_from(data, where="rules")


def every(days: int, n_patients: int = 5, n_visits: int = 6) -> dict[str, dict[str, str]]:
    """Return people who are seen every so many days."""
    return {f"P{number}": {"edss": " ".join(f"{days * visit}:2.0" for visit in range(n_visits))} for number in range(n_patients)}


def told(cohort: Cohort, definition: Definition, words: str) -> bool:
    return any(words in sentence for sentence in check_definition(cohort, definition))


def test_nothing_to_warn_of() -> None:
    assert check_definition(cohort_of(every(91), relapses={}), rules()) == ()


@pytest.mark.parametrize(("days", "expected"), [(90, True), (84, True), (83, False), (91, False)])
def test_visits_that_miss_the_window_by_a_week_at_most(days: int, expected: bool) -> None:
    """X13: with 3 × 30.25 days, rounded up to 91, visits 90 days apart never confirm at the next one."""
    assert told(cohort_of(every(days), relapses={}), rules(), "misses the window 3m (from day 91) by a week at most") == expected


def test_the_share_of_visits_that_miss_it_is_told() -> None:
    sentence = next(s for s in check_definition(cohort_of(every(90), relapses={}), rules()) if "by a week" in s)
    assert sentence.startswith("After 25 of 25 visits (100 %) there is a next one 84 to 90 days later")


def test_a_small_cohort_is_not_judged_by_its_intervals() -> None:
    assert not told(cohort_of(every(90, n_patients=3), relapses={}), rules(), "by a week at most")


@pytest.mark.parametrize(("last", "expected"), [(90, True), (91, False)])
def test_follow_up_too_short_to_confirm(last: int, expected: bool) -> None:
    people = every(91, n_patients=9) | {"Q": {"edss": f"0:2.0 {last}:3.0"}}
    sentences = [s for s in check_definition(cohort_of(people, relapses={}), rules()) if "followed for less than" in s]
    assert bool(sentences) == expected
    if expected:
        assert sentences[0].startswith("1 of 10 patients with two visits or more is followed for less than the 91 days")


def test_verbs_agree_with_how_many_there_are() -> None:
    short = {name: {"edss": "0:2.0 90:3.0"} for name in ("A", "B")}
    (one,) = [s for s in check_definition(cohort_of({"A": short["A"]}, relapses={}), rules()) if "followed" in s]
    assert one.startswith("1 of 1 patient with two visits or more is followed for less than")
    assert one.endswith("this one counts as free of events.")
    (two,) = [s for s in check_definition(cohort_of(short, relapses={}), rules()) if "followed" in s]
    assert two.startswith("2 of 2 patients with two visits or more are followed for less than")
    assert two.endswith("they count as free of events.")
    starts = rules(baseline={"start": "first after time zero", "zero": "diagnosis"})
    assert told(cohort_of({"A": short["A"]}, relapses={}), starts, "1 of 1 patient has no diagnosis_date in the patients table")


def test_a_visit_at_a_set_time_makes_no_month_too_long() -> None:
    """Years 5 and 10 lie 1826 days apart: no visit near one of them confirms by a shorter month."""
    ten_years = {"windows": [{"name": "10y", "from_day": 1097}], "at": {"day": 3652, "from_day": 3288, "to_day": 4017}}
    people = cohort_of(every(1095), relapses={})
    assert not told(people, rules(confirmation=ten_years), "by a week at most")
    assert told(people, rules(confirmation={"windows": ten_years["windows"]}), "misses the window 10y (from day 1097) by a week at most")
    assert not told(people, definition("ucsf-2019"), "by a week at most")


@pytest.mark.parametrize(("days", "expected"), [(182, True), (113, False), (114, True)])
def test_arms_that_are_seen_at_unlike_intervals(days: int, expected: bool) -> None:
    people = every(91) | {f"Q{number}": series for number, series in enumerate(every(days).values())}
    arms = pl.DataFrame({"patient": sorted(people), "arm": ["dense"] * 5 + ["sparse"] * 5})
    cohort = replace(cohort_of(people, relapses={}), attributes=arms)
    assert told(cohort, rules(), f"a median of 91 days in dense and {days} in sparse") == expected


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"measures": [{"measure": "sdmt", "worsening": {"points": 4.0}}]}, "The tables have no SDMT, which the definition needs."),
        ({"relapses": {"raw": {"days_before_onset": 90}}}, "There is no relapse table, so every label will be undetermined."),
        ({"relapses": {}, "mri": {"scans_in": ["onset-730 .. onset"]}}, "There is no MRI table"),
        ({"confirmation": {"windows": [{"name": "w", "from_day": 84}], "leading_system": True}}, "The visits have no functional systems"),
        ({"confirmation": {"windows": [{"name": "w", "from_day": 84}], "visits": "scheduled"}}, "do not say which were scheduled"),
    ],
)
def test_what_the_tables_lack(parts: dict[str, Any], sentence: str) -> None:
    assert told(cohort_of(every(91), knowledge="unknown"), rules(**parts), sentence)


def test_how_many_lack_the_day_that_a_definition_starts_at() -> None:
    starts = rules(baseline={"start": "first after time zero", "zero": "diagnosis"})
    cohort = cohort_of(every(91), relapses={}, diagnosis={"P0": 0, "P1": 0})
    assert told(cohort, starts, "3 of 5 patients have no diagnosis_date in the patients table")
    assert told(cohort_of(every(91), relapses={}), starts, "5 of 5 patients have no diagnosis_date")


def test_follow_up_too_short_for_a_visit_at_a_set_time() -> None:
    week_96 = {"windows": [{"name": "24w", "from_day": 168, "to_day": 400}], "as_well": {"day": 672, "from_day": 644, "to_day": 700}}
    assert told(cohort_of(every(91), relapses={}), rules(confirmation=week_96), "followed for less than the 644 days")


def test_lesions_that_the_mri_table_does_not_count() -> None:
    with_mri = rules(relapses={}, mri={"scans_in": ["onset-730 .. onset"]})
    cohort = cohort_of(every(91), relapses={}, mri={"P0": [{"day": 0, "new_t2": 0, "gd": 0}]})
    assert told(cohort, with_mri, "The MRI table has no column enlarging_t2")


def test_the_traps_of_the_definition_are_told_too() -> None:
    assert told(cohort_of(every(91), relapses={}), rules(sustained={"days": "to the end"}), "looks into the future")


def test_what_the_tables_add_is_all_but_the_known_traps() -> None:
    one, cohort = definition("mueller-2025"), cohort_of(every(91), knowledge="unknown")
    every_sentence, here = check_definition(cohort, one), met_in(cohort, one)
    assert sorted(every_sentence) == sorted([*here, *traps(one)])
    assert any(sentence.startswith("There is no relapse table") for sentence in here)
    assert any("followed for less than the 365 days" in sentence for sentence in met_in(cohort_of(every(60), relapses={}), one))


def test_a_cohort_without_visits() -> None:
    assert check_definition(cohort_of({}, measures=("edss",)), rules()) == ()
    assert check_definition(cohort_of({"A": {}}, measures=("edss",)), definition("mueller-2025"))
