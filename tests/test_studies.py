"""The shipped studies: their evidence, their words, and what they do with the made-up cohorts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from smoulder import load_study, read, run_study, simulate, studies, study
from smoulder.demo import made_up
from smoulder.errors import DataError, UsageError
from smoulder.protocol import Study, study_keys
from smoulder.simulation import TRIAL
from smoulder.studying.result import StudyResult
from smoulder.tables import Cohort

KEYS = study_keys()


@pytest.fixture(scope="module")
def registry() -> Cohort:
    return read(made_up().tables)


@pytest.fixture(scope="module")
def trial() -> Cohort:
    return read(simulate(TRIAL, 300, 7).tables)


@pytest.fixture(scope="module")
def results(registry: Cohort, trial: Cohort) -> dict[str, StudyResult]:
    return {key: run_study(key, trial if key == "kappos-2020" else registry) for key in KEYS}


def test_the_studies_of_the_issue_are_there() -> None:
    asked = {"kappos-2020", "graf-2021", "prosperini-2021", "tur-2023", "early-treatment", "relapse-dependence", "natalizumab-stop"}
    assert asked <= set(KEYS)
    assert [one.key for one in studies()] == list(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_each_setting_is_seen_or_assumed(key: str) -> None:
    one = study(key)
    marks = [*one.source.seen, *one.source.assumed]
    assert sorted(marks) == sorted(one.settings())


@pytest.mark.parametrize("key", KEYS)
def test_a_study_saves_and_loads_as_it_is(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(study(key).toml(), encoding="utf-8")
    assert load_study(path) == study(key)


@pytest.mark.parametrize("key", KEYS)
def test_the_words_say_what_is_assumed(key: str) -> None:
    words = study(key).prose()
    assert "Time zero was " in words and "Observation ended with " in words
    assert "assumed" in words.lower()
    assert "None" not in words and "  " not in words


@pytest.mark.parametrize("key", KEYS)
def test_every_analysis_of_a_shipped_study_can_be_done(key: str, results: dict[str, StudyResult]) -> None:
    result = results[key]
    assert [finding.why_not for finding in result.findings if finding.why_not] == []
    assert all(finding.estimates for finding in result.findings)
    assert all(one.outcome is not None for one in result.outcomes.values())


@pytest.mark.parametrize("key", KEYS)
def test_the_flow_adds_up(key: str, results: dict[str, StudyResult]) -> None:
    result = results[key]
    steps = result.followed.flow
    assert steps[0].remaining == result.cohort.n_patients
    for before, after in pairwise(steps):
        assert after.remaining == before.remaining - after.left_out
        assert 0 <= after.unknown <= after.left_out
    assert steps[-1].remaining == result.followed.n == result.followed.cohort.n_patients


@pytest.mark.parametrize("key", KEYS)
def test_nobody_is_lost_between_the_people_and_the_outcomes(key: str, results: dict[str, StudyResult]) -> None:
    result = results[key]
    for outcome in result.made().values():
        assert outcome.n + sum(n for _, n in outcome.left_out) == result.followed.n


@pytest.mark.parametrize("key", KEYS)
def test_no_event_lies_outside_the_observation(key: str, results: dict[str, StudyResult]) -> None:
    result = results[key]
    events = result.events.table.join(result.followed.people, on="patient", how="left")
    assert (events["onset_day"] > events["zero_day"]).all()
    assert (events["onset_day"] <= events["end_day"]).all()
    for outcome in result.made().values():
        people = outcome.people
        assert (outcome.time <= (people["end_day"] - people["zero_day"]).to_numpy()).all()


def test_counts_and_curves_agree_on_who_had_an_event(results: dict[str, StudyResult]) -> None:
    """Two ways to one number: people counted under the definition, and events of the outcome."""
    result = results["graf-2021"]
    table = result.finding("cpira").estimates[0].table.filter(pl.col("what") == "people with PIRA")
    assert table["n"].sum() == result.made()["cpira"].n_events
    assert table["out_of"].sum() == result.followed.n


def test_raw_and_pira_exclude_nobody_in_kappos(results: dict[str, StudyResult]) -> None:
    """Any worsening = RAW + PIRA - both + neither, as in the paper's arithmetic, for the first composite event of each person."""
    table = results["kappos-2020"].finding("raw-and-pira-12w").estimates[0].table
    for _, part in table.group_by("group", maintain_order=True):
        n = dict(part.select("what", "n").iter_rows())
        events = {name.removeprefix("events: "): number for name, number in n.items() if name.startswith("events: ")}
        either = events["RAW"] + events["PIRA"] - events["both RAW and PIRA"]
        assert events["confirmed worsening"] == either + events["undefined worsening"] + events["undetermined worsening"]


