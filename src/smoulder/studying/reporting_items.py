"""The items that a reader needs to repeat a study, filled in from the definitions, the tables and the result.

Items 1 to 22 are those that the R package msprog prints "to be reported to ensure complete reproducibility" (its print method,
R/msprog_methods.R). They stand in for the consensus recommendations (Montobbio et al. 2026, doi:10.1177/13524585261478492), whose text
was not seen. Items 23 to 31 are added by Smoulder, because no program prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from smoulder.analysis.words import grouped
from smoulder.errors import counted
from smoulder.estimates import SurvivalOutcome
from smoulder.events import REASONS
from smoulder.outputs import evidence
from smoulder.protocol.analyses import RecurrentAnalysis
from smoulder.rulebook import Definition
from smoulder.rulebook.parts import days_text, listed, relapse_distance_text
from smoulder.studying.formatting import proportion
from smoulder.studying.methods import LIBRARIES, software
from smoulder.studying.result import StudyResult
from smoulder.terms import MISSING

NOT_STATED = "not stated by the tables"
ABOUT = (
    "Items 1 to 22 are those that the R package msprog prints as to be reported; they stand in for the consensus recommendations of 2026 "
    "(Montobbio et al., doi:10.1177/13524585261478492), whose text was not seen. Items 23 to 31 are added, because no program prints them."
)
SCHEMA = {"number": pl.Int64(), "item": pl.String(), "definition": pl.String(), "answer": pl.String(), "evidence": pl.String()}
EVIDENCE = {"seen": "seen in the source", "code": "from a program", "assumed": "assumed", "": "not marked by the definition"}
COUNTED, STATED = "counted from the tables", "stated by the study"

Answer = Callable[[Definition], str]


def reporting_items(result: StudyResult) -> pl.DataFrame:
    """Return the reporting items, one row an item and answer: number, item, definition, answer, evidence.

    `definition` is "all" where one answer holds for all definitions of the study (or the item is not about them), else the keys that share
    the answer. `evidence` says whether the source of the definition was seen to state it, setting by setting where that differs. What the
    tables do not tell says so.
    """
    rows: list[dict[str, object]] = []
    definitions = result.events.definitions
    for number, (item, answer, settings) in enumerate(_ITEMS, start=1):
        rows += _of_definitions(number, item, definitions, answer, settings)
    whole = _of_the_study(result)
    rows[0] |= {"answer": _software(), "evidence": "", "definition": "all"}
    for number, (item, answer, known) in enumerate(whole, start=len(_ITEMS) + 1):
        rows.append({"number": number, "item": item, "definition": "all", "answer": answer or NOT_STATED, "evidence": known})
    return pl.DataFrame(rows, schema=SCHEMA)


def _of_definitions(
    number: int, item: str, definitions: Sequence[Definition], answer: Answer, settings: Sequence[str]
) -> list[dict[str, object]]:
    """Return one row a different answer, with the definitions that share it."""
    shared: dict[tuple[str, str], list[str]] = {}
    for one in definitions:
        shared.setdefault((answer(one), _evidence(one, settings)), []).append(one.key)
    if number == 1 or len(shared) == 1:
        (text, known), _ = next(iter(shared.items()), (("", ""), []))
        return [{"number": number, "item": item, "definition": "all", "answer": text, "evidence": known}]
    return [
        {"number": number, "item": item, "definition": ", ".join(keys), "answer": text, "evidence": known}
        for (text, known), keys in shared.items()
    ]


def _evidence(one: Definition, settings: Sequence[str]) -> str:
    """Return how the settings behind an item are known: one word where it is the same for all, else by setting."""
    every = one.settings()
    measured = [f"{rule.measure}{wanted}" for rule in one.measures for wanted in settings if wanted.startswith(".")]
    mine = [path for path in every if path in (*settings, *measured)]
    if not mine:
        return ""
    marks = {path: EVIDENCE[evidence(one, path)] for path in mine}
    if len(set(marks.values())) == 1:
        return next(iter(marks.values()))
    by_mark: dict[str, list[str]] = {}
    for path, mark in marks.items():
        by_mark.setdefault(mark, []).append(path.rpartition(".")[2].replace("_", " "))
    return "; ".join(f"{mark}: {', '.join(dict.fromkeys(names))}" for mark, names in by_mark.items())


def _software() -> str:
    versions = software()
    others = ", ".join(f"{name} {versions[name]}" for name in ("python", *LIBRARIES))
    return f"Smoulder {versions['smoulder']} ({others})"


def _arguments(one: Definition) -> str:
    return f"{len(one.settings())} settings, in full under Provenance and in definitions/{one.key}.toml"


def _direction(one: Definition) -> str:
    names = [f"{rule.spec().name} ({'a higher' if rule.spec().higher_is_worse else 'a lower'} score is worse)" for rule in one.measures]
    return listed(names)


def _threshold(one: Definition) -> str:
    return " ".join(rule.prose(improvement=one.improvement_matters) for rule in one.measures)


def _looking_for(one: Definition) -> str:
    return one.looking_for if one.labelled else f"{one.looking_for}; not told apart by relapses"


def _windows(one: Definition) -> str:
    windows = [window.prose() for window in one.confirmation.windows]
    return f"{listed(windows, 'or')} after onset, both days included" if windows else "no confirmation needed"


def _every_visit(one: Definition) -> str:
    if not one.confirmation.windows:
        return "no confirmation needed"
    held = "past the threshold" if one.confirmation.level == "threshold" else "at least as bad as at onset"
    over = "at every visit up to the confirming one" if one.confirmation.every_visit else "only at the confirming visit"
    forgiven = "; a single visit is forgiven" if one.confirmation.forgives != "nothing" else ""
    return f"{held} {over}{forgiven}"


def _may_confirm(one: Definition) -> str:
    confirm = one.confirmation
    if not confirm.windows:
        return "no confirmation needed"
    visits = "scheduled visits only" if confirm.visits == "scheduled" else "any visit"
    at = f"{visits}: {confirm.at.prose()}" if confirm.at is not None else visits
    also = f", and it must hold at {confirm.as_well.prose()}" if confirm.as_well is not None else ""
    return f"{at}{also}{', led by a functional system' if confirm.leading_system else ''}"


def _distance(days_after: int, days_before: int) -> str:
    return relapse_distance_text(days_after, days_before) or "no distance asked for"


def _baseline_distance(one: Definition) -> str:
    rule = one.baseline
    said = _distance(rule.days_after_relapse, rule.days_before_relapse)
    return said if rule.distance_after_change else f"{said}; none of one after a confirmed change"


def _baseline(one: Definition) -> str:
    if one.carried is not None:
        return f"{one.baseline.starting_prose()} {one.carried.prose()}"
    if one.baseline.start == "previous visit":
        return one.baseline.prose()
    moves = listed([move if move == "relapse" else f"confirmed {move}" for move in one.baseline.moves_after], "or")
    return f"{one.baseline.starting_prose()} {f'It moves after a {moves}.' if moves else 'It stays fixed.'}"


def _moves_to(one: Definition) -> str:
    if one.carried is not None:
        return "the best of the scores that had to hold, from onset on"
    if not set(one.baseline.moves_after) - {"relapse"}:
        return "does not apply: no event moves the baseline"
    place = {"confirmation": "the first confirming visit", "onset": "the onset visit"}
    return place.get(one.baseline.moves_to, "the best visit from onset to confirmation")


def _sub_threshold(one: Definition) -> str:
    if one.carried is not None:
        return "any better score lowers the reference" if one.carried.falls != "no" else "no"
    which = one.baseline.sub_threshold
    return {"no": "no", "both": "yes, in both directions"}.get(which, f"yes, for {which}")


def _after_relapse(one: Definition) -> str:
    if one.carried is not None:
        return f"the reference {one.carried.after_relapse}"
    if "relapse" not in one.baseline.moves_after:
        return "no"
    which = "every relapse" if one.baseline.relapse_move == "every" else "a relapse that a candidate has crossed"
    return f"yes, after {which}; a change first seen at most {days_text(one.crossed_days)} after it is still compared with the score before"


def _floor(one: Definition) -> str:
    if not one.baseline.moves_after:
        return "does not apply: the baseline does not move" if one.carried is None else "see item 10"
    return {"yes": "none", "no": "the reference never becomes better"}.get(one.baseline.may_fall, "a relapse cannot make it better")


def _extrema(one: Definition) -> str:
    allowed = {"allowed": "not skipped", "none": "skipped"}
    return allowed.get(one.baseline.local_extrema, "skipped where both neighbours differ by the threshold")


def _imputation(one: Definition) -> str:
    return one.last_visit.prose() if one.confirmation.windows else "does not apply: no confirmation needed"


def _sustained(one: Definition) -> str:
    every = one.confirmation.every_visit
    return one.sustained.prose(at_every_visit=every) or "not required"


def _raw(one: Definition) -> str:
    rule = one.relapses
    if rule is None:
        return "does not apply: no labels"
    windows = [*([rule.raw.prose()] if rule.raw is not None else []), *(interval.prose() for interval in rule.raw_in)]
    residual = "whatever is not PIRA is RAW" if rule.otherwise == "RAW" else ""
    if not windows and not residual:
        return "no rule: nothing is RAW under this definition"
    both = "RAW and PIRA exclude each other" if rule.exclusive else "a worsening may be both RAW and PIRA"
    found = f"a relapse began {listed(windows, 'or')}" if windows else ""
    return "; ".join(part for part in (found, residual, both) if part)


def _pira(one: Definition) -> str:
    rule = one.relapses
    if rule is None:
        return "does not apply: no labels"
    if not rule.relapse_free:
        return "whatever is not RAW"
    free = listed([interval.prose() for interval in rule.relapse_free], "or")
    where = (
        "the first confirming visit decides" if rule.pira_at == "first confirming visit" else "of several confirming visits one is enough"
    )
    return f"no relapse began {free}; {where}"


_ITEMS: tuple[tuple[str, Answer, tuple[str, ...]], ...] = (
    ("software and version", lambda one: "", ()),
    ("full list of settings", _arguments, ()),
    ("outcome and direction of worsening", _direction, ("measures",)),
    ("threshold by reference score", _threshold, (".worsening", ".improvement")),
    ("which events", _looking_for, ("looking_for",)),
    ("confirmation windows with their tolerance", _windows, ("confirmation.windows",)),
    ("confirmed over all visits or at one", _every_visit, ("confirmation.every_visit", "confirmation.level")),
    ("which visits may confirm", _may_confirm, ("confirmation.visits", "confirmation.at", "confirmation.as_well")),
    (
        "distance of a confirming visit from relapses",
        lambda one: _distance(one.confirmation.days_after_relapse, one.confirmation.days_before_relapse),
        ("confirmation.days_after_relapse", "confirmation.days_before_relapse"),
    ),
    ("baseline", _baseline, ("baseline.start", "baseline.moves_after")),
    (
        "distance of a baseline visit from relapses",
        _baseline_distance,
        ("baseline.days_after_relapse", "baseline.days_before_relapse", "baseline.distance_after_change"),
    ),
    ("where an event moves the baseline to", _moves_to, ("baseline.moves_to",)),
    ("whether changes below the threshold move it", _sub_threshold, ("baseline.sub_threshold", "carried.falls")),
    ("whether relapses move it", _after_relapse, ("baseline.moves_after", "baseline.crossed_days", "carried.after_relapse")),
    ("floor of a new baseline", _floor, ("baseline.may_fall",)),
    ("whether local extremes are skipped", _extrema, ("baseline.local_extrema",)),
    ("worsening at the last visit without confirmation", _imputation, ("last_visit.worsening", "last_visit.within_days")),
    ("how long a change must be sustained", _sustained, ("sustained.days", "sustained.kinds")),
    (
        "distance of onset from relapses",
        lambda one: _distance(one.onset.days_after_relapse, one.onset.days_before_relapse),
        ("onset.days_after_relapse", "onset.days_before_relapse"),
    ),
    ("RAW", _raw, ("relapses.raw", "relapses.raw_in", "relapses.exclusive", "relapses.otherwise")),
    ("PIRA: intervals free of relapses", _pira, ("relapses.relapse_free", "relapses.pira_at")),
    ("end dates of relapses", lambda one: "not used: windows are counted from the onset of relapses", ()),
)
"""Item, its answer, and the settings behind it; one that starts with a dot is a setting of every measure."""


def _of_the_study(result: StudyResult) -> list[tuple[str, str, str]]:
    """Return the added items: item, answer, how it is known."""
    study = result.study
    return [
        ("definition of a relapse, and when relapses were recorded", _ascertainment(result), COUNTED),
        ("visit schedule, and days between visits by group", _schedule(result), COUNTED),
        ("worsening unconfirmed at the end of follow-up", _unconfirmed(result), COUNTED),
        ("worsening undetermined", _undetermined(result), COUNTED),
        ("MRI window, and scans that are missing", _mri(result), COUNTED),
        ("date of an event, and censoring", _censoring(result), f"{STATED}; {COUNTED}"),
        ("recurrent events", _recurrent(result), STATED),
        ("treatment epochs", _treatment(result), f"{STATED}; {COUNTED}"),
        (
            "range over definitions",
            f"{counted(len(result.events.definitions), 'definition')} named by the study '{study.key}'; a range over many definitions "
            "(multiverse) is no part of this report",
            STATED,
        ),
    ]


def _ascertainment(result: StudyResult) -> str:
    cohort = result.followed.cohort
    known = {
        "recorded": f"{counted(cohort.n_relapses, 'relapse')} in the table of relapses",
        "none": "stated for the whole cohort: nobody relapsed",
        "unknown": "there is no table of relapses",
    }[cohort.relapse_knowledge]
    spans, all_stated = [], True
    for words, days in (("from", cohort.recorded_from), ("to", cohort.recorded_to)):
        stated = 0 if days is None else int((days != MISSING).sum())
        all_stated &= stated == cohort.n_patients
        spans.append(f"{words} when relapses were recorded is stated for {stated:,} of {cohort.n_patients:,} people")
    assumed = listed([one.key for one in result.events.definitions if one.labelled and one.coverage == "assumed"])
    rest = f"; where it is not stated, time without a recorded relapse is taken as free of relapses ({assumed})"
    gap = rest if assumed and not all_stated else ""
    return f"What counted as a relapse is {NOT_STATED}. {known[0].upper()}{known[1:]}; {'; '.join(spans)}{gap}."


def _schedule(result: StudyResult) -> str:
    scheduled = result.followed.cohort.visits.scheduled
    planned = (
        f"Which visits were planned is {NOT_STATED}."
        if scheduled is None
        else f"{int(scheduled.sum()):,} of {len(scheduled):,} visits were planned."
    )
    return " ".join([planned, *visit_intervals(result)])


def visit_intervals(result: StudyResult) -> list[str]:
    """Return a sentence a group: quartiles of the days between visits of one person, up to the end of observation.

    Groups are those of the first analysis that compares groups; quartiles are interpolated linearly (R's type 7).
    """
    followed = result.followed
    scored = np.zeros(followed.cohort.n_visits, dtype=np.bool_)
    for measure in {rule.measure for one in result.events.definitions for rule in one.measures}:
        if followed.cohort.has_measure(measure):
            scored |= followed.cohort.scores(measure) != MISSING
    ends = followed.people["end_day"].to_list()
    gaps: list[np.ndarray] = []
    for index in range(followed.cohort.n_patients):
        where = followed.cohort.visits_of(index)
        days = followed.cohort.visits.day[where][scored[where]]
        gaps.append(np.diff(days[days <= ends[index]]))
    told = []
    by = next((part.by for part in result.study.analysis if getattr(part, "by", None)), None)  # type: ignore[union-attr]
    groups, _ = grouped(followed.people, by)
    for name, mask in groups:
        mine = np.concatenate([gap for gap, inside in zip(gaps, mask.tolist(), strict=True) if inside] or [np.zeros(0)])
        if not mine.size:
            told.append(f"{name}: nobody had two visits.")
            continue
        low, middle, high = np.quantile(mine, [0.25, 0.5, 0.75])
        told.append(f"{name}: median {middle:.0f} days between visits (quartiles {low:.0f} to {high:.0f}; {mine.size:,} intervals).")
    return told


def _unconfirmed(result: StudyResult) -> str:
    told = []
    for one in result.events.definitions:
        mine = result.events.unconfirmed.filter((pl.col("definition") == one.key) & (pl.col("kind") == "worsening"))
        parts = []
        for reason in REASONS:
            some = mine.filter(pl.col("reason") == reason)
            parts.append(f"{some.height:,} ({counted(some['patient'].n_unique(), 'person', 'people')}) {reason}")
        told.append(f"{one.key}: {'; '.join(parts)}")
    return ". ".join(told) + "."


def _undetermined(result: StudyResult) -> str:
    told = []
    for one in result.events.definitions:
        worsening = result.events.of(one.key).filter(pl.col("kind") == "worsening")
        some = worsening.filter(pl.col("label") == "undetermined")
        if not one.labelled:
            told.append(f"{one.key}: does not apply, no labels")
        else:
            told.append(f"{one.key}: {some.height:,} of {counted(worsening.height, 'worsening')}")
    return "; ".join(told) + "."


def _mri(result: StudyResult) -> str:
    windows = [f"{one.key}: {one.mri.prose()}" for one in result.events.definitions if one.mri is not None]
    asked = " ".join(windows) or "No definition of the study asks for MRI."
    scans, n = result.followed.cohort.mri, result.followed.n
    if scans is None:
        return f"{asked} There is no table of scans."
    scanned = scans["patient"].n_unique()
    lesions = [name for name in scans.columns if name not in ("patient", "day")]
    missing = [f"{name}: {scans[name].null_count():,} of {scans.height:,} not read" for name in lesions]
    return f"{asked} {counted(scans.height, 'scan')} of {proportion(scanned, n)} people; {'; '.join(missing)}."


def _censoring(result: StudyResult) -> str:
    counts = [f"{outcome.name}: {_reasons(outcome)}" for outcome in result.made().values()]
    return f"Events are dated by their onset. {result.study.ending.prose()} Why observation ended: {'; '.join(counts)}."


def _reasons(outcome: SurvivalOutcome) -> str:
    """Return how many ended by each reason, events first, most frequent first."""
    rows = sorted(reason_counts(outcome).items(), key=lambda row: (row[0] != outcome.causes[0], -row[1], row[0]))
    return ", ".join(f"{reason} {n:,}" for reason, n in rows)


def reason_counts(outcome: SurvivalOutcome) -> Mapping[str, int]:
    """Return the number of people by why their observation ended."""
    return dict(outcome.reason.value_counts(sort=False).sort(outcome.reason.name).iter_rows())


def _recurrent(result: StudyResult) -> str:
    recurrent = [part.title for part in result.study.analysis if isinstance(part, RecurrentAnalysis)]
    found = [one.key for one in result.events.definitions if one.looking_for == "every event"]
    first = "Outcomes are first events; what a person has later is not counted in them."
    return f"{first} {listed(found) or 'No definition'} finds every event of a person." + (
        f" Repeated events are analysed in: {listed(recurrent)}." if recurrent else " Repeated events are not analysed."
    )


def _treatment(result: StudyResult) -> str:
    index = result.followed.people["index_treatment"].drop_nulls()
    if result.followed.cohort.treatments is None:
        return f"Treatments are {NOT_STATED}. {result.study.time_zero.prose()}"
    counts = index.value_counts(sort=False).sort("count", "index_treatment", descending=[True, False])
    names = ", ".join(f"{name} {n:,}" for name, n in counts.iter_rows()) or "none"
    return f"{result.study.time_zero.prose()} Treated at time zero: {proportion(len(index), result.followed.n)} people ({names})."
