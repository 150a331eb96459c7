"""The tables of a cohort: which columns they may have, and `Cohort`, the packed form everything works on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.errors import DataError, UsageError, counted, one_of, unknown
from smoulder.findings import Report
from smoulder.terms import MEASURES, MISSING, Calendar, Measure

TABLES = ("visits", "relapses", "treatments", "patients", "mri")
"""The tables a cohort may have; only `visits` is obligatory."""

MOST_COMPARED_IDS = 20_000
"""Ids among which near spellings are looked for; it takes a second."""

ColumnKind = Literal["id", "day", "score", "flag", "text", "count", "number"]
SameDay = Literal["error", "last", "lowest", "highest"]
RelapseKnowledge = Literal["recorded", "none", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that a table may have. Reading, checks and documentation come from the same row."""

    name: str
    kind: ColumnKind
    meaning: str
    required: bool = False
    synonyms: tuple[str, ...] = ()
    """Other names, lower case without spaces, dots, dashes and underscores."""


PATIENT = Column(
    name="patient",
    kind="id",
    required=True,
    meaning="who; text everywhere, so '002' and '2' are two people",
    synonyms=("id", "patientid", "pid", "patid", "patientno", "patientnumber", "subject", "subjectid", "subjid", "usubjid", "ipt", "pat"),
)

