"""MSoutcomes 0.2.1 on its own sample and on the shared oracle: every patient identical, or different for a reason that has a name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from cohorts import cohort_of
from oracle_tables import keep_table

from smoulder.engine.beside.progression import Search, course_of
from smoulder.engine.pack import record_of
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS
from tests.oracle.agreement import Agreement, table
from tests.oracle.msoutcomes import CATALOGUED, DAYS_A_MONTH, SEARCH_HABITS, compare_folder, read_visits, tasks

DOCS = Path(__file__).parents[1] / "docs" / "agreement.md"

SAMPLE = {
    "CDEseq_3mo_1": (38, 2),
    "CDEseq_3mo_2": (38, 2),
    "CDEseq_6mo_1": (38, 2),
    "CDEseq_6mo_2": (38, 2),
    "CDI_3mo_notsustained": (40, 0),
    "CDI_3mo_sustained": (40, 0),
    "CDI_6mo_notsustained": (40, 0),
    "CDI_6mo_sustained": (40, 0),
    "CDW_3mo_notsustained": (40, 0),
    "CDW_3mo_sustained": (40, 0),
    "CDW_6mo_notsustained": (40, 0),
    "CDW_6mo_sustained": (40, 0),
    "PIRA_3mo_notsustained": (38, 2),
    "PIRA_3mo_sustained": (40, 0),
    "PIRA_6mo_notsustained": (38, 2),
    "PIRA_6mo_sustained": (40, 0),
    "spmsDx_default": (32, 8),
    "spmsDx_no_fss_default": (24, 16),
    "CDW_3mo_sustained [msoutcomes-cdw]": (40, 0),
    "CDW_3mo_sustained [kalincik-2015]": (40, 0),
    "CDW_3mo_notsustained [msoutcomes-cdw-unsustained]": (40, 0),
    "CDI_3mo_sustained [cdi-msoutcomes]": (40, 0),
    "PIRA_3mo_sustained [msbase-dzau-2023]": (40, 0),
    "CDEseq_6mo_1 [sharmin-2022]": (38, 2),
    "CDEseq_6mo_2 [sharmin-2022]": (38, 2),
}
"""Answer [definition of the catalogue] -> patients of 40 who are identical, and who differ for a reason that has a name."""

CROSS = {
    "msoutcomes_main_CDEseq_CDI": (445, 55),
    "msoutcomes_main_CDEseq_CDW": (390, 110),
    "msoutcomes_main_spmsDx_no_fss": (467, 33),
}
"""The same of 500."""


@pytest.fixture(scope="session")
def sample(shared: Path) -> Path:
    folder = shared / "data" / "msoutcomes_sample"
    if not folder.is_dir():
        pytest.skip("the sample of MSoutcomes is not beside this repository")
    return folder


def counts(agreements: list[Agreement]) -> dict[str, tuple[int, int]]:
    return {a.config: (a.identical, len(a.differences) - len(a.unexplained)) for a in agreements}


def unexplained(agreements: list[Agreement]) -> list[str]:
    return [f"{d.config} {d.patient}" for a in agreements for d in a.unexplained]


def test_its_own_sample(sample: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(compare_folder(sample))
    keep_table(request, "MSoutcomes on its own sample", table(agreements))
    assert unexplained(agreements) == []
    assert counts(agreements) == SAMPLE
    assert table(agreements) in DOCS.read_text(encoding="utf-8")
    assert {a.patients for a in agreements} == {40}


def test_secondary_progression_on_its_own_sample(sample: Path) -> None:
    progression = [a for a in compare_folder(sample) if a.config.startswith("spmsDx")]
    names = {a.config: Counter(" + ".join(d.names) for d in a.differences) for a in progression}
    assert names == {
        "spmsDx_default": {"no answer where ours says that it could not be assessed": 6, "a lone visit is marked as worse": 2},
        "spmsDx_no_fss_default": {"no answer where ours says that it could not be assessed": 6, "a lone visit is marked as worse": 10},
    }
    reached = {(d.ours[0]["reached"], d.theirs[0]["reached"]) for a in progression for d in a.differences}
    assert reached == {(None, False), (True, True)}  # whoever can be assessed has the same verdict; only dates differ


def test_the_shared_oracle(shared: Path, request: pytest.FixtureRequest) -> None:
    agreements = list(compare_folder(shared / "oracle"))
    keep_table(request, "MSoutcomes: sequences and secondary progression", table(agreements))
    assert unexplained(agreements) == []
    assert counts(agreements) == CROSS
    assert table(agreements) in DOCS.read_text(encoding="utf-8")
    assert {a.patients for a in agreements} == {500}


@pytest.mark.parametrize(
    ("answers", "before", "after", "named"),
    [
        ("spmsDx_default.csv", '"ipt 06",1,2014-02-28,5,2.5', '"ipt 06",1,2014-02-27,5,2.5', "spmsDx_default ipt 06"),
        ("spmsDx_no_fss_default.csv", '"ipt 05",1,2013-07-09,4,2', '"ipt 05",0,NA,NA,NA', "spmsDx_no_fss_default ipt 05"),
        ("CDW_3mo_sustained.csv", '"ipt 03",4.5,2001-07-03,6,', '"ipt 03",4.5,2001-07-03,6.5,', "CDW_3mo_sustained ipt 03"),
        ("CDEseq_6mo_2.csv", '"ipt 05",3,2001-01-17,2,', '"ipt 05",3,2001-02-17,2,', "CDEseq_6mo_2 ipt 05"),
        ("CDI_6mo_sustained.csv", "2002-12-13,-1.5,", "2002-12-13,-1,", "CDI_6mo_sustained ipt 17"),
        ("PIRA_6mo_sustained.csv", "2003-04-14,1.5,", "2003-04-14,2.5,", "PIRA_6mo_sustained ipt 03"),
    ],
)
def test_a_wrong_answer_is_unexplained(sample: Path, tmp_path: Path, answers: str, before: str, after: str, named: str) -> None:
    (tmp_path / "SampleData.csv").write_bytes((sample / "SampleData.csv").read_bytes())
    (tmp_path / "reference_outputs").mkdir()
    text = (sample / "reference_outputs" / answers).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "reference_outputs" / answers).write_text(text.replace(before, after), encoding="utf-8")
    config, _, patient = named.partition(" ")
    catalogued = [f"{config} [{key}] {patient}" for key in CATALOGUED.get(config, ())]
    assert unexplained(list(compare_folder(tmp_path))) == [named, *catalogued]


def test_a_folder_of_another_kind_has_nothing_to_compare(tmp_path: Path) -> None:
    assert list(compare_folder(tmp_path)) == []


def test_the_sign_of_the_days_since_a_relapse_is_taken_away(tmp_path: Path) -> None:
    """It is what the program does with it: the relapse lies that many days before the visit; visits without an EDSS do not count."""
    head = "ID,dateEDSS,EDSS,daysPostRelapse\n"
    rows = ("A,1970-02-10,3,-10", "A,1970-03-12,3.5,40", "A,1970-04-11,NA,-1", "A,1970-05-11,4,NA", "B,1970-01-01,2,NA")
    (tmp_path / "visits.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    cohort = read_visits(tmp_path / "visits.csv")
    assert cohort.patients.to_list() == ["A", "B"]
    assert cohort.visits.day.tolist() == [40, 70, 130, 0]
    assert cohort.relapses.day.tolist() == [30]
    assert cohort.visits.scores["edss"].tolist() == [300, 350, 400, 200]


# Each habit on a patient made for it: EDSS, pyramidal scores, relapses; our day and the day with the habit.
HABITS = {
    "a lone visit is marked as worse": ("0:4.5 180:6.0 360:6.0 540:6.0", "", [], 180, 0),
    "last visit near a relapse is not sustained": ("0:3.0 100:4.0 200:4.0 300:4.0", "", [290], 100, None),
    "back to the first baseline": (
        # From day 100 on (3.0, pyramidal 2) nothing is led; from day 0 (4.0, pyramidal 1) the rise of day 600 is.
        "0:4.0 100:3.0 400:3.0 450:3.0 500:4.0 600:5.0 700:5.0",
        "0:1 100:2 400:2 450:2 500:2 600:2 700:2",
        [],
        None,
        600,
    ),
    "a system below the baseline counts as raised": ("0:3.0 180:4.0 360:4.0 540:4.0", "0:2 180:3 360:1 540:1", [], None, 180),
    "stability by the old reference": (
        # After the relapse the score is 6.0 from day 200 to day 460 but for a 6.5, which is another score from 6.0 on, not from 5.5.
        "0:5.5 100:6.0 200:6.0 260:6.5 300:6.0 460:6.0 600:7.0 800:7.0",
        "",
        [90],
        None,
        600,
    ),
    "a baseline without functional systems": (
        # The first visit far from the relapse has no systems: with it as baseline the missing pyramidal score counts as raised.
        "0:3.0 100:3.0 200:4.0 300:4.0 400:4.0",
        "0:2 200:2 300:2 400:2",
        [-20],
        None,
        200,
    ),
    "minimal EDSS up to a visit that cannot confirm": ("0:4.5 50:4.5 100:5.5 191:5.5 192:3.5 300:5.5", "", [170], None, 100),
    "a filled-in pyramidal score stays in the baseline": (
        # The improvement of day 100 is the baseline, pyramidal 0; at EDSS 7.0 it is filled in as 2, and then 1 is no rise.
        "0:7.5 100:7.0 400:7.0 500:7.5 700:7.5",
        "0:0 100:0 400:0 500:1 700:1",
        [],
        500,
        None,
    ),
}


def test_every_habit_has_a_patient() -> None:
    assert [habit.name for habit in SEARCH_HABITS] == list(HABITS)


@pytest.mark.parametrize("habit", SEARCH_HABITS, ids=lambda habit: habit.name)
def test_what_a_habit_does(habit: object) -> None:
    [known] = [each for each in SEARCH_HABITS if each is habit]
    edss, pyramidal, relapses, ours, theirs = HABITS[known.name]
    visits = {"edss": edss} | ({"pyramidal": pyramidal} if pyramidal else {})
    course = course_of(cohort_of({"A": visits}, {"A": relapses}), 0)
    rule = LORSCHEIDER_2016 if pyramidal else LORSCHEIDER_2016_NO_SYSTEMS
    days = []
    for kind in (Search, known.search):
        change = kind(course, rule).run().change
        days.append(None if change is None else course.days[change.onset])
    assert days == [ours, theirs]


# Some habits in events on a patient made for it: program, EDSS, relapses; our (baseline, onset) days and those with the habit.
EVENT_PATIENTS = {
    "relapse moves the baseline only with a confirmed worsening": (
        # The relapse is crossed by the first visit after an event; the code waits for a worsening from the old baseline, here 2.0.
        "PIRA not sustained",
        "0:1.0 100:2.5 300:2.0 400:1.0 600:2.0 800:2.0",
        [350],
        [(0, 100), (400, 600)],
        [(0, 100)],
    ),
    "the first visit marks the end": (
        # The first visit (5.5) is an improvement from the baseline (6.5); the worsening between them moves nothing.
        "CDI sustained",
        "0:5.5 60:6.5 200:7.0 400:7.0 500:6.0 700:6.0",
        [-8],
        [(60, 500)],
        [],
    ),
    "a relapse on the day of the first visit ends the search": (
        "PIRA sustained",
        "0:2.0 100:2.0 200:3.0 300:3.0 400:3.0",
        [0],
        [(100, 200)],
        [],
    ),
    "the mark of the end is an event": (
        # Day 130 is 30 days after the relapse: kept before the new baseline of day 200, and told as an event from it.
        "PIRA sustained",
        "0:1.0 100:3.0 130:3.5 200:2.0 400:2.0",
        [100],
        [],
        [(200, 130)],
    ),
}


@pytest.mark.parametrize("name", EVENT_PATIENTS)
def test_what_a_habit_in_events_does(name: str) -> None:
    what, edss, relapses, ours, theirs = EVENT_PATIENTS[name]
    (task,) = tasks(3 * DAYS_A_MONTH, "3m", {what: "made.csv"})
    [habit] = [each for each in task.habits if each.name == name]
    cohort = cohort_of({"A": {"edss": edss}}, {"A": relapses})
    rule = task.definition.measures[0]
    record = record_of(cohort, 0, rule, task.definition)
    answers = []
    for kind in (Scan, habit.scan):
        found = kind(record, rule, task.definition, Teller()).run()
        events = [event for event in found if event.reason == 0 and event.worsening == (task.kind == "worsening")]
        told = [event for event in events if event.pira or not task.pira_only]
        answers.append([(record.days[event.baseline], record.days[event.onset]) for event in told])
    assert answers == [ours, theirs]
