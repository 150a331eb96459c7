"""When a patient turned secondary progressive: Lorscheider 2016, one patient at a time, in plain Python."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from smoulder.engine.beside.asked import asked_for, general_notes
from smoulder.engine.pack import plain_record
from smoulder.errors import agreed, counted
from smoulder.events import Proportion
from smoulder.outcome import Outcome
from smoulder.provenance import provenance_of
from smoulder.rulebook.parts import days_text, listed
from smoulder.rulebook.progression import LORSCHEIDER_2016, SecondaryProgression
from smoulder.tables import Cohort
from smoulder.terms import FUNCTIONAL_SYSTEMS, HUNDREDTHS, MEASURES, MISSING, Calendar, day_text

EDSS = MEASURES["edss"]

PROGRESSION_SCHEMA = {
    "patient": pl.String(),
    "reached": pl.Boolean(),
    "reason": pl.String(),
    "day": pl.Int32(),
    "score": pl.Float64(),
    "score_before": pl.Float64(),
    "reference_score": pl.Float64(),
    "baseline_day": pl.Int32(),
    "confirmed_day": pl.Int32(),
    "days_from_start": pl.Int32(),
    "systems_imputed": pl.Boolean(),
    "last_day": pl.Int32(),
    "days_followed": pl.Int32(),
}
"""reached: null where it could not be assessed; reason: why not, or why it could not be assessed, null where reached; day: first
visit of the confirmed progression, from here to systems_imputed null where not reached; systems_imputed: whether it rests on a
functional system that was not scored, null without systems; last_day, days_followed: last visit with an EDSS, and days to it."""

NO_PROGRESSION = "no confirmed progression"
NOT_LASTING = "progression did not last to the end of follow-up"
AFTER_RELAPSE = "progression came with a relapse"
DIPPED = "EDSS fell below the minimum before the progression was confirmed"
LOW_PYRAMIDAL = "pyramidal score below the minimum"
NO_LEADING = "progression not confirmed in the leading functional system"


@dataclass(frozen=True, kw_only=True)
class Course:
    """One patient's visits with an EDSS, in day order."""

    days: tuple[int, ...]
    """(n_visits,)"""
    scores: tuple[int, ...]
    """(n_visits,) EDSS in score units."""
    systems: tuple[Mapping[str, int], ...]
    """(n_visits,) score units of the functional systems that were scored; empty where none was."""
    relapses: tuple[int, ...]
    """Days of relapse onset, ascending."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """The next confirmed change from the reference: a progression, or an improvement that holds."""

    onset: int
    worsening: bool
    confirming: int
    """Visit that confirms it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the search of one patient came to; visits by their number in the course."""

    reached: bool | None
    reason: str | None = None
    change: Change | None = None
    baseline: int = -1
    imputed: bool = False


@dataclass
class Search:
    """The state of one search: the baseline visit, the first visit still to look at, and what was said."""

    course: Course
    rule: SecondaryProgression
    calendar: Calendar = "day"
    said: list[str] = field(default_factory=list)
    baseline: int = -1
    search: int = 0

    def __post_init__(self) -> None:
        self.days = self.course.days
        self.scores = self.course.scores
        self.last = len(self.days) - 1
        self.first = self.first_with_systems(0) if self.rule.with_systems else 0
        self.minimum = EDSS.units(self.rule.minimum_edss)

    # -- the search -------------------------------------------------------------------------

    def run(self) -> Verdict:
        """Go from one confirmed change to the next until one is secondary progression, or none is left."""
        cannot = self.start()
        if cannot is not None:
            self.say(f"It could not be assessed: {cannot}.")
            return Verdict(reached=None, reason=cannot)
        reason = NO_PROGRESSION
        while (change := self.next_change()) is not None:
            relapsed = self.last_significant(change.onset)
            if relapsed is not None:
                self.start_again_after(relapsed, change)
            elif not change.worsening:
                self.say(f"An improvement from {self.score(self.baseline)} begins on {self.at(change.onset)} and holds long enough.")
                self.move_baseline(change.onset)
            else:
                failure = self.failure(change)
                if failure is None:
                    self.say(f"Secondary progression, dated {self.at(change.onset)}.")
                    return Verdict(reached=True, change=change, baseline=self.baseline, imputed=self.is_imputed(change))
                reason = failure
                self.go_on(change, failure)
        self.say("No further change is confirmed: no secondary progression.")
        return Verdict(reached=False, reason=reason)

    def start(self) -> str | None:
        """Set the first baseline; return why the patient cannot be assessed, or None."""
        few = f"fewer than {self.rule.fewest_visits} visits with an EDSS"
        if len(self.days) < self.rule.fewest_visits:
            return few
        if self.first > self.last:
            return "no functional system scored"
        if len(self.days) - self.first < self.rule.fewest_visits:
            return f"{few} from the first functional system on"
        served = (visit for visit in range(self.first, self.last + 1) if self.may_serve_first(visit))
        self.baseline = next(served, self.last + 1)
        if self.baseline > self.last:
            scored = " and with a functional system scored" if self.rule.with_systems else ""
            return f"no visit at least {days_text(self.rule.days_after_relapse)} after any relapse{scored} to serve as baseline"
        self.search = self.baseline + 1
        self.say(f"Baseline is {self.at(self.baseline)}.")
        return None

    def next_change(self) -> Change | None:
        """Return the first confirmed progression or held improvement among the visits still to look at."""
        for visit in range(self.search, self.last + 1):
            if self.is_worse(visit):
                confirming = self.confirming_visit(visit)
                if confirming is not None:
                    return Change(onset=visit, worsening=True, confirming=confirming)
                self.say(
                    f"Worse than {self.score(self.baseline)} on {self.at(visit)}; no worse visit {days_text(self.rule.confirmed_from_day)} "
                    f"or more later and at least {days_text(self.rule.days_after_relapse)} after any relapse confirms it."
                )
            held = self.held_improvement(visit)
            if held is not None:
                return Change(onset=visit, worsening=False, confirming=held)
        return None

    def go_on(self, change: Change, failure: str) -> None:
        """Go on after a confirmed progression that does not count: where to look next, and from which baseline."""
        if failure == NOT_LASTING:
            self.search = self.end_of(change.onset) + 1
        elif failure == AFTER_RELAPSE:
            self.move_baseline(change.onset)
        else:
            self.search = change.onset + 1

    # -- the baseline -----------------------------------------------------------------------

    def may_serve_first(self, visit: int) -> bool:
        """Return whether a visit may be the first baseline: far enough from relapses, and with systems where they are used."""
        return self.is_far(visit) and (not self.rule.with_systems or self.has_systems(visit))

    def move_baseline(self, visit: int) -> None:
        """Move the baseline to a visit, or to the next one that may serve; the search goes on after it."""
        self.baseline = self.first_with_systems(visit) if self.rule.with_systems else visit
        self.search = self.baseline + 1
        if self.baseline <= self.last:
            self.say(f"The baseline moves to {self.at(self.baseline)}.")

    def last_significant(self, before: int) -> int | None:
        """Return the last visit before another that shows a diagnostically significant relapse; None where there is none."""
        return next((visit for visit in range(before - 1, self.search - 1, -1) if self.is_significant(visit)), None)

    def is_significant(self, visit: int) -> bool:
        """Return whether a relapse since the visit before left the EDSS worse than the reference and than that visit."""
        rule = self.rule.significant_relapse
        reference, rise = self.scores[self.baseline], EDSS.units(rule.rise)
        return (
            self.has_relapse_before(visit)
            and self.scores[visit] > EDSS.units(rule.edss_above)
            and self.scores[visit] - reference >= rise
            and visit > self.first
            and self.scores[visit] - self.scores[visit - 1] >= rise
            and reference < EDSS.units(rule.reference_below)
        )

    def start_again_after(self, relapsed: int, change: Change) -> None:
        """Set the baseline anew after a significant relapse: the first stable score before the change that follows, else that change."""
        self.say(f"A relapse left a worse score on {self.at(relapsed)}: the baseline is set anew.")
        stable = (visit for visit in range(relapsed + 1, change.onset) if self.is_stable(visit, change.onset) and self.may_follow(visit))
        self.move_baseline(next(stable, change.onset))

    def may_follow(self, visit: int) -> bool:
        """Return whether a later baseline may be at a visit: with systems scored, where they are used."""
        return not self.rule.with_systems or self.has_systems(visit)

    def is_stable(self, visit: int, until: int) -> bool:
        """Return whether the score of a visit stays the same long enough at the visits that follow, before another visit."""
        needed = self.needed_for_stable(visit)
        differs = (later for later in range(visit + 1, until) if abs(self.scores[later] - self.scores[visit]) >= needed)
        end = next(differs, until) - 1
        return self.days[end] - self.days[visit] >= self.rule.stable_from_day

    def needed_for_stable(self, visit: int) -> int:
        """Return the change (score units) from which on a later score is another one than that of a visit."""
        return self.needed(self.scores[visit])

    # -- progression and improvement --------------------------------------------------------

    def needed(self, reference: int) -> int:
        """Return the rise (score units) that counts from a reference; beyond the scale where none does."""
        needed = self.rule.threshold.needed(reference)
        return EDSS.units(EDSS.high or 0) + 1 if needed is None else needed

    def is_worse(self, visit: int) -> bool:
        """Return whether the EDSS is past the threshold from the reference, and at least the minimum."""
        reference = self.scores[self.baseline]
        return self.scores[visit] >= self.minimum and self.scores[visit] - reference >= self.needed(reference)

    def end_of(self, onset: int) -> int:
        """Return the last visit of the progression that begins at `onset`: the last one of all, or the one before it ends.

        It ends with more visits in a row that are not worse than are forgiven; those at the end of follow-up are forgiven too.
        """
        short = 0
        for visit in range(onset + 1, self.last + 1):
            short = 0 if self.is_worse(visit) else short + 1
            if short > self.rule.forgiven:
                return visit - short
        return self.last

    def confirming_visit(self, onset: int) -> int | None:
        """Return the first worse visit late enough after onset and far enough from relapses before the progression ends; None for none."""
        from_day = self.days[onset] + self.rule.confirmed_from_day
        late = (visit for visit in range(onset + 1, self.end_of(onset) + 1) if self.days[visit] >= from_day)
        return next((visit for visit in late if self.is_worse(visit) and self.is_far(visit)), None)

    def held_improvement(self, onset: int) -> int | None:
        """Return the visit up to which an improvement that begins at `onset` has held long enough; None where it does not."""
        best = self.scores[self.baseline] - EDSS.units(self.rule.improvement)
        for visit in range(onset, self.last + 1):
            if self.scores[visit] > best:
                return None
            if self.days[visit] - self.days[onset] >= self.rule.improved_from_day:
                return visit
        return None

    # -- whether a confirmed progression is secondary progression -----------------------------

    def failure(self, change: Change) -> str | None:
        """Return the first condition that a confirmed progression does not meet; None where it meets all."""
        self.say(
            f"Progression from {self.score(self.baseline)} ({self.needed_text()} needed) on {self.at(change.onset)}, "
            f"confirmed on {self.at(change.confirming)}."
        )
        if not self.lasts(change):
            short = "a visit falls" if self.rule.forgiven == 0 else f"{self.rule.forgiven + 1} visits in a row fall"
            self.say(f"It does not last: after {self.at(self.end_of(change.onset))}, {short} short of it.")
            return NOT_LASTING
        self.tell_forgiven(change)
        if self.has_relapse_before(change.onset):
            self.say("A relapse began since the visit before: not in the absence of relapses.")
            return AFTER_RELAPSE
        if not self.stays_high(change):
            self.say(f"Before it was confirmed the EDSS fell below {EDSS.text(self.minimum)}.")
            return DIPPED
        if not self.rule.with_systems:
            return None
        if not self.has_pyramidal(change.onset):
            self.say(f"The pyramidal score is below {self.rule.minimum_pyramidal}.")
            return LOW_PYRAMIDAL
        return None if self.is_leading_confirmed(change) else NO_LEADING

    def lasts(self, change: Change) -> bool:
        """Return whether a progression lasts to the end of follow-up."""
        return self.end_of(change.onset) == self.last

    def stays_high(self, change: Change) -> bool:
        """Return whether the EDSS keeps its minimum at every visit up to the confirming one."""
        return min(self.scores[change.onset : change.confirming + 1]) >= self.minimum

    def has_pyramidal(self, visit: int) -> bool:
        """Return whether the pyramidal score is high enough, or the EDSS so high that it is taken as such."""
        met = self.rule.pyramidal_met_from_edss
        if met is not None and self.scores[visit] >= EDSS.units(met):
            return True
        return self.course.systems[visit].get("pyramidal", 0) >= self.rule.minimum_pyramidal * HUNDREDTHS

    def is_leading_confirmed(self, change: Change) -> bool:
        """Return whether a system with the largest rise at onset stays raised for long enough."""
        imputed = self.rule.unscored == "imputed"
        leading = self.leading(change.onset, imputed=imputed)
        if not leading:
            self.say("No functional system is above the baseline there.")
            return False
        names = listed([system.replace("_", " and ") for system in leading], "or")
        for system in leading:
            until = self.raised_until(system, change.onset, imputed=imputed)
            if self.days[until] - self.days[change.onset] >= self.rule.confirmed_from_day:
                self.say(f"The largest rise is in the {names} score; {system.replace('_', ' and ')} is still raised on {self.day(until)}.")
                return True
        self.say(f"The largest rise is in the {names} score, which does not stay raised long enough.")
        return False

    def leading(self, onset: int, *, imputed: bool) -> list[str]:
        """Return the systems with the largest rise from the baseline at a visit; empty where none is raised."""
        rises = {system: self.rise(system, onset) for system in FUNCTIONAL_SYSTEMS}
        if imputed and rises["pyramidal"] is None:
            rises["pyramidal"] = HUNDREDTHS
        known = {system: rise for system, rise in rises.items() if rise is not None}
        most = max(known.values(), default=0)
        return [system for system, rise in known.items() if rise == most] if most > 0 else []

    def raised_until(self, system: str, onset: int, *, imputed: bool) -> int:
        """Return the last visit up to which a system stays above the baseline without a break.

        A visit without its score does not break it; it extends it only where missing scores are imputed.
        """
        until = onset
        for visit in range(onset + 1, self.last + 1):
            rise = self.rise(system, visit)
            if rise is not None and not self.is_raised(rise):
                break
            if rise is not None or imputed:
                until = visit
        return until

    def is_raised(self, rise: int) -> bool:
        """Return whether a system that has changed by `rise` is still above the baseline."""
        return rise > 0

    def rise(self, system: str, visit: int) -> int | None:
        """Return by how much a system is above the baseline; None where it was not scored at both."""
        here, before = self.course.systems[visit].get(system), self.course.systems[self.baseline].get(system)
        return None if here is None or before is None else here - before

    def is_imputed(self, change: Change) -> bool:
        """Return whether a progression would not count if only the scores that are there did."""
        if not self.rule.with_systems or self.rule.unscored == "left out":
            return False
        leading = self.leading(change.onset, imputed=False)
        ends = [self.raised_until(system, change.onset, imputed=False) for system in leading]
        return not any(self.days[end] - self.days[change.onset] >= self.rule.confirmed_from_day for end in ends)

    # -- visits and relapses ----------------------------------------------------------------

    def is_far(self, visit: int) -> bool:
        """Return whether a visit lies far enough after any relapse."""
        return not any(0 <= self.days[visit] - relapse < self.rule.days_after_relapse for relapse in self.course.relapses)

    def has_relapse_before(self, visit: int) -> bool:
        """Return whether a relapse began from the day of the visit before to that of a visit, both included."""
        since = self.days[max(visit - 1, self.first)]
        return any(since <= relapse <= self.days[visit] for relapse in self.course.relapses)

    def has_systems(self, visit: int) -> bool:
        """Return whether any functional system was scored at a visit."""
        return bool(self.course.systems[visit])

    def first_with_systems(self, start: int) -> int:
        """Return the first visit from one on with any functional system scored; one past the last where there is none."""
        return next((visit for visit in range(start, self.last + 1) if self.has_systems(visit)), self.last + 1)

    # -- saying why -------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Keep a sentence of the explanation."""
        self.said.append(sentence)

    def tell_forgiven(self, change: Change) -> None:
        """Say which visits after onset were forgiven."""
        forgiven = [self.at(visit) for visit in range(change.onset + 1, self.last + 1) if not self.is_worse(visit)]
        if forgiven:
            self.say(f"Forgiven: {listed(forgiven)}, not worse, and not {self.rule.forgiven + 1} in a row.")

    def day(self, visit: int) -> str:
        """Return the day of a visit in words."""
        return day_text(self.days[visit], self.calendar)

    def score(self, visit: int) -> str:
        """Return the EDSS of a visit in words."""
        return EDSS.text(self.scores[visit])

    def at(self, visit: int) -> str:
        """Return a visit in words, such as 'day 90 (EDSS 4.0)'."""
        return f"{self.day(visit)} (EDSS {self.score(visit)})"

    def needed_text(self) -> str:
        """Return the rise that counts from the reference in words."""
        return f"+{EDSS.text(self.needed(self.scores[self.baseline]))}"


