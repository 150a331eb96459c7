"""Agreement with MSoutcomes 0.2.1, every file of its answers: worsening, improvement, PIRA, sequences, secondary progression.

Two kinds of folders are compared: one with visits as MSoutcomes takes them (`SampleData.csv`: ID, dateEDSS, EDSS,
functional systems, daysPostRelapse) and its answers in `reference_outputs/`; and an oracle folder, with cohorts and
answers in `cross/`. The relapses that MSoutcomes saw: it has no table of them, only the days since the most recent one
at each visit, and takes their sign away (`abs(Visits$daysPostRelapse)`, the first lines of each of its functions). A visit n
days after a relapse and one with -n stored are therefore the same, and each such visit stands for a relapse n days before it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from smoulder.engine.beside.progression import EDSS, NOT_LASTING, Change, Search, Verdict, course_of, secondary_progression
from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import Found, Record
from smoulder.engine.telling import Teller
from smoulder.errors import SourceError
from smoulder.rulebook.catalogue import definition
from smoulder.rulebook.model import Definition
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS, SecondaryProgression
from smoulder.tables import Cohort, Relapses, Visits
from smoulder.terms import MEASURES, MISSING, date_of
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import day_number, has_value, offsets, read_cohort
from tests.oracle.cross import BY_MSOUTCOMES, FAR, FIRST_FAR, IMPROVEMENT_MSOUTCOMES, LOWEST, matching, unread_notes
from tests.oracle.inputs import answers_and_cohorts, reading, rows_of, strangers
from tests.oracle.msoutcomes_habits import (
    EARLY_VISITS,
    END_MARKER,
    END_MARKER_EVENT,
    FIRST_DIRECTION,
    MSOUTCOMES_HABITS,
    NEAR_IMPROVEMENT,
    RELAPSE_ON_FIRST_VISIT,
    ConfirmedCrossingScan,
    Habit,
    LastingVisitsScan,
    LastVisitFarScan,
    OnlyConfirmedVisitsScan,
)
from tests.oracle.msprog_settings import STEPS_BELOW_6

DAYS_A_MONTH = 30.25
COLUMNS = {
    "EDSS": "edss",
    "FSpyr": "pyramidal",
    "FScrbl": "cerebellar",
    "FSbstem": "brainstem",
    "FSsens": "sensory",
    "FSsph": "bowel_bladder",
    "FSvis": "visual",
    "FScereb": "cerebral",
    "FSamb": "ambulation",
}


# -- reading ----------------------------------------------------------------------------------


def read_visits(path: Path) -> Cohort:
    """Return the visits with an EDSS as a cohort, with the relapses that their days since the most recent one stand for."""
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows_of(path, "ID", "dateEDSS", "EDSS", "daysPostRelapse"):
        day = day_number(row["dateEDSS"], "dateEDSS")
        if day is not None and has_value(row["EDSS"]):
            rows.setdefault(row["ID"], {})[day] = row
    if not rows:
        raise SourceError(f"{path} has no visit with a date and an EDSS.")
    with reading(path):
        return cohort_of(rows)


def cohort_of(rows: dict[str, dict[int, dict[str, Any]]]) -> Cohort:
    """Return a cohort of patient -> day -> row as MSoutcomes takes it."""
    names = sorted(rows)
    visits = [(name, day) for name in names for day in sorted(rows[name])]
    onsets = {
        name: {day - abs(int(float(row["daysPostRelapse"]))) for day, row in rows[name].items() if has_value(row["daysPostRelapse"])}
        for name in names
    }

    def units(column: str, name: str, day: int) -> int:
        text = rows[name][day].get(column)
        return MEASURES[COLUMNS[column]].units(float(str(text))) if has_value(text) else MISSING

    present = [column for column in COLUMNS if any(column in row for row in rows[names[0]].values())]
    return Cohort(
        patients=pl.Series(names, dtype=pl.String),
        visits=Visits(
            first=offsets([len(rows[name]) for name in names]),
            day=np.array([day for _, day in visits], dtype=np.int32),
            scores={COLUMNS[column]: np.array([units(column, *visit) for visit in visits], dtype=np.int32) for column in present},
        ),
        relapses=Relapses(
            first=offsets([len(onsets[name]) for name in names]),
            day=np.array([day for name in names for day in sorted(onsets[name])], dtype=np.int32),
        ),
        relapse_knowledge="recorded",
    )


# -- secondary progression: what the program's code does otherwise --------------------------------


class LoneVisitSearch(Search):
    """Marks a single visit that is not worse as worse, wherever it lies: also before the first worse visit, and as one that confirms."""

    marked: tuple[tuple[int, int], dict[int, bool]] = ((-1, -1), {})

    def start(self) -> str | None:
        cannot = super().start()
        self.search = max(self.baseline, 0)
        return cannot

    def move_baseline(self, visit: int) -> None:
        super().move_baseline(visit)
        if self.baseline != visit:
            self.search = self.baseline  # a baseline set past a visit without systems is itself looked at again

    def go_on(self, change: Change, failure: str) -> None:
        better = self.scores[self.baseline] - self.scores[change.onset] >= EDSS.units(self.rule.improvement)
        super().go_on(change, failure)
        if better and failure != NOT_LASTING:
            self.move_baseline(change.onset)  # marked as worse, and better as well: the improvement need not hold then

    def is_worse(self, visit: int) -> bool:
        place = (self.baseline, self.search)
        if self.marked[0] != place:
            self.marked = (place, self.marks())
        return self.marked[1].get(visit, False)

    def marks(self) -> dict[int, bool]:
        """Return for each visit still to look at whether it is marked: it is worse, or no neighbour also falls short."""
        worse = {visit: super(LoneVisitSearch, self).is_worse(visit) for visit in range(self.search, self.last + 1)}
        return {visit: here or (worse.get(visit - 1, True) and worse.get(visit + 1, True)) for visit, here in worse.items()}


class FarLastVisitSearch(Search):
    """Lets a progression last only up to its last visit far from relapses, so that a last visit near one ends it."""

    def last_far(self, onset: int) -> int:
        return max(visit for visit in range(onset, self.end_of(onset) + 1) if visit == onset or self.is_far(visit))

    def lasts(self, change: Change) -> bool:
        return self.last_far(change.onset) == self.last

    def go_on(self, change: Change, failure: str) -> None:
        until = self.last_far(change.onset)
        super().go_on(change, failure)
        if until < self.last:
            self.search = until + 1


class FirstBaselineSearch(Search):
    """Goes back to the first baseline after a confirmed progression that does not count."""

    first_baseline: int | None = None

    def start(self) -> str | None:
        cannot = super().start()
        self.first_baseline = self.baseline
        return cannot

    def go_on(self, change: Change, failure: str) -> None:
        before = self.baseline
        super().go_on(change, failure)
        if self.baseline == before and self.first_baseline is not None:
            self.baseline = self.first_baseline


class BelowBaselineSearch(Search):
    """Takes a functional system that falls below the baseline as still raised: only exactly the baseline ends it."""

    def is_raised(self, rise: int) -> bool:
        return rise != 0


class OldReferenceSearch(Search):
    """Asks by the old reference, not by the score itself, how much makes another score after a significant relapse."""

    def needed_for_stable(self, visit: int) -> int:
        return self.needed(0 if self.scores[visit] == 0 else max(self.scores[self.baseline], 1))


class AnyBaselineSearch(Search):
    """Takes a first baseline, and one set anew after a relapse without a stable score, also where no functional system was scored."""

    def may_serve_first(self, visit: int) -> bool:
        return self.is_far(visit)

    def start_again_after(self, relapsed: int, change: Change) -> None:
        super().start_again_after(relapsed, change)
        if self.baseline > change.onset:
            self.baseline, self.search = change.onset, change.onset + 1


class AnyLateVisitSearch(Search):
    """Asks for the minimal EDSS up to the first visit late enough, whether or not that visit may confirm."""

    def stays_high(self, change: Change) -> bool:
        from_day = self.days[change.onset] + self.rule.confirmed_from_day
        late = next(visit for visit in range(change.onset + 1, self.last + 1) if self.days[visit] >= from_day)
        return min(self.scores[change.onset : late + 1]) >= self.minimum


class KeptPyramidalSearch(Search):
    """Compares with the pyramidal score of a moved baseline as it was filled in to judge that visit: at least 2 from EDSS 5.5 on, or 0."""

    filled: int = -1
    """Baseline whose pyramidal score is the filled-in one; -1: none."""

    def move_baseline(self, visit: int) -> None:
        super().move_baseline(visit)
        self.filled = visit if self.baseline == visit else -1

    def start_again_after(self, relapsed: int, change: Change) -> None:
        super().start_again_after(relapsed, change)
        self.filled = -1

    def rise(self, system: str, visit: int) -> int | None:
        here = self.course.systems[visit].get(system)
        if system != "pyramidal" or self.baseline != self.filled or here is None:
            return super().rise(system, visit)
        before = self.course.systems[self.baseline].get(system, 0)
        return here - (max(before, MEASURES["pyramidal"].units(2)) if self.scores[self.baseline] >= EDSS.units(5.5) else before)


@dataclass(frozen=True)
class SearchHabit:
    """One thing that MSoutcomes does otherwise when it looks for secondary progression."""

    name: str
    why: str
    """Its own text or code, and why our answer is right."""
    search: type[Search]
    systems_only: bool = False


SEARCH_HABITS: tuple[SearchHabit, ...] = (
    SearchHabit(
        "a lone visit is marked as worse",
        "a single visit that is not worse is forgiven after onset (its text: sustained unless followed by two consecutive improvements); "
        "the code marks any such visit as worse, so that it dates or confirms the progression itself (R/spmsDxnoFSS.R, flag_0 and conseq)",
        LoneVisitSearch,
    ),
    SearchHabit(
        "last visit near a relapse is not sustained",
        "its text says sustained for the remainder of the follow-up; the code ends a progression at its last visit far from relapses "
        "(R/spmsDxnoFSS.R, finalProgVisnum)",
        FarLastVisitSearch,
    ),
    SearchHabit(
        "back to the first baseline",
        "the baseline that has moved is in force until it moves again; with functional systems the code takes the visits anew from the "
        "table that still has the first one (R/spmsDx.R, pvisB from pvis; R/spmsDxnoFSS.R takes pvisB from pvisB)",
        FirstBaselineSearch,
        systems_only=True,
    ),
    SearchHabit(
        "a system below the baseline counts as raised",
        "the rise of the leading system must hold; the code looks for a difference of exactly 0, and a negative one passes "
        "(R/spmsDx.R, daysFSlead)",
        BelowBaselineSearch,
        systems_only=True,
    ),
    SearchHabit(
        "stability by the old reference",
        "how much makes another score depends on the score compared with; the code takes 1.5 by the new score and the other two steps by "
        "the old one (R/spmsDxnoFSS.R, blineSustained)",
        OldReferenceSearch,
    ),
    SearchHabit(
        "a baseline without functional systems",
        "its text sets the baseline at an EDSS with corresponding functional systems; the code leaves out such visits only at the very "
        "beginning (R/spmsDx.R, Visits.sn and blineVisit)",
        AnyBaselineSearch,
        systems_only=True,
    ),
    SearchHabit(
        "minimal EDSS up to a visit that cannot confirm",
        "the EDSS keeps its minimum up to the confirming visit; the code looks up to the first visit late enough, also one near a relapse "
        "(R/spmsDxnoFSS.R, confirmedEDSS)",
        AnyLateVisitSearch,
    ),
    SearchHabit(
        "a filled-in pyramidal score stays in the baseline",
        "a rise is one from the score that the baseline has; the code fills in the pyramidal score of a visit to judge whether it is "
        "2 or more (2 from EDSS 5.5 on, else 0 if missing), and keeps it when that visit becomes the baseline "
        "(R/spmsDx.R, pvisBP1$FSpyr and blineVisit)",
        KeptPyramidalSearch,
        systems_only=True,
    ),
)
NOT_ASSESSED = "no answer where ours says that it could not be assessed"
WHY_NOT_ASSESSED = (
    "the code looks at nobody with fewer than three EDSS and leaves 0, the answer for no progression (R/spmsDx.R and R/spmsDxnoFSS.R, "
    "nrow(pvisAll) >= 3 and patients$SPMS); ours says that nothing can be said"
)


def compare_progression(config: str, cohort: Cohort, path: Path, rule: SecondaryProgression) -> Agreement:
    """Compare one file of secondary progression with ours, patient by patient: whether, when, the EDSS there and the one before."""
    rows = rows_of(path, "ID", "SPMS", "date.SPMS", "EDSS.SPMS", "EDSS.preDxFinal")
    with reading(path):
        theirs = {row["ID"]: their_progression(row) for row in rows}
    ours = {row["patient"]: row for row in secondary_progression(cohort, rule).dated().rows(named=True)}
    agreement = Agreement(config, config)
    strangers(agreement, {patient: [row] for patient, row in theirs.items()}, cohort.patients, both_ways=True)
    for index, patient in enumerate(cohort.patients):
        if patient not in theirs:
            continue
        agreement.patients += 1
        row = ours[patient]
        mine = {"reached": row["reached"], "onset": None, "score": None, "before": None}
        if row["reached"]:
            mine |= {"onset": row["date"].isoformat(), "score": row["score"], "before": row["score_before"]}
        if mine == theirs[patient]:
            agreement.identical += 1
            continue
        names = progression_names(cohort, index, rule, row["reached"], theirs[patient])
        agreement.differences.append(NamedDifference(config, patient, names, [mine], [theirs[patient]]))
    return agreement


def their_progression(row: Row) -> Row:
    """Return one row of the program's with our names."""
    date = row["date.SPMS"][:10] if has_value(row["date.SPMS"]) else None
    before = row["EDSS.preDxFinal"]
    return {
        "reached": {"1": True, "0": False}.get(row["SPMS"]),
        "onset": date,
        "score": float(row["EDSS.SPMS"]) if date else None,
        "before": float(before) if has_value(before) else None,
    }


