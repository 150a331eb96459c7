"""Fitting models to designs: the effects of each term, the checks of each model, and what the reader must know."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from smoulder.analysis.design import Counts, Design, Slot, Words, build
from smoulder.analysis.library import Fit, Integers, NoEstimate, proportional_hazards
from smoulder.analysis.words import Z, listed, sentence, two_sided_p
from smoulder.errors import agreed
from smoulder.estimates import CHECK_SCHEMA, EFFECT_SCHEMA, REFERENCE_SCHEMA, Effects, Scale, Term, as_frame

ALONE = "each alone"
"""Name of the models that have one term each."""


def fit_models(
    frame: pl.DataFrame,
    terms: Sequence[Term],
    events: Counts,
    fit: Callable[[Design], Fit],
    words: Words,
    *,
    title: str,
    method: str,
    scale: Scale,
    outcome: str,
    model: str,
    univariable: bool = False,
    notes: Sequence[str] = (),
    person: Integers | None = None,
    proportional: bool = False,
    told: Callable[[str], tuple[str, ...]] = lambda _: (),
) -> Effects:
    """Return the effects of the model of all `terms`, and before it of each alone where asked for.

    `frame` has n rows, `events` (n,) and `person` (n,) are those of `design.build`; `fit` fits one design. `proportional` asks for the
    test of proportional hazards; `told` returns what is to be said of the model fitted last, whose name it is given.
    """
    asked: list[tuple[str, Sequence[Term], str]] = [(model, terms, model)]
    if univariable:
        asked = [(ALONE, [term], f"{ALONE}: {term.title}") for term in terms] + asked
    rows: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    references: list[dict[str, Any]] = []
    found = list(notes)
    for name, of_model, shown in asked:
        design = build(frame, of_model, events, person=person, words=words, model=shown)
        effects, fitted = effect_rows(design, fit, model=name, outcome=outcome)
        rows += effects
        references += [{"model": name, "outcome": outcome} | asdict(one) for one in design.references]
        found += [*design.notes, *told(shown)]
        if fitted is None or not proportional:
            continue
        try:
            tested = proportional_hazards(fitted, [columns for _, columns in design.assign])
        except NoEstimate:
            found.append(f"Model '{shown}': proportional hazards could not be tested.")
            continue
        for term, test in zip((*(term for term, _ in design.assign), "GLOBAL"), tested, strict=True):
            checks.append({"model": name, "outcome": outcome, "term": term, "statistic": test.statistic, "df": test.df, "p": test.p})
    missing = sum(row.get("estimate") is None for row in rows)
    if missing:
        found.append(f"{missing} of {len(rows)} effects {agreed(missing, 'has', 'have')} no estimate; why is said beside each.")
    return Effects(
        title=title,
        method=method,
        table=as_frame(rows, EFFECT_SCHEMA),
        notes=tuple(dict.fromkeys(found)),
        scale=scale,
        checks=as_frame(checks, CHECK_SCHEMA),
        references=as_frame(references, REFERENCE_SCHEMA),
    )


def effect_rows(design: Design, fit: Callable[[Design], Fit], *, model: str, outcome: str) -> tuple[list[dict[str, Any]], Fit | None]:
    """Return one row a slot (EFFECT_SCHEMA), and the fit; None where there is none.

    Limits and p are Wald's. Where one coefficient runs to infinity nothing of the model is reported: the others depend on it.
    """
    fitted: Fit | None = None
    reason = design.impossible
    if not reason:
        try:
            fitted = fit(design)
        except NoEstimate as none:
            reason = none.reason
    culprits: list[str] = []
    if fitted is not None and fitted.diverging.any():
        culprits = [_named(slot) for slot in design.slots if slot.column is not None and fitted.diverging[slot.column]]
    rows: list[dict[str, Any]] = []
    for slot in design.slots:
        row: dict[str, Any] = {"model": model, "outcome": outcome, "term": slot.term, "level": slot.level, "against": slot.against}
        row |= {"n": slot.n, "events": slot.events, "why": slot.why}
        if not slot.why and fitted is None:
            row["why"] = sentence(reason)
        elif not slot.why and fitted is not None and slot.column is not None:
            if fitted.diverging[slot.column]:
                row["why"] = "It separates those with the event from those without, so its estimate runs to infinity (separation)."
            elif culprits:
                row["why"] = (
                    f"{listed(culprits)} {agreed(len(culprits), 'has', 'have')} no finite estimate (separation), so the model has none."
                )
            else:
                row |= wald(float(fitted.coefficients[slot.column]), float(fitted.variance[slot.column, slot.column]))
        rows.append(row)
    return rows, None if culprits else fitted


def wald(coefficient: float, variance: float) -> dict[str, Any]:
    """Return exp(coefficient) with Wald's 95 % limits and p; without an estimate, why."""
    if variance == 0:
        return {"why": "Its standard error is 0, which says that there is too little to tell how sure it is."}
    error = math.sqrt(variance) if variance > 0 else math.nan
    # exp(700) is near the largest number there is; such limits are no statement.
    if not math.isfinite(error) or not math.isfinite(coefficient) or abs(coefficient) + Z * error > 700:
        return {"why": "The data do not limit it: its standard error is not finite."}
    return {
        "estimate": math.exp(coefficient),
        "lower": math.exp(coefficient - Z * error),
        "upper": math.exp(coefficient + Z * error),
        "p": two_sided_p(coefficient / error),
    }


def _named(slot: Slot) -> str:
    return f"'{slot.term}: {slot.level}'" if slot.level else f"'{slot.term}'"
