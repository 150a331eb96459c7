"""A study file: what is wrong with it is said at once; what it says in words; what one finds among people whose answer is known."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from smoulder import load_study, read, run_study, study
from smoulder.errors import DataError, DefinitionError
from smoulder.protocol import study_from, study_keys
from smoulder.studying.result import StudyResult
from smoulder.tables import Cohort

FILE = """\
key = "mine"
title = "A study of mine"
question = "Do they worsen?"

[time_zero]
at = "first visit"

[[known]]
key = "sex"
title = "sex"
what = "column"
column = "sex"

[[outcome]]
key = "worse"
title = "worsening"
kind = "disability"
definition = "cdw-12w"
event = "worsening"

[[analysis]]
key = "km"
title = "Free of worsening"
kind = "survival"
outcomes = ["worse"]
by = "sex"

[[figure]]
kind = "curves"
of = "km"
"""

Write = Callable[[str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "mine.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def faults_of(path: Path) -> list[str]:
    """Return the faults that a file is refused for, without the name of the file."""
    with pytest.raises(DefinitionError) as raised:
        load_study(path)
    first, *faults = str(raised.value).split("\n")
    n = len(faults)
    assert first == f"{path}: {n} fault{'' if n == 1 else 's'} in the study"
    assert all(fault.startswith("  - ") for fault in faults)
    return [fault.removeprefix("  - ") for fault in faults]


# -- the file ---------------------------------------------------------------------------------------


def test_a_file_is_read_whether_it_is_named_as_text_or_as_a_path(written: Write) -> None:
    path = written(FILE)
    found = load_study(path)
    assert found == load_study(str(path)) == study(str(path)) == study(path)
    assert (found.key, found.time_zero.at, [part.key for part in found.outcome]) == ("mine", "first visit", ["worse"])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"nowhere\.toml: cannot be read: No such file or directory\."):
        study(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_toml_says_where(written: Write) -> None:
    broken = FILE.replace('at = "first visit"', "at = first visit")
    with pytest.raises(DefinitionError, match=r"mine\.toml: not valid TOML: .*line 6"):
        load_study(written(broken))


def test_a_file_that_is_no_utf8(written: Write) -> None:
    with pytest.raises(DefinitionError, match=r"mine\.toml: is not a text file in UTF-8\."):
        load_study(written(FILE.replace("Do they worsen?", "Werden sie älter?").encode("latin-1")))


def test_every_fault_is_said_at_once_with_its_place(written: Write) -> None:
    broken = (
        FILE.replace('title = "A study of mine"', 'titel = "A study of mine"')
        .replace('at = "first visit"', 'at = "birth"\nplus_days = -3')
        .replace('kind = "disability"', 'kind = "disabilty"')
        .replace('outcomes = ["worse"]', 'outcomes = "worse"')
        .replace('what = "column"', "what = 3")
    )
    faults = faults_of(written(broken))
    assert faults == [
        "title: must be given",
        "time_zero.at: should be 'first visit', 'time zero', 'onset', 'diagnosis', 'treatment start', 'treatment stop' or 'visit number' "
        "(found 'birth')",
        "time_zero.plus_days: should be greater than or equal to 0 (found -3)",
        "known.0.what: should be 'age', 'disease duration', 'score', 'relapses before', 'treatments before', 'time to first treatment', "
        "'treatment', 'column' or 'event before' (found 3)",
        "outcome.0: there is no kind 'disabilty'; did you mean 'disability'?",
        "analysis.0.survival.outcomes: must be a list, such as [...] (found 'worse')",
        "titel: there is no such setting; did you mean 'title'?",
    ]


def test_every_name_that_is_not_there_is_said_at_once(written: Write) -> None:
    """Names are looked up once every setting is valid: known, outcomes, references, analyses, definitions and measures."""
    broken = FILE.replace('by = "sex"', 'by = "sexx"').replace('of = "km"', 'of = "kmm"').replace('"cdw-12w"', '"cdw-21w"')
    broken = broken.replace('outcomes = ["worse"]', 'outcomes = ["wors"]')
    broken += """