def progression_names(cohort: Cohort, index: int, rule: SecondaryProgression, reached: bool | None, wanted: Row) -> tuple[str, ...]:
    """Return the fewest habits with which our search gives the program's answer; empty where none do."""
    if reached is None and wanted["reached"] is False and not wanted["onset"]:
        return (NOT_ASSESSED,)
    usable = [habit for habit in SEARCH_HABITS if rule.with_systems or not habit.systems_only]
    for size in range(1, len(usable) + 1):
        for habits in itertools.combinations(usable, size):
            kind = type("WithHabits", tuple(habit.search for habit in habits), {})
            course = course_of(cohort, index)
            if as_row(course, kind(course, rule).run()) == wanted:
                return tuple(habit.name for habit in habits)
    return ()


def as_row(course: Any, verdict: Verdict) -> Row:
    """Return the verdict on one patient with the columns that the program has."""
    if verdict.change is None:
        return {"reached": False, "onset": None, "score": None, "before": None}
    onset = verdict.change.onset
    before = EDSS.points(course.scores[onset - 1]) if onset else None
    return {"reached": True, "onset": date_of(course.days[onset]).isoformat(), "score": EDSS.points(course.scores[onset]), "before": before}


# -- worsening, improvement, PIRA and sequences -----------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One file of MSoutcomes' events, and our definition that matches it."""

    file: str
    definition: Definition
    kind: str = "worsening"
    pira_only: bool = False
    habits: tuple[Habit, ...] = ()


