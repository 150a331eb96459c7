"""Agreement with MSoutcomes, msclinical and drstrupf on one cohort, each under the definition that matches it best.

The definitions of the catalogue that are taken from these programs are compared as they stand, but for the 84 days that the programs were
run with.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smoulder.engine.detect import detect
from smoulder.engine.judgement import Change
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS, Found, Record
from smoulder.engine.reference import Scan
from smoulder.engine.telling import Teller
from smoulder.errors import SourceError
from smoulder.rulebook.catalogue import definition
from smoulder.rulebook.model import Definition, definition_from
from smoulder.tables import Cohort
from smoulder.terms import date_of
from tests.oracle import bern, cross_msprog
from tests.oracle.agreement import Agreement, NamedDifference, Row
from tests.oracle.cohorts import read_cohort
from tests.oracle.inputs import answers_and_cohorts, reading, rows_of, strangers
from tests.oracle.msoutcomes_habits import (
    EARLY_VISITS,
    END_MARKER_EVENT,
    MSOUTCOMES_HABITS,
    NEAR_IMPROVEMENT,
    RELAPSE_ON_FIRST_VISIT,
    ConfirmedCrossingScan,
    Habit,
)
from tests.oracle.msprog_settings import STEPS_5P0, STEPS_5P5, STEPS_BELOW_6

IMPROVEMENT_MSOUTCOMES = [{"up_to": 1.5, "change": 1.5}, {"up_to": 6.0, "change": 1.0}, {"change": 0.5}]


@dataclass(frozen=True)
class Comparison:
    """One file of another program, and our definition that matches it."""

    file: str
    definition: Definition
    relapses: bool
    """Whether the program was given the relapses."""
    columns: dict[str, str]
    """Our name -> its column; patient, onset and so on."""
    first_only: bool = False
    keep: Callable[[Row], bool] = lambda row: True
    """Which of its rows are events of this kind."""
    kind: str = "worsening"
    pira_only: bool = False
    habits: tuple[Habit, ...] = ()
    """What the program does otherwise; a difference is explained where replaying it gives the program's answer."""
    catalogued: bool = False
    """Whether the definition is one of the catalogue."""

    @property
    def config(self) -> str:
        """The file, and what of it is compared with what."""
        key = f" [{self.definition.key}]" if self.catalogued else ""
        return f"{self.file}{' (first)' if self.first_only else ''}{key}"

    @property
    def group(self) -> str:
        """Line of the table."""
        first = ", first" if self.catalogued and self.first_only else ""
        return f"catalogue: {self.definition.key}{first}" if self.catalogued else self.definition.key


def matching(key: str, steps: list[dict[str, float]], **parts: Any) -> Definition:
    """Return a definition on the EDSS confirmed from day 84 on, with other parts as given."""
    measure: dict[str, Any] = {"measure": "edss", "worsening": {"steps": steps}}
    if "improvement" in parts:
        measure["improvement"] = {"steps": parts.pop("improvement")}
    confirmation = {"windows": [{"name": "84", "from_day": 84}], **parts.pop("confirmation", {})}
    return definition_from({"key": key.lower(), "title": key, "measures": [measure], "confirmation": confirmation, **parts}, where=key)


FIRST = {"looking_for": "first worsening"}
FAR = {"baseline": {"days_after_relapse": 31}, "confirmation": {"days_after_relapse": 31}}
FIRST_FAR = {"days_after_relapse": 31, "distance_after_change": False}
"""MSoutcomes takes the new reference "regardless of the recency of a relapse" (R/CDW.R, R/CDI.R, R/CDEseq.R, R/PIRA.R, description)."""
DRSTRUPF = {"patient": "id", "onset": "date", "score": "edss_score"}
MSCLINICAL = {
    "patient": "patient",
    "onset": "onset_date",
    "score": "onset_value",
    "reference": "reference_value",
    "baseline": "reference_date",
    "confirmed": "confirmation_date",
    "confirmed_score": "confirmed_value",
}
MSCLINICAL_CLASSES = MSCLINICAL | {"label": "class"}
NO_REFERENCE_DATE = {name: column for name, column in MSCLINICAL_CLASSES.items() if name != "baseline"}
MSOUTCOMES = {"patient": "ID", "onset": "dateEDSS", "score": "EDSS", "reference": "bEDSS", "baseline": "base.date", "change": "dEDSS"}
LOWEST = {"moves_after": ["worsening"], "moves_to": "lowest score"}
LASTING: dict[str, dict[str, Any]] = {"FALSE": {}, "TRUE": {"sustained": {"days": "to the end"}}}