[[figure]]
kind = "spread"
measure = "edsss"
by = "arm"

[[figure]]
kind = "stack"
of = "km"

[[figure]]
kind = "forest"

[[figure]]
kind = "timeline"
of = "km"

[[analysis]]
key = "t1"
title = "people"
kind = "table one"
variables = ["age", "sex"]

[[analysis]]
key = "hr"
title = "hazards"
kind = "cox"
outcomes = ["worse"]
terms = ["treated"]

[[analysis]]
key = "beside"
title = "beside"
kind = "against"
outcome = "worse"
reference = "gothenburg"

[[enter]]
key = "healthy"
kind = "free of"
outcome = "worsening"

[[enter]]
key = "sdmt"
kind = "visits"
least = 2
measure = "sdtm"
"""
    faults = faults_of(written(broken))
    assert faults == [
        "analysis 'km': there is no known 'sexx'; did you mean 'sex'?",
        "analysis 'km': there is no outcome 'wors'; did you mean 'worse'?",
        "analysis 't1': there is no known 'age'; there are sex",
        "analysis 'hr': there is no known 'treated'; there are sex",
        "analysis 'beside': there is no reference 'gothenburg'",
        "figure of 'spread': there is no known 'arm'; there are sex",
        "enter 'healthy': there is no outcome 'worsening'; did you mean 'worse'?",
        "figure: there is no analysis 'kmm'; did you mean 'km'?",
        "figure: 'stack' cannot draw 'km', which is of the kind 'survival'",
        "figure: 'forest' needs of = the key of an analysis",
        "outcome 'worse': There is no definition 'cdw-21w'; did you mean 'cdw-24w' or 'cdw-12w'?",
        faults[11],
        "enter 'sdmt': there is no measure 'sdtm'; did you mean 'sdmt'?",
        "figure 'spread': there is no measure 'edsss'; did you mean 'edss'?",
    ]
    assert faults[11].startswith("figure 'timeline': There is no definition 'km'")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[time_zero]", '[time_zero]\ntreatments = ["drug"]', "time_zero: treatments has an effect only with at = 'treatment start'"),
        ("[time_zero]", "[time_zero]\nnumber = 2", "time_zero: number goes with at = 'visit number', and is needed there"),
        ('column = "sex"', "", "known.0: column goes with what = 'column', and is needed there"),
        ('key = "sex"', 'key = "patient"', "known 'patient': the key has another meaning; choose another"),
        (
            'what = "column"\ncolumn = "sex"',
            'what = "age"',
            "analysis 'km': by = 'sex' is a number; cut it into groups, such as cut = [2, 4]",
        ),
        ('what = "column"\ncolumn = "sex"', 'what = "age"\ncut = [4, 2]', "known.0: cut must rise"),
        ('key = "sex"', 'key = "Sex"', "known.0.key: String should match pattern"),
        ('event = "worsening"', 'event = "PIRA"\ncompeting = ["PIRA"]', "outcome.0.disability: an event cannot compete with itself"),
        ('question = "Do they worsen?"', "question = 7", "question: should be a valid string (found 7)"),
        ('kind = "disability"\n', "", "outcome.0: kind must be given"),
        ("[[figure]]", "[ending]\ndeath = 1\nmost_days = 0\n\n[[figure]]", "ending.most_days: should be greater than or equal to 1"),
        ("[[figure]]", '[[enter]]\nkey = "d"\nkind = "date"\nwhat = "onset"\n\n[[figure]]', "enter.0.date: say earliest or latest"),
        (
            "[[figure]]",
            '[[enter]]\nkey = "d"\nkind = "date"\nwhat = "onset"\nearliest = "soon"\n\n[[figure]]',
            "enter.0.date.earliest: Invalid isoformat string: 'soon'",
        ),
        ("[[figure]]", '[source]\nseen = ["outcome.wrose"]\n\n[[figure]]', "source marks settings that do not exist: outcome.wrose"),
        ("[[figure]]", FILE[FILE.index("[[analysis]]") : FILE.index("[[figure]]")] + "[[figure]]", "analysis has the key 'km' twice"),
    ],
)
def test_one_fault_is_said_with_its_place(written: Write, old: str, new: str, said: str) -> None:
    faults = faults_of(written(FILE.replace(old, new, 1)))
    assert any(said in fault for fault in faults), faults


def test_an_event_without_outcome_definition_or_figure_is_no_study(written: Write) -> None:
    only_relapses = FILE[: FILE.index("[[outcome]]")] + '[[outcome]]\nkey = "worse"\ntitle = "relapse"\nkind = "relapse"\n\n'
    only_relapses += FILE[FILE.index("[[analysis]]") :]
    assert faults_of(written(only_relapses)) == [
        "no outcome, analysis or figure names a definition of worsening, such as definition = 'mueller-2025'"
    ]


def test_a_study_cannot_be_changed_and_equal_content_is_equal(written: Write) -> None:
    found = load_study(written(FILE))
    with pytest.raises(ValueError, match="frozen"):
        found.title = "another"
    assert found == study_from(found.as_dict(), where="again")
    assert len({found, study_from(found.as_dict(), where="again")}) == 1


# -- in words ---------------------------------------------------------------------------------------

WORDS = {
    "graf-2021": (
        "Entered were people who had course RRMS, RR, relapsing-remitting or relapsing remitting; who were treated with natalizumab "
        "or Tysabri for at least 731 days; who had at least 3 visits with EDSS from the starting visit on. Time zero was the start of"
        " the first period on natalizumab or Tysabri that lasted at least 731 days (periods at most 90 days apart are one). The "
        "starting visit was the one nearest to it, at most 180 days before and 90 days after. Observation ended with the last visit, "
        "90 days after the treatment was stopped, the day before another treatment, death (also one up to 365 days after the last "
        "visit) or the end of recording, whichever came "
        "first. A visit after the end could confirm a worsening that began before it. Outcomes were first cPIRA: the first PIRA under"
        " graf-2021, dated by its onset; first confirmed worsening of any kind: the first worsening under graf-2021, dated by its "
        "onset; secondary progression: secondary progression by the data-derived definition (Lorscheider 2016, without functional "
        "systems). Known at time zero were age: years of age; sex: the column sex of the patients table; disease duration: years "
        "since the first symptom; EDSS at natalizumab start: the EDSS of the starting visit; EDSS at natalizumab start: the EDSS of "
        "the starting visit, in groups (below 3.5 and 3.5 or more); relapses in the year before: relapses in the 365 days before time"
        " zero; earlier treatments: different treatments before time zero. The design follows Graf J, et al. Brain Commun "
        "2021;3(4):fcab229. Assumed, as the source was not seen to state it: enter visits; time zero; ending; known age; known sex; "
        "known edss-group; known relapses-1y; known prior; outcome worsening; outcome spms; reference gothenburg; analysis table-1; "
        "analysis cpira; analysis free-of-cpira; analysis rates; analysis factors; analysis cross-sectional; analysis between-visits;"
        " analysis conversion; analysis share."
    ),
    "kappos-2020": (
        "Everybody entered. Time zero was the day that the tables state (randomisation or another index date). The starting visit was "
        "the one nearest to it, at most 42 days before and 14 days after. Observation ended with the last visit, death (also one up to "
        "365 days after the last visit), the end of recording or 686 days after time zero, whichever came "
        "first. A visit after the end could confirm a worsening that began before it. Outcomes were composite CDA, 12 weeks: the first "
        "worsening under kappos-2020-cda, dated by its onset; composite CDA, 24 weeks: the first worsening under kappos-2020-cda-24w,"
        " dated by its onset; PIRA, 12 weeks: the first PIRA under kappos-2020, dated by its onset; RAW, 12 weeks: the first RAW "
        "under kappos-2020, dated by its onset; PIRA, 24 weeks: the first PIRA under kappos-2020-24w, dated by its onset; RAW, 24 "
        "weeks: the first RAW under kappos-2020-24w, dated by its onset. Known at time zero were arm: the column arm of the patients "
        "table; age: years of age; sex: the column sex of the patients table; disease duration: years since the first symptom; EDSS "
        "at the start: the EDSS of the starting visit; relapses in the year before: relapses in the 365 days before time zero. The "
        "design follows Kappos L, et al. JAMA Neurol 2020;77(9):1132-1140 (OPERA I and II). Assumed, as the source was not seen to "
        "state it: time zero; ending; known age; known sex; known duration; known edss; known relapses-1y; analysis "
        "table-1; analysis raw-and-pira-12w; analysis raw-and-pira-24w; analysis free-of-pira-and-raw; analysis rates; analysis "
        "adjusted; analysis share."
    ),
}


@pytest.mark.parametrize("key", WORDS)
def test_a_study_in_words(key: str) -> None:
    assert study(key).prose() == WORDS[key]


def test_each_kind_of_entry_and_time_in_words() -> None:
    enter = [
        {"key": "a", "kind": "column", "column": "weight_kg", "at_least": 40, "at_most": 120},
        {"key": "b", "kind": "treatment"},
        {"key": "c", "kind": "follow up", "least_days": 365},
        {"key": "d", "kind": "date", "what": "diagnosis", "earliest": "2000-01-01", "latest": "2010-12-31"},
        {"key": "e", "kind": "no activity", "days": 365, "definition": "cdw-12w"},
        {"key": "f", "kind": "free of", "outcome": "worse"},
    ]
    time_zero = {"at": "visit number", "number": 2, "plus_days": 30, "start_before_days": 0, "start_after_days": 10}
    ending = {"stop_after_days": 0, "death": False, "recording": False, "confirmed_after": False}
    found = study_from(STUDY | {"enter": enter, "time_zero": time_zero, "ending": ending}, where="test")
    assert found.prose() == (
        "Entered were people who had weight kg of at least 40 and at most 120; who were treated with a treatment; who were followed for at "
        "least 365 days after time zero; who had their diagnosis not before 2000-01-01 and not after 2010-12-31; who had no relapse, no "
        "worsening (cdw-12w) and no MRI activity in the 365 days before time zero; who had not had the outcome 'worse' before time zero. "
        "Time zero was 30 days after visit number 2. The starting visit was the one nearest to it, at most 0 days before and 10 days "
        "after. Observation ended with the last visit or the stop of the treatment, whichever came first. A worsening had to be confirmed "
        "before the end. Outcomes were worsening: the first worsening under cdw-12w, dated by its onset."
    )


def test_words_without_criteria_and_endings() -> None:
    plain = study_from(STUDY | {"ending": {"death": False, "recording": False}}, where="test").prose()
    assert plain.startswith("Everybody entered. Time zero was the first visit.")
    assert "Observation ended with the last visit. A visit after the end" in plain


@pytest.mark.parametrize("key", study_keys())
def test_each_shipped_file_is_what_it_saves(key: str, written: Write) -> None:
    assert study(written(study(key).toml())) == study(key)


def test_a_study_with_dates_is_what_it_saves_and_dates_may_be_written_either_way(written: Write) -> None:
    entry = '[[enter]]\nkey = "d"\nkind = "date"\nwhat = "onset"\nearliest = {}\n\n[[figure]]'
    as_date = load_study(written(FILE.replace("[[figure]]", entry.format("2010-12-31"))))
    as_text = load_study(written(FILE.replace("[[figure]]", entry.format('"2010-12-31"'))))
    saved = load_study(written(as_date.toml()))
    again = study_from(json.loads(json.dumps(as_date.as_dict())), where="rerun.json")
    assert as_date == as_text == saved == again
    assert as_date.enter[0].earliest == datetime.date(2010, 12, 31)  # pyright: ignore[reportAttributeAccessIssue]


# -- run on people whose answer is known ------------------------------------------------------------

ORIGIN = datetime.date(2010, 1, 1)
STUDY: dict[str, Any] = {
    "key": "test",
    "title": "A study",
    "question": "Does it work?",
    "time_zero": {"at": "first visit"},
    "outcome": [{"key": "worse", "title": "worsening", "kind": "disability", "definition": "cdw-12w", "event": "worsening"}],
    "analysis": [
        {"key": "km", "title": "free of it", "kind": "survival", "outcomes": ["worse"], "at_days": [150]},
        {"key": "rates", "title": "rates", "kind": "rates", "outcomes": ["worse"]},
    ],
}
SERIES = "0:2 100:2 200:3 300:3 400:3"
"""Worse by one point from day 200 on, confirmed on day 300."""


def date(day: int) -> datetime.date:
    return ORIGIN + datetime.timedelta(days=day)


def people(
    visits: Mapping[str, str],
    *,
    patients: Mapping[str, Mapping[str, Any]] | None = None,
    treatments: Mapping[str, list[tuple[str, int, int | None]]] | None = None,
    relapses: Mapping[str, list[int]] | None = None,
) -> Cohort:
    """Return a cohort with dates, day 0 being 2010-01-01; names that end in _date or _to, and time_zero, are days."""
    rows = [(who, date(int(day)), float(score)) for who, text in visits.items() for day, score in (one.split(":") for one in text.split())]
    tables = {"visits": pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row")}
    onsets = [(who, date(day)) for who, days in (relapses or {}).items() for day in days]
    tables["relapses"] = pl.DataFrame(onsets, schema={"patient": pl.String, "date": pl.Date}, orient="row")
    if treatments is not None:
        periods = [
            (who, name, date(start), None if end is None else date(end)) for who, mine in treatments.items() for name, start, end in mine
        ]
        schema = {"patient": pl.String, "treatment": pl.String, "start_date": pl.Date, "end_date": pl.Date}
        tables["treatments"] = pl.DataFrame(periods, schema=schema, orient="row")
    if patients is not None:
        dated = {"time_zero", "onset_date", "diagnosis_date", "birth_date", "death_date", "observed_to"}
        told = [
            {"patient": who} | {name: date(value) if name in dated and value is not None else value for name, value in facts.items()}
            for who, facts in patients.items()
        ]
        tables["patients"] = pl.DataFrame(told, infer_schema_length=None)
    return read(tables)


def ran(cohort: Cohort, **changes: Any) -> StudyResult:
    return run_study(study_from(STUDY | changes, where="test"), cohort)


def outcome(result: StudyResult) -> dict[str, tuple[int, bool, str]]:
    """Return patient -> days from time zero to the event or the end, whether it happened, and why the time ended."""
    made = result.made()["worse"]
    rows = zip(made.people["patient"], made.time.tolist(), (made.cause == 1).tolist(), made.reason.to_list(), strict=True)
    return {patient: (days, had, reason) for patient, days, had, reason in rows}


@pytest.mark.parametrize(
    ("time_zero", "days"),
    [
        ({"at": "first visit"}, 200),
        ({"at": "time zero"}, 195),
        ({"at": "onset"}, 190),
        ({"at": "diagnosis"}, 180),
        ({"at": "treatment start"}, 170),
        ({"at": "treatment stop"}, 140),
        ({"at": "visit number", "number": 2}, 100),
        ({"at": "first visit", "plus_days": 120}, 80),
    ],
)
def test_the_worsening_is_counted_from_each_time_zero(time_zero: dict[str, Any], days: int) -> None:
    """One person, worse on day 200; the index date is day 5, onset 10, diagnosis 20, treatment from 30 to 60, second visit 100."""
    cohort = people(
        {"A": SERIES},
        patients={"A": {"time_zero": 5, "onset_date": 10, "diagnosis_date": 20}},
        treatments={"A": [("drug", 30, 60)]},
    )
    result = ran(cohort, time_zero=time_zero)
    assert outcome(result) == {"A": (days, True, "worsening")}
    rates = result.finding("rates").estimates[0].table.row(0, named=True)
    assert (rates["people"], rates["events"]) == (1, 1)
    assert rates["person_years"] == pytest.approx(days / 365.25, rel=1e-12)  # one division


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ({}, (200, True, "worsening")),
        ({"stop_after_days": 0}, (100, False, "treatment stopped")),
        ({"stop_after_days": 49}, (100, False, "treatment stopped")),
        ({"stop_after_days": 50}, (200, True, "worsening")),
        ({"switch": True}, (100, False, "switched treatment")),
        ({"most_days": 199}, (100, False, "end of the study period")),
        ({"most_days": 200}, (200, True, "worsening")),
        ({"most_days": 299}, (200, True, "worsening")),
        ({"most_days": 299, "confirmed_after": False}, (200, False, "end of the study period")),
    ],
)
def test_what_ends_the_observation_hides_or_shows_the_worsening(ending: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Worse on day 200, confirmed on day 300; the drug of time zero ends on day 150 and another starts on day 180.

    Visits come every 100 days, so who is free of it is known to be so at the last visit only: the time of a censored person ends there.
    """
    cohort = people({"A": SERIES}, treatments={"A": [("drug", 0, 150), ("other", 180, None)]})
    result = ran(cohort, ending=ending)
    assert outcome(result)["A"] == expected
    unconfirmed = result.events.unconfirmed["reason"].to_list()
    assert unconfirmed == (["no visit could confirm it"] if "confirmed_after" in ending else [])