def confirmed_after(delay: float) -> dict[str, Any]:
    """Return the confirmation of MSoutcomes: at any visit that many days after onset or later."""
    return {"windows": [{"name": "confirmed", "from_day": math.ceil(delay)}], **FAR["confirmation"]}


def tasks(delay: float, name: str, files: dict[str, str]) -> Iterator[Task]:
    """Yield the tasks of one confirmation delay (days). `files`: what is compared ("CDW not sustained", …) -> its file."""
    for what, file in files.items():
        program, _, rest = what.partition(" ")
        parts: dict[str, Any] = {"confirmation": confirmed_after(delay), "baseline": {**LOWEST, **FIRST_FAR}}
        if rest == "sustained":
            parts["sustained"] = {"days": "to the end"}
        if program == "PIRA":
            moves = {"moves_after": ["PIRA", "relapse"], "relapse_move": "crossed", "crossed_days": 0}
            parts |= {"baseline": {**LOWEST, **FIRST_FAR, **moves}, "relapses": {"relapse_free": ["baseline .. onset"]}}
        if program in ("CDI", "CDEseq"):
            parts["improvement"] = IMPROVEMENT_MSOUTCOMES
            parts["baseline"] = {
                **LOWEST,
                **FIRST_FAR,
                "moves_after": ["improvement"] if program == "CDI" else ["worsening", "improvement"],
            }
        kind = "improvement" if program == "CDI" or rest == "improvement" else "worsening"
        key = re.sub(r"[^a-z0-9]+", "-", f"msoutcomes-{program}-{rest}-{name}".lower())
        yield Task(file, matching(key, STEPS_BELOW_6, **parts), kind, program == "PIRA", habits_with(delay, program))