PIRA_HABITS = (*MSOUTCOMES_HABITS, RELAPSE_ON_FIRST_VISIT, END_MARKER_EVENT)
CDI_HABITS = (*(habit for habit in MSOUTCOMES_HABITS if habit.scan is not ConfirmedCrossingScan), EARLY_VISITS, NEAR_IMPROVEMENT)
"""Improvements know nothing of crossing relapses."""


class LowerScoreHolds(Scan):
    def holds(self, visit: int, change: Change) -> bool:
        if change.worsening:
            return super().holds(visit, change)
        return self.worse_by(self.scores[visit], self.scores[change.onset]) <= 0

    def move_on(self, change: Change, confirming: int, *, moves: bool, event: bool = True) -> None:
        super().move_on(change, confirming if change.worsening else change.onset, moves=moves, event=event)


LOWER_SCORE_HOLDS = Habit(
    name="a lower score stays as low and is itself the reference",
    why="a rule of its own, as its text says it: the lower score is the reference, on its own day, once every score up to the first one "
    "confirm_days later is no higher (msclinical/edssplus/core.py of the package msclinical 0.1.0 on PyPI, component_events, "
    "the branch of rove_on_improvement); in our definitions any better scores that last so long move it, to the confirming visit",
    scan=LowerScoreHolds,
)


def comparisons() -> Iterator[Comparison]:
    """Yield every comparison, those that must be identical first."""
    yield from first_worsening()
    yield from repeated_worsening()
    yield from labels()
    yield from msoutcomes_sequences()
    yield from catalogued()


def first_worsening() -> Iterator[Comparison]:
    """First confirmed worsening: four independent programs and ours have to agree on every patient."""
    yield Comparison("drstrupf_main_fixed84_norel", matching("drstrupf-first", STEPS_5P0, **FIRST), False, DRSTRUPF, first_only=True)
    msclinical = matching("msclinical-first", STEPS_5P5, **FIRST)
    # A fixed reference does not move, whatever rove_on_improvement says (component_events).
    for improvement in ("False", "True"):
        yield Comparison(f"msclinical_main_fixed_impr{improvement}", msclinical, False, MSCLINICAL, True, is_confirmed)
    no_relapses = matching("msoutcomes-first-norel", STEPS_BELOW_6, **FIRST)
    yield Comparison("msoutcomes_main_norel_CDW_sustFALSE", no_relapses, False, MSOUTCOMES, True)
    yield Comparison("msoutcomes_main_CDW_sustFALSE", matching("msoutcomes-first", STEPS_BELOW_6, **FIRST, **FAR), True, MSOUTCOMES, True)


def repeated_worsening() -> Iterator[Comparison]:
    """Every confirmed worsening: the programs disagree wherever the rule for the next baseline does."""
    on_worsening = matching("msclinical-all", STEPS_5P5, baseline={"moves_after": ["worsening"]})
    yield Comparison("msclinical_main_roving_imprFalse", on_worsening, False, MSCLINICAL, keep=is_confirmed)
    both_ways = matching("msclinical-both", STEPS_5P5, baseline=BOTH_WAYS)
    yield Comparison("msclinical_main_roving_imprTrue", both_ways, False, MSCLINICAL, keep=is_confirmed, habits=(LOWER_SCORE_HOLDS,))


BOTH_WAYS = {"moves_after": ["worsening", "improvement"], "sub_threshold": "improvement"}