def test_death_and_the_end_of_recording_end_the_time() -> None:
    cohort = people(
        dict.fromkeys("ABC", "0:2 100:2 200:2 300:2 400:2"),
        patients={"A": {"death_date": 350, "observed_to": None}, "B": {"death_date": None, "observed_to": 320}, "C": {"observed_to": None}},
    )
    result = ran(cohort)
    assert dict(result.followed.people.select("patient", "end_reason").iter_rows()) == {
        "A": "death",
        "B": "end of recording",
        "C": "last visit",
    }
    assert not any(had for _, had, _ in outcome(result).values())


CRITERIA: dict[str, dict[str, Any]] = {
    "course": {"kind": "column", "column": "course", "any_of": ["RRMS", "rr"]},
    "weight": {"kind": "column", "column": "weight", "at_least": 40.5, "at_most": 90},
    "drug": {"kind": "treatment", "any_of": ["DRUG"], "least_days": 200},
    "visits": {"kind": "visits", "least": 5},
    "later-visits": {"kind": "visits", "least": 4, "from_time_zero": True},
    "follow-up": {"kind": "follow up", "least_days": 250},
    "onset": {"kind": "date", "what": "onset", "earliest": "2009-01-01", "latest": "2009-12-31"},
    "born": {"kind": "date", "what": "birth", "latest": "1992-01-01"},
    "begun": {"kind": "date", "what": "time zero", "earliest": "2010-04-11"},
    "below-6": {"kind": "free of", "outcome": "six"},
    "calm": {"kind": "no activity", "days": 100, "definition": "cdw-12w"},
}
FACTS = {"course": "rrms", "weight": 90.0, "onset_date": -365, "birth_date": -6575}
"""On the edge of each criterion: born on 1992-01-01, with the first symptom on 2009-01-01."""
ON_DRUG = [("Drug", 100, 299)]
"""200 days, both counted."""
STEADY = "0:2 100:2 200:3 300:3 400:3"