def habits_with(delay: float, program: str) -> tuple[Habit, ...]:
    """Return the habits of one of the programs with one confirmation delay (days)."""
    named = {habit.scan: habit for habit in MSOUTCOMES_HABITS}
    lasting = type("LastingVisits", (LastingVisitsScan,), {"delay_days": delay})
    habits = [
        END_MARKER,
        replace(named[OnlyConfirmedVisitsScan], scan=lasting),
        named[LastVisitFarScan],
        EARLY_VISITS,
    ]
    if program == "PIRA":
        habits += [named[ConfirmedCrossingScan], RELAPSE_ON_FIRST_VISIT, END_MARKER_EVENT]
    if program in ("CDI", "CDEseq"):
        habits.append(NEAR_IMPROVEMENT)
    if program == "CDEseq":
        habits.append(FIRST_DIRECTION)
    return tuple(habits)


EVENT_COLUMNS = ("ID", "dateEDSS", "EDSS", "bEDSS", "base.date", "dEDSS")


def compare_events(config: str, cohort: Cohort, path: Path, task: Task) -> Agreement:
    """Compare one file of events with ours, patient by patient: onset, score there, baseline and its score, and the change between."""
    theirs: dict[str, list[Row]] = {}
    rows = rows_of(path, *EVENT_COLUMNS)
    with reading(path):
        for row in rows:
            theirs.setdefault(row["ID"], []).append(
                {
                    "onset": row["dateEDSS"][:10],
                    "score": float(row["EDSS"]),
                    "reference": float(row["bEDSS"]),
                    "baseline": row["base.date"][:10],
                    "change": float(row["dEDSS"]),
                }
            )
    ours: dict[str, list[Row]] = {}
    for event in detect(cohort, task.definition).table.rows(named=True):
        if event["kind"] == task.kind and (event["pira"] or not task.pira_only):
            ours.setdefault(event["patient"], []).append(
                {
                    "onset": date_of(event["onset_day"]).isoformat(),
                    "score": event["onset_score"],
                    "reference": event["reference_score"],
                    "baseline": date_of(event["baseline_day"]).isoformat(),
                    "change": event["onset_score"] - event["reference_score"],
                }
            )
    agreement = Agreement(config, config)
    strangers(agreement, theirs, cohort.patients, both_ways=False)
    unread = [name for name in (rows[0] if rows else {}) if name not in EVENT_COLUMNS]
    agreement.notes += unread_notes(path, unread)
    for patient in cohort.patients:
        agreement.patients += 1
        mine, yours = ours.get(patient, []), sorted(theirs.get(patient, []), key=lambda row: row["onset"])
        if mine == yours:
            agreement.identical += 1
            continue
        names = event_names(cohort, patient, task, yours)
        agreement.differences.append(NamedDifference(config, patient, names, mine, yours))
    return agreement


