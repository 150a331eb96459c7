"""Events that can come again: Andersen-Gill models, and the mean number of events a person over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoulder.analysis.cox import SMALL_PRINT, ZPH, counting_process
from smoulder.analysis.curves import step_rows
from smoulder.analysis.library import Curves, finite_or_none, mean_count_curve
from smoulder.analysis.words import Z, grouped, need_days, nobody, people
from smoulder.errors import UsageError
from smoulder.estimates import AT_DAYS_SCHEMA, CURVE_SCHEMA, QUANTILE_SCHEMA, TEST_SCHEMA, Curve, Effects, Episodes, Term, as_frame


def andersen_gill(episodes: Episodes, terms: Sequence[Term], *, model: str = "adjusted", univariable: bool = False) -> Effects:
    """Return hazard ratios of all events, first and repeated, by the Andersen-Gill model with robust standard errors.

    `terms` are columns of `episodes.table` and may change over time. Standard errors are clustered by patient (Lin and Wei 1989,
    J Am Stat Assoc 84:1074), so events of one person need not be independent. What cannot be estimated is null, with the reason
    in `why`; `checks` has the test of proportional hazards. With `univariable` each term is fitted alone as well. Raises UsageError for
    columns or levels that do not exist.
    Equals R survival 3.5 `coxph(Surv(start, stop, event) ~ ..., cluster = patient)`.
    """
    return counting_process(
        episodes,
        terms,
        robust=True,
        title=f"Hazard ratios of all events: {episodes.name}",
        method=(
            "Hazard ratios of first and repeated events are from Andersen-Gill models (Andersen and Gill 1982, Ann Stat 10:1100). "
            f"{SMALL_PRINT} {ZPH}"
        ),
        model=model,
        univariable=univariable,
    )


def mean_cumulative(episodes: Episodes, *, by: str | None = None, at_days: Sequence[int] = ()) -> Curve:
    """Return the mean number of events a person over time (Nelson 1988), one curve a group of column `by` of `episodes.table`.

    The standard error is robust (Lawless and Nadeau 1995, Technometrics 37:158; it is what R's `survfit` with `id` gives for the cumulative
    hazard), and the 95 % limits are on the log scale, null before the first event; the result tells the curve `at_days`, days from time
    zero. A group may not change within a person. People are taken out of risk when their observation ends; someone who dies is not counted
    as having no events after it. Raises UsageError for columns that do not exist, groups that change, and days that are none.
    """
    table = episodes.table.sort("patient", "start_day", "stop_day")
    groups, found = grouped(table, by)
    days = need_days(at_days)
    person = table["patient"].rank("dense").to_numpy().astype(np.int64)
    notes = episodes.notes
    if found:
        notes += (f"{people(_several(person[_in_none(groups, table.height)]))} without a value of '{by}' are in no group.",)
    memberships = sum(_several(person[mask]) for _, mask in groups)
    n_changing = memberships - _several(person[~_in_none(groups, table.height)])
    if n_changing > 0:
        raise UsageError(f"'{by}' changes within {people(n_changing)}; a mean count needs groups that stay, such as those at time zero.")
    start, stop, event = table["start_day"].to_numpy(), table["stop_day"].to_numpy(), table["event"].to_numpy()
    rows: list[dict[str, Any]] = []
    quantiles: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    for name, mask in groups:
        if not mask.any():
            continue
        labels = {"group": name, "cause": episodes.name}
        curve, error = mean_count_curve(start[mask], stop[mask], event[mask], person[mask])
        curve = _with_limits(curve, error)
        n_people = _several(person[mask])
        rows += step_rows(curve, labels, int((start[mask] <= 0).sum()), start=0.0)
        quantiles.append(labels | {"n": n_people, "events": int(event[mask].sum())})
        for day in days:
            there = (start[mask] < day) & (stop[mask] >= day) if day else start[mask] <= 0
            row: dict[str, Any] = labels | {"day": day, "at_risk": _several(person[mask][there])}
            at = int(np.searchsorted(curve.day, day, side="right")) - 1
            if day <= stop[mask].max():
                row |= {"estimate": 0.0} if at < 0 else {"estimate": finite_or_none(float(curve.estimate[at]))}
                if at >= 0:
                    row |= {"lower": finite_or_none(float(curve.lower[at])), "upper": finite_or_none(float(curve.upper[at]))}
            read.append(row)
        if not event[mask].any():
            notes += (f"{nobody(name)} had an event ({people(n_people)}): its curve stays at 0 without limits.",)
    if not rows:
        notes += ("There is nobody, so there is no curve.",)
    if len(groups) > 1:
        notes += ("The curves of groups are not tested here; the Andersen-Gill model says how groups differ.",)
    return Curve(
        title=f"Mean number of events a person: {episodes.name}",
        method=(
            "The mean number of events a person was estimated by the Nelson-Aalen type estimator with robust standard errors "
            "(Lawless and Nadeau 1995, Technometrics 37:158) and 95 % limits on the log scale."
        ),
        table=as_frame(rows, CURVE_SCHEMA),
        notes=notes,
        kind="mean count",
        outcome=episodes.name,
        quantiles=as_frame(quantiles, QUANTILE_SCHEMA),
        at_days=as_frame(read, AT_DAYS_SCHEMA),
        tests=as_frame([], TEST_SCHEMA),
    )


def _with_limits(curve: Curves, error: NDArray[np.float64]) -> Curves:
    """Return the curve with limits estimate x exp(±1.96 error / estimate)."""
    # With everybody alike the robust error is a rounding away from 0, and says nothing.
    known = (curve.estimate > 0) & (error > 1e-9 * curve.estimate)
    relative = np.divide(error, curve.estimate, out=np.zeros_like(error), where=known)
    lower = np.where(known, curve.estimate * np.exp(-Z * relative), np.nan)
    upper = np.where(known, curve.estimate * np.exp(Z * relative), np.nan)
    return curve._replace(lower=lower, upper=upper)


def _several(person: NDArray[np.int64]) -> int:
    return int(np.unique(person).size)


def _in_none(groups: Sequence[tuple[str, NDArray[np.bool_]]], n: int) -> NDArray[np.bool_]:
    inside = np.zeros(n, dtype=np.bool_)
    for _, mask in groups:
        inside |= mask
    return ~inside