def secondary_progression(cohort: Cohort, rule: SecondaryProgression = LORSCHEIDER_2016, *, explain: Collection[str] = ()) -> Outcome:
    """Return for each patient whether and when secondary progression began.

    Parameters
    ----------
    cohort
        The tables, as `read` gives them. Without a table of relapses nobody can be assessed, unless the caller said that nobody relapsed.
    rule
        What counts; `LORSCHEIDER_2016` or `LORSCHEIDER_2016_NO_SYSTEMS`, or one of your own.
    explain
        Patients whose verdict is wanted in sentences (`Outcome.reasons`).

    Returns
    -------
    One row a patient (`PROGRESSION_SCHEMA`). The day is the first visit of the confirmed progression.

    Raises
    ------
    DataError
        The tables have errors and were read without `keep_going`.
    UsageError
        The visits have no EDSS, or a patient to explain is not there.

    Source
    ------
    Lorscheider J, et al. Brain 2016;139:2395-2405; details as in MSoutcomes 0.2.1, R/spmsDx.R and R/spmsDxnoFSS.R.

    Examples
    --------
    >>> from smoulder import read
    >>> days = ["2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01", "2022-01-01", "2022-07-01"]
    >>> visits = {"patient": ["A"] * 6, "date": days, "edss": [3.0, 4.0, 4.0, 3.0, 4.0, 4.0]}
    >>> from smoulder.rulebook.progression import LORSCHEIDER_2016_NO_SYSTEMS
    >>> outcome = secondary_progression(read(visits, nobody_relapsed=True), LORSCHEIDER_2016_NO_SYSTEMS)
    >>> outcome.dated()["date"][0].isoformat()
    '2020-07-01'
    """
    cohort.require_sound()
    wanted = asked_for(cohort, explain)
    rows, reasons = [], {}
    for index, patient in enumerate(cohort.patients):
        course = course_of(cohort, index)
        search = Search(course, rule, cohort.calendar)
        if cohort.relapse_knowledge == "unknown":
            verdict = Verdict(reached=None, reason="relapses not recorded")
            search.say("It could not be assessed: there is no table of relapses.")
        else:
            verdict = search.run()
        rows.append((patient, *row_of(course, rule, verdict)))
        if patient in wanted:
            reasons[patient] = tuple(search.said)
    table = pl.DataFrame(rows, schema=PROGRESSION_SCHEMA, orient="row")
    return Outcome(
        name=rule.title,
        table=table,
        rule=rule,
        methods=rule.prose(),
        counts=counts_of(table),
        notes=(*general_notes(cohort), *notes_of(table, rule)),
        reasons=reasons,
        calendar=cohort.calendar,
        provenance=provenance_of(cohort, ()),
    )