def event_names(cohort: Cohort, patient: str, task: Task, wanted: list[Row]) -> tuple[str, ...]:
    """Return the fewest habits with which our scan gives the program's answer; empty where none do."""
    rule = task.definition.measures[0]
    record = record_of(cohort, cohort.index_of(patient), rule, task.definition)
    for size in range(1, len(task.habits) + 1):
        for habits in itertools.combinations(task.habits, size):
            kind = type("WithHabits", tuple(habit.scan for habit in habits), {})
            found = kind(record, rule, task.definition, Teller()).run()
            wanted_kind = [event for event in found if event.reason == 0 and event.worsening == (task.kind == "worsening")]
            if [event_row(record, event) for event in wanted_kind if event.pira or not task.pira_only] == wanted:
                return tuple(habit.name for habit in habits)
    return ()


def event_row(record: Record, event: Found) -> Row:
    """Return one event of a scan with the columns that the program has."""
    return {
        "onset": date_of(record.days[event.onset]).isoformat(),
        "score": event.onset_score / 100,
        "reference": event.reference / 100,
        "baseline": date_of(record.days[event.baseline]).isoformat(),
        "change": event.onset_score / 100 - event.reference / 100,
    }


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare every file of answers in a folder of either kind."""
    if (folder / "reference_outputs").is_dir():
        yield from compare_outputs(folder)
    elif (folder / "cross").is_dir() or any((folder / f"{file}.csv").is_file() for file in BY_MSOUTCOMES):
        yield from compare_cross(folder)


def compare_outputs(folder: Path) -> Iterator[Agreement]:
    """Compare the answers in `reference_outputs` with the visits beside them, and the catalogue's definitions as they stand."""
    cohort = read_visits(visits_in(folder))
    for path in sorted(path for path in (folder / "reference_outputs").iterdir() if not path.name.startswith(".")):
        event = re.fullmatch(r"(CDW|CDI|PIRA)_(\d+)mo_(sustained|notsustained)|(CDEseq)_(\d+)mo_([12])", path.stem)
        if path.name in PROGRESSION:
            yield compare_progression(path.stem, cohort, path, PROGRESSION[path.name])
        elif event is not None and path.suffix == ".csv":
            program, months, rest = (part for part in event.groups() if part is not None)
            (task,) = tasks(int(months) * DAYS_A_MONTH, f"{months}m", {f"{program} {WHAT[rest]}": path.name})
            yield compare_events(path.stem, cohort, path, task)
            for key in CATALOGUED.get(path.stem, ()):
                yield compare_events(f"{path.stem} [{key}]", cohort, path, replace(task, definition=definition(key)))
        else:
            yield Agreement(path.name, "", left_out="no answer of this name is known here")