def labels() -> Iterator[Comparison]:
    """RAW or PIRA: msclinical calls RAW what has a relapse from 90 days before onset to the confirming visit (pirma/core.py, attribute)."""
    relapses = {"relapse_free": ["onset-90 .. confirmation"], "otherwise": "RAW", "pira_at": "first confirming visit"}
    fixed = matching("msclinical-first-labels", STEPS_5P5, relapses=relapses, **FIRST)
    for improvement in ("False", "True"):
        yield Comparison(f"msclinical_main_fixed_impr{improvement}_attr", fixed, True, MSCLINICAL_CLASSES, True, is_confirmed)
    roving = matching("msclinical-all-labels", STEPS_5P5, relapses=relapses, baseline={"moves_after": ["worsening"]})
    yield Comparison("msclinical_main_roving_imprFalse_attr", roving, True, MSCLINICAL_CLASSES, keep=is_confirmed)
    both = matching("msclinical-both-labels", STEPS_5P5, relapses=relapses, baseline=BOTH_WAYS)
    file = "msclinical_main_roving_imprTrue_attr"
    yield Comparison(file, both, True, MSCLINICAL_CLASSES, keep=is_confirmed, habits=(LOWER_SCORE_HOLDS,))


def msoutcomes_sequences() -> Iterator[Comparison]:
    """MSoutcomes' sequences: its own text and its code part ways in three places, which the habits replay."""
    far_confirm = FAR["confirmation"]
    for lasting, sustained in LASTING.items():
        worsening = matching(f"msoutcomes-cdw{lasting}-norel", STEPS_BELOW_6, baseline=LOWEST, **sustained)
        yield Comparison(f"msoutcomes_main_norel_CDW_sust{lasting}", worsening, False, MSOUTCOMES, habits=MSOUTCOMES_HABITS)
        worsening = matching(f"msoutcomes-cdw{lasting}", STEPS_BELOW_6, baseline=LOWEST | FIRST_FAR, confirmation=far_confirm, **sustained)
        yield Comparison(f"msoutcomes_main_CDW_sust{lasting}", worsening, True, MSOUTCOMES, habits=MSOUTCOMES_HABITS)
        pira = matching(
            f"msoutcomes-pira{lasting}",
            STEPS_BELOW_6,
            baseline={**LOWEST, **FIRST_FAR, "moves_after": ["PIRA", "relapse"], "relapse_move": "crossed", "crossed_days": 0},
            confirmation=far_confirm,
            relapses={"relapse_free": ["baseline .. onset"]},
            **sustained,
        )
        yield Comparison(f"msoutcomes_main_PIRA_sust{lasting}", pira, True, MSOUTCOMES, pira_only=True, habits=PIRA_HABITS)
        improvement = matching(
            f"msoutcomes-cdi{lasting}",
            STEPS_BELOW_6,
            improvement=IMPROVEMENT_MSOUTCOMES,
            baseline={**LOWEST, **FIRST_FAR, "moves_after": ["improvement"]},
            confirmation=far_confirm,
            **sustained,
        )
        yield Comparison(
            f"msoutcomes_main_CDI_sust{lasting}",
            improvement,
            True,
            MSOUTCOMES,
            kind="improvement",
            habits=CDI_HABITS,
        )


def catalogued() -> Iterator[Comparison]:
    """The definitions of the catalogue that are taken from MSoutcomes and msclinical."""
    for key in ("msoutcomes-cdw", "kalincik-2015"):
        yield of_catalogue("msoutcomes_main_CDW_sustTRUE", key, MSOUTCOMES, habits=MSOUTCOMES_HABITS)
    yield of_catalogue("msoutcomes_main_CDW_sustFALSE", "msoutcomes-cdw-unsustained", MSOUTCOMES, habits=MSOUTCOMES_HABITS)
    yield of_catalogue("msoutcomes_main_CDI_sustTRUE", "cdi-msoutcomes", MSOUTCOMES, kind="improvement", habits=CDI_HABITS)
    yield of_catalogue("msoutcomes_main_PIRA_sustTRUE", "msbase-dzau-2023", MSOUTCOMES, pira_only=True, habits=PIRA_HABITS)
    # The catalogue counts the events that are the same but for the day of the reference, which msclinical puts earlier.
    file, habits = "msclinical_main_roving_imprTrue_attr", (LOWER_SCORE_HOLDS,)
    for key in ("msclinical-default", "pirma-onset", "pirma-reference"):
        yield of_catalogue(file, key, NO_REFERENCE_DATE, keep=is_confirmed, habits=habits)
    yield of_catalogue(file, "msclinical-default", NO_REFERENCE_DATE, keep=is_confirmed, habits=habits, first_only=True)


