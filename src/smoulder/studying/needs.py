"""Which tables and columns a study asks for."""

from __future__ import annotations

from collections.abc import Iterator

from smoulder.protocol.aims import DisabilityAim, MilestoneAim, ProgressionAim, RelapseAim, TreatmentAim
from smoulder.protocol.analyses import ChangingAnalysis, ReboundAnalysis, RelapseRateAnalysis
from smoulder.protocol.entry import ColumnCriterion, DateCriterion, NoActivityCriterion, TreatmentCriterion
from smoulder.protocol.model import Study

_DAYS = {"time zero": "patients.time_zero", "onset": "patients.onset_date", "diagnosis": "patients.diagnosis_date"}
_KNOWN = {
    "age": "patients.birth_date",
    "disease duration": "patients.onset_date",
    "relapses before": "relapses",
    "treatments before": "treatments",
    "time to first treatment": "treatments",
    "treatment": "treatments",
}


def needs(study: Study) -> tuple[str, ...]:
    """Return the tables and columns that a study asks for, such as "treatments" and "patients.birth_date"; each once, sorted.

    Without some of them a part of the study cannot be done, and says so; without others (time zero) none of it.

    >>> from smoulder.protocol import study
    >>> needs(study("graf-2021"))[-2:]
    ('treatments', 'visits.edss')
    """
    return tuple(sorted(set(_needs(study))))


def _needs(study: Study) -> Iterator[str]:
    yield from _of_time(study)
    for part in study.enter:
        if isinstance(part, ColumnCriterion) and not part.at_time_zero:
            yield f"patients.{part.column}"
        elif isinstance(part, TreatmentCriterion):
            yield "treatments"
        elif isinstance(part, DateCriterion) and part.what in ("onset", "diagnosis", "birth"):
            yield f"patients.{part.what}_date"
        elif isinstance(part, NoActivityCriterion):
            yield from ("relapses", "mri")
    for part in study.known:
        if part.what == "column":
            yield f"patients.{part.column}"
        elif part.what == "score":
            yield f"visits.{part.measure}"
        elif part.what in _KNOWN:
            yield _KNOWN[part.what]
    for key in {*study.definition_keys(), *study.history_keys()}:
        one = study.definition_of(key)
        yield from (f"visits.{rule.measure}" for rule in one.measures)
        if one.labelled:
            yield "relapses"
        if one.mri is not None:
            yield "mri"
    yield from _of_outcomes(study)


def _of_time(study: Study) -> Iterator[str]:
    rule, ending = study.time_zero, study.ending
    if rule.at in _DAYS:
        yield _DAYS[rule.at]
    if rule.at.startswith("treatment") or ending.looks_at_treatments():
        yield "treatments"


def _of_outcomes(study: Study) -> Iterator[str]:
    for part in study.outcome:
        if isinstance(part, MilestoneAim):
            yield f"visits.{part.measure}"
        elif isinstance(part, ProgressionAim):
            yield "visits.edss"
        elif isinstance(part, RelapseAim):
            yield "relapses"
        elif isinstance(part, TreatmentAim):
            yield "treatments"
        else:
            assert isinstance(part, DisabilityAim)
    for part in study.analysis:
        if isinstance(part, RelapseRateAnalysis | ReboundAnalysis):
            yield "relapses"
        elif isinstance(part, ChangingAnalysis):
            yield from ("relapses" if one.what.startswith("relapse") else "treatments" for one in part.changing)
