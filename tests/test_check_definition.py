"""What a definition meets in the tables of a cohort, told before anybody counts on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from cohorts import cohort_of

import smoulder.checks.definition
from smoulder import check_definition, definition
from smoulder.checks import met_in
from smoulder.rulebook import Definition, definition_from, grid, traps
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


def two_groups(days: int, n_patients: int = 20) -> dict[str, dict[str, str]]:
    """Return as many people A… who are seen every 91 days as people B… who are seen every so many."""
    dense, sparse = every(91, n_patients), every(days, n_patients)
    return {f"A{name}": series for name, series in dense.items()} | {f"B{name}": series for name, series in sparse.items()}


def at_centres(people: dict[str, dict[str, str]], column: str, centres: Sequence[object]) -> Cohort:
    return replace(cohort_of(people, relapses={}), attributes=pl.DataFrame({"patient": sorted(people), column: centres}))


@pytest.mark.parametrize(("days", "expected"), [(182, True), (113, False), (114, True)])
@pytest.mark.parametrize("column", ["centre", "Center", "Site-ID", "clinic"])
def test_centres_that_see_their_people_at_unlike_intervals(days: int, column: str, expected: bool) -> None:
    cohort = at_centres(two_groups(days), column, ["Basel"] * 20 + ["Bern"] * 20)
    sentence = f"The centres see their people at unlike intervals: a median of 91 days in Basel and {days} in Bern."
    assert told(cohort, rules(), sentence) == expected


def test_a_column_of_another_name_is_no_centre() -> None:
    assert not told(at_centres(two_groups(182), "sex", ["f"] * 20 + ["m"] * 20), rules(), "unlike intervals")


def test_centres_may_be_numbered_and_unknown() -> None:
    cohort = at_centres(two_groups(182, 21), "site", [1] * 20 + [None] + [2] * 20 + [None])
    assert told(cohort, rules(), "a median of 91 days in 1 and 182 in 2")


def test_centres_of_few_people_are_passed_over() -> None:
    cohort = at_centres(two_groups(182), "centre", ["Basel"] * 20 + ["Bern"] * 19 + ["Basel"])
    assert not told(cohort, rules(), "unlike intervals")


@pytest.mark.parametrize(("n_centres", "expected"), [(20, True), (21, False)])
def test_among_very_many_centres_some_differ_by_chance(n_centres: int, expected: bool) -> None:
    people = {f"P{n:02}{name}": series for n in range(n_centres) for name, series in every(182 if n == 0 else 91, 20).items()}
    cohort = at_centres(people, "centre", [name[:3] for name in sorted(people)])
    assert told(cohort, rules(), "182 in P00") == expected


def on_treatments(people: dict[str, dict[str, str]], rows: Sequence[tuple[str, str, int, int | None]]) -> Cohort:
    schema = {"patient": pl.String, "treatment": pl.String, "start_day": pl.Int32, "end_day": pl.Int32}
    return replace(cohort_of(people, relapses={}), treatments=pl.DataFrame(rows, schema=schema, orient="row"))


@pytest.mark.parametrize(
    ("row", "dense"),
    [
        (("natalizumab", -100, None), "on natalizumab"),
        (("natalizumab", 0, 0), "on natalizumab"),
        (("natalizumab", 1, None), None),
        (("natalizumab", -100, -1), None),
    ],
)
def test_treatments_at_the_first_visit_that_are_seen_at_unlike_intervals(row: tuple[str, int, int | None], dense: str | None) -> None:
    """Those of the first visit, day 0; what began later or had ended is no treatment at it."""
    people = two_groups(182)
    cohort = on_treatments(people, [(name, *row) for name in sorted(people)[:20]])
    sentence = f"People on unlike treatments at the first visit are seen at unlike intervals: a median of 91 days {dense} and 182 on none."
    assert told(cohort, rules(), sentence) == (dense is not None)
    assert told(cohort, rules(), "unlike intervals") == (dense is not None)


def test_of_two_treatments_at_the_first_visit_the_one_begun_last_counts() -> None:
    people = two_groups(182)
    rows = [(name, *row) for name in sorted(people)[:20] for row in (("old", -300, None), ("new", -20, None))]
    assert told(on_treatments(people, rows), rules(), "a median of 91 days on new and 182 on none")


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


def test_the_definitions_of_a_grid_share_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a million visits the intervals of groups take half a second: not once for each of 1,440 definitions."""
    looked: list[str] = []
    whole = smoulder.checks.definition.unlike_groups
    monkeypatch.setattr(smoulder.checks.definition, "unlike_groups", lambda *given: (looked.append("at groups"), whole(*given))[1])
    cohort = at_centres(two_groups(182), "centre", ["Basel"] * 20 + ["Bern"] * 20)
    many = grid("mueller-2025-grid").definitions()
    found = [met_in(cohort, one) for one in many]
    assert looked == ["at groups"]
    assert all(any("unlike intervals" in sentence for sentence in one) for one in found)
    assert found == [met_in(at_centres(two_groups(182), "centre", ["Basel"] * 20 + ["Bern"] * 20), one) for one in many]
    assert {sum("less than the 730 days" in sentence for sentence in one) for one in found} == {0, 1}


def test_a_cohort_without_visits() -> None:
    assert check_definition(cohort_of({}, measures=("edss",)), rules()) == ()
    assert check_definition(cohort_of({"A": {}}, measures=("edss",)), definition("mueller-2025"))