def of_catalogue(file: str, key: str, columns: dict[str, str], **parts: Any) -> Comparison:
    """Return the comparison of a file with a definition of the catalogue, its confirmation from day 84 on, as the programs were run."""
    found = definition(key)
    (window,) = found.confirmation.windows
    confirmation = found.confirmation.model_copy(update={"windows": (window.model_copy(update={"from_day": 84}),)})
    return Comparison(file, found.model_copy(update={"confirmation": confirmation}), True, columns, catalogued=True, **parts)


def is_confirmed(row: Row) -> bool:
    """Return whether msclinical calls a row confirmed."""
    return row["status"] == "confirmed"


def compare(comparison: Comparison, path: Path, cohort: Cohort) -> Agreement:
    """Compare one file with ours, patient by patient."""
    columns = comparison.columns
    rows = rows_of(path, *columns.values(), *(["status"] if comparison.keep is is_confirmed else []))
    theirs: dict[str, list[Row]] = {}
    for row in rows:
        answer = theirs.setdefault(row[columns["patient"]], [])
        if comparison.keep(row):
            with reading(path):
                answer.append(read_row(row, columns))
    ours = our_answers(cohort, comparison)
    agreement = Agreement(comparison.config, comparison.group)
    strangers(agreement, theirs, cohort.patients, both_ways=False)
    everywhere = comparison.file in bern.CROSS_FILES  # compared there in every column
    unread = [name for name in (rows[0] if rows and not everywhere else {}) if name not in (*columns.values(), "status")]
    agreement.notes += unread_notes(path, unread)
    for patient in cohort.patients:
        agreement.patients += 1
        mine, yours = ours.get(patient, []), sorted(theirs.get(patient, []), key=lambda row: row["onset"])
        if comparison.first_only:
            mine, yours = mine[:1], yours[:1]
        if mine == yours:
            agreement.identical += 1
        else:
            names = names_of(comparison, cohort, patient, yours)
            agreement.differences.append(NamedDifference(agreement.config, patient, names, mine, yours))
    return agreement


UNREAD = {
    "sust.prog": "days to its last visit far from relapses, where ours counts every visit",
    "sust.reg": "days for which an improvement lasts",
    "timepoint": "days since the first baseline",
    "component": "the EDSS throughout",
    "reason": "the class in words",
    "reference_date": "the catalogue's counts are about the events; with this column: msclinical-both-labels",
}
"""Columns that are not compared, and what they are."""


def unread_notes(path: Path, columns: list[str]) -> list[str]:
    """Return a note for each column of a file that is not compared."""
    program = path.stem.partition("_")[0] if path.stem.startswith("ms") else "MSoutcomes"
    return [f"the column {name} of {program} ({UNREAD.get(name, 'no such column is known here')})" for name in columns]


def names_of(comparison: Comparison, cohort: Cohort, patient: str, wanted: list[Row]) -> tuple[str, ...]:
    """Return the habits that give the other program's answer; empty where nothing explains it."""
    rule = comparison.definition.measures[0]
    record = record_of(cohort, cohort.index_of(patient), rule, comparison.definition)
    for size in range(1, len(comparison.habits) + 1):
        for habits in itertools.combinations(comparison.habits, size):
            kind = type("WithHabits", tuple(habit.scan for habit in habits), {})
            found = kind(record, rule, comparison.definition, Teller()).run()
            rows = [row_of(comparison, record, event) for event in found if is_wanted(comparison, event)]
            if (rows[:1] if comparison.first_only else rows) == wanted:
                return tuple(habit.name for habit in habits)
    return ()


def is_wanted(comparison: Comparison, event: Found) -> bool:
    """Return whether an event is of the kind compared."""
    return event.reason == 0 and event.worsening == (comparison.kind == "worsening") and (event.pira or not comparison.pira_only)