def course_of(cohort: Cohort, index: int) -> Course:
    """Return the visits with an EDSS of the patient at a position, with whatever functional systems they have."""
    record = plain_record(cohort, index, "edss")
    where = cohort.visits_of(index)
    kept = [place for place, score in enumerate(cohort.scores("edss")[where].tolist()) if score != MISSING]
    columns = {system: cohort.scores(system)[where].tolist() for system in FUNCTIONAL_SYSTEMS if cohort.has_measure(system)}
    systems = tuple({system: scores[place] for system, scores in columns.items() if scores[place] != MISSING} for place in kept)
    return Course(days=record.days, scores=record.scores, systems=systems, relapses=record.relapses)


def row_of(course: Course, rule: SecondaryProgression, verdict: Verdict) -> tuple[object, ...]:
    """Return the row of a patient, without the patient (`PROGRESSION_SCHEMA`)."""
    last = course.days[-1] if course.days else None
    followed = None if last is None else last - course.days[0]
    change = verdict.change
    if change is None:
        return (verdict.reached, verdict.reason, None, None, None, None, None, None, None, None, last, followed)
    onset = change.onset
    return (
        True,
        None,
        course.days[onset],
        EDSS.points(course.scores[onset]),
        EDSS.points(course.scores[onset - 1]) if onset else None,
        EDSS.points(course.scores[verdict.baseline]),
        course.days[verdict.baseline],
        course.days[change.confirming],
        course.days[onset] - course.days[0],
        verdict.imputed if rule.with_systems else None,
        last,
        followed,
    )


def counts_of(table: pl.DataFrame) -> tuple[tuple[str, Proportion], ...]:
    """Return how many turned secondary progressive of those who could be assessed, and how many could not."""
    assessed = table["reached"].is_not_null().sum()
    return (
        ("secondary progression", Proportion(numerator=int(table["reached"].fill_null(False).sum()), denominator=int(assessed))),
        ("could not be assessed", Proportion(numerator=table.height - int(assessed), denominator=table.height)),
    )


def notes_of(table: pl.DataFrame, rule: SecondaryProgression) -> tuple[str, ...]:
    """Return what else the reader must know: why some could not be assessed, and what rests on missing scores."""
    notes = []
    unknown = table.filter(pl.col("reached").is_null()).group_by("reason").len().sort("reason")
    if unknown.height:
        each = [f"{counted(n, 'patient')}: {reason}" for reason, n in unknown.iter_rows()]
        notes.append(f"Not assessed: {'; '.join(each)}.")
    imputed = int(table["systems_imputed"].fill_null(False).sum())
    if rule.with_systems and imputed:
        notes.append(
            f"{counted(imputed, 'secondary progression')} {agreed(imputed, 'rests', 'rest')} on a functional system that was not scored."
        )
    return tuple(notes)