def near_misses() -> Cohort:
    """Return one person who fulfils every criterion, and for each criterion one who misses it, by as little as can be."""
    visits = {"fits": STEADY} | dict.fromkeys(CRITERIA, STEADY)
    patients: dict[str, dict[str, Any]] = {who: dict(FACTS) for who in visits}
    treatments = dict.fromkeys(visits, ON_DRUG)
    relapses: dict[str, list[int]] = {}
    patients["course"]["course"] = "SPMS"
    patients["weight"]["weight"] = 90.1
    treatments["drug"] = [("Drug", 100, 298), ("another", 0, 400)]
    visits["visits"] = "0:2 100:2 200:3 300:3"
    visits["later-visits"] = "0:2 50:2 100:2 200:3 400:3"
    visits["follow-up"] = "0:2 100:2 200:3 300:3 349:3"
    patients["onset"]["onset_date"] = -366
    patients["born"]["birth_date"] = -6574
    treatments["begun"], visits["begun"] = [("Drug", 99, 299)], "0:2 99:2 200:3 300:3 400:3"
    relapses["calm"] = [50]
    visits["below-6"] = "0:5 100:6 200:7 300:7 400:7"
    return people(visits, patients=patients, treatments=treatments, relapses=relapses)


def test_each_criterion_leaves_out_the_person_who_misses_it_and_nobody_else() -> None:
    six = {"key": "six", "title": "EDSS 6", "kind": "milestone", "score": 6, "confirmed_after_days": 84}
    cohort = near_misses()
    result = ran(
        cohort,
        enter=[{"key": key} | part for key, part in CRITERIA.items()],
        time_zero={"at": "treatment start", "treatments": ["drug"]},
        outcome=[*STUDY["outcome"], six],
    )
    left = {step.key: (step.left_out, step.unknown) for step in result.followed.flow}
    once = {key: (1, 0) for key in CRITERIA}
    assert left == once | {"tables": (0, 0), "time-zero": (0, 0), "starting-visit": (0, 0), "observed": (0, 0)}
    assert result.followed.people["patient"].to_list() == ["fits"]
    assert outcome(result) == {"fits": (100, True, "worsening")}
    calm = next(step for step in result.followed.flow if step.key == "calm")
    assert calm.note == "there is no MRI table: relapses and worsening alone decided, so this is not NEDA"


