"""One analysis of a study after the other: which function of the statistics each asks for, with which outcomes and terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatchmethod

import numpy as np
import polars as pl

from smoulder.analysis import (
    Bootstrapped,
    andersen_gill,
    cox,
    cox_time_varying,
    cumulative_incidence,
    fine_gray,
    incidence_rates,
    interval_regression,
    interval_survival,
    kaplan_meier,
    logistic,
    mean_cumulative,
    recurrent_rates,
    relapse_rate_model,
    share_among,
    table_one,
)
from smoulder.analysis.counts import event_counts
from smoulder.analysis.episodes import (
    Change,
    first_event_episodes,
    recurrent_episodes,
    relapsed_within,
    relapses_so_far,
)
from smoulder.analysis.since import against_reference, rates_since, rebound
from smoulder.analysis.windows import blocked_days
from smoulder.enrolment import Times
from smoulder.enrolment.knowing import reference_level
from smoulder.enrolment.periods import drug, spellings, treatment_periods
from smoulder.errors import DataError, SmoulderError
from smoulder.estimates import DAYS_A_YEAR, SHARE_SCHEMA, Effects, Episodes, Estimate, Shares, SurvivalOutcome, Term, as_frame
from smoulder.events import Events
from smoulder.followed import Followed
from smoulder.protocol import analyses as parts
from smoulder.protocol.aims import DisabilityAim
from smoulder.protocol.model import Study
from smoulder.studying.formatting import sentence
from smoulder.studying.outcomes import event_days, relapse_days_since, relapse_recording_notes, relapses_known_to
from smoulder.studying.result import Finding, MadeOutcome
from smoulder.terms import MISSING


@dataclass(frozen=True, eq=False, kw_only=True)
class Bench:
    """Everything that the analyses of a study work on."""

    study: Study
    followed: Followed
    times: Times
    events: Events
    """Within the observation of each person."""
    outcomes: Mapping[str, MadeOutcome]

    def find(self, part: parts.AnyAnalysis) -> Finding:
        """Return what one analysis finds; one that these tables do not allow says why."""
        try:
            return Finding(analysis=part, estimates=tuple(self.do(part)), why_not=self._left_out(part))
        except SmoulderError as error:
            return Finding(analysis=part, estimates=(), why_not=str(error))

    def outcome(self, key: str) -> SurvivalOutcome:
        """Return an outcome by its key; DataError with the reason where it could not be made."""
        made = self.outcomes[key]
        if made.outcome is None:
            raise DataError(f"The outcome '{made.aim.title}' could not be made: {made.why_not}")
        return made.outcome

    def possible(self, keys: Sequence[str]) -> list[SurvivalOutcome]:
        """Return those outcomes that could be made; DataError with the first reason where none could."""
        made = [one.outcome for one in (self.outcomes[key] for key in keys) if one.outcome is not None]
        return made or [self.outcome(keys[0])]

    def _left_out(self, part: parts.AnyAnalysis) -> str:
        """Return why an analysis of several outcomes goes without some of them; "" where it has all."""
        missing = [self.outcomes[key] for key in getattr(part, "outcomes", ())]
        return " ".join(f"Without {one.aim.title}: {sentence(one.why_not)}" for one in missing if one.outcome is None)

    def terms(self, keys: Sequence[str]) -> tuple[Term, ...]:
        """Return terms of a model from what is known, by key."""
        found = []
        for key in keys:
            known = self.study.named(key)
            column = self.followed.people[key]
            levels = column.cast(pl.String).drop_nulls().unique().to_list() if isinstance(column.dtype, pl.Enum) else []
            reference = reference_level(known, levels)
            found.append(Term(column=key, title=known.title, per=known.per, unit=known.unit, reference=reference))
        return tuple(found)

    @singledispatchmethod
    def do(self, part: parts.Analysis) -> Sequence[Estimate]:
        """Return the estimates of one analysis."""
        raise NotImplementedError(f"the kind of analysis '{part}'")

    @do.register
    def _counts(self, part: parts.CountsAnalysis) -> Sequence[Estimate]:
        return [event_counts(self.events, self.followed.people, part.definition, by=part.by)]

    @do.register
    def _table_one(self, part: parts.TableOneAnalysis) -> Sequence[Estimate]:
        return [table_one(self.followed.people, self.terms(part.variables), by=part.by)]

    @do.register
    def _survival(self, part: parts.SurvivalAnalysis) -> Sequence[Estimate]:
        restricted = part.restricted_to_days
        outcomes = self.possible(part.outcomes)
        return [kaplan_meier(one, by=part.by, at_days=part.at_days, restricted_to_days=restricted) for one in outcomes]

    @do.register
    def _incidence(self, part: parts.IncidenceAnalysis) -> Sequence[Estimate]:
        return [cumulative_incidence(self.outcome(part.outcome), by=part.by, at_days=part.at_days)]

    @do.register
    def _rates(self, part: parts.RatesAnalysis) -> Sequence[Estimate]:
        return [incidence_rates(self.possible(part.outcomes), by=part.by)]

    @do.register
    def _cox(self, part: parts.CoxAnalysis) -> Sequence[Estimate]:
        return [cox(one, self.terms(part.terms), univariable=part.each_alone) for one in self.possible(part.outcomes)]

    @do.register
    def _fine_gray(self, part: parts.FineGrayAnalysis) -> Sequence[Estimate]:
        return [fine_gray(self.outcome(part.outcome), self.terms(part.terms))]

    @do.register
    def _changing(self, part: parts.ChangingAnalysis) -> Sequence[Estimate]:
        outcome = self.outcome(part.outcome)
        changes = [self._change(one) for one in part.changing]
        terms = [Term(column=one.key, title=one.title, reference=_reference(one)) for one in part.changing]
        terms += self.terms(part.terms)
        done: list[Estimate] = []
        if part.windows != "not at risk":
            episodes = first_event_episodes(outcome, changes)
            done.append(cox_time_varying(episodes, terms, model="all days at risk" if part.windows == "both" else "adjusted"))
        if part.windows != "at risk":
            aim = self.study.aim(part.outcome)
            if not isinstance(aim, DisabilityAim):
                raise DataError("Only an event of a definition has windows around relapses.")
            blocked = blocked_days(self.study.definition_of(aim.definition))
            episodes = first_event_episodes(outcome, changes, blocked.spans(relapse_days_since(self.followed)))
            without = cox_time_varying(episodes, terms, model="days blocked by the definition not at risk")
            done.append(replace(without, notes=(*without.notes, blocked.sentence())))
        return done

    def _change(self, one: parts.Changing) -> Change:
        people = self.followed.people
        if one.what.startswith("relapse"):
            if self.followed.cohort.relapse_knowledge == "unknown":
                raise DataError("There is no table of relapses, so relapses after time zero are not known.")
            days = relapse_days_since(self.followed)
            if one.what == "relapse within":
                assert one.days is not None
                return Change(key=one.key, values=relapsed_within(days, one.days), levels=("no", "yes"))
            return Change(key=one.key, values=relapses_so_far(days))
        if self.followed.cohort.treatments is None:
            raise DataError("There is no table of treatments, so treatment after time zero is not known.")
        zeros = dict(people.select("patient", "zero_day").iter_rows())
        periods = self._periods()
        if one.what == "treated":
            values = {}
            for patient, zero in zeros.items():
                first = min((start - zero for _, start, _ in periods.get(patient, ())), default=None)
                now = "yes" if first is not None and first <= 0 else "no"
                values[patient] = [(0, now), *([(first, "yes")] if first is not None and first > 0 else [])]
            return Change(key=one.key, values=values, levels=("no", "yes"))
        values = {patient: _treatments_over_time(periods.get(patient, ()), zero) for patient, zero in zeros.items()}
        names = sorted({str(name) for mine in values.values() for _, name in mine} - {"none"})
        return Change(key=one.key, values=values, levels=("none", *names))

    def _periods(self) -> dict[str, list[tuple[str, int, int | None]]]:
        """Return patient -> name, first and last day of the treatments, of the people who entered.

        Names and ends that are not stated are taken as at enrolment; gaps stay gaps.
        """
        cohort, one_drug = self.followed.cohort, self.times.one_drug
        if cohort.treatments is None:
            return {}
        periods, _ = treatment_periods(cohort, 0, one_drug)
        written = spellings(periods, one_drug)
        return {
            patient: [(written[drug(one.treatment, one_drug)], one.start_day, one.end_day) for one in mine]
            for patient, mine in zip(cohort.patients, periods, strict=True)
        }

    @do.register
    def _recurrent(self, part: parts.RecurrentAnalysis) -> Sequence[Estimate]:
        episodes = self._episodes(part.definition, part.event)
        done: list[Estimate] = [recurrent_rates(episodes, by=part.by), mean_cumulative(episodes, by=part.by, at_days=part.at_days)]
        if part.terms:
            done.append(andersen_gill(episodes, self.terms(part.terms)))
        return done

    def _need_labels(self, event: str) -> None:
        """Raise DataError where an event is one that only relapses tell, and there is no table of them: none found would read as none."""
        if event in ("PIRA", "RAW") and self.events.provenance.relapse_knowledge == "unknown":
            raise DataError(f"There is no table of relapses, so RAW and PIRA cannot be told apart and {event} cannot be counted.")

    def _episodes(self, key: str, event: str) -> Episodes:
        self._need_labels(event)
        people = self.followed.people
        zeros = dict(people.select("patient", "zero_day").iter_rows())
        found = event_days(self.events.of(key), event)
        since = {patient: [day - zeros[patient] for day in days] for patient, days in found.items()}
        last = {patient: day - zero for patient, day, zero in people.select("patient", "last_visit_day", "zero_day").iter_rows()}
        return recurrent_episodes(f"{event} ({key})", people, since, last)

    @do.register
    def _interval(self, part: parts.IntervalAnalysis) -> Sequence[Estimate]:
        outcome = self.outcome(part.outcome)
        done: list[Estimate] = [interval_survival(outcome, by=part.by, at_days=part.at_days)]
        if part.terms:
            done.append(interval_regression(outcome, self.terms(part.terms)))
        return done

    @do.register
    def _relapse_rates(self, part: parts.RelapseRateAnalysis) -> Sequence[Estimate]:
        people = self.followed.people
        last = self._observed_days()
        days = self._relapses(last)
        counts = people.with_columns(
            pl.Series("relapses", [len(days.get(patient, ())) for patient in people["patient"]], dtype=pl.Int64),
            pl.Series("days", [last[patient] for patient in people["patient"]], dtype=pl.Int64),
        )
        done: list[Estimate] = [
            self._with_recording(rates_since("relapses", people, days, last, (0, max([*last.values(), 1])), by=part.by)),
        ]
        if part.terms:
            done.append(self._with_recording(relapse_rate_model(counts, self.terms(part.terms))))
        return done

    def _observed_days(self) -> dict[str, int]:
        """Return patient -> days from time zero to the last day of which relapses are known; 0: they are not known from time zero on."""
        pairs = self.followed.people.select("patient", "zero_day").iter_rows()
        known = relapses_known_to(self.followed)
        return {patient: 0 if day is None else max(day - zero, 0) for (patient, zero), day in zip(pairs, known, strict=True)}

    def _with_recording(self, found: Estimate) -> Estimate:
        """Return an estimate of relapses with the notes on whose relapses were recorded."""
        return replace(found, notes=(*relapse_recording_notes(self.followed), *found.notes))

    def _relapses(self, last: Mapping[str, int]) -> dict[str, list[int]]:
        """Return patient -> relapses after time zero within observation, as days from time zero."""
        if self.followed.cohort.relapse_knowledge == "unknown":
            raise DataError("There is no table of relapses, so relapses cannot be counted.")
        return {patient: [day for day in days if 0 < day <= last[patient]] for patient, days in relapse_days_since(self.followed).items()}

    @do.register
    def _logistic(self, part: parts.LogisticAnalysis) -> Sequence[Estimate]:
        outcome = self.outcome(part.outcome)
        people = outcome.people.with_columns(pl.Series(part.outcome, outcome.event))
        effects = logistic(people, part.outcome, self.terms(part.terms))
        note = (
            "Who was followed longer had more time to have the event; an odds ratio does not take this into account, a hazard ratio does."
        )
        return [_named(effects, outcome.name, part.outcome, note)]

    @do.register
    def _since(self, part: parts.PeriodsAnalysis) -> Sequence[Estimate]:
        people = self.followed.people
        if part.outcome is None:
            last = self._observed_days()
            return [self._with_recording(rates_since("relapses", people, self._relapses(last), last, part.edges_days, by=part.by))]
        outcome = self.outcome(part.outcome)
        times = dict(zip(outcome.patients, outcome.time.tolist(), strict=True))
        days = {patient: [times[patient]] for patient, event in zip(outcome.patients, outcome.event.tolist(), strict=True) if event}
        return [rates_since(outcome.name, outcome.people, days, times, part.edges_days, by=part.by)]

    @do.register
    def _rebound(self, part: parts.ReboundAnalysis) -> Sequence[Estimate]:
        cohort = self.followed.history
        if cohort.relapse_knowledge == "unknown":
            raise DataError("There is no table of relapses, so rebound cannot be told.")
        days, starts = {}, {}
        for index, patient in enumerate(cohort.patients):
            days[patient] = cohort.relapse_days_of(index).tolist()
            visits = cohort.visits.day[cohort.visits_of(index)]
            stated = MISSING if cohort.recorded_from is None else int(cohort.recorded_from[index])
            starts[patient] = int(visits[0]) if stated == MISSING else stated
        return rebound(self.followed.people, days, starts, part.after_days, part.before_days)

    @do.register
    def _against(self, part: parts.AgainstAnalysis) -> Sequence[Estimate]:
        reference = next(one for one in self.study.reference if one.key == part.reference)
        return against_reference(self.outcome(part.outcome), reference, part.at_days)

    @do.register
    def _share(self, part: parts.ShareAnalysis) -> Sequence[Estimate]:
        self._need_labels(part.event)
        worsening = self.events.of(part.definition).filter(pl.col("kind") == "worsening")
        labelled = worsening.filter(pl.col(part.event.lower()).fill_null(False))
        patients = self.followed.people["patient"]
        top, below = _per_patient(labelled, patients), _per_patient(worsening, patients)
        found = share_among(top, below, replicates=part.replicates, seed=part.seed)
        row = {"group": "all", "what": f"{part.event} among all worsening events", "n": int(top.sum()), "out_of": int(below.sum())}
        row |= {"share": found.estimate, "lower": found.lower, "upper": found.upper, "person_years": self._person_years()}
        return [
            Shares(
                title=f"{part.event} among all worsening events ({part.definition})",
                method=f"The interval is the percentile interval of {part.replicates:,} bootstrap samples of patients, who may have "
                "several events.",
                table=as_frame([row], SHARE_SCHEMA),
                notes=_bootstrap_notes(found, part.replicates),
            )
        ]

    def _person_years(self) -> float:
        """Return the years from time zero to the last visit of everybody."""
        people = self.followed.people
        return int((people["last_visit_day"] - people["zero_day"]).sum()) / DAYS_A_YEAR


def _bootstrap_notes(found: Bootstrapped, replicates: int) -> tuple[str, ...]:
    if found.estimate is None:
        return ("There was no worsening event, so there is no share.",)
    if found.lower is None:
        return ("There is no interval: too many samples had no worsening, or all of them the same share.",)
    return (f"{found.n_failed:,} of {replicates:,} samples had no worsening event and were left out.",) if found.n_failed else ()


def _per_patient(table: pl.DataFrame, patients: pl.Series) -> np.ndarray:
    """Return (n_patients,) rows of each patient."""
    counts = dict(table.group_by("patient").len().iter_rows())
    return np.array([counts.get(patient, 0) for patient in patients], dtype=np.int64)


def _reference(one: parts.Changing) -> str | None:
    return {"relapse within": "no", "treated": "no", "treatment": "none"}.get(one.what)


def _treatments_over_time(periods: Sequence[tuple[str, int, int | None]], zero: int) -> list[tuple[int, str | float]]:
    """Return the treatment from the day after each change on, from time zero: of several the one that began last; "none" between them."""
    edges = {start - zero for _, start, _ in periods} | {end - zero for _, _, end in periods if end is not None}
    values: list[tuple[int, str | float]] = []
    for day in sorted({0, *(edge for edge in edges if edge > 0)}):
        on = [(start, name) for name, start, end in periods if start - zero <= day and (end is None or day < end - zero)]
        values.append((day, max(on)[1] if on else "none"))
    return values


def _named(effects: Effects, title: str, key: str, note: str) -> Effects:
    """Return effects whose outcome has its title instead of its key."""
    titled = pl.col("outcome").replace({key: title})
    named, references = effects.table.with_columns(titled), effects.references.with_columns(titled)
    return replace(effects, table=named, references=references, title=effects.title.replace(key, title), notes=(*effects.notes, note))