def test_competing_incidences_and_the_free_add_up(results: dict[str, StudyResult]) -> None:
    """At any day the shares with each first event and without any are one: Aalen-Johansen against Kaplan-Meier of any event."""
    result = results["prosperini-2021"]
    curve = result.finding("incidence").estimates[0]
    last = curve.table.group_by("cause", maintain_order=True).agg(pl.col("estimate").last())
    outcome = result.made()["pira"]
    counts = {cause: int((outcome.cause == number).sum()) for number, cause in enumerate(outcome.causes, 1)}
    assert {cause for cause, share in last.iter_rows() if share > 0} == {cause for cause, n in counts.items() if n}
    assert 0 < last["estimate"].sum() < 1


def test_the_order_of_rows_changes_nothing(registry: Cohort) -> None:
    tables = {name: table.sample(fraction=1.0, shuffle=True, seed=3) for name, table in made_up().tables.items()}
    one, other = run_study("graf-2021", registry), run_study("graf-2021", read(tables))
    assert one.followed.people.equals(other.followed.people)
    for a, b in zip(one.findings, other.findings, strict=True):
        for x, y in zip(a.estimates, b.estimates, strict=True):
            assert x.table.equals(y.table), a.key
            assert x.notes == y.notes


def test_nobody_is_an_error_that_says_how(registry: Cohort) -> None:
    data = study("graf-2021").as_dict()
    data["enter"][0] |= {"any_of": ["PPMS"]}
    with pytest.raises(DataError, match=r"Nobody enters the study 'graf-2021'.*\n.*had course PPMS: 200 left out, 0 remain"):
        run_study(Study.model_validate(data), registry)


def test_an_unknown_study_has_near_ones() -> None:
    with pytest.raises(UsageError, match="did you mean 'graf-2021'"):
        study("graf2021")


def test_a_study_runs_on_people_without_relapse_table(registry: Cohort) -> None:
    """Then RAW and PIRA cannot be told apart, and the result says so instead of counting."""
    tables = {name: table for name, table in made_up().tables.items() if name != "relapses"}
    result = run_study("graf-2021", read(tables))
    counts = result.finding("cpira").estimates[0]
    assert any("could not be told apart" in note for note in counts.notes)
    assert result.outcomes["cpira"].outcome is None and "no table of relapses" in result.outcomes["cpira"].why_not
    assert "no table of relapses" in result.finding("free-of-cpira").why_not
    assert result.made()["worsening"].n_events > 0
    assert counts.table.filter(pl.col("what") == "people with undetermined worsening")["n"].sum() > 0


def test_starting_visits_after_time_zero_are_told(results: dict[str, StudyResult]) -> None:
    """Counted again from the people: how many, and how far at most."""
    result = results["early-treatment"]
    late = (result.followed.people["start_day"] - result.followed.people["zero_day"]).to_list()
    n, most = sum(days > 0 for days in late), max(late)
    assert n > 0
    note = next(text for text in result.warnings if "starting visit of" in text)
    assert note.startswith(f"The starting visit of {n:,} of {len(late):,} people lies after time zero") and f"{most:,} at most" in note
    assert not any("starting visit of" in text for text in results["relapse-dependence"].warnings)


def test_what_cannot_be_confirmed_at_the_end_is_told_and_counted(results: dict[str, StudyResult]) -> None:
    result = results["graf-2021"]
    lost = result.events.unconfirmed.filter((pl.col("kind") == "worsening") & (pl.col("reason") == "no visit could confirm it")).height
    assert lost > 0
    assert any("less than 84 days before the last visit" in text and f"graf-2021 ({lost} here)" in text for text in result.warnings)