def visits_in(folder: Path) -> Path:
    """Return the table of visits in a folder: the CSV file with a column daysPostRelapse; SourceError where there is none."""
    for path in sorted(folder.glob("*.csv")):
        with reading(path):
            if "daysPostRelapse" in path.read_text(encoding="utf-8").partition("\n")[0]:
                return path
    raise SourceError(f"There are no visits in {folder}: no CSV file beside reference_outputs has a column daysPostRelapse.")


WHAT = {"sustained": "sustained", "notsustained": "not sustained", "1": "worsening", "2": "improvement"}
"""End of a file's name -> what is in it; CDEseq gives worsening and improvement as the first and the second table."""

PROGRESSION = {"spmsDx_default.csv": LORSCHEIDER_2016, "spmsDx_no_fss_default.csv": LORSCHEIDER_2016_NO_SYSTEMS}

CATALOGUED = {
    "CDW_3mo_sustained": ("msoutcomes-cdw", "kalincik-2015"),
    "CDW_3mo_notsustained": ("msoutcomes-cdw-unsustained",),
    "CDI_3mo_sustained": ("cdi-msoutcomes",),
    "PIRA_3mo_sustained": ("msbase-dzau-2023",),
    "CDEseq_6mo_1": ("sharmin-2022",),
    "CDEseq_6mo_2": ("sharmin-2022",),
}
"""Answer -> the definitions of the catalogue that state the same call of the program."""


def compare_cross(folder: Path) -> Iterator[Agreement]:
    """Compare the sequences and secondary progression in `cross`; the other answers of the program are compared in `cross.py`."""
    answers, cohorts = answers_and_cohorts(folder)
    cohort = read_cohort(cohorts / "main")
    worsening, improvement, progression = BY_MSOUTCOMES
    for task in tasks(84, "84d", {"CDEseq worsening": worsening, "CDEseq improvement": improvement}):
        if (answers / f"{task.file}.csv").is_file():
            yield compare_events(task.file, cohort, answers / f"{task.file}.csv", task)
    if (answers / f"{progression}.csv").is_file():
        yield compare_progression(progression, cohort, answers / f"{progression}.csv", LORSCHEIDER_2016_NO_SYSTEMS)
    for file in BY_MSOUTCOMES:
        if not (answers / f"{file}.csv").is_file():
            yield Agreement(f"{file}.csv", "", left_out="there is no such file", left_out_code=2)