@pytest.mark.parametrize("key", CRITERIA)
def test_each_criterion_alone_leaves_out_its_near_miss(key: str) -> None:
    """Without the others: so that no criterion hides behind one before it."""
    six = {"key": "six", "title": "EDSS 6", "kind": "milestone", "score": 6, "confirmed_after_days": 84}
    result = ran(
        near_misses(),
        enter=[{"key": key} | CRITERIA[key]],
        time_zero={"at": "treatment start", "treatments": ["drug"]},
        outcome=[*STUDY["outcome"], six],
    )
    entered = set(result.followed.people["patient"])
    assert key not in entered and "fits" in entered
    assert entered == {"fits", *CRITERIA} - {key} - MISSES_TOO.get(key, set())


MISSES_TOO: dict[str, set[str]] = {"later-visits": {"visits"}, "follow-up": {"visits"}, "calm": {"below-6"}}
"""Who has four visits in all has three from time zero on, the last of them on day 300; who reaches EDSS 6 at time zero has worsened."""


def test_who_is_not_known_to_fit_does_not_enter_and_is_counted() -> None:
    patients = {"A": {"course": "RRMS"}, "B": {"course": None}, "C": {"course": "PPMS"}}
    result = ran(people(dict.fromkeys("ABC", SERIES), patients=patients), enter=[{"key": "course"} | CRITERIA["course"]])
    step = result.followed.flow[1]
    assert (step.left_out, step.unknown, step.remaining) == (2, 1, 1)


