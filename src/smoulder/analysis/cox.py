"""Models of the hazard: Cox, Cox with what changes over time, and Fine-Gray for competing events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smoulder.analysis.design import Design, Words, canonical
from smoulder.analysis.fitting import fit_models
from smoulder.analysis.library import Fit, cox_fit, fine_gray_rows
from smoulder.analysis.words import competing_note, need_column, outcome_notes
from smoulder.estimates import Effects, Episodes, SurvivalOutcome, Term

WORDS = Words()
TIME, CAUSE = "\x00time", "\x00cause"
"""Columns beside those of the people; no table can have such names."""

ZPH = (
    "Proportional hazards were tested with scaled Schoenfeld residuals against the Kaplan-Meier transform of time "
    "(Grambsch and Therneau 1994, Biometrika 81:515)."
)
SMALL_PRINT = (
    "Tied days were handled by Efron's method; limits (95 %) and p values are Wald's. People without a value of a term were left out "
    "of that model."
)


def cox(outcome: SurvivalOutcome, terms: Sequence[Term], *, model: str = "adjusted", univariable: bool = False) -> Effects:
    """Return hazard ratios of a Cox model with all `terms`, columns of `outcome.people`; competing events count as censored.

    `model` names the model in the table. With `univariable` each term is fitted alone as well (model "each alone"). A number is
    stated for `Term.per` units; groups against `Term.reference`. What cannot be estimated is null, with the reason in `why`.
    `checks` has the test of proportional hazards of each term and of all ("GLOBAL"). Raises UsageError for columns or levels that do
    not exist. Equals R survival 3.5 `coxph` and `cox.zph(transform = "km")`.

    >>> import numpy as np, polars as pl
    >>> from smoulder.estimates import SurvivalOutcome, Term
    >>> names = pl.Series([f"p{k:02}" for k in range(30)])
    >>> days = np.arange(1, 31, dtype=np.int32)
    >>> arm = [("A", "B", "B", "A", "B")[k % 5] for k in range(30)]
    >>> outcome = SurvivalOutcome(name="first PIRA", patients=names, time=days, cause=np.ones(30, np.int8), causes=("PIRA",),
    ...     reason=pl.Series(["PIRA"] * 30), free=days - 1, people=pl.DataFrame({"patient": names, "arm": arm}))
    >>> cox(outcome, [Term(column="arm", title="arm")]).table.select("level", "against", "n", "events").row(0)
    ('B', 'A', 18, 18)
    """
    frame, event = outcome_frame(outcome, terms)
    time = frame[TIME].to_numpy()

    def fit(design: Design) -> Fit:
        return cox_fit(time[design.rows], event[design.rows], design.x)

    return fit_models(
        frame,
        terms,
        event,
        fit,
        WORDS,
        proportional=True,
        title=f"Hazard ratios of {outcome.name}",
        method=f"Hazard ratios are from Cox models. {SMALL_PRINT} {ZPH}",
        scale="hazard ratio",
        outcome=outcome.name,
        model=model,
        univariable=univariable,
        notes=(*outcome_notes(outcome), *competing_note(outcome)),
    )


def cox_time_varying(episodes: Episodes, terms: Sequence[Term], *, model: str = "adjusted", univariable: bool = False) -> Effects:
    """Return hazard ratios of a Cox model on episodes, so that `terms` (columns of `episodes.table`) may change over time.

    Where people can have several events, or the same time of a person is there more than once, standard errors are robust (clustered by
    patient; Lin and Wei 1989, J Am Stat Assoc 84:1074). Otherwise as `cox`, `model` and `univariable` too. Equals R survival 3.5
    `coxph(Surv(start, stop, event) ~ ..., cluster = patient)`.
    """
    robust = episodes.recurrent or repeated(episodes.table)
    return counting_process(
        episodes,
        terms,
        robust=robust,
        title=f"Hazard ratios of {episodes.name}, with what changes over time",
        method=f"Hazard ratios are from Cox models on start-stop episodes, so that terms may change over time. {SMALL_PRINT} {ZPH}",
        model=model,
        univariable=univariable,
    )


def counting_process(
    episodes: Episodes, terms: Sequence[Term], *, robust: bool, title: str, method: str, model: str, univariable: bool
) -> Effects:
    """Return the effects of a Cox model on episodes: what `cox_time_varying` and `andersen_gill` share."""
    for term in terms:
        need_column(episodes.table, term.column)
    table = canonical(episodes.table, ["patient", "start_day", "stop_day", "event", *(term.column for term in terms)])
    start, stop = table["start_day"].to_numpy(), table["stop_day"].to_numpy()
    event = table["event"].to_numpy()
    person = table["patient"].rank("dense").to_numpy().astype(np.int64)

    def fit(design: Design) -> Fit:
        rows = design.rows
        cluster = person[rows] if robust else None
        return cox_fit(stop[rows], event[rows], design.x, start=start[rows], cluster=cluster)

    errors = " Standard errors are robust, clustered by patient." if robust else ""
    return fit_models(
        table,
        terms,
        event,
        fit,
        WORDS,
        proportional=True,
        title=title,
        method=method + errors,
        scale="hazard ratio",
        outcome=episodes.name,
        model=model,
        univariable=univariable,
        notes=episodes.notes,
        person=person,
    )


def fine_gray(outcome: SurvivalOutcome, terms: Sequence[Term], *, model: str = "adjusted", univariable: bool = False) -> Effects:
    """Return subdistribution hazard ratios (Fine and Gray 1999, J Am Stat Assoc 94:496): effects on the cumulative incidence.

    The event is the first cause of `outcome`; the others compete. People with a competing event stay at risk, weighted by the chance of not
    yet being censored. The censoring distribution is that of all people with values of the terms; of a day with events and censorings the
    events come first, as in R survival's `finegray` (cmprsk's `crr` takes the weights just before the day; with tied days the two differ by
    about 0.3 %). Standard errors are robust, clustered by patient; unlike `crr` they take the weights as known. Otherwise as `cox`, `model`
    and `univariable` too.
    """
    frame, event = outcome_frame(outcome, terms)
    time = frame[TIME].to_numpy()
    cause = frame[CAUSE].to_numpy()

    def fit(design: Design) -> Fit:
        rows = design.rows
        if not (cause[rows] > 1).any():
            # Nobody to keep at risk: the risk sets are those of the Cox model.
            return cox_fit(time[rows], event[rows], design.x, cluster=np.arange(rows.size))
        # The censoring distribution is that of everybody with values, also of people in levels without an estimate.
        spread = fine_gray_rows(time[design.complete], cause[design.complete])
        person = design.complete[spread.row]
        kept = np.isin(person, rows)
        position = np.searchsorted(rows, person[kept])
        start, stop, weight = spread.start[kept], spread.stop[kept], spread.weight[kept]
        return cox_fit(stop, spread.event[kept], design.x[position], start=start, cluster=position, weights=weight)

    notes = outcome_notes(outcome)
    if not (cause > 1).any():
        notes += ("There was no competing event, so the subdistribution hazard is the hazard.",)
    method = (
        "Subdistribution hazard ratios are from Fine-Gray models, fitted as weighted Cox models; where events and censorings share a day "
        f"the events come first. {SMALL_PRINT} Standard errors are robust, clustered by patient, and take the censoring weights as known."
    )
    return fit_models(
        frame,
        terms,
        event,
        fit,
        WORDS,
        proportional=True,
        title=f"Subdistribution hazard ratios of {outcome.name}",
        method=method,
        scale="subdistribution hazard ratio",
        outcome=outcome.name,
        model=model,
        univariable=univariable,
        notes=notes,
    )


def repeated(table: pl.DataFrame) -> bool:
    """Return whether a patient has more than one event, or episodes that overlap; `table` as in `Episodes`."""
    if table.filter("event")["patient"].is_duplicated().any():
        return True
    ordered = table.select("patient", "start_day", "stop_day").sort("patient", "start_day", "stop_day")
    same = ordered["patient"].to_numpy()[1:] == ordered["patient"].to_numpy()[:-1]
    return bool((same & (ordered["start_day"].to_numpy()[1:] < ordered["stop_day"].to_numpy()[:-1])).any())


def outcome_frame(
    outcome: SurvivalOutcome, terms: Sequence[Term], more: Mapping[str, NDArray[np.integer[Any]]] | None = None
) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """Return the people with time and cause (and `more` columns), in an order that depends on values only, and who has the event (n,)."""
    for term in terms:
        need_column(outcome.people, term.column)
    beside = {TIME: outcome.time, CAUSE: outcome.cause, **(more or {})}
    frame = outcome.people.with_columns(pl.Series(name, values) for name, values in beside.items())
    frame = canonical(frame, [*beside, *(term.column for term in terms)])
    return frame, frame[CAUSE].to_numpy() == 1