_SCORES = (
    ("edss", ("edssscore", "edsstotal", "edsstot", "totaledss", "msedss", "edssvalue")),
    ("t25fw", ("t25w", "25fw", "25ftwalk", "timed25footwalk", "t25footwalk", "25footwalk", "twentyfivefootwalk", "t25fwmean")),
    ("nhpt_dominant", ("nhptdominant", "nhptdom", "9hptdominant", "9hptdom", "nhptdominanthand", "9hptdominanthand")),
    ("nhpt_nondominant", ("nhptnondominant", "nhptnondom", "9hptnondominant", "9hptnondom", "nhptnondominanthand")),
    ("nhpt", ("9hpt", "nineholepegtest", "9holepegtest", "nhptmean", "9hptmean")),
    ("sdmt", ("sdmtscore", "symboldigit", "symboldigitmodalitiestest", "sdmttotal")),
    ("pyramidal", ("fspyr", "fspyramidal", "pyramidalfs")),
    ("cerebellar", ("fscrbl", "fscerebellar", "cerebellarfs")),
    ("brainstem", ("fsbstem", "fsbrainstem", "brainstemfs")),
    ("sensory", ("fssens", "fssensory", "sensoryfs")),
    ("bowel_bladder", ("fssph", "bowelbladder", "fsbowelbladder", "sphincter", "bowelandbladder")),
    ("visual", ("fsvis", "fsvisual", "visualfs")),
    ("cerebral", ("fscereb", "fscerebral", "cerebralfs", "mental")),
    ("ambulation", ("fsamb", "ambulationscore", "fsambulation")),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "visits": (
        PATIENT,
        Column(
            name="date",
            kind="day",
            required=True,
            meaning="day of the visit",
            synonyms=(
                "visitdate",
                "datevisit",
                "dateedss",
                "edssdate",
                "edssdt",
                "examdate",
                "dateofvisit",
                "assessmentdate",
                "visitday",
                "day",
                "adt",
                "qsdtc",
                "svdtc",
                "daysafterbaseline",
                "daysfromonset",
                "ady",
            ),
        ),
        *(Column(name=key, kind="score", meaning=f"{MEASURES[key].name}, {MEASURES[key].unit}", synonyms=names) for key, names in _SCORES),
        Column(
            name="scheduled",
            kind="flag",
            meaning="whether the visit was planned (1, yes, true) or not; unplanned visits may be barred from confirming",
            synonyms=("scheduledvisit", "planned", "isscheduled", "validconf"),
        ),
    ),
    "relapses": (
        PATIENT,
        Column(
            name="date",
            kind="day",
            required=True,
            meaning="day the relapse began",
            synonyms=(
                "relapsedate",
                "daterelapse",
                "onsetdate",
                "relapseonset",
                "relapseonsetdate",
                "dateofrelapse",
                "startdate",
                "relapseday",
                "onset",
                "day",
                "visitday",
                "astdt",
                "cestdtc",
                "dateonset",
                "relapsestart",
            ),
        ),
        Column(
            name="end_date",
            kind="day",
            meaning="day the relapse ended; used by relapse hygiene only, the windows are counted from onset",
            synonyms=("enddate", "relapseend", "relapseenddate", "endday", "ceendtc", "dateend"),
        ),
        Column(
            name="duration_hours",
            kind="number",
            meaning="hours the relapse lasted, for relapse hygiene",
            synonyms=("durationhours", "relapsehours", "hours", "durationh"),
        ),
        Column(name="fever", kind="flag", meaning="whether there was fever, for relapse hygiene", synonyms=("withfever", "febrile")),
        Column(
            name="infection",
            kind="flag",
            meaning="whether there was an infection, for relapse hygiene",
            synonyms=("withinfection", "infected"),
        ),
    ),
    "treatments": (
        PATIENT,
        Column(
            name="treatment",
            kind="text",
            required=True,
            meaning="name of the treatment",
            synonyms=("drug", "dmt", "therapy", "medication", "treatmentname", "dmtname", "extrt", "trt"),
        ),
        Column(
            name="start_date",
            kind="day",
            required=True,
            meaning="first day on it",
            synonyms=("startdate", "start", "from", "datestart", "startday", "exstdtc", "dmtstart", "begin"),
        ),
        Column(
            name="end_date",
            kind="day",
            meaning="last day on it; empty while it goes on",
            synonyms=("enddate", "end", "stop", "stopdate", "to", "dateend", "endday", "exendtc", "dmtstop", "dmtend"),
        ),
    ),
    "patients": (
        PATIENT,
        Column(
            name="relapses_recorded_from",
            kind="day",
            meaning="first day from which relapses were recorded",
            synonyms=("relapsesrecordedfrom", "relapserecordingstart"),
        ),
        Column(
            name="relapses_recorded_to",
            kind="day",
            meaning="last day to which relapses were recorded",
            synonyms=("relapsesrecordedto", "relapserecordingend"),
        ),
        Column(
            name="time_zero",
            kind="day",
            meaning="day that counts as the start, such as randomisation",
            synonyms=("timezero", "randomisationdate", "randomizationdate", "randdt", "trtsdt", "indexdate", "dateofrandomisation"),
        ),
        Column(name="birth_date", kind="day", meaning="day of birth", synonyms=("birthdate", "dateofbirth", "dob", "brthdtc")),
        Column(
            name="onset_date",
            kind="day",
            meaning="day of the first symptom",
            synonyms=("onsetdate", "msonset", "dateofonset", "symptomonset", "dateonset"),
        ),
        Column(
            name="diagnosis_date",
            kind="day",
            meaning="day of the diagnosis",
            synonyms=("diagnosisdate", "dxdate", "dateofdiagnosis", "datediagnosis"),
        ),
        Column(
            name="death_date",
            kind="day",
            meaning="day of death; empty for the living",
            synonyms=("deathdate", "dateofdeath", "datedeath", "dod", "dthdt", "dthdtc", "deathday"),
        ),
        Column(
            name="observed_to",
            kind="day",
            meaning="last day on which anything of the person could have been recorded, such as the day of the registry's extract",
            synonyms=("observedto", "endofobservation", "observationend", "endoffollowup", "followupend", "dateofextract"),
        ),
        Column(name="sex", kind="text", meaning="sex", synonyms=("gender",)),
        Column(name="arm", kind="text", meaning="trial arm or group", synonyms=("trt01p", "group", "treatmentarm", "trtp")),
        Column(
            name="course",
            kind="text",
            meaning="course of the disease, such as RRMS",
            synonyms=("mscourse", "phenotype", "diseasecourse", "mstype"),
        ),
    ),
    "mri": (
        PATIENT,
        Column(
            name="date",
            kind="day",
            required=True,
            meaning="day of the scan",
            synonyms=("mridate", "scandate", "datemri", "dateofmri", "day"),
        ),
        Column(name="new_t2", kind="count", meaning="new T2 lesions", synonyms=("newt2", "newt2lesions", "t2new")),
        Column(name="enlarging_t2", kind="count", meaning="enlarging T2 lesions", synonyms=("enlargingt2", "enlarged", "t2enlarging")),
        Column(
            name="gd", kind="count", meaning="gadolinium-enhancing lesions", synonyms=("gdlesions", "gadolinium", "gdenhancing", "t1gd")
        ),
        Column(
            name="brain_volume",
            kind="number",
            meaning="brain volume, normalised, in any one unit; the volume itself, not a change in per cent",
            synonyms=(
                "brainvolume",
                "nbv",
                "normalisedbrainvolume",
                "normalizedbrainvolume",
                "bpf",
                "brainparenchymalfraction",
                "brainvol",
            ),
        ),
    ),
}
"""The columns each table may have; other columns are left alone and listed as not used."""