def test_dates_are_not_asked_for_where_the_tables_count_days() -> None:
    visits = pl.DataFrame({"patient": ["A"] * 5, "date": [0, 100, 200, 300, 400], "edss": [2.0, 2.0, 3.0, 3.0, 3.0]})
    cohort = read({"visits": visits}, date_format="day", nobody_relapsed=True)
    result = ran(cohort, enter=[{"key": "born"} | CRITERIA["born"]])
    assert result.followed.flow[1].note == "not applied: the tables count days and have no dates; everybody was kept"
    assert outcome(result) == {"A": (200, True, "worsening")}


def test_a_study_of_a_file_runs_like_one_of_the_catalogue(written: Write) -> None:
    cohort = people({"A": SERIES, "B": "0:2 400:2"}, patients={"A": {"sex": "female"}, "B": {"sex": "male"}})
    result = run_study(written(FILE), cohort)
    assert outcome(result) == {"A": (200, True, "worsening"), "B": (400, False, "last visit")}
    groups = result.finding("km").estimates[0].quantiles.select("group", "n", "events").rows()
    assert groups == [("female", 1, 1), ("male", 1, 0)]


def test_nobody_has_the_time_zero_asked_for() -> None:
    with pytest.raises(DataError, match=r"Nobody enters the study 'test'.*\n  - have a visit number 9: 1 left out, 0 remain"):
        ran(people({"A": SERIES}), time_zero={"at": "visit number", "number": 9})