def row_of(comparison: Comparison, record: Record, event: Found) -> Row:
    """Return one event of a reference scan with the columns that the other program has."""
    confirming = event.confirmations[0]
    row = {
        "onset": date_of(record.days[event.onset]).isoformat(),
        "score": event.onset_score / 100,
        "reference": event.reference / 100,
        "baseline": date_of(record.days[event.baseline]).isoformat(),
        "confirmed": date_of(record.days[confirming]).isoformat() if confirming >= 0 else None,
        "confirmed_score": record.scores[confirming] / 100 if confirming >= 0 else None,
        "label": LABELS[event.label],
        "change": event.onset_score / 100 - event.reference / 100,
    }
    return {name: row[name] for name in row if name in comparison.columns}


def our_answers(cohort: Cohort, comparison: Comparison) -> dict[str, list[Row]]:
    """Return our events with the columns that the other program has, patient by patient."""
    answers: dict[str, list[Row]] = {}
    window = comparison.definition.confirmation.windows[0].name
    for event in detect(cohort, comparison.definition).table.rows(named=True):
        if event["kind"] != comparison.kind or (comparison.pira_only and not event["pira"]):
            continue
        confirmed = event[f"confirmed_{window}_day"]
        row = {
            "onset": date_of(event["onset_day"]).isoformat(),
            "score": event["onset_score"],
            "reference": event["reference_score"],
            "baseline": date_of(event["baseline_day"]).isoformat(),
            "confirmed": date_of(confirmed).isoformat() if confirmed is not None else None,
            "confirmed_score": event[f"confirmed_{window}_score"],
            "label": event["label"],
            "change": event["onset_score"] - event["reference_score"],
        }
        answers.setdefault(event["patient"], []).append({name: row[name] for name in row if name in comparison.columns})
    return answers


def read_row(row: Row, columns: dict[str, str]) -> Row:
    """Return one row of another program with our names."""
    read: Row = {}
    for name, column in columns.items():
        if name in ("onset", "baseline", "confirmed"):
            read[name] = row[column][:10]
        elif name == "label":
            # Without an MRI table msclinical appends that its MRI is unknown (pirma/core.py, attribute).
            read[name] = row[column].removesuffix("_MRI_unknown")
        elif name != "patient":
            read[name] = float(row[column])
    return read


BY_MSOUTCOMES = ("msoutcomes_main_CDEseq_CDW", "msoutcomes_main_CDEseq_CDI", "msoutcomes_main_spmsDx_no_fss")
NO_ANSWERS = {
    "cross_agreement": "how far the programs agree among themselves",
    "cross_disagreements": "where the programs differ among themselves",
    "msoutcomes_input_main": "the visits as MSoutcomes was given them",
    **dict.fromkeys(BY_MSOUTCOMES, "compared by python -m tests.oracle msoutcomes"),
}
"""Files that are no answers for this comparison, and what they are."""


def compare_folder(folder: Path) -> Iterator[Agreement]:
    """Compare every file that has a matching definition here, and tell which are not compared."""
    answers, cohorts = answers_and_cohorts(folder)
    files = {path.stem: path for path in sorted(answers.glob("*.csv"))}
    wanted = list(comparisons())
    known = [*(comparison.file for comparison in wanted), *cross_msprog.SETTINGS, *bern.CROSS_FILES]
    if not files.keys() & set(known):
        raise SourceError(f"There is no answer of another program in {answers}; one would be {known[0]}.csv.")
    people = {relapses: read_cohort(cohorts / "main", relapses=relapses) for relapses in (False, True)}
    for comparison in wanted:
        if comparison.file in files:
            yield compare(comparison, files[comparison.file], people[comparison.relapses])
    for file in cross_msprog.SETTINGS:
        if file in files:
            yield cross_msprog.compare(files[file], people)
    yield from (agreement for agreement in bern.compare_cross(folder, bern.DEFAULTS) if not agreement.left_out)
    for file in dict.fromkeys(known):
        if file not in files:
            yield Agreement(f"{file}.csv", "", left_out="there is no such file", left_out_code=2)
    for file in files:
        if file not in known:
            why = NO_ANSWERS.get(file, "no file of this name is known here")
            yield Agreement(f"{file}.csv", "", left_out=why, left_out_code=0 if file in NO_ANSWERS else 1)