def _plain(ids: pl.Series) -> pl.Series:
    """Return ids without case, signs and leading zeros, so that P01, p-1 and P001 are alike."""
    return ids.str.to_lowercase().str.replace_all("[^a-z0-9]", "").str.replace_all("(^|[a-z])0+", "$1")


@dataclass(frozen=True, eq=False, kw_only=True)
class Visits:
    """All visits, sorted by patient and day; at most one a patient and day."""

    first: NDArray[np.int64]
    """(n_patients + 1,) patient p owns visits first[p]:first[p + 1]."""
    day: NDArray[np.int32]
    """(n_visits,)"""
    scores: dict[str, NDArray[np.int32]]
    """Measure key -> (n_visits,) score units, MISSING where not measured."""
    scheduled: NDArray[np.bool_] | None = None
    """(n_visits,); None where the table does not say, and then every visit counts as scheduled."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Relapses:
    """All relapse onsets, sorted by patient and day, each day once."""

    first: NDArray[np.int64]
    """(n_patients + 1,) patient p owns relapses first[p]:first[p + 1]."""
    day: NDArray[np.int32]
    """(n_relapses,) day of onset."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cohort:
    """The people of a study: their visits, relapses and whatever else is known. Never changed once made."""

    patients: pl.Series
    """(n_patients,) text ids, sorted."""
    visits: Visits
    relapses: Relapses
    """Empty arrays where there is none; `relapse_knowledge` says what that means."""
    relapse_details: pl.DataFrame | None = None
    """patient, day, and what else is known of relapses (end_day, duration_hours, fever, infection), one row a relapse; None: nothing."""
    relapse_knowledge: RelapseKnowledge
    """"recorded" (there is a relapse table, perhaps empty), "none" (the caller says nobody relapsed), or "unknown" (no table)."""
    recorded_from: NDArray[np.int32] | None = None
    """(n_patients,) first day from which relapses were recorded; MISSING or None where not said."""
    recorded_to: NDArray[np.int32] | None = None
    """(n_patients,) last day to which relapses were recorded; MISSING or None where not said."""
    time_zero: NDArray[np.int32] | None = None
    """(n_patients,) day that counts as the start; MISSING or None where not said."""
    treatments: pl.DataFrame | None = None
    """patient, treatment, start_day, end_day (null while it goes on); sorted."""
    attributes: pl.DataFrame | None = None
    """The patients table, one row a patient in the order of `patients`; None where there is no such table."""
    mri: pl.DataFrame | None = None
    """patient, day and the lesion counts; sorted."""
    calendar: Calendar = "date"
    report: Report = Report()
    set_aside: tuple[tuple[str, str], ...] = ()
    """Patients left out because of faults, each with the reason."""
    custom_measures: tuple[Measure, ...] = ()
    kept_going: bool = False
    """Whether patients and rows with errors were set aside, so that the rest can be analysed."""

    def __repr__(self) -> str:
        return (
            f"<Cohort: {counted(self.n_patients, 'patient')}, {counted(self.n_visits, 'visit')}, "
            f"{counted(self.n_relapses, 'relapse')}; {', '.join(self.visits.scores) or 'no measure'}>"
        )

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.patients)

    @property
    def n_visits(self) -> int:
        """Number of visits."""
        return len(self.visits.day)

    @property
    def n_relapses(self) -> int:
        """Number of relapses."""
        return len(self.relapses.day)

    def measure(self, key: str) -> Measure:
        """Return a measure by its key, the cohort's own ones included."""
        own = {measure.key: measure for measure in self.custom_measures}
        known = MEASURES | own
        if key not in known:
            raise UsageError(unknown("measure", key, known))
        return known[key]

    def has_measure(self, key: str) -> bool:
        """Return whether the visits have this measure, or it follows from theirs."""
        return key in self.visits.scores or (key == "nhpt" and {"nhpt_dominant", "nhpt_nondominant"} <= self.visits.scores.keys())

    def scores(self, key: str) -> NDArray[np.int32]:
        """Return (n_visits,) score units of a measure, MISSING where not measured.

        The mean of two hands ("nhpt") is kept as their sum. Where a visit has both hands apart and no mean, it is their sum;
        where one hand is missing, so is the mean. Raises UsageError where the visits do not have the measure.
        """
        if not self.has_measure(key):
            raise UsageError(
                f"{unknown('measure', key, self.visits.scores)} The definition needs it: choose another, or name the column in cohort.toml."
            )
        given = self.visits.scores.get(key)
        if key != "nhpt" or not self.visits.scores.keys() >= {"nhpt_dominant", "nhpt_nondominant"}:
            return self.visits.scores[key]
        dominant, other = self.visits.scores["nhpt_dominant"], self.visits.scores["nhpt_nondominant"]
        both = (dominant != MISSING) & (other != MISSING)
        mean = np.where(both, dominant + np.where(both, other, 0), np.int32(MISSING)).astype(np.int32)
        return mean if given is None else np.where(given != MISSING, given, mean)

    def index_of(self, patient: str) -> int:
        """Return the position of a patient.

        Raises DataError for one who was set aside because of faults, UsageError with the ids that look alike for one who is not there.
        """
        place = int(self.patients.search_sorted(patient))
        if place < self.n_patients and self.patients[place] == patient:
            return place
        reason = dict(self.set_aside).get(patient)
        if reason is not None:
            raise DataError(f"Patient '{patient}' was set aside because of faults in the tables: {reason.replace('-', ' ')}.")
        alike = self.patients.filter(_plain(self.patients) == _plain(pl.Series([patient]))[0])
        if len(alike):
            raise UsageError(f"There is no patient '{patient}'; did you mean {one_of(alike.head(3).to_list())}?")
        raise UsageError(unknown("patient", patient, self.patients.head(MOST_COMPARED_IDS)))

    def zero_days(self, zero: str) -> NDArray[np.int32] | None:
        """Return (n_patients,) the day that a definition calls time zero ("time zero", "diagnosis" or "onset of the disease").

        MISSING where a patient has none; None where the tables have no such column.
        """
        if zero == "time zero":
            return self.time_zero
        column = {"diagnosis": "diagnosis_date", "onset of the disease": "onset_date"}[zero]
        if self.attributes is None or column not in self.attributes.columns:
            return None
        return self.attributes[column].cast(pl.Int32).fill_null(MISSING).to_numpy()

    def visits_of(self, index: int) -> slice:
        """Return the slice of the visits of the patient at a position."""
        return slice(int(self.visits.first[index]), int(self.visits.first[index + 1]))

    def relapse_days_of(self, index: int) -> NDArray[np.int32]:
        """Return the days of relapse onset of the patient at a position, ascending."""
        return self.relapses.day[int(self.relapses.first[index]) : int(self.relapses.first[index + 1])]

    def require_sound(self) -> None:
        """Raise DataError, listing every fault, where the tables have errors; after `keep_going` only for errors of a whole table."""
        if self.report.errors_of_the_whole() if self.kept_going else self.report.errors:
            raise DataError(self.report.text())

    def with_visits(self, keep: NDArray[np.bool_]) -> Cohort:
        """Return the cohort with the visits at which `keep`, (n_visits,), is True; every patient stays, also without visits."""
        owner = np.repeat(np.arange(self.n_patients), np.diff(self.visits.first))
        first = np.zeros(self.n_patients + 1, dtype=np.int64)
        np.cumsum(np.bincount(owner[keep], minlength=self.n_patients), out=first[1:])
        scheduled = self.visits.scheduled
        visits = Visits(
            first=first,
            day=self.visits.day[keep],
            scores={key: scores[keep] for key, scores in self.visits.scores.items()},
            scheduled=None if scheduled is None else scheduled[keep],
        )
        return replace(self, visits=visits)

    def subset(self, keep: Sequence[int] | NDArray[np.int64]) -> Cohort:
        """Return the cohort of the patients at the given positions, in their order."""
        positions = np.asarray(sorted(int(k) for k in keep), dtype=np.int64)

        def taken(first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
            lengths = (first[1:] - first[:-1])[positions]
            starts = np.zeros(len(positions) + 1, dtype=np.int64)
            np.cumsum(lengths, out=starts[1:])
            within = np.arange(starts[-1], dtype=np.int64) - np.repeat(starts[:-1], lengths)
            return starts, np.repeat(first[:-1][positions], lengths) + within

        visit_first, visit_rows = taken(self.visits.first)
        relapse_first, relapse_rows = taken(self.relapses.first)
        names = self.patients.gather(positions)
        scheduled = self.visits.scheduled

        def only(frame: pl.DataFrame | None) -> pl.DataFrame | None:
            return None if frame is None else frame.filter(pl.col("patient").is_in(names.implode()))

        def days(array: NDArray[np.int32] | None) -> NDArray[np.int32] | None:
            return None if array is None else array[positions]

        return replace(
            self,
            patients=names,
            visits=Visits(
                first=visit_first,
                day=self.visits.day[visit_rows],
                scores={key: scores[visit_rows] for key, scores in self.visits.scores.items()},
                scheduled=None if scheduled is None else scheduled[visit_rows],
            ),
            relapses=Relapses(first=relapse_first, day=self.relapses.day[relapse_rows]),
            recorded_from=days(self.recorded_from),
            recorded_to=days(self.recorded_to),
            time_zero=days(self.time_zero),
            treatments=only(self.treatments),
            attributes=only(self.attributes),
            mri=only(self.mri),
            relapse_details=only(self.relapse_details),
        )

    @cached_property
    def sha256(self) -> str:
        """Hash of everything the engine reads: equal for equal content, whatever the order or split of the input rows."""
        digest = hashlib.sha256()

        def add(name: str, array: NDArray[np.generic] | None) -> None:
            if array is not None:
                digest.update(f"{name}:{array.dtype.str}:{len(array)};".encode())
                digest.update(np.ascontiguousarray(array).data)

        lengths = self.patients.str.len_bytes().to_numpy()
        add("patient_lengths", lengths.astype(np.int64))
        digest.update("".join(self.patients.to_list()).encode())
        add("visit_first", self.visits.first)
        add("visit_day", self.visits.day)
        for key in sorted(self.visits.scores):
            add(key, self.visits.scores[key])
        add("scheduled", self.visits.scheduled)
        digest.update(f"{self.relapse_knowledge};{self.calendar};".encode())
        add("relapse_first", self.relapses.first)
        add("relapse_day", self.relapses.day)
        add("recorded_from", self.recorded_from)
        add("recorded_to", self.recorded_to)
        for zero in ("time zero", "diagnosis", "onset of the disease"):
            add(zero.replace(" ", "_"), self.zero_days(zero))
        for name, frame in (("mri", self.mri), ("relapse_details", self.relapse_details)):
            for column in frame.sort(pl.all()).iter_columns() if frame is not None else ():
                digest.update(f"{name} {column.name};".encode())
                digest.update("\x1f".join("" if value is None else str(value) for value in column).encode())
        return digest.hexdigest()
